//! `Idempotency-Key`: a request that is sent twice is carried out once.
//!
//! A handler that creates or spends takes [`Keyed`] instead of a plain body, or [`Key`] where there is none, and gives its
//! work to [`Key::once`]:
//!
//! ```text
//! async fn start(customer: Customer, body: Keyed<StartRequest>, app: Data<Pitlane>) -> ApiResult<HttpResponse> {
//!     let Keyed { value, key } = body;
//!     key.once(app, customer.id(), |app| async move {
//!         let started = usecases::start_intake(&app, value).await?;
//!         Ok(HttpResponse::Created().json(started))
//!     })
//!     .await
//! }
//! ```

use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

use accounts::IdempotencyKey;
use accounts::idempotency::{self, Claim, Claimant, KeptAnswer, ProcessId};
use actix_web::body::to_bytes_limited;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use kernel::UserId;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::problem::{ApiResult, Problem};
use super::{extract, trace};
use crate::state::Pitlane;
use crate::usecases::{self, Progress};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// How long a second call waits for the first one's answer.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(40);
/// The largest answer that is kept.
const ANSWER_MAX_BYTES: usize = 256 * 1_024;

/// A JSON body and the key that came with it.
#[derive(Debug)]
pub struct Keyed<T> {
    /// The body.
    pub value: T,
    /// The key, if there was one.
    pub key: Key,
}

/// What makes a request the same request.
#[derive(Debug)]
pub struct Key {
    /// The header, if it was sent.
    sent: Option<String>,
    route: String,
    request_hash: [u8; 32],
}

impl<T: DeserializeOwned + 'static> FromRequest for Keyed<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let sent = sent_key(&request)?;
            let bytes = extract::collect(&request, payload).await?;
            extract::require_json(&request)?;
            let value = extract::parse(&bytes)?;
            Ok(Self { value, key: Key::of(&request, sent, &bytes) })
        })
    }
}

/// For a keyed endpoint that takes no body: none, or `{}`, passes.
impl FromRequest for Key {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Empty {}
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let sent = sent_key(&request)?;
            let bytes = extract::collect(&request, payload).await?;
            if bytes.iter().all(u8::is_ascii_whitespace) {
                return Ok(Self::of(&request, sent, b""));
            }
            extract::require_json(&request)?;
            extract::parse::<Empty>(&bytes)?;
            Ok(Self::of(&request, sent, &bytes))
        })
    }
}

fn sent_key(request: &HttpRequest) -> ApiResult<Option<String>> {
    let mut values = request.headers().get_all(IDEMPOTENCY_KEY);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        // What can't be a key is refused by the domain, with the reason.
        (Some(value), None) => Ok(Some(value.to_str().unwrap_or("").to_owned())),
        (Some(_), Some(_)) => {
            let detail = "Send one Idempotency-Key.";
            Err(Problem::new(StatusCode::BAD_REQUEST, "bad_request", detail))
        }
    }
}

impl Key {
    fn of(request: &HttpRequest, sent: Option<String>, body: &[u8]) -> Self {
        let hash = Sha256::new().chain_update(request.query_string()).chain_update([0]).chain_update(body);
        let route = format!("{} {}", request.method(), request.path());
        Self { sent, route, request_hash: hash.finalize().into() }
    }

    /// Whether there is one.
    pub const fn is_sent(&self) -> bool {
        self.sent.is_some()
    }

    /// The key of a request whose body is not JSON; `content` is what makes two of them the same.
    ///
    /// # Errors
    /// 400 for more than one key.
    pub fn of_content(request: &HttpRequest, content: &[u8]) -> ApiResult<Self> {
        Ok(Self::of(request, sent_key(request)?, content))
    }

    /// Carries the work out, or answers as it was answered before. Without a key it is simply carried out.
    ///
    /// The work goes on when the client hangs up, so that a key is never left without an answer. Only success is
    /// kept: a request that was refused may be sent again, mended or not, with the same key.
    ///
    /// # Errors
    /// What the work answers; 422 `idempotency_mismatch` when the key was used for another request, 409
    /// `idempotency_in_progress` when the first call takes too long, 422 `invalid` for what is no key.
    pub async fn once<W, F>(self, pitlane: Data<Pitlane>, user: UserId, work: W) -> ApiResult<HttpResponse>
    where
        W: FnOnce(Data<Pitlane>) -> F + 'static,
        F: Future<Output = ApiResult<HttpResponse>> + 'static,
    {
        self.once_from(pitlane, user, |pitlane, _| work(pitlane)).await
    }

