//! Pitlane from the outside: the real server, over HTTP and WebSocket, on SQLite and on PostgreSQL, and in a browser.

mod blackbox {
    mod accounts;
    mod api;
    mod audit;
    mod backup;
    mod bad_input;
    mod browser;
    mod checkout;
    mod crash;
    mod disk;
    mod doctor;
    mod erasure;
    mod export;
    mod files;
    mod fuzz;
    mod idempotency;
    mod intake;
    mod limits;
    mod mail;
    mod refunds;
    mod security;
    mod server;
    mod sessions;
    mod signal;
    mod socket;
    mod summaries;
    mod unaccepted;
    mod webhooks;
}
