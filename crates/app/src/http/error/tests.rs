//! Every code that a client can meet, with its status, as a snapshot: codes are part of the contract, so none may come,
//! go or change unnoticed. After a change that is meant: `cargo insta review`, or `INSTA_UPDATE=always`.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use actix_web::http::StatusCode;
use intake::{Fault, FileStorageError};
use jobs::JobStatus;
use kernel::id::FileId;
use kernel::{Currency, Money, MoneyError, StoreError, Timestamp};
use payments::gateway::CallbackError;
use payments::{GatewayError, OrderStatus, RefundStatus};
use sessions::{Invalid, InvalidTransition, NoVideo, Status, SummaryField};

use super::problem;
use crate::http::Problem;
use crate::http::middleware::by_status;
use crate::realtime::code::Code;
use crate::usecases::Error;
use crate::usecases::start_checkout::Refusal;
use crate::usecases::{charge_card, extend_session, upgrade_session};

/// Samples of an enum, each under the name of its variant. Compiles only while every variant is listed.
macro_rules! every {
    ($type:ty { $($pattern:pat => [$($sample:expr),* $(,)?]),+ $(,)? }) => {{
        let name = |error: &$type| match error { $($pattern => stringify!($pattern)),+ };
        let samples: Vec<$type> = vec![$($($sample,)*)+];
        samples.into_iter().map(|sample| (name(&sample).to_owned(), sample)).collect::<Vec<_>>()
    }};
}

fn wrapped<E: Into<Error>>(samples: Vec<(String, E)>) -> impl Iterator<Item = (String, Error)> {
    samples.into_iter().map(|(name, sample)| (name, sample.into()))
}

fn storage() -> Vec<(String, StoreError)> {
    every!(StoreError {
        StoreError::Retry(_) => [StoreError::Retry(String::new())],
        StoreError::Constraint(_) => [StoreError::Constraint(String::new())],
        StoreError::Corrupt(_) => [StoreError::Corrupt(String::new())],
        StoreError::Unavailable(_) => [StoreError::Unavailable(String::new())],
    })
}

fn down() -> StoreError {
    StoreError::Unavailable(String::new())
}

fn accounts() -> Vec<(String, accounts::Error)> {
    use accounts::Error as Accounts;
    every!(Accounts {
        Accounts::Invalid(_) => [Accounts::invalid("email", "invalid", "Wrong.")],
        Accounts::EmailTaken => [Accounts::EmailTaken],
        Accounts::WrongCredentials => [Accounts::WrongCredentials],
        Accounts::TooManyAttempts { .. } => [Accounts::TooManyAttempts { retry_after_seconds: 7 }],
        Accounts::Suspended => [Accounts::Suspended],
        Accounts::InvalidToken => [Accounts::InvalidToken],
        Accounts::NotFound(_) => [Accounts::NotFound("user")],
        Accounts::InvalidCode => [Accounts::InvalidCode],
        Accounts::SecondFactorRequired => [Accounts::SecondFactorRequired],
        Accounts::WrongCode => [Accounts::WrongCode],
        Accounts::SecondFactorOn => [Accounts::SecondFactorOn],
        Accounts::SecondFactorOff => [Accounts::SecondFactorOff],
        Accounts::LastAdmin => [Accounts::LastAdmin],
        Accounts::NotApproved => [Accounts::NotApproved],
        Accounts::InvalidTransition { .. } => [Accounts::InvalidTransition { from: "approved", to: "pending" }],
        Accounts::TooManyTokens(_) => [Accounts::TooManyTokens(20)],
        Accounts::ApplicationOpen => [Accounts::ApplicationOpen],
        Accounts::AlreadyApproved => [Accounts::AlreadyApproved],
        Accounts::AlreadyDecided => [Accounts::AlreadyDecided],
        Accounts::ApplyLater { .. } => [Accounts::ApplyLater { from: Timestamp::UNIX_EPOCH }],
        Accounts::InvitationForAnother => [Accounts::InvitationForAnother],
        Accounts::TooManyInvitations(_) => [Accounts::TooManyInvitations(50)],
        Accounts::OwnAccount => [Accounts::OwnAccount],
        Accounts::Store(_) => [Accounts::Store(down())],
    })
}

