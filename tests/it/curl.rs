//! `app curl`.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::write::GzEncoder;
use ovhai::context::Context;
use ovhai_api_types::App;
use ovhai_test_support::{TestCli, TestEmulator, Upstream, eventually};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

use crate::OVHAI;

#[test]
fn path_and_query_are_sent_byte_for_byte() {
    let cli = TestCli::with_echo(OVHAI);
    for path in [
        "/a/../b",
        "//x",
        "/%7e/%zz",
        "/a/./",
        "/?",
        "/?a=%20&&b=/../c",
        "/a;b='c'|(d)!",
        "/%2e%2E/",
    ] {
        assert_eq!(cli.curl(&[path])["target"], path);
    }
    assert_eq!(cli.curl(&["x?y"])["target"], "/x?y", "a slash is put before");
    assert_eq!(cli.curl(&["-X", "OPTIONS", "/x"])["method"], "OPTIONS");
    let url = cli.json(&["app", "get", "e"])["status"]["url"].as_str().unwrap().to_owned();
    assert_eq!(cli.curl(&[&format!("{url}/in")])["target"], "/in");
    for (path, says) in
        [("/a b", "%20"), ("/a#b", "%23"), ("https://example.org/", "is not a path")]
    {
        let (code, said) = cli.fails(&["app", "curl", "e", path]);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn data_options_work_as_in_curl() {
    let cli = TestCli::with_echo(OVHAI);
    std::fs::write(cli.home().join("lines"), "one\r\ntwo\n").unwrap();
    let body = |arguments: &[&str]| cli.curl(arguments)["body"].as_str().unwrap().to_owned();
    let seen = cli.curl(&["-d", "a=1", "--data-raw", "@x", "-d", "b"]);
    assert_eq!((&seen["method"], &seen["body"]), (&json!("POST"), &json!("a=1&@x&b")));
    assert_eq!(seen["headers"]["content-type"][0], "application/x-www-form-urlencoded");
    assert_eq!(seen["headers"]["content-length"][0], "8");
    assert_eq!(body(&["-d", "@lines"]), "onetwo");
    assert_eq!(body(&["--data-binary", "@lines"]), "one\r\ntwo\n");
    assert_eq!(body(&["--data-binary", "x", "--data-binary", "@lines"]), "x&one\r\ntwo\n");
    assert_eq!(body(&["-d", "-1"]), "-1");
    assert_eq!(body(&["-d", ""]), "");
    let encoded = ["a b&", "=c=d", "n=é/", "@lines", "m@lines"];
    let arguments: Vec<&str> = encoded.iter().flat_map(|text| ["--data-urlencode", text]).collect();
    assert_eq!(body(&arguments), "a%20b%26&c%3Dd&n=%C3%A9%2F&one%0D%0Atwo%0A&m=one%0D%0Atwo%0A");
    let seen = cli.curl(&["/p?z=1", "-G", "-d", "a=1", "--data-urlencode", "b=x y"]);
    assert_eq!(seen["target"], "/p?z=1&a=1&b=x%20y");
    assert_eq!((&seen["method"], &seen["body"]), (&json!("GET"), &json!("")));
    // Standard input, whose length is unknown.
    for (option, value, text) in
        [("-d", "@-", "ab"), ("--data-binary", "@-", "a\nb"), ("-T", "-", "a\nb")]
    {
        let output = cli.command(&["app", "curl", "e", option, value]).write_stdin("a\nb").output();
        let seen: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
        assert_eq!(seen["body"], text, "{option}");
    }
    for (arguments, code, says) in [
        (&["-d", "@nothing"][..], 1, "nothing can't be read"),
        (&["-d", "x", "-F", "a=b"], 2, "cannot be used with"),
        (&["-d", "x", "-I"], 2, "--head has no body"),
        (&["-F", "a"], 2, "the = is missing"),
        (&["-X", "A B"], 2, "not an HTTP method"),
        (&["-w", "%{x}"], 2, "http_code"),
        (&["-m", "0"], 2, "2.5"),
    ] {
        let (got, said) = cli.fails(&[&["app", "curl", "e"], arguments].concat());
        assert_eq!(got, code, "{arguments:?} {said}");
        assert!(said.contains(says), "{arguments:?} {said}");
    }
}

/// `-o` names a file here, not an output format.
#[test]
fn the_json_option_works_as_in_curl() {
    let cli = TestCli::with_echo(OVHAI);
    let seen = cli.curl(&["--json", "{\"a\":1}"]);
    assert_eq!((&seen["method"], &seen["target"]), (&json!("POST"), &json!("/")));
    assert_eq!(seen["body"], "{\"a\":1}");
    for name in ["content-type", "accept"] {
        assert_eq!(seen["headers"][name][0], "application/json", "{name}");
    }
    let (code, said) = cli.fails(&["--json", "app", "curl", "e", "/x"]);
    assert!(code == 2 && said.contains("app curl does not take --json"), "{said}");
    assert!(said.contains("to send JSON: ovhai app curl APP --json DATA"), "{said}");
    let (code, _) = cli.fails(&["app", "curl", "e", "--json", "1", "-d", "2"]);
    assert_eq!(code, 2);
}

#[test]
fn header_options_work_as_in_curl() {
    let cli = TestCli::with_echo(OVHAI);
    std::fs::write(cli.home().join("headers"), "X-From: a file\n\nX-Two: 2\n").unwrap();
    let seen = cli.curl(&[
        "-H",
        "X-A: 1",
        "-H",
        "x-a:2",
        "-H",
        "X-Empty;",
        "-H",
        "Accept:",
        "-H",
        "@headers",
        "--compressed",
        "-H",
        "User-Agent: me",
    ]);
    let headers = &seen["headers"];
    assert_eq!(headers["x-a"], json!(["1", "2"]));
    assert_eq!((&headers["x-empty"], &headers["accept"]), (&json!([""]), &Value::Null));
    assert_eq!((&headers["x-from"], &headers["x-two"]), (&json!(["a file"]), &json!(["2"])));
    assert_eq!(headers["user-agent"], json!(["me"]));
    assert_eq!(headers["accept-encoding"], json!(["gzip, deflate"]));
    let agent = cli.curl(&[])["headers"]["user-agent"][0].as_str().unwrap().to_owned();
    assert!(agent.starts_with("ovhai/"), "{agent}");
    for header in ["Authorization: Bearer hush\u{1}", "hush", "Auth orization: hush"] {
        let (code, said) = cli.fails(&["app", "curl", "e", "-H", header]);
        assert_eq!(code, 2, "{said}");
        assert!(!said.contains("hush"), "{said}");
    }
}

/// The address of an app can be used in place of its name.
#[test]
fn addresses_name_apps() {
    let cli = TestCli::with_echo(OVHAI);
    let url = cli.ok(&["app", "open", "e", "--url"]).trim().to_owned();
    let host = url.strip_prefix("http://").unwrap();
    let id = host.split('.').next().unwrap();
    let target = |arguments: &[&str]| {
        let text = cli.ok(&[&["app", "curl"], arguments].concat());
        let answer: Value = serde_json::from_str(&text).unwrap();
        answer["target"].as_str().unwrap().to_owned()
    };
    let pid = format!("{url}/pid?secret=1");
    assert_eq!(target(&[&pid]), "/pid?secret=1");
    let kept = std::fs::read_to_string(cli.state_dir().join("debug.jsonl")).unwrap();
    assert!(!kept.contains("secret=1"), "{kept}");
    assert_eq!(target(&[&url]), "/");
    assert_eq!(target(&[&format!("{url}/"), "/x"]), "/x");
    assert_eq!(target(&[&format!("{host}/pid")]), "/pid");
    let with_port = format!("{id}-8080");
    assert_eq!(target(&[&with_port, "/a"]), "/a");
    let other = url.replacen('.', "-8080.", 1);
    assert_eq!(target(&[&format!("{other}/pid"), "--port", "8080"]), "/pid");
    assert_eq!(target(&[&with_port, &format!("{other}/b")]), "/b");
    let at_another = url.replacen('.', "-9.", 1);
    let answer = cli.ok(&["app", "curl", &format!("{at_another}/")]);
    assert!(answer.contains("does not listen on port 9"), "{answer}");
    for (arguments, code, says) in [
        (&[pid.as_str(), "/x"][..], 2, "omit one of them"),
        (&[&with_port, "--port", "9"], 2, "two ports were given: 9 and 8080"),
        (&["http://127.0.0.1:1/x"], 2, "is not the address of an app"),
        (&[&url.replace("://", "://x")], 2, "is not the address of an app"),
        (&[&pid.replace(".gra.", ".bhs.")], 2, "is not a path of the app"),
        (&[&format!("http://{}.app.gra.ai.localhost/", uuid::Uuid::nil())], 3, "there is no app"),
    ] {
        let (ended, said) = cli.fails(&[&["app", "curl"], arguments].concat());
        assert!(ended == code && said.contains(says), "{arguments:?} {ended}: {said}");
    }
}

/// If a body without a final line end and a message go to one place, the message starts a new line;
/// the body itself is unchanged.
#[test]
fn messages_start_on_a_new_line() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "e", "--wait"]);
    let words = ["app", "curl", "e", "--token", "x"];
    let (mut both, out) = std::io::pipe().unwrap();
    let mut child = std::process::Command::new(OVHAI)
        .args(words)
        .env("HOME", cli.home())
        .env("OVHAI_STATE_DIR", cli.state_dir())
        .env_remove("OVHAI_TOKEN")
        .stdout(out.try_clone().unwrap())
        .stderr(out)
        .spawn()
        .unwrap();
    let mut said = String::new();
    both.read_to_string(&mut said).unwrap();
    child.wait().unwrap();
    assert!(said.contains("}\nhint: the token of --token was refused: check"), "{said}");
    let apart = cli.command(&words).output().unwrap();
    assert!(apart.stdout.ends_with(b"}") && apart.stderr.starts_with(b"hint: "), "{apart:?}");
    let in_terminal = ovhai_test_support::pty::shown(&cli, 80, &words, &[("NO_COLOR", "1")]);
    assert!(in_terminal.contains("}\nhint: "), "{in_terminal}");
}

