//! An image for each rule that reads files, and clean ones. All are archives made here.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::time::Duration;

use serde_json::{Value, json};
use tar::{EntryType, Header};

use super::archive::Archive;
use super::config::Asked;
use super::facts::Facts;
use super::finding::{Finding, IDS, Level};
use super::observe::Answer;
use super::rules;
use super::run::{Ended, Observed, Upgrade};
use super::saved::SavedImage;
use super::verdict::{self, Runs};

/// An image under construction: its files, and its configuration.
struct Made {
    layers: Vec<tar::Builder<Vec<u8>>>,
    config: Value,
    history: Value,
    architecture: &'static str,
    asked: Asked,
}

/// A program of Linux for this machine.
const MACHINE: [(&str, u16); 2] = [("amd64", 62), ("arm64", 183)];

/// A program without a loader, for a machine.
fn program(machine: &str) -> Vec<u8> {
    let number = MACHINE.iter().find(|(name, _)| *name == machine).expect("known").1;
    let mut bytes = vec![0; 64];
    bytes[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1]);
    bytes[16] = 2;
    bytes[18..20].copy_from_slice(&number.to_le_bytes());
    bytes[20] = 1;
    bytes[52] = 64;
    bytes[54] = 56;
    bytes[58] = 64;
    bytes
}

impl Made {
    /// A clean image.
    fn clean() -> Self {
        let made = Self {
            layers: vec![tar::Builder::new(Vec::new())],
            config: json!({
                "Env": ["PATH=/usr/local/bin:/bin", "HOME=/workspace"],
                "Entrypoint": ["/bin/server"], "Cmd": ["--host", "0.0.0.0"],
                "WorkingDir": "/workspace", "ExposedPorts": {"8080/tcp": {}},
            }),
            history: json!([]),
            architecture: "amd64",
            asked: Asked { port: 8080, ..Asked::default() },
        };
        made.directory("tmp", 0o1777, 0)
            .directory("workspace", 0o755, 42420)
            .file("bin/server", 0o755, 0, &program("amd64"))
            .file("bin/sh", 0o755, 0, &program("amd64"))
    }

    fn entry(mut self, kind: EntryType, path: &str, mode: u32, owner: u64, content: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(owner);
        header.set_gid(owner);
        header.set_size(content.len() as u64);
        let layer = self.layers.last_mut().expect("a layer");
        layer.append_data(&mut header, path, content).expect("appended");
        self
    }

    fn file(self, path: &str, mode: u32, owner: u64, content: &[u8]) -> Self {
        self.entry(EntryType::Regular, path, mode, owner, content)
    }

    fn directory(self, path: &str, mode: u32, owner: u64) -> Self {
        self.entry(EntryType::Directory, path, mode, owner, &[])
    }

    fn link(mut self, path: &str, target: &str) -> Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Symlink);
        header.set_size(0);
        let layer = self.layers.last_mut().expect("a layer");
        layer.append_link(&mut header, path, target).expect("appended");
        self
    }

    fn layer(mut self) -> Self {
        self.layers.push(tar::Builder::new(Vec::new()));
        self
    }

    fn set(mut self, key: &str, value: Value) -> Self {
        self.config[key] = value;
        self
    }

    fn env(mut self, all: &[&str]) -> Self {
        let env = self.config["Env"].as_array_mut().expect("a list");
        env.retain(|one| {
            let name = one.as_str().and_then(|one| one.split_once('=')).map(|one| one.0);
            !all.iter().any(|new| new.split_once('=').map(|new| new.0) == name)
        });
        env.extend(all.iter().map(|one| json!(one)));
        self
    }

    /// A script that starts it.
    fn script(self, text: &str) -> Self {
        self.file("start.sh", 0o755, 0, text.as_bytes()).set("Entrypoint", json!(["/start.sh"]))
    }

    fn port(mut self, port: u16) -> Self {
        self.asked.port = port;
        self
    }

    /// With Python and these packages.
    fn packages(self, names: &[&str]) -> Self {
        let made = self
            .file("usr/local/bin/python3.12", 0o755, 0, &program("amd64"))
            .link("usr/local/bin/python3", "python3.12")
            .env(&["PYTHON_VERSION=3.12.1"]);
        names.iter().fold(made, |made, name| {
            let path = format!("usr/local/lib/python3.12/site-packages/{name}");
            made.directory(&path, 0o755, 0)
        })
    }

    /// The image as docker save writes it, and the app's options.
    fn save(self, compressed: bool) -> (tempfile::NamedTempFile, Asked) {
        let mut whole = tar::Builder::new(Vec::new());
        let mut add = |name: &str, content: &[u8]| {
            let mut header = Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            whole.append_data(&mut header, name, content).expect("appended");
        };
        let config = json!({
            "os": "linux", "architecture": self.architecture, "config": self.config,
            "history": self.history,
        });
        let mut names = Vec::new();
        for (number, layer) in self.layers.into_iter().enumerate() {
            let mut content = layer.into_inner().expect("an archive");
            if compressed {
                let mut encoder =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                std::io::Write::write_all(&mut encoder, &content).expect("compressed");
                content = encoder.finish().expect("compressed");
            }
            let name = format!("{number}/layer.tar");
            add(&name, &content);
            names.push(name);
        }
        add("config.json", config.to_string().as_bytes());
        let manifest = json!([{"Config": "config.json", "Layers": names}]);
        add("manifest.json", manifest.to_string().as_bytes());
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), whole.into_inner().expect("an archive")).expect("written");
        (file, self.asked)
    }
}

