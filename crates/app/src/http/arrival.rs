//! How the bodies of requests arrive: in their time, or not at all.
//!
//! A body that is begun and never ended would be waited for without end, and so would the rest of one whose answer was sent
//! already: the server reads on, to find the next request behind it. So every body has its time, and a connection whose
//! body was not read to its end is closed behind the answer.

use std::cell::RefCell;
use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest};
use futures_util::Stream;
use intake::upload::ARRIVAL_SECONDS;
use tokio::time::{Instant, Sleep};

/// How long a body may take as a whole.
const WHOLE: Duration = Duration::from_secs(30);
/// How long a file may pause on its way. As a whole it may take as long as its announcement is kept.
const PAUSE: Duration = Duration::from_secs(30);

type Piece = Result<Bytes, PayloadError>;

/// A body on its way in.
#[derive(Clone)]
pub(super) struct Arrival(Rc<RefCell<State>>);

struct State {
    payload: Payload,
    /// Whether it was read to its end.
    ended: bool,
    /// When it is too late.
    due: Pin<Box<Sleep>>,
    /// When it is too late for a file, however steadily it comes.
    file: Option<Instant>,
}

impl Arrival {
    /// Watches over the body of a request, if it has one.
    pub(super) fn watch(request: &mut ServiceRequest) -> Option<Self> {
        // What comes on a socket comes for as long as the socket is open.
        if request.path() == "/ws" && request.head().upgrade() {
            return None;
        }
        let payload = request.take_payload();
        if matches!(payload, Payload::None) {
            return None;
        }
        let arrival = Self::of(payload, WHOLE);
        request.extensions_mut().insert(arrival.clone());
        request.set_payload(arrival.payload());
        Some(arrival)
    }

    fn of(payload: Payload, time: Duration) -> Self {
        let due = Box::pin(tokio::time::sleep(time));
        Self(Rc::new(RefCell::new(State { payload, ended: false, due, file: None })))
    }

    fn payload(&self) -> Payload {
        streamed(Reading(self.clone()))
    }

    /// The answer. It holds what was not read of the body: only then does the server close the connection behind it,
    /// instead of reading on.
    pub(super) fn answered(self, response: ServiceResponse) -> ServiceResponse {
        if self.0.borrow().ended {
            return response;
        }
        response.map_body(|_, body| BoxBody::new(Answer { body, _unread: self }))
    }
}

/// Gives a body that carries a file more time: as long as it goes on, until its announcement runs out.
pub(super) fn carries_file(request: &HttpRequest) {
    if let Some(Arrival(state)) = request.extensions().get::<Arrival>() {
        let seconds = u64::try_from(ARRIVAL_SECONDS).unwrap_or(0);
        let mut state = state.borrow_mut();
        state.file = Some(Instant::now() + Duration::from_secs(seconds));
        state.due.as_mut().reset(Instant::now() + PAUSE);
    }
}

/// Takes that time away again: the file was refused, and the rest is read for the client's sake alone.
pub(super) fn is_refused(request: &HttpRequest) {
    if let Some(Arrival(state)) = request.extensions().get::<Arrival>() {
        let mut state = state.borrow_mut();
        if state.file.take().is_some() {
            state.due.as_mut().reset(Instant::now() + WHOLE);
        }
    }
}

/// Whether a body broke off because its time was over.
pub(super) fn is_late(error: &PayloadError) -> bool {
    matches!(error, PayloadError::Io(error) if error.kind() == ErrorKind::TimedOut)
}

fn streamed(pieces: impl Stream<Item = Piece> + 'static) -> Payload {
    let payload: Pin<Box<dyn Stream<Item = Piece>>> = Box::pin(pieces);
    Payload::Stream { payload }
}

impl State {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Piece>> {
        let next = Pin::new(&mut self.payload).poll_next(cx);
        match &next {
            Poll::Ready(Some(Ok(_))) => {
                if let Some(latest) = self.file {
                    self.due.as_mut().reset(latest.min(Instant::now() + PAUSE));
                }
            }
            Poll::Ready(Some(Err(_))) => {}
            Poll::Ready(None) => self.ended = true,
            Poll::Pending => {
                if self.due.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Some(Err(PayloadError::Io(Error::from(ErrorKind::TimedOut)))));
                }
            }
        }
        next
    }
}

/// What a handler reads.
struct Reading(Arrival);

impl Stream for Reading {
    type Item = Piece;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.0.borrow_mut().poll(cx)
    }
}

/// An answer with what was not read of the request.
struct Answer {
    body: BoxBody,
    _unread: Arrival,
}

impl MessageBody for Answer {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use futures_util::stream;

    use super::*;
    use crate::http::extract;

    const SHORT: Duration = Duration::from_millis(5);

    #[actix_web::test]
    async fn a_body_that_never_ends_is_not_waited_for() {
        let arrival = Arrival::of(streamed(stream::pending::<Piece>()), SHORT);
        let request = TestRequest::default().to_http_request();
        let problem = extract::collect(&request, arrival.payload()).await.expect_err("it never ends");
        assert_eq!((problem.status.as_u16(), problem.code), (408, "timeout"));
        assert!(!arrival.0.borrow().ended);
    }

    #[actix_web::test]
    async fn a_file_may_take_longer_than_another_body_until_it_is_refused() {
        let slow = || {
            streamed(stream::once(async {
                tokio::time::sleep(SHORT * 20).await;
                Ok::<_, PayloadError>(Bytes::from_static(b"{}"))
            }))
        };
        let request = TestRequest::default().to_http_request();
        let arrival = Arrival::of(slow(), SHORT);
        request.extensions_mut().insert(arrival.clone());
        carries_file(&request);
        assert_eq!(extract::collect(&request, arrival.payload()).await.expect("it has come"), "{}");
        assert!(arrival.0.borrow().ended && arrival.0.borrow().file.is_some());
        is_refused(&request);
        assert!(arrival.0.borrow().file.is_none());
    }
}
