//! Images that live in this program, each a small HTTP server on a loopback port.
//!
//! `infrastructureascode/hello-world` is the guide's image and always says `Hello, World!`;
//! `ovhcom/ai-deploy-hello-world` greets the JSON string it is POSTed; `ovhai/echo` shows the
//! request that it got.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::pin::pin;

use base64::Engine;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use ovhai_api_types::{ImageName, Placement, Timestamp};
use ovhai_core::catalog::BuiltinImage;
use ovhai_core::ports::{
    Blame, Replica, ReplicaEndpoint, ReplicaEvent, ReplicaReporter, ReplicaRequest,
};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::task::{Control, replica};

/// Maximum body that a built-in image reads, in bytes.
const BODY_MAX: usize = 16 * 1024 * 1024;

/// A built-in image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Image {
    /// Always `Hello, World!`.
    HelloWorld,
    /// Greets the name that it is POSTed.
    Greeter,
    /// Shows the request.
    Echo,
}

const IMAGES: [(BuiltinImage, Image); 3] = [
    (
        BuiltinImage {
            reference: "infrastructureascode/hello-world",
            description: "Always says Hello, World!",
        },
        Image::HelloWorld,
    ),
    (
        BuiltinImage {
            reference: "ovhcom/ai-deploy-hello-world",
            description: "Greets the JSON string that it is POSTed",
        },
        Image::Greeter,
    ),
    (
        BuiltinImage { reference: "ovhai/echo", description: "Shows the request that it got" },
        Image::Echo,
    ),
];

/// All built-in images.
pub fn images() -> Vec<BuiltinImage> {
    IMAGES.iter().map(|(image, _)| *image).collect()
}

/// The built-in image of that name, with any tag.
pub fn find(reference: &str) -> Option<Image> {
    let wanted = ImageName::parse(reference);
    let is_it = |name: &str| ImageName::parse(name).repository() == wanted.repository();
    IMAGES.iter().find(|(builtin, _)| is_it(builtin.reference)).map(|(_, image)| *image)
}

/// The names of all built-in images.
pub fn names() -> impl Iterator<Item = &'static str> {
    IMAGES.iter().map(|(image, _)| image.reference)
}

pub(crate) fn launch(
    image: Image,
    request: ReplicaRequest,
    reporter: ReplicaReporter,
) -> Box<dyn Replica> {
    let (replica, control) = replica(Placement::Builtin);
    tokio::spawn(serve(image, request, reporter, control));
    Box::new(replica)
}

async fn serve(
    image: Image,
    request: ReplicaRequest,
    reporter: ReplicaReporter,
    mut control: Control,
) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let (listener, address) = match listener.and_then(|l| l.local_addr().map(|a| (l, a))) {
        Ok(bound) => bound,
        Err(error) => {
            let message = format!("There is no free loopback port for the app: {error}");
            reporter.report(ReplicaEvent::Exited { fault: Blame::Platform, status: None, message });
            return;
        }
    };
    let log = |text: String| request.logs.push(Timestamp::now(), request.replica, text);
    log(format!("{} listens on {address}", request.spec.image));
    let endpoint = ReplicaEndpoint::new(address).with_ports([(request.spec.http_port, address)]);
    reporter.report(ReplicaEvent::Ready(endpoint));
    let mut connections = JoinSet::new();
    let (stopping, stop) = watch::channel(());
    let grace = loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Out of file descriptors, or the peer has closed already: the next accept may succeed.
                Err(_) => { tokio::task::yield_now().await; continue }
            },
            Some(_) = connections.join_next() => continue,
            grace = control.stop.recv() => break grace.unwrap_or_default(),
        };
        let _ = stream.set_nodelay(true);
        let logs = std::sync::Arc::clone(&request.logs);
        let (replica, hello) = (request.replica, image == Image::HelloWorld);
        let service = service_fn(move |request: Request<Incoming>| {
            // The hello-world image is also the upstream of benchmarks: it keeps no access log.
            if !hello {
                let line = format!("{} {}", request.method(), request.uri().path());
                logs.push(Timestamp::now(), replica, line);
            }
            async move { Ok::<_, Infallible>(answer(image, request).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service);
        let mut stop = stop.clone();
        connections.spawn(async move {
            let mut connection = pin!(connection);
            tokio::select! {
                _ = connection.as_mut() => {}
                _ = stop.changed() => {
                    connection.as_mut().graceful_shutdown();
                    // The connection is closing: an error of it changes nothing.
                    let _ = connection.await;
                }
            }
        });
    };
    log("stopped".into());
    drop(listener);
    drop(stopping);
    // Requests in flight get their responses.
    let finish = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(grace, finish).await.is_err() {
        connections.shutdown().await;
    }
    drop(control.done);
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

async fn answer(image: Image, request: Request<Incoming>) -> Response<Full<Bytes>> {
    match image {
        Image::HelloWorld => text(StatusCode::OK, "Hello, World!"),
        Image::Greeter => greet(request).await,
        Image::Echo => echo(request).await,
    }
}

async fn greet(request: Request<Incoming>) -> Response<Full<Bytes>> {
    const USAGE: &str = "POST a JSON string, such as \"you\", to be greeted\n";
    match *request.method() {
        Method::GET | Method::HEAD => return text(StatusCode::OK, USAGE),
        Method::POST => {}
        _ => {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, USAGE);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
            return response;
        }
    }
    let Ok(body) = Limited::new(request.into_body(), BODY_MAX).collect().await else {
        return text(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large\n");
    };
    match serde_json::from_slice::<String>(&body.to_bytes()) {
        Ok(name) => text(StatusCode::OK, format!("Hello {name}!")),
        Err(_) => text(StatusCode::BAD_REQUEST, USAGE),
    }
}

#[derive(Serialize)]
struct Seen {
    method: String,
    target: String,
    path: String,
    query: Option<String>,
    version: String,
    headers: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(rename = "bodyBase64", skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
}

async fn echo(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_MAX).collect().await else {
        return text(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large\n");
    };
    let mut headers = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.entry(name.to_string()).or_default().push(value);
    }
    let (body, body_base64) = match String::from_utf8(body.to_bytes().into()) {
        Ok(text) => (Some(text), None),
        Err(error) => {
            (None, Some(base64::engine::general_purpose::STANDARD.encode(error.as_bytes())))
        }
    };
    let seen = Seen {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        version: format!("{:?}", head.version),
        headers,
        body,
        body_base64,
    };
    match serde_json::to_vec_pretty(&seen) {
        Ok(mut json) => {
            json.push(b'\n');
            let mut response = text(StatusCode::OK, json);
            let kind = HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, kind);
            response
        }
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        assert_eq!(find("infrastructureascode/hello-world"), Some(Image::HelloWorld));
        assert_eq!(find("docker.io/ovhcom/ai-deploy-hello-world:latest"), Some(Image::Greeter));
        assert_eq!(find("ovhai/echo@sha256:0"), Some(Image::Echo));
        for other in ["hello-world", "x/infrastructureascode/hello-world", "", "ovhai/echo2"] {
            assert_eq!(find(other), None, "{other:?}");
        }
    }
}
