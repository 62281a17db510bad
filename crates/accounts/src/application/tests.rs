//! What an application must say, and where it may go.

use uuid::Uuid;

use super::*;
use crate::testing::at;

fn file(number: u128) -> FileId {
    FileId::new(Uuid::from_u128(number))
}

fn typed() -> TypedApplication {
    TypedApplication {
        name: " Sam Okafor ".to_owned(),
        phone: "+1 555 010 0199".to_owned(),
        years: Some(12),
        business_name: "Riverside Garage".to_owned(),
        address: "12 River Road".to_owned(),
        city: "Portland".to_owned(),
        specialties: vec!["engine".to_owned(), "brakes".to_owned(), "engine".to_owned()],
        note: "ASE certified.\nNights are fine.".to_owned(),
        files: vec![file(1), file(2), file(1)],
    }
}

type Change = fn(&mut TypedApplication);

#[test]
fn what_is_typed_twice_counts_once() {
    let details = typed().check(ApplicationKind::Mechanic).expect("valid");
    assert_eq!(details.name.as_str(), "Sam Okafor");
    assert_eq!(details.specialties.len(), 2);
    assert_eq!(details.files, [file(1), file(2)]);
    assert_eq!(details.trade, Trade::Mechanic { years: 12 });
}

#[test]
fn each_field_of_a_mechanic_has_its_limits() {
    let cases: [(Change, Option<(&str, &str)>); 17] = [
        (|_| {}, None),
        (|it| it.name = "  ".to_owned(), Some(("name", "required"))),
        (|it| it.phone = "call me".to_owned(), Some(("phone", "invalid"))),
        (|it| it.years = None, Some(("years_experience", "required"))),
        (|it| it.years = Some(-1), Some(("years_experience", "out_of_range"))),
        (|it| it.years = Some(0), None),
        (|it| it.years = Some(80), None),
        (|it| it.years = Some(81), Some(("years_experience", "out_of_range"))),
        (|it| it.years = Some(i64::MAX), Some(("years_experience", "out_of_range"))),
        (|it| it.specialties.clear(), Some(("specialties", "required"))),
        (|it| it.specialties.push("rockets".to_owned()), Some(("specialties", "unknown_value"))),
        (
            |it| it.specialties = Specialty::all().take(13).map(|one| one.code().to_owned()).collect(),
            Some(("specialties", "too_many")),
        ),
        (|it| it.note = "x".repeat(2_001), Some(("note", "too_long"))),
        (|it| it.note = "null\0byte".to_owned(), Some(("note", "invalid"))),
        (|it| it.files.clear(), Some(("file_ids", "required"))),
        (|it| it.files = (0..11).map(file).collect(), Some(("file_ids", "too_many"))),
        (|it| it.city.clear(), None),
    ];
    for (change, wrong) in cases {
        check(ApplicationKind::Mechanic, change, wrong);
    }
}

#[test]
fn a_workshop_has_a_name_and_a_place_and_needs_no_years() {
    let cases: [(Change, Option<(&str, &str)>); 6] = [
        (|it| it.years = None, None),
        (|it| it.name.clear(), Some(("contact_name", "required"))),
        (|it| it.business_name = " ".to_owned(), Some(("business_name", "required"))),
        (|it| it.address = "x".repeat(201), Some(("address", "too_long"))),
        (|it| it.address = "two\nlines".to_owned(), Some(("address", "invalid"))),
        (|it| it.city.clear(), Some(("city", "required"))),
    ];
    for (change, wrong) in cases {
        check(ApplicationKind::Workshop, change, wrong);
    }
}

fn check(kind: ApplicationKind, change: Change, wrong: Option<(&str, &str)>) {
    let mut application = typed();
    change(&mut application);
    match (application.check(kind), wrong) {
        (Ok(_), None) => {}
        (Err(Error::Invalid(errors)), Some(wrong)) => {
            let found: Vec<_> = errors.iter().map(|error| (error.field, error.code)).collect();
            assert_eq!(found, [wrong]);
        }
        (found, wrong) => panic!("{found:?}, not {wrong:?}"),
    }
}

