//! Pitlane from the outside: the real server, over HTTP and WebSocket, on SQLite and on PostgreSQL, and in a browser.

mod blackbox {
    mod accounts;
    mod api;
    mod applications;
    mod audit;
    mod backup;
    mod bad_input;
    mod browser;
    mod cards;
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
    mod jobs;
    mod legal;
    mod limits;
    mod mail;
    mod new_version;
    mod operators;
    mod phones;
    mod preferences;
    mod refunds;
    mod sdk;
    mod security;
    mod server;
    mod sessions;
    mod sign_ins;
    mod signal;
    mod socket;
    mod summaries;
    mod support;
    mod suspension;
    mod unaccepted;
    mod vehicles;
    mod webhooks;
    mod workshops;
    mod zones;
}
