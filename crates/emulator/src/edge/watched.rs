//! An answer to a client of HTTP/2 whose end is noted.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::Worker;
use super::note::Note;
use crate::body::{BodyError, ServerBody};
use crate::gateway::Client;
use crate::seen::Aborted;

/// See the module.
pub(super) struct Watched {
    body: ServerBody,
    ended: bool,
    aborted: Option<Aborted>,
    sent: u64,
    /// Taken when it is written.
    note: Option<Note>,
    client: Client,
    worker: Arc<Worker>,
}

impl Watched {
    pub(super) fn new(
        body: ServerBody,
        head_only: bool,
        note: Note,
        client: Client,
        worker: Arc<Worker>,
    ) -> Self {
        let ended = head_only;
        Self { body, ended, aborted: None, sent: 0, note: Some(note), client, worker }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let unread = !self.ended && !self.body.is_end_stream();
        let aborted = self.aborted.or(unread.then_some(Aborted::Client));
        if let Some(mut note) = self.note.take() {
            note.bytes_out = self.sent;
            note.record(&self.worker, self.client, aborted);
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
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                self.sent += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
            Poll::Ready(Some(Err(_))) => self.aborted = Some(Aborted::App),
            Poll::Ready(None) => self.ended = true,
            Poll::Pending => {}
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
