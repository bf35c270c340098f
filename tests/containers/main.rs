//! Images through the command line, on the engines that `cargo xtask test` starts.
//!
//! An executable of its own: containers change the machine's network interfaces, and a browser breaks
//! off its requests then.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod check;
mod exec;
mod image;
mod volumes;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

use ovhai_test_support::{TestCli, eventually_now};
use serde_json::{Value, json};

const OVHAI: &str = env!("CARGO_BIN_EXE_ovhai");
const IMAGE: &str = "localhost/ovhai-cli-test:1";
const UNIX: &str = "unix://";

/// The sockets of the engines. CI must have both.
fn engines() -> Vec<String> {
    let variables = ["OVHAI_TEST_DOCKER", "OVHAI_TEST_PODMAN"];
    let socket = |name: &str| {
        let socket = std::env::var(name).ok();
        assert!(
            socket.is_some() || std::env::var_os("CI").is_none(),
            "{name} is not set: run the tests by `cargo xtask test`, as root"
        );
        if socket.is_none() {
            eprintln!("left out: {name} is not set; `cargo xtask test`, as root, sets it");
        }
        socket
    };
    variables.into_iter().filter_map(socket).collect()
}

fn succeeds(command: &mut Command) -> Output {
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Calls the engine's API.
fn call(socket: &str, method: &str, path: &str, more: &[&str]) -> String {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--fail-with-body", "--unix-socket", socket, "-X", method]);
    let output = succeeds(curl.args(more).arg(format!("http://engine{path}")));
    String::from_utf8(output.stdout).expect("text")
}

/// Makes an image whose `/bin/sh` runs scripts, and whose `httpd` serves `/www`: there, `cgi-bin/run`
/// runs the script that it is sent, and `cgi-bin/again` requests itself through the gateway.
/// Tests of one engine share it: another one would take its name.
fn make_image(socket: &str, directory: &Path) {
    static MADE: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if !made.contains(socket) {
        build_image(socket, directory);
        made.insert(socket.to_owned());
    }
}

fn build_image(socket: &str, directory: &Path) {
    let root = directory.join("root");
    for name in ["bin", "www/cgi-bin", "tmp"] {
        std::fs::create_dir_all(root.join(name)).unwrap();
    }
    std::fs::copy("/bin/busybox", root.join("bin/busybox")).expect("busybox-static is installed");
    for program in [
        "sh", "httpd", "cat", "id", "sleep", "ip", "sed", "ls", "env", "mkfifo", "rm", "nc", "stty",
    ] {
        let _ = std::os::unix::fs::symlink("busybox", root.join("bin").join(program));
    }
    std::fs::write(root.join("www/index.html"), "Hello from a container").unwrap();
    let allow = |name: &str, mode: u32| {
        use std::os::unix::fs::PermissionsExt;

        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(root.join(name), mode).unwrap();
    };
    allow("tmp", 0o1777);
    let script = |name: &str, text: &str| {
        std::fs::write(root.join(name), text).unwrap();
        allow(name, 0o755);
    };
    script("bin/req", include_str!("../fixtures/req.sh"));
    let head = "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'; exec 2>&1\n";
    script("www/cgi-bin/run", &format!("{head}sh\n"));
    let again = r#"echo "via=$HTTP_VIA"; at=${OVHAI_GATEWAY#http://}
        req ${at%:*} ${at#*:} "GET /cgi-bin/again HTTP/1.1" "Host: $HTTP_HOST" "Via: $HTTP_VIA" \
            "Authorization: Bearer $TOKEN" "Connection: close""#;
    script("www/cgi-bin/again", &format!("{head}{again}\n"));
    let archive = directory.join("image.tar");
    succeeds(Command::new("tar").arg("-C").arg(&root).arg("-cf").arg(&archive).arg("."));
    let changes = "&changes=EXPOSE%208080\
        &changes=CMD%20%5B%22/bin/httpd%22,%22-f%22,%22-p%22,%228080%22,%22-h%22,%22/www%22%5D";
    let path = format!("/v1.41/images/create?fromSrc=-{changes}");
    let data = format!("@{}", archive.display());
    let said = call(
        socket,
        "POST",
        &path,
        &["-H", "content-type: application/x-tar", "--data-binary", &data],
    );
    let last = said.lines().last().expect("it says the id");
    let id: Value = serde_json::from_str(last).unwrap();
    let id = id["status"].as_str().unwrap().trim().trim_start_matches("sha256:").to_owned();
    call(
        socket,
        "POST",
        &format!("/v1.41/images/{id}/tag?repo=localhost/ovhai-cli-test&tag=1"),
        &[],
    );
}

/// The ids of this emulator's containers, also of those that do not run.
fn containers(socket: &str, cli: &TestCli) -> Vec<String> {
    let id = std::fs::read_to_string(cli.state_dir().join("id")).expect("the directory has an id");
    let filters = format!("%7B%22label%22%3A%5B%22ovh.emulator%3D{}%22%5D%7D", id.trim());
    let said =
        call(socket, "GET", &format!("/v1.41/containers/json?all=true&filters={filters}"), &[]);
    let all: Vec<Value> = serde_json::from_str(&said).unwrap();
    all.iter().map(|one| one["Id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_image_runs_and_leaves_nothing() {
    for socket in engines() {
        let cli = TestCli::new(OVHAI);
        make_image(&socket, cli.home());
        let engine = format!("{UNIX}{socket}");
        cli.ok(&["emulator", "start", "--detach", "--engine", &engine]);
        let shown = cli.json(&["emulator", "engine"]);
        assert_eq!(shown["engine"]["address"], engine, "{shown}");

        let run =
            ["app", "run", IMAGE, "--name", "ui", "--label", "group=A", "--cpu", "1", "--wait"];
        cli.ok(&[&run[..], &["--replicas", "2", "--env", "GREETING=hi"]].concat());
        cli.ok(&[
            "token",
            "new",
            "reader",
            "--selector",
            "group=A",
            "--role",
            "read",
            "--region",
            "GRA",
        ]);
        assert_eq!(cli.ok(&["app", "curl", "ui"]), "Hello from a container");
        let status = cli.json(&["app", "get", "ui"])["status"].clone();
        assert_eq!((&status["availableReplicas"], &status["restarts"]), (&2.into(), &0.into()));
        let version = |key: &str| shown["engine"][key].as_str().unwrap().to_owned();
        let named = format!("{} {}", version("kind"), version("version"));
        let image: Value = serde_json::from_str(&call(
            &socket,
            "GET",
            &format!("/v1.41/images/{IMAGE}/json"),
            &[],
        ))
        .unwrap();
        for replica in status["replicas"].as_array().unwrap() {
            assert_eq!(
                (&replica["state"], &replica["engine"]),
                (&"READY".into(), &named.as_str().into())
            );
            assert_eq!(replica["imageId"], image["Id"]);
        }
        let said = cli.ok(&["app", "get", "ui"]);
        let field = |name: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix(name)).expect(name);
            line.trim().to_owned()
        };
        assert_eq!(field("Engine:"), named, "{said}");
        assert_eq!(field("Image ID:"), image["Id"].as_str().unwrap(), "once for both replicas");
        assert_eq!(containers(&socket, &cli).len(), 2);

        // The saved options name the engine.
        let options = std::fs::read_to_string(cli.state_dir().join("options.json")).unwrap();
        assert!(options.contains(&engine), "{options}");

        // A command and its end.
        let shell = "id -u; echo $GREETING; exit 3";
        let fails = ["app", "run", IMAGE, "--name", "ends", "--cpu", "1", "--env", "GREETING=hi"];
        let (_, said) = cli.fails(
            &[&fails[..], &["--env", "HOME=/tmp", "--wait", "--", "/bin/sh", "-c", shell]].concat(),
        );
        assert!(said.contains("exit") && said.contains('3'), "{said}");
        assert_eq!(
            cli.ok(&["app", "logs", "ends"]).lines().take(2).collect::<Vec<_>>(),
            ["42420", "hi"]
        );

        // The emulator is killed: its watcher removes the containers.
        let running = std::fs::read_to_string(cli.state_dir().join("emulator.json")).unwrap();
        let running: Value = serde_json::from_str(&running).unwrap();
        succeeds(Command::new("kill").args(["-9", &running["pid"].to_string()]));
        eventually_now("the containers are gone", || {
            containers(&socket, &cli).is_empty().then_some(())
        });
        // The next command starts another one, which runs the app again.
        eventually_now("it answers again", || {
            let output = cli.command(&["app", "curl", "ui"]).output().unwrap();
            (output.stdout == b"Hello from a container").then_some(())
        });
        cli.ok(&["emulator", "stop"]);
        eventually_now("the containers are gone", || {
            containers(&socket, &cli).is_empty().then_some(())
        });
    }
}

/// The output of a script that runs in the app `a`.
fn inside(cli: &TestCli, script: &str) -> String {
    cli.ok(&["app", "curl", "a", "/cgi-bin/run", "--data-binary", script])
}

/// Starts an emulator with the apps `a` and `b`, which have containers.
fn two_apps(cli: &TestCli, socket: &str, options: &[&str]) {
    make_image(socket, cli.home());
    let engine = format!("{UNIX}{socket}");
    let start = ["emulator", "start", "--detach", "--quota", "unlimited", "--engine", &engine];
    cli.ok(&[&start[..], options].concat());
    for name in ["a", "b"] {
        cli.ok(&[
            "app", "run", IMAGE, "--name", name, "--label", "own=yes", "--cpu", "1", "--wait",
        ]);
    }
}

/// A script that sends a request to the gateway; without a host, to that of the target.
fn through_the_gateway(target: &str, host: &str, token: &str) -> String {
    let authority = target.trim_start_matches("http://").split('/').next().unwrap_or_default();
    let host = if host.is_empty() { authority } else { host };
    let bearer =
        if token.is_empty() { String::new() } else { format!("'Authorization: Bearer {token}'") };
    format!(
        "at=${{OVHAI_GATEWAY#http://}}; req ${{at%:*}} ${{at#*:}} 'GET {target} HTTP/1.1' 'Host: {host}' {bearer} 'Connection: close'"
    )
}

/// The address of the gateway of a container's network.
const GATEWAY: &str = "$(ip route | sed -n 's/^default via \\([^ ]*\\).*/\\1/p')";

#[test]
fn an_app_reaches_neither_the_emulator_nor_its_files() {
    for socket in engines() {
        let cli = TestCli::new(OVHAI);
        two_apps(&cli, &socket, &[]);
        let running = std::fs::read_to_string(cli.state_dir().join("emulator.json")).unwrap();
        let running: Value = serde_json::from_str(&running).unwrap();
        let address: std::net::SocketAddr = running["address"].as_str().unwrap().parse().unwrap();
        let port = address.port();
        let own = inside(&cli, "ip -4 addr show scope global");
        assert!(own.contains("inet "), "{socket}: the script runs: {own}");
        let page = "'GET / HTTP/1.1' 'Host: localhost' 'Connection: close'";
        let itself = inside(&cli, &format!("req 127.0.0.1 8080 {page}"));
        assert!(itself.contains("Hello from"), "{socket}: {itself}");
        for at in [GATEWAY, "127.0.0.1"] {
            let said = inside(&cli, &format!("LIMIT=3 req {at} {port} {page}"));
            assert!(said.starts_with("nc: "), "{socket}, {at}: {said}");
        }
        let files = [
            cli.state_dir().join("emulator.json").display().to_string(),
            cli.state_dir().display().to_string(),
            socket.clone(),
            "/var/run/docker.sock".to_owned(),
            "/run/podman/podman.sock".to_owned(),
        ];
        for file in files {
            let said = inside(&cli, &format!("ls '{file}' && echo REACHED"));
            assert!(said.contains("No such file"), "{socket}: {said}");
        }
        // Without --from-apps a container learns nothing of the gateway.
        let said = inside(&cli, "env; cat /etc/hosts");
        assert!(!said.contains("OVHAI_GATEWAY") && !said.contains("ovhai.internal"), "{said}");
        let shown = cli.json(&["emulator", "engine"]);
        assert_eq!((&shown["gaps"], &shown["callsFromApps"]), (&json!([]), &Value::Null));
    }
}

#[test]
fn an_app_calls_another_through_the_gateway() {
    for socket in engines() {
        let cli = TestCli::new(OVHAI);
        two_apps(&cli, &socket, &["--from-apps"]);
        let shown = cli.json(&["emulator", "engine"]);
        let gateway = shown["callsFromApps"]["address"].as_str().expect("an address").to_owned();
        let url = cli.json(&["app", "get", "b"])["status"]["url"].as_str().unwrap().to_owned();
        assert!(url.starts_with("http://"), "{url}");
        let host = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let token = |name: &str, selector: &str| {
            let made = ["token", "new", name, "--role", "read", "-l", selector];
            cli.json(&made)["status"]["value"].as_str().expect("a string").to_owned()
        };
        let (good, foreign) = (token("good", "own=yes"), token("foreign", "own=no"));
        assert_eq!(inside(&cli, "echo $OVHAI_GATEWAY").trim(), gateway);

        // The printed URL, as clients send it to a proxy.
        let proxied = |token: &str, url: &str| inside(&cli, &through_the_gateway(url, "", token));
        let answers = |said: String| {
            let is_it =
                said.starts_with("HTTP/1.1 200") && said.ends_with("Hello from a container");
            assert!(is_it, "{socket}: {said}");
        };
        answers(proxied(&good, &url));
        // The gateway itself, with the app's host.
        let direct = |host: &str, path: &str| inside(&cli, &through_the_gateway(path, host, &good));
        answers(direct(&host, "/"));

        let refused = |said: String, status: &str| {
            assert!(said.starts_with(&format!("HTTP/1.1 {status}")), "{socket}, {status}: {said}");
        };
        refused(proxied("", &url), "401");
        refused(proxied("nonsense", &url), "401");
        refused(proxied(&foreign, &url), "403");
        let (_, port) = host.rsplit_once(':').expect("a port");
        for host in ["localhost", "127.0.0.1", "gra.ai.localhost", "example.com"] {
            refused(proxied(&good, &format!("http://{host}:{port}/v1/app")), "421");
            refused(direct(host, "/_emulator/health"), "421");
        }
        refused(direct("gateway.ovhai.internal", "/"), "421");
        refused(direct(&host, "/.ovhai/login"), "421");
        // A public app takes no token, as in the cloud.
        cli.ok(&["app", "run", IMAGE, "--name", "open", "--unsecure-http", "--cpu", "1", "--wait"]);
        let open = cli.json(&["app", "get", "open"])["status"]["url"].as_str().unwrap().to_owned();
        answers(proxied("", &open));

        // An app that calls itself, and passes on what it got.
        let again = ["app", "run", IMAGE, "--name", "again", "--label", "own=yes", "--cpu", "1"];
        cli.ok(&[&again[..], &["--env", &format!("TOKEN={good}"), "--wait"]].concat());
        let said = cli.ok(&["app", "curl", "again", "/cgi-bin/again"]);
        assert!(said.contains("HTTP/1.1 508") && said.contains("in a loop"), "{socket}: {said}");
        let passed = said.lines().filter(|line| line.starts_with("via=1.1 ovhai")).count();
        assert_eq!(passed, 8, "{socket}: {said}");

        // Processes of this machine and other networks have no way in.
        let at = inside(&cli, &format!("echo {GATEWAY}"));
        let own = Command::new("curl")
            .args(["-sS", "-m", "5", "--noproxy", "*", "-H", &format!("Host: {host}")])
            .arg(format!("http://{}:{port}/", at.trim()))
            .output()
            .expect("curl runs");
        assert!(!own.status.success(), "{socket}: {}", String::from_utf8_lossy(&own.stdout));

        // The option is saved, and a new container has the way too.
        let options = std::fs::read_to_string(cli.state_dir().join("options.json")).unwrap();
        assert!(options.contains("from-apps"), "{options}");
        cli.ok(&["emulator", "stop"]);
        cli.ok(&["app", "list"]);
        eventually_now("both apps answer again", || {
            let script = through_the_gateway(&url, "", &good);
            let run = ["app", "curl", "a", "/cgi-bin/run", "--data-binary", &script];
            let output = cli.command(&run).output().unwrap();
            String::from_utf8_lossy(&output.stdout).contains("Hello").then_some(())
        });
        cli.ok(&["emulator", "stop"]);
    }
}

#[test]
fn apps_call_each_other_only_where_the_emulator_listens_on_loopback() {
    let cli = TestCli::new(OVHAI);
    let (code, said) = cli.fails(&["emulator", "start", "--from-apps", "--host", "0.0.0.0"]);
    assert!(code == 2 && said.contains("--host") && said.contains("API"), "{said}");
    let start = cli.command(&["emulator", "start"]).env("OVHAI_FROM_APPS", "yes").output().unwrap();
    assert_eq!(start.status.code(), Some(2));
}

/// Pushes the image to a registry that asks for a password; its name there. It is no longer present.
fn push(socket: &str, registry: &str, password: &str) -> String {
    let name = format!("{registry}/team/cli");
    call(socket, "POST", &format!("/v1.41/images/{IMAGE}/tag?repo={name}&tag=1"), &[]);
    let login = json!({"username": "ovhai", "password": password, "serveraddress": registry});
    let encoded = "printf %s \"$LOGIN\" | base64 -w0 | tr '+/' '-_'";
    let encoded =
        succeeds(Command::new("sh").args(["-c", encoded]).env("LOGIN", login.to_string()));
    let header = format!("X-Registry-Auth: {}", String::from_utf8(encoded.stdout).unwrap());
    let path = format!("/v1.41/images/{name}/push?tag=1");
    let said = call(socket, "POST", &path, &["-H", &header]);
    assert!(!said.contains("errorDetail"), "{said}");
    call(socket, "DELETE", &format!("/v1.41/images/{name}:1?force=true"), &[]);
    format!("{name}:1")
}

/// The machine's credentials, here a helper's, serve its owner; a token's holder needs a registry
/// with a login, even if the image is present.
#[test]
fn a_private_image_needs_its_callers_own_credentials() {
    use std::os::unix::fs::PermissionsExt;

    let variable = |name: &str| std::env::var(name).ok();
    let Some(registry) = variable("OVHAI_TEST_PRIVATE_REGISTRY") else { return };
    let password = variable("OVHAI_TEST_PASSWORD").unwrap();
    for socket in engines() {
        let cli = TestCli::new(OVHAI);
        make_image(&socket, cli.home());
        let image = push(&socket, &registry, &password);
        let programs = cli.home().join("programs");
        std::fs::create_dir_all(&programs).unwrap();
        std::fs::create_dir(cli.home().join(".docker")).unwrap();
        let config = json!({"credHelpers": {&registry: "test"}});
        std::fs::write(cli.home().join(".docker/config.json"), config.to_string()).unwrap();
        let helper = programs.join("docker-credential-test");
        let login = json!({"ServerURL": &registry, "Username": "ovhai", "Secret": &password});
        std::fs::write(programs.join("login.json"), login.to_string()).unwrap();
        let script = format!(
            "#!/bin/sh\nread -r server\n[ \"$1 $server\" = 'get {registry}' ] || exit 1\nexec cat '{}/login.json'\n",
            programs.display()
        );
        std::fs::write(&helper, script).unwrap();
        std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        let engine = format!("{UNIX}{socket}");
        let mut start = cli.command(&["emulator", "start", "--detach", "--engine", &engine]);
        start.env("PATH", path).assert().success();

        let new = ["token", "new", "op", "--selector", "group=A", "--role", "operator"];
        let operator = cli.json(&[&new[..], &["--region", "GRA"]].concat());
        let operator = operator["status"]["value"].as_str().unwrap();
        let run = |name: &'static str, more: &[&'static str]| -> Vec<String> {
            let run = ["app", "run", &image, "--name", name, "--label", "group=A", "--cpu", "1"];
            run.iter().chain(&["--wait"]).chain(more).map(|word| (*word).to_owned()).collect()
        };
        let refused = |name: &'static str, more: &[&'static str]| {
            let arguments = run(name, more);
            let all: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let (_, said) = cli.fails(&[&["--token", operator], &all[..]].concat());
            assert!(!said.contains(&password), "{said}");
            said
        };
        let said = refused("early", &[]);
        assert!(said.contains("ovhai registry add"), "{said}");
        let arguments = run("mine", &["--unsecure-http"]);
        cli.ok(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(cli.ok(&["app", "curl", "mine"]), "Hello from a container");
        // Present now, by the owner's credentials.
        refused("present", &[]);
        let said = refused("never", &["--pull", "never"]);
        assert!(said.contains("its registry does not give it"), "{said}");

        let add = ["registry", "add", &registry, "--username", "ovhai", "--password-from-stdin"];
        cli.command(&add).write_stdin(password.clone()).assert().success();
        let arguments = run("theirs", &["--unsecure-http"]);
        let all: Vec<&str> = arguments.iter().map(String::as_str).collect();
        cli.ok(&[&["--token", operator], &all[..]].concat());
        assert_eq!(cli.ok(&["app", "curl", "theirs"]), "Hello from a container");
        let log = std::fs::read_to_string(cli.state_dir().join("emulator.log")).unwrap_or_default();
        assert!(!log.contains(&password));
        cli.ok(&["emulator", "stop"]);
        call(&socket, "DELETE", &format!("/v1.41/images/{image}?force=true"), &[]);
    }
}

/// The process of the emulator.
fn pid(cli: &TestCli) -> u64 {
    let running = std::fs::read_to_string(cli.state_dir().join("emulator.json")).unwrap();
    serde_json::from_str::<Value>(&running).unwrap()["pid"].as_u64().unwrap()
}

/// The watchers that the emulator has started.
fn watchers(emulator: u64) -> Vec<String> {
    let children = format!("/proc/{emulator}/task");
    let tasks = std::fs::read_dir(children).unwrap().flatten();
    let children =
        tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let children: Vec<String> = children.collect();
    let is_watcher = |pid: &&str| {
        let words = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        words.split('\0').any(|word| word == "__reap")
    };
    let all = children.iter().flat_map(|line| line.split_whitespace());
    all.filter(is_watcher).map(str::to_owned).collect()
}

/// Emulator and watcher are killed: the next start removes the containers before it runs the app. The
/// containers of another emulator stay all the time.
#[test]
fn the_next_start_removes_what_two_killed_processes_left() {
    for socket in engines() {
        let (cli, other) = (TestCli::new(OVHAI), TestCli::new(OVHAI));
        make_image(&socket, cli.home());
        let engine = format!("{UNIX}{socket}");
        for cli in [&cli, &other] {
            cli.ok(&["emulator", "start", "--detach", "--engine", &engine]);
            let run = ["app", "run", IMAGE, "--name", "ui", "--cpu", "1", "--unsecure-http"];
            cli.ok(&[&run[..], &["--replicas", "2", "--wait"]].concat());
        }
        let (left, others) = (containers(&socket, &cli), containers(&socket, &other));
        assert_eq!((left.len(), others.len()), (2, 2));
        let emulator = pid(&cli);
        let watchers = watchers(emulator);
        assert_eq!(watchers.len(), 1);
        succeeds(Command::new("kill").arg("-9").args(&watchers).arg(emulator.to_string()));
        assert_eq!(containers(&socket, &cli), left);
        cli.ok(&["emulator", "start", "--detach", "--engine", &engine]);
        eventually_now("it runs again", || {
            let now = containers(&socket, &cli);
            let new = now.iter().filter(|one| !left.contains(one)).count();
            assert!(new == 0 || new == now.len(), "an old one beside a new one");
            (new == 2).then_some(())
        });
        let begun = std::time::Instant::now();
        cli.ok(&["emulator", "stop"]);
        eprintln!("{socket}: emulator stop took {:?}", begun.elapsed());
        assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
        eventually_now("the containers are gone", || {
            containers(&socket, &cli).is_empty().then_some(())
        });
        assert_eq!(containers(&socket, &other), others, "never touched");
        assert_eq!(other.ok(&["app", "curl", "ui"]), "Hello from a container");
    }
}

#[test]
fn without_an_engine_an_app_says_where_it_was_looked_for() {
    let cli = TestCli::new(OVHAI);
    let nowhere = format!("{UNIX}{}", cli.home().join("no.sock").display());
    cli.ok(&["emulator", "start", "--detach", "--engine", &nowhere]);
    let (code, said) = cli.fails(&["emulator", "engine"]);
    assert!(code == 1 && said.contains("no container engine answers"), "{said}");
    assert!(said.contains(&nowhere) && said.contains("--runtime process"), "{said}");
    let shown = cli.json(&["emulator", "engine"]);
    assert_eq!(shown["tried"][0]["address"], nowhere, "{shown}");
    cli.ok(&["app", "run", "team/ui:1", "--name", "ui", "--cpu", "1"]);
    eventually_now("the app says why", || {
        let info = cli.json(&["app", "get", "ui"])["status"]["info"]["message"].to_string();
        info.contains(&nowhere).then_some(())
    });
    let (code, said) = cli.fails(&["emulator", "start", "--engine", "ssh://host"]);
    assert!(code == 2 && said.contains("another machine"), "{said}");
}

/// Built-in images and processes need no engine.
#[test]
fn an_unusable_docker_host_does_not_prevent_a_start() {
    for address in ["ssh://host", "tcp://192.0.2.1:2376", "nonsense"] {
        let cli = TestCli::new(OVHAI);
        let ovhai = |arguments: &[&str]| {
            let output = cli.command(arguments).env("DOCKER_HOST", address).output().unwrap();
            (output.status.code(), String::from_utf8(output.stderr).unwrap())
        };
        let (code, said) = ovhai(&["app", "run", "ovhai/echo", "--cpu", "1", "--wait"]);
        assert_eq!(code, Some(0), "{address}: {said}");
        let (code, said) = ovhai(&["emulator", "engine"]);
        assert!(code == Some(1) && said.contains("DOCKER_HOST"), "{address}: {said}");
    }
}
