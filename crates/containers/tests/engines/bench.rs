//! What the tests share: the engines, images from scratch, replicas and what they report.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bollard::query_parameters::{ImportImageOptionsBuilder, ListContainersOptionsBuilder};
use bollard::{API_DEFAULT_VERSION, Docker, body_full};
use futures_util::StreamExt;
use ovhai_api_types::{AppId, AppSpec};
use ovhai_containers::engine::EngineSettings;
use ovhai_containers::{ContainerRuntime, ContainerSettings};
use ovhai_core::logs::LogBuffer;
use ovhai_core::ports::{
    Blame, ImageAccess, Replica, ReplicaEndpoint, ReplicaEvent, ReplicaReporter, ReplicaRequest,
    Runtime,
};
use ovhai_core::replica::{ExitStatus, ReplicaId};
use ovhai_core::spec::Spec;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use uuid::Uuid;

/// Nothing on a busy machine takes longer.
const LIMIT: Duration = Duration::from_mins(1);

/// A variable that `cargo xtask test` sets; none: the test is left out, which CI does not allow.
pub(crate) fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok();
    assert!(
        value.is_some() || std::env::var_os("CI").is_none(),
        "{name} is not set: run the tests by `cargo xtask test`, as root"
    );
    if value.is_none() {
        eprintln!("left out: {name} is not set; `cargo xtask test`, as root, sets it");
    }
    value
}

/// The sockets of the engines that there are, by their names.
pub(crate) fn engines() -> Vec<(&'static str, String)> {
    [("Docker", "OVHAI_TEST_DOCKER"), ("Podman", "OVHAI_TEST_PODMAN")]
        .into_iter()
        .filter_map(|(name, at)| Some((name, variable(at)?)))
        .collect()
}

/// Waits until there is something.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let found = tokio::time::timeout(LIMIT, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    found.await.unwrap_or_else(|_| panic!("{what}: not within {LIMIT:?}"))
}

/// The root of an image: static busybox with all its names, a page, `/tmp`, users, and `req`, which
/// sends a request: `wget` crashes in a busybox that is linked statically with glibc.
fn root() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let script = r"set -e
        mkdir -p bin etc tmp www root
        chmod 1777 tmp; chmod 700 root
        cp /bin/busybox bin/busybox
        for name in $(bin/busybox --list); do [ $name = busybox ] || ln -s busybox bin/$name; done
        echo root:x:0:0:root:/root:/bin/sh > etc/passwd
        echo root:x:0: > etc/group
        echo hello > www/index.html
        printf '#!/no/such/interpreter\n' > bad-interpreter; chmod 755 bad-interpreter
        printf 'no program' > bad-format; chmod 755 bad-format
        printf '#!/bin/sh\n' > forbidden; chmod 700 forbidden";
    let request = include_str!("../../../../tests/fixtures/req.sh");
    let script = format!("{script}\nprintf '%s' \"$REQ\" > bin/req; chmod 755 bin/req");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).env("REQ", request).current_dir(root.path());
    let made = command.status().unwrap();
    assert!(made.success(), "busybox-static is needed");
    root
}

/// A client of the engine.
pub(crate) fn client(socket: &str) -> Docker {
    Docker::connect_with_unix(socket, 60, API_DEFAULT_VERSION).unwrap()
}

static COUNT: AtomicU64 = AtomicU64::new(0);

