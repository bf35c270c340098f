//! The image of the emulator: built by crates/image/Containerfile on a base that has nothing but files of
//! Debian's packages, and used as a service under another host name.

use std::path::Path;
use std::process::Command;

use ovhai_test_support::eventually_now;
use serde_json::Value;

use super::{OVHAI, succeeds};

const BASE: &str = "localhost/ovhai-test-debian:1";
const SERVICE: &str = "localhost/ovhai-test-service:1";
/// What the executable needs of Debian.
const PACKAGES: [&str; 2] = ["libc6", "libgcc-s1"];
/// The platform's name in images, and in Debian's paths.
const PLATFORM: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };

/// Podman's command line; none where the tests run without engines.
fn podman() -> Option<Command> {
    let socket = std::env::var("OVHAI_TEST_PODMAN").ok()?;
    let mut podman = Command::new("podman");
    podman.args(["--remote", "--url", &format!("unix://{socket}")]);
    Some(podman)
}

/// Imports an image with the files of the packages.
fn import_base(directory: &Path) {
    let root = directory.join("root");
    for name in ["usr/lib", "usr/lib64", "tmp"] {
        std::fs::create_dir_all(root.join(name)).unwrap();
    }
    for name in ["lib", "lib64"] {
        std::os::unix::fs::symlink(format!("usr/{name}"), root.join(name)).unwrap();
    }
    succeeds(Command::new("chmod").args(["1777"]).arg(root.join("tmp")));
    let listed = succeeds(Command::new("dpkg").arg("-L").args(PACKAGES));
    let listed = String::from_utf8(listed.stdout).unwrap();
    let is_library = |path: &&str| path.contains("/lib") && path.contains(".so");
    let mut copied = 0;
    for path in listed.lines().filter(is_library).filter(|path| !path.contains("gconv")) {
        // Debian lists some of them below the link /lib.
        let to = root.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(path, to).unwrap();
        copied += 1;
    }
    assert!(copied > 5, "{listed}");
    let archive = directory.join("base.tar");
    succeeds(Command::new("tar").arg("-C").arg(&root).arg("-cf").arg(&archive).arg("."));
    succeeds(podman().unwrap().arg("import").arg(&archive).arg(BASE));
}

fn build(directory: &Path) {
    let context = directory.join("context");
    std::fs::create_dir_all(context.join(PLATFORM)).unwrap();
    let executable = context.join(PLATFORM).join("ovhai");
    succeeds(Command::new("strip").arg("-o").arg(executable).arg(OVHAI));
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/image/Containerfile");
    succeeds(
        podman()
            .unwrap()
            .args(["build", "--quiet", "--network=none", "--pull=never"])
            .args(["--build-arg", &format!("BASE={BASE}")])
            .args(["--build-arg", &format!("TARGETARCH={PLATFORM}")])
            .args(["--file", file, "--tag", SERVICE])
            .arg(context),
    );
}

/// The service; it is removed when this is dropped.
struct Service {
    name: String,
    address: String,
}

impl Service {
    /// Starts it with these variables, and waits until it answers.
    fn start(environment: &[&str]) -> Self {
        let mut service = Self::run(environment);
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let inspect = ["inspect", "--format", format, &service.name];
        let output = succeeds(podman().unwrap().args(inspect));
        String::from_utf8(output.stdout).unwrap().trim().clone_into(&mut service.address);
        eventually_now("the service answers", || {
            let (status, _) = service.curl("ai:4480", "/_emulator/health", &[]);
            assert!(service.is_running(), "{}", service.log());
            (status == 200).then_some(())
        });
        service
    }

    fn run(environment: &[&str]) -> Self {
        let name = format!("ovhai-test-service-{}", std::process::id());
        let variables = environment.iter().flat_map(|variable| ["--env", variable]);
        let run = ["run", "--detach", "--name", &name];
        succeeds(podman().unwrap().args(run).args(variables).arg(SERVICE));
        Self { name, address: String::new() }
    }

