//! Chooses the replica for a request, and takes replicas out that fail.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hyper::header::HeaderValue;
use ovhai_core::directory::{AppEntry, Backend};
use ovhai_core::model::Wanted;
use ovhai_core::ports::ReplicaEndpoint;
use ovhai_core::replica::ReplicaKey;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::affinity::Pin;
use super::refusal::Refusal;
use super::upstream::ReplicaAddress;
use super::{Gateway, health};
use crate::telemetry::RefusalKind;

/// The port of a replica that a request goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplicaPort {
    Own,
    Port(u16),
    Grpc,
}

impl ReplicaPort {
    fn at(self, endpoint: &ReplicaEndpoint) -> Option<SocketAddr> {
        match self {
            Self::Own => Some(endpoint.http),
            Self::Port(port) => endpoint.at(port),
            Self::Grpc => endpoint.grpc(),
        }
    }
}

/// The route of a request to a replica.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) to: ReplicaAddress,
    pub(crate) place: ReplicaPort,
    /// Held as long as the request is under way: a replica drains before it is stopped.
    pub(crate) under_way: TaskTrackerToken,
    /// The `Authorization` is the app's, not ours.
    pub(crate) keeps_authorization: bool,
    /// The host that the browser uses, if it is another one than the request's.
    pub(crate) forwarded_host: Option<Box<str>>,
    /// The replica that the request should go to.
    pub(super) pin: Pin,
    /// Pins the client to the replica, if it did not come with that pin.
    pub(crate) set_cookie: Option<HeaderValue>,
    /// Replicas that failed with this request.
    pub(super) failed: Vec<ReplicaKey>,
}

/// A replica that was chosen for a request.
pub(super) struct Chosen {
    pub(super) to: ReplicaAddress,
    pub(super) under_way: TaskTrackerToken,
    pub(super) set_cookie: Option<HeaderValue>,
}

impl Route {
    /// The ordinal of its replica.
    pub(super) fn ordinal(&self) -> u32 {
        self.to.replica.replica.ordinal
    }
}

impl Gateway {
    /// Changes the route to another replica than those that failed, if there is one.
    pub(crate) fn turn_to_another(&self, route: &mut Route) -> bool {
        let snapshot = self.platform.snapshot();
        let failed = route.to.replica;
        route.failed.push(failed);
        let entry = snapshot.app(failed.app);
        let other =
            entry.and_then(|entry| self.choose(entry, route.place, route.pin, &route.failed).ok());
        let Some(Chosen { to, under_way, set_cookie }) = other else { return false };
        (route.to, route.under_way, route.set_cookie) = (to, under_way, set_cookie);
        true
    }

    /// Chooses a replica, but none of `failed`: the one that the request is pinned to, else the less
    /// busy of two, of which the first is each in turn. Replicas that failed earlier are left out
    /// until they pass a probe, unless there is no other.
    pub(super) fn choose(
        &self,
        entry: &AppEntry,
        place: ReplicaPort,
        pin: Pin,
        failed: &[ReplicaKey],
    ) -> Result<Chosen, Refusal> {
        // The addresses of a stopping app are removed only once that is stored, which may take a
        // while.
        if entry.record.wanted != Wanted::Running {
            return Err(Refusal::not_ready(entry));
        }
        let backends = &entry.live.backends;
        let id = entry.record.id;
        let found = match backends.as_slice() {
            [] => return Err(Refusal::not_ready(entry)),
            [one] if failed.is_empty() && place == ReplicaPort::Own => Some((one.http, one)),
            _ => {
                let turn = self.turn.fetch_add(1, Ordering::Relaxed);
                let in_turn = || {
                    (0..backends.len())
                        .map(|at| &backends[(turn + at) % backends.len()])
                        .filter_map(|backend| Some((place.at(backend)?, backend)))
                        .filter(|(_, backend)| !failed.contains(&backend.key))
                };
                let answers =
                    |(_, backend): &(SocketAddr, &Backend)| !self.health.is_out(backend.key);
                let mut healthy = in_turn().filter(answers);
                let pinned = match pin {
                    Pin::Hash(hash) => {
                        healthy.max_by_key(|(_, backend)| Pin::weight(hash, backend.replica))
                    }
                    Pin::Cookie { given: Some(given), .. } => {
                        healthy.find(|(_, backend)| backend.replica == given)
                    }
                    Pin::Cookie { given: None, .. } | Pin::No => None,
                };
                let less_busy = || {
                    let first = in_turn().find(answers)?;
                    let other = in_turn().nth(other_pick(turn, backends.len())).filter(answers);
                    let busy = |(_, backend): &(SocketAddr, &Backend)| backend.under_way.len();
                    Some(other.filter(|other| busy(other) < busy(&first)).unwrap_or(first))
                };
                pinned.or_else(less_busy).or_else(|| in_turn().next())
            }
        };
        let (address, backend) = found.ok_or_else(|| not_listening(entry, place))?;
        let set_cookie = match pin {
            Pin::Cookie { given, secure } if given != Some(backend.replica) => {
                self.pins.set_cookie(id, backend.replica, secure)
            }
            _ => None,
        };
        let to = ReplicaAddress { replica: backend.key, address };
        Ok(Chosen { to, under_way: backend.under_way.token(), set_cookie })
    }

