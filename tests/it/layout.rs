//! The layout of results: in terminals of several widths, in a pipe, with and without colours.

use ovhai_test_support::TestCli;
use ovhai_test_support::pty::shown;
use unicode_width::UnicodeWidthStr;

use crate::OVHAI;

/// Removes colour codes.
fn plain(text: &str) -> String {
    let mut pieces = text.split("\x1b[");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |all, piece| all + piece.split_once('m').expect("a colour").1)
}

const LONG: &str = "a-name-of-an-app-that-is-much-longer-than-anybody-would-like-to-type-it";
const WIDE: &str = "日本語の名前は幅が広いので数え方に気をつける";

fn with_things() -> TestCli {
    let cli = TestCli::new(OVHAI);
    let image = "infrastructureascode/hello-world";
    cli.ok(&["app", "run", image, "--name", LONG, "--label", "group=A", "--wait"]);
    cli.ok(&[
        "token",
        "new",
        LONG,
        "--role",
        "read",
        "--selector",
        "group in (A,B,C),tier notin (first,second,third),!gone",
    ]);
    cli.ok(&["token", "new", WIDE, "--role", "operator"]);
    cli
}

#[test]
fn lists_fit_the_terminal() {
    let cli = with_things();
    for list in [&["app", "list"][..], &["token", "list"], &["me", "-o", "table"]] {
        let ids = if list.contains(&"-o") { serde_json::Value::Null } else { cli.json(list) };
        let ids: Vec<&str> =
            ids.as_array().into_iter().flatten().filter_map(|one| one["id"].as_str()).collect();
        let lines = cli.ok(list).lines().count();
        for columns in [40, 80, 100, 120, 200] {
            let text = plain(&shown(&cli, columns, list, &[]));
            let said = usize::from(text.contains(" hidden: -o wide"));
            assert_eq!(text.lines().count(), lines + said, "{list:?}\n{text}");
            for line in text.lines() {
                assert!(
                    line.width() <= usize::from(columns),
                    "{} of {columns}: {line}",
                    line.width()
                );
            }
            for id in &ids {
                assert!(text.contains(&id[..8]), "{text}");
            }
        }
    }
    let narrow = plain(&shown(&cli, 80, &["app", "list"], &[]));
    assert!(narrow.contains("a-name-of-an") && narrow.contains('…'), "{narrow}");
    assert!(narrow.contains("RUNNING") && !narrow.contains("http"), "{narrow}");
    assert!(narrow.trim_end().ends_with(" hidden: -o wide"), "{narrow}");
    let id = cli.json(&["app", "get", LONG])["id"].as_str().unwrap().to_owned();
    let usual = plain(&shown(&cli, 120, &["app", "list"], &[]));
    let url = format!("http://{id}.app.gra.ai.localhost:");
    assert!(usual.contains(&url), "the whole address: {usual}");
    assert!(usual.lines().last().unwrap().starts_with(&format!("{}  ", &id[..8])), "{usual}");
    assert!(cli.ok(&["app", "get", &id[..8], "-o", "name"]).starts_with(LONG), "it can be used");
    for wide in [shown(&cli, 80, &["app", "list", "-o", "wide"], &[]), cli.ok(&["app", "list"])] {
        let wide = plain(&wide);
        assert!(wide.contains(&format!("\n{id}  {LONG}  ")) && wide.contains(&url), "{wide}");
    }
    let wide = plain(&shown(&cli, 200, &["app", "list"], &[]));
    assert!(wide.contains("http://"), "{wide}");
}

#[test]
fn nothing_is_cut_in_a_pipe_or_at_unknown_width() {
    let cli = with_things();
    let whole = cli.ok(&["app", "list"]);
    assert!(whole.contains(LONG) && whole.contains("http://"), "{whole}");
    assert!(!whole.contains('\x1b') && !whole.contains('…'), "{whole}");
    let unknown = plain(&shown(&cli, 0, &["app", "list"], &[]));
    assert!(unknown.contains(LONG) && unknown.contains("http://"), "{unknown}");
    let told = plain(&shown(&cli, 0, &["app", "list"], &[("COLUMNS", "80")]));
    assert!(told.lines().all(|line| line.width() <= 80), "{told}");
    let known = plain(&shown(&cli, 200, &["app", "list"], &[("COLUMNS", "80")]));
    assert!(known.contains("http://"), "the terminal knows better: {known}");
    let piped = cli.command(&["app", "list"]).env("COLUMNS", "40").output().unwrap();
    assert!(String::from_utf8(piped.stdout).unwrap().contains("http://"));
}

