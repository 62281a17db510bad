//! How the requests of a bucket go out: over the same hyper and the same TLS as all others of this program.

use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use intake::FileStorageError;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse, HttpResponseBody,
    HttpService,
};

use super::wire;
use crate::https::{self, Connector};

const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// From the first byte of a request to the first of its answer: a part of five megabytes goes out in it.
const ANSWER_PATIENCE: Duration = Duration::from_secs(60);
/// How much of a body is read ahead of who takes it.
const READ_AHEAD_BYTES: usize = 64 * 1_024;

/// The client, which keeps its connections open.
#[derive(Debug, Clone)]
pub(super) struct Http(Client<Connector, HttpRequestBody>);

impl Http {
    pub(super) fn new() -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT_PATIENCE));
        tcp.set_nodelay(true);
        let mut client = Client::builder(TokioExecutor::new());
        client.http1_max_buf_size(READ_AHEAD_BYTES);
        Self(client.build(https::connector(tcp)))
    }

    /// The status and the body of the answer to a request that is signed. For questions that the crate has no call for.
    ///
    /// # Errors
    /// [`FileStorageError::Away`], when there is no answer.
    pub(super) async fn ask(&self, request: HttpRequest) -> Result<(u16, Bytes), FileStorageError> {
        let away = |error: HttpError| FileStorageError::Away(wire::chain(&error));
        let (head, body) = self.call(request).await.map_err(away)?.into_parts();
        Ok((head.status.as_u16(), body.bytes().await.map_err(away)?))
    }
}

impl object_store::client::HttpConnector for Http {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Http {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answered = tokio::time::timeout(ANSWER_PATIENCE, self.0.request(request)).await;
        let answered = answered.map_err(|elapsed| HttpError::new(HttpErrorKind::Timeout, elapsed))?;
        let (head, body) = answered.map_err(failed)?.into_parts();
        let body = body.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error));
        Ok(HttpResponse::from_parts(head, HttpResponseBody::new(body)))
    }
}

fn failed(error: hyper_util::client::legacy::Error) -> HttpError {
    let kind = if error.is_connect() { HttpErrorKind::Connect } else { kind_of(&error) };
    HttpError::new(kind, error)
}

// What may be asked again follows from it.
fn kind_of(error: &(dyn Error + 'static)) -> HttpErrorKind {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(hyper) = inner.downcast_ref::<hyper::Error>()
            && (hyper.is_closed() || hyper.is_incomplete_message() || hyper.is_body_write_aborted())
        {
            return HttpErrorKind::Request;
        }
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            let broken = [
                ErrorKind::ConnectionAborted,
                ErrorKind::ConnectionReset,
                ErrorKind::BrokenPipe,
                ErrorKind::UnexpectedEof,
            ];
            return if io.kind() == ErrorKind::TimedOut {
                HttpErrorKind::Timeout
            } else if broken.contains(&io.kind()) {
                HttpErrorKind::Interrupted
            } else {
                HttpErrorKind::Unknown
            };
        }
        cause = inner.source();
    }
    HttpErrorKind::Unknown
}
