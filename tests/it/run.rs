//! `app run` and related commands: options, waiting, watching, resolving names, and hints.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use ovhai_test_support::{TestCli, TestEmulator};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::OVHAI;

const HELLO: &str = "infrastructureascode/hello-world";

/// `ovhai` in the environment of `cli`, as a child to talk to.
fn spawn(cli: &TestCli, arguments: &[&str], out: Stdio, err: Stdio) -> Child {
    Command::new(OVHAI)
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", cli.home())
        .env("OVHAI_STATE_DIR", cli.state_dir())
        .env("OVHAI_PORT", "0")
        .env("OVHAI_KEYRING", "0")
        .current_dir(cli.home())
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .spawn()
        .unwrap()
}

fn interrupt(child: &Child) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
}

/// A terminal: what is written to it, and the end that a program gets.
fn terminal() -> (File, Stdio) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    (File::from(master), slave.into())
}

/// Reads until this part arrives; returns everything read.
fn read_until(from: &mut impl Read, part: &str) -> String {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&seen).into_owned();
        if text.contains(part) {
            return text;
        }
        match from.read(&mut buffer) {
            // Reading from a terminal that the program has closed is an error.
            Ok(0) | Err(_) => panic!("{part:?} never came: {text:?}"),
            Ok(count) => seen.extend_from_slice(&buffer[..count]),
        }
    }
}

/// Reads the rest.
fn read_rest(from: &mut impl Read) -> String {
    let mut seen = Vec::new();
    let _ = from.read_to_end(&mut seen);
    String::from_utf8_lossy(&seen).into_owned()
}

#[test]
fn every_option_of_run_reaches_the_spec() {
    let cli = TestCli::new(OVHAI);
    let line = "app create -n full -l a=b --label c=d -e X=1 --env Y=a=b --port 9000 --grpc-port 9001 \
        --unsecure-http -g 1 -c 4 -f l4-1-gpu --min-replicas 0 --max-replicas 3 --resource-type ram \
        --resource-threshold 60 --auto-scale-up-stabilization-window-seconds 1 \
        --auto-scale-down-stabilization-window-seconds 2 --auto-cooldown-period-seconds 3 \
        --auto-custom-api-url http://<SELF>:8080/m --auto-custom-metric-format prometheus \
        --auto-custom-value-location q.v --auto-custom-target-value 7 \
        --auto-custom-metric-aggregation-type max --probe-path /health --probe-port 9002 \
        --max-surge 2 --max-unavailable 50% --progress-deadline-seconds 90 --region GRA ovhai/echo";
    let app = cli.json(&line.split_whitespace().collect::<Vec<_>>());
    let spec = &app["spec"];
    assert_eq!(
        spec["scalingStrategy"]["automatic"],
        json!({
            "averageUsageTarget": 60, "replicasMin": 0, "replicasMax": 3, "resourceType": "RAM",
            "scaleUpStabilizationWindowSeconds": 1, "scaleDownStabilizationWindowSeconds": 2,
            "cooldownPeriodSeconds": 3,
            "customMetrics": {
                "apiUrl": "http://<SELF>:8080/m", "format": "PROMETHEUS", "valueLocation": "q.v",
                "targetValue": 7, "aggregationType": "MAX",
            },
        })
    );
    assert_eq!(
        spec["deploymentStrategy"],
        json!({"maxSurge": "2", "maxUnavailable": "50%", "progressDeadlineSeconds": 90})
    );
    assert_eq!(spec["envVars"][1], json!({"name": "Y", "value": "a=b"}));
    assert_eq!(spec["probe"], json!({"path": "/health", "port": 9002}));
    assert_eq!((&spec["defaultHttpPort"], &spec["grpcPort"]), (&9000.into(), &9001.into()));
    assert_eq!((&spec["resources"]["gpu"], &spec["name"]), (&1.into(), &"full".into()));
    assert_eq!(spec["labels"]["c"], "d");

    // The stored spec has it, too.
    cli.ok(&["emulator", "stop"]);
    assert_eq!(cli.json(&["app", "get", "full"])["spec"], *spec);
    let shown = cli.ok(&["app", "get", "full"]);
    for part in ["http://<SELF>:8080/m", "MAX 7", "Down After:     2 s", "Max Unavailable:   50%"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }

    cli.ok(&["app", "scale", "full", "--replicas", "2"]);
    let scale = ["app", "scale", "full", "--auto-min-replicas", "1", "--auto-max-replicas", "4"];
    let (code, said) = cli.fails(&[&scale[..], &["--auto-custom-api-url", "http://a"]].concat());
    assert_eq!(code, 2);
    assert!(said.contains("--auto-custom-value-location"), "{said}");
    let (_, said) = cli.fails(&[&scale[..], &["--replicas", "1"]].concat());
    assert!(said.contains("cannot be used with"), "{said}");
    cli.ok(&scale);
    let automatic = &cli.json(&["app", "get", "full"])["spec"]["scalingStrategy"]["automatic"];
    assert_eq!(
        (&automatic["replicasMax"], &automatic["averageUsageTarget"]),
        (&4.into(), &75.into())
    );
    let (code, said) = cli.fails(&["app", "scale", "full"]);
    assert_eq!(code, 2);
    assert!(said.contains("hint: give --replicas N"), "{said}");
    let window = ["--auto-cooldown-period-seconds", "3601"];
    let (code, said) = cli.fails(&[&scale[..], &window].concat());
    assert_eq!(code, 2);
    assert!(
        said.contains("automatic.cooldownPeriodSeconds") && said.contains("0 to 3600"),
        "{said}"
    );
}

