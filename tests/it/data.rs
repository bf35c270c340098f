//! Buckets and objects: through the command line, and through the API as bytes.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use ovhai_test_support::raw::Client;
use ovhai_test_support::{TestCli, TestEmulator, eventually, eventually_now, http2};
use serde_json::{Value, json};

use crate::OVHAI;

/// The files below a directory, by path. Links are not followed.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(at) = directories.pop() {
        let Ok(entries) = std::fs::read_dir(&at) else { continue };
        for entry in entries {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                directories.push(entry.path());
            } else if kind.is_file() {
                let path = entry.path();
                let name = path.strip_prefix(directory).unwrap().to_string_lossy().into_owned();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn write(path: PathBuf, bytes: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Bytes of all values, the same ones each time.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = |state: &mut u64| {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (*state >> 56) as u8
    };
    (0..length).map(|_| next(&mut state)).collect()
}

/// The names of the objects of a bucket.
fn names(cli: &TestCli, bucket: &str) -> Vec<String> {
    let all = cli.ok(&["bucket", "object", "list", bucket, "-o", "name"]);
    all.lines().map(str::to_owned).collect()
}

#[test]
fn files_go_up_and_come_back() {
    let cli = TestCli::new(OVHAI);
    let from = cli.home().join("weights");
    write(from.join("a.bin"), noise(100_000));
    write(from.join("deep/er/b.txt"), "b");
    write(from.join("deep/empty"), "");
    write(from.join("odd -name\n\u{1b}[2J ü#?%25"), "odd");
    // By a call of its own.
    write(from.join("large.bin"), noise(9 * 1024 * 1024));
    let arguments = ["bucket", "object", "upload", "models@local", "./weights", "-a", "v1/"];
    let said = cli.command(&arguments).output().unwrap();
    let text = String::from_utf8(said.stderr).unwrap();
    assert!(said.status.success() && text.contains("Uploaded 5 objects"), "{text}");

    let list = cli.json(&["bucket", "object", "list", "models@local", "--prefix", "v1/weights/d"]);
    let found: Vec<_> = list.as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(found, ["v1/weights/deep/empty", "v1/weights/deep/er/b.txt"]);
    assert_eq!(list[0]["bytes"], 0);
    let table = cli.ok(&["bucket", "object", "list", "models@local"]);
    assert!(!table.contains('\u{1b}'), "{table}");

    let arguments =
        ["bucket", "object", "download", "models@local", "--remove-prefix", "v1/weights/"];
    cli.ok(&[&arguments[..], &["-o", "out"]].concat());
    assert_eq!(files(&cli.home().join("out")), files(&from));
    assert_eq!(cli.json(&["bucket", "list"])[0]["name"], "models");

    // A caller with a token is not known to be on this machine: its files come as streams.
    let token = cli.json(&["token", "new", "op", "--role", "operator"]);
    let token = token["status"]["value"].as_str().unwrap();
    let arguments = ["bucket", "object", "upload", "streamed@local", "weights", "--token", token];
    cli.ok(&arguments);
    let arguments = ["bucket", "object", "download", "streamed@local", "--output", "again"];
    cli.ok(&[&arguments[..], &["--token", token]].concat());
    assert_eq!(files(&cli.home().join("again/weights")), files(&from));
    cli.ok(&["bucket", "object", "delete", "streamed@local", "--all"]);
    cli.ok(&["bucket", "delete", "local", "streamed"]);

    // Only one, under its own name.
    cli.ok(&["bucket", "object", "get", "models@local", "v1/weights/deep/er/b.txt", "-o", "one"]);
    let one = files(&cli.home().join("one"));
    assert_eq!(one.keys().collect::<Vec<_>>(), ["v1/weights/deep/er/b.txt"]);
    let (code, said) =
        cli.fails(&["bucket", "object", "download", "models@local", "v1/weights/deep"]);
    assert!(code == 3 && said.contains("does not exist in models@local"), "{said}");
    let (code, said) = cli.fails(&["bucket", "object", "list", "none@local"]);
    assert!(code == 3 && said.contains("bucket none"), "{said}");
    let (code, said) = cli.fails(&["bucket", "object", "list", "models@nowhere"]);
    assert!(code == 3 && said.contains("nowhere"), "{said}");
}

#[test]
fn what_exists_stays_if_asked() {
    let cli = TestCli::new(OVHAI);
    write(cli.home().join("d/a"), "1");
    write(cli.home().join("d/b"), "1");
    cli.ok(&["bucket", "object", "upload", "x@local", "d"]);
    write(cli.home().join("d/a"), "2");
    write(cli.home().join("d/c"), "2");
    let up = ["bucket", "object", "upload", "x@local", "d"];
    let done = cli.json(&[&up[..], &["--no-overwrite"]].concat());
    assert_eq!(done, json!({"objects": 1, "bytes": 1, "skipped": 2}));
    let down = ["bucket", "object", "download", "x@local"];
    cli.ok(&[&down[..], &["-o", "out"]].concat());
    assert_eq!(files(&cli.home().join("out/d"))["a"], b"1");
    cli.ok(&up);
    cli.ok(&[&down[..], &["-o", "out", "--no-overwrite"]].concat());
    assert_eq!(files(&cli.home().join("out/d"))["a"], b"1");
    cli.ok(&[&down[..], &["-o", "out"]].concat());
    assert_eq!(files(&cli.home().join("out/d"))["a"], b"2");
}

#[test]
fn a_mirror_deletes_what_is_gone_and_nothing_else() {
    let cli = TestCli::new(OVHAI);
    for name in ["d/a", "d/b", "e/c"] {
        write(cli.home().join(name), name);
    }
    cli.ok(&["bucket", "object", "upload", "x@local", "d", "e"]);
    std::fs::remove_file(cli.home().join("d/b")).unwrap();
    let up = ["bucket", "object", "upload", "x@local", "d", "--delete"];
    let plan = cli.ok(&[&up[..], &["--dry-run"]].concat());
    assert!(plan.ends_with("delete d/b\n") && plan.starts_with("upload ") && !plan.contains("e/c"));
    assert_eq!(names(&cli, "x@local"), ["d/a", "d/b", "e/c"], "a dry run changes nothing");
    cli.ok(&[&up[..], &["--yes"]].concat());
    assert_eq!(names(&cli, "x@local"), ["d/a", "e/c"]);

    write(cli.home().join("out/d/stale"), "");
    write(cli.home().join("out/other"), "");
    let down =
        ["bucket", "object", "download", "x@local", "--prefix", "d/", "-o", "out", "--delete"];
    let plan = cli.ok(&[&down[..], &["--dry-run"]].concat());
    assert!(plan.contains("download d/a -> ") && plan.ends_with("out/d/stale\n"), "{plan}");
    assert!(!cli.home().join("out/d/a").exists());
    cli.ok(&[&down[..], &["--yes"]].concat());
    let left = files(&cli.home().join("out"));
    assert_eq!(left.keys().collect::<Vec<_>>(), ["d/a", "other"]);
}

#[test]
fn objects_are_copied_moved_and_deleted() {
    let cli = TestCli::new(OVHAI);
    for name in ["v1/a", "v1/deep/b", "c"] {
        write(cli.home().join(name), name);
    }
    cli.ok(&["bucket", "object", "upload", "x@local", "v1", "c"]);
    let object = |arguments: &[&str]| cli.ok(&[&["bucket", "object"], arguments].concat());
    object(&["copy", "x@local", "c", "copies/"]);
    object(&["copy", "x@local", "--prefix", "v1/", "v2/"]);
    object(&["move", "x@local", "--prefix", "v1/", "old/"]);
    assert_eq!(
        names(&cli, "x@local"),
        ["c", "copies/c", "old/a", "old/deep/b", "v2/a", "v2/deep/b"]
    );
    object(&["copy", "x@local", "--container", "y", "--prefix", "old/"]);
    object(&["mv", "x@local", "-c", "y", "c", "moved"]);
    assert_eq!(names(&cli, "y@local"), ["moved", "old/a", "old/deep/b"]);
    // An object replaces another, and onto itself it stays.
    object(&["copy", "y@local", "moved", "old/a"]);
    object(&["move", "y@local", "old/a", "old/a"]);
    object(&["download", "y@local", "old/a", "-o", "."]);
    assert_eq!(std::fs::read(cli.home().join("old/a")).unwrap(), b"c");

    let (code, said) = cli.fails(&["bucket", "object", "move", "x@local", "none", "b"]);
    assert!(code == 3 && said.contains("none"), "{said}");
    let (_, said) = cli.fails(&["bucket", "object", "copy", "x@local", "v2/a", "v2"]);
    assert!(said.contains("objects below it"), "{said}");
    let (_, said) = cli.fails(&["bucket", "object", "copy", "x@local", "v2/a", "v2/deep/b/c"]);
    assert!(said.contains("on its path is an object"), "{said}");

    let (code, said) = cli.fails(&["bucket", "object", "delete", "x@local"]);
    assert!(code == 2 && said.contains("--all"), "{said}");
    object(&["delete", "x@local", "v2/a"]);
    let (code, _) = cli.fails(&["bucket", "object", "delete", "x@local", "v2/a"]);
    assert_eq!(code, 3);
    object(&["delete", "x@local", "--prefix", "old/d", "--yes"]);
    assert_eq!(names(&cli, "x@local"), ["copies/c", "old/a", "v2/deep/b"]);
    let (_, said) = cli.fails(&["bucket", "delete", "local", "x"]);
    assert!(said.contains("is not empty") && said.contains("--all"), "{said}");
    object(&["delete", "x@local", "--all"]);
    cli.ok(&["bucket", "delete", "local", "x"]);
    assert_eq!(cli.ok(&["bucket", "list", "-o", "name"]), "y\n");
}

#[test]
fn a_thousand_small_files() {
    let cli = TestCli::new(OVHAI);
    for number in 0..1000 {
        write(cli.home().join(format!("many/{}/{number}", number % 7)), number.to_string());
    }
    let done = cli.json(&["bucket", "object", "upload", "x@local", "many"]);
    assert_eq!(done["objects"], 1000);
    cli.ok(&["bucket", "object", "download", "x@local", "-o", "out", "--workers", "3"]);
    assert_eq!(files(&cli.home().join("out/many")), files(&cli.home().join("many")));
}

#[test]
fn the_older_spelling() {
    let cli = TestCli::new(OVHAI);
    write(cli.home().join("tmp/directory/file1"), "1");
    let data = |arguments: &[&str]| cli.ok(&[&["data"], arguments].concat());
    data(&["upload", "GRA", "c", "tmp/directory/file1"]);
    data(&["upload", "c@GRA", "tmp/directory/file1", "--remove-prefix", "tmp/directory/"]);
    data(&["upload", "gra", "c", "tmp", "--add-prefix", "/root/"]);
    let all = ["file1", "root/tmp/directory/file1", "tmp/directory/file1"];
    assert_eq!(data(&["list", "GRA", "c", "-o", "name"]).lines().collect::<Vec<_>>(), all);
    assert_eq!(data(&["list", "GRA", "-o", "name"]), "c\n");
    assert!(data(&["region"]).contains("BHS"));
    data(&["download", "GRA", "c", "file1", "--output", "out/"]);
    assert_eq!(std::fs::read(cli.home().join("out/file1")).unwrap(), b"1");
    data(&["delete", "GRA", "c", "file1"]);
    data(&["delete", "GRA", "c", "--all", "--yes"]);
    assert_eq!(data(&["list", "GRA", "-o", "name"]), "");
}

#[test]
fn a_directory_of_the_owner_is_a_data_store() {
    let cli = TestCli::new(OVHAI);
    let host = cli.home().join("datasets");
    write(host.join("cars/a"), "a");
    write(cli.home().join("secret"), "secret");
    symlink("../../secret", host.join("cars/out")).unwrap();
    symlink("a", host.join("cars/in")).unwrap();
    symlink("..", host.join("cars/up")).unwrap();
    cli.ok(&["datastore", "add", "local", "sets", "datasets"]);
    let stores = cli.json(&["datastore", "list"]);
    let store = stores.as_array().unwrap().iter().find(|one| one["alias"] == "sets").unwrap();
    assert_eq!(
        (store["owner"].as_str(), store["type"].as_str()),
        (Some("customer"), Some("local"))
    );
    assert!(store["endpoint"].as_str().unwrap().ends_with("/datasets"));

    // Links that lead out are no objects, and nothing is written through any.
    let listed = names(&cli, "cars@sets");
    assert!(listed == ["a", "in"] || listed == ["a"], "{listed:?}");
    for name in ["out", "up/cars/a"] {
        let (code, said) = cli.fails(&["bucket", "object", "download", "cars@sets", name]);
        assert_eq!(code, 3, "{said}");
    }
    write(cli.home().join("new"), "new");
    let up = ["bucket", "object", "upload", "cars@sets", "new", "--add-prefix", "up/"];
    let (_, said) = cli.fails(&up);
    assert!(said.contains("a link"), "{said}");
    cli.ok(&["bucket", "object", "upload", "cars@sets", "new"]);
    // A link is replaced, not followed.
    cli.ok(&["bucket", "object", "copy", "cars@sets", "new", "out"]);
    assert_eq!(std::fs::read(cli.home().join("secret")).unwrap(), b"secret");
    assert_eq!(files(&host)["cars/out"], b"new");

    for directory in ["state", ".", "nowhere"] {
        let (_, said) = cli.fails(&["datastore", "add", "local", "bad", directory]);
        assert!(said.contains("cause: "), "{said}");
    }
    cli.ok(&["datastore", "remove", "sets"]);
    assert!(host.join("cars/new").exists());
    let (code, _) = cli.fails(&["bucket", "list", "sets"]);
    assert_eq!(code, 3);
    let (code, said) = cli.fails(&["datastore", "add", "s3", "x", "https://s3", "gra", "k", "s"]);
    assert!(code == 2 && said.contains("datastore add local"), "{said}");
}

#[test]
fn nothing_is_downloaded_outside_the_destination() {
    let cli = TestCli::new(OVHAI);
    write(cli.home().join("d/link/a"), "new");
    write(cli.home().join("d/file"), "new");
    cli.ok(&["bucket", "object", "upload", "x@local", "d", "--remove-prefix", "d/"]);
    write(cli.home().join("elsewhere/a"), "old");
    std::fs::create_dir(cli.home().join("out")).unwrap();
    symlink("../elsewhere", cli.home().join("out/link")).unwrap();
    symlink("../elsewhere/a", cli.home().join("out/file")).unwrap();
    let (_, said) = cli.fails(&["bucket", "object", "download", "x@local", "-o", "out"]);
    assert!(said.contains("can't be written") && said.contains("link"), "{said}");
    cli.ok(&["bucket", "object", "download", "x@local", "file", "-o", "out"]);
    assert_eq!(std::fs::read(cli.home().join("elsewhere/a")).unwrap(), b"old");
    assert_eq!(files(&cli.home().join("out"))["file"], b"new");
}

#[test]
fn wrong_arguments_say_what_to_do() {
    let cli = TestCli::new(OVHAI);
    for (arguments, code, part) in [
        (&["bucket", "object", "list", "models"][..], 2, "BUCKET@STORE"),
        (&["bucket", "object", "list", "../x@local"], 2, "bucket"),
        (&["bucket", "object", "upload", "x@local", "nowhere"], 3, "does not exist"),
        (&["bucket", "object", "delete", "x@local", "../a"], 2, "a part . or .."),
        (&["bucket", "object", "copy", "x@local", "a"], 2, "DESTINATION"),
        (&["data", "upload", "GRA"], 2, "bucket is missing"),
        (&["bucket", "create", "local", ".x"], 2, "dot"),
        (&["-o", "json", "bucket", "object", "download", "x@local"], 2, "--output"),
    ] {
        let (found, said) = cli.fails(arguments);
        assert!(found == code && said.contains(part), "{arguments:?} {found}: {said}");
    }
    write(cli.home().join("a"), "");
    write(cli.home().join("d/a"), "");
    let both = ["bucket", "object", "upload", "x@local", "a", "d/a", "--remove-prefix", "d/"];
    let (_, said) = cli.fails(&both);
    assert!(said.contains("two files"), "{said}");
    cli.ok(&["config", "add", "CLOUD", "https://gra.ai.cloud.example"]);
    let (code, said) = cli.fails(&["bucket", "list", "--region", "CLOUD"]);
    assert!(code == 2 && said.contains("object storage"), "{said}");
}

/// A running download that is interrupted removes what it has not finished.
#[test]
fn an_interrupted_download_leaves_no_part() {
    let cli = TestCli::new(OVHAI);
    // Sparse, and too large to be complete at once.
    write(cli.home().join("big"), "");
    let big = std::fs::File::options().write(true).open(cli.home().join("big")).unwrap();
    big.set_len(3 << 30).unwrap();
    let state = cli.state_dir().join("data/local/x");
    std::fs::create_dir_all(&state).unwrap();
    std::fs::rename(cli.home().join("big"), state.join("big")).unwrap();
    cli.ok(&["bucket", "list"]);
    let mut child = std::process::Command::new(cli.executable())
        .args(["bucket", "object", "download", "x@local", "-o", "out"])
        .env_clear()
        .envs(cli.environment())
        .current_dir(cli.home())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = cli.home().join("out");
    let has_begun = || {
        let mut entries = std::fs::read_dir(&out).ok()?;
        entries.next()?.ok()
    };
    eventually_now("a part of the file", has_begun);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(std::fs::read_dir(&out).unwrap().next().is_none(), "{:?}", std::fs::read_dir(&out));
}

async fn emulator() -> (TestEmulator, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let builder = TestEmulator::builder().state_dir(directory.path().join("state"));
    (TestEmulator { emulator: builder.start().await.unwrap(), sim: None }, directory)
}

fn head(e: &TestEmulator, bearer: Option<&str>, method: &str, path: &str, more: &str) -> String {
    let bearer = bearer.unwrap_or_else(|| e.emulator.administrator());
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {bearer}\r\n{more}\r\n"
    )
}