async fn facts_of(made: Made) -> Facts {
    let (file, asked) = made.save(false);
    let image = SavedImage::open(file.path()).expect("an image");
    let config = image.config.clone();
    Facts::gather(&image, config, asked).await.expect("facts")
}

async fn check(made: Made) -> Vec<(&'static str, Level)> {
    let found = rules::all(&facts_of(made).await);
    for finding in &found {
        assert!(IDS.contains(&finding.id), "{finding:?}");
        assert!(!finding.evidence.is_empty() && !finding.fix.is_empty(), "{finding:?}");
    }
    found.iter().map(|finding| (finding.id, finding.level)).collect()
}

#[tokio::test]
async fn clean_images_stay_clean() {
    assert_eq!(check(Made::clean()).await, []);
    let shell =
        Made::clean().script("#!/bin/sh\nset -e\nexec \"$@\"\n").set("Cmd", json!(["/bin/server"]));
    assert_eq!(check(shell).await, []);
    let env = Made::clean()
        .file("usr/bin/env", 0o755, 0, &program("amd64"))
        .script("#!/usr/bin/env sh\n[ \"$(id -u)\" = 0 ] && exec gosu app \"$0\"\nexec server\n");
    assert_eq!(check(env).await, []);
    let python = Made::clean()
        .packages(&["torch", "matplotlib", "numba", "transformers"])
        .env(&["USER=ovh"])
        .set("Entrypoint", json!(["python3", "app.py"]))
        .file("workspace/app.py", 0o644, 0, b"");
    assert_eq!(check(python).await, []);
    let group = Made::clean().directory("data", 0o777, 0).env(&["HOME=/data"]);
    assert_eq!(check(group).await, []);
}

