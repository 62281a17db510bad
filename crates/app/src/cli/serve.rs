//! `serve` and `seed`.

use tokio::signal::unix::{SignalKind, signal};

use super::{Outcome, configuration, one_line, say};
use crate::boot::{self, BootError};
use crate::config::{PaymentProvider, Settings};
use crate::usecases::seed;

/// Serves until the process is asked to stop.
pub(super) async fn serve(settings: Settings) -> Outcome {
    // Before anything else: a signal during the start must stop it in order too.
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| format!("no signals: {error}"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| format!("no signals: {error}"))?;
    let mut running = boot::start(settings).await.map_err(told)?;
    announce(&running)?;
    tokio::select! {
        ended = running.ended() => return ended.map_err(told),
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}

/// What a failed start says.
pub(super) fn told(error: BootError) -> String {
    if let BootError::Configuration(problems) = &error { configuration(problems) } else { one_line(&error) }
}

fn announce(running: &boot::Running) -> Outcome {
    let settings = &running.pitlane.settings;
    let url = &settings.server.public_url;
    say(&format!("Pitlane serves on {url}"))?;
    if !settings.is_development() {
        return Ok(());
    }
    say(&format!("\nDemo accounts, all with the password {}:", seed::PASSWORD))?;
    for account in seed::DEMO {
        say(&format!("  {:<32} {}", account.email, account.role))?;
    }
    say(&format!("\nMailbox  {url}/dev/mailbox"))?;
    match settings.payments.provider {
        PaymentProvider::Sandbox => say(&format!(
            "Sandbox  {url}/sandbox: pay with 4242 4242 4242 4242, any date ahead, any three digits"
        )),
        PaymentProvider::Stripe => Ok(()),
    }
}

/// Adds the demo accounts that are missing.
pub(super) async fn seed(settings: Settings) -> Outcome {
    if !settings.is_development() {
        return Err("demo accounts have a published password and exist in development only: set \
                    PITLANE_SERVER__ENVIRONMENT=development"
            .to_owned());
    }
    let added = boot::seed(settings).await.map_err(told)?;
    say(&match added {
        0 => "every demo account is there".to_owned(),
        count => format!("{count} demo accounts added"),
    })
}