    /// As [`Self::once`], for work that spends and that can't tell by itself what an earlier call with the same key has
    /// done already: it notes that, and learns it from [`Progress`].
    ///
    /// # Errors
    /// As [`Self::once`].
    pub async fn once_from<W, F>(
        self,
        pitlane: Data<Pitlane>,
        user: UserId,
        work: W,
    ) -> ApiResult<HttpResponse>
    where
        W: FnOnce(Data<Pitlane>, Progress) -> F + 'static,
        F: Future<Output = ApiResult<HttpResponse>> + 'static,
    {
        let Some(sent) = self.sent else { return work(pitlane, Progress::default()).await };
        let key = IdempotencyKey::parse(user, self.route, &sent).map_err(usecases::Error::from)?;
        let reached = match claim(&pitlane, &key, self.request_hash).await? {
            Claimed::Answered(replay) => return Ok(replay),
            Claimed::Ours { reached } => reached,
        };
        let progress = Progress::of(key.clone(), process(&pitlane), reached);
        let running = actix_web::rt::spawn(trace::of(trace::current(), async move {
            match work(pitlane.clone(), progress).await {
                Ok(response) => keep(&pitlane, key, response).await,
                Err(problem) => {
                    release(&pitlane, key).await;
                    Err(problem)
                }
            }
        }));
        running.await.unwrap_or_else(|error| {
            tracing::error!(%error, "keyed work ended without an answer");
            Err(Problem::internal())
        })
    }
}

enum Claimed {
    /// It was carried out before.
    Answered(HttpResponse),
    /// It is to be carried out now.
    Ours { reached: Option<String> },
}

async fn claim(pitlane: &Pitlane, key: &IdempotencyKey, hash: [u8; 32]) -> ApiResult<Claimed> {
    let by = Claimant { process: process(pitlane), alone: pitlane.db.kind() == "sqlite" };
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let (wanted, cx) = (key.clone(), pitlane.context());
        let claimed = pitlane.db.write(move |tx| idempotency::claim(tx, &wanted, hash, by, &cx)).await;
        match claimed.map_err(usecases::Error::from)? {
            Claim::Proceed { reached } => return Ok(Claimed::Ours { reached }),
            Claim::Replay(answer) => return Ok(Claimed::Answered(replay(answer))),
            Claim::Mismatch => {
                let detail = "This Idempotency-Key was used for another request.";
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_mismatch", detail));
            }
            Claim::InProgress if tokio::time::Instant::now() >= deadline => {
                let detail = "The first request with this Idempotency-Key is still being carried out.";
                let problem = Problem::new(StatusCode::CONFLICT, "idempotency_in_progress", detail);
                return Err(Problem { retry_after_seconds: Some(1), ..problem });
            }
            Claim::InProgress => tokio::time::sleep(PAUSE).await,
        }
    }
}

fn replay(answer: KeptAnswer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((REPLAYED, "true"))
        .body(answer.body)
}

async fn keep(pitlane: &Pitlane, key: IdempotencyKey, response: HttpResponse) -> ApiResult<HttpResponse> {
    if !response.status().is_success() {
        release(pitlane, key).await;
        return Ok(response);
    }
    let (head, body) = response.into_parts();
    let bytes = match to_bytes_limited(body, ANSWER_MAX_BYTES).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) | Err(_) => return Err(Problem::internal()),
    };
    let answer =
        KeptAnswer { status: head.status().as_u16(), body: String::from_utf8_lossy(&bytes).into_owned() };
    let process = process(pitlane);
    let kept = pitlane.db.write(move |tx| idempotency::complete(tx, &key, process, &answer)).await;
    // The work is done and its answer is known: the client gets it even if it could not be kept.
    if let Err(error) = kept {
        tracing::error!(%error, "an answer could not be kept for its Idempotency-Key");
    }
    Ok(head.set_body(bytes).map_into_boxed_body())
}

async fn release(pitlane: &Pitlane, key: IdempotencyKey) {
    let process = process(pitlane);
    let released = pitlane.db.write(move |tx| idempotency::release(tx, &key, process)).await;
    if let Err(error) = released {
        tracing::error!(%error, "an Idempotency-Key could not be given back");
    }
}

fn process(pitlane: &Pitlane) -> ProcessId {
    static PROCESS: OnceLock<ProcessId> = OnceLock::new();
    *PROCESS.get_or_init(|| {
        let mut bytes = [0; 16];
        pitlane.entropy.fill(&mut bytes);
        ProcessId(bytes)
    })
}
