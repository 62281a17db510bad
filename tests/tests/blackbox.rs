//! Pitlane from the outside: the real server, over HTTP and WebSocket, on SQLite and on PostgreSQL, and in a browser.

mod blackbox {
    mod server;
}
