//! Shell completion of commands, names and values, and `ovhai help`.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use ovhai_emulator::state::{Running, StateDir};
use ovhai_test_support::TestCli;

use crate::OVHAI;

const IMAGE: &str = "infrastructureascode/hello-world";

/// The candidates for the last word; stderr stays empty.
fn complete(cli: &TestCli, shell: &str, words: &[&str]) -> Vec<String> {
    let index = words.len().to_string();
    let output = cli
        .command(&[&["--", "ovhai"], words].concat())
        .env("COMPLETE", shell)
        .env("_CLAP_COMPLETE_INDEX", index)
        .env("_CLAP_IFS", "\n")
        .output()
        .unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The candidates that bash itself gets from the committed script.
fn in_bash(cli: &TestCli, words: &[&str]) -> Vec<String> {
    let script = cli.ok(&["completion", "bash"]);
    let file = cli.home().join("completion.bash");
    std::fs::write(&file, script).unwrap();
    let program = r#"
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_TYPE=9
function=$(complete -p ovhai | sed 's/.*-F \([^ ]*\) .*/\1/')
$function ovhai "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;
    let path = std::env::join_paths(
        std::iter::once(Path::new(OVHAI).parent().unwrap().to_path_buf())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    );
    let output = Command::new("bash")
        .args(["-c", program, "bash"])
        .arg(&file)
        .arg("ovhai")
        .args(words)
        .env_clear()
        .env("PATH", path.unwrap())
        .env("HOME", cli.home())
        .env("OVHAI_STATE_DIR", cli.state_dir())
        .output()
        .unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Retries until found: on a busy machine an answer may come too late for a shell.
fn found(mut ask: impl FnMut() -> Vec<String>) -> Vec<String> {
    for _ in 0..50 {
        let words = ask();
        if words.iter().any(|word| !word.starts_with('-')) {
            return words;
        }
    }
    Vec::new()
}

#[test]
fn names_are_completed_from_the_running_emulator() {
    let cli = TestCli::new(OVHAI);
    for name in ["hello", "help-desk", "twin", "twin"] {
        cli.ok(&["app", "run", IMAGE, "--name", name]);
    }
    cli.ok(&["token", "new", "reader", "--role", "read"]);
    cli.ok(&["token", "new", "outside", "--role", "read", "--region", "BHS"]);
    let apps = cli.json(&["app", "list"]);
    let ids: Vec<&str> = apps
        .as_array()
        .unwrap()
        .iter()
        .filter(|app| app["spec"]["name"] == "twin")
        .map(|app| app["id"].as_str().unwrap())
        .collect();

    assert_eq!(found(|| in_bash(&cli, &["app", "get", "hel"])), ["hello", "help-desk"]);
    let more = in_bash(&cli, &["app", "get", "hello", ""]);
    assert!(more.iter().all(|word| word.starts_with('-')), "no second app: {more:?}");
    let mut all = found(|| in_bash(&cli, &["app", "get", ""]));
    all.retain(|word| !word.starts_with('-'));
    for word in ["hello", "help-desk", ids[0], ids[1]] {
        assert!(all.iter().any(|found| found == word), "{word} in {all:?}");
    }
    assert!(!all.iter().any(|word| word == "twin"), "{all:?}");
    assert_eq!(found(|| in_bash(&cli, &["app", "get", &ids[0][..8]])), [ids[0]]);
    assert_eq!(found(|| in_bash(&cli, &["token", "delete", "r"])), ["reader"]);
    assert_eq!(found(|| in_bash(&cli, &["token", "get", "--region", "BHS", "o"])), ["outside"]);
    assert_eq!(in_bash(&cli, &["token", "get", "o"]), Vec::<String>::new());
    assert_eq!(found(|| in_bash(&cli, &["app", "curl", "--as", "r"])), ["reader"]);
    assert_eq!(found(|| in_bash(&cli, &["--region", ""])), ["GRA", "BHS"]);
    assert_eq!(found(|| in_bash(&cli, &["app", "run", "infra"])), [IMAGE]);
    cli.ok(&["config", "add", "gravelines", "http://127.0.0.1:1"]);
    assert_eq!(found(|| in_bash(&cli, &["config", "set", "g"])), ["GRA", "gravelines"]);

    for (shell, has) in [
        ("zsh", format!("hello:RUNNING {}", &id_of(&apps, "hello")[..8])),
        ("fish", format!("hello\tRUNNING {}", &id_of(&apps, "hello")[..8])),
        ("powershell", "hello".to_owned()),
        ("elvish", "hello".to_owned()),
    ] {
        let found = found(|| complete(&cli, shell, &["app", "get", "hello"]));
        let state = found[0].replace("QUEUED", "RUNNING").replace("INITIALIZING", "RUNNING");
        assert!(state.starts_with(&has), "{shell}: {found:?}");
        assert_eq!(found.len(), 1, "{shell}: {found:?}");
    }
}

fn id_of(apps: &serde_json::Value, name: &str) -> String {
    let mut all = apps.as_array().unwrap().iter();
    all.find(|app| app["spec"]["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
}

#[test]
fn completion_uses_the_state_directory_option() {
    let cli = TestCli::new(OVHAI);
    let other = cli.home().join("other");
    let other = other.to_str().unwrap();
    cli.ok(&["app", "run", IMAGE, "--name", "there", "--state-dir", other]);
    let words = ["app", "get", "--state-dir", other, "th"];
    let direct = found(|| in_bash(&cli, &words));
    let tilde = found(|| in_bash(&cli, &["app", "get", "--state-dir", "~/other", "th"]));
    let none = in_bash(&cli, &["app", "get", "th"]);
    cli.ok(&["emulator", "stop", "--state-dir", other]);
    assert_eq!(direct, ["there"]);
    assert_eq!(tilde, ["there"]);
    assert!(none.is_empty(), "{none:?}");
}

#[test]
fn option_values_are_completed_without_an_emulator() {
    let cli = TestCli::new(OVHAI);
    assert_eq!(in_bash(&cli, &["app", "list", "--state", "ru"]), ["RUNNING"]);
    assert_eq!(in_bash(&cli, &["app", "list", "--state", "RUNNING,STOPPE"]), ["RUNNING,STOPPED"]);
    assert_eq!(in_bash(&cli, &["token", "new", "x", "--role", ""]), ["read", "operator"]);
    assert_eq!(in_bash(&cli, &["app", "run", "--flavor", "l4"]), ["l4-1-gpu", "l40s-1-gpu"]);
    assert_eq!(in_bash(&cli, &["me", "-o", "j"]), ["json"]);
    assert_eq!(in_bash(&cli, &["completion", "f"]), ["fish"]);
    assert_eq!(in_bash(&cli, &["help", "exit"]), ["exit-codes"]);
    assert_eq!(in_bash(&cli, &["emul"]), ["emulator"]);
    assert_eq!(in_bash(&cli, &["help", "app", "ru"]), ["run"]);
    assert!(in_bash(&cli, &["help", "app", ""]).iter().any(|word| word == "set-label"));
    let below = in_bash(&cli, &["app", ""]);
    assert!(below.iter().all(|word| !word.starts_with('-')), "only commands: {below:?}");
    assert!(in_bash(&cli, &["app", "--stat"]).iter().any(|word| word == "--state-dir"));
    assert!(!in_bash(&cli, &[""]).iter().any(|word| word == "reference"), "it is hidden");
    assert!(cli.is_untouched(), "nothing was made");
}

/// Of those that the help shows, for every shell.
#[test]
fn commands_are_completed_by_their_names() {
    let cli = TestCli::new(OVHAI);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let of = |words: &[&str]| -> Vec<String> {
            let all = complete(&cli, shell, words).into_iter();
            let word = |line: String| line.split([':', '\t']).next().unwrap().to_owned();
            all.map(word).filter(|word| !word.starts_with('-')).collect()
        };
        let top = of(&[""]);
        for own in ["app", "token", "registry", "emulator", "capabilities", "feature"] {
            assert!(top.iter().any(|word| word == own), "{shell}: {own} in {top:?}");
        }
        for alias in ["apps", "tokens", "registries", "emu", "cap", "features"] {
            assert!(!top.iter().any(|word| word == alias), "{shell}: {alias} in {top:?}");
        }
        assert_eq!(of(&["app", ""])[..3], ["run", "list", "get"], "{shell}");
        assert_eq!(of(&["app", "l"]), ["list", "logs"], "{shell}");
        assert!(of(&["token", ""]).iter().any(|word| word == "new"), "{shell}");
        assert_eq!(of(&["emu"]), ["emulator"], "{shell}");
        assert_eq!(of(&["registry", "ad"]), ["add"], "{shell}");
        // No own name begins so.
        assert_eq!(of(&["app", "cr"]), ["create"], "{shell}");
        assert_eq!(of(&["app", "c"]), ["curl", "cp", "check"], "{shell}");
        assert_eq!(of(&["apps", "ru"]), ["run"], "{shell}");
        assert_eq!(of(&["apps", "a"]), ["access"], "{shell}");
    }
    assert_eq!(in_bash(&cli, &["app", "ru"]), ["run"]);
}

#[test]
fn completion_is_silent_when_the_emulator_is_down() {
    let cli = TestCli::new(OVHAI);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let found = complete(&cli, shell, &["app", "get", "x"]);
        assert!(found.is_empty(), "{shell}: {found:?}");
    }
    assert!(cli.is_untouched(), "nothing was started or made");
}

/// Makes a state directory look as if an emulator listened at this address.
fn pretend(cli: &TestCli, address: SocketAddr) -> ovhai_emulator::state::Lock {
    let state = StateDir::new(cli.state_dir());
    state.create().unwrap();
    let lock = state.lock().unwrap().expect("the lock is free");
    state
        .announce(&Running {
            pid: std::process::id(),
            address,
            tls: None,
            administrator: "nobody".into(),
            regions: vec!["GRA".parse().unwrap()],
            started_at: jiff::Timestamp::now(),
            stops_at: None,
            access_log: None,
            runtime: None,
            version: "0".into(),
            project: "p".into(),
        })
        .unwrap();
    lock
}

#[test]
fn completion_gives_up_silently_when_the_emulator_never_answers() {
    let cli = TestCli::new(OVHAI);
    // The kernel accepts connections that no program serves.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let lock = pretend(&cli, listener.local_addr().unwrap());
    // It ends although there is no answer.
    let found = complete(&cli, "zsh", &["app", "get", "x"]);
    drop(lock);
    assert!(found.is_empty(), "{found:?}");
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_ok(), "it was asked");
}

#[test]
fn completion_is_silent_when_the_answer_is_malformed() {
    let cli = TestCli::new(OVHAI);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let lock = pretend(&cli, listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"items\":").unwrap();
    });
    let found = complete(&cli, "fish", &["app", "get", "x"]);
    server.join().unwrap();
    drop(lock);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn scripts_call_the_program_by_its_name() {
    let cli = TestCli::new(OVHAI);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = cli.ok(&["completion", shell]);
        assert!(script.contains("ovhai") && script.contains("COMPLETE"), "{shell}: {script}");
        assert!(!script.contains(OVHAI), "{shell}: {script}");
    }
    let output = cli.command(&["--version"]).env("COMPLETE", "1").output().unwrap();
    assert!(output.stdout.starts_with(b"ovhai "), "another program's variable: {output:?}");
}