#[tokio::test]
async fn names_never_leave_the_bucket() {
    let (e, directory) = emulator().await;
    let data = directory.path().join("state/data");
    e.call_local("PUT", "/_emulator/data/local/x", None).await;
    for name in [
        "..%2Fy",
        "..",
        "%2e%2e/y",
        "a/%2e%2e/%2e%2e/y",
        "a%2F..%2F..%2Fy",
        "%2Fetc%2Fx",
        "a//b",
        "a%00b",
        "a/",
        ".ovhai-part-1",
        "%FF",
    ] {
        let target = format!("/_emulator/objects/local/x/{name}");
        let mut client = Client::connect(&e).await;
        client.send(head(&e, None, "PUT", &target, "content-length: 3\r\n") + "abc").await;
        let got = client.answer().await;
        assert!((400..500).contains(&got.status()), "{name}: {}", got.head);
    }
    for bucket in ["..", "%2e%2e", "..%2F..", ".hidden", "a%2Fb", "%00"] {
        let path = format!("/_emulator/data/local/{bucket}");
        let mut client = Client::connect(&e).await;
        client.send(head(&e, None, "PUT", &path, "content-length: 0\r\n")).await;
        let got = client.answer().await;
        assert!((400..500).contains(&got.status()), "{bucket}: {}", got.head);
    }
    for alias in ["..", "%2e%2e", "a%2Fb", "%2Fetc"] {
        let path = format!("/_emulator/data/{alias}/x");
        let mut client = Client::connect(&e).await;
        client.send(head(&e, None, "GET", &path, "")).await;
        let got = client.answer().await;
        assert!((400..500).contains(&got.status()), "{alias}: {}", got.head);
    }
    for names in [json!(["../x"]), json!(["/x"]), json!([""]), json!([1])] {
        let body = Some(json!({ "names": names }));
        for call in ["download", "delete"] {
            let path = format!("/_emulator/data/local/x/{call}");
            let answer = e.call_local("POST", &path, body.clone());
            assert_eq!(answer.await.status, 400, "{call} {names}");
        }
    }
    let move_out = json!({"names": [["a", "../a"]], "isMove": true});
    let answer = e.call_local("POST", "/_emulator/data/local/x/transfer", Some(move_out)).await;
    assert_eq!(answer.status, 400);
    assert!(files(directory.path()).keys().all(|name| !name.contains("data/")), "{data:?}");
}

