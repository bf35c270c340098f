//! `app check` on real engines: runs of one image with other commands, and what they leave.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ovhai_test_support::{TestCli, eventually_now};
use serde_json::{Value, json};

use crate::{OVHAI, UNIX, call, engines, succeeds};

const CLEAN: &str = "localhost/ovhai-check-clean:1";
const ODD: &str = "localhost/ovhai-check-odd:1";
/// Serves, and ends when it is asked to.
const SERVE: &str = "trap 'exit 0' TERM; httpd -p 8080 -h /www; while :; do sleep 0.1; done";

/// Makes two images of static programs: a clean one, and one without a home, a user's program and a
/// usable `/tmp`.
fn make_images(socket: &str, cli: &TestCli) {
    let script = r"set -e
        mkdir -p root/bin root/www root/tmp root/workspace root/private
        cp /bin/busybox root/bin/busybox
        for name in sh httpd sleep mkdir id ls touch nc echo; do ln -s busybox root/bin/$name; done
        echo hello > root/www/index.html
        printf '#!/bin/sh\nexec httpd -f\n' > root/private/serve
        chmod 1777 root/tmp; chmod 700 root/private/serve
        tar --owner=0 --group=0 --numeric-owner -cf clean.tar -C root bin www tmp private
        tar --owner=42420 --group=42420 --numeric-owner -rf clean.tar -C root workspace
        tar --owner=0 --group=0 --numeric-owner -cf odd.tar -C root bin www private";
    succeeds(Command::new("sh").args(["-c", script]).current_dir(cli.home()));
    let command = json!(["/bin/sh", "-c", SERVE]).to_string();
    let clean =
        format!("ENV HOME=/workspace|ENV PATH=/bin|WORKDIR /workspace|EXPOSE 8080|CMD {command}");
    let odd = "ENV PATH=/bin|WORKDIR /nowhere|CMD [\"/private/serve\"]".to_owned();
    for (file, name, changes) in [("clean.tar", CLEAN, clean), ("odd.tar", ODD, odd)] {
        let mut path = "/v1.41/images/create?fromSrc=-".to_owned();
        for change in changes.split('|') {
            path += "&changes=";
            path.extend(change.bytes().map(|byte| format!("%{byte:02X}")));
        }
        let data = format!("@{}", cli.home().join(file).display());
        let header = ["-H", "content-type: application/x-tar", "--data-binary", &data];
        let said = call(socket, "POST", &path, &header);
        let id: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
        let id = id["status"].as_str().unwrap().trim().trim_start_matches("sha256:");
        let name = name.trim_end_matches(":1");
        call(socket, "POST", &format!("/v1.41/images/{id}/tag?repo={name}&tag=1"), &[]);
    }
}

/// The names of what checks have made, and left.
fn left(socket: &str) -> Vec<String> {
    let filter = "filters=%7B%22label%22%3A%5B%22ovh.emulator%22%5D%7D";
    let containers = call(socket, "GET", &format!("/v1.41/containers/json?all=true&{filter}"), &[]);
    let containers: Vec<Value> = serde_json::from_str(&containers).unwrap();
    let networks = call(socket, "GET", &format!("/v1.41/networks?{filter}"), &[]);
    let networks: Vec<Value> = serde_json::from_str(&networks).unwrap();
    let is_ours = |one: &&Value| {
        one["Labels"]["ovh.emulator"].as_str().is_some_and(|id| id.starts_with("check-"))
    };
    containers.iter().chain(&networks).filter(is_ours).map(|one| one["Id"].to_string()).collect()
}

/// Arguments, the exit code, and the findings.
type Row<'a> = (&'a [&'a str], i32, &'a [(&'a str, &'a str)]);

struct Checked {
    code: i32,
    findings: Vec<(String, String)>,
    said: String,
}

fn check(cli: &TestCli, socket: &str, arguments: &[&str]) -> Checked {
    let engine = format!("{UNIX}{socket}");
    let command = [&["app", "check", "-o", "json", "--engine", &engine], arguments].concat();
    let output = cli.command(&command).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {said}"));
    let said = format!("{arguments:?}: {findings:#?} {said}");
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let findings = findings.iter().map(|one| (text(one, "id"), text(one, "level"))).collect();
    Checked { code: output.status.code().unwrap(), findings, said }
}