#[test]
fn details_wrap_at_blanks() {
    let cli = with_things();
    let command =
        ["--", "sh", "-c", "sleep 600; echo one two three four five six seven eight nine"];
    let run = ["app", "run", "x", "--name", "worded", "--runtime", "process"];
    cli.ok(&[&run[..], &command].concat());
    for columns in [80, 120] {
        let text = plain(&shown(&cli, columns, &["app", "get", "worded"], &[]));
        for line in text.lines().filter(|line| !line.contains("http://")) {
            assert!(line.width() <= usize::from(columns), "{line}");
        }
        assert!(text.contains("\nCommand: "), "{text}");
    }
    let narrow = plain(&shown(&cli, 80, &["app", "get", "worded"], &[]));
    let whole = cli.ok(&["app", "get", "worded"]);
    assert!(whole.contains("six seven eight nine'\n"), "{whole}");
    assert!(narrow.lines().count() > whole.lines().count(), "{narrow}");
    assert!(narrow.lines().any(|line| line.contains("URL:") && line.contains(".localhost:")));
}

#[test]
fn colours_follow_terminal_and_options() {
    let cli = with_things();
    let colored = shown(&cli, 120, &["app", "list"], &[]);
    assert!(colored.contains("\x1b[32mRUNNING\x1b[0m"), "{colored:?}");
    assert!(shown(&cli, 120, &["app", "get", LONG], &[]).contains("\x1b[32mRUNNING\x1b[0m"));
    assert!(shown(&cli, 120, &["app", "list"], &[("NO_COLOR", "")]).contains('\x1b'));
    let missing = shown(&cli, 120, &["app", "get", "nothing"], &[]);
    assert!(missing.starts_with("\x1b[1;31merror:\x1b[0m there is no app"), "{missing:?}");
    assert!(missing.contains("\x1b[36mhint:\x1b[0m "), "{missing:?}");
    let mistyped = ["app", "lisst"];
    assert!(shown(&cli, 120, &mistyped, &[]).contains('\x1b'));
    assert!(shown(&cli, 120, &["--help"], &[]).contains('\x1b'));
    for arguments in [&["app", "list"][..], &["app", "get", "nothing"], &mistyped, &["--help"]] {
        for env in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            let text = shown(&cli, 120, arguments, &[env]);
            assert!(!text.contains('\x1b'), "{arguments:?} {env:?}: {text:?}");
        }
        let text = shown(&cli, 120, &[&["--no-color"], arguments].concat(), &[]);
        assert!(!text.contains('\x1b'), "{arguments:?}: {text:?}");
        let piped = cli.command(arguments).env("CLICOLOR_FORCE", "1").output().unwrap();
        assert!(!piped.stdout.contains(&0x1b) && !piped.stderr.contains(&0x1b), "{arguments:?}");
    }
}

#[test]
fn control_characters_are_escaped() {
    let cli = TestCli::new(OVHAI);
    // The app fails, and its last output is shown.
    let evil = "printf '\\033[2J\\033]0;title\\007gone'; exit 3";
    let text = shown(
        &cli,
        80,
        &[
            "--no-color",
            "app",
            "run",
            "x",
            "--runtime",
            "process",
            "--wait",
            "--",
            "sh",
            "-c",
            evil,
        ],
        &[],
    );
    // The line that shows progress is ours.
    let text = text.replace("\r\x1b[K", "");
    assert!(text.contains("\\u{1b}[2J") && text.contains("\\u{7}gone"), "{text:?}");
    assert!(!text.contains('\x1b') && !text.contains('\x07'), "{text:?}");
    let arguments = ["--no-color", "token", "get", "no\x1b[2Jbody"];
    let text = shown(&cli, 80, &arguments, &[]);
    assert!(!text.contains('\x1b'), "{text:?}");
    let (_, said) = cli.fails(&["token", "new", "a\x1b[2Jb", "--role", "nobody"]);
    assert!(!said.contains('\x1b'), "{said:?}");
}

#[test]
fn lists_and_empty_lists_have_every_format() {
    let cli = TestCli::new(OVHAI);
    let status = cli.command(&["emulator", "status", "--json"]).output().unwrap();
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["running"], false, "a stopped emulator is JSON, too");
    assert_eq!(cli.json(&["app", "list"]), serde_json::json!([]));
    assert_eq!(cli.ok(&["app", "list", "-o", "name"]), "");
    assert_eq!(cli.ok(&["app", "list"]).lines().count(), 1, "the heads of the columns");
    cli.ok(&["token", "new", "one", "--role", "read"]);
    assert_eq!(cli.ok(&["token", "list", "-o", "name"]), "one\n");
    assert!(cli.ok(&["token", "list", "-o", "description"]).contains("Name:           one"));
    assert!(cli.ok(&["-o", "yaml", "token", "list"]).starts_with("- id: "));
}

#[test]
fn global_options_stand_before_or_after_the_command() {
    let cli = TestCli::new(OVHAI);
    for arguments in [
        &["-o", "json", "app", "list"][..],
        &["app", "-o", "json", "list"],
        &["app", "list", "--output=json"],
        &["--json", "app", "list"],
        &["app", "list", "--json"],
        &["-v", "app", "list", "-vv", "--json"],
        &["--no-color", "-q", "app", "list", "--json"],
        &["app", "list", "--json", "--no-color", "--region", "GRA", "--quiet"],
    ] {
        assert_eq!(cli.ok(arguments), "[]\n", "{arguments:?}");
    }
    let (code, said) = cli.fails(&["app", "list", "-o", "xml"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("json, yaml, description, table, wide, name"), "{said}");
}