/// A header of a tar stream, as a hostile client writes it.
fn entry(name: &str, kind: u8, length: u64) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..108].copy_from_slice(b"0000644\0");
    block[124..136].copy_from_slice(format!("{length:011o}\0").as_bytes());
    block[148..156].copy_from_slice(b"        ");
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    if matches!(kind, b'1' | b'2') {
        block[157..168].copy_from_slice(b"/etc/passwd");
    }
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block
}

#[tokio::test]
async fn hostile_archives_write_nothing_outside() {
    let (e, directory) = emulator().await;
    for (name, kind) in [
        ("../out", b'0'),
        ("/tmp/ovhai-out", b'0'),
        ("a/../../out", b'0'),
        ("link", b'2'),
        ("hard", b'1'),
        ("device", b'3'),
    ] {
        let body = [entry(name, kind, 0), vec![0; 1024]].concat();
        let more = format!("content-length: {}\r\n", body.len());
        let mut client = Client::connect(&e).await;
        let path = "/_emulator/data/local/x/upload";
        client.send([head(&e, None, "POST", path, &more).into_bytes(), body].concat()).await;
        let got = client.answer().await;
        assert_eq!(got.status(), 400, "{name}: {}", got.text());
    }
    let data = directory.path().join("state/data");
    assert!(files(&data).is_empty(), "{:?}", files(&data));
    assert!(!Path::new("/tmp/ovhai-out").exists());
}

