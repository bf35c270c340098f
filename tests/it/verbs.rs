//! Commands for several apps, by name and by label, and their messages.

use ovhai_test_support::{TestCli, eventually_now};
use serde_json::Value;

use crate::OVHAI;

const HELLO: &str = "infrastructureascode/hello-world";

fn run(cli: &TestCli, name: &str, labels: &[&str]) {
    let labels: Vec<String> = labels.iter().map(|label| format!("--label={label}")).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    cli.ok(&[&["app", "run", HELLO, "--cpu", "1", "--wait", "--name", name], &labels[..]].concat());
}

/// The messages of a command that succeeds.
fn said(cli: &TestCli, arguments: &[&str]) -> String {
    let output = cli.command(arguments).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {said}");
    said
}

/// The names of apps, or of those with this label.
fn names(cli: &TestCli, options: &[&str]) -> Vec<String> {
    let text = cli.ok(&[&["app", "list", "-o", "name"], options].concat());
    let mut names: Vec<String> = text.lines().map(str::to_owned).collect();
    names.sort();
    names
}

#[test]
fn apps_are_stopped_started_and_deleted_by_their_labels() {
    let cli = TestCli::new(OVHAI);
    run(&cli, "red-1", &["team=red", "tier=web"]);
    run(&cli, "red-2", &["team=red"]);
    run(&cli, "blue", &["team=blue"]);

    let stopped = cli.json(&["app", "stop", "-l", "team=red", "--wait"]);
    let mut ended: Vec<&str> = stopped.as_array().unwrap().iter().map(name_of).collect();
    ended.sort_unstable();
    assert_eq!(ended, ["red-1", "red-2"]);
    assert_eq!(names(&cli, &["--state", "RUNNING"]), ["blue"]);
    let one = cli.json(&["app", "start", "-l", "team=red", "-l", "tier=web", "--wait"]);
    assert_eq!(one.as_array().map(Vec::len), Some(1), "a selection is always a list: {one}");
    assert_eq!(names(&cli, &["--state", "STOPPED"]), ["red-2"]);
    let stopped = said(&cli, &["app", "stop", "--all", "--wait"]);
    assert_eq!(stopped.matches("Stopped ").count(), 2, "{stopped}");
    assert!(said(&cli, &["app", "stop", "--all"]).contains("No app to change"), "none is left");
    let started = said(&cli, &["app", "start", "--all", "--wait"]);
    assert_eq!(started.matches("Started ").count(), 3, "{started}");

    // An empty selector, as from an empty variable, deletes nothing.
    said(&cli, &["app", "delete", "--selector", "", "--force"]);
    said(&cli, &["app", "delete", "-l", "team=green", "--force"]);
    assert_eq!(cli.fails(&["app", "delete", "--force"]).0, 2);
    assert_eq!(cli.fails(&["app", "delete", "blue", "--all", "--force"]).0, 2);
    assert_eq!(cli.fails(&["app", "delete", "-l", "team=red,tier", "--force"]).0, 2);
    assert_eq!(names(&cli, &[]).len(), 3);
    said(&cli, &["app", "delete", "--selector", "team in (red,green)", "--force", "--wait"]);
    assert_eq!(names(&cli, &[]), ["blue"]);
    said(&cli, &["app", "delete", "--all", "--force", "--wait"]);
    assert_eq!(names(&cli, &[]), [""; 0]);
}

#[test]
fn a_running_app_is_deleted_only_by_force_or_after_a_question() {
    use ovhai_test_support::pty::Talk;
    let cli = TestCli::new(OVHAI);
    run(&cli, "web", &[]);
    let (code, error) = cli.fails(&["app", "delete", "web", "--yes"]);
    assert_eq!(code, 1, "{error}");
    assert!(error.starts_with("error: the app web is RUNNING\n"), "{error}");
    assert!(
        error.contains("hint: stop it, then delete it: ovhai app delete web --force"),
        "{error}"
    );
    // In a terminal, the command asks.
    let mut talk = Talk::begin(&cli, &["app", "delete", "web"]);
    talk.expect("is RUNNING. Stop it and delete it?");
    talk.types("n\n");
    assert_eq!(talk.end().0, 1);
    assert_eq!(names(&cli, &["--state", "RUNNING"]), ["web"]);
    let mut talk = Talk::begin(&cli, &["app", "delete", "web", "--wait"]);
    talk.expect("is RUNNING. Stop it and delete it?");
    talk.types("y\n");
    let (code, error) = talk.end();
    assert!(code == 0 && error.contains("Deleted web"), "{error}");
    run(&cli, "web", &[]);
    said(&cli, &["app", "delete", "web", "--now", "--wait"]);
    assert!(names(&cli, &[]).is_empty());
    // The cloud has no such option.
    cli.ok(&["config", "add", "far", "http://far.invalid"]);
    let (code, error) =
        cli.fails(&["app", "delete", "web", "--now", "--region", "far", "--token", "x"]);
    assert!(code == 2 && error.contains("app delete --now is not available at far"), "{error}");
}

