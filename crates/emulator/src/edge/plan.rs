//! What a request asks for, in whatever version of HTTP it came.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use hyper::Request;
use ovhai_core::directory::AppEntry;
use ovhai_wire::request::{RequestHead, Version};
use ovhai_wire::stream::Peer;

use super::Worker;
use super::doors::{self, CALL_MAX, Call, Outcome, Target};
use crate::gateway::admission::{Admitted, Pass};
use crate::gateway::body::ServerBody;
use crate::gateway::cors::RefusalReaders;
use crate::gateway::hold::Hold;
use crate::gateway::login::BODY_MAX;
use crate::gateway::refusal::Refusal;
use crate::telemetry::{Note, RefusalKind};

/// How a request is served that is not refused.
pub(super) enum Plan<P> {
    /// By passing it on to an app.
    Pass(Box<P>),
    /// By answering it here.
    Answer(Box<Local>),
}

/// What becomes of a request that is not refused.
pub(super) enum Planned<P> {
    Now(Plan<P>),
    /// It waits for an app that is asleep, and is planned again then.
    Wait(Box<Hold>),
}

/// A request that is answered here, once its body has come.
pub(super) enum Local {
    Call(Call),
    /// A request to the login page of an app.
    LogIn {
        request: Request<()>,
        app: Arc<AppEntry>,
    },
}

impl Local {
    /// The call, if it reads its body as it comes; else all of it is read first.
    pub(super) fn streamed(self: Box<Self>) -> Result<Call, Box<Self>> {
        if !matches!(&*self, Self::Call(call) if call.reads_as_it_comes()) {
            return Err(self);
        }
        match *self {
            Self::Call(call) => Ok(call),
            other @ Self::LogIn { .. } => Err(Box::new(other)),
        }
    }

    /// Maximum length of its body, in bytes.
    pub(super) fn body_max(&self) -> usize {
        match self {
            Self::Call(_) => CALL_MAX,
            Self::LogIn { .. } => BODY_MAX,
        }
    }

    /// Answers.
    pub(super) async fn run(self, worker: &Worker, client: Peer, body: Bytes) -> Outcome {
        match self {
            Self::Call(call) => doors::call(&worker.shared, call, Body::from(body)).await,
            Self::LogIn { request, app } => {
                let (logins, ip) = (&worker.relay.gateway.logins, client.address.ip());
                let request = request.map(|()| body);
                let answer = logins.answer(request, &app.record, client.secure, ip).await;
                Outcome::Response(answer.map(ServerBody::text))
            }
        }
    }
}

/// Plans a request by its head; `pass` builds what passes it on. `readers` receives the pages that
/// may read a refusal.
pub(super) fn plan<P>(
    worker: &Worker,
    head: &RequestHead<'_>,
    client: Peer,
    note: &mut Note,
    readers: &mut RefusalReaders,
    pass: impl FnOnce(Pass, bool, &Note) -> P,
) -> Result<Planned<P>, Refusal> {
    *readers = RefusalReaders::NoPage;
    let asked = match doors::find(&worker.shared, head, client, note)? {
        Target::Call(call) => return Ok(Planned::Now(Plan::Answer(Box::new(Local::Call(call))))),
        Target::App(asked) => asked,
    };
    if asked.grpc && head.version != Version::Http2 {
        let why = "gRPC needs HTTP/2: use it with TLS or with prior knowledge";
        return Err(Refusal::new(RefusalKind::UpgradeRequired, why));
    }
    let gateway = &worker.relay.gateway;
    *readers = gateway.readers(head, asked, client);
    let admitted = gateway.admit(head, asked, client, note);
    if !matches!(admitted, Ok(Admitted::Wait(_))) {
        worker.shared.telemetry.capture(asked.id, head, note);
    }
    Ok(Planned::Now(match admitted? {
        Admitted::Pass(passes) => Plan::Pass(Box::new(pass(passes, asked.grpc, note))),
        Admitted::LogIn(app) => {
            let request = doors::request(head, head.target)?;
            Plan::Answer(Box::new(Local::LogIn { request, app }))
        }
        Admitted::Wait(hold) => return Ok(Planned::Wait(Box::new(hold))),
    }))
}

/// The refusal of a body that is longer than this number of bytes.
pub(super) fn body_too_large(most: usize) -> Refusal {
    Refusal::new(RefusalKind::BodyTooLarge, format!("the body is larger than {most} bytes"))
}
