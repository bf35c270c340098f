//! A gRPC app that a test plays.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ovhai_api_types::App;
use ovhai_runtime::SimRuntime;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};

use crate::TestEmulator;
use crate::http2::{data, request};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// An app's answer.
enum Answer {
    Nothing,
    Frames(mpsc::Receiver<Result<Frame<Bytes>, Failure>>),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        match &mut *self {
            Self::Nothing => Poll::Ready(None),
            Self::Frames(frames) => frames.poll_recv(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

/// The last frame of an answer, with this status.
pub fn trailers(status: &'static str) -> Frame<Bytes> {
    let status = ("grpc-status".parse().unwrap(), status.parse().unwrap());
    Frame::trailers(HeaderMap::from_iter([status]))
}

/// The app's side of [`GrpcApp`].
#[derive(Clone)]
struct Reports {
    connections: Arc<AtomicUsize>,
    heads: mpsc::UnboundedSender<(String, HeaderMap)>,
    gone: mpsc::UnboundedSender<&'static str>,
    close: Arc<Notify>,
}

/// Reports when the future or task that owns it ends.
struct Gone(mpsc::UnboundedSender<&'static str>, &'static str);

impl Drop for Gone {
    fn drop(&mut self) {
        let _ = self.0.send(self.1);
    }
}

/// A gRPC server whose answer depends on the method: `Refuse`, `Hang`, `Deaf`, `Endless`, `Break`, or
/// any other, which echoes each message.
#[derive(Debug)]
pub struct GrpcApp {
    /// The address that it listens on.
    pub address: SocketAddr,
    /// Number of connections accepted.
    pub connections: Arc<AtomicUsize>,
    /// Address and headers of each request, and `trailers` with those of a request.
    pub heads: mpsc::UnboundedReceiver<(String, HeaderMap)>,
    /// Reports `hang` or `stream` when such a call ends.
    pub gone: mpsc::UnboundedReceiver<&'static str>,
    /// Closes a connection gracefully.
    pub close: Arc<Notify>,
}

impl GrpcApp {
    /// Starts it.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (heads, heard) = mpsc::unbounded_channel();
        let (gone, goes) = mpsc::unbounded_channel();
        let reports = Reports { connections: Arc::default(), heads, gone, close: Arc::default() };
        let (connections, close) = (Arc::clone(&reports.connections), Arc::clone(&reports.close));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                reports.connections.fetch_add(1, Ordering::SeqCst);
                let of_requests = reports.clone();
                let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .max_concurrent_streams(100)
                    .serve_connection(
                        TokioIo::new(stream),
                        service_fn(move |request| play(request, of_requests.clone())),
                    );
                let close = Arc::clone(&reports.close);
                tokio::spawn(async move {
                    let mut connection = std::pin::pin!(connection);
                    tokio::select! {
                        _ = connection.as_mut() => {}
                        () = close.notified() => {
                            connection.as_mut().graceful_shutdown();
                            let _ = connection.await;
                        }
                    }
                });
            }
        });
        Self { address, connections, heads: heard, gone: goes, close }
    }
}

async fn play(
    request: Request<Incoming>,
    reports: Reports,
) -> Result<Response<Answer>, Infallible> {
    let (head, mut body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let _ = reports.heads.send((head.uri.to_string(), head.headers));
    let mut response = Response::new(Answer::Nothing);
    let headers = response.headers_mut();
    headers.insert("content-type", "application/grpc".parse().unwrap());
    headers.insert("x-initial", "metadata".parse().unwrap());
    let (sender, frames) = mpsc::channel(1);
    match path.as_str() {
        "/t.T/Refuse" => {
            headers.insert("grpc-status", "7".parse().unwrap());
            headers.insert("grpc-message", "no%20way".parse().unwrap());
            return Ok(response);
        }
        "/t.T/Hang" | "/t.T/Deaf" => {
            let _gone = Gone(reports.gone, "hang");
            std::future::pending::<()>().await;
        }
        "/t.T/Endless" => {
            tokio::spawn(async move {
                let piece = Bytes::from(vec![7; 16 * 1024]);
                while sender.send(Ok(Frame::data(piece.clone()))).await.is_ok() {}
            });
        }
        "/t.T/Break" => {
            tokio::spawn(async move {
                let _ = sender.send(Ok(data(b"some"))).await;
                let _ = sender.send(Err("the app breaks off".into())).await;
            });
        }
        _ => {
            tokio::spawn(async move {
                let _gone = Gone(reports.gone, "stream");
                // Each message as it comes.
                while let Some(frame) = body.frame().await {
                    let Ok(frame) = frame else { return };
                    match frame.into_data() {
                        Ok(data) => {
                            if sender.send(Ok(Frame::data(data))).await.is_err() {
                                return;
                            }
                        }
                        Err(frame) => {
                            let trailers = frame.into_trailers().unwrap();
                            let _ = reports.heads.send(("trailers".to_owned(), trailers));
                        }
                    }
                }
                let _ = sender.send(Ok(trailers("0"))).await;
            });
        }
    }
    *response.body_mut() = Answer::Frames(frames);
    Ok(response)
}

/// The host of an app's gRPC address.
pub fn grpc_host(app: &App) -> String {
    TestEmulator::host(app).replacen(".app.", ".app-grpc.", 1)
}

/// An emulator with an app of this spec, which a test plays.
pub async fn playing(spec: Value) -> (GrpcApp, TestEmulator, App) {
    let played = GrpcApp::start().await;
    let sim = SimRuntime::automatic(played.address).with_grpc(played.address);
    let e = TestEmulator::with_sim(sim).await;
    let app = e.run_app(&[], spec).await;
    (played, e, app)
}

/// The spec of a gRPC app that needs no token.
pub fn open() -> Value {
    json!({"unsecureHttp": true, "grpcPort": 9000})
}

/// The head of a call.
pub fn call(host: &str, method: &str) -> hyper::http::request::Builder {
    request("POST", host, method)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
}