fn name_of(app: &Value) -> &str {
    app["spec"]["name"].as_str().unwrap()
}

#[test]
fn unambiguous_names_are_handled_and_the_rest_reported() {
    let cli = TestCli::new(OVHAI);
    run(&cli, "one", &[]);
    run(&cli, "twin", &[]);
    let said_twice = said(&cli, &["app", "run", HELLO, "--cpu", "1", "--name", "twin"]);
    assert!(said_twice.contains("warning: another app is named twin"), "{said_twice}");

    let (code, error) = cli.fails(&["app", "stop", "nothing", "one", "twin", "--wait"]);
    assert_eq!(code, 1, "{error}");
    for part in [
        "error: 2 of 3 apps could not be stopped",
        "nothing: there is no app",
        "twin: \"twin\" matches 2 apps",
        "Stopped one (",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert_eq!(cli.json(&["app", "get", "one"])["status"]["state"], "STOPPED");
    let (code, error) = cli.fails(&["app", "delete", "one", "nothing", "--force", "-o", "json"]);
    assert!(code == 1 && error.contains("1 of 2 apps could not be deleted"), "{error}");
    // The deletion was accepted; the app is gone a moment later.
    eventually_now("one app is gone", || (names(&cli, &[]) == ["twin", "twin"]).then_some(()));
    // A single name fails as before.
    assert_eq!(cli.fails(&["app", "stop", "nothing"]).0, 3);
    assert_eq!(cli.fails(&["app", "stop", "twin"]).0, 2);
}

#[test]
fn labels_change_in_one_transaction_and_name_the_affected_tokens() {
    let cli = TestCli::new(OVHAI);
    run(&cli, "e", &["team=red", "tier=web"]);
    for (token, scope) in [("red", "team=red"), ("blue", "team=blue"), ("web", "tier")] {
        cli.ok(&["token", "new", token, "--role", "read", "--selector", scope]);
    }
    let labels = || cli.json(&["app", "get", "e"])["spec"]["labels"].clone();
    let text = said(&cli, &["app", "set-label", "e", "team=blue", "tier-", "stage=test"]);
    for part in [
        "Set the label team of e: red -> blue.",
        "Removed the label tier of e, which was web.",
        "Set the label stage of e to test.",
        "Tokens that no longer open e: ",
        "Tokens that now open e: blue.",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let lost = text.lines().find(|line| line.contains("no longer")).unwrap();
    assert!(lost.contains("red") && lost.contains("web") && !lost.contains("blue"), "{lost}");
    let now = labels();
    assert_eq!((&now["team"], &now["stage"]), (&"blue".into(), &"test".into()));
    assert!(now.get("tier").is_none(), "{now}");

    // A refused label changes none.
    let (code, error) = cli.fails(&["app", "set-label", "e", "team=red", "stage=a b"]);
    assert!(code == 2, "{error}");
    let (code, error) = cli.fails(&["app", "set-label", "e", "team=red", "ovh/id=x"]);
    assert!(code == 2 && error.contains("the platform's"), "{error}");
    assert_eq!(labels(), now);

    // The form without options, and its errors.
    assert!(said(&cli, &["app", "set-label", "e", "team", "red"]).contains("blue -> red"));
    assert!(said(&cli, &["app", "set-label", "e", "empty", ""]).contains("to \"\"."));
    assert!(
        cli.ok(&["app", "get", "e"]).contains("\n  empty:    \"\"\n"),
        "an empty value differs from a missing one"
    );
    let unchanged = said(&cli, &["app", "set-label", "e", "team=red"]);
    assert!(unchanged.contains("is already red") && !unchanged.contains("Tokens"), "{unchanged}");
    let (code, error) = cli.fails(&["app", "set-label", "e", "team"]);
    assert!(
        code == 2 && error.contains("hint: to remove it: ovhai app set-label e team-"),
        "{error}"
    );
    said(&cli, &["app", "set-label", "e", "--remove", "empty", "stage"]);
    assert!(labels().get("stage").is_none());

    // Elsewhere one label is the service's own call, several are an extension.
    let address = cli.json(&["emulator", "status"])["address"].as_str().unwrap().to_owned();
    cli.ok(&["config", "add", "far", &format!("{address}/regions/GRA")]);
    let bearer = std::fs::read_to_string(cli.state_dir().join("emulator.json")).unwrap();
    let bearer: Value = serde_json::from_str(&bearer).unwrap();
    let far = ["--region", "far", "--token", bearer["administrator"].as_str().unwrap()];
    said(&cli, &[&["app", "set-label", "e", "team=green"], &far[..]].concat());
    let two = [&["app", "set-label", "e", "team=red", "tier=web"], &far[..]].concat();
    let (code, error) = cli.fails(&two);
    assert!(code == 2 && error.contains("extension of the local emulator"), "{error}");
    assert_eq!(labels()["team"], "green");
}

/// Commas in a value of `--label` do not add terms.
#[test]
fn label_values_are_not_parsed_as_selectors() {
    let cli = TestCli::new(OVHAI);
    run(&cli, "a", &["group=A", "B=x"]);
    for command in [&["app", "list"][..], &["app", "run", HELLO], &["app", "stop"]] {
        let (code, error) = cli.fails(&[command, &["--label", "group=A,B"]].concat());
        assert!(code == 2 && error.contains("invalid label value"), "{command:?}: {error}");
    }
    assert_eq!(names(&cli, &["-l", "group=A", "--selector", "B=x"]), ["a"]);
    assert_eq!(names(&cli, &["-l", "group=A", "--selector", ""]), ["a"]);
    let new = ["token", "new", "t", "--role", "read", "--selector", "group=A", "--selector", ""];
    assert_eq!(cli.json(&new)["spec"]["labelSelector"], "group=A");
    let all = cli.json(&["token", "new", "all", "--role", "read", "--selector", ""]);
    assert!(all["spec"]["labelSelector"].is_null(), "{all}");
}

#[test]
fn progress_messages_name_the_change() {
    let cli = TestCli::new(OVHAI);
    run(&cli, "h", &[]);
    assert_eq!(said(&cli, &["app", "scale", "h", "--replicas", "2"]), "Scaling h to 2 replicas.\n");
    assert_eq!(
        said(&cli, &["app", "scale", "h", "--replicas", "1", "--wait"]),
        "h has 1 replica.\n"
    );
    let image = ["app", "set-image", "h", "ovhai/echo"];
    assert_eq!(said(&cli, &image), "Changing the image of h to ovhai/echo.\n");
    assert!(said(&cli, &["app", "stop", "h"]).starts_with("Stopping h ("));
    // Another app: the first may have stopped by now.
    run(&cli, "other", &[]);
    assert!(said(&cli, &["app", "stop", "other", "--wait"]).starts_with("Stopped other ("));
}

#[test]
fn errors_are_json_with_json_output() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["me"]);
    for (arguments, code, message) in [
        (&["app", "get", "nope", "-o", "json"][..], 3, "there is no app \"nope\" in this region"),
        (&["--json", "app", "get", "nope"], 3, "there is no app \"nope\" in this region"),
        (&["app", "lst", "-o", "json"], 2, "ovhai app has no command \"lst\""),
        (
            &["token", "new", "--output=json"],
            2,
            "the following required arguments were not provided: --role <ROLE> <NAME>",
        ),
        (&["config", "set", "GRA", "-o", "json"], 2, "config set does not take --output"),
    ] {
        let (got, error) = cli.fails(arguments);
        assert_eq!(got, code, "{arguments:?}: {error}");
        let error: Value = serde_json::from_str(&error).unwrap_or_else(|e| panic!("{e}: {error}"));
        assert_eq!(error["error"]["message"], message, "{arguments:?}");
        assert_eq!(error["error"]["exitCode"], code);
    }
    let (_, error) = cli.fails(&["app", "get", "nope", "-o", "yaml"]);
    assert!(error.starts_with("error: there is no app"), "{error}");
}

