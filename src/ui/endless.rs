//! Commands that have no end of their own: they end when somebody interrupts them, or when nobody
//! reads any more, and say nothing about it.

use std::future::pending;
use std::io;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::sync::oneshot;

use crate::context::interrupted;
use crate::error::{Failure, INTERRUPTED, Result};

/// Goes on until Ctrl-C.
pub(crate) fn until_interrupted<T>(
    work: impl Future<Output = Result<T>>,
) -> impl Future<Output = Result<T>> {
    // Boxed: it would be there twice, in every command's future.
    let work = Box::pin(work);
    async {
        tokio::select! {
            biased;
            outcome = work => outcome,
            () = interrupted() => Err(Failure::silent(INTERRUPTED)),
        }
    }
}

/// Goes on until Ctrl-C, or until the reader of the standard output has gone: whoever writes
/// seldom would notice only then.
pub(crate) fn while_read<T>(
    work: impl Future<Output = Result<T>>,
) -> impl Future<Output = Result<T>> {
    let work = Box::pin(work);
    until_interrupted(async {
        tokio::select! {
            biased;
            outcome = work => outcome,
            () = reader_gone() => Err(Failure::silent(0)),
        }
    })
}

async fn reader_gone() {
    let (gone, told) = oneshot::channel();
    // A thread that ends with the program: tokio watches no descriptors of others without `unsafe`.
    let watcher = std::thread::Builder::new().spawn(move || {
        let out = io::stdout();
        // Nothing is asked for: that it is broken is always told. A file never is.
        while poll(&mut [PollFd::new(&out, PollFlags::empty())], None) == Err(Errno::INTR) {}
        // The command may have ended.
        let _ = gone.send(());
    });
    if watcher.is_err() || told.await.is_err() {
        pending::<()>().await;
    }
}
