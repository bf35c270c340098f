//! Commands in containers, and copies of their files.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use ovhai_test_support::pty::Talk;
use ovhai_test_support::{TestCli, eventually_now};
use rustix::process::{Pid, Signal, kill_process};

use super::{IMAGE, OVHAI, UNIX, engines, make_image};

/// A command line with the app `c`, which has two replicas.
fn with_app(socket: &str) -> TestCli {
    let cli = TestCli::new(OVHAI);
    make_image(socket, cli.home());
    let engine = format!("{UNIX}{socket}");
    cli.ok(&["emulator", "start", "--detach", "--quota", "unlimited", "--engine", &engine]);
    let run = ["app", "run", IMAGE, "--name", "c", "--cpu", "1", "--replicas", "2", "--wait"];
    cli.ok(&[&run[..], &["--env", "GREETING=hello", "--env", "HOME=/tmp"]].concat());
    cli
}

fn exec<'a>(options: &[&'a str], script: &'a str) -> Vec<&'a str> {
    [&["app", "exec", "c"], options, &["--", "sh", "-c", script]].concat()
}

/// The processes of a replica whose command line has this word.
fn inside(cli: &TestCli, word: &str) -> bool {
    let look = "for p in /proc/[0-9]*; do cat $p/cmdline 2>/dev/null; echo; done";
    cli.ok(&exec(&["--replica", "1"], look)).contains(word)
}

#[test]
fn commands_run_in_containers() {
    for socket in engines() {
        let cli = with_app(&socket);
        let run = |options: &[&str], script: &str, input: &[u8]| {
            cli.command(&exec(options, script)).write_stdin(input).output().unwrap()
        };
        let said = run(&[], "id -u; echo $GREETING; echo err >&2; exit 7", b"");
        assert_eq!(said.status.code(), Some(7), "{socket}");
        assert_eq!(said.stdout, b"42420\nhello\n", "{socket}");
        assert_eq!(said.stderr, b"err\n", "{socket}");
        // Each replica is a container of its own.
        run(&["--replica", "2"], "echo two > /tmp/which", b"");
        assert_eq!(run(&["--replica", "2"], "cat /tmp/which", b"").stdout, b"two\n");
        assert_ne!(run(&["--replica", "1"], "cat /tmp/which", b"").status.code(), Some(0));
        // Input.
        assert_eq!(run(&[], "cat", b"unread").stdout, b"", "{socket}");
        assert_eq!(run(&["-i"], "cat; echo end", b"read ").stdout, b"read end\n", "{socket}");
        let binary: Vec<u8> = (0..10 * 1024 * 1024_u32).map(|n| n.to_le_bytes()[1]).collect();
        assert!(run(&["-i"], "cat", &binary).stdout == binary, "{socket}: not what was sent");
        assert!(run(&["-i"], "exit 3", &binary).status.code() == Some(3), "{socket}");
        // A program that does not exist.
        let (code, said) = cli.fails(&["app", "exec", "c", "--", "/no/such/program"]);
        assert!([1, 126, 127].contains(&code), "{socket}: {code} {said}");

        // Signals.
        let script = "trap 'echo got it; exit 9' TERM; echo ready; while :; do sleep 0.1; done";
        let mut command = Command::new(cli.executable());
        let command = command.args(exec(&["--replica", "1"], script));
        let command = command.env_clear().envs(cli.environment());
        let mut child = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
        let mut ready = [0; 6];
        child.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(9), "{socket}");
        assert_eq!(output.stdout, b"got it\n", "{socket}");

        // A terminal.
        let script = "stty size; read a; echo \"got $a\"; \
            until [ \"$(stty size)\" = '24 100' ]; do sleep 0.1; done; echo resized; exit 4";
        let mut talk = Talk::begin(&cli, &exec(&[], script));
        talk.types("word\r");
        talk.expect("got word");
        talk.resize(100);
        talk.expect("resized");
        assert_eq!(talk.end().0, 4, "{socket}");
        // Bytes that look like the head of a frame.
        let head = b"\x01\0\0\0\xff\xff\xff\xffend";
        let script = r"printf '\001\000\000\000\377\377\377\377end'; exit 5";
        let said = run(&["-t"], script, b"");
        assert_eq!(said.status.code(), Some(5), "{socket}");
        assert!(said.stdout.windows(head.len()).any(|part| part == head), "{socket}: {said:?}");
        // It closes its output, and goes on.
        let said = run(&[], "exec >&- 2>&-; sleep 1.5; exit 6", b"");
        assert_eq!(said.status.code(), Some(6), "{socket}: {said:?}");
        let mut talk = Talk::begin(&cli, &exec(&[], "echo up; exec sleep 1000"));
        talk.expect("up");
        talk.types("\x03");
        assert_eq!(talk.end().0, 130, "{socket}");

        // A client that is killed leaves nothing.
        let mut command = Command::new(cli.executable());
        let command = command.args(exec(&["--replica", "1"], "echo ready; exec sleep 4731"));
        let command = command.env_clear().envs(cli.environment());
        let mut child = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
        assert!(inside(&cli, "4731"), "{socket}");
        child.kill().unwrap();
        child.wait().unwrap();
        eventually_now("the command is gone", || (!inside(&cli, "4731")).then_some(()));
    }
}

