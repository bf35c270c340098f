//! What an actor waits for.

use tokio::time::Instant;

use crate::ports::BoxFuture;

/// Waits until domain time has reached a moment; for ever without one.
pub(super) async fn reached(due: Option<BoxFuture<'_, ()>>) {
    match due {
        Some(due) => due.await,
        None => std::future::pending().await,
    }
}

/// Waits until a moment of real time; for ever without one.
pub(super) async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Waits for all of them.
pub(super) async fn join_all(futures: Vec<BoxFuture<'static, ()>>) {
    let mut tasks = tokio::task::JoinSet::new();
    for future in futures {
        tasks.spawn(future);
    }
    while tasks.join_next().await.is_some() {}
}
