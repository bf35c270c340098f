//! Volumes of apps: where their files come from, who shares them, and what is written back.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use ovhai_api_types::App;
use ovhai_core::policy::Principal;
use ovhai_emulator::Emulator;
use ovhai_runtime::SimRuntime;
use ovhai_test_support::foreground::Foreground;
use ovhai_test_support::processes::{process, processes, server};
use ovhai_test_support::{TestCli, TestEmulator, eventually, eventually_now};
use serde_json::{Value, json};

use crate::OVHAI;

/// An emulator with a state directory.
struct Place {
    all: tempfile::TempDir,
    e: TestEmulator,
}

impl Place {
    /// In which apps answer at once and touch no files.
    async fn simulated() -> Self {
        let sim = SimRuntime::automatic((Ipv4Addr::LOCALHOST, 9).into());
        Self::new(Some(sim)).await
    }

    async fn new(sim: Option<SimRuntime>) -> Self {
        let all = tempfile::tempdir().unwrap();
        let mut builder =
            TestEmulator::builder().state_dir(all.path().join("state")).supervisor(OVHAI);
        if let Some(sim) = &sim {
            builder = builder.runtime(Arc::new(sim.clone()));
        }
        let emulator: Emulator = builder.start().await.unwrap();
        Self { all, e: TestEmulator { emulator, sim } }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.all.path().join(path)
    }

