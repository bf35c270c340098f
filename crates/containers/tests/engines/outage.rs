//! An engine that goes away and comes back: not the app's fault, and nothing is lost.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::query_parameters::ListNetworksOptionsBuilder;
use ovhai_containers::ContainerSettings;
use ovhai_core::ports::{Blame, ReplicaEvent};
use serde_json::json;
use tokio::io::copy_bidirectional;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::bench::{Bench, administrator, client, engines, eventually, get, image, serve};

/// An engine that a test can take away: its socket, and every connection, vanish at once.
struct Outage {
    engine: PathBuf,
    socket: PathBuf,
    accepts: Option<JoinHandle<()>>,
}

impl Outage {
    fn new(engine: &str, directory: &Path) -> Self {
        Self { engine: engine.into(), socket: directory.join("engine.sock"), accepts: None }
    }

    fn is_back(&mut self) {
        let listener = UnixListener::bind(&self.socket).unwrap();
        let engine = self.engine.clone();
        self.accepts = Some(tokio::spawn(async move {
            // The connections are aborted with the set.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let engine = engine.clone();
                connections.spawn(async move {
                    if let Ok(mut to) = UnixStream::connect(engine).await {
                        let _ = copy_bidirectional(&mut stream, &mut to).await;
                    }
                });
            }
        }));
    }

    /// Removes the network that the emulator's watcher can't: its way to the engine is gone with this.
    async fn clean(&self, state: &str) {
        let docker = client(&self.engine.display().to_string());
        let filters = [("label", vec![format!("ovh.emulator={state}")])].into();
        let options = ListNetworksOptionsBuilder::default().filters(&filters).build();
        for network in docker.list_networks(Some(options)).await.unwrap() {
            docker.remove_network(&network.name.unwrap()).await.unwrap();
        }
    }

    async fn is_gone(&mut self) {
        std::fs::remove_file(&self.socket).unwrap();
        let accepts = self.accepts.take().unwrap();
        accepts.abort();
        let _ = accepts.await;
    }
}

#[tokio::test]
async fn an_engine_that_is_away_at_the_start() {
    for (name, socket) in engines() {
        let directory = tempfile::tempdir().unwrap();
        let mut outage = Outage::new(&socket, directory.path());
        let image = image(&socket, &[]).await;
        let at = outage.socket.display().to_string();
        let bench = Bench::with(&at, ContainerSettings::default(), administrator());
        let mut run = bench.launch(json!({"image": image, "command": serve("")}));
        let ReplicaEvent::Pending(why) = run.next().await else { panic!("{:?}", run.seen) };
        assert!(why.contains(&at) && why.contains("no such socket"), "{name}: {why}");
        outage.is_back();
        assert_eq!(get(&run.ready().await).await, "hello\n", "{name}");
        run.replica.stop(Duration::ZERO).await;
        outage.clean(&bench.state).await;
    }
}

/// Containers live on: so do the apps, and no line of output is lost or told twice.
#[tokio::test]
async fn apps_outlive_an_outage() {
    for (name, socket) in engines() {
        let directory = tempfile::tempdir().unwrap();
        let mut outage = Outage::new(&socket, directory.path());
        outage.is_back();
        let image = image(&socket, &["EXPOSE 7000"]).await;
        let at = outage.socket.display().to_string();
        let bench = Bench::with(&at, ContainerSettings::default(), administrator());
        let script = "echo one; (while [ ! -e /tmp/go ]; do sleep 0.1; done; echo two) &
            httpd -f -p 7000 -h /tmp & true";
        let mut run = bench.launch(json!({"image": image, "command": serve(script)}));
        let endpoint = run.ready().await;
        run.says("one").await;
        outage.is_gone().await;
        assert_eq!(get(&endpoint).await, "hello\n", "{name}: it answers without its engine");
        outage.is_back();
        let container = crate::bench::containers(&socket, &bench.state).await.pop().unwrap();
        let body = bollard::body_full(one_file("go").into());
        let options = bollard::query_parameters::UploadToContainerOptionsBuilder::default();
        let docker = client(&socket);
        let options = options.path("/tmp").build();
        docker.upload_to_container(&container, Some(options), body).await.unwrap();
        run.says("two").await;
        assert_eq!(run.lines(), ["one", "two"], "{name}");
        // The events are followed again.
        docker.kill_container(&container, None).await.unwrap();
        run.lost().await;
        let (fault, _, message) = run.exited().await;
        assert_eq!(fault, Blame::User, "{name}: {message}");
        outage.clean(&bench.state).await;
    }
}

