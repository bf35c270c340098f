//! Views that follow the platform: a stream of server-sent events per view. An event is the view's
//! HTML, sent when it differs from what was sent before.

use std::convert::Infallible;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::visit::Visit;

/// Maximum streams of a session. Browsers open six connections to a host at most over HTTP/1.1; the
/// page of a stream beyond these polls.
const MOST: usize = 4;
/// Time between two events of a stream.
const PAUSE: Duration = Duration::from_millis(100);
/// Time between two renderings of a view that nothing wakes: ages, states of replicas.
const TICK: Duration = Duration::from_secs(5);

/// The open streams of a session, oldest first.
#[derive(Debug, Default)]
pub(super) struct Streams(Mutex<Vec<(u64, CancellationToken)>>);

/// An open stream. Dropping it frees its place.
pub(super) struct Open<'a> {
    streams: &'a Streams,
    number: u64,
    /// Cancelled when a newer stream takes its place.
    replaced: CancellationToken,
}

impl Streams {
    /// Takes a place, from the oldest stream if there is none.
    pub(super) fn open(&self) -> Open<'_> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.remove(0).1.cancel();
        }
        let number = all.last().map_or(0, |(last, _)| last + 1);
        let replaced = CancellationToken::new();
        all.push((number, replaced.clone()));
        Open { streams: self, number, replaced }
    }
}

impl Open<'_> {
    /// Waits until a newer stream takes its place.
    pub(super) async fn replaced(&self) {
        self.replaced.cancelled().await;
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let mut all = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(number, _)| *number != self.number);
    }
}

/// A name for the stream of a query: the element of another query is another one, which opens its
/// own stream.
pub(super) fn key(query: &str) -> String {
    let mut hasher = DefaultHasher::new();
    query.hash(&mut hasher);
    format!("{:x}", hasher.finish())
}

/// An event of HTML.
pub(super) fn html_event(html: &str) -> Bytes {
    let mut event = String::with_capacity(html.len() + 64);
    for line in html.lines() {
        event += "data: ";
        event += line;
        event += "\n";
    }
    event += "\n";
    event.into()
}

/// An event that the page's script reacts to.
pub(super) fn named_event(name: &str) -> Bytes {
    format!("event: {name}\ndata: {name}\n\n").into()
}

/// Answers with a stream of a view, which `render` renders; none if the caller has no access to it
/// any more, which ends the stream.
pub(super) fn stream<R, F>(visit: Visit, render: R) -> Response
where
    R: FnMut(Visit) -> F + Send + 'static,
    F: Future<Output = Option<String>> + Send,
{
    stream_woken(visit, render, std::future::pending)
}

/// The same for a view that other things change than commits: it is rendered again when the future
/// of `wake` ends, too.
pub(super) fn stream_woken<R, F, W, G>(visit: Visit, mut render: R, mut wake: W) -> Response
where
    R: FnMut(Visit) -> F + Send + 'static,
    F: Future<Output = Option<String>> + Send,
    W: FnMut() -> G + Send + 'static,
    G: Future<Output = ()> + Send,
{
    let (send, receive) = mpsc::channel::<Bytes>(1);
    tokio::spawn(async move {
        let session = std::sync::Arc::clone(&visit.session);
        let open = session.streams.open();
        let console = std::sync::Arc::clone(&visit.console);
        let mut changes = console.platform.watch_changes();
        let mut sent = None;
        loop {
            changes.mark_unchanged();
            let current = visit.again();
            let html = match current {
                Some(visit) => render(visit).await,
                None => None,
            };
            let Some(html) = html else {
                let _ = send.send(named_event("ended")).await;
                return;
            };
            let mut hasher = DefaultHasher::new();
            html.hash(&mut hasher);
            let hash = hasher.finish();
            if sent != Some(hash) {
                sent = Some(hash);
                if send.send(html_event(&html)).await.is_err() {
                    return;
                }
            }
            tokio::select! {
                () = send.closed() => return,
                () = console.stopping.cancelled() => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
            tokio::select! {
                () = send.closed() => return,
                () = console.stopping.cancelled() => return,
                () = session.ended.cancelled() => {
                    let _ = send.send(named_event("ended")).await;
                    return;
                }
                () = open.replaced() => {
                    let _ = send.send(named_event("poll")).await;
                    return;
                }
                changed = changes.changed() => if changed.is_err() { return },
                () = wake() => {}
                () = tokio::time::sleep(TICK) => {}
            }
        }
    });
    let body = stream::unfold(receive, |mut receive| async {
        receive.recv().await.map(|bytes| (Ok::<_, Infallible>(bytes), receive))
    });
    events(Body::from_stream(body))
}

/// A response with server-sent events.
pub(super) fn events(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_too_many_streams_is_replaced() {
        let streams = Streams::default();
        let mut open: Vec<_> = (0..MOST).map(|_| streams.open()).collect();
        assert!(open.iter().all(|open| !open.replaced.is_cancelled()));
        let fifth = streams.open();
        let replaced: Vec<_> = open.iter().map(|open| open.replaced.is_cancelled()).collect();
        assert_eq!(replaced, [true, false, false, false]);
        drop(open.remove(0));
        drop(open.remove(0));
        drop(streams.open());
        assert!(open.iter().all(|open| !open.replaced.is_cancelled()));
        assert!(!fifth.replaced.is_cancelled());
    }

    #[test]
    fn html_of_several_lines_is_one_event() {
        assert_eq!(html_event("<p>\na\n</p>"), "data: <p>\ndata: a\ndata: </p>\n\n");
    }
}
