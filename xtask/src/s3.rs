//! A throw-away S3 for the tests: Moto's, in an environment of its own, gone at the end.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::python;
use crate::run::{Outcome, root};

/// Lines that the program says when it is ready.
const LINES: usize = 3;

/// A running server. Dropping it stops the server, and what it held is gone.
pub(crate) struct S3 {
    server: Child,
    told: String,
}

impl S3 {
    /// Installs it where it is not there yet, and starts it.
    ///
    /// # Errors
    /// It can't be had, or ends at once.
    pub(crate) fn start() -> Outcome<Self> {
        let python = python::program("tests/python/s3.txt", "s3", "python")?;
        let mut server = Command::new(python)
            .arg(root().join("tests/python/s3.py"))
            // It ends with this process, however that ends: its input is closed then.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("Moto can't be started: {error}"))?;
        let lines =
            server.stdout.take().map(|out| BufReader::new(out).lines().map_while(Result::ok).take(LINES));
        let told: Vec<String> = lines.into_iter().flatten().collect();
        let s3 = Self { server, told: told.join(" ") };
        if told.len() == LINES { Ok(s3) } else { Err("Moto ended at once".to_owned()) }
    }

    /// Two users' addresses and the one of the look behind it, with blanks between.
    pub(crate) fn told(&self) -> &str {
        &self.told
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