#[test]
fn files_are_copied_from_and_to_containers() {
    for socket in engines() {
        let cli = with_app(&socket);
        let tree = cli.home().join("tree");
        fs::create_dir_all(tree.join("inner/empty")).unwrap();
        fs::write(tree.join("inner/file"), vec![7; 3 * 1024 * 1024]).unwrap();
        fs::write(tree.join("script"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(tree.join("script"), fs::Permissions::from_mode(0o4755)).unwrap();
        std::os::unix::fs::symlink("inner/file", tree.join("link")).unwrap();
        let replica = ["--replica", "1"];
        let copy = |from: &str, to: &str| {
            cli.ok(&[&["app", "cp", from, to], &replica[..]].concat());
        };
        copy("tree", "c:/tmp/new");
        let said = cli.ok(&exec(&replica, "ls -ln /tmp/new; id -u > /tmp/new/inner/mine"));
        let is_own = |line: &str| line.matches("42420").count() == 2;
        assert!(said.lines().skip(1).all(is_own), "{socket}: {said}");
        assert!(said.contains("-rwxr-xr-x"), "{socket}: no set-user-id bit: {said}");
        copy("tree/.", "c:/tmp/new/inner");
        copy("c:/tmp/new", "out");
        let is_tree = |root: &Path| {
            assert!(root.join("inner/empty").is_dir());
            assert_eq!(fs::read(root.join("inner/file")).unwrap(), vec![7; 3 * 1024 * 1024]);
            assert_eq!(fs::read_link(root.join("link")).unwrap(), Path::new("inner/file"));
        };
        let out = cli.home().join("out");
        is_tree(&out);
        is_tree(&out.join("inner"));
        assert_eq!(fs::read(out.join("inner/mine")).unwrap(), b"42420\n");
        copy("c:/tmp/new/.", "out");
        copy("c:/tmp/new/script", "only");
        assert_eq!(fs::read(cli.home().join("only")).unwrap(), b"#!/bin/sh\n");
        copy("only", "c:/tmp/only");
        assert_eq!(cli.ok(&exec(&replica, "cat /tmp/only")), "#!/bin/sh\n");
        for (from, to, says) in [
            ("c:/missing", "x", "/missing"),
            ("tree", "c:/tmp/only", "it is a file"),
            ("only", "c:/no/where", "there is no directory /no"),
        ] {
            let (code, said) = cli.fails(&["app", "cp", from, to, "--replica", "1"]);
            assert!(code == 1 && said.contains(says), "{socket}: {said}");
        }
    }
}
