//! Views that follow the platform: a stream of server-sent events per view. An event is the view's
//! HTML, sent when it differs from what was sent before.

use std::convert::Infallible;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use tokio::sync::mpsc;

use super::visit::Visit;

/// Time between two events of a stream.
const PAUSE: Duration = Duration::from_millis(100);
/// Time between two renderings of a view that nothing wakes: ages, states of replicas.
const TICK: Duration = Duration::from_secs(5);

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
    let (to, receive) = mpsc::channel::<Bytes>(1);
    tokio::spawn(async move {
        let session = std::sync::Arc::clone(&visit.session);
        let open = session.streams.open();
        let console = std::sync::Arc::clone(&visit.console);
        let mut changes = console.platform.watch_changes();
        let mut last = None;
        loop {
            changes.mark_unchanged();
            let current = visit.again();
            let html = match current {
                Some(visit) => render(visit).await,
                None => None,
            };
            let Some(html) = html else {
                let _ = to.send(named_event("ended")).await;
                return;
            };
            let mut hasher = DefaultHasher::new();
            html.hash(&mut hasher);
            let hash = hasher.finish();
            if last != Some(hash) {
                last = Some(hash);
                if to.send(html_event(&html)).await.is_err() {
                    return;
                }
            }
            tokio::select! {
                () = to.closed() => return,
                () = console.stopping.cancelled() => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
            tokio::select! {
                () = to.closed() => return,
                () = console.stopping.cancelled() => return,
                () = session.ended.cancelled() => {
                    let _ = to.send(named_event("ended")).await;
                    return;
                }
                () = open.replaced() => {
                    let _ = to.send(named_event("poll")).await;
                    return;
                }
                outcome = changes.changed() => if outcome.is_err() { return },
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
    fn html_of_several_lines_is_one_event() {
        assert_eq!(html_event("<p>\na\n</p>"), "data: <p>\ndata: a\ndata: </p>\n\n");
    }
}