#[test]
fn every_option_of_update_reaches_the_spec() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", HELLO, "-n", "u"]);
    let line = "app update u -e A=b -p 9000 --grpc-port 9001 --image ovhai/echo --max-surge 1 \
        --max-unavailable 0 --progress-deadline-seconds 5";
    let spec = cli.json(&line.split_whitespace().collect::<Vec<_>>())["spec"].clone();
    assert_eq!((&spec["image"], &spec["defaultHttpPort"]), (&"ovhai/echo".into(), &9000.into()));
    assert_eq!((&spec["grpcPort"], &spec["envVars"][0]["name"]), (&9001.into(), &"A".into()));
    assert_eq!(
        spec["deploymentStrategy"],
        json!({"maxSurge": "1", "maxUnavailable": "0", "progressDeadlineSeconds": 5})
    );
    let (code, said) = cli.fails(&["app", "update", "u"]);
    assert_eq!(code, 2);
    assert!(said.contains("nothing to change"), "{said}");
}

#[test]
fn volumes_that_can_not_be_emulated_are_refused() {
    let cli = TestCli::new(OVHAI);
    let swift = "https://storage.example.org/v1/AUTH_x/c:/s";
    let (code, said) = cli.fails(&["app", "run", HELLO, "-v", swift]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("a volume from a public container"), "{said}");
    assert!(said.contains("--volume CONTAINER@local:PATH"), "{said}");
    let (code, said) = cli.fails(&["app", "run", HELLO, "--volume", "data:/x"]);
    assert_eq!(code, 2);
    assert!(said.contains("container@alias/prefix:mount_path"), "{said}");
}

#[tokio::test]
async fn a_command_line_shows_volumes_and_quotes_option_like_arguments() {
    let emulator = TestEmulator::start().await;
    let spec = json!({
        "image": "a/b", "name": "--name", "command": ["--", "it's"],
        "volumes": [{"mountPath": "/d", "permission": "RW", "cache": true,
            "dataStore": {"alias": "GRA", "container": "c", "prefix": "p"}}],
    });
    let answer = emulator.admin("POST", "/v1/app/command", Some(spec)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        answer.json()["command"],
        r"ovhai app run --name=--name --volume c@GRA/p:/d:rw:cache a/b -- -- 'it'\''s'"
    );
    let spec = json!({"image": "a", "runtime": "process"});
    let answer = emulator.admin("POST", "/v1/app/command", Some(spec)).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.text().contains("command"), "{}", answer.text());
}

#[test]
fn aliases_of_commands_and_options_work() {
    let cli = TestCli::new(OVHAI);
    let app = cli.json(&["app", "run", "mine", "--image", HELLO]);
    assert_eq!((&app["spec"]["name"], &app["spec"]["image"]), (&"mine".into(), &HELLO.into()));
    let app = cli.json(&["app", "run", "--image", HELLO, "--name", "other"]);
    assert_eq!(app["spec"]["name"], "other");
    let (code, said) = cli.fails(&["app", "run", "mine", "--image", HELLO, "--name", "other"]);
    assert_eq!(code, 2);
    assert!(said.contains("two names") && said.contains("\"mine\""), "{said}");
    let (code, said) = cli.fails(&["app", "run"]);
    assert_eq!(code, 2);
    assert!(said.contains("IMAGE"), "{said}");
    for verb in ["get", "show", "describe", "status"] {
        assert_eq!(cli.ok(&["app", verb, "mine", "-o", "name"]), "mine\n");
    }
    assert_eq!(cli.ok(&["app", "ps", "-o", "name"]), "other\nmine\n");
    cli.ok(&["app", "log", "mine"]);
    let token = cli.json(&["token", "create", "--name", "t", "-r", "read"]);
    assert_eq!(token["spec"]["name"], "t");
    let (code, _) = cli.fails(&["token", "create", "t", "--name", "t", "-r", "read"]);
    assert_eq!(code, 2);
    let (code, _) = cli.fails(&["token", "create", "-r", "read"]);
    assert_eq!(code, 2);
}