/// A word that no other test has.
pub(crate) fn unique() -> String {
    format!("t{}x{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Makes an image from scratch; its name. The changes are lines of a Dockerfile.
pub(crate) async fn image(socket: &str, changes: &[&str]) -> String {
    image_for(socket, changes, "amd64").await
}

pub(crate) async fn image_for(socket: &str, changes: &[&str], architecture: &str) -> String {
    let mut config = json!({"Env": ["PATH=/bin"]});
    for change in changes {
        let (what, value) = change.split_once(' ').unwrap();
        match what {
            "ENV" => config["Env"].as_array_mut().unwrap().push(value.into()),
            "EXPOSE" => config["ExposedPorts"] = json!({format!("{value}/tcp"): {}}),
            "WORKDIR" => config["WorkingDir"] = value.into(),
            "STOPSIGNAL" => config["StopSignal"] = value.into(),
            "CMD" => config["Cmd"] = serde_json::from_str(value).unwrap(),
            _ => panic!("{change}"),
        }
    }
    static LAYER: OnceLock<Vec<u8>> = OnceLock::new();
    let layer = LAYER.get_or_init(|| tar(root().path()));
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, layer);
    let digest = digest.as_ref().iter().fold(String::new(), |mut all, byte| {
        let _ = write!(all, "{byte:02x}");
        all
    });
    let name = format!("ovhai-test/{}:1", unique());
    let config = json!({
        "architecture": architecture, "os": "linux", "config": config, "created": "2026-01-01T00:00:00Z",
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{digest}")]},
    });
    let manifest = json!([{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]);
    let archive = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| std::fs::write(archive.path().join(name), content);
    file("layer.tar", layer).unwrap();
    file("config.json", config.to_string().as_bytes()).unwrap();
    file("manifest.json", manifest.to_string().as_bytes()).unwrap();
    let options = ImportImageOptionsBuilder::default().build();
    let docker = client(socket);
    let mut steps = docker.import_image(options, body_full(tar(archive.path()).into()), None);
    while let Some(step) = steps.next().await {
        assert!(step.unwrap().error_detail.is_none());
    }
    name
}

/// An archive of a directory, all root's.
fn tar(directory: &Path) -> Vec<u8> {
    let tar = Command::new("tar")
        .args(["--owner=0", "--group=0", "--numeric-owner", "-cf", "-", "."])
        .current_dir(directory)
        .output();
    tar.unwrap().stdout
}

/// A program that is the watcher, as `ovhai` is: this one, which runs just [`is_the_watcher`].
pub(crate) fn watcher() -> PathBuf {
    use std::os::unix::fs::PermissionsExt;

    static SCRIPT: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, script) = SCRIPT.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let script = directory.path().join("watcher");
        let own = std::env::current_exe().unwrap();
        let text = format!(
            "#!/bin/sh\nOVHAI_TEST_WATCHER=$1 exec '{}' --exact bench::is_the_watcher\n",
            own.display()
        );
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        (directory, script)
    });
    script.clone()
}

#[test]
fn is_the_watcher() {
    if std::env::var("OVHAI_TEST_WATCHER").as_deref() == Ok(ovhai_containers::watcher::SUBCOMMAND) {
        assert_eq!(ovhai_containers::watcher::main(), std::process::ExitCode::SUCCESS);
    }
}

/// A runtime with a state directory of its own.
pub(crate) struct Bench {
    pub(crate) socket: String,
    pub(crate) state: String,
    pub(crate) directory: TempDir,
    pub(crate) runtime: ContainerRuntime,
    access: ImageAccess,
}

pub(crate) fn administrator() -> ImageAccess {
    ImageAccess { is_local_administrator: true, ..ImageAccess::default() }
}

impl Bench {
    pub(crate) fn new(socket: &str) -> Self {
        Self::with(socket, ContainerSettings::default(), administrator())
    }

    pub(crate) fn with(socket: &str, settings: ContainerSettings, access: ImageAccess) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let state = unique();
        let settings =
            ContainerSettings { engine: EngineSettings::only("test", socket), ..settings };
        let files = directory.path().join("containers");
        let runtime = ContainerRuntime::new(settings, state.clone(), files, Some(watcher()), None);
        Self { socket: socket.to_owned(), state, directory, runtime, access }
    }

    /// Launches a replica of an app of its own.
    pub(crate) fn launch(&self, wire: Value) -> Run {
        self.launch_of(AppId(Uuid::new_v4()), 1, wire)
    }

    pub(crate) fn launch_of(&self, app: AppId, revision: u64, wire: Value) -> Run {
        self.launch_spec(app, revision, spec(wire))
    }

    pub(crate) fn launch_spec(&self, app: AppId, revision: u64, spec: Spec) -> Run {
        let logs = Arc::new(LogBuffer::default());
        let id = logs.begin(1);
        let request = ReplicaRequest {
            app,
            number: 1,
            replica: id,
            revision,
            spec,
            environment: None,
            volumes: Arc::default(),
            image_access: self.access.clone(),
            logs: Arc::clone(&logs),
        };
        let (sender, events) = mpsc::unbounded_channel();
        let replica = self.runtime.launch(request, ReplicaReporter::new(1, sender));
        Run { replica, events, logs, id, seen: Vec::new() }
    }

    /// The names of the containers of this state directory.
    pub(crate) async fn containers(&self) -> Vec<String> {
        containers(&self.socket, &self.state).await
    }
}