fn sessions() -> Vec<(String, sessions::Error)> {
    use sessions::Error as Sessions;
    let illegal = InvalidTransition { from: Status::Completed, to: Status::InProgress };
    every!(Sessions {
        Sessions::NotFound => [Sessions::NotFound],
        Sessions::WrongRole => [Sessions::WrongRole],
        Sessions::NotUpgradable => [Sessions::NotUpgradable],
        Sessions::InvalidTransition(_) => [Sessions::InvalidTransition(illegal)],
        Sessions::SessionClosed => [Sessions::SessionClosed],
        Sessions::NotStarted => [Sessions::NotStarted],
        Sessions::NotAccepted => [Sessions::NotAccepted],
        Sessions::NoVideo(_) => [Sessions::NoVideo(NoVideo::NotPaid)],
        Sessions::MechanicTaken => [Sessions::MechanicTaken],
        Sessions::AlreadyParticipant => [Sessions::AlreadyParticipant],
        Sessions::FilesFull { .. } => [Sessions::FilesFull { max_bytes: 1 }],
        Sessions::Invalid(_) => [Sessions::Invalid(Invalid::TextBlank)],
        Sessions::Store(_) => [Sessions::Store(down())],
    })
}

fn invalid() -> Vec<(String, sessions::Error)> {
    let samples = every!(Invalid {
        Invalid::TextBlank => [Invalid::TextBlank],
        Invalid::TextTooLong { .. } => [Invalid::TextTooLong { max_bytes: 4_000 }],
        Invalid::TextCharacters => [Invalid::TextCharacters],
        Invalid::ClientRef => [Invalid::ClientRef],
        Invalid::Emoji => [Invalid::Emoji],
        Invalid::Target => [Invalid::Target],
        Invalid::SeqBeyondLog => [Invalid::SeqBeyondLog],
        Invalid::TooManyFiles { .. } => [Invalid::TooManyFiles { max: 6 }],
        Invalid::File(_) => [Invalid::File(FileId::new(uuid::Uuid::nil()))],
        Invalid::ExtensionMinutes { .. } => [Invalid::ExtensionMinutes { max: 470 }],
        Invalid::Connection => [Invalid::Connection],
        Invalid::FindingsBlank => [Invalid::FindingsBlank],
        Invalid::SummaryTooLong { .. } => [Invalid::SummaryTooLong { field: SummaryField::StepsTaken, max_chars: 4_000 }],
        Invalid::SummaryCharacters(_) => [Invalid::SummaryCharacters(SummaryField::NextSteps)],
        Invalid::TooManyPhotos { .. } => [Invalid::TooManyPhotos { max: 10 }],
        Invalid::Photo(_) => [Invalid::Photo(FileId::new(uuid::Uuid::nil()))],
    });
    samples.into_iter().map(|(name, invalid)| (name, invalid.into())).collect()
}

fn dispatch() -> Vec<(String, dispatch::Error)> {
    use dispatch::Error as Dispatch;
    every!(Dispatch {
        Dispatch::NotFound => [Dispatch::NotFound],
        Dispatch::AlreadyTaken => [Dispatch::AlreadyTaken],
        Dispatch::Closed => [Dispatch::Closed],
        Dispatch::NotApproved => [Dispatch::NotApproved],
        Dispatch::Store(_) => [Dispatch::Store(down())],
    })
}

fn intake() -> Vec<(String, intake::Error)> {
    use intake::Error as Intake;
    every!(Intake {
        Intake::Invalid(_) => [Intake::Invalid(vec![Fault::new("vehicle.vin", "check_digit", "Wrong.")])],
        Intake::FileKind => [Intake::FileKind],
        Intake::FileEmpty => [Intake::FileEmpty],
        Intake::FileTooLarge { .. } => [Intake::FileTooLarge { max_bytes: 1 }],
        Intake::FileUnreadable => [Intake::FileUnreadable],
        Intake::PictureTooLarge { .. } => [Intake::PictureTooLarge { max_pixels: 1 }],
        Intake::DayFull { .. } => [Intake::DayFull { max_bytes: 1, retry_after_seconds: 7 }],
        Intake::UploadTooSlow => [Intake::UploadTooSlow],
        Intake::TooManyUploads { .. } => [Intake::TooManyUploads { max: 20 }],
        Intake::UnknownVehicle => [Intake::UnknownVehicle],
        Intake::VehicleKept => [Intake::VehicleKept],
        Intake::TooManyVehicles { .. } => [Intake::TooManyVehicles { max: 50 }],
        Intake::Store(_) => [Intake::Store(down())],
    })
}