#[test]
fn harmless_options_of_curl_are_accepted() {
    let cli = TestCli::with_echo(OVHAI);
    let answer =
        cli.curl(&["-sS", "-g", "--path-as-is", "--http1.1", "--no-progress-meter", "/[x]"]);
    assert_eq!(answer["target"], "/[x]");
}

#[test]
fn the_token_is_chosen_by_app_and_option() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "e", "--label", "g=a", "--wait"]);
    for (name, selector) in [("fits", "g=a"), ("other", "g=b")] {
        cli.ok(&["token", "new", name, "--selector", selector, "--role", "read"]);
    }
    let code = |arguments: &[&str]| {
        let all = [&["app", "curl", "e", "-o", "/dev/null", "-w", "%{http_code}"], arguments];
        cli.ok(&all.concat())
    };
    assert_eq!(code(&[]), "200");
    assert_eq!(code(&["--as", "fits", "--token", "x"]), "200", "--as wins");
    assert_eq!(code(&["--as", "other"]), "403");
    assert_eq!(code(&["--token", "x"]), "401");
    assert_eq!(code(&["--no-auth"]), "401");
    assert_eq!(code(&["-H", "Authorization:"]), "401", "none is sent");
    let (exit, said) = cli.fails(&["app", "curl", "e", "--as", "nobody"]);
    assert_eq!(exit, 3, "{said}");
    let hints = |arguments: &[&str]| {
        let output = cli.command(&[&["app", "curl", "e", "--as", "fits"], arguments].concat());
        String::from_utf8({ output }.output().unwrap().stderr).unwrap()
    };
    let kept = std::fs::read_to_string(cli.state_dir().join("credentials.json")).unwrap();
    cli.ok(&["token", "regenerate", "fits", "--yes"]);
    std::fs::write(cli.state_dir().join("credentials.json"), kept).unwrap();
    assert!(hints(&[]).contains("hint: the token was refused"), "{}", hints(&[]));
    assert_eq!(hints(&["-s"]), "");
}