    /// Takes a failed replica out until it passes a probe, if there are others.
    pub(crate) fn leave_out(self: &Arc<Self>, route: &Route, why: &'static str) {
        let snapshot = self.platform.snapshot();
        let ReplicaAddress { replica, address } = route.to;
        let Some(entry) = snapshot.app(replica.app).filter(|_| route.place == ReplicaPort::Own)
        else {
            return;
        };
        if entry.live.backends.len() > 1 && self.health.leave_out(replica) {
            let path = entry.record.spec.probe_path.clone();
            let (app, ordinal) = (replica.app, replica.replica.ordinal);
            tracing::info!(%app, replica = ordinal, %address, why, "a replica failed: it is left out until its probe passes");
            tokio::spawn(health::watch(Arc::clone(self), replica, path));
        }
    }
}

/// The second of two picks among `count` replicas, which the first one is 0 of: any of the others.
fn other_pick(turn: usize, count: usize) -> usize {
    // Spread by the golden ratio: neighbouring turns have different picks.
    let spread = (turn as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let spread = usize::try_from(spread).unwrap_or(turn);
    1 + spread % count.saturating_sub(1).max(1)
}

/// The refusal for a port that the app does not listen on; it names those that it does.
fn not_listening(entry: &AppEntry, place: ReplicaPort) -> Refusal {
    let id = entry.record.id;
    let port = match (place, entry.record.spec.grpc_port) {
        (ReplicaPort::Port(port), _) | (ReplicaPort::Grpc, Some(port)) => port,
        (ReplicaPort::Grpc, None) => {
            let why = format!("the app {id} has no gRPC port: give it one with --grpc-port");
            return Refusal::new(RefusalKind::NotFound, why);
        }
        (ReplicaPort::Own, _) => return Refusal::not_ready(entry),
    };
    let mut given = entry.live.backends.iter().map(|backend| backend.http.port());
    if given.any(|given| given == port) {
        let own = entry.record.spec.http_port;
        let why = format!(
            "port {port} is what this machine gave the app's process in place of its own; to the outside its port is {own}"
        );
        return Refusal::new(RefusalKind::BadGateway, why);
    }
    let ports: BTreeSet<u16> =
        entry.live.backends.iter().flat_map(|backend| backend.ports()).collect();
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    let listens = if ports.is_empty() { "its own port only".into() } else { ports.join(", ") };
    Refusal::new(
        RefusalKind::BadGateway,
        format!("the app {id} does not listen on port {port}; it listens on {listens}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_pick_is_any_other_one() {
        for count in 2..=10 {
            let mut picks = vec![0; count];
            for turn in 0..1000 {
                picks[other_pick(turn, count)] += 1;
            }
            let least = 1000 / (count - 1) / 2;
            assert!(picks[0] == 0 && picks[1..].iter().all(|n| *n >= least), "{picks:?}");
        }
        assert_eq!(other_pick(7, 1), 1, "there is no other");
        assert_eq!(other_pick(7, 0), 1);
    }
}
