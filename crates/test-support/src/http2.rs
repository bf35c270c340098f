//! A client that speaks HTTP/2, with request bodies that a test sends piece by piece.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::TestEmulator;
use crate::raw::SOON;

/// A body of unknown length whose frames a test sends.
#[derive(Debug)]
pub struct Piped(pub mpsc::Receiver<Frame<Bytes>>);

impl Body for Piped {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|frame| frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_closed() && self.0.is_empty()
    }
}

/// The sending end of a [`Piped`] body; dropping it ends the body.
pub type Pipe = mpsc::Sender<Frame<Bytes>>;

/// A body, and its sending end.
pub fn pipe() -> (Pipe, Piped) {
    let (sender, receiver) = mpsc::channel(1);
    (sender, Piped(receiver))
}

/// A body that has ended.
pub fn empty() -> Piped {
    pipe().1
}

/// A frame of data.
pub fn data(bytes: &[u8]) -> Frame<Bytes> {
    Frame::data(Bytes::copy_from_slice(bytes))
}

/// A connection that speaks HTTP/2 from its first byte (prior knowledge).
#[derive(Debug)]
pub struct Client {
    /// Sends requests; cloned for concurrent ones.
    pub sender: SendRequest<Piped>,
    /// Ends with the connection.
    pub driver: JoinHandle<Result<(), hyper::Error>>,
}

impl Client {
    /// Connects to an emulator.
    pub async fn connect(e: &TestEmulator) -> Self {
        Self::to(e.address()).await
    }

    /// Connects to an emulator, with a window of the connection that has room for those of this many
    /// responses. By default two that are not read leave the third one half, and the fourth none.
    pub async fn with_room_for(e: &TestEmulator, responses: u32) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        let window = 1024 * 1024;
        builder.initial_stream_window_size(window);
        builder.initial_connection_window_size(window * responses);
        Self::begin(e.address(), &builder).await
    }

    /// Connects to any server.
    pub async fn to(address: SocketAddr) -> Self {
        Self::begin(address, &Builder::new(TokioExecutor::new())).await
    }

    async fn begin(address: SocketAddr, builder: &Builder<TokioExecutor>) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
        Self { sender, driver: tokio::spawn(connection) }
    }

    /// Sends a request and waits for the head of its answer.
    pub async fn send(&self, request: Request<Piped>) -> Response<Incoming> {
        let mut sender = self.sender.clone();
        let answer = async {
            sender.ready().await.unwrap();
            sender.send_request(request).await
        };
        tokio::time::timeout(SOON, answer).await.expect("an answer").unwrap()
    }

    /// Sends a GET and waits for the head of its answer.
    pub async fn get(&self, host: &str, target: &str) -> Response<Incoming> {
        self.send(request("GET", host, target).body(empty()).unwrap()).await
    }
}

/// The head of a request.
pub fn request(method: &str, host: &str, target: &str) -> hyper::http::request::Builder {
    Request::builder().method(method).uri(format!("http://{host}{target}"))
}

/// The body of an answer and its trailers. The body has to be complete.
pub async fn text(response: Response<Incoming>) -> (Bytes, Option<HeaderMap>) {
    let body = tokio::time::timeout(SOON, response.into_body().collect());
    let body = body.await.expect("the end of the body").expect("a complete body");
    let trailers = body.trailers().cloned();
    (body.to_bytes(), trailers)
}