#[test]
fn dates_have_zone_and_age_and_sort() {
    let cli = TestCli::new(OVHAI);
    run(&cli, "h", &[]);
    cli.ok(&["token", "new", "t", "--role", "read"]);
    for (what, field) in [
        (&["app", "get", "h"][..], "Created At:"),
        (&["token", "get", "t"], "Created at:"),
        (&["emulator", "status"], "Started At:"),
    ] {
        let text = cli.ok(what);
        let line = text.lines().find(|line| line.trim_start().starts_with(field));
        let line = line.unwrap_or_else(|| panic!("{what:?}: {text}")).trim_start();
        let shown = line[field.len()..].trim();
        let (date, age) = shown.split_once(" UTC (").unwrap_or_else(|| panic!("{line}"));
        assert!(date.replace(' ', "T").parse::<jiff::civil::DateTime>().is_ok(), "{line}");
        assert!(age.ends_with("s ago)"), "{line}");
    }
}

/// Variables of a Makefile are passed this way.
#[test]
fn switches_accept_a_value() {
    let cli = TestCli::new(OVHAI);
    for (option, expected) in [
        ("--unsecure-http", true),
        ("--unsecure-http=true", true),
        ("--unsecure-http=false", false),
        ("--quiet", false),
    ] {
        let app = cli.json(&["app", "run", option, HELLO, "--cpu", "1"]);
        assert_eq!(app["spec"]["unsecureHttp"], expected, "{option}");
    }
    let (code, error) = cli.fails(&["app", "run", "--unsecure-http=perhaps", HELLO]);
    assert!(code == 2 && error.contains("true, false"), "{error}");
}

