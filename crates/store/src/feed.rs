//! The newest commits of a store, for watchers in this process.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use ovhai_core::ports::{BoxFuture, Commit, CommitWatch, Revision, WatchError, Write};
use tokio::sync::watch;

/// Maximum number of commits that are kept.
const MAX_COMMITS: usize = 64;
/// Maximum size of their records, in bytes; the newest commit is kept whatever its size.
const MAX_BYTES: usize = 64 * 1024;

#[derive(Debug, Default)]
struct Kept {
    commits: VecDeque<Commit>,
    bytes: usize,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Feed {
    kept: Mutex<Kept>,
    newest: watch::Sender<Revision>,
}

fn size(writes: &[Write]) -> usize {
    writes.iter().map(|write| write.key.len() + write.record.as_ref().map_or(0, String::len)).sum()
}

impl Feed {
    /// A feed of the commits after `newest`.
    pub(crate) fn new(newest: Revision) -> Self {
        Self { kept: Mutex::default(), newest: watch::Sender::new(newest) }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a commit; to be called in the order of revisions.
    pub(crate) fn push(&self, revision: Revision, writes: Vec<Write>) {
        let mut kept = self.lock();
        kept.bytes += size(&writes);
        kept.commits.push_back(Commit { revision, writes: writes.into() });
        while kept.commits.len() > MAX_COMMITS || (kept.bytes > MAX_BYTES && kept.commits.len() > 1)
        {
            let oldest = kept.commits.pop_front();
            kept.bytes -= oldest.map_or(0, |commit| size(&commit.writes));
        }
        self.newest.send_replace(revision);
    }

    pub(crate) fn watch(self: &Arc<Self>, from: Revision) -> Box<dyn CommitWatch> {
        let newest = self.newest.subscribe();
        Box::new(Follower { from, newest, feed: Arc::downgrade(self) })
    }

    /// The first commit after `from`; none if there is none yet.
    fn after(&self, from: Revision) -> Result<Option<Commit>, WatchError> {
        let kept = self.lock();
        let newest = *self.newest.borrow();
        if from == newest {
            return Ok(None);
        }
        // Revisions have no gaps.
        let next = from.0.checked_add(1).map(Revision);
        let next = kept.commits.iter().find(|commit| Some(commit.revision) == next);
        next.cloned().map(Some).ok_or(WatchError::Behind(from))
    }
}

struct Follower {
    from: Revision,
    newest: watch::Receiver<Revision>,
    feed: Weak<Feed>,
}

impl CommitWatch for Follower {
    fn next(&mut self) -> BoxFuture<'_, Result<Commit, WatchError>> {
        Box::pin(async {
            loop {
                self.newest.mark_unchanged();
                let next = self.feed.upgrade().ok_or(WatchError::Closed)?.after(self.from)?;
                if let Some(commit) = next {
                    self.from = commit.revision;
                    return Ok(commit);
                }
                self.newest.changed().await.map_err(|_| WatchError::Closed)?;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_watch_that_falls_behind_gets_an_error() {
        let feed = Arc::new(Feed::new(Revision(7)));
        let mut watch = feed.watch(Revision(7));
        for revision in 8..=8 + MAX_COMMITS as u64 {
            feed.push(Revision(revision), vec![Write::remove("a", revision)]);
        }
        assert_eq!(watch.next().await, Err(WatchError::Behind(Revision(7))));
        let mut watch = feed.watch(Revision(8));
        assert_eq!(watch.next().await.unwrap().revision, Revision(9));
        let large = || vec![Write::put("a", 1, "x".repeat(MAX_BYTES))];
        feed.push(Revision(73), large());
        feed.push(Revision(74), large());
        assert_eq!(watch.next().await, Err(WatchError::Behind(Revision(9))));
        let mut watch = feed.watch(Revision(73));
        assert_eq!(watch.next().await.unwrap().revision, Revision(74));
        drop(feed);
        assert_eq!(watch.next().await, Err(WatchError::Closed));
    }
}
