//! The ports that a process group listens on, and which of them are the app's.
//!
//! Only sockets of the group count, and only those that no other process may be answering on: a
//! client of the app must not reach another service of this machine through it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use ovhai_core::ports::ReplicaEndpoint;

use crate::sockets::Listening;

/// Maximum number of additional ports that are reported.
const MAX_MORE: usize = 16;

/// The port that a replica is given to listen on, and the app's own one, as in the cloud.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Port {
    pub(crate) given: u16,
    pub(crate) own: u16,
}

/// Ports of a replica.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) http: Port,
    pub(crate) grpc: Option<Port>,
    pub(crate) probe: Option<u16>,
}

/// Where the group listens, and the address of its probe. `all` is everything that listens here.
pub(crate) fn find(
    all: &[Listening],
    is_ours: impl Fn(&Listening) -> bool,
    ports: Ports,
) -> Result<(ReplicaEndpoint, SocketAddr), String> {
    let (mut ours, others): (Vec<&Listening>, Vec<&Listening>) =
        all.iter().partition(|l| is_ours(l));
    // The table is not sorted, and an endpoint must not depend on its order.
    ours.sort_by_key(|l| (l.address.port(), l.address.is_ipv6(), l.address));
    let rival = |l: &Listening| others.iter().find(|other| l.is_rivalled_by(other));
    let mut places = BTreeMap::new();
    for l in &ours {
        if rival(l).is_none() {
            places.entry(l.address.port()).or_insert_with(|| l.reachable());
        }
    }
    let of = |port: Port| [port.given, port.own].into_iter().find_map(|p| places.get(&p).copied());

    let Some(http) = of(ports.http) else {
        let own = |l: &&&Listening| [ports.http.given, ports.http.own].contains(&l.address.port());
        return Err(match ours.iter().find(own).and_then(|l| Some((l, rival(l)?))) {
            Some((l, rival)) => format!(
                "port {} is shared with {}, which may get the app's requests",
                l.address.port(),
                rival.who()
            ),
            None => not_listening(&ours, &others, ports.http),
        });
    };
    let mut named = BTreeMap::from([(ports.http.own, http)]);
    let grpc = ports.grpc.and_then(|port| {
        let address = of(port)?;
        named.entry(port.own).or_insert(address);
        Some(address)
    });
    let probed = match ports.probe {
        Some(port) => named
            .get(&port)
            .or_else(|| places.get(&port))
            .copied()
            .ok_or_else(|| format!("it does not listen on its probe's port {port} yet"))?,
        None => http,
    };
    let given = |port: &u16| {
        *port == ports.http.given || ports.grpc.is_some_and(|grpc| grpc.given == *port)
    };
    let more: Vec<(u16, SocketAddr)> = places
        .into_iter()
        .filter(|(port, _)| !named.contains_key(port) && !given(port))
        .take(MAX_MORE)
        .collect();
    let endpoint =
        ReplicaEndpoint::new(http).exclusively().with_ports(named.into_iter().chain(more));
    Ok((endpoint.with_grpc(grpc), probed))
}

