//! What is known of a request on its way, for its line in the access log.

use std::borrow::Cow;
use std::sync::PoisonError;
use std::time::Instant;

use hyper::StatusCode;
use ovhai_core::policy::{self, Action, Principal};
use ovhai_wire::framing::AtMostOne;
use ovhai_wire::request::{RequestHead, Version};
use ovhai_wire::stream::Peer;

use super::Worker;
use crate::gateway::login::Login;
use crate::gateway::{Admission, Refusal};
use crate::seen::{Aborted, Decision, Line, Protocol, Refused, RequestId, Whither, Who};

/// See the module.
#[derive(Debug)]
pub(crate) struct Note {
    began: Instant,
    id: RequestId,
    protocol: Protocol,
    /// The method, and then the path.
    text: Vec<u8>,
    method: usize,
    whither: Whither,
    decision: Decision,
    principal: Principal,
    login: Option<Login>,
    refused: Option<Refused>,
    reason: Cow<'static, str>,
    upstream: Option<Instant>,
    pub(crate) status: u16,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
}

impl Note {
    /// Of a request of which nothing is known yet; `text` is room that is used again.
    pub(crate) fn new(worker: &Worker, text: Vec<u8>) -> Self {
        Self::begin(worker.id(None), Protocol::Http11, text)
    }

    /// The same in HTTP/2.
    pub(super) fn of_http2(worker: &Worker) -> Self {
        Self::begin(worker.id(None), Protocol::Http2, Vec::new())
    }

    /// Of a request whose head was understood.
    pub(crate) fn of(worker: &Worker, head: &RequestHead<'_>, text: Vec<u8>) -> Self {
        let given = if let AtMostOne::One(id) = head.request_id { Some(id) } else { None };
        let protocol = match head.version {
            Version::Http10 => Protocol::Http10,
            Version::Http11 => Protocol::Http11,
            Version::Http2 => Protocol::Http2,
        };
        let mut note = Self::begin(worker.id(given), protocol, text);
        note.text.extend_from_slice(head.method.as_bytes());
        note.text.extend_from_slice(head.path().as_bytes());
        note.method = head.method.len();
        note
    }

    fn begin(id: RequestId, protocol: Protocol, mut text: Vec<u8>) -> Self {
        text.clear();
        Self {
            began: Instant::now(),
            id,
            protocol,
            text,
            method: 0,
            whither: Whither::Nowhere,
            decision: Decision::Unasked,
            principal: Principal::Anonymous,
            login: None,
            refused: None,
            reason: Cow::Borrowed(""),
            upstream: None,
            status: 0,
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    /// The request's id.
    pub(crate) fn id(&self) -> &RequestId {
        &self.id
    }

    /// Who was let in, what for, and to which app.
    pub(crate) fn admitted(&self) -> Option<Admission> {
        let action = match self.decision {
            Decision::Allowed | Decision::Public => Action::Query,
            Decision::Preflight => Action::Preflight,
            _ => return None,
        };
        match self.whither {
            Whither::App { id, known: true, .. } => Some(Admission {
                app: id,
                principal: self.principal.clone(),
                action,
                login: self.login.clone(),
            }),
            _ => None,
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

    /// It came with this login.
    pub(crate) fn by_login(&mut self, login: Login) {
        self.login = Some(login);
    }

    /// The bearer was nobody's.
    pub(crate) fn unknown(&mut self) {
        self.decision = Decision::Unauthenticated;
        self.refused = Some(Refused::BadToken);
    }

    pub(crate) fn refused_by(&mut self, refusal: &Refusal) {
        let (status, reason) = refusal.told();
        self.refused = self.refused.or_else(|| Refused::of_status(status.as_u16()));
        // That there were no credentials, or bad ones, is said already.
        if !matches!(self.refused, Some(Refused::NoToken | Refused::BadToken)) {
            self.reason.clone_from(reason);
        }
        self.answered(status);
    }

    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.status = status.as_u16();
    }

    pub(crate) fn turned_to_the_app(&mut self) {
        self.upstream = Some(Instant::now());
    }

    /// Writes the line; gives the room back.
    pub(crate) fn record(self, worker: &Worker, client: Peer, aborted: Option<Aborted>) -> Vec<u8> {
        let (method, path) = self.text.split_at(self.method);
        let now = Instant::now();
        let line = Line {
            client: client.address,
            whither: self.whither,
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
            id: self.id.as_bytes(),
            protocol: self.protocol,
            tls: client.secure,
        };
        worker.seen.lock().unwrap_or_else(PoisonError::into_inner).record(&line);
        self.text
    }
}
