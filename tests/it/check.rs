//! `app check` of files: no engine is needed, and none is asked.

use std::path::{Path, PathBuf};
use std::process::Command;

use ovhai_test_support::TestCli;
use serde_json::{Value, json};

use crate::OVHAI;

/// Packs a directory, all root's.
fn pack(directory: &Path, archive: &Path) {
    let mut tar = Command::new("tar");
    tar.args(["--owner=0", "--group=0", "--numeric-owner", "--sort=name", "-cf"]);
    let packed = tar.arg(archive).arg("-C").arg(directory).arg(".").status();
    assert!(packed.expect("tar is installed").success());
}

/// An image as docker save writes it: a script that serves, and this configuration.
fn save(cli: &TestCli, name: &str, config: &Value) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;

    let directory = cli.home().join(format!("{name}.made"));
    let root = directory.join("root");
    for part in ["bin", "tmp", "workspace"] {
        std::fs::create_dir_all(root.join(part)).unwrap();
    }
    let write = |path: &str, text: &[u8], mode: u32| {
        std::fs::write(root.join(path), text).unwrap();
        std::fs::set_permissions(root.join(path), PermissionsExt::from_mode(mode)).unwrap();
    };
    let open = |path: &str, mode: u32| {
        std::fs::set_permissions(root.join(path), PermissionsExt::from_mode(mode)).unwrap();
    };
    open("tmp", 0o1777);
    open("workspace", 0o777);
    // A program without a loader.
    let mut program = vec![0; 64];
    program[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1]);
    (program[16], program[18], program[20], program[52], program[54]) = (2, 62, 1, 64, 56);
    write("bin/sh", &program, 0o755);
    write("serve", b"#!/bin/sh\nexec server\n", 0o755);
    write("windows", b"#!/bin/sh\r\nexec server\r\n", 0o755);
    let parts = directory.join("parts");
    std::fs::create_dir_all(&parts).unwrap();
    pack(&root, &parts.join("layer.tar"));
    let config = json!({"os": "linux", "architecture": "amd64", "config": config});
    std::fs::write(parts.join("config.json"), config.to_string()).unwrap();
    let manifest = json!([{"Config": "config.json", "Layers": ["layer.tar"]}]);
    std::fs::write(parts.join("manifest.json"), manifest.to_string()).unwrap();
    let file = cli.home().join(name);
    pack(&parts, &file);
    file
}

fn clean() -> Value {
    json!({
        "Env": ["PATH=/bin", "HOME=/workspace"], "Entrypoint": ["/serve"],
        "WorkingDir": "/workspace",
    })
}

/// Exit code, findings and stderr of a check.
fn check(cli: &TestCli, arguments: &[&str]) -> (i32, Value, String) {
    let command = [&["app", "check"], arguments, &["-o", "json"]].concat();
    let output = cli.command(&command).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("panicked"), "{said}");
    let findings = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code().unwrap(), findings, said)
}

#[test]
fn a_clean_file_is_not_decided_without_a_run() {
    let cli = TestCli::new(OVHAI);
    save(&cli, "clean.tar", &clean());
    assert_eq!(check(&cli, &["--static", "clean.tar"]).0, 0);
    assert_eq!(check(&cli, &["--static", "clean.tar"]).1, json!([]));
    let (code, findings, said) = check(&cli, &["clean.tar"]);
    assert_eq!(code, 7, "{said}");
    assert_eq!((&findings[0]["id"], &findings[0]["level"]), (&json!("run"), &json!("undecided")));
    assert!(said.contains("not decided"), "{said}");
    let said = cli.ok(&["app", "check", "--static", "./clean.tar"]);
    assert!(said.contains("No fault is visible in ./clean.tar"), "{said}");
    assert!(cli.is_untouched(), "no emulator was started");
}

