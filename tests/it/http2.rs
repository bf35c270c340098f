//! The limits of clients that speak HTTP/2.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame};
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ovhai_emulator::Limits;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

use crate::wire::{SOON, Wire};

/// A body that comes as the test sends it.
struct Pieces(mpsc::UnboundedReceiver<&'static str>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.0.poll_recv(cx);
        piece.map(|piece| piece.map(|piece| Ok(Frame::data(Bytes::from(piece)))))
    }
}

type Answer = (StatusCode, String);

/// An upload to the app, and its answer.
async fn upload(wire: &Wire) -> (UnboundedSender<&'static str>, JoinHandle<Answer>) {
    let stream = TcpStream::connect(wire.e.address()).await.unwrap();
    let handshake =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut client, connection) = handshake.await.unwrap();
    tokio::spawn(connection);
    let (body, pieces) = mpsc::unbounded_channel();
    let request = Request::put(format!("http://{}/upload", wire.host));
    let request = request.body(Pieces(pieces)).unwrap();
    let answer = tokio::spawn(async move {
        let asked = tokio::time::timeout(SOON, client.send_request(request));
        let answer = asked.await.expect("an answer in time").unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    });
    (body, answer)
}

#[tokio::test]
async fn an_upload_may_take_longer_than_an_answer() {
    let limits = Limits { answer_timeout: Duration::from_secs(1), ..Limits::default() };
    let wire = Wire::with(limits, json!({"unsecureHttp": true})).await;
    let (body, answer) = upload(&wire).await;
    body.send("first,").unwrap();
    // This time is what the test is about.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    body.send("second").unwrap();
    drop(body);
    assert_eq!(answer.await.unwrap(), (StatusCode::OK, "PUT /upload".to_owned()));
    let seen = wire.seen.of("/upload").remove(0).body.unwrap();
    let chunks = "6\r\nfirst,\r\n6\r\nsecond\r\n0\r\n\r\n";
    assert_eq!(String::from_utf8(seen).unwrap(), chunks);
    wire.e.emulator.shutdown().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_408() {
    let limits = Limits { body_timeout: Duration::from_millis(100), ..Limits::default() };
    let wire = Wire::with(limits, json!({"unsecureHttp": true})).await;
    let (body, answer) = upload(&wire).await;
    body.send("first,").unwrap();
    let (status, said) = answer.await.unwrap();
    assert_eq!(status, StatusCode::REQUEST_TIMEOUT, "{said}");
    assert!(said.contains("does not come in time"), "{said}");
    drop(body);
    wire.e.emulator.shutdown().await;
}

/// As with HTTP/1: what routes or frames a message, or says who sends it, is no trailer.
#[tokio::test]
async fn trailers_and_targets_are_checked() {
    let wire = Wire::start().await;
    let stream = TcpStream::connect(wire.e.address()).await.unwrap();
    let handshake =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut client, connection) = handshake.await.unwrap();
    tokio::spawn(connection);
    let mut ask = async |target: &str| {
        let (body, pieces) = mpsc::unbounded_channel();
        body.send("hello").unwrap();
        drop(body);
        let mut trailers = hyper::HeaderMap::new();
        for name in ["x-sum", "authorization", "cookie", "x-forwarded-for", "x-ovhai-token", "host"]
        {
            trailers.insert(name, "1".parse().unwrap());
        }
        let body = Pieces(pieces).with_trailers(std::future::ready(Some(Ok(trailers))));
        let request = Request::put(format!("http://{}{target}", wire.host)).body(body).unwrap();
        let answer = tokio::time::timeout(SOON, client.send_request(request)).await;
        answer.expect("an answer in time").unwrap().status()
    };
    assert_eq!(ask("/trailers").await, StatusCode::OK);
    assert_eq!(ask("/\u{fc}").await, StatusCode::BAD_REQUEST);
    let seen = wire.seen.of("/trailers").remove(0).body.unwrap();
    let chunks = "5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n";
    assert_eq!(String::from_utf8(seen).unwrap(), chunks);
    wire.e.emulator.shutdown().await;
}