fn files() -> Vec<(String, FileStorageError)> {
    every!(FileStorageError {
        FileStorageError::Full => [FileStorageError::Full],
        FileStorageError::Away(_) => [FileStorageError::Away(String::new())],
        FileStorageError::Missing(_) => [FileStorageError::Missing(String::new())],
        FileStorageError::Failed(_) => [FileStorageError::Failed(String::new())],
    })
}

fn jobs() -> Vec<(String, jobs::Error)> {
    use jobs::Error as Jobs;
    every!(Jobs {
        Jobs::NotFound => [Jobs::NotFound],
        Jobs::LeaseLost => [Jobs::LeaseLost],
        Jobs::NotRetryable(_) => [Jobs::NotRetryable(JobStatus::Done)],
        Jobs::TooLong { .. } => [Jobs::TooLong { field: "payload", limit: 1 }],
        Jobs::Store(_) => [Jobs::Store(down())],
    })
}

fn notifications() -> Vec<(String, notifications::Error)> {
    use notifications::Error as Notifications;
    every!(Notifications {
        Notifications::NotFound => [Notifications::NotFound],
        Notifications::Store(_) => [Notifications::Store(down())],
    })
}

fn payments() -> Vec<(String, payments::Error)> {
    use payments::Error as Payments;
    let cent = Money::new(1, Currency::Usd);
    let order = Payments::OrderTransition { from: OrderStatus::Paid, to: OrderStatus::Open };
    let refund = Payments::RefundTransition { from: RefundStatus::Succeeded, to: RefundStatus::Pending };
    every!(Payments {
        Payments::Store(_) => [Payments::Store(down())],
        Payments::Money(_) => [Payments::Money(MoneyError::Overflow)],
        Payments::Missing(_) => [Payments::Missing("order")],
        Payments::OrderTransition { .. } => [order],
        Payments::RefundTransition { .. } => [refund],
        Payments::CheckoutConflict => [Payments::CheckoutConflict],
        Payments::FreePlanUsed => [Payments::FreePlanUsed],
        Payments::WrongPrice(_) => [Payments::WrongPrice(cent)],
        Payments::RefundExceedsPayment { .. } => [Payments::RefundExceedsPayment { remaining: cent }],
        Payments::Disputed => [Payments::Disputed],
        Payments::Unbalanced => [Payments::Unbalanced],
    })
}

fn gateway() -> Vec<(String, GatewayError)> {
    let (code, message) = (String::new(), String::new());
    every!(GatewayError {
        GatewayError::Declined { .. } => [GatewayError::Declined { code: code.clone(), intent: None }],
        GatewayError::UnknownOutcome(_) => [GatewayError::UnknownOutcome(String::new())],
        GatewayError::Refused { .. } => [GatewayError::Refused { code, message }],
        GatewayError::Missing => [GatewayError::Missing],
        GatewayError::Unavailable(_) => [GatewayError::Unavailable(String::new())],
    })
}

fn callback() -> Vec<(String, CallbackError)> {
    every!(CallbackError {
        CallbackError::BadSignature => [CallbackError::BadSignature],
        CallbackError::Stale => [CallbackError::Stale],
        CallbackError::Malformed(_) => [CallbackError::Malformed(String::new())],
    })
}

fn checkout() -> Vec<(String, Refusal)> {
    every!(Refusal {
        Refusal::NotFound => [Refusal::NotFound],
        Refusal::IntakeRequired => [Refusal::IntakeRequired],
        Refusal::PlanNotSold => [Refusal::PlanNotSold],
        Refusal::PaymentUnderWay => [Refusal::PaymentUnderWay],
        Refusal::Returned => [Refusal::Returned],
    })
}

