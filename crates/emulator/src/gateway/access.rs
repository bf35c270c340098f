//! Whether a caller that was let in still would be, while its request is under way.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::Gateway;
use crate::edge::note::Note;

/// Nearly all requests without a body are answered by then: nobody watches them.
pub(crate) const MOMENT: Duration = Duration::from_millis(500);

/// Watches a caller from the first time it is asked.
#[derive(Default)]
pub(crate) struct Access(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Access {
    /// Ready when the caller would not be let in any more; never for who was not let in by the
    /// gateway.
    pub(crate) fn poll_denied(
        &mut self,
        cx: &mut Context<'_>,
        gateway: &Gateway,
        note: &Note,
    ) -> Poll<()> {
        if self.0.is_none() {
            let Some(admission) = note.admitted() else { return Poll::Pending };
            self.0 = Some(Box::pin(gateway.until_denied(admission)));
        }
        self.0.as_mut().map_or(Poll::Pending, |denied| denied.as_mut().poll(cx))
    }
}