#[test]
fn forms_and_uploads_work_as_in_curl() {
    let cli = TestCli::with_echo(OVHAI);
    std::fs::write(cli.home().join("a.txt"), "text\n").unwrap();
    std::fs::write(cli.home().join("big.bin"), vec![b'x'; 300_000]).unwrap();
    let seen = cli.curl(&[
        "-F",
        "plain=1;2",
        "-F",
        "j={};type=application/json",
        "-F",
        "f=@a.txt",
        "-F",
        "g=@a.txt;type=image/png;filename=b.png",
        "-F",
        "v=<a.txt",
        "-F",
        "big=@big.bin",
    ]);
    let kind = seen["headers"]["content-type"][0].as_str().unwrap();
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
    let part = |head: &str, text: &str| {
        format!("--{boundary}\r\nContent-Disposition: form-data; name={head}\r\n\r\n{text}\r\n")
    };
    let expected = [
        part("\"plain\"", "1;2"),
        part("\"j\"\r\nContent-Type: application/json", "{}"),
        part("\"f\"; filename=\"a.txt\"\r\nContent-Type: text/plain", "text\n"),
        part("\"g\"; filename=\"b.png\"\r\nContent-Type: image/png", "text\n"),
        part("\"v\"", "text\n"),
        part(
            "\"big\"; filename=\"big.bin\"\r\nContent-Type: application/octet-stream",
            &"x".repeat(300_000),
        ),
        format!("--{boundary}--\r\n"),
    ]
    .concat();
    assert_eq!(seen["method"], "POST");
    assert_eq!(seen["headers"]["content-length"][0], expected.len().to_string());
    assert!(seen["body"] == expected, "the body is as it should be");

    let seen = cli.curl(&["-T", "a.txt", "/dir/"]);
    assert_eq!((&seen["method"], &seen["target"]), (&json!("PUT"), &json!("/dir/a.txt")));
    assert_eq!(
        (&seen["body"], &seen["headers"]["content-length"]),
        (&json!("text\n"), &json!(["5"]))
    );
    assert_eq!(cli.curl(&["-T", "a.txt", "/name", "-X", "POST"])["method"], "POST");
    let output =
        cli.command(&["app", "curl", "e", "-F", "f=@-;filename=x"]).write_stdin("in").output();
    let seen: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    assert_eq!(seen["headers"]["transfer-encoding"][0], "chunked");
    assert!(seen["body"].as_str().unwrap().contains("filename=\"x\""), "{seen}");
}

