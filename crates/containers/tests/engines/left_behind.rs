//! Nothing is left behind, and nothing of others is touched.

use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::CreateContainerOptionsBuilder;
use futures_util::StreamExt;
use ovhai_containers::engine::EngineSettings;
use ovhai_containers::{ContainerRuntime, ContainerSettings};
use ovhai_core::ports::Runtime;
use serde_json::json;

use crate::bench::{
    Bench, client, containers, engines, eventually, image, running, serve, unique, watcher,
};

/// A container as an emulator with that process would have made it.
async fn stray(socket: &str, image: &str, state: &str, pid: u32) -> String {
    let name = format!("ovhai-stray-{}", unique());
    let labels = [("ovh.emulator", state), ("ovh.emulator.pid", &pid.to_string())]
        .into_iter()
        .chain([("ovh.emulator.pid-start", "x")])
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let body = ContainerCreateBody {
        image: Some(image.into()),
        cmd: Some(vec!["sleep".into(), "600".into()]),
        labels: Some(labels),
        host_config: Some(HostConfig {
            network_mode: Some("none".into()),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let options = CreateContainerOptionsBuilder::default().name(&name).build();
    let docker = client(socket);
    docker.create_container(Some(options), body).await.unwrap();
    docker.start_container(&name, None).await.unwrap();
    name
}

async fn remove(socket: &str, name: &str) {
    let options = bollard::query_parameters::RemoveContainerOptionsBuilder::default().force(true);
    client(socket).remove_container(name, Some(options.build())).await.unwrap();
}

/// The watcher removes its emulator's containers and no others.
#[tokio::test]
async fn the_watcher_removes_what_a_killed_emulator_left() {
    for (name, socket) in engines() {
        let (state, image) = (unique(), image(&socket, &[]).await);
        let all = (0..30).map(|_| stray(&socket, &image, &state, 17));
        futures_util::stream::iter(all).buffer_unordered(4).collect::<Vec<_>>().await;
        let next = stray(&socket, &image, &state, 18).await;
        let other = stray(&socket, &image, &unique(), 17).await;
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let charge = json!({
            "address": format!("unix://{socket}"),
            "owner": {"state": state, "pid": 17, "started": "x"},
        });
        writeln!(ours, "{charge}").unwrap();
        let mut child = Command::new(watcher())
            .arg("__reap")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .spawn()
            .unwrap();
        assert_eq!(containers(&socket, &state).await.len(), 31, "{name}: as long as it is held");
        // As the kernel does for a killed process.
        drop(ours);
        let begun = Instant::now();
        let none_runs = || async {
            (running(&socket, &state).await == std::slice::from_ref(&next)).then_some(())
        };
        eventually(name, none_runs).await;
        eprintln!("{name}: none of 30 containers ran after {:?}", begun.elapsed());
        assert!(begun.elapsed() < Duration::from_secs(5), "{name}: {:?}", begun.elapsed());
        let ended = tokio::task::spawn_blocking(move || child.wait()).await.unwrap().unwrap();
        assert!(ended.success(), "{name}");
        eprintln!("{name}: 30 containers were removed in {:?}", begun.elapsed());
        assert!(begun.elapsed() < Duration::from_secs(15), "{name}: {:?}", begun.elapsed());
        assert_eq!(containers(&socket, &state).await, std::slice::from_ref(&next), "{name}");
        remove(&socket, &next).await;
        remove(&socket, &other).await;
    }
}

/// With the watcher gone too, the next emulator of the state directory does it, before its first
/// launch.
#[tokio::test]
async fn the_next_emulator_removes_what_is_left() {
    for (name, socket) in engines() {
        let bench = Bench::new(&socket);
        let image = image(&socket, &[]).await;
        let mut run = bench.launch(json!({"image": image, "command": serve("")}));
        run.ready().await;
        let left = stray(&socket, &image, &bench.state, 17).await;
        let other = stray(&socket, &image, &unique(), 17).await;
        let settings = ContainerSettings {
            engine: EngineSettings::only("test", "/no/such/engine"),
            ..ContainerSettings::default()
        };
        // It remembers the engine, even if it would use another one now.
        let next = ContainerRuntime::new(
            settings,
            bench.state.clone(),
            bench.directory.path().join("containers"),
            None,
            None,
        );
        next.recover().await;
        let all = bench.containers().await;
        assert_eq!(all.len(), 1, "{name}: its own process's stay: {all:?}");
        assert!(!all.contains(&left), "{name}");
        run.replica.stop(Duration::ZERO).await;
        remove(&socket, &other).await;
    }
}

/// An emulator that ends in order but does not wait: the watcher does the rest.
#[tokio::test]
async fn an_emulator_that_ends_leaves_nothing() {
    for (name, socket) in engines() {
        let image = image(&socket, &[]).await;
        let (image, at) = (image.clone(), socket.clone());
        let emulator = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let state = runtime.block_on(async {
                let bench = Bench::new(&at);
                let mut run = bench.launch(json!({"image": image, "command": serve("")}));
                run.ready().await;
                let state = bench.state.clone();
                // It is not asked to stop: its task ends with the runtime.
                std::mem::forget(run);
                state
            });
            (state, runtime)
        });
        let (state, runtime) =
            tokio::task::spawn_blocking(move || emulator.join()).await.unwrap().unwrap();
        assert_eq!(containers(&socket, &state).await.len(), 1, "{name}");
        runtime.shutdown_background();
        let gone = || async { containers(&socket, &state).await.is_empty().then_some(()) };
        eventually(name, gone).await;
    }
}
