//! Processes that restart when their files change, and variables from files.

use ovhai_test_support::{TestCli, eventually_now, processes};

use crate::OVHAI;

#[test]
fn a_process_restarts_when_a_file_changes() {
    let cli = TestCli::new(OVHAI);
    let source = cli.home().join("src");
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("says"), "one").unwrap();
    let run = ["app", "run", "x", "--name", "dev", "--cpu", "1", "--unsecure-http", "--wait"];
    let server = processes::app_file("says");
    let process =
        ["--runtime", "process", "--reload", "./src", "--", "python3", &server, "src/says"];
    cli.ok(&[&run[..], &process].concat());
    let says = |what: &str| {
        eventually_now(&format!("it says {what}"), || {
            // Without its files it may fail for a moment.
            let output = cli.command(&["app", "curl", "dev"]).output().unwrap();
            (output.stdout == what.as_bytes()).then_some(())
        });
    };
    says("one");
    let shown = cli.json(&["app", "get", "dev"]);
    let directory = source.canonicalize().unwrap();
    assert_eq!(shown["spec"]["reload"][0], directory.to_str().unwrap());
    std::fs::write(source.join("says"), "two").unwrap();
    says("two");
    // As an editor does it.
    std::fs::write(source.join("says~"), "three").unwrap();
    std::fs::rename(source.join("says~"), source.join("says")).unwrap();
    says("three");
    // Made again, as a checkout or a build does it.
    std::fs::remove_dir_all(&source).unwrap();
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("says"), "four").unwrap();
    says("four");
    std::fs::write(source.join("says"), "five").unwrap();
    says("five");
    eventually_now("it runs", || {
        (cli.json(&["app", "get", "dev"])["status"]["state"] == "RUNNING").then_some(())
    });
    assert_eq!(cli.json(&["app", "get", "dev"])["status"]["restarts"], 0, "no crash");
    let events = cli.json(&["app", "events", "dev"]);
    assert!(events.as_array().unwrap().iter().any(|event| event["kind"] == "reloaded"), "{events}");
}

#[test]
fn only_processes_restart_when_files_change() {
    let cli = TestCli::new(OVHAI);
    let run = ["app", "run", "ovhai/echo", "--cpu", "1", "--runtime", "builtin", "--reload", "."];
    let (_, said) = cli.fails(&run);
    assert!(said.contains("--reload") && said.contains("local process"), "{said}");
}

#[test]
fn variables_come_from_files() {
    let cli = TestCli::new(OVHAI);
    let write = |name: &str, text: &str| std::fs::write(cli.home().join(name), text).unwrap();
    write(".env", "\u{feff}# for tests\r\nexport A=\"one two\"\r\nB='b # $b'\r\nC=file # why\r\n");
    write("more.env", "C=more\nD=x\nOVHAI_UNSET\n");
    let run = ["app", "run", "ovhai/echo", "--name", "vars", "--cpu", "1", "--wait"];
    let files = ["--env-file", ".env", "--env-file", "more.env", "-e", "D=line", "-o", "json"];
    let (app, said) = {
        let output = cli.command(&[&run[..], &files].concat()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let app: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (app, String::from_utf8(output.stderr).unwrap())
    };
    let variables: Vec<(&str, &str)> = app["spec"]["envVars"]
        .as_array()
        .unwrap()
        .iter()
        .map(|env| (env["name"].as_str().unwrap(), env["value"].as_str().unwrap()))
        .collect();
    assert_eq!(variables, [("A", "one two"), ("B", "b # $b"), ("C", "more"), ("D", "line")]);
    assert!(said.contains("OVHAI_UNSET is not set here"), "{said}");

    write("update.env", "C=updated\n");
    let update = ["app", "update", "vars", "--env-file", "update.env", "--wait", "-o", "json"];
    let app: serde_json::Value = serde_json::from_str(&cli.ok(&update)).unwrap();
    assert_eq!(app["spec"]["envVars"][2]["value"], "updated");

    write("bad.env", "A=1\n\nB=\"hush\n");
    let (code, said) = cli.fails(&["app", "run", "ovhai/echo", "--env-file", "bad.env"]);
    assert!(code == 2 && said.contains("bad.env, line 3: the quote \" before"), "{said}");
    assert!(said.contains("hint: close it") && !said.contains("hush"), "{said}");
    let (code, said) = cli.fails(&["app", "run", "ovhai/echo", "--env-file", "missing.env"]);
    assert!(code == 2 && said.contains("the variables of missing.env"), "{said}");
}
