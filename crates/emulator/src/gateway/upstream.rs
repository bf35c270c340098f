//! Connections to apps.
//!
//! A connection has no task of its own: the task of the request that uses it reads and writes it,
//! so that a request crosses no channel and wakes no other thread. Idle connections stay in the
//! pool of their worker; each is checked when it is taken out.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ovhai_core::replica::ReplicaKey;
use ovhai_wire::buffer::Buffer;
use ovhai_wire::response::InvalidResponse;
use rustix::io::Errno;
use tokio::net::TcpStream;

use super::refusal::Refusal;
use crate::limits::Limits;
use crate::telemetry::RefusalKind;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum idle time of a connection.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);
/// Maximum idle time of a connection for a request that can't be sent twice: apps close idle
/// connections after some seconds, perhaps at this very moment.
pub(crate) const FRESH: Duration = Duration::from_secs(1);
/// Errors of this process: too many files, or too many connections to the same address.
const OWN_ERRORS: [Errno; 5] =
    [Errno::MFILE, Errno::NFILE, Errno::ADDRNOTAVAIL, Errno::NOBUFS, Errno::NOMEM];
/// Maximum idle connections per replica and worker.
const IDLE_MAX: usize = 256;

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    #[error("the app does not accept connections: {0}")]
    Connect(std::io::Error),
    /// It is this process that can't; the app is not at fault.
    #[error("the emulator can open no more connections: {0}")]
    NoMore(std::io::Error),
    #[error("the app did not accept a connection in time")]
    ConnectTimeout,
    #[error("the app closed the connection before it answered")]
    Gone,
    #[error("the app's response is not valid HTTP/1.1: {0}")]
    InvalidResponse(&'static str),
    #[error("the head of the app's response is larger than {0} bytes (the limit answer-headers)")]
    TooLarge(usize),
    #[error("the app's response has more than {0} header lines (the limit answer-lines)")]
    TooManyFields(usize),
    #[error("the app switched protocols unasked")]
    Unasked,
    #[error("the app broke the connection off: {0}")]
    Http2(hyper::Error),
    #[error("the app did not answer in time")]
    TooSlow,
}

impl UpstreamError {
    fn of_connecting(error: std::io::Error) -> Self {
        let errno = error.raw_os_error().map(Errno::from_raw_os_error);
        let is_ours = errno.is_some_and(|errno| OWN_ERRORS.contains(&errno));
        if is_ours { Self::NoMore(error) } else { Self::Connect(error) }
    }

    pub(super) fn of_answer(rubbish: InvalidResponse, limits: &Limits) -> Self {
        match rubbish {
            InvalidResponse::Because(why) => Self::InvalidResponse(why),
            InvalidResponse::TooManyFields => Self::TooManyFields(limits.answer_fields_max),
        }
    }
}

impl UpstreamError {
    /// The replica's fault, for the log; none if it is not at fault.
    pub(super) fn fault(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoMore(_) => return None,
            Self::Connect(_) | Self::ConnectTimeout => "it does not accept connections",
            Self::Gone | Self::Http2(_) => "it broke the connection off",
            Self::InvalidResponse(_) | Self::Unasked => "it does not speak HTTP/1.1",
            Self::TooLarge(_) | Self::TooManyFields(_) => {
                "the head of its response exceeds a limit"
            }
            Self::TooSlow => "it did not answer in time",
        })
    }
}

impl From<UpstreamError> for Refusal {
    fn from(error: UpstreamError) -> Self {
        let kind = match error {
            UpstreamError::ConnectTimeout | UpstreamError::TooSlow => RefusalKind::GatewayTimeout,
            UpstreamError::NoMore(_) => RefusalKind::Exhausted,
            _ => RefusalKind::BadGateway,
        };
        Self::new(kind, error.to_string())
    }
}

/// An address of a replica. The run of the replica is part of it: a later one, or another app's, may
/// get the same address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ReplicaAddress {
    pub(crate) replica: ReplicaKey,
    pub(crate) address: SocketAddr,
}

/// A connection to a replica.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) peer: ReplicaAddress,
    pub(crate) stream: TcpStream,
    pub(crate) buffer: Buffer,
    /// Whether it served a request before.
    pub(crate) reused: bool,
}

impl Upstream {
    pub(crate) async fn open(peer: ReplicaAddress) -> Result<Self, UpstreamError> {
        let stream = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(peer.address))
            .await
            .map_err(|_| UpstreamError::ConnectTimeout)?
            .map_err(UpstreamError::of_connecting)?;
        stream.set_nodelay(true).map_err(UpstreamError::Connect)?;
        Ok(Self { peer, stream, buffer: Buffer::default(), reused: false })
    }

    /// Whether the app has neither closed it nor sent anything unasked.
    fn is_good(&self) -> bool {
        let looked = self.stream.try_read(&mut [0]);
        looked.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }
}

#[derive(Debug)]
struct Resting {
    upstream: Upstream,
    since: Instant,
}

/// The idle connections of a worker.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    resting: Mutex<HashMap<ReplicaAddress, Vec<Resting>>>,
}

impl Pool {
    /// Takes an idle connection that still looks good, the one used last first; none that was idle
    /// longer than `at_most`.
    pub(crate) fn take(&self, peer: ReplicaAddress, at_most: Duration) -> Option<Upstream> {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let list = resting.get_mut(&peer)?;
        loop {
            let Resting { upstream, since } = list.pop()?;
            if since.elapsed() <= at_most && upstream.is_good() {
                return Some(upstream);
            }
        }
    }

    /// Keeps a connection that has served a request to its end, unless the app has sent more.
    pub(crate) fn put_back(&self, mut upstream: Upstream) {
        if !upstream.buffer.is_empty() {
            return;
        }
        upstream.reused = true;
        upstream.buffer.shrink();
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let list = resting.entry(upstream.peer).or_default();
        if list.len() < IDLE_MAX {
            list.push(Resting { upstream, since: Instant::now() });
        }
    }

    /// Closes all of them: their files are needed for other connections.
    pub(crate) fn clear(&self) {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Closes those that were idle too long; called from time to time.
    pub(crate) fn purge(&self) {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|_, list| {
            list.retain(|one| one.since.elapsed() < IDLE_TIMEOUT && one.upstream.is_good());
            !list.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_errors_are_attributed() {
        let refusal = |errno: Errno| {
            let refusal = Refusal::from(UpstreamError::of_connecting(errno.into()));
            let mut body = Vec::new();
            refusal.body(&mut body);
            let body = String::from_utf8_lossy(&body).replace("{\"message\":\"", "");
            let why = body.split(':').next().unwrap_or_default().to_owned();
            (refusal.status().as_u16(), why)
        };
        for ours in OWN_ERRORS {
            let expected = (503, "the emulator can open no more connections".to_owned());
            assert_eq!(refusal(ours), expected, "{ours:?}");
        }
        for of_app in [Errno::CONNREFUSED, Errno::CONNRESET, Errno::HOSTUNREACH] {
            let expected = (502, "the app does not accept connections".to_owned());
            assert_eq!(refusal(of_app), expected, "{of_app:?}");
        }
    }
}