#[tokio::test]
async fn interrupted_uploads_leave_nothing() {
    let (e, directory) = emulator().await;
    let data = directory.path().join("state/data");
    let object = "/_emulator/objects/local/x/a/b";
    let archive = [entry("whole", b'0', 1), vec![b'w'; 512], entry("half", b'0', 5000)].concat();
    let path = "/_emulator/data/local/x/upload";
    for (begin, is_archive) in [
        (head(&e, None, "PUT", object, "content-length: 10000\r\n") + "half", false),
        (head(&e, None, "PUT", object, "transfer-encoding: chunked\r\n") + "4\r\nhalf\r\n", false),
        (head(&e, None, "POST", path, "content-length: 99999\r\n"), true),
    ] {
        let mut client = Client::connect(&e).await;
        client.send(begin).await;
        if is_archive {
            client.send(&archive).await;
        }
        let part = || async { (!files(&data).is_empty()).then_some(()) };
        eventually("a part", part).await;
        drop(client);
        let left = || async {
            let names: Vec<_> = files(&data).into_keys().collect();
            (names == if is_archive { vec!["local/x/whole"] } else { vec![] }).then_some(())
        };
        eventually("the part is gone", left).await;
    }
    // Malformed framing ends an upload, too.
    let mut client = Client::connect(&e).await;
    let begin = head(&e, None, "PUT", object, "transfer-encoding: chunked\r\n");
    client.send(begin + "4\r\nhalf\r\nxyz\r\n").await;
    assert_eq!(client.answer().await.status(), 400);
    assert!(!files(&data).contains_key("local/x/a/b"));
}