#[test]
fn mistaken_commands_get_the_right_one_as_a_hint() {
    let cli = TestCli::new(OVHAI);
    for (line, hint) in [
        ("run image", "hint: run an app: ovhai app run IMAGE\n"),
        ("notebook list", "OVHcloud's own client"),
        ("app ssh x", "ovhai app exec APP -- COMMAND"),
        ("app run --gpu-model H100 image", "--flavor FLAVOR"),
        ("app run image --public", "--unsecure-http"),
        ("app run image python", "-- COMMAND"),
        ("token revoke x", "ovhai token delete TOKEN"),
        ("app lisst", "hint: did you mean list?"),
    ] {
        let (code, said) = cli.fails(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(code, 2, "{line}: {said}");
        assert!(said.starts_with("error: ") && said.contains(hint), "{line}: {said}");
    }
}

#[test]
fn ids_take_precedence_over_names_and_names_over_id_prefixes() {
    let cli = TestCli::new(OVHAI);
    let first = cli.json(&["app", "run", HELLO, "--name", "first"]);
    let id = first["id"].as_str().unwrap();
    let get = |word: &str| cli.ok(&["app", "get", word, "-o", "name"]);
    assert_eq!(get(&id[..4]), "first\n");
    assert_eq!(get(&id.to_uppercase()), "first\n");
    cli.ok(&["app", "run", HELLO, "--name", &id[..4]]);
    assert_eq!(get(&id[..4]), format!("{}\n", &id[..4]));
    assert_eq!(get(&id[..5]), "first\n");
    cli.ok(&["app", "run", HELLO, "--name", "x"]);
    assert_eq!(get("x"), "x\n");
    // A name that looks like an unknown id.
    let name = "6f7c2f0e-4d0c-4a57-9f0a-3c1b6a0d2f11";
    cli.ok(&["app", "run", HELLO, "--name", name]);
    assert_eq!(get(name), format!("{name}\n"));
    let (code, said) = cli.fails(&["app", "get", id, "--region", "BHS"]);
    assert_eq!(code, 3);
    assert!(said.contains(id) && said.contains("another region: --region REGION"), "{said}");
    let (code, said) = cli.fails(&["token", "get", name]);
    assert_eq!(code, 3);
    assert!(said.contains("there is no token"), "{said}");
}

#[test]
fn waiting_in_a_pipe_is_silent_and_delete_waits_for_the_end() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["me"]);
    let said = |arguments: &[&str]| {
        let output = cli.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(said(&["app", "run", HELLO, "--name", "h", "--wait", "-q"]), "");
    assert!(said(&["app", "delete", "h", "--force", "--wait=30s"]).starts_with("Deleted h ("));
    assert_eq!(cli.ok(&["app", "list", "-o", "json"]), "[]\n");
}

#[test]
fn a_change_does_not_wait_for_a_stopped_app() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", HELLO, "--name", "h", "--wait"]);
    cli.ok(&["app", "stop", "h", "--wait"]);
    let output = cli.command(&["app", "scale", "h", "--replicas", "2", "--wait"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("the change takes effect when it is started"), "{said}");
}

#[test]
fn a_terminal_shows_progress_and_an_interrupt_leaves_it_clean() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["me"]);
    let run = [
        "app",
        "run",
        "x",
        "-n",
        "slow",
        "--runtime",
        "process",
        "--wait=60s",
        "--",
        "sleep",
        "60",
    ];
    let (mut screen, end) = terminal();
    let mut child = spawn(&cli, &run, Stdio::null(), end);
    let seen = read_until(&mut screen, " s  ");
    assert!(seen.starts_with("\r\x1b[Kslow: ") && seen.contains(" for "), "{seen:?}");
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let rest = read_rest(&mut screen);
    let (_, after) = rest.rsplit_once("\r\x1b[K").unwrap();
    assert!(after.contains("error:\u{1b}[0m interrupted\r\n"), "{rest:?}");
    assert!(after.contains("the app continues") && after.contains("ovhai app stop "), "{rest:?}");
    assert_eq!(cli.ok(&["app", "list", "-o", "name"]), "slow\n");
}

