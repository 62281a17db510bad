//! Makes the payment provider forget somebody who left, and their saved cards.

use jobs::{Failure, Job};

use super::{later, payload};
use crate::state::Pitlane;
use crate::usecases::Error;
use crate::usecases::erase_account::ForgetPayer;

/// One try. A person whom the provider does not know is forgotten.
///
/// # Errors
/// When the provider can't be asked; to be tried again.
pub async fn run(pitlane: &Pitlane, job: &Job) -> Result<(), Failure> {
    let ForgetPayer { reference } = payload(job)?;
    pitlane.gateway.customer_delete(&reference).await.map_err(Error::from).map_err(later)
}
