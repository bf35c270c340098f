//! Commands without an end of their own. Ctrl-C or a closed output ends them, silently.

use std::future::pending;
use std::io;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::sync::oneshot;

use crate::context::interrupted;
use crate::error::{Failure, INTERRUPTED, Result};

/// Runs until Ctrl-C.
pub(crate) fn until_interrupted<T>(
    work: impl Future<Output = Result<T>>,
) -> impl Future<Output = Result<T>> {
    // Boxed, or every command's future would contain it twice.
    let work = Box::pin(work);
    async {
        tokio::select! {
            biased;
            outcome = work => outcome,
            () = interrupted() => Err(Failure::silent(INTERRUPTED)),
        }
    }
}

/// Runs until Ctrl-C, or until the reader of standard output is gone, which a command that rarely
/// writes would notice late.
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
    // A thread that ends with the program: tokio can't watch a borrowed descriptor without
    // `unsafe`.
    let watcher = std::thread::Builder::new().spawn(move || {
        let out = io::stdout();
        // No events are requested: errors are always reported. A file has none.
        while poll(&mut [PollFd::new(&out, PollFlags::empty())], None) == Err(Errno::INTR) {}
        // The command may have ended.
        let _ = gone.send(());
    });
    if watcher.is_err() || told.await.is_err() {
        pending::<()>().await;
    }
}
