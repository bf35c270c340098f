//! `app curl`, `app port-forward`, `app open`, `app logs`, `app wait`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::write::GzEncoder;
use ovhai::context::Context;
use ovhai_api_types::App;
use ovhai_test_support::{TestCli, TestEmulator, Upstream, eventually, eventually_now};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

use crate::OVHAI;

/// A command line with an app that shows requests.
fn echo() -> TestCli {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "e", "--unsecure-http", "--wait"]);
    cli
}

fn curl(cli: &TestCli, arguments: &[&str]) -> Value {
    let text = cli.ok(&[&["app", "curl", "e"], arguments].concat());
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn path_and_query_go_byte_for_byte() {
    let cli = echo();
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
        assert_eq!(curl(&cli, &[path])["target"], path);
    }
    assert_eq!(curl(&cli, &["x?y"])["target"], "/x?y", "a slash is put before");
    assert_eq!(curl(&cli, &["-X", "OPTIONS", "/x"])["method"], "OPTIONS");
    let url = cli.json(&["app", "get", "e"])["status"]["url"].as_str().unwrap().to_owned();
    assert_eq!(curl(&cli, &[&format!("{url}/in")])["target"], "/in");
    for (path, says) in [("/a b", "%20"), ("/a#b", "%23"), ("https://example.org/", "is no path")] {
        let (code, said) = cli.fails(&["app", "curl", "e", path]);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn data_in_curls_ways() {
    let cli = echo();
    std::fs::write(cli.home().join("lines"), "one\r\ntwo\n").unwrap();
    let body = |arguments: &[&str]| curl(&cli, arguments)["body"].as_str().unwrap().to_owned();
    let seen = curl(&cli, &["-d", "a=1", "--data-raw", "@x", "-d", "b"]);
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
    let seen = curl(&cli, &["/p?z=1", "-G", "-d", "a=1", "--data-urlencode", "b=x y"]);
    assert_eq!(seen["target"], "/p?z=1&a=1&b=x%20y");
    assert_eq!((&seen["method"], &seen["body"]), (&json!("GET"), &json!("")));
    // The standard input, of which nobody knows the length.
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
        (&["-F", "a"], 2, "there is no ="),
        (&["-X", "A B"], 2, "no HTTP method"),
        (&["-w", "%{x}"], 2, "http_code"),
        (&["-m", "0"], 2, "2.5"),
    ] {
        let (got, said) = cli.fails(&[&["app", "curl", "e"], arguments].concat());
        assert_eq!(got, code, "{arguments:?} {said}");
        assert!(said.contains(says), "{arguments:?} {said}");
    }
}

#[test]
fn headers_in_curls_ways() {
    let cli = echo();
    std::fs::write(cli.home().join("headers"), "X-From: a file\n\nX-Two: 2\n").unwrap();
    let seen = curl(
        &cli,
        &[
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
        ],
    );
    let headers = &seen["headers"];
    assert_eq!(headers["x-a"], json!(["1", "2"]));
    assert_eq!((&headers["x-empty"], &headers["accept"]), (&json!([""]), &Value::Null));
    assert_eq!((&headers["x-from"], &headers["x-two"]), (&json!(["a file"]), &json!(["2"])));
    assert_eq!(headers["user-agent"], json!(["me"]));
    assert_eq!(headers["accept-encoding"], json!(["gzip, deflate"]));
    let agent = curl(&cli, &[])["headers"]["user-agent"][0].as_str().unwrap().to_owned();
    assert!(agent.starts_with("ovhai/"), "{agent}");
    for header in ["Authorization: Bearer hush\u{1}", "hush", "Auth orization: hush"] {
        let (code, said) = cli.fails(&["app", "curl", "e", "-H", header]);
        assert_eq!(code, 2, "{said}");
        assert!(!said.contains("hush"), "{said}");
    }
}

#[test]
fn forms_and_uploads() {
    let cli = echo();
    std::fs::write(cli.home().join("a.txt"), "text\n").unwrap();
    std::fs::write(cli.home().join("big.bin"), vec![b'x'; 300_000]).unwrap();
    let seen = curl(
        &cli,
        &[
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
        ],
    );
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

    let seen = curl(&cli, &["-T", "a.txt", "/dir/"]);
    assert_eq!((&seen["method"], &seen["target"]), (&json!("PUT"), &json!("/dir/a.txt")));
    assert_eq!(
        (&seen["body"], &seen["headers"]["content-length"]),
        (&json!("text\n"), &json!(["5"]))
    );
    assert_eq!(curl(&cli, &["-T", "a.txt", "/name", "-X", "POST"])["method"], "POST");
    let output =
        cli.command(&["app", "curl", "e", "-F", "f=@-;filename=x"]).write_stdin("in").output();
    let seen: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    assert_eq!(seen["headers"]["transfer-encoding"][0], "chunked");
    assert!(seen["body"].as_str().unwrap().contains("filename=\"x\""), "{seen}");
}

#[test]
fn answers_go_where_they_should() {
    let cli = echo();
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

    // Named by the path, here and nowhere else; a link is replaced, not followed.
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
    // What -o says before the command is the format of others.
    assert!(cli.ok(&["-o", "json", "app", "curl", "e"]).contains("\"GET\""));
    assert!(!cli.home().join("json").exists());
    let (code, said) = cli.fails(&["app", "curl", "e", "-o", "no/such/file"]);
    assert_eq!(code, 1);
    assert!(said.contains("no/such/file can't be written"), "{said}");
    let (code, _) = cli.fails(&["app", "list", "-o", "file"]);
    assert_eq!(code, 2, "the others' -o is checked");
}

/// An app whose answers a test writes, and command lines in process.
struct Scene {
    _emulator: TestEmulator,
    _upstream: Upstream,
    context: Context,
    desk: Arc<Desk>,
    err: Captured,
}

/// What a command line writes.
struct Desk {
    home: TempDir,
    out: Captured,
}

impl Desk {
    fn new() -> Arc<Self> {
        Arc::new(Self { home: tempfile::tempdir().unwrap(), out: Captured::default() })
    }

    /// Whether these bytes have been written, to the screen or to a file that is not whole yet.
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
        let mut context = Context::from_process();
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
async fn a_body_that_breaks_off_is_an_error_and_no_file() {
    let desk = Desk::new();
    let short = desk.breaking_off(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc").await;
    let mut scene = Scene::at(desk, short).await;
    let (code, out, said) = scene.curl(&["-w", "%{http_code}"]).await;
    assert_eq!((code, out.as_str()), (1, "abc200"));
    assert!(said.contains("broke off after 3 of 10 bytes") && said.contains("hint: "), "{said}");
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
    assert!(said.contains("broke off after 3 bytes"), "{said}");
}

#[tokio::test]
async fn failures_have_their_codes() {
    let bad = b"HTTP/1.1 418 Short And Stout\r\ncontent-length: 3\r\n\r\ntea";
    let mut scene = Scene::new(Upstream::answering(bad).await).await;
    assert_eq!(scene.curl(&[]).await, (0, "tea".into(), String::new()));
    let (code, out, said) = scene.curl(&["-f", "-o", "x", "-w", "%{http_code}"]).await;
    assert_eq!((code, out.as_str()), (22, "418"));
    assert!(said.contains("answers 418"), "{said}");
    assert_eq!(scene.files(), [""; 0]);
    let (code, out, said) = scene.curl(&["--fail-with-body"]).await;
    assert_eq!((code, out.as_str()), (22, "tea"));
    assert!(said.contains("answers 418"), "{said}");
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let silent = Upstream::start(|mut stream| async move {
        Upstream::head(&mut stream).await;
        std::future::pending::<()>().await;
    });
    let mut scene = Scene::new(silent.await).await;
    let (code, out, said) = scene.curl(&["-m", "0.05", "-w", "%{http_code}"]).await;
    assert_eq!((code, out.as_str()), (5, "000"), "{said}");
    assert!(said.contains("no whole answer within 0.05 s"), "{said}");
}

#[tokio::test]
async fn compressed_answers_are_decoded_as_they_come() {
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

/// `app port-forward` in a process of its own.
struct Forward {
    child: Child,
    address: String,
}

impl Forward {
    fn start(cli: &TestCli, arguments: &[&str]) -> Self {
        let mut child = Command::new(OVHAI)
            .args(["app", "port-forward"])
            .args(arguments)
            .env("OVHAI_STATE_DIR", cli.state_dir())
            .env("OVHAI_KEYRING", "0")
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(cli.home().join("said")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").expect("an address").to_owned();
        Self { child, address }
    }

    /// Sends bytes, and reads what comes until the end.
    fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn get(&self, path: &str, more: &str) -> String {
        self.raw(&format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{more}\r\n",
            self.address
        ))
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_forwarded_port_adds_the_token_and_is_for_this_machine_only() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "e", "--label", "g=a", "--wait"]);
    cli.ok(&["token", "new", "t", "--selector", "g=a", "--role", "read"]);
    let forward = Forward::start(&cli, &["e", "0"]);
    let port = forward.address.rsplit(':').next().unwrap().to_owned();
    let own = format!("Origin: http://{}\r\n", forward.address);
    let answer = forward.get("/a/../b?c", &own);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let seen: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let url = cli.json(&["app", "get", "e"])["status"]["url"].as_str().unwrap().to_owned();
    assert_eq!(seen["target"], "/a/../b?c");
    assert_eq!(seen["headers"]["host"][0], url.strip_prefix("http://").unwrap());
    assert_eq!(seen["headers"]["origin"][0], url.as_str(), "of one origin here and there");
    assert_eq!(seen["headers"]["authorization"], Value::Null, "it ends at the gateway");
    let answer = forward.get("/", "Authorization: Bearer mine\r\n");
    assert!(answer.starts_with("HTTP/1.1 401 "), "its own is kept: {answer}");

    let with_host = |host: &str| {
        forward.raw(&format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
    };
    for good in ["localhost", "127.0.0.1:1", "[::1]:80"] {
        assert!(with_host(good).starts_with("HTTP/1.1 200 "), "{good}");
    }
    for bad in ["evil.example", "localhost.evil.example", "x@localhost", "10.0.0.1"] {
        assert!(with_host(bad).starts_with("HTTP/1.1 421 "), "{bad}");
    }
    let absolute =
        "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert!(forward.raw(absolute).starts_with("HTTP/1.1 421 "));
    for foreign in ["http://evil.example", "null"] {
        let answer = forward.get("/", &format!("Origin: {foreign}\r\n"));
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    }

    // Two requests on one connection, the first with a body in pieces.
    let answer = forward.raw(&format!(
        "POST /one HTTP/1.1\r\nHost: localhost:{port}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\nGET /two HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    ));
    assert!(answer.contains("\"body\": \"abc\"") && answer.contains("\"/two\""), "{answer}");

    cli.ok(&["token", "regenerate", "t", "--yes"]);
    assert!(forward.get("/", "").starts_with("HTTP/1.1 200 "), "the new string is looked up");
    let said = std::fs::read_to_string(cli.home().join("said")).unwrap();
    assert!(said.contains("the string that is stored for it now is used"), "{said}");
    assert!(!said.contains("eyJ"), "{said}");

    let (code, said) = cli.fails(&["app", "port-forward", "e", &port]);
    assert_eq!(code, 1);
    assert!(said.contains("can't be listened on") && said.contains("hint: "), "{said}");
    let (code, said) = cli.fails(&["app", "port-forward", "e", "--as", "nobody"]);
    assert_eq!(code, 3, "{said}");
    let open = Forward::start(&cli, &["e", "0", "--no-auth"]);
    assert!(open.get("/", "").starts_with("HTTP/1.1 401 "));
}

/// Agrees to whatever protocol it is asked to switch to, and echoes.
const UPGRADER: &str = "import os, socketserver
class H(socketserver.StreamRequestHandler):
    def handle(self):
        head = b''
        while not head.endswith(b'\\r\\n\\r\\n'):
            line = self.rfile.readline()
            if not line: return
            head += line
        if b'upgrade: echo' not in head.lower():
            self.wfile.write(b'HTTP/1.1 302 Found\\r\\nlocation: http://' + host(head) + b'/there\\r\\ncontent-length: 0\\r\\nconnection: close\\r\\n\\r\\n')
            return
        self.wfile.write(b'HTTP/1.1 101 Switching Protocols\\r\\nconnection: upgrade\\r\\nupgrade: echo\\r\\n\\r\\n')
        while data := self.request.recv(1000):
            self.wfile.write(data.upper())
def host(head):
    return [l[5:].strip() for l in head.split(b'\\r\\n') if l.lower().startswith(b'host:')][0]
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(('127.0.0.1', int(os.environ['PORT'])), H).serve_forever()";

#[test]
fn a_forwarded_port_passes_other_protocols_through() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&[
        "app",
        "run",
        "--name",
        "up",
        "--unsecure-http",
        "--wait",
        "--runtime",
        "process",
        "python:3",
        "--",
        "python3",
        "-c",
        UPGRADER,
    ]);
    let forward = Forward::start(&cli, &["up", "0"]);
    let answer = forward.get("/", "");
    let here = format!("location: http://{}/there\r\n", forward.address);
    assert!(answer.starts_with("HTTP/1.1 302 ") && answer.contains(&here), "{answer}");
    let mut stream = TcpStream::connect(&forward.address).unwrap();
    stream
        .write_all(
            b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
        )
        .unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
    }
    assert!(head.starts_with("HTTP/1.1 101 ") && head.contains("upgrade: echo"), "{head}");
    for word in ["first", "second"] {
        stream.write_all(word.as_bytes()).unwrap();
        let mut back = vec![0; word.len()];
        reader.read_exact(&mut back).unwrap();
        assert_eq!(back, word.to_uppercase().as_bytes());
    }
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(reader.read(&mut [0]).unwrap(), 0, "the end is passed on too");
}

#[test]
fn logs_by_time_pattern_and_replica() {
    let cli = echo();
    for path in ["/one", "/two", "/Three"] {
        curl(&cli, &[path]);
    }
    let logs = |arguments: &[&str]| cli.ok(&[&["app", "logs", "e"], arguments].concat());
    assert_eq!(logs(&["--grep", "^GET /t"]), "GET /two\n");
    assert_eq!(logs(&["--grep", "^get /T", "-i"]), "GET /two\nGET /Three\n");
    assert_eq!(logs(&["--tail", "1", "--since", "1h"]), "GET /Three\n");
    assert_eq!(logs(&["--since", "2999-01-01T00:00:00Z"]), "");
    let line = logs(&["-t", "--grep", "^GET /two"]);
    let (moment, text) = line.trim_end().split_once(' ').unwrap();
    let at: ovhai_api_types::Timestamp = moment.parse().expect("a moment");
    assert_eq!((text, moment.len()), ("GET /two", "2026-01-01T00:00:00.000Z".len()));
    assert!(
        logs(&["--since", moment]).starts_with("GET /two\n")
            || logs(&["--since", moment]).contains("GET /two\n")
    );
    let later = at.checked_add(std::time::Duration::from_mins(1)).unwrap().to_string();
    assert_eq!(logs(&["--since", &later]), "");
    assert!(
        logs(&["--replica", "0"]).contains("GET /one\n")
            || logs(&["--replica", "1"]).contains("GET /one\n")
    );
    assert_eq!(logs(&["--replica", "77"]), "");
    for (arguments, says) in [
        (&["--grep", "("][..], "no regular expression"),
        (&["--since", "x"], "10m"),
        (&["-i"], "--grep"),
    ] {
        let (code, said) = cli.fails(&[&["app", "logs", "e"], arguments].concat());
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(says), "{said}");
    }
    // All of it goes with following too.
    let mut child = Command::new(OVHAI)
        .args(["app", "logs", "-f", "e", "-t", "--grep", "later$", "--since", "1h"])
        .env("OVHAI_STATE_DIR", cli.state_dir())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    curl(&cli, &["/not"]);
    curl(&cli, &["/later"]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let (moment, text) = line.trim_end().split_once(' ').unwrap();
    assert!(moment.parse::<ovhai_api_types::Timestamp>().is_ok(), "{line}");
    assert_eq!(text, "GET /later");
}

#[test]
fn waiting_for_a_state() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "e"]);
    assert_eq!(cli.ok(&["app", "wait", "e"]), "");
    assert_eq!(cli.json(&["app", "wait", "e"])["status"]["state"], "RUNNING");
    let (code, said) = cli.fails(&["app", "wait", "e", "--for", "stopped", "--timeout", "0"]);
    assert_eq!(code, 5, "{said}");
    let (code, said) = cli.fails(&["app", "wait", "e", "--for", "sleeping"]);
    assert_eq!(code, 2, "{said}");
    // Somebody waits for the end while somebody else brings it about.
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| cli.ok(&["app", "wait", "e", "--for", "deleted"]));
        cli.ok(&["app", "delete", "e", "--yes"]);
        waiting.join().unwrap();
    });
    assert_eq!(cli.fails(&["app", "wait", "e"]).0, 3);
    cli.ok(&["app", "run", "--name", "bad", "--runtime", "process", "python:3", "--", "false"]);
    let (code, said) = cli.fails(&["app", "wait", "bad"]);
    assert_eq!(code, 1);
    assert!(said.contains("is FAILED"), "{said}");
    cli.ok(&["app", "wait", "bad", "--for", "failed"]);
}

#[test]
fn opening_in_a_browser() {
    let cli = echo();
    let url = cli.json(&["app", "get", "e"])["status"]["url"].as_str().unwrap().to_owned();
    assert_eq!(cli.ok(&["app", "open", "e", "--url"]).trim(), url);
    assert_eq!(cli.ok(&["app", "open", "e", "--print"]).trim(), url);
    let seen = cli.home().join("seen");
    let script = cli.home().join("browser");
    std::fs::write(&script, format!("#!/bin/sh\necho \"$1\" > {}\n", seen.display())).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&script, mode).unwrap();
    let open = |browser: &str| {
        let output = cli.command(&["app", "open", "e"]).env("BROWSER", browser).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(open(script.to_str().unwrap()), "");
    let opened = eventually_now("it is opened", || std::fs::read_to_string(&seen).ok());
    assert_eq!(opened.trim(), url);
    assert_eq!(open("no-such-browser:false").trim(), url, "printed when there is no browser");
}