/// A tar archive with an empty file.
fn one_file(name: &str) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(name), "").unwrap();
    let tar = std::process::Command::new("tar")
        .args(["-cf", "-", name])
        .current_dir(directory.path())
        .output();
    tar.unwrap().stdout
}

/// Docker ends its containers when it is restarted: that is no crash of the app's.
#[tokio::test]
async fn containers_that_end_in_an_outage() {
    for (name, socket) in engines().into_iter().filter(|(name, _)| *name == "Docker") {
        let directory = tempfile::tempdir().unwrap();
        let mut outage = Outage::new(&socket, directory.path());
        outage.is_back();
        let image = image(&socket, &[]).await;
        let at = outage.socket.display().to_string();
        let bench = Bench::with(&at, ContainerSettings::default(), administrator());
        let mut run = bench.launch(json!({"image": image, "command": serve("")}));
        run.ready().await;
        let mut stray = bench.launch(json!({"image": image, "command": serve("")}));
        stray.ready().await;
        outage.is_gone().await;
        for container in crate::bench::containers(&socket, &bench.state).await {
            client(&socket).kill_container(&container, None).await.unwrap();
        }
        drop(stray);
        outage.is_back();
        let (fault, _, message) = run.exited().await;
        assert_eq!(fault, Blame::Platform, "{name}: {message}");
        let gone = || async {
            crate::bench::containers(&socket, &bench.state).await.is_empty().then_some(())
        };
        eventually("nothing is left", gone).await;
        outage.clean(&bench.state).await;
    }
}

/// The real thing, in a run of its own (`cargo xtask test`), as it ends the engine of the other
/// tests: `OVHAI_TEST_DOCKER_PIDFILE` names Docker's process, `OVHAI_TEST_DOCKER_START` is a shell
/// command that starts it in the background. First it is killed, then it ends in order.
#[tokio::test]
#[ignore = "ends the engine of the other tests"]
async fn docker_is_killed_and_started_again() {
    for signal in ["KILL", "TERM"] {
        ended_by(signal).await;
    }
}

async fn ended_by(signal: &str) {
    let socket = crate::bench::variable("OVHAI_TEST_DOCKER").unwrap();
    let pid = std::env::var("OVHAI_TEST_DOCKER_PIDFILE").unwrap();
    let pid = std::fs::read_to_string(pid).unwrap().trim().to_owned();
    let start = std::env::var("OVHAI_TEST_DOCKER_START").unwrap();
    let image = image(&socket, &[]).await;
    let bench = Bench::new(&socket);
    let mut run = bench.launch(json!({"image": image, "command": serve("echo up")}));
    let endpoint = run.ready().await;
    let shell = |script: &str| {
        assert!(std::process::Command::new("sh").args(["-c", script]).status().unwrap().success());
    };
    // One that has ended has no command line any more, though its parent may not know it yet.
    let waits = format!("while grep -q . /proc/{pid}/cmdline 2>/dev/null; do sleep 0.1; done");
    shell(&format!("kill -{signal} {pid}; {waits}"));
    if signal == "KILL" {
        assert_eq!(get(&endpoint).await, "hello\n", "its container lives on");
    }
    let mut second = bench.launch(json!({"image": image, "command": serve("")}));
    let ReplicaEvent::Pending(why) = second.next().await else { panic!("{:?}", second.seen) };
    assert!(why.contains(&socket), "{why}");
    shell(&start);
    run.lost().await;
    let (fault, _, message) = run.exited().await;
    assert_eq!(fault, Blame::Platform, "{message}");
    second.ready().await;
    second.replica.stop(Duration::ZERO).await;
    assert_eq!(bench.containers().await, Vec::<String>::new());
}
