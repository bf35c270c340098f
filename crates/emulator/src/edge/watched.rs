//! Requests of HTTP/2 under way: each is noted when it has ended, however that is. A connection
//! without any is closed after a while, and so is one whose client takes nothing of what it asked
//! for.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::Worker;
use super::note::Note;
use crate::body::{BodyError, ServerBody};
use crate::gateway::Client;
use crate::seen::Aborted;

/// What is under way on a connection.
#[derive(Debug, Clone)]
pub(super) struct Uses(Arc<Mutex<Counts>>);

#[derive(Debug)]
struct Counts {
    requests: usize,
    /// Answers of which some was given to be sent, and the client has no room for more.
    untaken: usize,
    /// When any of it changed.
    since: Instant,
}

impl Default for Uses {
    fn default() -> Self {
        let counts = Counts { requests: 0, untaken: 0, since: Instant::now() };
        Self(Arc::new(Mutex::new(counts)))
    }
}

impl Uses {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.lock();
        change(&mut counts);
        counts.since = Instant::now();
    }

    /// Until there was no request for so long.
    pub(super) async fn rested(&self, long: Duration) {
        self.until(long, |counts| counts.requests == 0).await;
    }

    /// Until for so long an answer waited for the client to take more, and nothing else moved.
    pub(super) async fn stuck(&self, long: Duration) {
        self.until(long, |counts| counts.untaken > 0).await;
    }

    async fn until(&self, long: Duration, holds: impl Fn(&Counts) -> bool) {
        loop {
            let held = {
                let counts = self.lock();
                if holds(&counts) { counts.since.elapsed() } else { Duration::ZERO }
            };
            if held >= long {
                return;
            }
            tokio::time::sleep(long.saturating_sub(held)).await;
        }
    }
}

/// A request under way; noted when this is dropped.
pub(super) struct Underway {
    note: Option<Note>,
    client: Client,
    worker: Arc<Worker>,
    uses: Uses,
    sent: u64,
    /// Whether the answer has come to its end.
    ended: bool,
    aborted: Option<Aborted>,
    /// Whether some of the answer was given to be sent, and nobody asked for more yet.
    untaken: bool,
}

impl Underway {
    pub(super) fn new(client: Client, worker: &Arc<Worker>, uses: &Uses) -> Self {
        uses.change(|counts| counts.requests += 1);
        let (worker, uses) = (Arc::clone(worker), uses.clone());
        Self {
            note: None,
            client,
            worker,
            uses,
            sent: 0,
            ended: false,
            aborted: None,
            untaken: false,
        }
    }

    fn set_untaken(&mut self, untaken: bool) {
        if self.untaken != untaken {
            self.untaken = untaken;
            self.uses.change(|counts| {
                counts.untaken = counts.untaken.saturating_add_signed(if untaken { 1 } else { -1 });
            });
        }
    }

    pub(super) fn note(&mut self) -> &mut Note {
        self.note.get_or_insert_with(|| Note::new(&self.worker, Vec::new()))
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.set_untaken(false);
        self.uses.change(|counts| counts.requests = counts.requests.saturating_sub(1));
        let aborted = self.aborted.or((!self.ended).then_some(Aborted::Client));
        if let Some(mut note) = self.note.take() {
            note.bytes_out = self.sent;
            note.record(&self.worker, self.client, aborted);
        }
    }
}

/// An answer on its way.
pub(super) struct Watched {
    body: ServerBody,
    head_only: bool,
    /// Rings when the caller would not be let in any more; made for answers that take longer than
    /// a moment.
    denied: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    underway: Underway,
}

impl Watched {
    pub(super) fn new(body: ServerBody, head_only: bool, mut underway: Underway) -> Self {
        underway.ended = head_only || body.is_end_stream();
        Self { body, head_only, denied: None, underway }
    }

    /// Ready when the caller would not be let in any more.
    fn poll_denied(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.denied.is_none() {
            let Some((principal, app)) = self.underway.note().admitted() else {
                return Poll::Pending;
            };
            let gateway = &self.underway.worker.gateway;
            self.denied = Some(Box::pin(gateway.until_denied(principal, app)));
        }
        self.denied.as_mut().map_or(Poll::Pending, |denied| denied.as_mut().poll(cx))
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
        // Asked for when the client has room.
        self.underway.set_untaken(false);
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if let Some(received) = self.body.received() {
            self.underway.note().bytes_in = received;
        }
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                self.underway.sent += frame.data_ref().map_or(0, |data| data.len() as u64);
                self.underway.ended = self.body.is_end_stream() || frame.is_trailers();
                let goes_on = !self.underway.ended;
                self.underway.set_untaken(goes_on);
            }
            Poll::Ready(Some(Err(_))) => self.underway.aborted = Some(Aborted::App),
            Poll::Ready(None) => self.underway.ended = true,
            Poll::Pending => {
                if self.poll_denied(cx).is_ready() {
                    self.underway.aborted = Some(Aborted::Access);
                    return Poll::Ready(Some(Err("the caller has no access any more".into())));
                }
            }
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
