//! Capabilities, registries, explanations of access, and `ovhai debug`.

use std::os::unix::fs::PermissionsExt;

use ovhai_test_support::{TestCli, eventually_now};
use serde_json::{Value, json};

use crate::OVHAI;

#[test]
fn capabilities_are_listed() {
    let cli = TestCli::new(OVHAI);
    let flavors = cli.ok(&["capabilities", "flavor", "list"]);
    let row = |id: &str| {
        let line = flavors.lines().find(|line| line.starts_with(id)).unwrap();
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>()
    };
    assert_eq!(
        row("ID"),
        [
            "ID",
            "TYPE",
            "DESCRIPTION",
            "CPU-PER-UNIT",
            "MEMORY-PER-UNIT",
            "GPU_INFORMATION.INFO",
            "DEFAULT",
            "MAX"
        ]
    );
    assert_eq!(
        row("h100-1-gpu"),
        ["h100-1-gpu", "gpu", "NVIDIA H100", "28", "350.0 GiB", "H100 NVIDIA", "false", "4"]
    );
    assert_eq!(
        row("ai1-1-cpu"),
        ["ai1-1-cpu", "cpu", "Intel CPU vCores", "1", "4.0 GiB", "~", "true", "12"]
    );
    let one = cli.ok(&["cap", "flavor", "get", "ai1-1-cpu"]);
    assert!(one.contains("40.0 GiB") && one.contains("0.5 Gbps"), "{one}");
    assert_eq!(cli.fails(&["capabilities", "flavor", "get", "x"]).0, 3);
    assert_eq!(cli.json(&["capabilities", "quota"])["resources"], json!({"CPU": 12, "GPU": 4}));
    let presets = cli.ok(&["capabilities", "preset", "ls", "-o", "name"]);
    assert!(presets.contains("hello-world\n"), "{presets}");

    cli.ok(&["emulator", "image", "map", "team/ui:2", "--", "sleep", "60"]);
    let images = cli.ok(&["capabilities", "image", "list", "-o", "name"]);
    assert!(images.contains("infrastructureascode/hello-world\n"), "{images}");
    assert!(images.contains("team/ui\n"), "{images}");
    assert!(cli.ok(&["feature", "list"]).contains("quotas"));
}

#[test]
fn a_mapped_image_runs_by_its_name() {
    let cli = TestCli::new(OVHAI);
    std::fs::write(cli.home().join("here.txt"), "found").unwrap();
    cli.ok(&[
        "emulator",
        "image",
        "map",
        "team/ui",
        "--",
        "python3",
        "-m",
        "http.server",
        "{port}",
    ]);
    cli.ok(&["app", "run", "team/ui:7", "-n", "ui", "--unsecure-http", "--wait"]);
    assert_eq!(cli.ok(&["app", "curl", "ui", "/here.txt"]), "found");
    assert_eq!(cli.ok(&["emulator", "image", "list", "-o", "name"]), "team/ui\n");
    cli.ok(&["emulator", "image", "unmap", "team/ui"]);
    assert_eq!(cli.fails(&["emulator", "image", "unmap", "team/ui"]).0, 3);

    // As Docker has it, these are one image.
    let map = ["emulator", "image", "map", "team/ui:latest", "--"];
    cli.ok(&[&map[..], &["python3", "-m", "http.server", "{port}"]].concat());
    let digest = format!("docker.io/team/ui:latest@sha256:{}", "a".repeat(64));
    let run = ["app", "run", "--cpu", "1", "--wait", "-o", "name"];
    for image in ["team/ui", "index.docker.io/team/ui", &digest] {
        cli.ok(&[&run[..], &[image]].concat());
    }
    cli.ok(&["emulator", "image", "map", "docker.io/team/ui:latest", "--", "sleep", "60"]);
    let mapped = cli.ok(&["emulator", "image", "list", "-o", "name"]);
    assert_eq!(mapped, "docker.io/team/ui:latest\n", "the last spelling replaces the first");
    cli.ok(&["emulator", "image", "unmap", "team/ui:latest"]);
    cli.ok(&[&run[..], &["index.docker.io/infrastructureascode/hello-world:latest"]].concat());
}