fn upgrade() -> Vec<(String, upgrade_session::Refusal)> {
    use upgrade_session::Refusal as Upgrade;
    every!(Upgrade {
        Upgrade::NotAllowed(_) => [Upgrade::NotAllowed(pricing::UpgradeRefusal::Completed)],
        Upgrade::Unusable(_) => [Upgrade::Unusable("There is no such payment.")],
        Upgrade::PriceMismatch { .. } => [Upgrade::PriceMismatch { agreed: Money::new(1, Currency::Usd) }],
    })
}

fn charge() -> Vec<(String, charge_card::Refusal)> {
    use charge_card::Refusal as Charge;
    every!(Charge {
        Charge::ActionRequired { .. } => [Charge::ActionRequired { checkout_url: String::new() }],
        Charge::OutcomeUnknown => [Charge::OutcomeUnknown],
    })
}

fn extension() -> Vec<(String, extend_session::Refusal)> {
    use extend_session::Refusal as Extend;
    every!(Extend {
        Extend::NotRunning => [Extend::NotRunning],
        Extend::TooLong => [Extend::TooLong],
        Extend::TooLate => [Extend::TooLate],
    })
}

/// Every error of a use case: those of each domain, and the use cases' own.
fn errors() -> Vec<(String, Error)> {
    // Each group stands for one variant here, so that a new variant can't be left out.
    let own = every!(Error {
        Error::EmailUnverified => [Error::EmailUnverified],
        Error::AccountSuspended { .. } => [Error::AccountSuspended { support_address: String::new() }],
        Error::UnknownMechanic => [Error::UnknownMechanic],
        Error::Room(_) => [Error::Room(sessions::RoomError(String::new()))],
        Error::Archive(_) => [Error::Archive(ErrorKind::StorageFull.into())],
        Error::Accounts(_) | Error::Jobs(_) | Error::Notifications(_) | Error::Sessions(_) => [],
        Error::Dispatch(_) | Error::Payments(_) | Error::Gateway(_) | Error::Callback(_) => [],
        Error::Checkout(_) | Error::Upgrade(_) | Error::Charge(_) | Error::Extend(_) | Error::Intake(_) | Error::Files(_) | Error::Store(_) => [],
        // Only the template engine makes one; it is a defect like every other.
        Error::Template(_) => [],
    });
    wrapped(storage())
        .chain(wrapped(accounts()))
        .chain(wrapped(sessions()))
        .chain(wrapped(invalid()))
        .chain(wrapped(dispatch()))
        .chain(wrapped(intake()))
        .chain(wrapped(files()))
        .chain(wrapped(jobs()))
        .chain(wrapped(notifications()))
        .chain(wrapped(payments()))
        .chain(wrapped(gateway()))
        .chain(wrapped(callback()))
        .chain(wrapped(checkout()))
        .chain(wrapped(upgrade()))
        .chain(wrapped(charge()))
        .chain(wrapped(extension()))
        .chain(own)
        .collect()
}

fn kept(name: &str, lines: &[String]) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, lines.join("\n")));
}

fn line(name: &str, problem: &Problem) -> String {
    let fields: String =
        problem.errors.iter().map(|error| format!(" {}:{}", error.field, error.code)).collect();
    let retry =
        problem.retry_after_seconds.map_or_else(String::new, |seconds| format!(" (retry after {seconds} s)"));
    let (status, code) = (problem.status.as_u16(), problem.code);
    format!("{name:<40} {status} {code}{fields}{retry}")
}

#[test]
fn every_error_of_a_use_case_keeps_its_status_and_its_code() {
    let errors = errors();
    let names: BTreeSet<&str> = errors.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.len(), errors.len(), "each variant has one sample of its own");
    let lines: Vec<String> = errors.iter().map(|(name, error)| line(name, &problem(error))).collect();
    kept("errors", &lines);
}

