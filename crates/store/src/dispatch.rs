//! The port of `dispatch`.

use diesel::prelude::*;
use dispatch::{Duty, Offer, OfferStatus, Request, RequestStatus, Routing, Store};
use kernel::id::{ProviderId, RequestId, SessionId, UserId};
use kernel::{StoreError, Timestamp};

use crate::dialect::{Lock, lock_row};
use crate::error::Stored;
use crate::prepared::{Keep, on};
use crate::schema::accounts::{mechanics, users};
use crate::schema::sessions::{request_offers, session_requests};
use crate::sessions::named;
use crate::tx::Tx;
use crate::types::{Id, Ts};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = session_requests, treat_none_as_default_value = false)]
struct RequestRow {
    id: Id,
    session_id: Id,
    customer_id: Id,
    routing_type: String,
    preferred_provider_id: Option<Id>,
    status: String,
    accepted_by: Option<Id>,
    created_at: Ts,
    expires_at: Ts,
    closed_at: Option<Ts>,
}

impl RequestRow {
    fn of(request: &Request) -> Self {
        Self {
            id: Id(request.id.uuid()),
            session_id: Id(request.session.uuid()),
            customer_id: Id(request.customer.uuid()),
            routing_type: request.routing.as_str().to_owned(),
            preferred_provider_id: request.preferred_provider.map(|provider| Id(provider.uuid())),
            status: request.status().as_str().to_owned(),
            accepted_by: request.accepted_by().map(|mechanic| Id(mechanic.uuid())),
            created_at: request.created_at.into(),
            expires_at: request.expires_at.into(),
            closed_at: request.closed_at().map(Ts::from),
        }
    }
}

impl TryFrom<RequestRow> for Request {
    type Error = StoreError;

    fn try_from(row: RequestRow) -> Result<Self, StoreError> {
        let open = Self::new(
            RequestId::new(row.id.0),
            SessionId::new(row.session_id.0),
            UserId::new(row.customer_id.0),
            named("session_requests.routing_type", &row.routing_type, Routing::parse)?,
            row.preferred_provider_id.map(|id| ProviderId::new(id.0)),
            row.created_at.into(),
            row.expires_at.into(),
        );
        let status = named("session_requests.status", &row.status, RequestStatus::parse)?;
        let accepted_by = row.accepted_by.map(|id| UserId::new(id.0));
        open.restore(status, accepted_by, row.closed_at.map(Timestamp::from))
            .map_err(|reason| StoreError::corrupt("session_requests", reason))
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = request_offers, treat_none_as_default_value = false)]
struct OfferRow {
    request_id: Id,
    mechanic_id: Id,
    status: String,
    offered_at: Ts,
    answered_at: Option<Ts>,
}

impl TryFrom<OfferRow> for Offer {
    type Error = StoreError;

    fn try_from(row: OfferRow) -> Result<Self, StoreError> {
        Ok(Self {
            request: RequestId::new(row.request_id.0),
            mechanic: UserId::new(row.mechanic_id.0),
            status: named("request_offers.status", &row.status, OfferStatus::parse)?,
            offered_at: row.offered_at.into(),
            answered_at: row.answered_at.map(Timestamp::from),
        })
    }
}

