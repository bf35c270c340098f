//! The record of a request under way, for its line in the access log. It only records: nothing is
//! decided by it.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::StatusCode;
use ovhai_core::policy::{self, Principal};
use ovhai_wire::stream::Peer;

use super::Recorder;
use super::line::{Aborted, Decision, Destination, Line, Protocol, Who};
use super::refusal_kind::RefusalKind;
use super::request_id::RequestId;

/// What is before the session in the paths of the console's pages.
const SESSION_BEHIND: &[u8] = b"/c/";

/// The record of a request under way.
#[derive(Debug)]
pub(crate) struct Note {
    began: Instant,
    id: RequestId,
    protocol: Protocol,
    /// The method, and then the path.
    text: Vec<u8>,
    method: usize,
    destination: Destination,
    decision: Decision,
    principal: Principal,
    refused: Option<RefusalKind>,
    reason: Cow<'static, str>,
    upstream: Option<Instant>,
    held: Duration,
    /// The ordinal; 0 if there is none.
    replica: u32,
    pub(crate) status: u16,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
}

impl Note {
    /// Begins a record of a request of which nothing else is known yet; `text` is a buffer to use
    /// again.
    pub(crate) fn new(id: RequestId, protocol: Protocol, mut text: Vec<u8>) -> Self {
        text.clear();
        Self {
            began: Instant::now(),
            id,
            protocol,
            text,
            method: 0,
            destination: Destination::Nowhere,
            decision: Decision::Unasked,
            principal: Principal::Anonymous,
            refused: None,
            reason: Cow::Borrowed(""),
            upstream: None,
            held: Duration::ZERO,
            replica: 0,
            status: 0,
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    /// Begins a record of a request whose head was understood.
    pub(crate) fn of(
        id: RequestId,
        protocol: Protocol,
        method: &str,
        path: &str,
        text: Vec<u8>,
    ) -> Self {
        let mut note = Self::new(id, protocol, text);
        note.text.extend_from_slice(method.as_bytes());
        note.text.extend_from_slice(path.as_bytes());
        note.method = method.len();
        note
    }

    /// The request's id.
    pub(crate) fn id(&self) -> &RequestId {
        &self.id
    }

    pub(crate) fn goes_to(&mut self, destination: Destination) {
        self.destination = destination;
    }

    pub(crate) fn app_is_known(&mut self) {
        if let Destination::App { known, .. } = &mut self.destination {
            *known = true;
        }
    }

    pub(crate) fn decided(&mut self, decision: &policy::Decision, principal: &Principal) {
        self.decision = Decision::of(decision);
        self.principal = principal.clone();
    }

    /// The bearer is not valid.
    pub(crate) fn unauthenticated(&mut self) {
        self.decision = Decision::Unauthenticated;
    }

    /// The gateway answers by itself, for this reason.
    pub(crate) fn refused(&mut self, kind: RefusalKind, reason: Cow<'static, str>) {
        self.refused = Some(kind);
        // For these the kind says it all.
        if !matches!(kind, RefusalKind::NoToken | RefusalKind::BadToken) {
            self.reason = reason;
        }
        self.answered(kind.status());
    }

    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.status = status.as_u16();
    }

    pub(crate) fn turned_to_the_app(&mut self) {
        self.upstream = Some(Instant::now());
    }

    /// The request waited this long for the app to wake up.
    pub(crate) fn was_held(&mut self, time: Duration) {
        self.held += time;
    }

    /// The replica with this ordinal was asked last.
    pub(crate) fn asked(&mut self, replica: u32) {
        self.replica = replica;
    }

    /// Removes the console's session from the path: it is half of the session's secret.
    fn hide_session(&mut self) {
        let begin = self.method + SESSION_BEHIND.len();
        if !self.text[self.method..].starts_with(SESSION_BEHIND) {
            return;
        }
        let ends = |byte: &u8| matches!(byte, b'/' | b'?' | b'#');
        let length = self.text[begin..].iter().position(ends);
        let end = length.map_or(self.text.len(), |length| begin + length);
        self.text.splice(begin..end, *b"-");
    }

    /// Writes the line. Returns the buffer.
    pub(crate) fn record(
        mut self,
        worker: &Mutex<Recorder>,
        client: Peer,
        aborted: Option<Aborted>,
    ) -> Vec<u8> {
        if matches!(self.destination, Destination::Local | Destination::Nowhere) {
            self.hide_session();
        }
        let (method, path) = self.text.split_at(self.method);
        let now = Instant::now();
        let line = Line {
            client: client.address,
            destination: self.destination,
            method,
            path,
            status: self.status,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            decision: self.decision,
            who: Who::of(&self.principal),
            refused: self.refused,
            reason: &self.reason,
            aborted,
            total: now.saturating_duration_since(self.began),
            upstream: self.upstream.map(|since| now.saturating_duration_since(since)),
            held: self.held,
            replica: self.replica,
            id: self.id.as_bytes(),
            protocol: self.protocol,
            tls: client.secure,
        };
        worker.lock().unwrap_or_else(PoisonError::into_inner).record(&line);
        self.text
    }
}
