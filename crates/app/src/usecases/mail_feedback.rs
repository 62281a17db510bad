//! What the mail provider tells of what it sent.

use gateways::resend::Feedback;
use notifications::{Channel, SuppressionReason};

use crate::state::Pitlane;
use crate::usecases::Error;

/// Stops mail to addresses that do not take it, and unwanted mail to people who complained. Being told again changes
/// nothing.
///
/// # Errors
/// The storage's.
pub async fn hear(pitlane: &Pitlane, feedback: Feedback) -> Result<(), Error> {
    let (addresses, reason) = match feedback {
        Feedback::Bounced(addresses) => (addresses, SuppressionReason::Bounced),
        Feedback::Complained(addresses) => (addresses, SuppressionReason::Complained),
        Feedback::Nothing => return Ok(()),
    };
    let cx = pitlane.context();
    pitlane
        .db
        .write(move |tx| {
            for address in &addresses {
                notifications::suppress(tx, Channel::Mail, address, reason, &cx)?;
            }
            Ok(())
        })
        .await
}
