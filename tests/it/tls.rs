//! HTTPS and its certificate authority, with real clients.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use ovhai_api_types::App;
use ovhai_emulator::{Emulator, Limits};
use ovhai_runtime::SimRuntime;
use ovhai_test_support::foreground::Foreground;
use ovhai_test_support::raw::{Client, SOON, get};
use ovhai_test_support::{TestCli, TestEmulator, Upstream, is_stderr_lost, taken_port};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::OVHAI;

/// An emulator with TLS, and its directory.
struct Secure {
    e: TestEmulator,
    dir: TempDir,
}

impl Secure {
    async fn start() -> Self {
        Self::with(TestEmulator::builder()).await
    }

    async fn with(builder: ovhai_emulator::Builder) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let builder = builder.state_dir(dir.path()).tls(([127, 0, 0, 1], 0).into());
        Self { e: TestEmulator { emulator: builder.start().await.unwrap(), sim: None }, dir }
    }

    fn port(&self) -> u16 {
        self.e.emulator.running().tls.unwrap().port()
    }

    fn ca(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    fn host(app: &App) -> String {
        TestEmulator::host(app).split(':').next().unwrap().to_owned()
    }

    /// Runs curl for this host of the emulator.
    async fn curl(&self, host: &str, arguments: &[&str]) -> Output {
        let port = self.port();
        let mut command = Command::new("curl");
        command
            .args(["-sS", "-m", "20", "--noproxy", "*", "--cacert"])
            .arg(self.ca())
            .args(["--resolve", &format!("{host}:{port}:127.0.0.1")])
            .args(arguments)
            .arg(format!("https://{host}:{port}/a?b"));
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_trusts_the_authority_with_every_version_of_tls_and_http() {
    let s = Secure::start().await;
    let app = s.e.run_app(&[], json!({"image": "ovhai/echo", "unsecureHttp": true})).await;
    let host = Secure::host(&app);
    for (arguments, version) in [
        (&["--http1.1"][..], "1.1"),
        (&["--http2"], "2"),
        (&["--http1.1", "--tls-max", "1.2"], "1.1"),
        (&["--http2", "--tlsv1.3", "-d", "data"], "2"),
    ] {
        let output = s.curl(&host, &[arguments, &["-w", "\n%{http_version}"]].concat()).await;
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        let said = text(&output.stdout);
        let (body, spoken) = said.rsplit_once('\n').unwrap();
        assert_eq!(spoken, version, "{arguments:?}");
        let seen: Value = serde_json::from_str(body).unwrap();
        assert_eq!(seen["target"], "/a?b");
        assert_eq!(seen["headers"]["x-forwarded-proto"][0], "https", "{seen}");
        let forwarded = seen["headers"]["x-forwarded-host"][0].as_str().unwrap();
        assert_eq!(forwarded, format!("{host}:{}", s.port()));
    }
    // The API and the names of this machine too; and an address, which has no name to send.
    for host in ["gra.ai.localhost", "localhost", "127.0.0.1"] {
        let output = s.curl(host, &["-o", "/dev/null", "-w", "%{http_code}"]).await;
        assert_eq!(text(&output.stdout), "404", "{host}: {}", text(&output.stderr));
    }
    // HTTP continues to work.
    let plain = s.e.query(&app, None).await;
    assert_eq!(plain.json()["headers"]["x-forwarded-proto"][0], "http");
    s.e.emulator.shutdown().await;
}

/// A client that negotiates HTTP/2 has to send the preface within the time-out of a head.
#[tokio::test]
async fn an_http2_client_has_to_send_its_preface_in_time() {
    let limits = Limits { head_timeout: Duration::from_secs(2), ..Limits::default() };
    let secure = Secure::with(TestEmulator::builder().limits(limits)).await;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(secure.ca()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let connector = TlsConnector::from(Arc::new(config));
    let connect = async || {
        let stream = TcpStream::connect(("127.0.0.1", secure.port())).await.unwrap();
        let name = ServerName::try_from("gra.ai.localhost").unwrap();
        connector.connect(name, stream).await.unwrap()
    };
    let is_get = b"GET / HTTP/1.1\r\nhost: gra.ai.localhost\r\n\r\n";
    let is_closed = async |said: &[u8]| {
        let mut stream = connect().await;
        stream.write_all(said).await.unwrap();
        let mut got = Vec::new();
        let read = tokio::time::timeout(SOON, stream.read_to_end(&mut got)).await;
        // A missing close_notify does not matter.
        let _ = read.unwrap_or_else(|_| panic!("{said:?}: it is not closed"));
        assert!(!got.starts_with(b"HTTP/1"), "{}", text(&got));
    };
    tokio::join!(is_closed(b""), is_closed(b"PRI * HTTP/2.0\r\n"), is_closed(is_get));
    let (mut sender, connection) = h2::client::handshake(connect().await).await.unwrap();
    tokio::spawn(connection);
    let request = hyper::Request::get("https://gra.ai.localhost/v1/app").body(()).unwrap();
    let (answer, _) = sender.send_request(request, true).unwrap();
    assert_eq!(answer.await.unwrap().status(), 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_names_get_no_certificate() {
    let s = Secure::start().await;
    for host in ["example.org", "evil.localhost", "x.app.gra.ai.localhost"] {
        let output = s.curl(host, &["-k"]).await;
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(35), "{host}: {said}");
        assert!(said.contains("alert"), "{host}: {said}");
    }
    // A handshake with one name gives no access to another.
    let (host, port) = ("localhost", s.port());
    for version in ["--http1.1", "--http2"] {
        let foreign = ["-H", "Host: example.org", version, "-w", "%{http_code}", "-o", "/dev/null"];
        let output = s.curl(host, &foreign).await;
        assert_eq!(text(&output.stdout), "421", "{version} {}", text(&output.stderr));
    }
    let plain = in_plain(port).await;
    assert!(plain.starts_with("HTTP/1.1 400 ") && plain.contains("HTTPS"), "{plain}");
    s.e.emulator.shutdown().await;
}

/// The answer to plain HTTP on the port for TLS.
async fn in_plain(port: u16) -> String {
    let mut client = Client::to(([127, 0, 0, 1], port).into()).await;
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    String::from_utf8(client.rest().await).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strict_transport_security_is_never_sent() {
    let upstream = Upstream::answering(
        b"HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=9\r\nContent-Length: 2\r\n\r\nok",
    )
    .await;
    let sim = std::sync::Arc::new(SimRuntime::automatic(upstream.address()));
    let s = Secure::with(TestEmulator::builder().runtime(sim)).await;
    let app = s.e.run_app(&[], json!({"unsecureHttp": true})).await;
    let output = s.curl(&Secure::host(&app), &["-i"]).await;
    let said = text(&output.stdout);
    assert!(said.ends_with("ok"), "{said}");
    assert!(!said.to_lowercase().contains("strict-transport"), "{said}");
    s.e.emulator.shutdown().await;
}

fn openssl(dir: &Path, line: &str) -> Output {
    Command::new("openssl").args(line.split(' ')).current_dir(dir).output().unwrap()
}

/// So that a stolen key is useless beyond this machine.
#[test]
fn the_authority_is_limited_to_localhost_names() {
    let cli = TestCli::new(OVHAI);
    let path = cli.ok(&["emulator", "ca", "path"]);
    let dir = Path::new(path.trim()).parent().unwrap();
    assert_eq!(dir, cli.state_dir());
    for (names, good) in [
        ("DNS:localhost", true),
        ("DNS:a.app.gra.ai.localhost", true),
        ("IP:127.0.0.1", true),
        ("DNS:example.org", false),
        ("DNS:localhost.example.org", false),
        ("DNS:localhost,DNS:example.org", false),
        ("IP:10.0.0.1", false),
        ("IP:127.0.0.2", false),
    ] {
        let made = openssl(
            dir,
            &format!(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -out leaf.pem -CA ca.pem -CAkey ca.key -days 5 -subj /O=x -addext basicConstraints=critical,CA:FALSE -addext subjectAltName={names}"
            ),
        );
        assert!(made.status.success(), "{}", text(&made.stderr));
        let checked =
            openssl(dir, "verify -purpose sslserver -x509_strict -CAfile ca.pem leaf.pem");
        let said = text(&checked.stdout) + &text(&checked.stderr);
        assert_eq!(checked.status.success(), good, "{names}: {said}");
        assert!(good || said.contains("permitted subtree violation"), "{names}: {said}");
    }
    let mail = openssl(dir, "verify -purpose smimesign -CAfile ca.pem leaf.pem");
    assert!(!mail.status.success());
}

#[test]
fn an_emulator_in_the_background_serves_https() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["emulator", "start", "--detach", "--port", "0", "--tls=0"]);
    let status = cli.json(&["emulator", "status"]);
    let https = status["https"].as_str().unwrap();
    let ca = cli.ok(&["emulator", "ca", "path"]);
    let curl = |arguments: &[&str], url: &str| {
        let output = Command::new("curl")
            .args(["-sS", "-m", "20", "--noproxy", "*"])
            .args(arguments)
            .arg(url)
            .output()
            .unwrap();
        (output.status.success(), text(&output.stdout))
    };
    let (done, said) = curl(&["--cacert", ca.trim()], &format!("{https}/_emulator/health"));
    let health = if is_stderr_lost() { "degraded" } else { "ok" };
    assert!(done && said.contains(&format!("\"{health}\"")), "{said}");
    // The emulator serves the certificate to clients without the file.
    let address = status["address"].as_str().unwrap();
    let (_, pem) = curl(&[], &format!("{address}/_emulator/ca.pem"));
    assert_eq!(pem, std::fs::read_to_string(ca.trim()).unwrap());
    assert!(cli.ok(&["emulator", "status"]).contains(https));
    cli.ok(&["emulator", "stop"]);
    // And from the environment; without either there is none.
    let start = ["emulator", "start", "--detach", "--port", "0"];
    assert!(cli.command(&start).env("OVHAI_TLS", "0").output().unwrap().status.success());
    assert!(cli.json(&["emulator", "status"])["https"].is_string());
    cli.ok(&["emulator", "stop"]);
    cli.ok(&start);
    let status = cli.json(&["emulator", "status"]);
    assert!(status.get("https").is_none());
    let address = status["address"].as_str().unwrap();
    let (_, said) = curl(&[], &format!("{address}/_emulator/ca.pem"));
    assert!(said.contains("--tls"), "{said}");
}

#[test]
fn a_taken_port_and_a_damaged_authority_are_reported() {
    let cli = TestCli::new(OVHAI);
    let (_held, port) = taken_port();
    let tls = format!("--tls={port}");
    for detach in [&["--detach"][..], &[]] {
        let (code, said) =
            cli.fails(&[&["emulator", "start", "--port", "0", &tls], detach].concat());
        assert_eq!(code, 1);
        assert!(said.contains(&format!("port {port} is taken by")), "{said}");
        assert!(said.contains("--tls=N"), "{said}");
    }
    cli.ok(&["emulator", "ca", "path"]);
    std::fs::write(cli.state_dir().join("ca.key"), "rubbish").unwrap();
    for arguments in [
        &["emulator", "start", "--port", "0", "--tls=0"][..],
        &["emulator", "ca", "install", "--nss"],
    ] {
        let (code, said) = cli.fails(arguments);
        assert_eq!(code, 1);
        assert!(said.contains("ca.key") && said.contains("remove it"), "{said}");
    }
    // It is not needed without TLS.
    Foreground::start(&cli, &[]);
}

fn results(cli: &TestCli, arguments: &[&str]) -> Vec<String> {
    let all = cli.json(&[&["emulator", "ca"], arguments].concat());
    let all = all.as_array().unwrap().iter();
    all.map(|one| one["result"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn nss_databases_get_and_lose_the_authority() {
    let cli = TestCli::new(OVHAI);
    assert_eq!(results(&cli, &["remove", "--nss"]), [""; 0], "there is none");
    assert_eq!(results(&cli, &["install", "--nss"]), ["installed"]);
    let profile = cli.home().join(".mozilla/firefox/abc.default");
    std::fs::create_dir_all(&profile).unwrap();
    let certutil = |database: &Path, arguments: &[&str]| {
        let output = Command::new("certutil")
            .args(["-d", &format!("sql:{}", database.display())])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    certutil(&profile, &["-N", "--empty-password"]);
    assert_eq!(results(&cli, &["install", "--nss"]), ["already-there", "installed"]);
    assert_eq!(results(&cli, &["install", "--nss"]), ["already-there"; 2]);
    for database in [&cli.home().join(".pki/nssdb"), &profile] {
        let list = certutil(database, &["-L"]);
        let line = list.lines().find(|line| line.starts_with("ovhai emulator CA ")).unwrap();
        assert!(line.trim_end().ends_with(" C,,"), "{line}");
        let name = line.trim().trim_end_matches("C,,").trim();
        certutil(database, &["-V", "-u", "L", "-n", name]);
    }
    assert_eq!(results(&cli, &["remove", "--nss"]), ["removed"; 2]);
    assert_eq!(results(&cli, &["remove", "--nss"]), ["not-there"; 2]);
    assert!(!certutil(&profile, &["-L"]).contains("ovhai"));
    // Without the tool it says what to install.
    let mut command = cli.command(&["emulator", "ca", "install", "--nss"]);
    let output = command.env("PATH", cli.home()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("libnss3-tools"), "{}", text(&output.stderr));
}

/// What Chromium shows of a page, with this home.
fn chromium(home: &Path, url: &str) -> String {
    let output = Command::new("timeout")
        .args(["60", "chromium", "--headless=new", "--no-sandbox", "--disable-gpu"])
        .args(["--disable-dev-shm-usage", "--no-first-run", "--dump-dom"])
        .arg(format!("--user-data-dir={}", home.join("profile").display()))
        .arg(url)
        .env("HOME", home)
        .output()
        .unwrap();
    text(&output.stdout)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chromium_trusts_the_authority_once_installed() {
    let s = Secure::start().await;
    let app = s.e.run_app(&[], json!({"unsecureHttp": true})).await;
    let url = format!("https://{}:{}/", Secure::host(&app), s.port());
    let cli = TestCli::new(OVHAI);
    let home = cli.home().to_owned();
    let look =
        |url: String, home: PathBuf| tokio::task::spawn_blocking(move || chromium(&home, &url));
    let before = look(url.clone(), home.clone()).await.unwrap();
    assert!(!before.contains("Hello, World!"), "{before}");
    let state = s.dir.path().to_str().unwrap();
    cli.ok(&["emulator", "ca", "install", "--nss", "--state-dir", state]);
    let after = look(url, home).await.unwrap();
    assert!(after.contains("Hello, World!"), "{after}");
    s.e.emulator.shutdown().await;
}

/// A home of Java of the test's own, with a copy of the machine's store; none without Java.
fn java_home(dir: &Path) -> Option<PathBuf> {
    let keytool = Command::new("sh").args(["-c", "readlink -f \"$(command -v keytool)\""]).output();
    let keytool = text(&keytool.ok()?.stdout);
    let machines = Path::new(keytool.trim()).parent()?.parent()?.join("lib/security/cacerts");
    let home = dir.join("java");
    std::fs::create_dir_all(home.join("lib/security")).ok()?;
    std::fs::copy(machines, home.join("lib/security/cacerts")).ok()?;
    Some(home)
}

#[test]
fn java_trusts_the_authority_once_installed() {
    let cli = TestCli::new(OVHAI);
    let has = |program: &str| Command::new(program).arg("-help").output().is_ok();
    let home = java_home(cli.home()).filter(|_| has("java") && has("javac"));
    let Some(home) = home else {
        // `cargo xtask test` requires every tool, so that no test is skipped.
        assert!(
            std::env::var_os("CI").is_none(),
            "there is no Java with a compiler here: cargo xtask test installs it (Debian: default-jdk-headless)"
        );
        eprintln!("not tested: there is no Java here");
        return;
    };
    let results = |verb: &str| {
        let arguments = ["emulator", "ca", verb, "--java", "-o", "json"];
        let output = cli.command(&arguments).env("JAVA_HOME", &home).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let all: Value = serde_json::from_slice(&output.stdout).unwrap();
        all[0]["result"].as_str().unwrap().to_owned()
    };
    assert_eq!(results("install"), "installed");
    assert_eq!(results("install"), "already-there");
    let e = Foreground::start(&cli, &["--tls=0"]);
    let port = e.running.tls.unwrap().port();
    let program = cli.home().join("Get.java");
    std::fs::write(
        &program,
        "public class Get { public static void main(String[] a) throws Exception { System.out.println(new String(new java.net.URL(a[0]).openStream().readAllBytes())); } }",
    )
    .unwrap();
    let java = || {
        let store = home.join("lib/security/cacerts");
        let output = Command::new("java")
            .arg(format!("-Djavax.net.ssl.trustStore={}", store.display()))
            .arg(&program)
            .arg(format!("https://localhost:{port}/_emulator/health"))
            .output()
            .unwrap();
        (text(&output.stdout), text(&output.stderr))
    };
    let (said, wrong) = java();
    assert!(said.contains("\"ok\""), "{said} {wrong}");
    assert_eq!(results("remove"), "removed");
    assert_eq!(results("remove"), "not-there");
    let (said, wrong) = java();
    assert!(!said.contains("\"ok\"") && wrong.contains("SSLHandshakeException"), "{wrong}");
}

#[tokio::test]
async fn without_a_state_directory_each_start_has_a_new_authority() {
    let e = Emulator::builder().tls(([127, 0, 0, 1], 0).into()).start().await.unwrap();
    let (first, e) = (pem(&e).await, e);
    e.shutdown().await;
    let e = Emulator::builder().tls(([127, 0, 0, 1], 0).into()).start().await.unwrap();
    assert_ne!(first, pem(&e).await);
    e.shutdown().await;
}

async fn pem(e: &Emulator) -> String {
    let mut client = Client::to(e.address()).await;
    client.send(get("localhost", "/_emulator/ca.pem")).await;
    let body = client.answer().await.text();
    assert!(body.starts_with("-----BEGIN CERTIFICATE-----"), "{body}");
    body
}