#[tokio::test]
async fn one_object_by_any_client() {
    let (e, _directory) = emulator().await;
    let path = "/_emulator/objects/GRA/x/a/%C3%BC%20b";
    let mut client = Client::connect(&e).await;
    let bytes = noise(3_000_000);
    let more = format!("expect: 100-continue\r\ncontent-length: {}\r\n", bytes.len());
    client.send(head(&e, None, "PUT", path, &more)).await;
    assert_eq!(client.answer().await.status(), 100);
    client.send(&bytes).await;
    let got = client.answer().await;
    assert_eq!((got.status(), got.text().contains("3000000")), (200, true), "{}", got.text());
    // The connection goes on.
    client.send(head(&e, None, "PUT", path, "transfer-encoding: chunked\r\n")).await;
    client.send("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").await;
    assert_eq!(client.answer().await.status(), 200);
    client.send(head(&e, None, "GET", path, "")).await;
    let got = client.answer().await;
    assert_eq!((got.status(), got.text().as_str()), (200, "abcde"));
    assert_eq!(got.header("content-type"), Some("application/octet-stream"));
    client
        .send(
            head(&e, None, "PUT", &format!("{path}?noOverwrite=true"), "content-length: 1\r\n")
                + "x",
        )
        .await;
    assert!(client.answer().await.text().contains("\"skipped\":1"));
    client.send(head(&e, None, "DELETE", path, "")).await;
    assert_eq!(client.answer().await.status(), 204);
    client.send(head(&e, None, "GET", path, "")).await;
    assert_eq!(client.answer().await.status(), 404);
}

