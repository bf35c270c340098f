//! What an app can't reach.

use std::collections::BTreeSet;

use ovhai_containers::ContainerSettings;
use serde_json::json;

use crate::bench::{Bench, administrator, client, engines, get, image, serve};

/// From app A: B's address.
#[tokio::test]
async fn an_app_does_not_reach_another() {
    for (name, socket) in engines() {
        let bench = Bench::new(&socket);
        let image = image(&socket, &[]).await;
        let mut other = bench.launch(json!({"image": image, "command": serve("")}));
        let at = other.ready().await;
        assert_eq!(get(&at).await, "hello\n", "{name}: it is there");
        let script = format!(
            "wget -q -T 3 -O - http://{} && echo REACHED; echo tried; exec httpd -f -p 8080 -h /www",
            at.http
        );
        let mut run = bench.launch(json!({"image": image, "command": ["sh", "-c", script]}));
        run.ready().await;
        run.says("tried").await;
        assert!(!run.text().contains("REACHED"), "{name}: {}", run.text());
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
        let script = format!(
            "for at in 127.0.0.1 {machine} $(ip route | sed -n 's/^default via \\([^ ]*\\).*/\\1/p'); do
                wget -q -T 3 -O - http://$at:{port}/ && echo REACHED $at
                echo tried $at
            done; echo done; exec httpd -f -p 8080 -h /www"
        );
        let mut run = bench.launch(json!({"image": image, "command": ["sh", "-c", script]}));
        run.ready().await;
        run.says("done").await;
        let said = run.text();
        assert_eq!(
            said.lines().filter(|line| line.starts_with("tried")).count(),
            3,
            "{name}: {said}"
        );
        assert!(!said.contains("REACHED"), "{name}: {said}");
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
