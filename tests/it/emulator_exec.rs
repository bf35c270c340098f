//! `emulator exec`: an emulator for one command.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

use ovhai_test_support::processes::app_file;
use ovhai_test_support::pty::Talk;
use ovhai_test_support::{TestCli, eventually_now, stderr};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::OVHAI;

/// A directory for the directories of emulators, and commands with an emulator of their own.
struct Room {
    cli: TestCli,
}

impl Room {
    fn new() -> Self {
        let cli = TestCli::new(OVHAI);
        std::fs::create_dir(cli.home().join("tmp")).unwrap();
        Self { cli }
    }

    fn base(&self) -> PathBuf {
        self.cli.home().join("tmp")
    }

    fn command(&self, script: &str) -> Command {
        let mut command = Command::new(OVHAI);
        command
            .args(["emulator", "exec", "--quota", "unlimited", "--", "sh", "-c", script])
            .env_clear()
            .envs(self.cli.environment())
            .env("TMPDIR", self.base())
            .env("OVHAI", OVHAI)
            .env("O", OVHAI)
            .current_dir(self.cli.home())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, script: &str) -> Output {
        self.command(script).output().unwrap()
    }

    /// Runs a script that has to succeed; returns its output.
    fn ok(&self, script: &str) -> String {
        let output = self.run(script);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {}: {said}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts a script, and waits until it has printed a line.
    fn start(&self, script: &str) -> Exec {
        let mut command = self.command(script);
        // In a process group of its own, as a shell starts it.
        let mut child = command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        Exec { child, stdin: Some(stdin), stdout, line: line.trim().to_owned() }
    }

    /// Waits until no directory of an emulator is left.
    fn is_empty(&self) {
        eventually_now("the directory is empty", || names(&self.base()).is_empty().then_some(()));
    }
}

struct Exec {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    line: String,
}

impl Exec {
    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// The process between it and the command.
    fn attendant(&self) -> Pid {
        let pid = self.child.id();
        let all = eventually_now("it has an attendant", || {
            let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?;
            let children = tasks
                .flatten()
                .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
            let pids: Vec<i32> = children
                .flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
                .filter_map(|pid| pid.parse().ok())
                .filter(|pid| is_attendant(*pid))
                .collect();
            pids.first().copied()
        });
        Pid::from_raw(all).unwrap()
    }

    fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// The rest of its output, and its end.
    fn end(mut self) -> (std::process::ExitStatus, String) {
        drop(self.stdin.take());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap(), rest)
    }
}

fn is_attendant(pid: i32) -> bool {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).nth(1) == Some(b"__attend")
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap().flatten();
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// Whether a process runs; a zombie does not.
fn runs(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(')').unwrap().1.trim_start().starts_with('Z'))
}

fn gone(pids: &[&str]) {
    for pid in pids {
        eventually_now("the process ends", || (!runs(pid)).then_some(()));
    }
}

#[test]
fn the_exit_code_or_the_signal_is_passed_on() {
    let room = Room::new();
    assert_eq!(room.run("exit 0").status.code(), Some(0));
    assert_eq!(room.run("exit 7").status.code(), Some(7));
    for signal in [15, 9, 6, 2] {
        let status = room.run(&format!("kill -{signal} $$")).status;
        assert_eq!((status.signal(), status.core_dumped()), (Some(signal), false));
    }
    for (word, code) in [("/nowhere/x", 127), ("/etc/passwd", 126)] {
        let output = room
            .cli
            .command(&["emulator", "exec", "--", word])
            .env("TMPDIR", room.base())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(&format!("error: the command {word} can't be run")), "{said}");
        assert!(said.contains("hint: "), "{said}");
    }
    // A wrong option of the emulator: the command does not run.
    let output = room
        .cli
        .command(&["emulator", "exec", "--regions", "a b", "--", "touch", "ran"])
        .env("TMPDIR", room.base())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(!room.cli.home().join("ran").exists());
    assert!(names(&room.base()).is_empty());
}

#[test]
fn the_command_has_the_streams_and_limits_of_its_starter() {
    let room = Room::new();
    let command = room.command("cat; umask; ulimit -n; echo said >&2; cat <&7");
    let shell = format!(
        "umask 027; ulimit -n 500; exec \"$@\" 7<{}",
        room.cli.home().join("seven").display()
    );
    std::fs::write(room.cli.home().join("seven"), "seven").unwrap();
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let mut child = Command::new("sh")
        .args(["-c", &shell, "sh"])
        .args(words)
        .env_clear()
        .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(room.cli.home())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"typed\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "typed\n0027\n500\nseven");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "said\n");
}

