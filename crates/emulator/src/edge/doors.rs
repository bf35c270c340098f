//! Finds the target of a request by its host, and calls the API and the control endpoints.

use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::body::Body;
use futures_util::FutureExt;
use hyper::header::{HOST, HeaderValue};
use hyper::{Method, Request, Response, Uri};
use ovhai_api_types::Region;
use ovhai_wire::request::RequestHead;
use ovhai_wire::stream::Peer;
use ovhai_wire::write::append;
use tower::ServiceExt;

use super::Shared;
use crate::domain_time;
use crate::gateway::admission::AppTarget;
use crate::gateway::body::ServerBody;
use crate::gateway::refusal::Refusal;
use crate::gateway::tunnel::{CallTunnel, Upgrade};
use crate::host::{Door, NoDoor};
use crate::origin::HowUsed;
use crate::telemetry::{Destination, Note, RefusalKind};

/// Maximum length of a call's body, in bytes.
pub(super) const CALL_MAX: usize = crate::api::extract::BODY_MAX;

/// Maximum length of the query of a call that a worker answers itself, in bytes: such calls need
/// none.
const SHORT: usize = 512;

/// A call with a body that changes nothing.
const READS_ACCESS: &str = "/_emulator/access";

/// Where a request goes.
pub(super) enum Target<'b> {
    /// To an app.
    App(AppTarget<'b>),
    /// To the API of a region, or to the control endpoints; its body has to be added.
    Call(Call),
}

/// A call of the API, or of the control endpoints.
pub(super) struct Call {
    request: Request<()>,
    router: Router,
}

impl Call {
    fn new(
        head: &RequestHead<'_>,
        target: &str,
        router: &Router,
        region: Option<&Region>,
        client: Peer,
    ) -> Result<Self, Refusal> {
        let mut request = request(head, target)?;
        request.extensions_mut().insert(client);
        if let Some(region) = region {
            request.extensions_mut().insert(region.clone());
        }
        if let Some(protocol) = head.upgrade {
            request.extensions_mut().insert(Upgrade(protocol.into()));
        }
        Ok(Self { request, router: router.clone() })
    }

    /// Whether it reads a body of any length as it comes.
    pub(super) fn reads_as_it_comes(&self) -> bool {
        is_transfer(self.request.method(), self.request.uri().path())
    }
}

/// Whether a call transfers objects to the emulator. No handler of these paths collects its body.
fn is_transfer(method: &Method, path: &str) -> bool {
    match *method {
        Method::PUT => path.starts_with("/_emulator/objects/"),
        Method::POST => path.starts_with("/_emulator/data/") && path.ends_with("/upload"),
        _ => false,
    }
}

/// What a call answers.
pub(super) enum Outcome {
    Response(Response<ServerBody>),
    /// A response with the status 101, and the tunnel that follows. Only a call that asks to leave
    /// HTTP gets one, on a connection that can.
    Tunnel(Response<()>, Box<CallTunnel>),
}

/// Converts a head to a request of the `http` crate, without a body.
pub(super) fn request(head: &RequestHead<'_>, target: &str) -> Result<Request<()>, Refusal> {
    let malformed = |why| Refusal::new(RefusalKind::Malformed, why);
    let mut request = Request::new(());
    *request.method_mut() = Method::from_bytes(head.method.as_bytes())
        .map_err(|_| malformed("the method is malformed"))?;
    *request.uri_mut() =
        target.parse::<Uri>().map_err(|_| malformed("the request's target is malformed"))?;
    for field in head.fields {
        append(request.headers_mut(), field.name, field.value);
    }
    // The target may name another one.
    if let Ok(host) = HeaderValue::from_str(head.host) {
        request.headers_mut().insert(HOST, host);
    }
    Ok(request)
}

