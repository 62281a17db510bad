//! From starting the binary on a migrated database to its first answer, what it takes when idle, and its size.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tests::server;

use crate::memory::settled;
use crate::{Line, percentile};

/// Starts that are measured.
const TIMES: usize = 15;

/// The lines of the start.
pub async fn measure() -> Vec<Line> {
    let mut server = crate::server().await;
    server.stop();
    let address = server.url().replace("http://localhost", "127.0.0.1");
    let (mut millis, mut idle, mut bare) = (Vec::new(), 0, Vec::new());
    for turn in 0..TIMES {
        let version = Instant::now();
        let ran = server.command().arg("--version").output().expect("the binary runs");
        assert!(ran.status.success());
        bare.push(u64::try_from(version.elapsed().as_micros()).unwrap_or(u64::MAX));
        let begun = Instant::now();
        let mut command = server.command();
        let mut child =
            command.arg("serve").stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        while !answers(&address) {
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not start");
            std::thread::sleep(Duration::from_micros(500));
        }
        millis.push(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
        if turn + 1 == TIMES {
            tokio::time::sleep(Duration::from_secs(2)).await;
            idle = settled(child.id()).await;
        }
        child.kill().expect("it ends");
        child.wait().expect("it ended");
    }
    millis.sort_unstable();
    bare.sort_unstable();
    let (median, version) = (percentile(&millis, 0.5), percentile(&bare, 0.5).max(1));
    let resident = idle as f64 / 1_000_000.0;
    let size = std::fs::metadata(server::binary()).expect("the binary").len() as f64 / 1_000_000.0;
    vec![
        Line {
            what: "start on a migrated database to the first answer, median",
            measured: format!("{:.1} ms", median as f64 / 1_000.0),
            beside: format!("{:.1} ms for `pitlane --version`", version as f64 / 1_000.0),
            ratio: format!("{:.1} ×", median as f64 / version as f64),
            goal: "≤ 50 ms",
            met: median <= 50_000,
        },
        Line {
            what: "resident when idle",
            measured: format!("{resident:.1} MB"),
            beside: format!("{size:.1} MB the binary"),
            ratio: String::new(),
            goal: "≤ 30 MB",
            met: resident <= 30.0,
        },
        Line {
            what: "the binary",
            measured: format!("{size:.1} MB"),
            beside: String::new(),
            ratio: String::new(),
            goal: "≤ 60 MB",
            met: size <= 60.0,
        },
    ]
}

fn answers(address: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let asked = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut answer = [0; 12];
    asked.is_ok() && stream.read_exact(&mut answer).is_ok() && answer == *b"HTTP/1.1 200"
}
