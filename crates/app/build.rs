//! How the released binary is linked: equal functions are kept once, and addresses to be filled in at the start are
//! written in short. That is a third less of file, and less memory that starting touches.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Each is passed on where the linker knows it and this machine can start what it made.
const FLAGS: [&str; 2] = ["-Wl,--icf=all", "-Wl,-z,pack-relative-relocs"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let value = |name: &str| env::var(name).unwrap_or_default();
    // What is made for another machine can't be tried here.
    if value("PROFILE") != "release" || value("HOST") != value("TARGET") {
        return Ok(());
    }
    let folder = env::var_os("OUT_DIR").ok_or("cargo names a folder")?;
    for flag in FLAGS {
        if works(Path::new(&folder), flag)? {
            println!("cargo::rustc-link-arg-bins={flag}");
        }
    }
    Ok(())
}

/// Whether a program that does nothing can be linked with it, and started.
fn works(folder: &Path, flag: &str) -> Result<bool, Box<dyn Error>> {
    let (source, program) = (folder.join("empty.rs"), folder.join("empty"));
    fs::write(&source, "fn main() {}")?;
    let mut compile = Command::new(env::var_os("RUSTC").ok_or("cargo names a compiler")?);
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    compile.args(flags.split('\x1f').filter(|flag| !flag.is_empty()));
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        let mut named = OsString::from("linker=");
        named.push(linker);
        compile.arg("-C").arg(named);
    }
    compile.arg("-C").arg(format!("link-arg={flag}")).arg("-o").arg(&program).arg(&source);
    let quietly = |command: &mut Command| {
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    Ok(quietly(&mut compile) && quietly(&mut Command::new(&program)))
}
