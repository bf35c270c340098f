//! One replica from its launch to its end.

use std::time::{Duration, Instant};

use ovhai_api_types::AppId;
use ovhai_containers::ContainerSettings;
use ovhai_core::ports::{ReplicaEndpoint, ReplicaEvent};
use serde_json::json;
use uuid::Uuid;

use crate::bench::{Bench, client, engines, eventually, get, image, serve, spec};

/// What an app sees: the same on both engines, and no kinder than the cloud.
#[tokio::test]
async fn an_app_answers_as_in_the_cloud() {
    for (name, socket) in engines() {
        let bench = Bench::new(&socket);
        let image = image(&socket, &["WORKDIR /not/there", "ENV A=image", "EXPOSE 9000"]).await;
        let script = "id; env; grep Cap /proc/self/status; grep NoNewPrivs /proc/self/status; cat /etc/passwd
            ls -ld . | cut -c1-60; touch here; touch /tmp/x && echo tmp; hostname
            httpd -p 80 -h /www && echo eighty
            echo partial >&2; printf 'the end'";
        let mut run = bench.launch(json!({
            "image": image, "command": serve(script), "resources": {"cpu": 1},
            "envVars": [{"name": "B", "value": "x=y z"}],
        }));
        let endpoint = run.ready().await;
        assert_eq!(get(&endpoint).await, "hello\n", "{name}");
        run.says("eighty").await;
        let text = run.text();
        assert!(text.contains("uid=42420 gid=42420"), "{name}: {text}");
        assert!(text.contains("B=x=y z\n") && text.contains("A=image\n"), "{name}: {text}");
        assert!(text.contains("HOME=/\n") && !text.contains("PORT="), "{name}: {text}");
        assert!(text.contains("CapEff:\t0000000000000000"), "{name}: {text}");
        assert!(text.contains("CapBnd:\t0000000000000000"), "{name}: {text}");
        assert!(text.contains("NoNewPrivs:\t1"), "{name}: {text}");
        assert!(!text.contains("42420:42420"), "{name}: no user of that name: {text}");
        assert!(text.contains("root     root"), "{name}: {text}");
        assert!(text.contains("here: Permission denied"), "{name}: {text}");
        assert!(text.contains("tmp\n"), "{name}: {text}");
        assert!(endpoint.at(9000).is_some() && endpoint.grpc().is_none(), "{name}");
        // The networks of root's engines are this machine's: any port can be reached.
        let eighty = endpoint.at(80).expect("any port");
        assert_eq!(eighty.ip(), endpoint.http.ip(), "{name}");
        assert!(!eighty.ip().is_loopback(), "{name}: nothing is published");

        let first = eventually("usage", || run.replica.usage()).await;
        assert!(first.cpu > Duration::ZERO && first.memory > 10_000, "{name}: {first:?}");
        assert!(first.memory < 100 << 20, "{name}: {first:?}");

        let begun = Instant::now();
        run.replica.stop(Duration::from_secs(1)).await;
        assert!(begun.elapsed() < Duration::from_secs(8), "{name}: {:?}", begun.elapsed());
        assert_eq!(bench.containers().await, Vec::<String>::new(), "{name}");
        assert!(run.replica.usage().await.is_none(), "{name}");
        assert!(!run.seen.iter().any(|event| matches!(event, ReplicaEvent::Exited { .. })));
    }
}

/// As on engines in a virtual machine, or without root's rights.
#[tokio::test]
async fn published_ports_are_on_loopback() {
    for (name, socket) in engines() {
        let settings = ContainerSettings { is_published: true, ..ContainerSettings::default() };
        let source = crate::bench::administrator();
        let bench = Bench::with(&socket, settings, source);
        let image = image(&socket, &["EXPOSE 7000"]).await;
        let script = "for port in 7000 7001 7002 80 50051; do httpd -p $port -h /www; done; exec httpd -f -p 81 -h /www";
        let mut spec = spec(json!({
            "image": image, "command": ["sh", "-c", script], "defaultHttpPort": 80,
            "grpcPort": 50051, "probe": {"port": 81, "path": "/"},
        }));
        spec.publish = vec![7001];
        let mut run = bench.launch_spec(AppId(Uuid::new_v4()), 1, spec);
        let endpoint = run.ready().await;
        assert!(endpoint.http.ip().is_loopback(), "{name}: {endpoint:?}");
        assert_eq!(get(&endpoint).await, "hello\n", "{name}");
        assert!(endpoint.grpc().is_some_and(|at| at.ip().is_loopback()), "{name}");
        let ports: Vec<u16> = endpoint.ports().collect();
        assert_eq!(ports, [80, 81, 7000, 7001, 50051], "{name}");
        assert_eq!(endpoint.at(7002), None, "{name}: nothing names it");
        for port in ports {
            let at = endpoint.at(port).unwrap();
            assert_eq!(get(&ReplicaEndpoint::new(at)).await, "hello\n", "{name}: {port}");
        }
        run.replica.stop(Duration::ZERO).await;
        assert_eq!(bench.containers().await, Vec::<String>::new(), "{name}");
    }
}