#[test]
fn everything_wrong_is_told_at_once() {
    let Err(Error::Invalid(errors)) = TypedApplication::default().check(ApplicationKind::Workshop) else {
        panic!("it is not valid")
    };
    let fields: Vec<_> = errors.iter().map(|error| error.field).collect();
    assert_eq!(
        fields,
        ["contact_name", "phone", "business_name", "address", "city", "specialties", "file_ids"]
    );
}

fn application(status: ApplicationStatus) -> Application {
    let details = typed().check(ApplicationKind::Mechanic).expect("valid");
    let id = ApplicationId::new(Uuid::from_u128(7));
    let fresh = Application::submitted(id, UserId::new(Uuid::from_u128(8)), details, at(0));
    let admin = UserId::new(Uuid::from_u128(9));
    match status {
        ApplicationStatus::Submitted => Ok(fresh),
        ApplicationStatus::AskedAgain => fresh.asked(at(1)),
        ApplicationStatus::Approved => fresh.decided(true, admin, at(1)),
        ApplicationStatus::Refused => fresh.decided(false, admin, at(1)),
        ApplicationStatus::Withdrawn => fresh.withdrawn(at(1)),
    }
    .expect("legal")
}

#[test]
fn an_application_moves_only_along_the_drawn_arrows() {
    use ApplicationStatus::{Approved, AskedAgain, Refused, Submitted, Withdrawn};
    let legal = [
        (Submitted, AskedAgain),
        (Submitted, Approved),
        (Submitted, Refused),
        (Submitted, Withdrawn),
        (AskedAgain, Submitted),
        (AskedAgain, Approved),
        (AskedAgain, Refused),
        (AskedAgain, Withdrawn),
    ];
    let admin = UserId::new(Uuid::from_u128(10));
    for from in ApplicationStatus::ALL {
        for to in ApplicationStatus::ALL {
            let before = application(from);
            let details = before.details().clone();
            let after = match to {
                Submitted => before.answered(details, at(2)),
                AskedAgain => before.asked(at(2)),
                Approved => before.decided(true, admin, at(2)),
                Refused => before.decided(false, admin, at(2)),
                Withdrawn => before.withdrawn(at(2)),
            };
            assert_eq!(after.is_ok(), legal.contains(&(from, to)), "{from:?} to {to:?}");
            if let Ok(after) = after {
                assert_eq!(after.status(), to);
                assert!(Application::stored(after.record().clone()).is_some(), "{after:?} can be read back");
            } else if !from.is_open() {
                assert_eq!(after, Err(Error::AlreadyDecided));
            }
        }
    }
}

#[test]
fn an_answer_counts_up_and_keeps_the_kind() {
    let asked = application(ApplicationStatus::AskedAgain);
    let workshop = typed().check(ApplicationKind::Workshop).expect("valid");
    assert!(matches!(asked.clone().answered(workshop, at(3)), Err(Error::Invalid(_))));
    let details = asked.details().clone();
    assert_eq!(asked.answered(details, at(3)).expect("legal").record().revision, 2);
}

#[test]
fn who_was_refused_applies_again_after_thirty_days() {
    let refused = application(ApplicationStatus::Refused);
    assert_eq!(refused.reapply_from(at(1)), Some(at(1 + REAPPLY_SECONDS)));
    assert!(refused.reapply_from(at(REAPPLY_SECONDS)).is_some());
    assert_eq!(refused.reapply_from(at(1 + REAPPLY_SECONDS)), None);
    assert_eq!(application(ApplicationStatus::Withdrawn).reapply_from(at(1)), None);
}

#[test]
fn a_decision_without_an_admin_is_not_read() {
    let mut record = application(ApplicationStatus::Approved).record().clone();
    record.decided_by = None;
    assert_eq!(Application::stored(record), None);
}

#[test]
fn words_are_neither_blank_nor_endless() {
    for (typed, good) in
        [("Please send page 2.", true), (" \n ", false), (&"x".repeat(500), true), (&"x".repeat(501), false)]
    {
        assert_eq!(words("reason", typed).is_ok(), good);
    }
    assert_eq!(words_or_none("answer", " ").expect("nothing is fine"), "");
}
