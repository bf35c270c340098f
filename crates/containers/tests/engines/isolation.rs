//! What an app can't reach.

use std::collections::BTreeSet;

use ovhai_containers::ContainerSettings;
use serde_json::json;

use crate::bench::{Bench, administrator, client, engines, get, image, serve};

/// The gateway of a container's network, for its shell.
const GATEWAY: &str = "$(ip route | sed -n 's/^default via \\([^ ]*\\).*/\\1/p')";

/// The command of an app that looks for a page: at itself, and at each of these places.
fn attempts(places: &[(&str, u16)]) -> String {
    let places = places.iter().map(|(host, port)| (*host, *port, "another"));
    let attempts = std::iter::once(("127.0.0.1", 8081, "itself")).chain(places);
    let attempts = attempts.map(|(host, port, what)| {
        format!("LIMIT=3 req {host} {port} 'GET / HTTP/1.0' | grep -q hello && echo REACHED {what}")
    });
    let attempts: Vec<String> = attempts.collect();
    let attempts = attempts.join("\n");
    format!("httpd -p 8081 -h /www\n{attempts}\necho done; exec httpd -f -p 8080 -h /www")
}

/// What such an app found a page at.
fn reached(said: &str) -> Vec<&str> {
    said.lines().filter_map(|line| line.strip_prefix("REACHED ")).collect()
}

/// From app A: B's address.
#[tokio::test]
async fn an_app_does_not_reach_another() {
    for (name, socket) in engines() {
        let bench = Bench::new(&socket);
        let image = image(&socket, &[]).await;
        let mut other = bench.launch(json!({"image": image, "command": serve("")}));
        let at = other.ready().await;
        assert_eq!(get(&at).await, "hello\n", "{name}: it is there");
        let (ip, port) = (at.http.ip().to_string(), at.http.port());
        let script = attempts(&[(&ip, port)]);
        let mut run = bench.launch(json!({"image": image, "command": ["sh", "-c", script]}));
        run.ready().await;
        run.says("done").await;
        let said = run.text();
        assert_eq!(reached(&said), ["itself"], "{name}: {said}");
        // The API of an emulator listens on loopback, which is the container's own in there.
        let status = bench.runtime.status().await;
        assert!(status.gaps.is_empty() && status.calls.is_none(), "{name}: {status:?}");
        tokio::join!(
            run.replica.stop(std::time::Duration::ZERO),
            other.replica.stop(std::time::Duration::ZERO)
        );
    }
}

/// From app A: B's published port, at every address by which A may try this machine.
#[tokio::test]
async fn an_app_does_not_reach_the_published_port_of_another() {
    for (name, socket) in engines() {
        let settings = ContainerSettings { is_published: true, ..ContainerSettings::default() };
        let bench = Bench::with(&socket, settings, administrator());
        let image = image(&socket, &[]).await;
        let mut other = bench.launch(json!({"image": image, "command": serve("")}));
        let at = other.ready().await;
        assert!(at.http.ip().is_loopback(), "{name}: {at:?}");
        assert_eq!(get(&at).await, "hello\n", "{name}: it is there");
        // No packet is sent: it only asks for the way.
        let socket = std::net::UdpSocket::bind("0.0.0.0:0").expect("a socket");
        let machine = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr());
        let machine = machine.map_or_else(|_| "127.0.0.2".into(), |at| at.ip().to_string());
        let port = at.http.port();
        let script = attempts(&[("127.0.0.1", port), (&machine, port), (GATEWAY, port)]);
        let mut run = bench.launch(json!({"image": image, "command": ["sh", "-c", script]}));
        run.ready().await;
        run.says("done").await;
        let said = run.text();
        assert_eq!(reached(&said), ["itself"], "{name}: {said}");
        tokio::join!(
            run.replica.stop(std::time::Duration::ZERO),
            other.replica.stop(std::time::Duration::ZERO)
        );
    }
}

/// Apps come and go, and end by themselves: an address is withdrawn before it can be another's, and
/// on a shared network it does not come back soon.
#[tokio::test]
async fn an_address_is_not_used_again_soon() {
    for (name, socket) in engines() {
        let bench = Bench::new(&socket);
        let image = image(&socket, &["ENV PAGE=0"]).await;
        let command =
            json!(["sh", "-c", "echo $PAGE > /tmp/index.html; exec httpd -f -p 8080 -h /tmp"]);
        let mut addresses = BTreeSet::new();
        for page in 1..=5 {
            let mut run = bench.launch(json!({
                "image": image, "command": command,
                "envVars": [{"name": "PAGE", "value": page.to_string()}],
            }));
            let endpoint = run.ready().await;
            assert_eq!(get(&endpoint).await, format!("{page}\n"), "{name}");
            addresses.insert(endpoint.http);
            for container in bench.containers().await {
                // It may have ended with the one before it.
                let _ = client(&socket).kill_container(&container, None).await;
            }
            // First of all, before anything is removed.
            run.lost().await;
            run.exited().await;
        }
        assert!(name == "Podman" || addresses.len() == 5, "{name}: {addresses:?}");
    }
}
