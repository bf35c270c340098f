//! The open streams of a session: a bounded number.

use std::sync::{Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

/// Maximum streams of a session. Browsers open six connections to a host at most over HTTP/1.1; the
/// page of a stream beyond these polls.
const MOST: usize = 4;

/// The open streams of a session, oldest first.
#[derive(Debug, Default)]
pub(super) struct Streams(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    open: Vec<(u64, CancellationToken)>,
}

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
        if all.open.len() >= MOST {
            all.open.remove(0).1.cancel();
        }
        let number = all.next;
        all.next += 1;
        let replaced = CancellationToken::new();
        all.open.push((number, replaced.clone()));
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
        all.open.retain(|(number, _)| *number != self.number);
    }
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
}
