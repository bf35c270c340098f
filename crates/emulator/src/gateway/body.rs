//! The body of every response but those of apps to clients of HTTP/1.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::Gateway;
use super::access::CallerAccess;
use super::exchange::http2_client::{AppBody, BodyError};

/// A short body of the emulator's own, one of the API's, or one of an app's for a client of HTTP/2.
pub(crate) enum ServerBody {
    Full(Full<Bytes>),
    Api(axum::body::Body),
    App {
        body: Box<AppBody>,
        access: CallerAccess,
    },
    Grpc {
        body: Incoming,
        access: CallerAccess,
        /// The request is under way until the body has ended.
        _under_way: TaskTrackerToken,
    },
}

impl ServerBody {
    pub(crate) fn text(text: impl Into<Bytes>) -> Self {
        Self::Full(Full::new(text.into()))
    }

    /// Whether it is complete and the emulator's own: how long it takes depends on the client
    /// alone.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self, Self::Full(_) | Self::Api(_)) && self.size_hint().exact().is_some()
    }

    /// Ready when the caller's access to the app was revoked.
    pub(crate) fn poll_denied(&mut self, cx: &mut Context<'_>, gateway: &Gateway) -> Poll<()> {
        match self {
            Self::App { access, .. } | Self::Grpc { access, .. } => access.poll_denied(cx, gateway),
            Self::Full(_) | Self::Api(_) => Poll::Pending,
        }
    }

    /// Bytes of the request's body so far, if it goes on with the response.
    pub(crate) fn received(&self) -> Option<u64> {
        if let Self::App { body, .. } = self { Some(body.received()) } else { None }
    }
}

impl Body for ServerBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = match self.get_mut() {
            Self::Full(body) => {
                ready!(Pin::new(body).poll_frame(cx)).map(|f| f.map_err(Into::into))
            }
            Self::Api(body) => ready!(Pin::new(body).poll_frame(cx)).map(|f| f.map_err(Into::into)),
            Self::App { body, .. } => ready!(Pin::new(body).poll_frame(cx)),
            Self::Grpc { body, .. } => {
                ready!(Pin::new(body).poll_frame(cx)).map(|f| f.map_err(Into::into))
            }
        };
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(body) => body.is_end_stream(),
            Self::Api(body) => body.is_end_stream(),
            Self::App { body, .. } => body.is_end_stream(),
            Self::Grpc { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(body) => body.size_hint(),
            Self::Api(body) => body.size_hint(),
            Self::App { body, .. } => body.size_hint(),
            Self::Grpc { body, .. } => body.size_hint(),
        }
    }
}
