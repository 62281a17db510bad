//! The pages people see: one file a page, filled from the same use cases and views as the REST API.

pub mod account;
pub mod admin;
pub mod applications;
pub mod apply;
pub mod assets;
pub mod audit;
pub mod auth_links;
pub mod chat;
pub mod checkout_success;
pub mod complete;
pub mod dashboard;
mod disputes;
pub mod docs;
mod erase;
pub mod errors;
pub mod frame;
pub mod intake;
mod jobs;
pub mod landing;
pub mod legal;
pub mod mechanic;
pub mod people;
pub mod plans;
pub mod policy;
pub mod receipt;
pub mod rows;
mod second_factor;
mod self_check;
mod session_money;
mod start;
pub mod summary;
pub mod thank_you;
pub mod transcript;
pub mod unsubscribe;
pub mod workshop;

use crate::http::Router;

/// Adds every page and the static assets.
pub fn routes(router: &mut Router) {
    assets::routes(router);
    docs::routes(router);
    mechanic::routes(router);
    dashboard::routes(router);
    chat::routes(router);
    admin::routes(router);
    audit::routes(router);
    account::routes(router);
    auth_links::routes(router);
    unsubscribe::routes(router);
    intake::routes(router);
    landing::routes(router);
    legal::routes(router);
    second_factor::routes(router);
    erase::routes(router);
    self_check::routes(router);
    session_money::routes(router);
    disputes::routes(router);
    jobs::routes(router);
    start::routes(router);
    checkout_success::routes(router);
    thank_you::routes(router);
    receipt::routes(router);
    summary::routes(router);
    complete::routes(router);
    transcript::routes(router);
    apply::routes(router);
    applications::routes(router);
    people::routes(router);
    workshop::routes(router);
}