#[tokio::test]
async fn clients_of_http2_upload_as_well() {
    let (e, directory) = emulator().await;
    let data_directory = directory.path().join("state/data");
    let client = http2::Client::connect(&e).await;
    let bearer = format!("Bearer {}", e.emulator.administrator());
    let put = |body| {
        let target = "/_emulator/objects/local/x/a";
        let head = http2::request("PUT", "localhost", target).header("authorization", &bearer);
        client.send(head.body(body).unwrap())
    };
    let (pipe, body) = http2::pipe();
    let sent = async move {
        for _ in 0..40 {
            pipe.send(http2::data(&vec![7; 60_000])).await.unwrap();
        }
    };
    let (answer, ()) = tokio::join!(put(body), sent);
    assert_eq!(answer.status(), 200);
    assert_eq!(files(&data_directory)["local/x/a"], vec![7; 2_400_000]);

    let (pipe, body) = http2::pipe();
    let broken = async {
        pipe.send(http2::data(b"half")).await.unwrap();
        let part = || async { (files(&data_directory).len() == 2).then_some(()) };
        eventually("a part", part).await;
        client.driver.abort();
    };
    tokio::select! {
        _ = put(body) => panic!("it has no end"),
        () = broken => {}
    }
    drop(pipe);
    let gone = || async { (files(&data_directory).len() == 1).then_some(()) };
    eventually("the part is gone", gone).await;
    assert_eq!(files(&data_directory)["local/x/a"].len(), 2_400_000, "the old one stays");
}

