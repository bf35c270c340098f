//! Questions at a terminal: answers, and the end of the input.

use ovhai_test_support::TestCli;
use ovhai_test_support::pty::Talk;
use rustix::process::Signal;

use crate::OVHAI;

const IMAGE: &str = "infrastructureascode/hello-world";
const CTRL_C: &str = "\u{3}";
const CTRL_D: &str = "\u{4}";

fn with_app() -> TestCli {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", IMAGE, "--name", "x", "--cpu", "1"]);
    cli
}

#[test]
fn the_end_of_input_answers_a_question_with_no() {
    let cli = with_app();
    let question = "[y/N] ";
    for (typed, code) in [(CTRL_D, 1), ("\n", 1), ("n\n", 1), ("y\u{4}\u{4}", 1), (CTRL_C, 130)] {
        let mut talk = Talk::begin(&cli, &["app", "delete", "x"]);
        talk.expect(question);
        talk.types(typed);
        let (ended, said) = talk.end();
        assert_eq!(ended, code, "{typed:?}: {said}");
        let word = if code == 1 { "error: cancelled; nothing was changed" } else { "interrupted" };
        assert!(said.contains(word), "{typed:?}: {said}");
        assert!(said.contains("\nerror: "), "{typed:?}: {said:?}");
    }
    // As `script` does when it has nothing to type.
    let (code, said) = Talk::with(&cli, &["app", "delete", "x"], |screen| {
        std::io::Write::write_all(screen, CTRL_D.as_bytes()).unwrap();
    })
    .end();
    assert_eq!(code, 1, "{said}");
    // Asked to end from elsewhere.
    let mut talk = Talk::begin(&cli, &["app", "delete", "x"]);
    talk.expect(question);
    talk.signal(Signal::TERM);
    assert_eq!(talk.end().0, 130);
    assert_eq!(cli.json(&["app", "list", "-a"]).as_array().unwrap().len(), 1);

    let mut talk = Talk::begin(&cli, &["app", "delete", "x"]);
    talk.expect(question);
    talk.types("perhaps\n");
    talk.expect("answer y or n");
    talk.expect(question);
    talk.types("yez\u{7f}s\n");
    let (code, said) = talk.end();
    assert!(code == 0 && said.contains("Deleting x"), "{said}");
}

#[test]
fn an_interrupted_login_ends() {
    let cli = with_app();
    let arguments = ["login", "--username", "tester"];
    for (typed, code) in [(CTRL_D, 1), (CTRL_C, 130)] {
        let mut talk = Talk::begin(&cli, &arguments);
        talk.expect("Password: ");
        talk.types(typed);
        let (ended, said) = talk.end();
        assert_eq!(ended, code, "{said}");
        let mut talk = Talk::begin(&cli, &["login"]);
        talk.expect("User");
        talk.types(typed);
        let (ended, said) = talk.end();
        assert_eq!(ended, code, "{said}");
    }
    let (code, said) = cli.fails(&["login", "--username", "tester"]);
    assert!(code == 2 && said.contains("no terminal to ask"), "{said}");
}

#[test]
fn a_password_is_read_without_echo() {
    let cli = with_app();
    let secret = "correct horse";
    let mut talk = Talk::begin(&cli, &["emulator", "user", "add", "alice"]);
    for (question, typed) in [
        ("Password", ""),
        ("Password", "short"),
        ("use 8 to 256 characters", ""),
        ("Password", secret),
        ("Again", "wrong horse"),
        ("the two passwords differ", ""),
        ("Password", secret),
        ("Again", secret),
    ] {
        talk.expect(question);
        if !matches!(question, "Password" | "Again") {
            continue;
        }
        talk.expect(": ");
        talk.types(&format!("{typed}\n"));
    }
    let (code, said) = talk.end();
    assert!(code == 0 && !said.contains("horse"), "{said}");

    let mut talk = Talk::begin(&cli, &["login"]);
    talk.expect("User");
    talk.expect(": ");
    talk.types("alice\n");
    talk.expect("Password: ");
    talk.types(&format!("{secret}\n"));
    let (code, said) = talk.end();
    assert!(code == 0 && said.contains("Logged in as alice"), "{said}");
    assert!(!said.contains("horse"), "{said}");
}
