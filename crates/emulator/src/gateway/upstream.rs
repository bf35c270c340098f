//! Connections to apps.
//!
//! A connection has no task of its own: it is driven by the task of the request that uses it,
//! so that a request crosses no channel between tasks and wakes no other thread. Between
//! requests it rests in the pool, where nobody drives it; whoever takes it out looks first
//! whether it is still good.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use ovhai_api_types::AppId;
use tokio::net::TcpStream;

pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that rested this long is closed.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);
/// So many connections of one replica rest at the most.
const IDLE_MAX: usize = 256;
/// Longest head of an answer, in bytes; also the read buffer's upper bound.
const HEAD_MAX: usize = 256 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    #[error("the app does not accept connections: {0}")]
    Connect(std::io::Error),
    #[error("the app accepts no connection in time")]
    ConnectTimeout,
    #[error("the app broke the connection off: {0}")]
    Broken(hyper::Error),
    #[error("the request's body is malformed or was broken off")]
    RequestBody,
    #[error("the app switches protocols though nobody asked it to")]
    Unasked,
}

/// What a request has for a body.
pub(crate) enum RequestBody {
    None,
    Client(Incoming),
}

impl From<Incoming> for RequestBody {
    fn from(body: Incoming) -> Self {
        if body.is_end_stream() { Self::None } else { Self::Client(body) }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::None => Poll::Ready(None),
            Self::Client(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::None => true,
            Self::Client(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::None => SizeHint::with_exact(0),
            Self::Client(body) => body.size_hint(),
        }
    }
}

/// Whose connection it is. The app is part of it: another app may get the same address.
pub(crate) type Peer = (AppId, SocketAddr);

struct Live {
    peer: Peer,
    sender: SendRequest<RequestBody>,
    connection: Pin<Box<Connection<TokioIo<TcpStream>, RequestBody>>>,
    reused: bool,
}

impl Live {
    async fn open(peer: Peer) -> Result<Self, UpstreamError> {
        let stream = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(peer.1))
            .await
            .map_err(|_| UpstreamError::ConnectTimeout)?
            .map_err(UpstreamError::Connect)?;
        stream.set_nodelay(true).map_err(UpstreamError::Connect)?;
        let (sender, connection) = http1::Builder::new()
            .preserve_header_case(false)
            .max_buf_size(HEAD_MAX)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(UpstreamError::Broken)?;
        Ok(Self { peer, sender, connection: Box::pin(connection), reused: false })
    }

    /// Drives the connection; says whether it has ended.
    fn drive(&mut self, cx: &mut Context<'_>) -> bool {
        self.connection.as_mut().poll(cx).is_ready()
    }
}

struct Resting {
    live: Live,
    since: Instant,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Pool {
    resting: Mutex<HashMap<Peer, Vec<Resting>>>,
}

impl Pool {
    /// A connection that is good as far as can be seen, the one used last first.
    fn take(&self, peer: Peer, cx: &mut Context<'_>) -> Option<Live> {
        loop {
            let mut live = {
                let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
                resting.get_mut(&peer)?.pop()?.live
            };
            if !live.drive(cx) && live.sender.is_ready() {
                live.reused = true;
                return Some(live);
            }
        }
    }

    fn put(&self, live: Live) {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let list = resting.entry(live.peer).or_default();
        if list.len() < IDLE_MAX {
            list.push(Resting { live, since: Instant::now() });
        }
    }

    /// Closes what rested too long; called from time to time.
    pub(crate) fn purge(&self) {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|_, list| {
            list.retain(|one| one.since.elapsed() < IDLE_TIMEOUT);
            !list.is_empty()
        });
    }
}

/// Sends a request to a replica.
///
/// An app may close a resting connection at the very moment when it is used again. A request of
/// which nothing was sent goes out again on a new connection; so does one that was sent but that
/// is safe to repeat (GET, HEAD, OPTIONS, without a body; RFC 9110 section 9.2.2). Nothing else
/// is tried again.
pub(crate) async fn send(
    pool: &Arc<Pool>,
    peer: Peer,
    mut request: Request<RequestBody>,
) -> Result<Response<UpstreamBody>, UpstreamError> {
    loop {
        let mut live = match poll_fn(|cx| Poll::Ready(pool.take(peer, cx))).await {
            Some(live) => live,
            None => Live::open(peer).await?,
        };
        let again = if live.reused { repeat(&request) } else { None };
        let mut ended = false;
        let outcome = {
            let mut answer = pin!(live.sender.try_send_request(request));
            poll_fn(|cx| {
                ended = ended || live.connection.as_mut().poll(cx).is_ready();
                answer.as_mut().poll(cx)
            })
            .await
        };
        match outcome {
            Ok(response) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                return Err(UpstreamError::Unasked);
            }
            Ok(response) => {
                let (head, body) = response.into_parts();
                let driver = (!ended).then(|| Driver { live, pool: Arc::clone(pool) });
                let mut body = UpstreamBody { body, driver };
                if body.body.is_end_stream() {
                    // Whoever gets it may not even look at an empty body.
                    poll_fn(|cx| {
                        body.finish(cx);
                        Poll::Ready(())
                    })
                    .await;
                }
                return Ok(Response::from_parts(head, body));
            }
            Err(mut error) => match error.take_message() {
                Some(unsent) if live.reused => request = unsent,
                _ => {
                    let error = error.into_error();
                    match again {
                        Some(again) if error.is_incomplete_message() || is_io(&error) => {
                            request = again;
                        }
                        _ if error.is_user() => return Err(UpstreamError::RequestBody),
                        _ => return Err(UpstreamError::Broken(error)),
                    }
                }
            },
        }
    }
}

/// A copy of a request that may be sent twice.
fn repeat(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !safe || !matches!(request.body(), RequestBody::None) {
        return None;
    }
    let mut copy = Request::new(RequestBody::None);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

fn is_io(error: &hyper::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}

struct Driver {
    live: Live,
    pool: Arc<Pool>,
}

/// The body of an app's answer; reading it drives the connection, and its end gives the
/// connection back. Dropping it early closes the connection, which tells the app.
pub struct UpstreamBody {
    body: Incoming,
    driver: Option<Driver>,
}

impl UpstreamBody {
    fn finish(&mut self, cx: &mut Context<'_>) {
        if let Some(mut driver) = self.driver.take()
            // Once more, so that the connection notes that it is free.
            && !driver.live.drive(cx)
            && driver.live.sender.is_ready()
        {
            driver.pool.put(driver.live);
        }
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        // The body first, which says that it wants more; then the connection, which gets it.
        let mut frame = Pin::new(&mut this.body).poll_frame(cx);
        if frame.is_pending()
            && let Some(driver) = &mut this.driver
        {
            if driver.live.drive(cx) {
                this.driver = None;
            }
            frame = Pin::new(&mut this.body).poll_frame(cx);
        }
        if matches!(frame, Poll::Ready(None)) || this.body.is_end_stream() {
            this.finish(cx);
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