/// Finds the target of a request.
pub(super) fn find<'b>(
    shared: &Shared,
    head: &RequestHead<'b>,
    client: Peer,
    note: &mut Note,
) -> Result<Target<'b>, Refusal> {
    match shared.domains.door(head.host) {
        Ok(Door::App { id, port, region }) => {
            note.goes_to(Destination::App { id, known: false, port });
            Ok(Target::App(AppTarget { id, port, region, grpc: false }))
        }
        Ok(Door::Api { .. } | Door::Local) if client.is_app => Err(apps_only()),
        Ok(Door::Api { region }) => {
            note.goes_to(Destination::Api);
            check_page(head, client)?;
            let region = shared.platform.region(region).ok_or_else(no_region)?;
            Ok(Target::Call(Call::new(head, head.target, &shared.api, Some(region), client)?))
        }
        Ok(Door::Local) => {
            note.goes_to(Destination::Local);
            check_page(head, client)?;
            check_place(head, client)?;
            Ok(Target::Call(local(shared, head, client, note)?))
        }
        Ok(Door::Grpc { id, region }) => {
            note.goes_to(Destination::App { id, known: false, port: None });
            Ok(Target::App(AppTarget { id, port: None, region, grpc: true }))
        }
        Err(NoDoor::Malformed) => {
            Err(Refusal::new(RefusalKind::Malformed, "the Host header is malformed"))
        }
        Err(NoDoor::Misdirected) if client.is_app => Err(apps_only()),
        Err(NoDoor::Misdirected) => Err(Refusal::new(
            RefusalKind::Misdirected,
            "this host is not served here: use localhost, <region>.ai.localhost or <app>.app.<region>.ai.localhost",
        )),
    }
}

/// Refuses pages of other origins, apps included: they must not try passwords, nor read or change
/// anything with a bearer.
fn check_page(head: &RequestHead<'_>, client: Peer) -> Result<(), Refusal> {
    let method = head.method.as_bytes();
    let how = HowUsed::new(method, |name| head.first(name), head.has_upgrade, client.secure);
    if (HowUsed { host: Some(head.host.as_bytes()), ..how }).is_from_here() {
        return Ok(());
    }
    Err(Refusal::new(
        RefusalKind::ForeignPage,
        "pages of other origins may not call this: use a program, or a server of your own",
    ))
}

/// Refuses calls from other machines that change the emulator itself, whatever their bearer.
fn check_place(head: &RequestHead<'_>, client: Peer) -> Result<(), Refusal> {
    let is_reading =
        matches!(head.method, "GET" | "HEAD" | "OPTIONS") || head.path() == READS_ACCESS;
    if client.is_here() || is_reading || !head.path().starts_with("/_emulator/") {
        return Ok(());
    }
    Err(Refusal::new(
        RefusalKind::Elsewhere,
        "this changes the emulator itself, which only clients on its own machine may do",
    ))
}

/// Refuses what containers may not reach: all but apps.
fn apps_only() -> Refusal {
    Refusal::new(
        RefusalKind::Misdirected,
        "an app reaches only other apps here: use <app>.app.<region>.ai.localhost",
    )
}

fn no_region() -> Refusal {
    Refusal::new(RefusalKind::NotFound, "the region does not exist here")
}

/// `/regions/<R>/…` is the API of that region, other API paths are that of the default region, the
/// rest are the control endpoints.
fn local(
    shared: &Shared,
    head: &RequestHead<'_>,
    client: Peer,
    note: &mut Note,
) -> Result<Call, Refusal> {
    let (target, path) = (head.target, head.path());
    if let Some(rest) = target.strip_prefix("/regions/") {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (name, inner) = rest.split_at(end);
        let region = shared.platform.region(name).ok_or_else(|| {
            Refusal::new(RefusalKind::NotFound, format!("the region {name:?} does not exist here"))
        })?;
        note.goes_to(Destination::Api);
        let slash = if inner.starts_with('/') { "" } else { "/" };
        return Call::new(head, &format!("{slash}{inner}"), &shared.api, Some(region), client);
    }
    let is_api = ["/v1/", "/oauth2/"].iter().any(|start| path.starts_with(start));
    if is_api || path == "/v1" || path == "/openapi.json" {
        note.goes_to(Destination::Api);
        let region = shared.platform.default_region().ok_or_else(no_region)?;
        return Call::new(head, target, &shared.api, Some(region), client);
    }
    Call::new(head, target, &shared.local, None, client)
}