#[test]
fn the_command_has_only_the_variables_of_its_emulator() {
    let room = Room::new();
    let mut command = room.command(
        "env; \"$O\" app run --runtime process python:3 --name p --wait -- sh -c 'env > app.env; exec python3 \"$0\"' \"$SERVER\" >&2",
    );
    let output = command
        .env("OVHAI_TOKEN", "mine")
        .env("OVHAI_REGION", "nowhere")
        .env("OVHAI_PORT", "1")
        .env("OVHAI_STATE_DIR", "/nowhere")
        .env("OVHAI_TEST_OF_MINE", "x")
        .env("KEPT", "y")
        .env("SERVER", app_file("server"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut own: Vec<_> = text.lines().filter(|line| line.starts_with("OVHAI_")).collect();
    own.sort_unstable();
    let value = |name: &str| {
        let line = own.iter().find_map(|line| line.strip_prefix(&format!("{name}=")));
        line.unwrap_or_else(|| panic!("{name}: {own:?}"))
    };
    let directory = value("OVHAI_STATE_DIR");
    assert!(Path::new(directory).starts_with(room.base()), "{directory}");
    for (name, expected) in [
        ("OVHAI_CONFIG_DIR", format!("{directory}/config")),
        ("OVHAI_EXEC", directory.to_owned()),
        ("OVHAI_AUTOSTART", "0".into()),
        ("OVHAI_LOCAL_ONLY", "1".into()),
        ("OVHAI_KEYRING", "0".into()),
    ] {
        assert_eq!(value(name), expected, "{name}");
    }
    assert!(value("OVHAI_API_URL").starts_with("http://127.0.0.1:"), "{own:?}");
    assert!(value("OVHAI_API_TOKEN").len() > 16, "{own:?}");
    assert_eq!(own.len(), 8, "{own:?}");
    assert!(text.contains("\nKEPT=y\n"), "{text}");
    let app = std::fs::read_to_string(room.cli.home().join("app.env")).unwrap();
    assert!(app.contains("KEPT=y"), "{app}");
    let of_app = app.lines().filter(|line| line.starts_with("OVHAI_"));
    assert!(of_app.clone().all(|line| line.starts_with("OVHAI_REPLICA=")), "{app}");
    assert!(!app.contains(value("OVHAI_API_TOKEN")), "{app}");
}

#[test]
fn other_clients_use_the_variables_as_they_are() {
    let room = Room::new();
    let answer = room.ok(
        "exec curl -sf -H \"Authorization: Bearer $OVHAI_API_TOKEN\" \"$OVHAI_API_URL/v1/me\" || exit 9",
    );
    assert!(answer.contains('{'), "{answer}");
}

#[test]
fn the_command_reaches_no_server_outside() {
    let room = Room::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let near = format!("http://{}", listener.local_addr().unwrap());
    let config = room.cli.home().join("own");
    std::fs::create_dir(&config).unwrap();
    let login = |url: &str| {
        let sessions = format!(r#"{{"sessions":{{"endpoint:cloud {url}":{{"token":"secret"}}}}}}"#);
        std::fs::write(config.join("sessions.json"), sessions).unwrap();
        let endpoint =
            format!(r#"{{"current":"cloud","endpoints":{{"cloud":{{"url":"{url}"}}}}}}"#);
        std::fs::write(config.join("config.json"), endpoint).unwrap();
    };
    login(&near);
    let delete = "\"$O\" app delete x --yes";
    let output = room.command(delete).env("OVHAI_CONFIG_DIR", &config).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(!said.contains("secret") && !said.contains(&near), "{said}");
    assert!(listener.accept().is_err(), "the endpoint was called");
    // A command that chooses the endpoint in spite of that is refused.
    login("http://far.invalid");
    let output = room
        .command(&format!("OVHAI_CONFIG_DIR=\"$CONFIG\" {delete}"))
        .env("CONFIG", &config)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("refusing to change anything at cloud"), "{said}");
}

#[test]
fn many_at_once_see_only_their_own() {
    const AT_ONCE: usize = 12;
    let room = Room::new();
    let script = "\"$O\" app run infrastructureascode/hello-world --name same --label n=$N >&2 && \
        \"$O\" token new same --role read --selector n=$N >&2 && \
        \"$O\" app list -o json && \"$O\" token list -o name";
    std::thread::scope(|scope| {
        for n in 0..AT_ONCE {
            let mut command = room.command(script);
            scope.spawn(move || {
                let output = command.env("N", n.to_string()).output().unwrap();
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{said}");
                let text = String::from_utf8(output.stdout).unwrap();
                assert_eq!(text.matches("\"name\": \"same\"").count(), 1, "{text}");
                assert!(text.contains(&format!("\"n\": \"{n}\"")), "{text}");
                assert!(text.ends_with("same\n"), "{text}");
            });
        }
    });
    assert!(names(&room.base()).is_empty());
    assert!(room.cli.is_untouched(), "the user's own state directory was used");
}

#[test]
fn what_the_command_leaves_ends_with_it() {
    let room = Room::new();
    let text = room.ok(
        "setsid sh -c 'trap \"echo asked >>said; exit\" TERM; echo ready; while :; do sleep 0.02; done' & sleep 60 & echo $!; read line <&0; until [ -n \"$(ls /proc/$!)\" ]; do :; done; sleep 0.2",
    );
    let left = text.lines().find(|line| line.parse::<u32>().is_ok()).unwrap();
    assert!(!runs(left), "{text}");
    assert!(names(&room.base()).is_empty());
}

/// A command with a child that ignores SIGTERM in another session, and an app. It prints the
/// directory, the two processes and the app's, and waits.
const FAMILY: &str = "setsid sh -c 'trap \"\" TERM HUP INT; while :; do sleep 0.05; done' & \
    \"$O\" app run --runtime process python:3 --name p --wait -- sh -c 'echo $$ > app.pid; exec python3 \"$0\"' \"$SERVER\" >/dev/null 2>&1; \
    echo \"$OVHAI_STATE_DIR $$ $! $(cat app.pid)\"; cat";

fn family(room: &Room) -> (Exec, Vec<String>) {
    let script = format!("SERVER='{}'; {FAMILY}", app_file("server"));
    let exec = room.start(&script);
    let words: Vec<_> = exec.line.split(' ').map(str::to_owned).collect();
    assert_eq!(words.len(), 4, "{words:?}");
    for pid in &words[1..] {
        assert!(runs(pid), "{words:?}");
    }
    (exec, words)
}

#[test]
fn nothing_is_left_when_exec_is_killed() {
    let room = Room::new();
    let (exec, words) = family(&room);
    let attendant = exec.attendant();
    kill_process(exec.pid(), Signal::KILL).unwrap();
    let (status, _) = exec.end();
    assert_eq!(status.signal(), Some(9));
    gone(&[&words[1], &words[2], &words[3], &attendant.as_raw_nonzero().to_string()]);
    room.is_empty();
}

#[test]
fn nothing_is_left_when_the_attendant_is_killed() {
    let room = Room::new();
    let (exec, words) = family(&room);
    kill_process(exec.attendant(), Signal::KILL).unwrap();
    let (status, _) = exec.end();
    assert_eq!(status.code(), Some(137));
    gone(&[&words[1], &words[2], &words[3]]);
    assert!(names(&room.base()).is_empty());
}

#[test]
fn the_next_one_removes_what_is_left_when_all_were_killed() {
    let room = Room::new();
    let (exec, words) = family(&room);
    // The attendant must not see the other's end.
    let attendant = exec.attendant();
    kill_process(attendant, Signal::STOP).unwrap();
    kill_process(exec.pid(), Signal::KILL).unwrap();
    kill_process(attendant, Signal::KILL).unwrap();
    // The command's own end comes from the kernel.
    gone(&[&words[1]]);
    assert!(runs(&words[2]) && Path::new(&words[0]).is_dir(), "{words:?}");
    let mut child = exec.child;
    child.wait().unwrap();
    gone(&[&words[3]]);
    room.ok("true");
    gone(&[&words[2]]);
    if !names(&room.base()).is_empty() {
        // The supervisor of the app had not yet ended.
        room.ok("true");
    }
    room.is_empty();
}

#[test]
fn a_broken_off_removal_is_completed() {
    let room = Room::new();
    let make = |name: &str, files: &[&str]| {
        let directory = room.base().join(name);
        std::fs::create_dir(&directory).unwrap();
        for file in files {
            std::fs::write(directory.join(file), if *file == "lock" { "{}" } else { "" }).unwrap();
        }
        directory
    };
    make("ovhai-locked", &["ephemeral", "lock", "emulator.json"]);
    let marked = make("ovhai-marked", &["ephemeral"]);
    let aged = Command::new("touch").args(["-d", "2 minutes ago"]).arg(&marked).status().unwrap();
    assert!(aged.success());
    make("ovhai-fresh", &["ephemeral"]);
    make("ovhai-foreign", &["lock", "precious"]);
    room.ok("true");
    let mut left = names(&room.base());
    left.sort();
    assert_eq!(left, ["ovhai-foreign", "ovhai-fresh"]);
}

/// The command counts each signal.
const COUNTING: &str = "for s in INT TERM HUP USR1; do trap \"echo $s\" $s; done; echo ready; \
    while :; do read line; [ \"$line\" = end ] && exit 5; done";

#[test]
fn signals_reach_the_command_once() {
    let room = Room::new();
    let mut exec = room.start(COUNTING);
    assert_eq!(exec.line, "ready");
    for (signal, name) in
        [(Signal::INT, "INT"), (Signal::TERM, "TERM"), (Signal::HUP, "HUP"), (Signal::USR1, "USR1")]
    {
        kill_process(exec.pid(), signal).unwrap();
        assert_eq!(exec.next_line(), name, "sent to exec alone");
    }
    for (signal, name) in [(Signal::INT, "INT"), (Signal::HUP, "HUP")] {
        kill_process_group(exec.pid(), signal).unwrap();
        assert_eq!(exec.next_line(), name, "sent to the group, as a terminal does");
    }
    // Whatever came twice would be read before this.
    kill_process(exec.pid(), Signal::USR1).unwrap();
    assert_eq!(exec.next_line(), "USR1");
    exec.stdin.as_mut().unwrap().write_all(b"end\n").unwrap();
    let (status, rest) = exec.end();
    assert_eq!((status.code(), rest.as_str()), (Some(5), ""));
}

#[test]
fn an_ignored_signal_stays_ignored() {
    let room = Room::new();
    let command = room.command("kill -HUP $$; kill -HUP $PPID; echo alive");
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let output = Command::new("sh")
        .args(["-c", "trap '' HUP; exec \"$@\"", "sh"])
        .args(words)
        .env_clear()
        .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "alive\n");
    assert!(output.status.success());
}

#[test]
fn ctrl_c_and_ctrl_z_work_as_in_a_shell() {
    let shell = TestCli::new("/bin/bash");
    let mut talk = Talk::begin(&shell, &["--norc", "--noediting", "-i"]);
    // Ctrl-C and Ctrl-Z discard what was typed ahead, so each line waits for the prompt.
    talk.types("PS1='now''> '\n");
    talk.expect("now> ");
    talk.types(&format!("{OVHAI} emulator exec -- sh -c 'echo be''gun; exec cat'\n"));
    talk.expect("begun");
    talk.types("one\n");
    talk.expect("one\r\none");
    talk.types("\x1a");
    talk.expect("Stopped");
    talk.expect("now> ");
    talk.types("fg\n");
    talk.expect("exec cat");
    talk.types("two\n");
    talk.expect("two\r\ntwo");
    talk.types("\x03");
    talk.expect("now> ");
    talk.types("echo code=$?\n");
    talk.expect("code=130");
    // A script ends with its command, as if there were no `emulator exec` between.
    talk.types(&format!(
        "bash -c '{OVHAI} emulator exec -- sh -c \"echo be\"\"gun; exec sleep 60\"; echo went on'\n"
    ));
    talk.expect("begun");
    talk.types("\x03");
    talk.expect("now> ");
    talk.types("echo code=$?\n");
    talk.expect("code=130");
    talk.types("exit 4\n");
    let (code, said) = talk.end();
    assert_eq!(code, 4, "{said}");
}

#[test]
fn the_command_may_stop_its_emulator() {
    let room = Room::new();
    let output = room.run("\"$O\" emulator stop; \"$O\" app list; echo $?; exit 6");
    assert_eq!(output.status.code(), Some(6));
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("1\n"), "{output:?}");
    assert!(names(&room.base()).is_empty());
}