#[test]
fn answers_are_written_to_the_requested_file() {
    let cli = TestCli::with_echo(OVHAI);
    let head = cli.ok(&["app", "curl", "-I", "e", "/h"]);
    assert!(head.starts_with("HTTP/1.1 200 OK\n") && head.contains("content-length: "), "{head}");
    assert!(head.ends_with("\n\n") && !head.contains("\"HEAD\""), "no body: {head}");
    let said = cli.ok(&[
        "app",
        "curl",
        "e",
        "-sS",
        "-N",
        "-o",
        "out.json",
        "-w",
        "%{http_code} %{size_download} %{content_type}\\n",
    ]);
    let written = std::fs::read_to_string(cli.home().join("out.json")).unwrap();
    assert_eq!(said, format!("200 {} application/json\n", written.len()));
    cli.ok(&["app", "curl", "e", "--output", "out.json", "-i", "/second"]);
    let written = std::fs::read_to_string(cli.home().join("out.json")).unwrap();
    assert!(written.starts_with("HTTP/1.1 200") && written.contains("\"/second\""), "{written}");
    assert!(cli.ok(&["app", "curl", "e", "-o", "-"]).contains("\"GET\""));
    assert_eq!(cli.ok(&["app", "curl", "e", "-o", "/dev/null"]), "");

    // The path names the file, in this directory only; a link is replaced, not followed.
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("victim");
    std::fs::write(&victim, "untouched").unwrap();
    std::os::unix::fs::symlink(&victim, cli.home().join("link")).unwrap();
    cli.ok(&["app", "curl", "-O", "e", "/a/../link?x=/y"]);
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "untouched");
    assert!(std::fs::read_to_string(cli.home().join("link")).unwrap().contains("/a/../link?x=/y"));
    for path in ["/", "/a/..", "/a/.", "/?a=/b"] {
        let (code, said) = cli.fails(&["app", "curl", "-O", "e", path]);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("does not name a file"), "{said}");
    }
    // -o before the command is the global output format, not a file.
    for before in [&["-o", "json", "app", "curl"][..], &["app", "--output=json", "curl"]] {
        let (code, said) = cli.fails(&[before, &["e", "-i"]].concat());
        let expected = "app curl does not take --output";
        assert!(code == 2 && said.contains(expected), "{said}");
        assert!(said.contains("to write to a file: ovhai app curl APP -o FILE"), "{said}");
    }
    assert!(!cli.home().join("json").exists());
    cli.ok(&["app", "curl", "e", "-o", "json", "--json", "1"]);
    assert!(std::fs::read_to_string(cli.home().join("json")).unwrap().contains("\"POST\""));
    let (code, said) = cli.fails(&["app", "curl", "e", "-o", "no/such/file"]);
    assert_eq!(code, 1);
    assert!(said.contains("no/such/file can't be written"), "{said}");
    let (code, _) = cli.fails(&["app", "list", "-o", "file"]);
    assert_eq!(code, 2, "the others' -o is checked");
}