#[test]
fn faults_have_evidence_and_a_fix() {
    let cli = TestCli::new(OVHAI);
    let mut config = clean();
    config["Entrypoint"] = json!(["/windows"]);
    config["Env"] = json!(["PATH=/bin", "HOME=/root", "DB_PASSWORD=hush-41"]);
    save(&cli, "image.tar", &config);
    let (code, findings, said) = check(&cli, &["image.tar", "-p", "80"]);
    assert_eq!(code, 1, "{said}");
    let all: Vec<(&str, &str)> = findings
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["id"].as_str().unwrap(), one["level"].as_str().unwrap()))
        .collect();
    let expected = [
        ("home", "error"),
        ("bad-script", "error"),
        ("privileged-port", "error"),
        ("run", "undecided"),
        ("secrets", "warning"),
    ];
    assert_eq!(all, expected, "the most serious ones first");
    assert!(findings[0]["evidence"].as_str().unwrap().contains("/root"), "{findings}");
    assert!(findings[1]["fix"].as_str().unwrap().contains("sed -i"), "{findings}");
    assert!(!format!("{findings}{said}").contains("hush"), "no value is shown");
    let (_, said) = cli.fails(&["app", "check", "--static", "image.tar"]);
    assert!(said.contains("image.tar would not run in AI Deploy"), "{said}");

    // The fix, and the check again: the app's own variable mends it, too.
    config["Entrypoint"] = json!(["/serve"]);
    config["Env"] = json!(["PATH=/bin"]);
    save(&cli, "mended.tar", &config);
    let (code, findings, said) =
        check(&cli, &["--static", "mended.tar", "-e", "HOME=/workspace", "-p", "8080"]);
    assert_eq!((code, findings), (0, json!([])), "{said}");
}

#[test]
fn what_can_t_be_checked_says_why() {
    let cli = TestCli::new(OVHAI);
    let (code, _, said) = check(&cli, &["nothing.tar"]);
    assert!(code == 3 && said.contains("nothing.tar does not exist"), "{code}: {said}");
    std::fs::write(cli.home().join("odd.tar"), "this is no archive").unwrap();
    let (code, _, said) = check(&cli, &["odd.tar"]);
    assert!(code == 7 && said.contains("no archive"), "{code}: {said}");
    let nowhere = format!("unix://{}/no.sock", cli.home().display());
    let (code, _, said) = check(&cli, &["team/ui:1", "--engine", &nowhere]);
    assert!(code == 7 && said.contains("no container engine answers"), "{code}: {said}");
    assert!(said.contains(&nowhere) && said.contains("docker save"), "{said}");
    for (wrong, word) in [
        (&["team/ui:1", "--engine", "ssh://host"][..], "another machine"),
        (&["team/ui:1", "-p", "0"], "port"),
        (&["UPPER CASE"], "blanks"),
        (&["team/ui:1", "--deadline", "soon"], "duration"),
    ] {
        let (code, _, said) = check(&cli, wrong);
        assert!(code == 2 && said.to_lowercase().contains(word), "{wrong:?}: {code}: {said}");
    }
}

#[test]
fn an_app_is_checked_before_it_is_submitted() {
    let cli = TestCli::new(OVHAI);
    // Built-in images have nothing to check.
    cli.ok(&["app", "run", "ovhai/echo", "--check", "--cpu", "1"]);
    let process = ["app", "run", "python:3", "--check", "--runtime", "process", "--", "true"];
    let (code, said) = cli.fails(&process);
    assert!(code == 2 && said.contains("exclude each other"), "{code}: {said}");
    let nowhere = format!("unix://{}/no.sock", cli.home().display());
    let run = ["app", "run", "team/ui:1", "--check", "--cpu", "1"];
    let output = cli.command(&run).env("DOCKER_HOST", &nowhere).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(7) && said.contains(&nowhere), "{said}");
    assert_eq!(cli.json(&["app", "list"]).as_array().unwrap().len(), 1, "it was not submitted");
}
