//! The demo accounts of development.

use accounts::register::{NewUser, register};
use accounts::{
    ApprovalState, Email, Name, Password, PasswordHash, ProviderStore, TimeZone, UserStore, provider,
};
use kernel::{Context, Role, UserId};
use store::Tx;

use super::{Error, passwords};
use crate::state::Pitlane;

/// The password of every demo account.
pub const PASSWORD: &str = "pitlane-demo";

/// A demo account.
#[derive(Debug, Clone, Copy)]
pub struct Demo {
    /// The address it signs in with.
    pub email: &'static str,
    /// The name others see.
    pub name: &'static str,
    /// What it is.
    pub role: Role,
    /// The address of the workshop it works for.
    pub workshop: Option<&'static str>,
}

const fn demo(email: &'static str, name: &'static str, role: Role) -> Demo {
    Demo { email, name, role, workshop: None }
}

const WORKSHOP: &str = "workshop@example.com";

/// The demo accounts; a workshop stands before its mechanics.
pub const DEMO: [Demo; 9] = [
    demo("customer@example.com", "Maya Torres", Role::Customer),
    demo("customer2@example.com", "Jonas Weber", Role::Customer),
    demo("mechanic@example.com", "Sam Okafor", Role::Mechanic),
    demo("mechanic2@example.com", "Lena Brandt", Role::Mechanic),
    demo(WORKSHOP, "Riverside Garage", Role::Workshop),
    Demo { workshop: Some(WORKSHOP), ..demo("workshop.mechanic@example.com", "Ines Duarte", Role::Mechanic) },
    Demo {
        workshop: Some(WORKSHOP),
        ..demo("workshop.mechanic2@example.com", "Tom Lindqvist", Role::Mechanic)
    },
    demo("support@example.com", "Noor Haddad", Role::Support),
    demo("admin@example.com", "Alex Kim", Role::Admin),
];

/// Makes the demo accounts that are missing: confirmed, mechanics approved and on duty. Accounts that exist are left
/// as they are. Answers how many were made. The caller makes sure that this is a developer's server.
///
/// # Errors
/// A failure of the storage.
pub async fn seed(pitlane: &Pitlane) -> Result<usize, Error> {
    let cx = pitlane.context();
    let password = Password::parse("password", PASSWORD.to_owned()).expect("long enough");
    let password = passwords::hash(password, &cx).await?;
    pitlane
        .db
        .write(move |tx| {
            let mut made = 0;
            for demo in DEMO {
                made += usize::from(make(tx, demo, &password, &cx)?);
            }
            Ok(made)
        })
        .await
}

/// Makes the demo accounts on a server that has none of them yet. One that was erased or renamed later stays so.
///
/// # Errors
/// A failure of the storage.
pub async fn once(pitlane: &Pitlane) -> Result<usize, Error> {
    let seeded = pitlane.db.read(|tx| {
        for demo in DEMO {
            let email = Email::parse(demo.email).expect("a demo address is one");
            if tx.user_by_email(&email)?.is_some() {
                return Ok::<_, Error>(true);
            }
        }
        Ok(false)
    });
    if seeded.await? { Ok(0) } else { seed(pitlane).await }
}

fn make(tx: &mut Tx<'_>, demo: Demo, password: &PasswordHash, cx: &Context) -> Result<bool, Error> {
    let email = Email::parse(demo.email).expect("a demo address is one");
    if tx.user_by_email(&email)?.is_some() {
        return Ok(false);
    }
    let workshop = match demo.workshop {
        None => None,
        Some(address) => {
            let owner = tx.user_by_email(&Email::parse(address).expect("a demo address is one"))?;
            match owner {
                Some(owner) => tx.provider_by_owner(owner.id())?,
                None => None,
            }
        }
    };
    let new = NewUser {
        id: UserId::new(cx.id()),
        email,
        name: Name::parse(demo.name).expect("a demo name is one"),
        role: demo.role,
        time_zone: TimeZone::utc(),
        password: Some(password.clone()),
        workshop: workshop.map(|provider| provider.id),
    };
    let user = register(tx, new, cx)?.verified(cx.now);
    tx.user_update(&user)?;
    if demo.role == Role::Mechanic {
        let reason = Some("demo account".to_owned());
        provider::decide(tx, user.id(), ApprovalState::Approved, None, reason, cx)?;
        provider::set_duty(tx, user.id(), true)?;
    }
    Ok(true)
}