/// Whether a call reads one named record, or none: its cost does not depend on how many there are.
fn reads_one(request: &Request<()>) -> bool {
    let is_one = |id: &str| !id.is_empty() && !id.contains('/');
    let path = request.uri().path();
    matches!(*request.method(), Method::GET | Method::HEAD)
        && request.uri().query().is_none_or(|query| query.len() <= SHORT)
        && (matches!(path, "/" | "/v1/me" | "/_emulator/health")
            || path.strip_prefix("/v1/app/").is_some_and(is_one))
}

/// Whether a call starts a command in an app, or a copy of its files: that reads no records, and goes
/// on for long.
fn runs(request: &Request<()>) -> bool {
    let path = request.uri().path();
    path.starts_with("/v1/app/") && (path.ends_with("/exec") || path.ends_with("/archive"))
}

/// Calls. Calls that may wait for the disk run on the emulator's own runtime, and calls that look
/// through many records on the readers' threads: neither holds up this worker's requests to apps.
/// The others run here, which saves waking another thread twice.
pub(super) async fn call(shared: &Shared, call: Call, body: Body) -> Outcome {
    let Call { request, router } = call;
    let reads_one = reads_one(&request);
    let reads = matches!(*request.method(), Method::GET | Method::HEAD) && !runs(&request);
    let answer = router.oneshot(request.map(|()| body));
    let response = if reads_one {
        let response = AssertUnwindSafe(answer).catch_unwind().await.map_err(|_| ());
        // A client that sends many at once takes its turn among the others.
        tokio::task::yield_now().await;
        response
    } else {
        let readers = shared.readers.handle().filter(|_| reads);
        readers.unwrap_or(&shared.main).spawn(answer).await.map_err(|error| {
            tracing::error!(%error, "a call of the API was aborted");
        })
    };
    match response {
        Ok(Ok(mut response)) => {
            if let Some(moved) = domain_time::value(&**shared.platform.clock()) {
                response.headers_mut().insert(domain_time::NAME, moved);
            }
            match CallTunnel::take_from(&mut response) {
                Some(tunnel) => Outcome::Tunnel(response.map(drop), Box::new(tunnel)),
                None => Outcome::Response(response.map(ServerBody::Api)),
            }
        }
        Ok(Err(never)) => match never {},
        // It panicked, which the panic hook has logged, or everything stops.
        Err(()) => {
            let why = "internal error; the emulator's log has the details (ovhai emulator logs)";
            let refusal = Refusal::new(RefusalKind::Internal, why);
            Outcome::Response(refusal.into_response().map(ServerBody::text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_transfers_have_bodies_of_any_length() {
        assert!(is_transfer(&Method::PUT, "/_emulator/objects/local/b/a/c"));
        assert!(is_transfer(&Method::POST, "/_emulator/data/local/b/upload"));
        for (method, path) in [
            (Method::POST, "/_emulator/objects/local/b/a"),
            (Method::PUT, "/_emulator/data/local/upload"),
            (Method::POST, "/_emulator/data/local/b/copy"),
            (Method::POST, "/v1/app"),
            (Method::PUT, "/_emulator/images"),
        ] {
            assert!(!is_transfer(&method, path), "{method} {path}");
        }
    }

    #[test]
    fn workers_answer_requests_that_read_one_record() {
        let reads_one = |method: &str, target: &str| {
            let request = Request::builder().method(method).uri(target).body(());
            super::reads_one(&request.expect("a request"))
        };
        for quick in ["/", "/v1/me", "/_emulator/health", "/v1/app/x", "/v1/app/x?y=z"] {
            assert!(reads_one("GET", quick) && reads_one("HEAD", quick), "{quick}");
            assert!(!reads_one("POST", quick) && !reads_one("DELETE", quick), "{quick}");
        }
        for other in [
            "/v1/app",
            "/v1/app/",
            "/v1/app?size=1",
            "/v1/app/x/log",
            "/v1/app/x/y/z",
            "/v1/token",
            "/v1/registry",
            "/metrics",
            "/openapi.json",
            "/_emulator/users",
        ] {
            assert!(!reads_one("GET", other), "{other}");
        }
        assert!(!reads_one("GET", &format!("/v1/app/x?{}", "y".repeat(SHORT + 1))));
    }
}
