//! Every option of `emulator start` has a variable.

use std::collections::BTreeMap;

use ovhai::reference::environment::VARIABLES;
use ovhai_test_support::TestCli;

use crate::OVHAI;

/// The variables by the option of `emulator start`.
fn variables() -> BTreeMap<&'static str, &'static str> {
    let of = |variable: &ovhai::reference::environment::Variable| match variable.like {
        Some((["emulator", "start"], option)) => Some((option, variable.name)),
        _ => None,
    };
    VARIABLES.iter().filter_map(of).collect()
}

fn options(verb: &str) -> Vec<String> {
    let tree = ovhai::cli::tree();
    let command = tree.find_subcommand("emulator").unwrap().find_subcommand(verb).unwrap();
    let own = command.get_arguments().filter(|argument| {
        !argument.is_global_set() && !argument.is_hide_set() && argument.get_long().is_some()
    });
    let names = own.map(|argument| argument.get_long().unwrap().to_owned());
    names.filter(|name| !["help", "version"].contains(&name.as_str())).collect()
}

#[test]
fn every_option_has_a_variable() {
    let variables = variables();
    for verb in ["start", "exec"] {
        for option in options(verb) {
            assert!(variables.contains_key(option.as_str()), "--{option} of {verb}");
        }
    }
    let options = options("start");
    for option in variables.keys() {
        assert!(options.iter().any(|known| known == option), "--{option} does not exist");
    }
}

#[test]
fn every_variable_is_read() {
    let cli = TestCli::new(OVHAI);
    for (option, name) in variables() {
        // Any text is a path.
        if option == "access-log" {
            continue;
        }
        let output = cli.command(&["emulator", "start"]).env(name, "?!").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
        assert!(said.contains("?!"), "{name}: {said}");
    }
}

#[test]
fn a_start_uses_its_variables() {
    let cli = TestCli::new(OVHAI);
    let output = cli
        .command(&["emulator", "start"])
        .env("OVHAI_DETACH", "1")
        .env("OVHAI_REGIONS", "SBG,GRA")
        .env("OVHAI_RUNTIME", "process")
        .env("OVHAI_STOP_AFTER", "10m")
        .env("OVHAI_PASSWORD", "of the first user")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let status = cli.json(&["emulator", "status"]);
    assert_eq!(status["regions"], serde_json::json!(["SBG", "GRA"]), "{status}");
    let options = status["options"].to_string();
    assert!(options.contains("--runtime=process"), "{status}");
    assert!(status["stopsAt"].is_string(), "{status}");
    cli.ok(&["login", "-u", "tester", "--password", "of the first user"]);
}

#[test]
fn in_a_container_an_open_emulator_needs_a_password() {
    let cli = TestCli::new(OVHAI);
    let start = ["emulator", "start", "--host", "0.0.0.0", "--port", "0"];
    let output = cli.command(&start).env("OVHAI_CI", "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("OVHAI_PASSWORD is missing"), "{said}");
    // One that no user could have is refused at the start, and not logged.
    let short = cli.command(&start).env("OVHAI_PASSWORD", "short").output().unwrap();
    let said = String::from_utf8_lossy(&short.stderr);
    assert_eq!(short.status.code(), Some(2), "{said}");
    assert!(said.contains("use 8 to 256 characters"), "{said}");
}