/// Before the command waits for it.
#[test]
fn an_image_that_can_not_run_is_refused_immediately() {
    let cli = TestCli::new(OVHAI);
    let text = said(&cli, &["app", "run", "nginx:latest", "--cpu", "1", "--name", "n"]);
    assert!(text.contains("warning: n is FAILED: "), "{text}");
    assert!(text.contains("--runtime process"), "{text}");
}

#[test]
fn help_describes_the_command() {
    let cli = TestCli::new(OVHAI);
    let help = cli.ok(&["app", "get", "--help"]);
    assert!(help.contains("--watch") && !help.contains("--state-dir"), "{help}");
    assert!(help.ends_with("\nOptions of every command: ovhai help options\n"), "{help}");
    assert_eq!(cli.ok(&["help", "app", "get"]), help);
    let options = cli.ok(&["help", "options"]);
    for option in ["-o, --output <FORMAT>", "--state-dir <DIR>", "[env: OVHAI_TOKEN]"] {
        assert!(options.contains(option), "{option}: {options}");
    }
    assert_eq!(cli.ok(&["help", "option"]), options);
    assert_eq!(cli.ok(&["help", "selector"]), cli.ok(&["help", "selectors"]));
    assert!(cli.ok(&["help", "topics"]).contains("exit-codes"));
    let (_, error) = cli.fails(&["help", "app", "lst"]);
    assert!(error.contains("hint: did you mean list?") && !error.contains("cause:"), "{error}");
}

#[test]
fn changes_without_effect_are_reported_and_bad_values_name_the_option() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "e", "--cpu", "1", "--wait"]);
    assert!(said(&cli, &["app", "start", "e"]).ends_with(") is already running.\n"));
    assert!(said(&cli, &["app", "start", "e", "--wait"]).ends_with(") is already running.\n"));
    assert!(said(&cli, &["app", "stop", "e", "--wait"]).starts_with("Stopped e"));
    assert!(said(&cli, &["app", "stop", "e"]).ends_with(") is already stopped.\n"));
    assert!(said(&cli, &["app", "start", "e", "--wait"]).starts_with("Started e"));

    for (arguments, says) in [
        (&["app", "run", "ovhai/echo", "--gpu", "5"][..], "cause: --gpu (resources.gpu): "),
        (&["app", "update", "e", "--env", "A=1", "--cpu", "99"], "cause: --cpu ("),
        (&["app", "scale", "e", "--replicas", "11"], "cause: --replicas ("),
    ] {
        let (code, error) = cli.fails(arguments);
        assert!(code == 2 && error.contains(says), "{arguments:?}: {error}");
    }
}

#[test]
fn a_failed_start_shows_only_the_output_of_that_run() {
    let cli = TestCli::new(OVHAI);
    let mark = cli.home().join("ran");
    let script = format!(
        "if [ -e {0} ]; then echo second; else echo first; touch {0}; fi; exit 3",
        mark.display()
    );
    let run = ["app", "run", "x", "--name", "bad", "--cpu", "1", "--runtime", "process", "--wait"];
    let (_, error) = cli.fails(&[&run[..], &["--", "sh", "-c", &script]].concat());
    assert!(error.contains("\n    first\n"), "{error}");
    let (_, error) = cli.fails(&["app", "start", "bad", "--wait"]);
    assert!(error.contains("\n    second\n") && !error.contains("first"), "{error}");
    let app = cli.ok(&["app", "get", "bad"]);
    let command = app.lines().find_map(|line| line.strip_prefix("Command:"));
    assert!(command.is_some_and(|text| text.trim_start().starts_with("sh -c 'if [ -e ")), "{app}");
}