#[test]
fn every_code_of_a_socket_keeps_its_name() {
    let codes = every!(Code {
        Code::MalformedJson => [Code::MalformedJson],
        Code::UnknownType => [Code::UnknownType],
        Code::UnknownField => [Code::UnknownField],
        Code::Invalid => [Code::Invalid],
        Code::FrameTooBig => [Code::FrameTooBig],
        Code::NotAuthenticated => [Code::NotAuthenticated],
        Code::AlreadyAuthenticated => [Code::AlreadyAuthenticated],
        Code::NotJoined => [Code::NotJoined],
        Code::MembershipEnded => [Code::MembershipEnded],
        Code::SignedOut => [Code::SignedOut],
        Code::NotFound => [Code::NotFound],
        Code::VideoNotIncluded => [Code::VideoNotIncluded],
        Code::SessionClosed => [Code::SessionClosed],
    });
    let lines: Vec<String> =
        codes.iter().map(|(name, code)| format!("{name:<28} {}", code.as_str())).collect();
    kept("sockets", &lines);
}

/// What handlers refuse by themselves is written where it happens, so the sources are read.
#[test]
fn every_code_that_a_handler_writes_keeps_its_status() {
    let mut found = BTreeSet::new();
    for folder in ["src/http", "src/realtime", "src/pages"] {
        for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)) {
            // Two mappings are walked by their values.
            if !file.ends_with("http/middleware.rs") && !file.starts_with(mapping()) {
                let text = fs::read_to_string(&file).expect("sources are text");
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                let code = code.split_whitespace().collect::<Vec<_>>().join(" ");
                found.extend(written(&code).unwrap_or_else(|what| panic!("{}: {what}", file.display())));
            }
        }
    }
    let answered = |status| StatusCode::from_u16(status).map(by_status).expect("a status");
    // What is said of a status that has no code of its own is listed once.
    let general = answered(400);
    found.extend((400..600).map(answered).filter_map(|problem| {
        (problem.code != general.code || problem.status == general.status)
            .then(|| format!("{} {}", problem.status.as_u16(), problem.code))
    }));
    let lines: Vec<String> = found.into_iter().collect();
    kept("handlers", &lines);
}

fn mapping() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/error")
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// The status and the code of every problem that a source makes. A way of making one that this can't read is an error.
fn written(source: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for made in ["Problem::new(", "Self::new(StatusCode::"] {
        for (at, _) in source.match_indices(made) {
            let open = at + made.find('(').unwrap_or_default() + 1;
            let arguments = arguments(&source[open..]);
            let (status, code) = match arguments.as_slice() {
                [status, code, _] => (*status, *code),
                other => return Err(format!("a problem of {other:?}")),
            };
            match literal(code) {
                Some(code) => found.push(shown(status, code)?),
                // A closure that is called with codes.
                None if code == "code" => found.extend(of_closure(&source[..at], source, status)?),
                None => return Err(format!("a problem with the code {code}")),
            }
        }
    }
    for (at, made) in source.match_indices("Problem { code: ") {
        let code = source[at + made.len()..].split(',').next().unwrap_or_default();
        found.push(shown("UNPROCESSABLE_ENTITY", literal(code).ok_or("a problem with a code of its own")?)?);
    }
    Ok(found)
}

fn of_closure(before: &str, source: &str, status: &str) -> Result<Vec<String>, String> {
    let (_, closure) = before.rsplit_once("let ").ok_or("a code that comes from nowhere")?;
    let name = closure.split(' ').next().unwrap_or_default();
    let call = format!(" {name}(");
    source
        .split(&call)
        .skip(1)
        .map(|call| {
            let code = arguments(call).first().copied().and_then(literal);
            shown(status, code.ok_or_else(|| format!("{name} is called without a literal code"))?)
        })
        .collect()
}

/// The number of a status that the source names, and the code.
fn shown(status: &str, code: &str) -> Result<String, String> {
    let name = status.rsplit("::").next().unwrap_or(status);
    let named = |status: &StatusCode| {
        status.canonical_reason().is_some_and(|reason| reason.to_uppercase().replace([' ', '-'], "_") == name)
    };
    let status = (400..600).filter_map(|status| StatusCode::from_u16(status).ok()).find(named);
    let status = status.ok_or_else(|| format!("{code} with a status that is computed: {name}"))?;
    Ok(format!("{} {code}", status.as_u16()))
}

fn literal(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

/// The arguments of a call whose opening bracket was just read.
fn arguments(call: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start, mut found) = (0_u32, false, 0, Vec::new());
    for (at, letter) in call.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => {
                found.push(call[start..at].trim());
                break;
            }
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(call[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    found.retain(|argument| !argument.is_empty());
    found
}
