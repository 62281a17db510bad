//! What an idle socket takes.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use tests::server::memory_bytes;

use crate::client::LightSocket;
use crate::{Line, Scale, chat};

/// The line of the memory.
pub async fn measure(scale: Scale) -> Line {
    let bare = bare(scale).await;
    let server = crate::server().await;
    let crowd = chat::crowd(&server, 20).await;
    let mut sockets = Vec::new();
    // What is allocated once is not counted.
    for session in &crowd.sessions {
        sockets.push(LightSocket::joined(&server, &crowd.customer.client, session).await);
    }
    let process = server.process_id();
    let before = settled(process).await;
    for number in 0..scale.idle_sockets {
        let session = &crowd.sessions[number % crowd.sessions.len()];
        let person = if number % 2 == 0 { &crowd.customer } else { &crowd.mechanic };
        sockets.push(LightSocket::joined(&server, &person.client, session).await);
    }
    let each = settled(process).await.saturating_sub(before) as f64 / scale.idle_sockets as f64 / 1024.0;
    drop(sockets);
    Line {
        what: "an idle, signed-in, joined socket",
        measured: format!("{each:.1} KiB"),
        beside: format!("{bare:.1} KiB bare actix-ws"),
        ratio: format!("{:.2} ×", each / bare),
        goal: "≤ 16 KiB",
        met: each <= 16.0,
    }
}

async fn bare(scale: Scale) -> f64 {
    let program = std::env::current_exe().expect("this program");
    let mut child =
        Command::new(program).arg("bare-socket").stdout(Stdio::piped()).spawn().expect("it starts");
    let mut line = String::new();
    let printed = child.stdout.take().expect("its output");
    BufReader::new(printed).read_line(&mut line).expect("a line");
    let url = format!("ws://127.0.0.1:{}/ws", line.trim());
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(LightSocket::open(&url, None).await);
    }
    let before = settled(child.id()).await;
    for _ in 0..scale.idle_sockets {
        sockets.push(LightSocket::open(&url, None).await);
    }
    let each = settled(child.id()).await.saturating_sub(before) as f64 / scale.idle_sockets as f64 / 1024.0;
    child.kill().expect("it ends");
    child.wait().expect("it ended");
    each
}

/// The resident memory of a process in bytes, once nothing is on its way any more: two readings differ by less than one
/// part in two hundred, or ten seconds have passed.
pub async fn settled(process: u32) -> u64 {
    let mut last = 0;
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = memory_bytes(process, "VmRSS");
        if now.abs_diff(last) * 200 < now {
            return now;
        }
        last = now;
    }
    last
}