#[test]
fn exceeding_a_quota_is_refused_with_a_hint() {
    let cli = TestCli::new(OVHAI);
    for _ in 0..4 {
        cli.ok(&["app", "run", "infrastructureascode/hello-world"]);
    }
    let (code, said) = cli.fails(&["app", "run", "infrastructureascode/hello-world"]);
    assert_eq!(code, 1);
    for part in ["402", "over quota: 1 more GPU requested, 4 of 4 in use", "--quota CPU=48,GPU=16"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    cli.ok(&["app", "run", "infrastructureascode/hello-world", "--cpu", "1"]);
    let (code, said) = cli.fails(&["app", "run", "x", "--cpu", "13"]);
    assert!(code == 2 && said.contains("ai1-1-cpu has at most 12 units"), "{said}");
    let (code, said) = cli.fails(&["app", "run", "x", "--flavor", "huge"]);
    assert!(code == 2 && said.contains("l40s-1-gpu"), "{said}");
    cli.ok(&["emulator", "stop"]);
    let start = ["emulator", "start", "--detach", "--port", "0"];
    let (code, said) = cli.fails(&[&start[..], &["--quota", "GPU=x"]].concat());
    assert!(code == 2 && said.contains("CPU=24,GPU=8"), "{said}");
    cli.ok(&[&start[..], &["--quota", "gpu=5"]].concat());
    cli.ok(&["app", "run", "infrastructureascode/hello-world"]);
    assert_eq!(cli.fails(&["app", "run", "infrastructureascode/hello-world"]).0, 1);
    assert_eq!(cli.json(&["me"])["quotas"]["resources"], json!({"CPU": 12, "GPU": 5}));
}

#[test]
fn the_shared_registry_is_the_first_row() {
    let cli = TestCli::new(OVHAI);
    let list = cli.ok(&["registry", "list", "--region", "BHS"]);
    let row: Vec<&str> = list.lines().nth(1).unwrap().split_whitespace().collect();
    let project = {
        let running = std::fs::read(cli.state_dir().join("emulator.json")).unwrap();
        let running: Value = serde_json::from_slice(&running).unwrap();
        running["project"].as_str().unwrap().to_owned()
    };
    assert_eq!(row[1], "SHARED");
    assert_eq!(row.last(), Some(&format!("registry.bhs.ai.localhost/{project}").as_str()));
    assert_eq!(cli.json(&["registry", "list"])[0]["kind"], "SHARED");
    assert_eq!(cli.ok(&["registry", "list", "-o", "name"]), "", "no command takes it by name");
}

#[test]
fn registries_never_show_passwords() {
    let cli = TestCli::new(OVHAI);
    let add =
        ["registry", "add", "registry.example.com/team", "-u", "bot", "--password-from-env", "P"];
    let output = cli.command(&add).env("P", "hush-hush").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("stored"), "{said}");
    let list = cli.ok(&["registry", "list"]);
    let url = list.lines().nth(2).unwrap().split_whitespace().last();
    assert_eq!(url, Some("registry.example.com/team"), "the URL is the last column");
    let id = cli.json(&["registry", "ls"])[1]["id"].as_str().unwrap().to_owned();
    cli.ok(&["registry", "update", &id[..8], "--username", "robot"]);
    let one = cli.json(&["registry", "get", "registry.example.com/team"]);
    assert_eq!((&one["username"], one.get("password")), (&json!("robot"), None));
    assert_eq!(one["passwordState"], "stored");
    for written in ["https://Registry.example.com:443/team/", "registry.example.com/team/"] {
        assert_eq!(cli.ok(&["registry", "get", written, "-o", "name"]), format!("{id}\n"));
    }
    assert_eq!(cli.fails(&["registry", "get", "registry.example.com/Team"]).0, 3);
    let (code, said) = cli.fails(&["registry", "add", "registry.example.com:5000", "-u", "x"]);
    assert!(code == 2 && said.contains("port 443 only"), "{said}");
    assert_eq!(cli.ok(&["registry", "list", "--region", "BHS", "-o", "name"]), "");
    // Every spelling is the same registry, unless the user differs.
    let other = "https://Registry.example.com/team/";
    let (code, said) = cli.fails(&["registry", "add", other, "-u", "robot"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("there is already a registry registry.example.com/team ("), "{said}");
    assert!(said.contains("hint: ") && said.contains("registry update"), "{said}");
    cli.ok(&["registry", "add", other, "-u", "somebody"]);
    let (code, said) = cli.fails(&["registry", "update", other, "--username", "robot"]);
    assert_eq!(code, 1, "{said}");
    cli.ok(&["registry", "delete", other, "--yes"]);
    for url in ["one.example.com", "two.example.com"] {
        cli.ok(&["registry", "add", url, "-u", "x"]);
    }
    let several = ["registry", "delete", "one.example.com", "two.example.com", "--yes"];
    let (code, said) = cli.fails(&[&several[..], &["three.example.com"]].concat());
    assert!(code == 1 && said.contains("1 of 3 registries could not be deleted"), "{said}");
    assert!(said.contains("three.example.com: there is no registry"), "{said}");
    assert_eq!(cli.json(&["registry", "ls"]).as_array().unwrap().len(), 2);
    for url in ["one.example.com", "two.example.com"] {
        cli.ok(&["registry", "add", url, "-u", "x"]);
    }
    cli.ok(&[&several[..], &["https://one.example.com/"]].concat());
    cli.ok(&["registry", "rm", &id, "--yes"]);
    assert_eq!(cli.fails(&["registry", "get", &id]).0, 3);
    for entry in std::fs::read_dir(cli.state_dir()).unwrap() {
        let path = entry.unwrap().path();
        // The log may be a device, which has no end.
        let bytes = if path.is_file() { std::fs::read(path).unwrap() } else { Vec::new() };
        assert!(!bytes.windows(9).any(|part| part == b"hush-hush"));
    }
}

#[test]
fn access_is_explained_with_the_reasons_of_the_gateway() {
    let cli = TestCli::new(OVHAI);
    let hello = ["app", "run", "infrastructureascode/hello-world", "--wait"];
    cli.ok(&[&hello[..], &["-n", "one", "-l", "group=A", "-l", "tier=x"]].concat());
    cli.ok(&[&hello[..], &["-n", "two", "-l", "group=B"]].concat());
    let token =
        cli.json(&["token", "new", "reader", "--role", "read", "-l", "group=A,tier in (x,y)"]);
    let value = token["status"]["value"].as_str().unwrap();
    cli.ok(&["token", "new", "op", "--role", "operator", "--region", "BHS"]);

    let all = cli.ok(&["token", "explain", "reader"]);
    let row = |name: &str| all.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(row("one").contains("yes   no") && row("one").contains("role read"), "{all}");
    assert!(row("two").contains("no    no") && row("two").contains("group=A"), "{all}");
    let why = cli.json(&["token", "explain", "reader", "two"]);
    let reason = why[0]["read"]["reason"].as_str().or(why["read"]["reason"].as_str()).unwrap();
    let refused = cli.ok(&["app", "curl", "two", "-i", "--as", "reader"]);
    assert!(refused.contains("403 Forbidden"), "{refused}");
    let (head, body) = refused.split_once("\n\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["message"], format!("forbidden: {reason}"));
    let quoted = reason.replace('"', "\\\"");
    assert!(head.contains(&format!("error_description=\"{quoted}\"")), "{reason}: {head}");
    // In the log it stands within JSON.
    eventually_now("the reason is in the access log", || {
        let log = cli.ok(&["emulator", "logs", "--access"]);
        log.contains(&quoted).then_some(())
    });

    let access = cli.ok(&["app", "access", "one"]);
    assert!(access.contains("reader") && !access.contains("op "), "of this region: {access}");
    let id =
        cli.json(&["token", "get", "op", "--region", "BHS"])["id"].as_str().unwrap().to_owned();
    let elsewhere = cli.ok(&["token", "explain", &id, "one"]);
    assert!(elsewhere.contains("for region BHS, not for GRA"), "{elsewhere}");

    cli.ok(&["token", "regenerate", "reader", "--yes"]);
    let old = cli.command(&["token", "explain", "-", "one"]).write_stdin(value).output().unwrap();
    let old = String::from_utf8_lossy(&old.stdout).into_owned();
    assert!(old.contains("version 1") && old.contains("version 2"), "{old}");
    cli.ok(&["token", "delete", "reader", "--yes"]);
    let gone = cli.ok(&["token", "explain", value, "one"]);
    assert!(gone.contains("the token was deleted"), "{gone}");
    let rubbish = cli.ok(&["token", "explain", &value[..value.len() - 3], "one"]);
    assert!(rubbish.contains("was not issued by this emulator"), "{rubbish}");
}

#[test]
fn a_failure_names_a_debug_session_without_secrets() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["me"]);
    let run = ["app", "run", "x", "--flavor", "huge", "-e", "KEY=hush-hush", "-n", "n"];
    let (_, said) = cli.fails(&run);
    let session = said.trim().rsplit(' ').next().unwrap();
    assert!(said.contains("ovhai debug "), "{said}");
    let shown = cli.ok(&["debug", session]);
    for part in
        ["POST http://localhost:", "/v1/app", "Status:  400", "\"KEY\"", "there is no flavor"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let token = cli.json(&["token", "new", "t", "--role", "read"]);
    let value = token["status"]["value"].as_str().unwrap();
    cli.fails(&["--token", value, "app", "list"]);
    let file = cli.state_dir().join("debug.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains(value) && !text.contains("hush-hush"), "{text}");
    assert!(!text.to_lowercase().contains("bearer"), "{text}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let runs = cli.json(&["debug"]);
    assert!(runs.as_array().unwrap().len() >= 4, "{runs}");
    assert_eq!(cli.json(&["debug", session])["exitCode"], 2);
    assert_eq!(cli.fails(&["debug", "nothing"]).0, 3);

    let output = cli.command(&["-v", "app", "list"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("GET http://localhost:") && said.contains("-> 200 ("), "{said}");
}

#[test]
fn limits_of_the_gateway_can_be_set() {
    let cli = TestCli::new(OVHAI);
    let start = ["emulator", "start", "--detach", "--port", "0", "--limit"];
    for (bad, said) in [("header=1KiB", "use one of line, headers"), ("headers=1", "1KiB to 1MiB")]
    {
        let (code, shown) = cli.fails(&[&start[..], &[bad]].concat());
        assert!(code == 2 && shown.contains(said), "{shown}");
    }
    let limit = cli.command(&start[..5]).env("OVHAI_LIMITS", "lines=9").output().unwrap();
    let shown = String::from_utf8_lossy(&limit.stderr);
    assert!(limit.status.code() == Some(2) && shown.contains("OVHAI_LIMITS"), "{shown}");
    cli.ok(&[&start[..], &["headers=2KiB"]].concat());
    cli.ok(&[
        "app",
        "run",
        "-n",
        "h",
        "--unsecure-http",
        "--wait",
        "infrastructureascode/hello-world",
    ]);
    let long = format!("x: {}", "y".repeat(2500));
    let answer = cli.ok(&["app", "curl", "-i", "-H", &long, "h"]);
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert!(cli.ok(&["app", "curl", "-i", "h"]).starts_with("HTTP/1.1 200"));
    assert!(cli.ok(&["help", "limits"]).contains("headers=64KiB"));
}
