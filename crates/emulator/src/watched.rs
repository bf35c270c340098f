//! Between the server and [`crate::seen`]: what is known of a request on its way, and a body that
//! says when the answer has ended.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Request, Response, Version};
use ovhai_core::policy::{self, Principal};

use crate::body::{BodyError, ServerBody};
use crate::gateway::Refusal;
use crate::seen::{Aborted, Decision, Line, Open, Protocol, Refused, RequestId, Whither, Who};
use crate::server::Shared;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is known of a request.
pub(crate) struct Note {
    shared: Arc<Shared>,
    began: Instant,
    client: SocketAddr,
    id: RequestId,
    protocol: Protocol,
    method: Method,
    path: String,
    whither: Whither,
    bytes_in: u64,
    decision: Decision,
    principal: Principal,
    refused: Option<Refused>,
    reason: String,
    upstream: Option<Instant>,
    status: u16,
}

impl Note {
    /// Begins one; the request gets its id.
    pub(crate) fn new(
        shared: &Arc<Shared>,
        request: &mut Request<Incoming>,
        client: SocketAddr,
    ) -> Self {
        let mut given = request.headers().get_all(REQUEST_ID).iter();
        let given = match (given.next(), given.next()) {
            (Some(one), None) => Some(one.as_bytes()),
            _ => None,
        };
        let id = {
            let mut worker = shared.worker.lock().unwrap_or_else(PoisonError::into_inner);
            RequestId::of(given, &mut worker.ids)
        };
        if let Ok(value) = HeaderValue::from_bytes(id.as_bytes()) {
            request.headers_mut().insert(REQUEST_ID, value);
        }
        Self {
            shared: Arc::clone(shared),
            began: Instant::now(),
            client,
            id,
            protocol: match request.version() {
                Version::HTTP_10 => Protocol::Http10,
                Version::HTTP_2 => Protocol::Http2,
                _ => Protocol::Http11,
            },
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            whither: Whither::Nowhere,
            bytes_in: request.body().size_hint().exact().unwrap_or(0),
            decision: Decision::Unasked,
            principal: Principal::Anonymous,
            refused: None,
            reason: String::new(),
            upstream: None,
            status: 0,
        }
    }

    pub(crate) fn goes_to(&mut self, whither: Whither) {
        self.whither = whither;
    }

    pub(crate) fn app_is_known(&mut self) {
        if let Whither::App { known, .. } = &mut self.whither {
            *known = true;
        }
    }

    pub(crate) fn decided(&mut self, decision: &policy::Decision, principal: &Principal) {
        self.decision = Decision::of(decision);
        self.principal = principal.clone();
    }

    /// The bearer was nobody's.
    pub(crate) fn unknown(&mut self) {
        self.decision = Decision::Unauthenticated;
        self.refused = Some(Refused::BadToken);
    }

    pub(crate) fn refused_by(&mut self, refusal: &Refusal) {
        let (status, reason) = refusal.told();
        self.refused = self.refused.or_else(|| Refused::of_status(status.as_u16()));
        reason.clone_into(&mut self.reason);
    }

    pub(crate) fn turned_to_the_app(&mut self) {
        self.upstream = Some(Instant::now());
    }

    pub(crate) fn tunnel(&self) -> Open {
        self.shared.seen.tunnel_opened()
    }

    /// Gives the answer the request's id, and waits for its end.
    pub(crate) fn watch(mut self, mut response: Response<ServerBody>) -> Response<Watched> {
        if let Ok(value) = HeaderValue::from_bytes(self.id.as_bytes()) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        self.status = response.status().as_u16();
        response.map(|body| Watched { body, sent: 0, ended: false, aborted: None, note: self })
    }

    fn record(&self, bytes_out: u64, aborted: Option<Aborted>) {
        let line = Line {
            client: self.client,
            whither: self.whither,
            method: self.method.as_str().as_bytes(),
            path: self.path.as_bytes(),
            status: self.status,
            bytes_in: self.bytes_in,
            bytes_out,
            decision: self.decision,
            who: Who::of(&self.principal),
            refused: self.refused,
            reason: &self.reason,
            aborted,
            total: self.began.elapsed(),
            upstream: self.upstream.map(|began| began.elapsed()),
            id: self.id.as_str(),
            protocol: self.protocol,
            tls: false,
        };
        self.shared.worker.lock().unwrap_or_else(PoisonError::into_inner).record(&line);
    }
}

/// An answer's body whose end is noted.
pub(crate) struct Watched {
    body: ServerBody,
    sent: u64,
    ended: bool,
    aborted: Option<Aborted>,
    note: Note,
}

impl Drop for Watched {
    fn drop(&mut self) {
        let unread = !self.ended && !self.body.is_end_stream() && self.note.method != Method::HEAD;
        let aborted = self.aborted.or(unread.then_some(Aborted::Client));
        self.note.record(self.sent, aborted);
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                self.sent += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
            Poll::Ready(Some(Err(_))) => self.aborted = Some(Aborted::App),
            Poll::Ready(None) => self.ended = true,
            Poll::Pending => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