    /// Sends a request from here, which is another network namespace than the service's.
    fn curl(&self, host: &str, path: &str, more: &[&str]) -> (u16, String) {
        let output = Command::new("curl")
            .args(["-s", "--noproxy", "*", "-w", "\n%{http_code}", "-H", &format!("Host: {host}")])
            .args(more)
            .arg(format!("http://{}:4480{path}", self.address))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, status) = text.rsplit_once('\n').unwrap_or_default();
        (status.parse().unwrap_or(0), body.to_owned())
    }

    /// Runs `ovhai` inside, as the emulator's owner.
    fn ovhai(&self, arguments: &[&str]) -> Value {
        let exec = ["exec", &self.name, "ovhai", "--output", "json"];
        let output = succeeds(podman().unwrap().args(exec).args(arguments));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn is_running(&self) -> bool {
        let inspect = ["ps", "--quiet", "--filter", &format!("name={}", self.name)];
        podman().unwrap().args(inspect).output().is_ok_and(|output| !output.stdout.is_empty())
    }

    fn log(&self) -> String {
        let output = podman().unwrap().args(["logs", &self.name]).output().unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = podman().unwrap().args(["rm", "--force", &self.name]).output();
    }
}

#[test]
fn the_image_of_the_emulator_serves_other_machines() {
    if podman().is_none() {
        assert!(std::env::var_os("CI").is_none(), "run the tests by `cargo xtask test`, as root");
        eprintln!("left out: OVHAI_TEST_PODMAN is not set; `cargo xtask test`, as root, sets it");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    import_base(directory.path());
    build(directory.path());
    let without_password = Service::run(&["OVHAI_DOMAINS=ai"]);
    eventually_now("it ends", || (!without_password.is_running()).then_some(()));
    let log = without_password.log();
    assert!(log.contains("OVHAI_PASSWORD is missing"), "{log}");
    drop(without_password);

    let service = Service::start(&["OVHAI_DOMAINS=ai", "OVHAI_PASSWORD=correct horse"]);
    let id = with_a_login(&service);
    with_tokens(&service, &id);
    // A page of the internet must not reach it by a name of its own.
    assert_eq!(service.curl("example.com", "/_emulator/health", &[]).0, 421);
}

/// What another machine does with the password; the id of an app that it made.
fn with_a_login(service: &Service) -> String {
    let form = |password: &str| {
        let form = format!("grant_type=password&username=ovhai&password={password}");
        service.curl("gra.ai:4480", "/oauth2/token", &["-d", &form])
    };
    assert_eq!(form("wrong").0, 400, "invalid_grant");
    let (status, body) = form("correct%20horse");
    assert_eq!(status, 200, "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    let bearer = answer["access_token"].as_str().unwrap();
    let bearer = format!("Authorization: Bearer {bearer}");

    let spec = r#"{"name": "e", "image": "ovhai/echo", "labels": {"group": "A"}, "resources": {"cpu": 1}}"#;
    let json = "Content-Type: application/json";
    let new = ["-H", bearer.as_str(), "-H", json, "-d", spec];
    let (status, body) = service.curl("gra.ai:4480", "/v1/app", &new);
    assert_eq!(status, 200, "{body}");
    let app: Value = serde_json::from_str(&body).unwrap();
    let id = app["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/app/{id}");
    eventually_now("the app runs", || {
        let (_, body) = service.curl("gra.ai:4480", &path, &["-H", &bearer]);
        body.contains("\"RUNNING\"").then_some(())
    });
    id
}

/// What its owner does in the container, and others with the owner's tokens.
fn with_tokens(service: &Service, id: &str) {
    let token = |selector: &str| {
        let new = ["token", "new", selector, "--role", "read", "--selector", selector];
        let bearer = service.ovhai(&new)["status"]["value"].as_str().unwrap().to_owned();
        format!("Authorization: Bearer {bearer}")
    };
    let (reader, stranger) = (token("group=A"), token("group=B"));
    let host = format!("{id}.app.gra.ai:4480");
    assert_eq!(service.curl(&host, "/", &[]).0, 401);
    assert_eq!(service.curl(&host, "/", &["-H", &reader]).0, 200);
    let (status, body) = service.curl(&host, "/", &["-H", &stranger]);
    assert_eq!(status, 403);
    assert!(body.contains("group=B does not match"), "{body}");
    let (status, body) = service.curl("gra.ai:4480", "/v1/me", &["-H", &reader]);
    assert_eq!(status, 200, "{body}");
}