#[tokio::test]
async fn an_image_for_each_row() {
    use Level::{Error, Info, Warning};

    let clean = Made::clean;
    let uvicorn = |more: &[&str]| {
        let made = clean().file("bin/uvicorn", 0o755, 0, &program("amd64"));
        let words: Vec<&str> = ["uvicorn", "app:app"].iter().chain(more).copied().collect();
        made.set("Entrypoint", json!(words)).set("Cmd", json!([]))
    };
    let rows: Vec<(Made, &str, Level)> = vec![
        (Made { architecture: "arm64", ..clean() }, "platform", Error),
        (clean().file("bin/server", 0o755, 0, &program("arm64")), "foreign-binary", Error),
        (clean().set("User", json!("app:app")), "user-ignored", Info),
        (clean().script("#!/bin/sh\nexec gosu app server\n"), "needs-root", Error),
        (clean().set("Env", json!(["PATH=/bin"])), "home", Warning),
        (clean().directory("root", 0o700, 0).env(&["HOME=/root"]), "home", Error),
        (clean().env(&["HOME=/nowhere"]), "home", Error),
        (clean().directory("workspace", 0o755, 0).env(&["HOME=/tmp"]), "workspace", Error),
        (clean().set("WorkingDir", json!("/app")), "workdir", Warning),
        (clean().directory("tmp", 0o755, 0), "tmp", Warning),
        (clean().env(&["HF_HOME=/root/.cache"]), "caches-in-home", Warning),
        (clean().env(&["HOME=/"]).packages(&["transformers"]), "caches-in-home", Warning),
        (clean().env(&["HOME=/"]).packages(&["numba"]), "font-and-jit-caches", Error),
        (clean().env(&["HOME=/"]).packages(&["matplotlib"]), "font-and-jit-caches", Warning),
        (clean().env(&["HOME=/", "USER=ovh"]).packages(&["vllm"]), "compile-caches", Warning),
        (clean().packages(&["torch"]), "user-name", Warning),
        (clean().env(&["PORT=80"]), "privileged-port", Error),
        (clean().port(443).set("ExposedPorts", json!({})), "privileged-port", Error),
        (uvicorn(&["--host", "127.0.0.1"]), "loopback-only", Error),
        (uvicorn(&["--host=localhost"]), "loopback-only", Error),
        (uvicorn(&[]), "loopback-only", Warning),
        (
            clean().set("Cmd", json!([])).env(&["GRADIO_SERVER_NAME=127.0.0.1"]),
            "loopback-only",
            Error,
        ),
        (uvicorn(&["--host", "0.0.0.0", "--port", "8000"]), "other-port", Warning),
        (clean().set("ExposedPorts", json!({"8501/tcp": {}})), "other-port", Info),
        (clean().file("bin/server", 0o750, 0, &program("amd64")), "not-executable", Error),
        (
            clean()
                .directory("opt", 0o700, 0)
                .file("opt/server", 0o755, 0, &program("amd64"))
                .set("Entrypoint", json!(["/opt/server"])),
            "not-executable",
            Error,
        ),
        (clean().file("workspace/app.py", 0o600, 0, b""), "private-files", Error),
        (
            clean()
                .file("start.sh", 0o711, 0, b"#!/bin/sh\nexec x\n")
                .set("Entrypoint", json!(["/start.sh"])),
            "private-files",
            Error,
        ),
        (clean().script("#!/bin/sh\r\nexec server\r\n"), "bad-script", Error),
        (clean().script("exec server\n"), "bad-script", Error),
        (clean().script("#!/bin/bash\nexec server\n"), "missing-program", Error),
        (clean().set("Entrypoint", json!(["nope"])), "missing-program", Error),
        (clean().set("Entrypoint", json!(null)).set("Cmd", json!(null)), "ends-at-once", Error),
        (clean().set("Entrypoint", json!(["sh"])).set("Cmd", json!(null)), "ends-at-once", Error),
        (
            clean().set("Entrypoint", json!(["/bin/sh", "-c", "server"])).set("Cmd", json!(null)),
            "ignores-sigterm",
            Warning,
        ),
        (clean().script("#!/bin/sh\nserver\n"), "ignores-sigterm", Warning),
        (clean().script("#!/bin/sh\npip install x\nexec server\n"), "slow-start", Warning),
        (
            clean()
                .file("bin/bokeh", 0o755, 0, &program("amd64"))
                .set("Entrypoint", json!(["bokeh", "serve", "app.py"])),
            "websocket-origin",
            Error,
        ),
        (clean().env(&["HF_TOKEN=hf_0123456789abcdef0123"]), "secrets", Warning),
        (clean().set("Labels", json!({"api.key": "abc"})), "secrets", Warning),
        (clean().file("workspace/.env", 0o644, 0, b"A=b"), "secrets", Warning),
        (
            Made {
                history: json!([{"created_by": "|1 DB_PASSWORD=hush /bin/sh -c x"}]),
                ..clean()
            },
            "secrets",
            Warning,
        ),
        (clean().env(&["CUDA_VERSION=12.4"]), "gpu", Info),
        (
            clean().set("Cmd", json!(["--host", "0.0.0.0", "--tensor-parallel-size", "2"])),
            "shared-memory",
            Warning,
        ),
        (clean().env(&["API=http://x.app.gra.ai.localhost:4480/v1"]), "calls-localhost", Warning),
    ];
    let mut wrong = Vec::new();
    for (number, (made, id, level)) in rows.into_iter().enumerate() {
        let mut found = check(made).await;
        // What needs caches has no home.
        found.retain(|(other, _)| *other == id || *other != "home");
        if found != [(id, level)] {
            wrong.push(format!("row {number}, {id}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_reference_has_every_id() {
    let text = include_str!("../../../../docs/reference.md");
    let part = text.split("## Image checks").nth(1).and_then(|part| part.split("\n## ").next());
    let rows = part.expect("the part").lines().filter_map(|line| line.strip_prefix("| `"));
    let ids: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    let ids: Vec<&str> = ids.into_iter().skip_while(|id| *id != IDS[0]).collect();
    assert_eq!(ids, IDS);
}

#[tokio::test]
async fn secrets_are_never_shown() {
    let made = Made {
        history: json!([{"created_by": "ENV API_KEY=hush-1"}]),
        ..Made::clean().env(&["DB_PASSWORD=hush-2", "X=hf_hush3hush3hush3hush3"])
    };
    let found = rules::all(&facts_of(made).await);
    let text = format!("{found:?}");
    assert!(text.contains("API_KEY") && text.contains("DB_PASSWORD"), "{text}");
    assert!(!text.contains("hush"), "{text}");
}

#[tokio::test]
async fn a_program_whose_libraries_are_missing() {
    let own = std::fs::read(std::env::current_exe().expect("a path")).expect("read");
    let found = check(Made::clean().file("bin/server", 0o755, 0, &own)).await;
    let expected = if cfg!(target_arch = "x86_64") { "missing-library" } else { "foreign-binary" };
    assert_eq!(found, [(expected, Level::Error)]);
}

#[tokio::test]
async fn layers_and_links() {
    let made = Made::clean()
        .directory("data", 0o755, 0)
        .file("data/old", 0o644, 0, b"old")
        .file("gone", 0o644, 0, b"")
        .link("bin/alias", "../bin/server")
        .link("round", "round")
        .layer()
        .file("data/.wh..wh..opq", 0o644, 0, b"")
        .file("data/new", 0o600, 7, b"new content")
        .file(".wh.gone", 0o644, 0, b"")
        .link("lib64", "/usr/lib");
    for compressed in [false, true] {
        let copy = Made {
            layers: made
                .layers
                .iter()
                .map(|layer| {
                    let mut bytes = layer.get_ref().clone();
                    bytes.extend([0; 1024]);
                    let mut again = tar::Builder::new(Vec::new());
                    let mut archive = tar::Archive::new(Cursor::new(bytes));
                    for entry in archive.entries().expect("entries") {
                        let entry = entry.expect("an entry");
                        again.append(&entry.header().clone(), entry).expect("appended");
                    }
                    again
                })
                .collect(),
            config: made.config.clone(),
            history: made.history.clone(),
            architecture: made.architecture,
            asked: made.asked.clone(),
        };
        let (file, _) = copy.save(compressed);
        let image = SavedImage::open(file.path()).expect("an image");
        let stat = |path: &'static str| image.stat(path);
        for gone in ["/data/old", "/gone", "/round", "/nope", "/lib64/x"] {
            assert_eq!(stat(gone).await, Ok(None), "{gone}");
        }
        let new = stat("/data/../data/new").await.expect("read").expect("there");
        assert_eq!((new.path.as_str(), new.mode, new.owner), ("/data/new", 0o600, Some((7, 7))));
        assert_eq!(image.read("/data/new", 3).await.as_deref(), Ok(&b"new"[..]), "{compressed}");
        let server = stat("/bin/alias").await.expect("read").expect("there");
        assert_eq!(server.path, "/bin/server");
        assert_eq!(image.read("/bin/server", 1 << 20).await.expect("read"), program("amd64"));
        let tree = image.tree("/data", 1 << 20).await.expect("a tree");
        assert_eq!(
            tree.files.iter().map(|stat| stat.path.as_str()).collect::<Vec<_>>(),
            ["/data", "/data/new"]
        );
    }
}

#[test]
fn files_that_are_no_images() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let open = |content: &[u8]| {
        std::fs::write(file.path(), content).expect("written");
        SavedImage::open(file.path()).expect_err("no image")
    };
    assert!(open(b"").contains("empty"));
    assert!(open(b"\x1f\x8b\x08\x00").contains("gunzip"));
    assert!(open(&[0xff; 2048]).contains("no archive"));
    assert!(open(&[0; 1024]).contains("docker save"));
}

/// A run that answers.
fn good() -> Observed {
    Observed {
        answer: Some(Ok(Answer { status: 200, ..Answer::default() })),
        ready_after: Some(Duration::from_secs(1)),
        sockets: Some(vec!["0.0.0.0:8080".parse().expect("an address")]),
        ends_when_asked: Some(true),
        ..Observed::default()
    }
}

/// A run that ended.
fn ended(code: i64, lines: &[&str]) -> Observed {
    Observed {
        ended: Some(Ended { code, is_out_of_memory: false, after: Duration::from_secs(1) }),
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        ..Observed::default()
    }
}

fn listens(addresses: &[&str], said: &str) -> Observed {
    let sockets = addresses.iter().map(|it| it.parse().expect("an address")).collect();
    Observed { sockets: Some(sockets), answer: Some(Err(said.into())), ..Observed::default() }
}

fn answers(status: u16) -> Observed {
    let answer = Some(Ok(Answer { status, ..Answer::default() }));
    Observed { answer, ready_after: None, ..good() }
}

fn says(lines: &[&str]) -> Observed {
    Observed { lines: lines.iter().map(|line| (*line).to_owned()).collect(), ..good() }
}

async fn judge(app: &Observed, root: Option<&Observed>) -> Vec<Finding> {
    let facts = facts_of(Made::clean()).await;
    let runs = Runs {
        app,
        root,
        port: 8080,
        path: None,
        host: "x.app.gra.ai.cloud.ovh.net",
        deadline: Duration::from_secs(30),
        is_deadline_given: false,
        emulated: None,
    };
    let found = verdict::all(&facts, &runs);
    for finding in &found {
        assert!(IDS.contains(&finding.id), "{finding:?}");
    }
    found
}

#[tokio::test]
async fn good_runs_stay_clean() {
    assert_eq!(judge(&good(), Some(&good())).await, []);
    let root = Observed {
        changes: ["/workspace/x", "/tmp/y", "/usr/lib/x/__pycache__/a.pyc", "/run/lock"]
            .map(str::to_owned)
            .into(),
        ..good()
    };
    assert_eq!(judge(&good(), Some(&root)).await, []);
}

#[tokio::test]
async fn what_each_run_tells() {
    use Level::{Error, Info, Undecided, Warning};

    let answer = |answer: Answer| Observed { answer: Some(Ok(answer)), ..good() };
    let not_started =
        |said: &str| Observed { not_started: Some(said.into()), ..Observed::default() };
    let rows: Vec<(Observed, Option<Observed>, &str, Level, &str)> = vec![
        (
            not_started("exec: \"nope\": executable file not found in $PATH"),
            None,
            "missing-program",
            Error,
            "nope",
        ),
        (not_started("exec: \"/x\": permission denied"), None, "not-executable", Error, "42420"),
        (not_started("something odd"), None, "run", Undecided, "odd"),
        (ended(1, &["exec /x: exec format error"]), None, "bad-script", Error, "format"),
        (ended(0, &[]), None, "ends-at-once", Error, "status 0"),
        (ended(3, &["no key"]), None, "crash", Error, "no key"),
        (ended(1, &["something"]), Some(good()), "needs-root", Error, "as root"),
        (ended(1, &["this must be run as root"]), Some(good()), "needs-root", Error, "must be run"),
        (
            ended(1, &["PermissionError: [Errno 13] Permission denied: '/data/db'"]),
            None,
            "writes-elsewhere",
            Error,
            "/data/db",
        ),
        (
            ended(1, &["mkdir: can't create directory '/.cache': Permission denied"]),
            None,
            "writes-elsewhere",
            Error,
            "/.cache",
        ),
        (ended(1, &["touch: /root/.x/y: Permission denied"]), None, "home", Error, "/root/.x"),
        (
            ended(1, &["bind() to 0.0.0.0:80 failed (13: Permission denied)"]),
            None,
            "privileged-port",
            Error,
            ":80",
        ),
        (
            ended(1, &["KeyError: 'getpwuid(): uid not found: 42420'"]),
            None,
            "user-name",
            Error,
            "getpwuid",
        ),
        (
            ended(127, &["x: error while loading shared libraries: libz.so.1"]),
            None,
            "missing-library",
            Error,
            "libz",
        ),
        (ended(135, &[]), None, "shared-memory", Error, "bus error"),
        (
            listens(&["127.0.0.1:8080"], "Connection refused"),
            None,
            "loopback-only",
            Error,
            "127.0.0.1",
        ),
        (listens(&["[::1]:8080"], "Connection refused"), None, "loopback-only", Error, "::1"),
        (listens(&["0.0.0.0:8501"], "Connection refused"), None, "other-port", Error, "8501"),
        (listens(&[], "Connection refused"), None, "slow-start", Undecided, "no port"),
        (answers(503), None, "probe", Error, "503"),
        (answer(Answer { status: 404, ..Answer::default() }), None, "probe", Warning, "404"),
        (Observed { as_localhost: Some(200), ..answers(400) }, None, "probe", Error, "localhost"),
        (
            answer(Answer {
                status: 302,
                location: Some("http://localhost:8080/x".into()),
                ..Answer::default()
            }),
            None,
            "absolute-links",
            Warning,
            "localhost:8080/x",
        ),
        (
            answer(Answer {
                status: 200,
                body: "<a href=\"http://127.0.0.1:7860/y\">".into(),
                ..Answer::default()
            }),
            None,
            "absolute-links",
            Warning,
            "http://127.0.0.1:7860/y",
        ),
        (
            Observed {
                upgrades: vec![Upgrade { path: "/ws".into(), with_origin: 403, without: 101 }],
                ..good()
            },
            None,
            "websocket-origin",
            Error,
            "403",
        ),
        (
            Observed { ends_when_asked: Some(false), ..good() },
            None,
            "ignores-sigterm",
            Warning,
            "SIGTERM",
        ),
        (
            Observed { ready_after: Some(Duration::from_secs(40)), ..good() },
            None,
            "slow-start",
            Warning,
            "40 s",
        ),
        (
            good(),
            Some(Observed { changes: vec!["/opt".into(), "/opt/cache".into()], ..good() }),
            "writes-elsewhere",
            Warning,
            "writes /opt/cache,",
        ),
        (says(&["OSError: libcuda.so.1: cannot open"]), None, "gpu", Info, "libcuda"),
        (
            says(&["Matplotlib created a temporary cache directory at /tmp/m"]),
            None,
            "font-and-jit-caches",
            Warning,
            "Matplotlib",
        ),
        (
            says(&["can't reach http://u.app.gra.ai.localhost:4480/"]),
            None,
            "calls-localhost",
            Warning,
            "u.app.gra",
        ),
    ];
    for (number, (app, root, id, level, evidence)) in rows.into_iter().enumerate() {
        let found = judge(&app, root.as_ref()).await;
        let [one] = found.as_slice() else { panic!("row {number}: {found:?}") };
        assert_eq!((one.id, one.level), (id, level), "row {number}: {one:?}");
        assert!(one.evidence.contains(evidence), "row {number}: {one:?}");
    }
}

#[tokio::test]
async fn an_app_that_refuses_ipv4_is_not_decided() {
    let found = judge(&listens(&["[::]:8080"], "Connection refused"), None).await;
    let found: Vec<_> = found.iter().map(|finding| (finding.id, finding.level)).collect();
    assert_eq!(found, [("ipv6-only", Level::Warning), ("run", Level::Undecided)]);
}

#[tokio::test]
async fn a_good_run_corrects_what_the_files_suggest() {
    let facts = facts_of(
        Made::clean()
            .env(&["HOME=/nowhere"])
            .set("Entrypoint", json!(["/bin/sh", "-c", "uvicorn x"])),
    );
    let found = rules::all(&facts.await);
    let ids: BTreeMap<&str, Level> = found.iter().map(|it| (it.id, it.level)).collect();
    assert_eq!(ids["home"], Level::Error);
    let kept = verdict::corrected(found, &good());
    let kept: Vec<_> = kept.iter().map(|finding| (finding.id, finding.level)).collect();
    assert_eq!(kept, [("home", Level::Warning)]);
}
