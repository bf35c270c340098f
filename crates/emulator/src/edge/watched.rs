//! Requests of HTTP/2 under way. Each is recorded when it has ended, in whatever way; a connection
//! without any is closed after a while.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use ovhai_wire::stream::Peer;

use super::Worker;
use super::idle::IdleGuard;
use super::outgoing::Meanwhile;
use super::share::Share;
use crate::gateway::body::ServerBody;
use crate::gateway::exchange::http2_client::BodyError;

use crate::telemetry::{Aborted, Note, Protocol};

/// The number of a connection's requests under way, and its registration as idle.
#[derive(Debug, Clone)]
pub(super) struct Uses(Arc<(Mutex<Counts>, IdleGuard)>);

#[derive(Debug)]
struct Counts {
    under_way: usize,
    /// Requests that are not authorized (yet).
    idle: usize,
    /// When one of these changed last.
    since: Instant,
}

impl Uses {
    /// Counts from zero.
    pub(super) fn new(idle: IdleGuard) -> Self {
        let now = Instant::now();
        idle.set_waiting(now);
        Self(Arc::new((Mutex::new(Counts { under_way: 0, idle: 0, since: now }), idle)))
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.lock();
        change(&mut counts);
        counts.since = Instant::now();
        if counts.under_way == counts.idle {
            self.0.1.set_waiting(counts.since);
        } else {
            self.0.1.set_busy();
        }
    }

    /// Waits until the connection is asked to close, and no authorized request would be lost with
    /// it.
    pub(super) async fn evicted(&self) {
        poll_fn(|cx| {
            ready!(self.0.1.poll_evicted(cx));
            let counts = self.lock();
            if counts.under_way == counts.idle { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Waits until there was no request for `long`.
    pub(super) async fn rested(&self, long: Duration) {
        loop {
            let rested = {
                let counts = self.lock();
                if counts.under_way == 0 { counts.since.elapsed() } else { Duration::ZERO }
            };
            if rested >= long {
                return;
            }
            tokio::time::sleep(long.saturating_sub(rested)).await;
        }
    }
}

/// A request under way; recorded when this is dropped.
pub(super) struct Underway {
    note: Option<Note>,
    client: Peer,
    worker: Arc<Worker>,
    uses: Uses,
    /// The share in the connections to apps, of a request to an app.
    pub(super) share: Option<Share>,
    is_idle: bool,
    sent: u64,
    /// Whether the response has come to its end.
    ended: bool,
    aborted: Option<Aborted>,
}

impl Underway {
    pub(super) fn new(client: Peer, worker: &Arc<Worker>, uses: &Uses) -> Self {
        uses.change(|counts| counts.under_way += 1);
        let (worker, uses) = (Arc::clone(worker), uses.clone());
        Self {
            note: None,
            client,
            worker,
            uses,
            share: None,
            is_idle: false,
            sent: 0,
            ended: false,
            aborted: None,
        }
    }

    /// Sets whether an unauthorized request waits for its client: then the connection may be closed
    /// to make room.
    pub(super) fn set_idle(&mut self, is_idle: bool) {
        if self.is_idle != is_idle {
            self.is_idle = is_idle;
            let change = |idle: usize| if is_idle { idle + 1 } else { idle.saturating_sub(1) };
            self.uses.change(|counts| counts.idle = change(counts.idle));
        }
    }

    pub(super) fn note(&mut self) -> &mut Note {
        self.note.get_or_insert_with(|| self.worker.note(Protocol::Http2, Vec::new()))
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        let idle = usize::from(self.is_idle);
        self.uses.change(|counts| {
            counts.under_way = counts.under_way.saturating_sub(1);
            counts.idle = counts.idle.saturating_sub(idle);
        });
        let aborted = self.aborted.or((!self.ended).then_some(Aborted::Client));
        // Also a request that was given up before it was planned.
        let mut note =
            self.note.take().unwrap_or_else(|| self.worker.note(Protocol::Http2, Vec::new()));
        note.bytes_out = self.sent;
        self.worker.record(note, self.client, aborted);
    }
}

/// A response on its way.
pub(super) struct Watched {
    body: ServerBody,
    head_only: bool,
    underway: Underway,
}

impl Watched {
    pub(super) fn new(body: ServerBody, head_only: bool, mut underway: Underway) -> Self {
        underway.ended = head_only || body.is_end_stream();
        Self { body, head_only, underway }
    }

    /// Ready when the caller's access was revoked.
    fn poll_denied(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.body.poll_denied(cx, &self.underway.worker.relay.gateway)
    }
}

impl Meanwhile for Watched {
    fn poll_meanwhile(&mut self, cx: &mut Context<'_>) {
        if let ServerBody::App { body, .. } = &mut self.body {
            body.poll_upload(cx);
        }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.head_only {
            return Poll::Ready(None);
        }
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if let Some(received) = self.body.received() {
            self.underway.note().bytes_in = received;
        }
        let goes_on = match &frame {
            Poll::Pending => true,
            // Most responses are one piece. A response of several may have them without a pause, so
            // that access has to be checked between them.
            Poll::Ready(Some(Ok(frame))) => {
                frame.is_data() && self.underway.sent > 0 && !self.body.is_end_stream()
            }
            Poll::Ready(_) => false,
        };
        if goes_on && self.poll_denied(cx).is_ready() {
            self.underway.aborted = Some(Aborted::Access);
            return Poll::Ready(Some(Err("the caller has no access any more".into())));
        }
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                self.underway.sent += frame.data_ref().map_or(0, |data| data.len() as u64);
                self.underway.ended = self.body.is_end_stream() || frame.is_trailers();
            }
            Poll::Ready(Some(Err(_))) => self.underway.aborted = Some(Aborted::App),
            Poll::Ready(None) => self.underway.ended = true,
            Poll::Pending => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.head_only || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
