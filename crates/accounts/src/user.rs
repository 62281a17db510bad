//! People with an account.

use kernel::{Role, Timestamp, UserId};

use crate::email::Email;
use crate::error::{Error, FieldError, Fields};
use crate::password::PasswordHash;
use crate::profile::{AccountType, Name, Phone, TimeZone};

/// Whether an account may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// It may.
    Active,
    /// An admin has closed it for now.
    Suspended,
    /// Its person asked to be forgotten; nothing personal is left.
    Erased,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Erased];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Erased => "erased",
        }
    }

    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// Everything that is stored about a [`User`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// The person.
    pub id: UserId,
    /// Unique among accounts.
    pub email: Email,
    /// When the person showed that they read this mailbox.
    pub email_verified_at: Option<Timestamp>,
    /// As others see it.
    pub name: Name,
    /// For text messages, if given.
    pub phone: Option<Phone>,
    /// What the person is here.
    pub role: Role,
    /// Times are shown in this zone.
    pub time_zone: TimeZone,
    /// Private or a company.
    pub account_type: AccountType,
    /// Whether the account may be used.
    pub status: Status,
    /// Absent for a person who only signs in by link.
    pub password: Option<PasswordHash>,
    /// Whether the free plan is used up (once per customer). Only the store's atomic claim sets it.
    pub has_used_free_session: bool,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When anything above changed last.
    pub updated_at: Timestamp,
}

/// A person with an account. It changes only by what is written here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    record: UserRecord,
}

/// What a person wants to change about their profile; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileChange {
    /// A new name.
    pub name: Option<Name>,
    /// A new number, or `Some(None)` to remove it.
    pub phone: Option<Option<Phone>>,
    /// A new zone.
    pub time_zone: Option<TimeZone>,
    /// A new type.
    pub account_type: Option<AccountType>,
}

/// A profile change as it was typed.
#[derive(Debug, Clone, Default)]
pub struct TypedProfile {
    /// A new name.
    pub name: Option<String>,
    /// A new number; `Some(None)` or an empty text removes it.
    pub phone: Option<Option<String>>,
    /// A new zone.
    pub time_zone: Option<String>,
    /// `individual` or `business`.
    pub account_type: Option<String>,
}

impl TypedProfile {
    /// The checked change.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong.
    pub fn check(&self) -> Result<ProfileChange, Error> {
        let mut fields = Fields::default();
        let name = fields.check_some(self.name.as_deref().map(Name::parse));
        let phone = match &self.phone {
            None => None,
            Some(None) => Some(None),
            Some(Some(typed)) if typed.trim().is_empty() => Some(None),
            Some(Some(typed)) => fields.check(Phone::parse(typed)).map(Some),
        };
        let time_zone = fields.check_some(self.time_zone.as_deref().map(TimeZone::parse));
        let account_type = fields.check_some(self.account_type.as_deref().map(|typed| {
            AccountType::parse(typed)
                .ok_or_else(|| FieldError::new("account_type", "invalid", "Use individual or business."))
        }));
        fields.finish()?;
        Ok(ProfileChange { name, phone, time_zone, account_type })
    }
}

impl User {
    /// The person of a stored record.
    pub const fn stored(record: UserRecord) -> Self {
        Self { record }
    }

    /// What is to be stored.
    pub const fn record(&self) -> &UserRecord {
        &self.record
    }

    /// The person.
    pub const fn id(&self) -> UserId {
        self.record.id
    }

    /// The address of the account.
    pub const fn email(&self) -> &Email {
        &self.record.email
    }

    /// Whether the person showed that they read this mailbox.
    pub const fn email_verified(&self) -> bool {
        self.record.email_verified_at.is_some()
    }

    /// The name as others see it.
    pub fn name(&self) -> &str {
        self.record.name.as_str()
    }

    /// The telephone number.
    pub fn phone(&self) -> Option<&str> {
        self.record.phone.as_ref().map(Phone::as_str)
    }

    /// What the person is here.
    pub const fn role(&self) -> Role {
        self.record.role
    }

    /// The zone in which times are shown.
    pub fn time_zone(&self) -> &str {
        self.record.time_zone.as_str()
    }

    /// Private or a company.
    pub const fn account_type(&self) -> AccountType {
        self.record.account_type
    }

    /// Whether the account may be used.
    pub const fn status(&self) -> Status {
        self.record.status
    }

    /// Whether the account may be used.
    pub fn is_active(&self) -> bool {
        self.record.status == Status::Active
    }

    /// The hash of the password, if there is one.
    pub const fn password(&self) -> Option<&PasswordHash> {
        self.record.password.as_ref()
    }

    /// Whether the free plan is used up.
    pub const fn has_used_free_session(&self) -> bool {
        self.record.has_used_free_session
    }

    /// When the account was made.
    pub const fn created_at(&self) -> Timestamp {
        self.record.created_at
    }