#[test]
fn what_the_doctor_finds() {
    for socket in engines() {
        let cli = TestCli::new(OVHAI);
        make_images(&socket, &cli);
        let rows: [Row<'_>; 8] = [
            (&[CLEAN], 0, &[]),
            (
                &[CLEAN, "--", "httpd", "-f", "-p", "8080", "-h", "/www"],
                0,
                &[("ignores-sigterm", "warning")],
            ),
            (
                &[CLEAN, "--", "httpd", "-f", "-p", "127.0.0.1:8080"],
                1,
                &[("loopback-only", "error")],
            ),
            (&[CLEAN, "--", "httpd", "-f", "-p", "0.0.0.0:9000"], 1, &[("other-port", "error")]),
            (&[CLEAN, "--", "echo", "done"], 1, &[("ends-at-once", "error")]),
            (
                &[
                    CLEAN,
                    "--",
                    "sh",
                    "-c",
                    "exec 2>&1; mkdir -p /data/db || exit 1; exec httpd -f -p 8080",
                ],
                1,
                &[("writes-elsewhere", "error")],
            ),
            (
                &[CLEAN, "--", "sh", "-c", "[ $(id -u) = 0 ] || exit 1; exec httpd -f -p 8080"],
                1,
                &[("needs-root", "error")],
            ),
            (
                &[
                    CLEAN,
                    "--",
                    "sh",
                    "-c",
                    "touch /hidden 2>/dev/null; trap 'exit 0' TERM; httpd -p 8080 -h /www; while :; do sleep 0.1; done",
                ],
                0,
                &[("writes-elsewhere", "warning")],
            ),
        ];
        std::thread::scope(|threads| {
            for (arguments, code, expected) in rows {
                let (cli, socket) = (&cli, &socket);
                threads.spawn(move || {
                    let checked = check(cli, socket, arguments);
                    let mut found = checked.findings.clone();
                    // The shell's line of these rows is a rule of the files, tested there.
                    found.retain(|(id, _)| id != "ignores-sigterm" || !arguments.contains(&"sh"));
                    let found: Vec<(&str, &str)> =
                        found.iter().map(|(id, level)| (&id[..], &level[..])).collect();
                    let said = &checked.said;
                    assert_eq!((checked.code, &found[..]), (code, expected), "{socket}: {said}");
                });
            }
        });
        assert_eq!(left(&socket), Vec::<String>::new(), "{socket}");

        // What the files tell.
        let odd = check(&cli, &socket, &["--static", ODD]);
        let ids: Vec<&str> = odd.findings.iter().map(|(id, _)| id.as_str()).collect();
        for id in ["not-executable", "home", "workspace", "workdir", "tmp"] {
            assert!(ids.contains(&id), "{socket}, {id}: {}", odd.said);
        }
        assert_eq!(odd.code, 1);
        let begun = Instant::now();
        let clean = check(&cli, &socket, &["--static", CLEAN]);
        assert_eq!((clean.code, clean.findings.len()), (0, 1), "{}", clean.said);
        eprintln!("{socket}: the static part took {:?}", begun.elapsed());

        // A run of the unwell one is refused before it is submitted; nothing was made of it.
        let engine = format!("{UNIX}{socket}");
        cli.ok(&["emulator", "start", "--detach", "--engine", &engine]);
        let (code, said) = cli.fails(&["app", "run", ODD, "--check", "--cpu", "1"]);
        assert!(
            code == 1 && said.contains("not-executable") && said.contains("chmod a+rx"),
            "{said}"
        );
        assert_eq!(cli.json(&["app", "list"]), json!([]));
        cli.ok(&["app", "run", CLEAN, "--check", "--cpu", "1", "--wait", "--name", "ui"]);
        assert_eq!(left(&socket), Vec::<String>::new(), "{socket}");

        let none = "localhost/ovhai-check-nothing:1";
        let output =
            cli.command(&["app", "check", none, "--pull", "never", "--engine", &engine]).output();
        assert_eq!(output.unwrap().status.code(), Some(3));

        // Interrupted, it leaves nothing either.
        let mut command = Command::new(OVHAI);
        command.env_clear().envs(cli.environment()).current_dir(cli.home());
        command.args(["app", "check", CLEAN, "--engine", &engine, "--deadline", "5m"]);
        command.args(["--", "sleep", "1000"]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        eventually_now("it runs", || (left(&socket).len() > 1).then_some(()));
        succeeds(Command::new("kill").args(["-INT", &child.id().to_string()]));
        assert_eq!(child.wait().unwrap().code(), Some(130));
        eventually_now("it is removed", || left(&socket).is_empty().then_some(()));
        assert!(begun.elapsed() < Duration::from_mins(2), "{:?}", begun.elapsed());
    }
}
