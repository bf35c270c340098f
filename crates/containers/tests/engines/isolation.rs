//! What an app can't reach.

use std::collections::BTreeSet;

use serde_json::json;

use crate::bench::{Bench, client, engines, get, image, serve};

/// From app A: B's address and B's published port.
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
        assert_eq!(status.open, None, "{name}");
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
