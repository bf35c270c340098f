//! The requests and responses of a client, for a recorder. They contain secrets, which the recorder
//! must remove.

use std::time::Duration;

use bytes::Bytes;

/// One request and its answer; never the bearer.
#[derive(Clone)]
pub struct Exchange {
    /// Method.
    pub method: String,
    /// Address with path and query.
    pub url: String,
    /// Body of the request.
    pub body: Bytes,
    /// Status of the answer; none when there was no answer.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// Body of the answer, unless it was streamed.
    pub answer: Bytes,
    /// Time until the head of the answer.
    pub elapsed: Duration,
    /// The emulator's clock when it answered, if that was moved.
    pub domain_time: Option<String>,
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange")
            .field("method", &self.method)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl Exchange {
    pub(crate) fn of(request: &reqwest::Request) -> Self {
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        Self {
            method: request.method().to_string(),
            url: url(request),
            body: Bytes::copy_from_slice(body),
            status: None,
            error: None,
            answer: Bytes::new(),
            elapsed: Duration::ZERO,
            domain_time: None,
        }
    }
}

/// The address, without a command that is run in an app: its arguments may be secrets.
fn url(request: &reqwest::Request) -> String {
    let mut url = request.url().clone();
    if url.path().ends_with("/exec") {
        url.set_query(None);
    }
    url.to_string()
}

/// A guard that lives as long as a request waits for its response.
pub type Waits = Box<dyn Send + Sync>;

/// Receives every exchange.
pub trait Recorder: Send + Sync {
    /// A request is sent. The returned guard is dropped when the response begins or the request is
    /// cancelled.
    fn begin(&self) -> Waits;

    /// One exchange.
    fn record(&self, exchange: Exchange);
}
