//! Tunnels of the API: calls whose response is followed by bytes both ways. The caller's access is
//! watched as for apps.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use hyper::Response;
use tokio::io::DuplexStream;
use tokio::sync::oneshot;

use super::access::Admission;

/// Bytes that wait in a tunnel, in each direction.
const WAITING: usize = 64 * 1024;

/// In the extensions of a call that asks to leave HTTP for this protocol, on a connection that can
/// do so.
#[derive(Debug, Clone)]
pub(crate) struct Upgrade(pub(crate) Box<[u8]>);

/// The tunnel that follows the response to a call.
#[derive(Debug)]
pub(crate) struct CallTunnel {
    /// The near end of the bytes.
    pub(crate) stream: DuplexStream,
    /// The caller.
    pub(crate) admission: Admission,
    /// Ready when the far end is done, and so has ended its protocol.
    pub(crate) done: oneshot::Receiver<()>,
}

/// The far end of a tunnel. Dropping it ends the tunnel; when the tunnel ends, it breaks.
pub(crate) struct FarEnd {
    pub(crate) stream: DuplexStream,
    /// Dropped after the stream.
    done: oneshot::Sender<()>,
}

impl FarEnd {
    /// The bytes, and what has to be dropped after them.
    pub(crate) fn into_parts(self) -> (DuplexStream, oneshot::Sender<()>) {
        (self.stream, self.done)
    }
}

/// A tunnel in the extensions of a response, which must be `Clone`.
#[derive(Clone)]
struct Inside(Arc<Mutex<Option<CallTunnel>>>);

impl CallTunnel {
    /// Creates a tunnel for this caller, and its far end.
    pub(crate) fn new(admission: Admission) -> (Self, FarEnd) {
        let (stream, far) = tokio::io::duplex(WAITING);
        let (is_done, done) = oneshot::channel();
        (Self { stream, admission, done }, FarEnd { stream: far, done: is_done })
    }

    /// Has the connection go on with the tunnel after this response, whose status is 101.
    pub(crate) fn put_into(self, response: &mut Response<Body>) {
        let inside = Inside(Arc::new(Mutex::new(Some(self))));
        response.extensions_mut().insert(inside);
    }

    /// Takes the tunnel that follows a response, if there is one.
    pub(crate) fn take_from<B>(response: &mut Response<B>) -> Option<Self> {
        let Inside(inside) = response.extensions_mut().remove::<Inside>()?;
        inside.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