impl Store for Tx<'_> {
    fn request_insert(&mut self, request: &Request) -> Result<bool, StoreError> {
        let insert = diesel::insert_into(session_requests::table)
            .values(RequestRow::of(request))
            .on_conflict_do_nothing();
        insert.kept().execute(self.conn()).stored().map(|rows| rows == 1)
    }

    fn request_by_id(&mut self, id: RequestId) -> Result<Option<Request>, StoreError> {
        session_requests::table
            .find(Id(id.uuid()))
            .select(RequestRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?
            .map(Request::try_from)
            .transpose()
    }

    fn request_for_update(&mut self, id: RequestId) -> Result<Option<Request>, StoreError> {
        lock_row(self.conn(), Lock::Request, id.uuid())?;
        self.request_by_id(id)
    }

    fn request_by_session(&mut self, session: SessionId) -> Result<Option<Request>, StoreError> {
        session_requests::table
            .filter(session_requests::session_id.eq(Id(session.uuid())))
            .select(RequestRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?
            .map(Request::try_from)
            .transpose()
    }

    fn request_claim(&mut self, id: RequestId, mechanic: UserId, now: Timestamp) -> Result<bool, StoreError> {
        use session_requests as r;
        let won = diesel::update(r::table.find(Id(id.uuid())))
            .filter(r::status.eq(RequestStatus::Open.as_str()))
            .set((
                r::status.eq(RequestStatus::Accepted.as_str()),
                r::accepted_by.eq(Id(mechanic.uuid())),
                r::closed_at.eq(Ts::from(now)),
            ))
            .kept()
            .execute(self.conn())
            .stored()?;
        Ok(won == 1)
    }

    fn request_close(
        &mut self,
        id: RequestId,
        status: RequestStatus,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        use session_requests as r;
        let closed = diesel::update(r::table.find(Id(id.uuid())))
            .filter(r::status.eq(RequestStatus::Open.as_str()))
            .set((r::status.eq(status.as_str()), r::closed_at.eq(Ts::from(now))))
            .kept()
            .execute(self.conn())
            .stored()?;
        Ok(closed == 1)
    }

    fn mechanics_on_duty(&mut self) -> Result<Vec<UserId>, StoreError> {
        let query = mechanics::table
            .inner_join(users::table)
            .filter(mechanics::on_duty.eq(true).and(mechanics::approval.eq("approved")))
            .filter(users::status.eq("active"))
            .order((mechanics::created_at, mechanics::user_id))
            .select(mechanics::user_id);
        let ids: Vec<Id> = on!(self.conn(), typed => query.kept().load(typed)).stored()?;
        Ok(ids.into_iter().map(|id| UserId::new(id.0)).collect())
    }

    fn mechanic_duty(&mut self, mechanic: UserId) -> Result<Option<Duty>, StoreError> {
        let row: Option<(String, bool, String)> = mechanics::table
            .inner_join(users::table)
            .filter(mechanics::user_id.eq(Id(mechanic.uuid())))
            .select((mechanics::approval, mechanics::on_duty, users::status))
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?;
        Ok(row.map(|(approval, on_duty, status)| Duty {
            approved: approval == "approved" && status == "active",
            on_duty,
        }))
    }

    fn offer_insert(&mut self, offer: &Offer) -> Result<bool, StoreError> {
        let row = OfferRow {
            request_id: Id(offer.request.uuid()),
            mechanic_id: Id(offer.mechanic.uuid()),
            status: offer.status.as_str().to_owned(),
            offered_at: offer.offered_at.into(),
            answered_at: offer.answered_at.map(Ts::from),
        };
        let insert = diesel::insert_into(request_offers::table)
            .values(row)
            .on_conflict((request_offers::request_id, request_offers::mechanic_id))
            .do_nothing();
        insert.kept().execute(self.conn()).stored().map(|rows| rows == 1)
    }

    fn offer(&mut self, request: RequestId, mechanic: UserId) -> Result<Option<Offer>, StoreError> {
        request_offers::table
            .find((Id(request.uuid()), Id(mechanic.uuid())))
            .select(OfferRow::as_select())
            .limit(1)
            .kept()
            .get_result(self.conn())
            .optional()
            .stored()?
            .map(Offer::try_from)
            .transpose()
    }

    fn offer_answer(
        &mut self,
        request: RequestId,
        mechanic: UserId,
        status: OfferStatus,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let changed = diesel::update(request_offers::table.find((Id(request.uuid()), Id(mechanic.uuid()))))
            .set((request_offers::status.eq(status.as_str()), request_offers::answered_at.eq(Ts::from(now))))
            .kept()
            .execute(self.conn())
            .stored()?;
        if changed == 1 { Ok(()) } else { Err(StoreError::corrupt("request_offers", "no such offer")) }
    }

    fn offers_withdraw(&mut self, request: RequestId, now: Timestamp) -> Result<Vec<UserId>, StoreError> {
        use request_offers as o;
        let unanswered =
            o::request_id.eq(Id(request.uuid())).and(o::status.eq(OfferStatus::Offered.as_str()));
        let ids: Vec<Id> = o::table
            .filter(unanswered)
            .order(o::mechanic_id)
            .select(o::mechanic_id)
            .kept()
            .load(self.conn())
            .stored()?;
        diesel::update(o::table.filter(unanswered))
            .set((o::status.eq(OfferStatus::Withdrawn.as_str()), o::answered_at.eq(Ts::from(now))))
            .kept()
            .execute(self.conn())
            .stored()?;
        Ok(ids.into_iter().map(|id| UserId::new(id.0)).collect())
    }

    fn request_delete(&mut self, session: SessionId) -> Result<(), StoreError> {
        let Some(request) = self.request_by_session(session)? else { return Ok(()) };
        let offers = request_offers::table.filter(request_offers::request_id.eq(Id(request.id.uuid())));
        diesel::delete(offers).kept().execute(self.conn()).stored()?;
        diesel::delete(session_requests::table.find(Id(request.id.uuid())))
            .kept()
            .execute(self.conn())
            .stored()
            .map(drop)
    }
}
