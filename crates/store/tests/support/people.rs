//! People as rows, for tests that don't care how they registered.

use diesel::prelude::*;
use kernel::id::UserId;
use kernel::{Context, StoreError};
use store::schema::accounts::{mechanics, providers, users};
use store::types::{Id, Ts};
use store::{Stored, Tx};

/// An active account.
pub fn user(tx: &mut Tx<'_>, id: UserId, role: &str, cx: &Context) -> Result<(), StoreError> {
    let now = Ts::from(cx.now);
    diesel::insert_into(users::table)
        .values((
            users::id.eq(Id(id.uuid())),
            users::email.eq(format!("{id}@example.com")),
            users::name.eq(format!("{role} {id}")),
            users::role.eq(role),
            users::time_zone.eq("UTC"),
            users::account_type.eq("individual"),
            users::status.eq("active"),
            users::has_used_free_session.eq(false),
            users::created_at.eq(now),
            users::updated_at.eq(now),
        ))
        .execute(tx.conn())
        .stored()
        .map(drop)
}

/// What makes an account that of an approved mechanic on duty.
pub fn mechanic(tx: &mut Tx<'_>, id: UserId, cx: &Context) -> Result<(), StoreError> {
    let (id, now) = (Id(id.uuid()), Ts::from(cx.now));
    diesel::insert_into(providers::table)
        .values((
            providers::id.eq(id),
            providers::kind.eq("independent"),
            providers::name.eq("A mechanic"),
            providers::owner_id.eq(id),
            providers::created_at.eq(now),
        ))
        .execute(tx.conn())
        .stored()?;
    diesel::insert_into(mechanics::table)
        .values((
            mechanics::user_id.eq(id),
            mechanics::provider_id.eq(id),
            mechanics::approval.eq("approved"),
            mechanics::decided_at.eq(now),
            mechanics::on_duty.eq(true),
            mechanics::created_at.eq(now),
        ))
        .execute(tx.conn())
        .stored()
        .map(drop)
}