/// An app whose answers a test writes, and command lines that run in process.
struct Scene {
    _emulator: TestEmulator,
    _upstream: Upstream,
    context: Context,
    desk: Arc<Desk>,
    err: Captured,
}

/// The output of a command line.
struct Desk {
    home: TempDir,
    out: Captured,
}

impl Desk {
    fn new() -> Arc<Self> {
        Arc::new(Self { home: tempfile::tempdir().unwrap(), out: Captured::default() })
    }

    /// Whether these bytes were written to the screen or to a partial file.
    fn has(&self, text: &[u8]) -> bool {
        let mut entries = std::fs::read_dir(self.home.path()).unwrap().flatten();
        self.out.0.lock().unwrap().as_slice() == text
            || entries.any(|entry| {
                entry.file_name().to_string_lossy().starts_with(".ovhai-part-")
                    && std::fs::read(entry.path()).is_ok_and(|bytes| bytes == text)
            })
    }

    /// An app that sends a part of an answer, and breaks off when its `abc` has arrived.
    async fn breaking_off(self: &Arc<Self>, bytes: &'static [u8]) -> Upstream {
        let desk = Arc::clone(self);
        let upstream = Upstream::start(move |mut stream| {
            let desk = Arc::clone(&desk);
            async move {
                Upstream::head(&mut stream).await;
                stream.write_all(bytes).await.unwrap();
                eventually("it arrives", || async { desk.has(b"abc").then_some(()) }).await;
            }
        });
        upstream.await
    }
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Scene {
    async fn new(upstream: Upstream) -> Self {
        Self::at(Desk::new(), upstream).await
    }

    async fn at(desk: Arc<Desk>, upstream: Upstream) -> Self {
        let emulator = TestEmulator::with_apps_at(upstream.address()).await;
        let _: App = emulator.run_app(&[], json!({"name": "a", "unsecureHttp": true})).await;
        let err = Captured::default();
        let home = desk.home.path().to_owned();
        let mut context = Context::from_process(ovhai::cli::tree);
        context.out = Box::new(desk.out.clone());
        context.err = Box::new(err.clone());
        context.env.retain(|name, _| !name.starts_with("OVHAI_"));
        context.env.insert("OVHAI_KEYRING".into(), "0".into());
        context.env.insert("OVHAI_STATE_DIR".into(), home.to_string_lossy().into_owned());
        context.directory = home;
        context.embedded = Some(emulator.emulator.running().clone());
        context.terminal = false;
        Self { _emulator: emulator, _upstream: upstream, context, desk, err }
    }

    async fn curl(&mut self, arguments: &[&str]) -> (u8, String, String) {
        let words = ["ovhai", "app", "curl", "a"].iter().chain(arguments).map(Into::into);
        let code = ovhai::run(words, &mut self.context).await;
        (code, self.desk.out.take(), self.err.take())
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.desk.home.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

#[tokio::test]
async fn an_incomplete_body_is_an_error_and_leaves_no_file() {
    let desk = Desk::new();
    let short = desk.breaking_off(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc").await;
    let mut scene = Scene::at(desk, short).await;
    let (code, out, said) = scene.curl(&["-w", "%{http_code}"]).await;
    assert_eq!((code, out.as_str()), (1, "abc200"), "nothing is added to it");
    assert!(said.contains("ended early, after 3 of 10 bytes") && said.contains("hint: "), "{said}");
    std::fs::write(scene.desk.home.path().join("there"), "as before").unwrap();
    for arguments in [&["-o", "new"][..], &["-O", "/new"], &["-o", "there"]] {
        assert_eq!(scene.curl(arguments).await.0, 1);
    }
    assert_eq!(scene.files(), ["there"]);
    assert_eq!(std::fs::read_to_string(scene.desk.home.path().join("there")).unwrap(), "as before");
    let desk = Desk::new();
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n";
    let chunked = desk.breaking_off(chunked).await;
    let mut scene = Scene::at(desk, chunked).await;
    let (code, out, said) = scene.curl(&[]).await;
    assert_eq!((code, out.as_str()), (1, "abc"));
    assert!(said.contains("ended early, after 3 bytes"), "{said}");
}

#[tokio::test]
async fn failures_have_the_exit_codes_of_curl() {
    let bad = b"HTTP/1.1 418 Short And Stout\r\ncontent-length: 3\r\n\r\ntea";
    let mut scene = Scene::new(Upstream::answering(bad).await).await;
    assert_eq!(scene.curl(&[]).await, (0, "tea".into(), String::new()));
    let (code, out, said) = scene.curl(&["-f", "-o", "x", "-w", "%{http_code}"]).await;
    assert_eq!((code, out.as_str()), (22, "418"));
    assert!(said.contains("answered 418"), "{said}");
    assert_eq!(scene.files(), [""; 0]);
    let (code, out, said) = scene.curl(&["--fail-with-body"]).await;
    assert_eq!((code, out.as_str()), (22, "tea"));
    assert!(said.contains("answered 418"), "{said}");
}

#[tokio::test]
async fn a_late_answer_ends_with_a_timeout() {
    let silent = Upstream::start(|mut stream| async move {
        Upstream::head(&mut stream).await;
        std::future::pending::<()>().await;
    });
    let mut scene = Scene::new(silent.await).await;
    let (code, out, said) = scene.curl(&["-m", "0.05", "-w", "%{http_code}"]).await;
    assert_eq!((code, out.as_str()), (5, "000"), "{said}");
    assert!(said.contains("no complete response within 0.05 s"), "{said}");
}

#[tokio::test]
async fn compressed_answers_are_decoded_while_they_arrive() {
    let text = "many times the same. ".repeat(10_000);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    let packed = Arc::new(gzip.finish().unwrap());
    let whole = Arc::clone(&packed);
    let upstream = Upstream::start(move |mut stream| {
        let packed = Arc::clone(&packed);
        async move {
            let asked = Upstream::head(&mut stream).await.unwrap_or_default();
            let body = if asked.starts_with("GET /short") { &packed[..20] } else { &packed[..] };
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(body).await;
        }
    });
    let mut scene = Scene::new(upstream.await).await;
    let (code, out, said) = scene.curl(&["--compressed", "-w", "|%{size_download}"]).await;
    assert_eq!(code, 0, "{said}");
    assert!(out == format!("{text}|{}", whole.len()), "{} bytes", out.len());
    assert_eq!(scene.curl(&["-o", "packed"]).await.0, 0);
    assert!(std::fs::read(scene.desk.home.path().join("packed")).unwrap() == *whole, "as it came");
    let (code, _, said) = scene.curl(&["--compressed", "/short", "-o", "x"]).await;
    assert_eq!(code, 1);
    assert!(said.contains("can't be decoded after 20 bytes"), "{said}");
    assert_eq!(scene.files(), ["packed"]);
}