    /// The directory of a container of the data store `local`.
    fn container(&self, name: &str) -> PathBuf {
        let path = self.path("state/data/local").join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    /// The directory of an app's copy.
    fn copy(&self, app: &App, number: u32) -> PathBuf {
        self.path("state/volumes").join(app.id.to_string()).join(number.to_string())
    }

    async fn stop(&self, app: &App) {
        let stopped = self.e.admin("PUT", &format!("/v1/app/{}/stop", app.id), None).await;
        assert!(stopped.status.is_success(), "{}", stopped.text());
        self.e.wait(app, "STOPPED").await;
    }

    /// Begins a synchronisation, and returns it when it has ended.
    async fn sync(&self, app: &App, direction: &str, volume: Option<&str>) -> Value {
        let spec = json!({"direction": direction, "volume": volume});
        let begun = self.e.admin("POST", &format!("/v1/app/{}/datasync", app.id), Some(spec)).await;
        assert_eq!(begun.status, 200, "{}", begun.text());
        let id = begun.json()["id"].as_str().unwrap().to_owned();
        eventually("the synchronisation has ended", || async {
            let now = self.e.app(app).await;
            let run = now.status.data_sync.iter().find(|run| run.id == id).unwrap();
            let run = serde_json::to_value(run).unwrap();
            (!run["status"]["endedAt"].is_null()).then_some(run)
        })
        .await
    }
}

fn volume(text: &str) -> Value {
    let volume: ovhai_api_types::Volume = text.parse().unwrap();
    serde_json::to_value(volume).unwrap()
}

fn with_volumes(volumes: &[&str]) -> Value {
    json!({"volumes": volumes.iter().map(|text| volume(text)).collect::<Vec<_>>()})
}

fn info(app: &App) -> String {
    app.status.info.as_ref().unwrap().message.clone()
}

/// Writes files, by path and text.
fn write(directory: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = directory.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// The files below a directory, by path, with their text.
fn files(directory: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut left = vec![directory.to_path_buf()];
    while let Some(next) = left.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.symlink_metadata().unwrap().is_dir() {
                left.push(path);
            } else {
                let name = path.strip_prefix(directory).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

fn texts(of: &[(&str, &str)]) -> BTreeMap<String, String> {
    of.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

const DATA: [(&str, &str); 3] = [("a", "old a"), ("b", "old b"), ("sub/c", "old c")];

/// What an app does to a copy.
fn change(copy: &Path) {
    write(copy, &[("a", "changed a"), ("new", "new")]);
    std::fs::remove_file(copy.join("sub/c")).unwrap();
}

#[tokio::test]
async fn changes_are_lost_or_written_back_as_the_permission_says() {
    let p = Place::simulated().await;
    let containers = ["ro", "rw", "rwd"].map(|name| p.container(name));
    for container in &containers {
        write(container, &DATA);
    }
    let volumes = ["ro@local:/d/1:RO", "rw@LOCAL:/d/2:rw", "rwd@local/:/d/3:Rwd"];
    let app = p.e.run_app(&[], with_volumes(&volumes)).await;
    for number in 1..=3 {
        assert_eq!(files(&p.copy(&app, number)), texts(&DATA));
        change(&p.copy(&app, number));
    }
    let shown = serde_json::to_value(&app).unwrap();
    assert_eq!(shown["spec"]["volumes"][2]["permission"], "RWD");
    assert_eq!(shown["status"]["volumes"][1]["mountPath"], "/d/2");
    assert_eq!(shown["status"]["dataSync"][0]["status"]["state"], "DONE");
    let progress = &shown["status"]["dataSync"][0]["status"]["progress"][0];
    assert_eq!((progress["total"].as_i64(), progress["completed"].as_i64()), (Some(3), Some(3)));
    // As in the service.
    p.stop(&app).await;
    for (container, number) in containers.iter().zip(1..) {
        assert_eq!(files(container), texts(&DATA));
        assert!(!p.copy(&app, number).exists(), "the copy is gone");
    }

    let mut spec = with_volumes(&volumes);
    spec["volumeWriteback"] = json!(true);
    let app = p.e.run_app(&[], spec).await;
    for number in 1..=3 {
        change(&p.copy(&app, number));
    }
    // Others changed the store meanwhile; what the app left as it was is not written.
    for container in &containers {
        write(container, &[("b", "newer b"), ("theirs", "theirs")]);
    }
    p.stop(&app).await;
    let own = [("a", "old a"), ("b", "newer b"), ("sub/c", "old c"), ("theirs", "theirs")];
    assert_eq!(files(&containers[0]), texts(&own));
    let added = [
        ("a", "changed a"),
        ("b", "newer b"),
        ("new", "new"),
        ("sub/c", "old c"),
        ("theirs", "theirs"),
    ];
    assert_eq!(files(&containers[1]), texts(&added));
    let deleted = [("a", "changed a"), ("b", "newer b"), ("new", "new"), ("theirs", "theirs")];
    assert_eq!(files(&containers[2]), texts(&deleted));
    // A new start has the new data.
    let started = p.e.admin("PUT", &format!("/v1/app/{}/start", app.id), None).await;
    assert!(started.status.is_success(), "{}", started.text());
    p.e.wait(&app, "RUNNING").await;
    assert_eq!(files(&p.copy(&app, 3)), texts(&deleted));
    p.e.emulator.shutdown().await;
}

#[tokio::test]
async fn data_is_pulled_and_pushed_while_the_app_runs() {
    let p = Place::simulated().await;
    let container = p.container("data");
    write(&container, &DATA);
    let volumes = ["data@local:/data:rwd", "data@local/sub:/ro:ro"];
    let app = p.e.run_app(&[], with_volumes(&volumes)).await;
    assert_eq!(files(&p.copy(&app, 2)), texts(&[("c", "old c")]));
    let copy = p.copy(&app, 1);
    change(&copy);
    write(&container, &[("b", "newer b"), ("more", "more")]);
    let run = p.sync(&app, "pull", Some("/data")).await;
    assert_eq!(run["status"]["state"], "DONE", "{run}");
    assert_eq!(run["spec"]["manual"], true);
    let own = [("a", "changed a"), ("b", "newer b"), ("more", "more"), ("new", "new")];
    assert_eq!(files(&copy), texts(&own), "what the app changed stays");
    let run = p.sync(&app, "push", None).await;
    assert_eq!(run["status"]["state"], "DONE", "{run}");
    let progress = run["status"]["progress"].as_array().unwrap();
    assert_eq!(progress.len(), 1, "not the one that is read-only");
    assert_eq!(progress[0]["deleted"], 1, "{run}");
    assert_eq!(files(&container), texts(&own));
    let shown = p.e.app(&app).await;
    assert!(shown.status.volumes[0].last_pushed_created_at.is_some());

    for (spec, status, says) in [
        (json!({"direction": "push", "volume": "/ro"}), 400, "never written back"),
        (json!({"direction": "push", "volume": "/nowhere"}), 404, "volume"),
        (json!({"direction": "sideways"}), 400, "direction"),
    ] {
        let path = format!("/v1/app/{}/datasync", app.id);
        let answer = p.e.admin("POST", &path, Some(spec)).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.text().contains(says), "{}", answer.text());
    }
    p.stop(&app).await;
    let spec = json!({"direction": "pull"});
    let answer = p.e.admin("POST", &format!("/v1/app/{}/datasync", app.id), Some(spec)).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("STOPPED"), "{}", answer.text());
    p.e.emulator.shutdown().await;
}

#[tokio::test]
async fn links_lead_nowhere_else_in_either_direction() {
    let p = Place::simulated().await;
    let container = p.container("data");
    write(&container, &[("real", "text"), ("inner/x", "x")]);
    write(&p.path("outside"), &[("secret", "secret")]);
    symlink("real", container.join("link")).unwrap();
    symlink(p.path("outside/secret"), container.join("out")).unwrap();
    symlink("../../../outside", container.join("out-directory")).unwrap();
    symlink("..", container.join("inner/circle")).unwrap();
    let app = p.e.run_app(&[], with_volumes(&["data@local:/data:rwd"])).await;
    let copy = p.copy(&app, 1);
    let expected = [("inner/x", "x"), ("link", "text"), ("real", "text")];
    assert_eq!(files(&copy), texts(&expected));
    let through = app.status.data_sync[0].status.progress[0].clone();
    assert_eq!((through.completed, through.skipped), (3, 3));

    // An app that plants links reads nothing of this machine, and writes nothing to it.
    symlink(p.path("outside/secret"), copy.join("stolen")).unwrap();
    std::fs::remove_dir_all(copy.join("inner")).unwrap();
    symlink(p.path("outside"), copy.join("inner")).unwrap();
    let run = p.sync(&app, "push", None).await;
    assert_eq!(run["status"]["state"], "DONE", "{run}");
    assert!(!container.join("stolen").exists());
    assert!(!container.join("inner/secret").exists());
    assert_eq!(files(&p.path("outside")), texts(&[("secret", "secret")]));
    let run = p.sync(&app, "pull", None).await;
    assert_eq!(files(&p.path("outside")), texts(&[("secret", "secret")]), "{run}");

    for (bad, says) in [
        ("data@local/../..:/d:ro", "prefix"),
        ("..@local:/d:ro", "container"),
        ("data@nowhere:/d:ro", "there is no data store nowhere"),
        ("data@local:/d/../../x:ro", "mountPath"),
    ] {
        let mut spec = with_volumes(&[bad]);
        spec["image"] = json!("a");
        let answer = p.e.admin("POST", "/v1/app", Some(spec)).await;
        assert_eq!(answer.status, 400, "{bad}: {}", answer.text());
        assert!(answer.text().contains(says), "{}", answer.text());
    }
    p.e.emulator.shutdown().await;
}

#[tokio::test]
async fn a_copy_with_a_cache_is_shared_until_the_last_app_stops() {
    let p = Place::simulated().await;
    write(&p.container("data"), &DATA);
    let spec = || with_volumes(&["data@local:/data:ro:cache", "new@GRA:/kept:rw"]);
    let (first, second) = (p.e.run_app(&[], spec()).await, p.e.run_app(&[], spec()).await);
    let cached = || -> Vec<PathBuf> {
        let all = std::fs::read_dir(p.path("state/volumes/cache")).unwrap();
        all.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
    };
    let copies = cached();
    assert_eq!(copies.len(), 1, "{copies:?}");
    assert_eq!(files(&copies[0]), texts(&DATA));
    assert!(!p.copy(&first, 1).exists());
    assert!(files(&p.copy(&first, 2)).is_empty(), "a missing container is empty");
    p.stop(&first).await;
    assert_eq!(cached(), copies);
    p.stop(&second).await;
    assert!(cached().is_empty());
    p.e.emulator.shutdown().await;
}

#[tokio::test]
async fn a_standalone_volume_stays_with_its_app() {
    let p = Place::simulated().await;
    let spec = json!({"volumes": [{"mountPath": "/s", "permission": "RW", "standalone": {}}]});
    let app = p.e.run_app(&[], spec).await;
    let kept = p.path("state/volumes").join(app.id.to_string()).join("kept-1");
    write(&kept, &[("mine", "mine")]);
    p.stop(&app).await;
    assert_eq!(files(&kept), texts(&[("mine", "mine")]));
    let started = p.e.admin("PUT", &format!("/v1/app/{}/start", app.id), None).await;
    assert!(started.status.is_success());
    p.e.wait(&app, "RUNNING").await;
    assert_eq!(files(&kept), texts(&[("mine", "mine")]));
    let gone = p.e.admin("DELETE", &format!("/v1/app/{}?force=true", app.id), None).await;
    assert!(gone.status.is_success(), "{}", gone.text());
    eventually("nothing is left", || async { (!kept.exists()).then_some(()) }).await;
    p.e.emulator.shutdown().await;
}

/// The replicas of a process get the same directory; the container's path is explained.
#[tokio::test]
async fn processes_get_the_directories_by_variables() {
    let p = Place::new(None).await;
    write(&p.container("data"), &DATA);
    let script = format!(
        "cat \"$OVHAI_VOLUME_1/sub/c\" >> \"$OVHAI_VOLUME_2/log\"; exec {}",
        server(&[])
            .as_array()
            .unwrap()
            .iter()
            .map(|w| w.as_str().unwrap())
            .collect::<Vec<_>>()
            .join(" ")
    );
    let mut spec = process(&json!(["sh", "-c", script]), json!({}));
    spec["scalingStrategy"] = json!({"fixed": {"replicas": 2}});
    spec["volumes"] =
        with_volumes(&["data@local:/workspace/data:ro", "out@local:/workspace/out:rw"])["volumes"]
            .clone();
    let app = p.e.run_app(&[], spec).await;
    assert_eq!(files(&p.copy(&app, 2)), texts(&[("log", "old cold c")]), "both wrote to it");
    let mode =
        |path: &str| p.copy(&app, 1).join(path).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("."), mode("a")), (0o500, 0o400), "read-only");
    p.stop(&app).await;
    assert!(!p.copy(&app, 1).exists(), "although it is read-only");

    let hinted = json!({
        "workingDirectory": "/workspace/data",
        "volumes": with_volumes(&["data@local:/workspace/data:ro"])["volumes"],
    });
    let app = p.e.submit(&[], process(&json!(["ls"]), hinted)).await;
    let app = p.e.wait(&app, "FAILED").await;
    let says = "a local process has no mounts: the volume of /workspace/data is in the directory";
    assert!(info(&app).contains(says), "{}", info(&app));
    assert!(info(&app).contains("OVHAI_VOLUME_1"), "{}", info(&app));
    p.e.emulator.shutdown().await;
}

/// A repository with one commit, and a hook that would leave a trace.
fn repository(at: &Path) {
    write(at, &[("code.py", "print(1)\n")]);
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
            .args(arguments)
            .current_dir(at)
            .env("HOME", at)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    git(&["init", "--quiet"]);
    git(&["add", "code.py"]);
    git(&["commit", "--quiet", "-m", "first"]);
}

#[tokio::test]
async fn only_the_owner_attaches_a_repository_that_is_not_public() {
    let p = Place::simulated().await;
    let source = p.path("repository");
    std::fs::create_dir(&source).unwrap();
    repository(&source);
    let local = format!("file://{}:/workspace/code:ro", source.display());
    let app = p.e.run_app(&[], with_volumes(&[&local])).await;
    let copy = p.copy(&app, 1);
    assert_eq!(std::fs::read_to_string(copy.join("code.py")).unwrap(), "print(1)\n");

    let token = p.e.token("GRA", "operator", None).await;
    let operator = token.status.value.unwrap();
    for address in [&local, "http://127.0.0.1:9/x.git:/c:ro", "http://localhost/x.git:/c"] {
        let mut spec = with_volumes(&[address]);
        spec["image"] = json!("a");
        let answer = p.e.call("GRA", &operator, "POST", "/v1/app", Some(spec)).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert!(answer.text().contains("only the emulator's owner"), "{}", answer.text());
    }
    let mut spec = with_volumes(&["file:///no/such/repository.git:/c:ro"]);
    spec["image"] = json!("a");
    let app = p.e.submit(&[], spec).await;
    let app = p.e.wait(&app, "FAILED").await;
    assert!(info(&app).contains("/no/such/repository.git"), "{}", info(&app));
    for url in ["--upload-pack=touch x", "ext::sh -c id", "https://me:pw@example.org/x.git"] {
        let volume = json!({"mountPath": "/c", "permission": "RO", "publicGit": {"url": url}});
        let answer =
            p.e.admin("POST", "/v1/app", Some(json!({"image": "a", "volumes": [volume]}))).await;
        assert_eq!(answer.status, 400, "{url}: {}", answer.text());
    }
    p.e.emulator.shutdown().await;
}

#[tokio::test]
async fn only_the_owner_has_a_directory_of_this_machine_written_to() {
    let p = Place::simulated().await;
    let host = p.path("host");
    write(&host, &[("data/a", "a")]);
    let (platform, admin) =
        (p.e.emulator.platform(), Principal::Administrator { user: "me".into() });
    for refused in ["state", "state/data", ".", "missing"] {
        let path = p.path(refused).to_str().unwrap().to_owned();
        let added = platform.add_data_store(&admin, "host", Some(path)).await;
        assert!(added.is_err(), "{refused}");
    }
    let added =
        platform.add_data_store(&admin, "host", Some(host.to_str().unwrap().to_owned())).await;
    added.unwrap();

    let operator = p.e.token("GRA", "operator", None).await.status.value.unwrap();
    let create = async |bearer: &str, writes_back: bool| {
        let mut spec = with_volumes(&["data@host:/data:rw"]);
        spec["image"] = json!("a");
        spec["volumeWriteback"] = json!(writes_back);
        p.e.call("GRA", bearer, "POST", "/v1/app", Some(spec)).await
    };
    let refused = create(&operator, true).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    let app: App = serde_json::from_slice(&create(&operator, false).await.body).unwrap();
    p.e.wait(&app, "RUNNING").await;
    let push = json!({"direction": "push"});
    let path = format!("/v1/app/{}/datasync", app.id);
    let refused = p.e.call("GRA", &operator, "POST", &path, Some(push)).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    write(&p.copy(&app, 1), &[("b", "b")]);
    p.sync(&app, "push", None).await;
    assert_eq!(files(&host), texts(&[("data/a", "a"), ("data/b", "b")]));

    // The owner's app, once another caller has said what it runs, is not written back.
    let admin = p.e.emulator.administrator().to_owned();
    let app: App = serde_json::from_slice(&create(&admin, true).await.body).unwrap();
    p.e.wait(&app, "RUNNING").await;
    let image = json!({"url": "other"});
    let path = format!("/v1/app/{}/image", app.id);
    let changed = p.e.call("GRA", &operator, "PUT", &path, Some(image)).await;
    assert!(changed.status.is_success(), "{}", changed.text());
    p.e.wait(&app, "RUNNING").await;
    write(&p.copy(&app, 1), &[("c", "c")]);
    p.stop(&app).await;
    assert_eq!(files(&host), texts(&[("data/a", "a"), ("data/b", "b")]));
    p.e.emulator.shutdown().await;
}

/// A server that accepts connections, and never answers.
fn silent() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[test]
fn an_emulator_that_is_killed_leaves_neither_git_nor_half_a_copy() {
    let cli = TestCli::new(OVHAI);
    let (_listener, address) = silent();
    let url = format!("http://{address}/slow.git");
    let mut e = Foreground::start(&cli, &[]);
    let volume = format!("{url}:/workspace/code:ro");
    let app = cli.json(&["app", "run", "ovhai/echo", "--volume", &volume]);
    let id = app["id"].as_str().unwrap();
    let of_git = || {
        let found = processes(&url);
        found.into_iter().filter(|line| line.contains("clone")).collect::<Vec<_>>()
    };
    eventually_now("git runs", || (!of_git().is_empty()).then_some(()));
    let now = cli.json(&["app", "get", id]);
    assert_eq!(now["status"]["state"], "INITIALIZING");
    let says = now["status"]["info"]["message"].as_str().unwrap();
    assert!(says.contains("fetching the data of its volumes"), "{says}");
    e.child.kill().unwrap();
    e.child.wait().unwrap();
    eventually_now("git is gone", || of_git().is_empty().then_some(()));

    let volumes = cli.state_dir().join("volumes").join(id);
    write(&volumes, &[("1.part/half", "half")]);
    let _e = Foreground::start(&cli, &[]);
    eventually_now("it is fetched again", || (!of_git().is_empty()).then_some(()));
    assert!(!volumes.join("1.part/half").exists());
    cli.ok(&["app", "delete", id, "--force"]);
    eventually_now("git is gone", || of_git().is_empty().then_some(()));
    eventually_now("the copy is gone", || (!volumes.exists()).then_some(()));
}

/// A copy that is complete is used by the next emulator: the app has run all the time, as far as its
/// data is concerned.
#[test]
fn a_copy_outlives_its_emulator() {
    let cli = TestCli::new(OVHAI);
    let mut e = Foreground::start(&cli, &[]);
    write(&cli.state_dir().join("data/s3gra/b"), &[("a", "a")]);
    let volume = "b@S3GRA/:/workspace/data:RW:cache";
    let app = cli.json(&["app", "run", "ovhai/echo", "--volume", volume, "--wait"]);
    let own = cli.json(&["app", "run", "ovhai/echo", "--volume", "b@S3GRA:/d:rw", "--wait"]);
    let copy = cli.state_dir().join("volumes").join(own["id"].as_str().unwrap()).join("1");
    write(&copy, &[("written", "by the app")]);
    e.child.kill().unwrap();
    e.child.wait().unwrap();
    let _e = Foreground::start(&cli, &[]);
    for app in [&app, &own] {
        cli.ok(&["app", "wait", app["id"].as_str().unwrap()]);
    }
    assert_eq!(files(&copy), texts(&[("a", "a"), ("written", "by the app")]));
}

/// A directory that is too deep is not written back, and so its copy is not removed with the app.
#[test]
fn what_can_not_be_written_back_stays_until_the_next_emulator() {
    let cli = TestCli::new(OVHAI);
    let mut e = Foreground::start(&cli, &[]);
    let volume = ["--volume", "b@S3GRA:/d:rw", "--volume-writeback"];
    let app = cli.json(&[&["app", "run", "ovhai/echo", "--wait"][..], &volume].concat());
    let id = app["id"].as_str().unwrap();
    let copy = cli.state_dir().join("volumes").join(id).join("1");
    let deep: PathBuf = std::iter::repeat_n("d", 70).chain(["deep"]).collect();
    write(&copy, &[(deep.to_str().unwrap(), "deep"), ("flat", "flat")]);
    cli.ok(&["app", "delete", id, "--force", "--wait"]);
    assert_eq!(files(&cli.state_dir().join("data/s3gra/b")), texts(&[("flat", "flat")]));
    assert_eq!(files(&copy).len(), 2, "the copy is there");
    e.child.kill().unwrap();
    e.child.wait().unwrap();
    let _e = Foreground::start(&cli, &[]);
    eventually_now("the copy is gone", || (!copy.exists()).then_some(()));
}

#[test]
fn the_command_line_shows_and_synchronises_volumes() {
    let cli = TestCli::new(OVHAI);
    let line = [
        "app",
        "run",
        "ovhai/echo",
        "--name",
        "rps",
        "--cpu",
        "1",
        "--default-http-port",
        "8501",
        "--volume",
        "rps-data@S3GRA/:/workspace/data:RW:cache",
        "--volume",
        "in@GRA:/in:ro",
        "--unsecure-http",
        "--wait",
    ];
    let app = cli.json(&line);
    let shown = cli.ok(&["app", "get", "rps"]);
    for part in ["/workspace/data", "rps-data@S3GRA", "RW", "pull DONE"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let copy = cli.state_dir().join("volumes/cache");
    let copy = std::fs::read_dir(copy).unwrap().map(|entry| entry.unwrap().path());
    let copy = copy.filter(|path| path.is_dir()).collect::<Vec<_>>().remove(0);
    write(&copy, &[("metrics", "1")]);
    let said = cli.ok(&["app", "data-sync", "rps", "push"]);
    assert!(said.contains("/workspace/data: copied 1 file, deleted 0"), "{said}");
    let stored = files(&cli.state_dir().join("data/s3gra/rps-data"));
    assert_eq!(stored, texts(&[("metrics", "1")]));
    write(&cli.state_dir().join("data/s3gra/rps-data"), &[("more", "2")]);
    let done = cli.json(&["app", "data-sync", "rps", "pull", "--volume", "/workspace/data"]);
    assert_eq!(done["status"]["state"], "DONE");
    assert_eq!(files(&copy), texts(&[("metrics", "1"), ("more", "2")]));
    let (code, said) = cli.fails(&["app", "data-sync", "rps", "push", "--volume", "/in"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("never written back"), "{said}");
    assert_eq!(app["spec"]["volumes"][0]["cache"], true);
}
