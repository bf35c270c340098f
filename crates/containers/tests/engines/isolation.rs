//! What an app can't reach.

use serde_json::json;

use crate::bench::{Bench, engines, get, image, serve};

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
