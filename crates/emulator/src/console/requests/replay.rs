//! Sends a request again, changed or not, as any client of the gateway would: with a token that the
//! caller gives, or without credentials.

use std::fmt::Write;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use ovhai_api_types::RequestRecord;
use tokio::net::TcpStream;

use super::details::{authority, goes_again, one};
use super::look;
use crate::console::page::{Answer, Place, Refused};
use crate::console::visit::{Sent, Visit};
use crate::telemetry::capture::{CapturedHead, REDACTED};

/// Maximum bytes of a response's body that are shown.
const SHOWN: usize = 64 * 1024;
/// Maximum time until the shown part of the response is there.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is sent.
struct Draft {
    method: String,
    target: String,
    /// A line for each field.
    fields: String,
    body: String,
}

impl Draft {
    fn of(request: &RequestRecord, head: Option<&CapturedHead>) -> Self {
        let fields = head.iter().flat_map(|head| &head.fields);
        let fields = fields.filter(|(name, value)| goes_again(name) && value != REDACTED);
        let mut lines = String::new();
        for (name, value) in fields {
            let _ = writeln!(lines, "{name}: {value}");
        }
        Self {
            method: request.method.clone(),
            target: head.map_or(&request.path, |head| &head.target).clone(),
            fields: lines,
            body: String::new(),
        }
    }

    fn sent(sent: &Sent) -> Self {
        let of = |name: &str| sent.fields.get(name).to_owned();
        Self {
            method: of("method").trim().to_owned(),
            target: of("target").trim().to_owned(),
            fields: of("fields"),
            body: of("body"),
        }
    }

    /// The request, or what is wrong with it.
    fn request(&self, authority: &str, token: &str) -> Result<Request<Full<Bytes>>, String> {
        let method = Method::from_bytes(self.method.as_bytes())
            .ok()
            .filter(|method| *method != Method::CONNECT)
            .ok_or("This method can't be sent.")?;
        if !self.target.starts_with('/') {
            return Err("The path must begin with /.".to_owned());
        }
        let target: Uri = self.target.parse().map_err(|_| "The path is not valid.")?;
        let mut request = Request::new(Full::new(Bytes::from(self.body.clone())));
        let headers = request.headers_mut();
        for line in self.fields.lines().filter(|line| !line.trim().is_empty()) {
            let wrong = || format!("This header is not valid: {line}");
            let (name, value) = line.split_once(':').ok_or_else(wrong)?;
            let name: HeaderName = name.trim().parse().map_err(|_| wrong())?;
            // What belongs to the connection is this client's.
            if !goes_again(name.as_str()) && name != AUTHORIZATION {
                return Err(format!("The header {name} can't be set here."));
            }
            let value = HeaderValue::from_str(value.trim()).map_err(|_| wrong())?;
            headers.append(name, value);
        }
        let host = HeaderValue::from_str(authority).map_err(|_| "The app has no address.")?;
        headers.insert(HOST, host);
        if !self.body.is_empty() {
            headers.insert(CONTENT_LENGTH, self.body.len().into());
        }
        if !token.is_empty() {
            let mut bearer = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| "The token is not valid.")?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        (*request.method_mut(), *request.uri_mut()) = (method, target);
        Ok(request)
    }
}

/// What came back.
struct Came {
    status: String,
    status_class: &'static str,
    took: String,
    head: String,
    body: String,
    /// Whether the body is longer.
    cut: bool,
}

async fn exchange(port: u16, request: Request<Full<Bytes>>) -> Result<Came, String> {
    let text = |error: hyper::Error| format!("The connection was closed: {error}.");
    let since = Instant::now();
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| format!("The emulator can't be reached at 127.0.0.1:{port}: {error}."))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(text)?;
    let asking = async {
        let response = sender.send_request(request).await.map_err(text)?;
        let (parts, mut body) = response.into_parts();
        let (mut shown, mut cut) = (Vec::new(), false);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(text)?.into_data() else { continue };
            let room = SHOWN - shown.len();
            shown.extend_from_slice(&data[..data.len().min(room)]);
            if data.len() > room {
                cut = true;
                break;
            }
        }
        let line = |(name, value): (&HeaderName, &HeaderValue)| {
            format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))
        };
        Ok(Came {
            status: parts.status.to_string(),
            status_class: look::status_class(parts.status.as_u16()),
            took: look::duration(u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)),
            head: parts.headers.iter().map(line).collect(),
            body: String::from_utf8_lossy(&shown).into_owned(),
            cut,
        })
    };
    // The connection ends with this.
    let driving = async {
        let _ = connection.await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        came = asking => came,
        () = driving => Err("The connection was closed.".to_owned()),
        () = tokio::time::sleep(PATIENCE) => {
            Err(format!("No whole response came within {} s.", PATIENCE.as_secs()))
        }
    }
}

#[derive(Template)]
#[template(path = "console/requests/replay.html")]
struct Replay<'a> {
    base: String,
    form: String,
    action: String,
    back: String,
    app: &'a str,
    draft: Draft,
    problem: Option<String>,
    came: Option<Came>,
}

/// The request that is to be sent again, and the authority of its app.
fn find(visit: &Visit, id: &str) -> Result<(RequestRecord, String), Refused> {
    let request = one(visit, id)?.0;
    let gone = || {
        let text = "The app of this request does not exist.".to_owned();
        Refused(StatusCode::NOT_FOUND, text)
    };
    let app = request.app.ok_or_else(gone)?;
    visit.console.platform.may_replay(&visit.who, app)?;
    let authority = authority(visit, &request).ok_or_else(gone)?;
    Ok((request, authority))
}

fn shown(
    visit: &Visit,
    request: &RequestRecord,
    draft: Draft,
    came: Option<Result<Came, String>>,
) -> Answer {
    let (came, problem) = match came {
        None => (None, None),
        Some(Ok(came)) => (Some(came), None),
        Some(Err(problem)) => (None, Some(problem)),
    };
    let (id, at) = (look::segment(&request.id), request.time.as_millisecond());
    let view = Replay {
        base: visit.link(""),
        form: visit.form(),
        action: visit.link(&format!("requests/{id}/replay?at={at}")),
        back: look::address(visit, request),
        app: request.app_name.as_deref().unwrap_or_default(),
        draft,
        problem,
        came,
    };
    let status =
        if view.problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Answer::view_with(visit, status, "Send it again", Place::Requests, &view)
}

/// `GET requests/{id}/replay`.
pub(super) async fn page(visit: Visit, Path((_, id)): Path<(String, String)>) -> Response {
    let answer = find(&visit, &id).map(|(request, _)| {
        let head = super::details::head(&visit, &request);
        let draft = Draft::of(&request, head.as_deref());
        shown(&visit, &request, draft, None)
    });
    visit.answer(Place::Requests, answer)
}

/// `POST requests/{id}/replay`.
pub(super) async fn send(Path((_, id)): Path<(String, String)>, sent: Sent) -> Response {
    let visit = &sent.visit;
    let (request, authority) = match find(visit, &id) {
        Ok(found) => found,
        Err(refused) => return visit.answer(Place::Requests, Err(refused)),
    };
    let draft = Draft::sent(&sent);
    let came = match draft.request(&authority, sent.fields.get("token").trim()) {
        Ok(request) => exchange(visit.console.port, request).await,
        Err(problem) => Err(problem),
    };
    visit.answer(Place::Requests, Ok(shown(visit, &request, draft, Some(came))))
}