/// All containers of a state directory.
pub(crate) async fn containers(socket: &str, state: &str) -> Vec<String> {
    list(socket, state, true).await
}

/// Those that run.
pub(crate) async fn running(socket: &str, state: &str) -> Vec<String> {
    list(socket, state, false).await
}

async fn list(socket: &str, state: &str, all: bool) -> Vec<String> {
    let filters = [("label", vec![format!("ovh.emulator={state}")])].into();
    let options = ListContainersOptionsBuilder::default().all(all).filters(&filters).build();
    let docker = client(socket);
    // The client can't read one state of Podman's, which does not last.
    let list = || async { docker.list_containers(Some(options.clone())).await.ok() };
    let first = |names: Vec<String>| Some(names.first()?.trim_start_matches('/').to_owned());
    let all = eventually("the containers", list).await;
    all.into_iter().filter_map(|it| first(it.names?)).collect()
}

pub(crate) fn spec(wire: Value) -> Spec {
    let mut all = json!({"resources": {"cpu": 1}});
    for (key, value) in wire.as_object().unwrap() {
        all[key] = value.clone();
    }
    let wire: AppSpec = serde_json::from_value(all).unwrap();
    Spec::check(&wire, |_| "it".into()).unwrap()
}

/// A launched replica.
pub(crate) struct Run {
    pub(crate) replica: Box<dyn Replica>,
    events: mpsc::UnboundedReceiver<(u64, ReplicaEvent)>,
    pub(crate) logs: Arc<LogBuffer>,
    id: ReplicaId,
    pub(crate) seen: Vec<ReplicaEvent>,
}

impl Run {
    pub(crate) async fn next(&mut self) -> ReplicaEvent {
        let event = tokio::time::timeout(LIMIT, self.events.recv()).await;
        let event = event
            .unwrap_or_else(|_| panic!("no event after {:?}; log {:?}", self.seen, self.lines()));
        let (_, event) = event.expect("the replica reports to its end");
        self.seen.push(event.clone());
        event
    }

    pub(crate) async fn ready(&mut self) -> ReplicaEndpoint {
        loop {
            match self.next().await {
                ReplicaEvent::Ready(endpoint) => return endpoint,
                event @ ReplicaEvent::Exited { .. } => {
                    panic!("{event:?}; log {:?}", self.lines())
                }
                _ => {}
            }
        }
    }

    pub(crate) async fn exited(&mut self) -> (Blame, Option<ExitStatus>, String) {
        loop {
            if let ReplicaEvent::Exited { fault, status, message } = self.next().await {
                return (fault, status, message);
            }
        }
    }

    pub(crate) async fn lost(&mut self) -> String {
        loop {
            match self.next().await {
                ReplicaEvent::Lost(why) => return why,
                event @ ReplicaEvent::Exited { .. } => panic!("{event:?} without a Lost"),
                _ => {}
            }
        }
    }

    /// Its output, without our notes.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = self.logs.read(0, |run| run == self.id).into_iter().map(|line| line.text);
        lines.filter(|line| !line.starts_with("[ovhai]")).collect()
    }

    pub(crate) fn text(&self) -> String {
        self.lines().iter().fold(String::new(), |mut all, line| {
            let _ = writeln!(all, "{line}");
            all
        })
    }

    /// Waits for a line of its output.
    pub(crate) async fn says(&self, text: &str) {
        let says = || async { self.text().contains(text).then_some(()) };
        eventually(&format!("{text:?}"), says).await;
    }
}

/// One GET; the body.
pub(crate) async fn get(endpoint: &ReplicaEndpoint) -> String {
    let mut stream = TcpStream::connect(endpoint.http).await.unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
}

/// The command of a server after `first`.
pub(crate) fn serve(first: &str) -> Value {
    json!(["sh", "-c", format!("{first}\nexec httpd -f -p 8080 -h /www")])
}
