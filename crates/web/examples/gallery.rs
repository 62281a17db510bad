//! Writes every page and mail in several states to a folder, with the static files, to be looked at in a browser.
//!
//! ```text
//! cargo run -p web --example gallery -- target/gallery
//! python3 -m http.server --directory target/gallery 8090
//! ```

use std::path::{Path, PathBuf};
use std::{env, fs, io};

#[path = "gallery/samples.rs"]
mod samples;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = env::args_os().nth(1).map_or_else(|| PathBuf::from("target/gallery"), PathBuf::from);
    for path in web::assets::paths() {
        let asset = web::assets::asset(path).ok_or("a listed asset exists")?;
        write(&out.join("static").join(path), asset.bytes)?;
    }
    let mut index = String::from("<!doctype html><title>Gallery</title><h1>Gallery</h1><ul>");
    for (name, html) in samples::pages()? {
        write(&out.join(format!("{name}.html")), html.as_bytes())?;
        index.push_str(&format!("<li><a href=\"{name}.html\">{name}</a>"));
    }
    for (name, mail) in samples::mails()? {
        write(&out.join(format!("mail-{name}.html")), mail.html.as_bytes())?;
        write(
            &out.join(format!("mail-{name}.txt")),
            format!("{}\n\n{}", mail.subject, mail.text).as_bytes(),
        )?;
        index.push_str(&format!(
            "<li><a href=\"mail-{name}.html\">mail: {name}</a>, <a href=\"mail-{name}.txt\">text</a>"
        ));
    }
    write(&out.join("index.html"), index.as_bytes())?;
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, bytes)
}
