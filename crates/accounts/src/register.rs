//! Making an account.

use kernel::{Context, ProviderId, Role, UserId};

use crate::email::Email;
use crate::error::{Error, FieldError, Fields};
use crate::password::{Password, PasswordHash};
use crate::profile::{AccountType, Name, TimeZone};
use crate::provider::{Mechanic, Provider, ProviderKind};
use crate::store::Store;
use crate::user::{Status, User, UserRecord};

/// A registration as it was typed.
#[derive(Debug, Clone)]
pub struct TypedRegistration {
    /// The address.
    pub email: String,
    /// The password to set, under the field name `password`.
    pub password: String,
    /// The name.
    pub name: String,
    /// `customer` or `mechanic`.
    pub role: String,
    /// An IANA name; UTC when absent.
    pub time_zone: Option<String>,
}

/// A registration that passed every check; its password still has to be hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The address.
    pub email: Email,
    /// The password in clear.
    pub password: Password,
    /// The name.
    pub name: Name,
    /// [`Role::Customer`] or [`Role::Mechanic`].
    pub role: Role,
    /// The zone.
    pub time_zone: TimeZone,
}

impl TypedRegistration {
    /// The checked registration.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong.
    pub fn check(self) -> Result<Registration, Error> {
        let mut fields = Fields::default();
        let email = fields.check(Email::parse(&self.email));
        let password = fields.check(Password::parse("password", self.password));
        let name = fields.check(Name::parse(&self.name));
        let role = fields.check(open_role(&self.role));
        let time_zone = match self.time_zone.as_deref() {
            None => Some(TimeZone::utc()),
            Some(typed) => fields.check(TimeZone::parse(typed)),
        };
        fields.finish()?;
        match (email, password, name, role, time_zone) {
            (Some(email), Some(password), Some(name), Some(role), Some(time_zone)) => {
                Ok(Registration { email, password, name, role, time_zone })
            }
            _ => Err(Error::Invalid(Vec::new())),
        }
    }
}

/// The other roles are given by an admin or an approved application, never taken.
fn open_role(name: &str) -> Result<Role, FieldError> {
    match Role::parse(name) {
        Some(role @ (Role::Customer | Role::Mechanic)) => Ok(role),
        Some(Role::Workshop | Role::Support | Role::Admin) | None => {
            Err(FieldError::new("role", "invalid", "Register as customer or mechanic."))
        }
    }
}

/// An account to make.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The id of the account, which is also the provider id of an independent mechanic.
    pub id: UserId,
    /// The address.
    pub email: Email,
    /// The name.
    pub name: Name,
    /// The role.
    pub role: Role,
    /// The zone.
    pub time_zone: TimeZone,
    /// The hashed password.
    pub password: Option<PasswordHash>,
    /// The workshop that a mechanic works for; without one they are independent.
    pub workshop: Option<ProviderId>,
}

/// Makes the account; a mechanic waits for approval, as an independent provider or for a workshop; a workshop becomes
/// a provider without mechanics.
///
/// # Errors
/// [`Error::EmailTaken`], or a failure of the store.
pub fn register(store: &mut dyn Store, new: NewUser, cx: &Context) -> Result<User, Error> {
    let user = User::stored(UserRecord {
        id: new.id,
        email: new.email,
        email_verified_at: None,
        name: new.name,
        phone: None,
        phone_verified_at: None,
        role: new.role,
        time_zone: new.time_zone,
        account_type: match new.role {
            Role::Workshop => AccountType::Business,
            Role::Customer | Role::Mechanic | Role::Support | Role::Admin => AccountType::Individual,
        },
        status: Status::Active,
        password: new.password,
        has_used_free_session: false,
        created_at: cx.now,
        updated_at: cx.now,
    });
    if !store.user_insert(&user)? {
        return Err(Error::EmailTaken);
    }
    match user.role() {
        Role::Mechanic => {
            let own = ProviderId::new(user.id().uuid());
            if new.workshop.is_none() {
                store.provider_insert(&provider_of(&user, ProviderKind::Independent, own))?;
            }
            let provider = new.workshop.unwrap_or(own);
            store.mechanic_insert(&Mechanic::applied(user.id(), provider, cx.now))?;
        }
        Role::Workshop => {
            let provider = provider_of(&user, ProviderKind::Workshop, ProviderId::new(cx.id()));
            store.provider_insert(&provider)?;
        }
        Role::Customer | Role::Support | Role::Admin => {}
    }
    Ok(user)
}

fn provider_of(user: &User, kind: ProviderKind, id: ProviderId) -> Provider {
    Provider { id, kind, name: user.name().to_owned(), owner: user.id(), created_at: user.created_at() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed() -> TypedRegistration {
        TypedRegistration {
            email: "Driver@example.com".to_owned(),
            password: "correct horse".to_owned(),
            name: "Maya".to_owned(),
            role: "customer".to_owned(),
            time_zone: None,
        }
    }

    #[test]
    fn a_good_registration_comes_out_canonical() {
        let checked = typed().check().expect("valid");
        assert_eq!(checked.email.as_str(), "driver@example.com");
        assert_eq!((checked.role, checked.time_zone), (Role::Customer, TimeZone::utc()));
    }

    #[test]
    fn every_field_is_checked_and_all_errors_are_told_at_once() {
        let all = TypedRegistration {
            email: "driver".to_owned(),
            password: "short".to_owned(),
            name: " ".to_owned(),
            role: "admin".to_owned(),
            time_zone: Some("5".to_owned()),
        };
        let Err(Error::Invalid(errors)) = all.check() else { panic!("it is not valid") };
        let found: Vec<_> = errors.iter().map(|error| (error.field, error.code)).collect();
        assert_eq!(
            found,
            [
                ("email", "invalid"),
                ("password", "too_short"),
                ("name", "required"),
                ("role", "invalid"),
                ("time_zone", "invalid")
            ]
        );
    }

    #[test]
    fn nobody_can_take_a_role_that_is_given() {
        for (role, open) in [
            ("customer", true),
            ("mechanic", true),
            ("workshop", false),
            ("support", false),
            ("admin", false),
            ("Customer", false),
            ("", false),
        ] {
            let typed = TypedRegistration { role: role.to_owned(), ..typed() };
            assert_eq!(typed.check().is_ok(), open, "{role:?}");
        }
    }
}