fn not_listening(ours: &[&Listening], others: &[&Listening], port: Port) -> String {
    let expected = format!("{} ($PORT) or {} (the app's own)", port.given, port.own);
    let held = others
        .iter()
        .find(|l| l.address.port() == port.own)
        .map(|l| format!("; port {} is held by {}", port.own, l.who()))
        .unwrap_or_default();
    if ours.is_empty() {
        return format!("the process does not listen on port {expected} yet{held}");
    }
    let elsewhere: Vec<String> = ours.iter().map(|l| l.address.to_string()).collect();
    format!("the process listens on {}, but not on port {expected}{held}", elsewhere.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: u32 = 7;
    const PORTS: Ports = Ports {
        http: Port { given: 20_000, own: 8080 },
        grpc: Some(Port { given: 20_001, own: 9000 }),
        probe: None,
    };

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    fn look(all: &[(u32, &str)], ports: Ports) -> Result<(ReplicaEndpoint, SocketAddr), String> {
        let listening = |(pid, address): &(u32, &str)| Listening {
            pid: *pid,
            name: "x".into(),
            address: at(address),
        };
        let all: Vec<Listening> = all.iter().map(listening).collect();
        find(&all, |l| l.pid == OURS, ports)
    }

    #[test]
    fn ports_have_the_numbers_of_the_cloud() {
        let all = [
            (OURS, "127.0.0.1:20000"),
            (OURS, "0.0.0.0:20001"),
            (OURS, "[::]:7000"),
            (OURS, "127.0.0.1:7001"),
            (8, "127.0.0.1:7002"),
        ];
        let (found, probed) = look(&all, PORTS).expect("found");
        assert_eq!((found.http, probed), (at("127.0.0.1:20000"), at("127.0.0.1:20000")));
        assert_eq!(found.grpc(), Some(at("127.0.0.1:20001")));
        for (port, expected) in [
            (8080, Some("127.0.0.1:20000")),
            (9000, Some("127.0.0.1:20001")),
            (7000, Some("[::1]:7000")),
            (7001, Some("127.0.0.1:7001")),
            (7002, None),
            (20_000, None),
            (20_001, None),
        ] {
            assert_eq!(found.at(port), expected.map(at), "{port}");
        }
        assert_eq!(found.ports().collect::<Vec<_>>(), [7000, 7001, 8080, 9000]);
        // The order of the table means nothing.
        let backwards: Vec<_> = all.into_iter().rev().collect();
        assert_eq!(look(&backwards, PORTS).expect("found").0, found);
    }

    #[test]
    fn a_process_that_ignores_its_port_is_found_on_its_own() {
        let all = [(OURS, "127.0.0.1:8080"), (OURS, "127.0.0.1:9000"), (OURS, "[::1]:8080")];
        let (found, _) = look(&all, PORTS).expect("found");
        assert_eq!(found.at(8080), Some(at("127.0.0.1:8080")));
        assert_eq!(found.grpc(), Some(at("127.0.0.1:9000")));
        let without = Ports { grpc: None, ..PORTS };
        assert_eq!(look(&all, without).expect("found").0.grpc(), None);
    }

    #[test]
    fn ports_shared_with_another_process_are_left_out() {
        let all = [
            (OURS, "127.0.0.1:20000"),
            (OURS, "0.0.0.0:7000"),
            (8, "127.0.0.1:7000"),
            (OURS, "127.0.0.1:7001"),
            (8, "127.0.0.1:7001"),
            (8, "127.0.0.1:9000"),
        ];
        let (found, _) = look(&all, PORTS).expect("found");
        assert_eq!(found.ports().collect::<Vec<_>>(), [8080]);
        assert_eq!((found.at(7000), found.at(7001), found.grpc()), (None, None, None));
        let error = look(&[(OURS, "0.0.0.0:8080"), (8, "127.0.0.1:8080")], PORTS)
            .expect_err("it is shared");
        assert!(error.contains("is shared with x (pid 8)"), "{error}");
    }

    #[test]
    fn messages_list_only_a_few_ports() {
        let many: Vec<String> = (5000..5100).map(|port| format!("127.0.0.1:{port}")).collect();
        let mut all: Vec<(u32, &str)> = many.iter().map(|one| (OURS, one.as_str())).collect();
        all.extend([(OURS, "127.0.0.1:20000"), (OURS, "127.0.0.1:20001")]);
        let probe = Ports { probe: Some(5099), ..PORTS };
        let (found, probed) = look(&all, probe).expect("found");
        assert_eq!(found.ports().count(), MAX_MORE + 2);
        assert_eq!(
            (found.at(8080), found.grpc()),
            (Some(at("127.0.0.1:20000")), Some(at("127.0.0.1:20001")))
        );
        assert_eq!(probed, at("127.0.0.1:5099"));
    }

    #[test]
    fn a_missing_port_is_reported() {
        let error = look(&[(8, "127.0.0.1:8080")], PORTS).expect_err("nothing");
        assert!(
            error.contains("does not listen on port 20000") && error.contains("pid 8"),
            "{error}"
        );
        let error = look(&[(OURS, "127.0.0.1:1234")], PORTS).expect_err("elsewhere");
        assert!(error.contains("listens on 127.0.0.1:1234, but not on"), "{error}");
        let probe = Ports { probe: Some(81), ..PORTS };
        let error = look(&[(OURS, "127.0.0.1:8080")], probe).expect_err("no probe");
        assert!(error.contains("probe's port 81"), "{error}");
    }
}