#[tokio::test]
async fn lists_have_pages() {
    let (e, _directory) = emulator().await;
    for name in ["b", "a/2", "a/1", "a-x", "a.x", "a0"] {
        let path = format!("/_emulator/objects/local/x/{name}");
        assert_eq!(e.call_local("PUT", &path, None).await.status, 200);
    }
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/_emulator/data/local/x?count=2&after={after}");
        let page = e.call_local("GET", &path, None).await.json();
        let items = page["items"].as_array().unwrap();
        all.extend(items.iter().map(|one| one["name"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(all, ["a-x", "a.x", "a/1", "a/2", "a0", "b"], "in the order of names");
    for count in ["0", "10001", "x"] {
        let path = format!("/_emulator/data/local/x?count={count}");
        assert_eq!(e.call_local("GET", &path, None).await.status, 400, "{count}");
    }
}

#[tokio::test]
async fn access_is_checked_before_a_body_is_read() {
    let (e, directory) = emulator().await;
    let token =
        |role: &str, selector: Value| json!({"name": "t", "role": role, "labelSelector": selector});
    let mut bearers = vec![("an invalid bearer", "wrong".to_owned(), 401)];
    for (role, selector, status) in
        [("read", Value::Null, 403), ("operator", json!("group=A"), 403)]
    {
        let administrator = e.emulator.administrator();
        let made = e.call("GRA", administrator, "POST", "/v1/token", Some(token(role, selector)));
        let value = made.await.json()["status"]["value"].as_str().unwrap().to_owned();
        bearers.push((role, value, status));
    }
    for (who, bearer, status) in &bearers {
        for (method, path) in [
            ("GET", "/_emulator/data"),
            ("GET", "/_emulator/data/local"),
            ("PUT", "/_emulator/data/local/x"),
            ("PUT", "/_emulator/objects/local/x/a"),
            ("POST", "/_emulator/data/local/x/upload"),
            ("GET", "/_emulator/objects/local/x/a"),
            ("DELETE", "/_emulator/objects/local/x/a"),
        ] {
            // Most of the body never comes.
            let more = if method == "GET" { "" } else { "content-length: 0\r\n" };
            let more = if path.contains("objects") && method == "PUT" || path.ends_with("upload") {
                "content-length: 10000000\r\n"
            } else {
                more
            };
            let mut client = Client::connect(&e).await;
            client.send(head(&e, Some(bearer), method, path, more)).await;
            assert_eq!(client.answer().await.status(), *status, "{who} {method} {path}");
        }
    }
    assert!(files(&directory.path().join("state/data")).is_empty());
}

/// The owner's command line has the emulator copy large files, which is the owner's only.
#[tokio::test]
async fn files_of_the_machine_are_copied_for_the_owner_only() {
    use std::os::unix::fs::MetadataExt;
    let (e, directory) = emulator().await;
    let file = directory.path().join("file");
    write(file.clone(), "of the machine");
    let found = std::fs::metadata(&file).unwrap();
    let import = |path: &Path, bytes: u64| {
        let identity = [found.dev(), found.ino(), bytes];
        Some(json!({"path": path, "identity": identity, "name": "a", "overwrite": true}))
    };
    let path = "/_emulator/data/local/x/import";
    let length = found.len();
    for (source, length, status) in [
        (file.as_path(), length, 200),
        (&file, length + 1, 409),
        (Path::new("file"), length, 409),
        (directory.path(), length, 409),
        (Path::new("/dev/zero"), length, 409),
    ] {
        let answer = e.call_local("POST", path, import(source, length)).await;
        assert_eq!(answer.status, status, "{source:?}: {}", answer.text());
    }
    let stored = files(&directory.path().join("state/data"));
    assert_eq!(stored["local/x/a"], b"of the machine");
    let operator = json!({"name": "t", "role": "operator"});
    let administrator = e.emulator.administrator();
    let made = e.call("GRA", administrator, "POST", "/v1/token", Some(operator)).await;
    let bearer = made.json()["status"]["value"].as_str().unwrap().to_owned();
    let body = import(&file, length).unwrap().to_string();
    let more = format!("content-length: {}\r\n", body.len());
    let mut client = Client::connect(&e).await;
    client.send(head(&e, Some(&bearer), "POST", path, &more) + &body).await;
    assert_eq!(client.answer().await.status(), 403);
}

#[tokio::test]
async fn a_logged_in_user_has_buckets_and_no_directories_of_the_machine() {
    let (e, directory) = emulator().await;
    let host = directory.path().join("host");
    std::fs::create_dir(&host).unwrap();
    let named = json!({ "directory": host });
    let added = e.call_local("PUT", "/_emulator/data/host", Some(named.clone())).await;
    assert_eq!(added.status, 200, "{}", added.text());
    let user = json!({"name": "ann", "password": "a long password"});
    e.call_local("POST", "/_emulator/users", Some(user)).await;
    let session =
        e.form("/oauth2/token", "grant_type=password&username=ann&password=a+long+password");
    let bearer = session.await.json()["access_token"].as_str().unwrap().to_owned();
    for (method, path, body, status) in [
        ("PUT", "/_emulator/objects/local/x/a", None, 200),
        ("GET", "/_emulator/data/local/x", None, 200),
        ("PUT", "/_emulator/data/mine", Some(json!({})), 200),
        ("DELETE", "/_emulator/data/mine", None, 204),
        ("PUT", "/_emulator/data/etc", Some(named), 403),
        ("DELETE", "/_emulator/data/host", None, 403),
        ("GET", "/_emulator/data/host", None, 200),
        ("PUT", "/_emulator/objects/host/x/a", None, 403),
        ("PUT", "/_emulator/data/host/x", None, 403),
    ] {
        let body = body.map_or_else(String::new, |body: Value| body.to_string());
        let more = format!("content-length: {}\r\n", body.len());
        let mut client = Client::connect(&e).await;
        client.send(head(&e, Some(&bearer), method, path, &more) + &body).await;
        let got = client.answer().await;
        assert_eq!(got.status(), status, "{method} {path}: {}", got.text());
    }
    let mut client = Client::connect(&e).await;
    client.send(head(&e, Some(&bearer), "GET", "/_emulator/data", "")).await;
    assert!(!client.answer().await.text().contains("/host"), "a path of the machine");
}