#[test]
fn quiet_waiting_is_silent_in_a_terminal() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["me"]);
    let (mut screen, end) = terminal();
    let run = ["app", "run", HELLO, "--wait", "--quiet"];
    let mut child = spawn(&cli, &run, Stdio::null(), end);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(read_rest(&mut screen), "");
}

#[test]
fn a_watched_list_in_a_pipe_grows_by_a_view_for_each_change() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["token", "new", "one", "-r", "read"]);
    let watch = ["token", "list", "-w", "-o", "name"];
    let mut child = spawn(&cli, &watch, Stdio::piped(), Stdio::piped());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().as_deref(), Some("one"));
    cli.ok(&["token", "new", "two", "-r", "read"]);
    let mut view = [lines.next().unwrap(), lines.next().unwrap()];
    view.sort();
    assert_eq!(view, ["one", "two"]);
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(lines.next(), None);
}

#[test]
fn a_watched_app_is_one_document_per_change_until_its_deletion() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", HELLO, "--name", "h", "--wait"]);
    let watch = ["app", "get", "h", "--watch", "-o", "json"];
    let mut child = spawn(&cli, &watch, Stdio::piped(), Stdio::piped());
    let documents = serde_json::Deserializer::from_reader(child.stdout.take().unwrap());
    let mut documents = documents.into_iter::<Value>().map(Result::unwrap);
    assert_eq!(documents.next().unwrap()["status"]["state"], "RUNNING");
    cli.ok(&["app", "set-label", "h", "team", "x"]);
    assert_eq!(documents.next().unwrap()["spec"]["labels"]["team"], "x");
    cli.ok(&["app", "delete", "h", "--force", "--wait"]);
    documents.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let said = read_rest(&mut child.stderr.take().unwrap());
    let error: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("the app h (") && message.ends_with("does not exist"), "{said}");
}

#[test]
fn a_watched_list_on_a_terminal_is_drawn_in_place() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["token", "new", "one", "-r", "read"]);
    let (mut screen, end) = terminal();
    let mut child = spawn(&cli, &["token", "list", "--watch"], end, Stdio::null());
    let seen = read_until(&mut screen, "\x1b[H\x1b[J");
    assert!(seen.starts_with("\x1b[2J\x1b[HID ") && seen.contains("one"), "{seen:?}");
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn zero_units_are_refused_and_platform_labels_reported() {
    let cli = TestCli::new(OVHAI);
    for units in [&["--cpu", "0"][..], &["--gpu", "0"]] {
        let (code, said) = cli.fails(&[&["app", "run", HELLO][..], units].concat());
        assert!(code == 2 && said.contains("--cpu"), "{said}");
    }
    cli.ok(&["app", "run", HELLO, "--gpu", "0", "--cpu", "1"]);
    let said = |arguments: &[&str], token: &str| {
        let output = cli.command(arguments).env("OVHAI_TOKEN", token).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        said
    };
    let run = ["app", "run", HELLO, "--cpu", "1"];
    let other = said(&[&run[..], &["-l", "ovh/x=y", "-l", "a=b"]].concat(), "");
    assert_eq!(
        other.lines().next().unwrap(),
        "warning: there is no label ovh/x=y: labels that begin with ovh/ belong to the platform"
    );
    let token = cli.json(&["token", "new", "op", "--role", "operator", "-l", "group=A"]);
    let token = token["status"]["value"].as_str().unwrap();
    let other = said(&[&run[..], &["-l", "group=B"]].concat(), token);
    assert_eq!(
        other.lines().next().unwrap(),
        "warning: the label group is A, not B: the token's selector sets it"
    );
}

#[test]
fn wait_waits_for_an_update_and_reports_a_running_deletion() {
    let cli = TestCli::new(OVHAI);
    let run = ["app", "run", "x", "-n", "h", "--runtime", "process", "--cpu", "1", "--wait", "--"];
    cli.ok(&[&run[..], &["python3", "-m", "http.server", "{port}"]].concat());
    let updated = cli.json(&["app", "update", "h", "-e", "A=B", "--wait"]);
    assert_eq!(updated["status"]["state"], "RUNNING");
    assert_eq!(updated["spec"]["envVars"][0]["value"], "B");
    let output = cli.command(&["app", "delete", "h", "--force"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("Deleting h ("), "{said}");
}
