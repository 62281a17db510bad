//! diesel's picture of the tables, one file a domain. A contract test compares it with the migrated databases.

pub mod accounts;
pub mod applications;
pub mod crm;
pub mod intake;
pub mod jobs;
pub mod notifications;
pub mod payments;
pub mod sessions;