#[tokio::test]
async fn limits_and_labels() {
    for (name, socket) in engines() {
        let labels = vec![("team".to_owned(), "x".to_owned())];
        let settings = ContainerSettings { labels, ..ContainerSettings::default() };
        let source = crate::bench::administrator();
        let bench = Bench::with(&socket, settings, source);
        let image = image(&socket, &[]).await;
        let mut run = bench.launch(json!({"image": image, "command": serve("")}));
        run.ready().await;
        let container = bench.containers().await.pop().unwrap();
        let found = client(&socket).inspect_container(&container, None).await.unwrap();
        let host = found.host_config.unwrap();
        let machine = client(&socket).info().await.unwrap();
        let expected = machine.mem_total.unwrap().min(4 << 30);
        assert_eq!(host.memory, Some(expected), "{name}");
        assert_eq!(host.nano_cpus, Some(1_000_000_000), "{name}");
        assert!(host.pids_limit.unwrap() > 0, "{name}");
        let config = found.config.unwrap();
        assert_eq!(config.stop_timeout, Some(10), "{name}");
        let labels = config.labels.unwrap();
        assert_eq!(labels["team"], "x", "{name}");
        assert_eq!(labels["ovh.emulator"], bench.state, "{name}");
        assert_eq!(labels["ovh.emulator.pid"], std::process::id().to_string(), "{name}");
        run.replica.stop(Duration::ZERO).await;
    }
}

/// An app that asks for a GPU gets a note that the engine has none. The default flavor asks for none.
#[tokio::test]
async fn a_missing_gpu_is_told() {
    for (name, socket) in engines() {
        let info = client(&socket).info().await.unwrap();
        if info.runtimes.is_some_and(|all| all.contains_key("nvidia")) {
            continue;
        }
        let bench = Bench::new(&socket);
        let image = image(&socket, &[]).await;
        for (resources, is_told) in [
            (json!(null), false),
            (json!({"cpu": 1}), false),
            (json!({"gpu": 1}), true),
            (json!({"flavor": "ai1-1-gpu"}), true),
        ] {
            let wire = json!({"image": image, "command": ["true"], "resources": resources});
            let mut run = bench.launch(wire);
            run.exited().await;
            let notes = run.logs.read(0, |_| true).into_iter().map(|line| line.text);
            let told = notes.filter(|line| line.contains("no NVIDIA GPU")).count();
            assert_eq!(told, usize::from(is_told), "{name}: {resources}");
        }
    }
}

/// It ends by itself when it is asked; its last words are read.
#[tokio::test]
async fn stops_in_order() {
    for (name, socket) in engines() {
        let bench = Bench::new(&socket);
        let image = image(&socket, &["STOPSIGNAL SIGINT"]).await;
        let script =
            "trap 'echo bye; exit 0' INT; httpd -f -p 8080 -h /www & while true; do wait; done";
        let mut run = bench.launch(json!({"image": image, "command": ["sh", "-c", script]}));
        run.ready().await;
        run.replica.stop(Duration::from_secs(30)).await;
        assert_eq!(run.lines().last().map(String::as_str), Some("bye"), "{name}");
        assert_eq!(bench.containers().await, Vec::<String>::new(), "{name}");
    }
}

/// Dropped without a word, and asked to stop while it starts.
#[tokio::test]
async fn nothing_is_left_of_one_that_is_dropped() {
    for (name, socket) in engines() {
        let bench = Bench::new(&socket);
        let image = image(&socket, &[]).await;
        let mut run = bench.launch(json!({"image": image, "command": serve("")}));
        run.ready().await;
        drop(run);
        let early = bench.launch(json!({"image": image, "command": serve("")}));
        early.replica.stop(Duration::from_secs(30)).await;
        eventually(name, || async { bench.containers().await.is_empty().then_some(()) }).await;
    }
}

/// Replicas of one revision run one image, though its tag moves; the next revision runs the new one.
#[tokio::test]
async fn one_image_a_revision() {
    for (name, socket) in engines() {
        let bench = Bench::new(&socket);
        let (old, new) =
            (image(&socket, &["ENV V=old"]).await, image(&socket, &["ENV V=new"]).await);
        let docker = client(&socket);
        let app = AppId(Uuid::new_v4());
        let wire = json!({"image": old, "command": serve("echo V is $V")});
        let mut first = bench.launch_of(app, 1, wire.clone());
        first.ready().await;
        let (repo, tag) = old.split_once(':').unwrap();
        let options = bollard::query_parameters::TagImageOptionsBuilder::default();
        docker.tag_image(&new, Some(options.repo(repo).tag(tag).build())).await.unwrap();
        let mut second = bench.launch_of(app, 1, wire.clone());
        let mut third = bench.launch_spec(app, 2, spec(wire.clone()));
        for (run, says) in
            [(&mut first, "V is old"), (&mut second, "V is old"), (&mut third, "V is new")]
        {
            if !run.seen.iter().any(|event| matches!(event, ReplicaEvent::Ready(_))) {
                run.ready().await;
            }
            run.says(says).await;
            assert!(run.replica.usage().await.is_some(), "{name}");
        }
        // A replica of the old version that starts again during the update.
        let mut again = bench.launch_of(app, 1, wire);
        again.ready().await;
        again.says("V is old").await;
        tokio::join!(
            again.replica.stop(Duration::ZERO),
            first.replica.stop(Duration::ZERO),
            second.replica.stop(Duration::ZERO),
            third.replica.stop(Duration::ZERO)
        );
    }
}