#[test]
fn help_explains_commands_and_topics() {
    let cli = TestCli::new(OVHAI);
    let top = cli.ok(&["help"]);
    for word in ["Usage: ovhai", "Topics:", "exit-codes", "environment", "selectors", "formats"] {
        assert!(top.contains(word), "{word}: {top}");
    }
    assert!(cli.ok(&["help", "app", "ls"]).contains("Usage: ovhai app list"));
    for (topic, word) in [
        ("exit-codes", "22  "),
        ("environment", "OVHAI_STATE_DIR  "),
        ("selectors", "key notin (a,b)"),
        ("formats", "description  "),
    ] {
        let text = cli.ok(&["help", topic]);
        assert!(text.contains(word), "{topic}: {text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
    let (code, said) = cli.fails(&["help", "nothing"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("emulator") && said.contains("exit-codes"), "{said}");
    let (code, said) = cli.fails(&["help", "app", "nothing"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("set-label"), "{said}");
    assert!(cli.is_untouched(), "nothing was started");
}

#[test]
fn completion_descriptions_have_no_markdown() {
    let cli = TestCli::new(OVHAI);
    for shell in ["zsh", "fish"] {
        for words in [&["app", "run", "--"][..], &["emulator", "start", "--"], &["-"], &["app", ""]]
        {
            let told = complete(&cli, shell, words).join("\n");
            assert!(!told.is_empty() && !told.contains('`'), "{shell} {words:?}: {told}");
        }
    }
}

#[test]
fn every_command_has_a_man_page() {
    let cli = TestCli::new(OVHAI);
    let tree: serde_json::Value =
        serde_json::from_str(&cli.ok(&["reference", "commands"])).unwrap();
    cli.ok(&["reference", "man", "man"]);
    fn walk(command: &serde_json::Value, name: &str, directory: &Path, count: &mut usize) {
        let page = std::fs::read_to_string(directory.join(format!("{name}.1"))).expect(name);
        assert!(page.contains("EXIT STATUS") && page.starts_with(".ie"), "{name}: {page}");
        *count += 1;
        for child in command["subcommands"].as_array().into_iter().flatten() {
            let name = format!("{name}-{}", child["name"].as_str().unwrap());
            walk(child, &name, directory, count);
        }
    }
    let mut count = 0;
    walk(&tree, "ovhai", &cli.home().join("man"), &mut count);
    assert_eq!(std::fs::read_dir(cli.home().join("man")).unwrap().count(), count);
    let run = tree["subcommands"][0]["subcommands"][0].clone();
    assert_eq!(run["name"], "run");
    assert_eq!(run["aliases"][0], serde_json::json!({"name": "create", "visible": true}));
}