    /// The person with another profile.
    #[must_use]
    pub fn with_profile(mut self, change: ProfileChange, now: Timestamp) -> Self {
        let record = &mut self.record;
        record.name = change.name.unwrap_or_else(|| record.name.clone());
        record.phone = change.phone.unwrap_or_else(|| record.phone.clone());
        record.time_zone = change.time_zone.unwrap_or_else(|| record.time_zone.clone());
        record.account_type = change.account_type.unwrap_or(record.account_type);
        record.updated_at = now;
        self
    }

    /// The person with another address, which has to be verified again.
    #[must_use]
    pub fn with_email(mut self, email: Email, now: Timestamp) -> Self {
        if self.record.email != email {
            self.record.email = email;
            self.record.email_verified_at = None;
            self.record.updated_at = now;
        }
        self
    }

    /// The person after opening a link that was mailed to them. The first time counts.
    #[must_use]
    pub fn verified(mut self, now: Timestamp) -> Self {
        if self.record.email_verified_at.is_none() {
            self.record.email_verified_at = Some(now);
            self.record.updated_at = now;
        }
        self
    }

    /// Nobody in particular: the id, the role and the use of the free plan stay, so that what was paid still has a
    /// payer and nobody gets the free plan twice by coming back under the same id.
    #[must_use]
    pub fn erased(mut self, now: Timestamp) -> Self {
        let name = match self.record.role {
            Role::Customer => "Former customer",
            Role::Mechanic => "Former mechanic",
            Role::Workshop => "Former workshop",
            Role::Support | Role::Admin => "Former colleague",
        };
        self.record.email = Email::parse(&format!("erased-{}@erased.invalid", self.record.id))
            .expect("an id makes an address");
        self.record.name = Name::parse(name).expect("it is a name");
        self.record.email_verified_at = None;
        self.record.phone = None;
        self.record.password = None;
        self.record.time_zone = TimeZone::utc();
        self.record.account_type = AccountType::Individual;
        self.record.status = Status::Erased;
        self.record.updated_at = now;
        self
    }

    /// The person with that password, or with none.
    #[must_use]
    pub fn with_password(mut self, password: Option<PasswordHash>, now: Timestamp) -> Self {
        self.record.password = password;
        self.record.updated_at = now;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    fn person() -> User {
        User::stored(UserRecord {
            id: UserId::new(uuid::Uuid::from_u128(7)),
            email: Email::parse("driver@example.com").expect("an address"),
            email_verified_at: Some(at(1)),
            name: Name::parse("Maya").expect("a name"),
            phone: Some(Phone::parse("+15550100199").expect("a number")),
            role: Role::Customer,
            time_zone: TimeZone::utc(),
            account_type: AccountType::Individual,
            status: Status::Active,
            password: None,
            has_used_free_session: false,
            created_at: at(0),
            updated_at: at(0),
        })
    }

    #[test]
    fn a_change_of_profile_touches_only_what_was_given() {
        let typed = TypedProfile {
            phone: Some(Some(" ".to_owned())),
            account_type: Some("business".to_owned()),
            ..TypedProfile::default()
        };
        let changed = person().with_profile(typed.check().expect("valid"), at(9));
        assert_eq!((changed.name(), changed.phone()), ("Maya", None));
        assert_eq!(changed.account_type(), AccountType::Business);
        assert_eq!(changed.record().updated_at, at(9));
    }

    #[test]
    fn everything_wrong_with_a_profile_is_told_at_once() {
        let typed = TypedProfile {
            name: Some(String::new()),
            phone: Some(Some("call me".to_owned())),
            time_zone: Some("here".to_owned()),
            account_type: Some("other".to_owned()),
        };
        let Err(Error::Invalid(errors)) = typed.check() else { panic!("it is not valid") };
        let fields: Vec<_> = errors.iter().map(|error| error.field).collect();
        assert_eq!(fields, ["name", "phone", "account_type"], "`here` has the shape of a zone's name");
    }

    #[test]
    fn of_an_erased_person_nothing_is_left_that_names_them() {
        let left = person().erased(at(9));
        let text = format!("{left:?}");
        for trace in ["driver@example.com", "Maya", "+15550100199"] {
            assert!(!text.contains(trace), "{trace} in {text}");
        }
        assert_eq!(
            (left.status(), left.name(), left.role()),
            (Status::Erased, "Former customer", Role::Customer)
        );
        assert!(!left.is_active() && !left.email_verified());
    }

    #[test]
    fn a_new_address_has_to_be_verified_again() {
        let other = Email::parse("other@example.com").expect("an address");
        assert!(!person().with_email(other, at(5)).email_verified());
        let same = Email::parse("Driver@example.com").expect("an address");
        assert!(person().with_email(same, at(5)).email_verified());
        assert_eq!(person().verified(at(9)).record().email_verified_at, Some(at(1)));
    }
}
