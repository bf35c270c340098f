//! Calls of the API that leave HTTP: their answer is followed by bytes both ways, for which the
//! caller's access is watched as for apps.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use hyper::Response;
use tokio::io::DuplexStream;

use super::access::Admission;

/// Bytes that wait in a tunnel, in each direction.
const WAITING: usize = 64 * 1024;

/// In the extensions of a call that asks to leave HTTP for this protocol, on a connection that can.
#[derive(Debug, Clone)]
pub(crate) struct Upgrade(pub(crate) Box<[u8]>);

/// What a call leaves HTTP for.
#[derive(Debug)]
pub(crate) struct CallTunnel {
    /// Gives and takes the bytes.
    pub(crate) stream: DuplexStream,
    /// The caller.
    pub(crate) admission: Admission,
}

/// A tunnel in the extensions of a response, which must be `Clone`.
#[derive(Clone)]
struct Inside(Arc<Mutex<Option<CallTunnel>>>);

impl CallTunnel {
    /// A tunnel for this caller, and its far end. It ends when the far end is dropped; the far end
    /// breaks when the tunnel has to end.
    pub(crate) fn new(admission: Admission) -> (Self, DuplexStream) {
        let (stream, far) = tokio::io::duplex(WAITING);
        (Self { stream, admission }, far)
    }

    /// Has the connection go on with the tunnel after this response, which has the status 101.
    pub(crate) fn put_into(self, response: &mut Response<Body>) {
        let inside = Inside(Arc::new(Mutex::new(Some(self))));
        response.extensions_mut().insert(inside);
    }

    /// The tunnel that follows a response, if one does.
    pub(crate) fn take_from<B>(response: &mut Response<B>) -> Option<Self> {
        let Inside(inside) = response.extensions_mut().remove::<Inside>()?;
        inside.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
