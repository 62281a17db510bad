//! A throw-away PostgreSQL for the tests: its own data, a free port on loopback, gone at the end.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::packages::{find, is_root};
use crate::run::{Outcome, checked, output};

const START_LIMIT: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A running server. Dropping it stops the server and removes its data.
pub(crate) struct Postgres {
    server: Child,
    port: u16,
    certificate: PathBuf,
    _data: TempDir,
}

impl Postgres {
    /// Starts the server whose programs stand in `programs`.
    ///
    /// # Errors
    /// The cluster can't be made, or the server is not ready in time; with the end of its log.
    pub(crate) fn start(programs: &Path) -> Outcome<Self> {
        let folder = tempfile::Builder::new()
            .prefix("pitlane-postgres-")
            .tempdir()
            .map_err(|error| format!("no temporary folder: {error}"))?;
        let owner = owner()?;
        if let Some(owner) = &owner {
            checked(Command::new("chown").arg(owner).arg(folder.path()))?;
        }
        let data = folder.path().join("data");
        let log = folder.path().join("log");
        output(
            as_owner(owner.as_deref(), &programs.join("initdb"))
                .args([
                    "--username=postgres",
                    "--auth=trust",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--no-sync",
                    "-D",
                ])
                .arg(&data),
        )?;
        let (certificate, key) = (folder.path().join("server.crt"), folder.path().join("server.key"));
        certify(&certificate, &key)?;
        if let Some(owner) = &owner {
            checked(Command::new("chown").arg(owner).arg(&key))?;
        }
        let port = free_port()?;
        let written =
            fs::File::create(&log).map_err(|error| format!("{} can't be written: {error}", log.display()))?;
        let server = as_owner(owner.as_deref(), &programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-k", ""])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=400"])
            .args(["-c", "ssl=on"])
            .args(["-c", &format!("ssl_cert_file={}", certificate.display())])
            .args(["-c", &format!("ssl_key_file={}", key.display())])
            // Nobody needs this data after a crash of the machine.
            .args(["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(written)
            .spawn()
            .map_err(|error| format!("PostgreSQL can't be started: {error}"))?;
        let mut postgres = Self { server, port, certificate, _data: folder };
        postgres.wait_until_ready(&log)?;
        Ok(postgres)
    }

    /// The address of the server, with the database that always exists, and without TLS, which would only cost time.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// The certificate that it shows to who wants TLS, which it has signed itself.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.certificate.clone()
    }

    fn wait_until_ready(&mut self, log: &Path) -> Outcome {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let text = fs::read_to_string(log).unwrap_or_default();
            if text.contains("ready to accept connections") {
                return Ok(());
            }
            let ended = self.server.try_wait().map_err(|error| error.to_string())?;
            if ended.is_some() || Instant::now() > deadline {
                return Err(format!("PostgreSQL did not start:\n{text}"));
            }
            sleep(LOOK_AGAIN);
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's fast shutdown: it takes its own children with it, which a kill would not.
        let asked = Command::new("kill").args(["-INT", &self.server.id().to_string()]).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
    }
}

/// The newest installation that can make and run a cluster.
pub(crate) fn find_programs() -> Option<PathBuf> {
    let whole = |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    let version = |folder: &PathBuf| {
        folder
            .parent()
            .and_then(Path::file_name)
            .and_then(|name| name.to_str())
            .and_then(|name| name.parse::<u32>().ok())
    };
    let mut debian: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(whole)
        .collect();
    debian.sort_by_key(version);
    debian.pop().or_else(|| find("postgres")?.parent().map(Path::to_path_buf).filter(whole))
}

// For 127.0.0.1, and for as long as any run of the tests.
fn certify(certificate: &Path, key: &Path) -> Outcome {
    let program =
        find("openssl").ok_or("openssl, which makes the certificate of PostgreSQL, is not installed")?;
    output(
        Command::new(program)
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
            .args(["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"])
            .arg("-keyout")
            .arg(key)
            .arg("-out")
            .arg(certificate),
    )
    .map(drop)
}

// PostgreSQL refuses to run as root.
fn owner() -> Outcome<Option<String>> {
    if !is_root() {
        return Ok(None);
    }
    if find("setpriv").is_none() {
        return Err(
            "PostgreSQL refuses to run as root, and setpriv (package util-linux) is missing".to_owned()
        );
    }
    let known = |user: &&str| {
        Command::new("id").args(["-u", user]).output().is_ok_and(|output| output.status.success())
    };
    match ["postgres", "nobody"].iter().find(|user| known(user)) {
        Some(user) => Ok(Some((*user).to_owned())),
        None => Err("PostgreSQL refuses to run as root, and there is no user to run it as".to_owned()),
    }
}

fn as_owner(owner: Option<&str>, program: &Path) -> Command {
    let mut command = match owner {
        Some(owner) => {
            let mut command = Command::new("setpriv");
            // The server must not outlive a killed xtask.
            command
                .args(["--reuid", owner, "--regid", owner, "--init-groups", "--pdeathsig", "INT", "--"])
                .arg(program);
            command
        }
        None => Command::new(program),
    };
    command.env("LC_ALL", "C").env("TZ", "UTC");
    if let Some(folder) = program.parent() {
        // It may not enter the folder that we were started in.
        command.current_dir(folder);
    }
    command
}

fn free_port() -> Outcome<u16> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("no free port on loopback: {error}"))
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::{Postgres, find_programs};

    #[test]
    fn a_server_answers_while_it_is_held_and_is_gone_afterwards() {
        let Some(programs) = find_programs() else {
            eprintln!("skipped: PostgreSQL is not installed");
            return;
        };
        let server = Postgres::start(&programs).expect("it starts");
        let (port, data) = (server.port, server._data.path().to_path_buf());
        assert!(server.url().contains(&port.to_string()));
        TcpStream::connect(("127.0.0.1", port)).expect("it answers");
        drop(server);
        TcpStream::connect(("127.0.0.1", port)).expect_err("it is gone");
        assert!(!data.exists(), "its data is gone");
    }
}
