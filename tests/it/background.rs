//! An emulator in the background: what it inherits, and how scripts start it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use ovhai_emulator::state::StateDir;
use ovhai_test_support::foreground::Foreground;
use ovhai_test_support::{TestCli, eventually_now};

use crate::OVHAI;

/// A shell in the environment of a command line, for scripts that name it `$OVHAI`.
fn shell(cli: &TestCli, script: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", script])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", cli.home())
        .env("OVHAI", OVHAI)
        .env("OVHAI_KEYRING", "0")
        .env("TMPDIR", cli.home())
        .current_dir(cli.home())
        .stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn proc(pid: u64, what: &str) -> String {
    let bytes = std::fs::read(format!("/proc/{pid}/{what}")).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// The targets of a process's descriptors.
fn open_files(pid: u64) -> Vec<String> {
    let all = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    all.flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .map(|path| path.display().to_string())
        .collect()
}

#[cfg(target_os = "linux")]
#[test]
fn an_emulator_in_the_background_keeps_no_descriptor_of_its_starter() {
    for start in ["emulator start --detach", "app list"] {
        let cli = TestCli::new(OVHAI);
        // The reader of the pipe at 3 waits for every process that has it, as in `x=$( { …; } 3>&1 )`.
        let script = format!(
            "umask 000; exec 9>held; \"$OVHAI\" {start} >/dev/null 2>said || {{ cat said >&2; exit 1; }}"
        );
        let output = shell(&cli, &format!("{{ {script}; }} 3>&1"))
            .env("OVHAI_STATE_DIR", "state")
            .env("OVHAI_PORT", "0")
            .env("OVHAI_TOKEN", "a.b.c")
            .env("AWS_SECRET_ACCESS_KEY", "not-for-it")
            .env("LC_ALL", "C.UTF-8")
            .env("https_proxy", "http://127.0.0.1:9")
            .output();
        let output = output.unwrap();
        // `app list` refuses an unknown token, after the emulator was started.
        let started = output.status.success() || text(&output.stderr).contains("Started");
        assert!(started, "{start}: {}", text(&output.stderr));
        let pid = cli.json(&["emulator", "status"])["pid"].as_u64().unwrap();

        let files = open_files(pid);
        assert!(!files.iter().any(|file| file.ends_with("/held")), "{start}: {files:?}");
        assert_eq!(std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap(), Path::new("/"));
        let umask =
            proc(pid, "status").lines().find_map(|l| l.strip_prefix("Umask:\t")?.parse().ok());
        assert_eq!(umask, Some(77), "{start}");
        let environment = proc(pid, "environ");
        let has = |name: &str| environment.split('\0').any(|v| v.starts_with(&format!("{name}=")));
        for name in ["PATH", "HOME", "LC_ALL", "https_proxy", "OVHAI_KEYRING"] {
            assert!(has(name), "{start}: {name} is missing in {environment:?}");
        }
        for name in ["AWS_SECRET_ACCESS_KEY", "OVHAI_TOKEN", "PWD", "OVHAI_REPLICA"] {
            assert!(!has(name), "{start}: {name} is in {environment:?}");
        }
        cli.ok(&["emulator", "stop"]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_app_has_the_usual_umask_and_no_descriptor_of_the_emulator() {
    let cli = TestCli::new(OVHAI);
    let mut command = Command::new("sh");
    command
        .args(["-c", "umask 027; exec 9>held; exec \"$0\" \"$@\"", OVHAI])
        .current_dir(cli.home());
    let _e = Foreground::start_by(command, &cli, &[]);
    let app = ["app", "run", "--name", "p", "--cpu", "1", "--runtime", "process", "python:3", "--"];
    let script = "umask >umask; ls /proc/$$/fd >fds; touch seen; exec sleep 600";
    cli.ok(&[&app[..], &["sh", "-c", script]].concat());
    eventually_now("the app has looked", || cli.home().join("seen").exists().then_some(()));
    let said = |name: &str| std::fs::read_to_string(cli.home().join(name)).unwrap();
    assert_eq!(said("umask").trim().trim_start_matches('0'), "22");
    let descriptors: Vec<String> = said("fds").lines().map(str::to_owned).collect();
    // The shell saves redirected descriptors above 9 meanwhile.
    assert!(descriptors.iter().all(|fd| ["0", "1", "2", "10"].contains(&&**fd)), "{descriptors:?}");
}

#[test]
fn a_failed_start_reports_its_cause_without_a_writable_log() {
    let cli = TestCli::new(OVHAI);
    // It may contain a log that can't be written.
    let _ = std::fs::remove_dir_all(cli.state_dir());
    std::fs::create_dir(cli.state_dir()).unwrap();
    std::fs::write(cli.state_dir().join("signing.key"), "rubbish").unwrap();
    std::os::unix::fs::symlink("/dev/full", cli.state_dir().join("emulator.log")).unwrap();
    let (code, said) = cli.fails(&["app", "list"]);
    assert_eq!(code, 1);
    assert!(said.contains("signing.key"), "{said}");
    assert!(!StateDir::new(cli.state_dir()).is_locked());

    let other = TestCli::new(OVHAI);
    let _ = std::fs::remove_dir_all(other.state_dir());
    std::fs::create_dir_all(other.state_dir().join("emulator.log")).unwrap();
    let (_, said) = other.fails(&["app", "list"]);
    assert!(said.contains("emulator.log") && said.contains("hint: "), "{said}");
}

fn eval(cli: &TestCli, script: &str) -> Output {
    shell(cli, script).output().unwrap()
}

const START: &str = "\"$OVHAI\" emulator start --ephemeral --detach --port 0 --stop-after 10m";

#[test]
fn a_shell_evaluates_the_address_of_an_ephemeral_emulator() {
    let cli = TestCli::new(OVHAI);
    let odd = cli.home().join("it's $HOME");
    std::fs::create_dir(&odd).unwrap();
    let script = format!(
        "set -e; lines=$({START}); echo \"$lines\"; eval \"$lines\"; \
         \"$OVHAI\" app run ovhai/echo -n e --cpu 1 --wait -o name; \"$OVHAI\" emulator status; \
         sh -c 'test \"$OVHAI_AUTOSTART\" = 0'; \"$OVHAI\" emulator stop; test ! -e \"$OVHAI_STATE_DIR\""
    );
    let output = shell(&cli, &script).env("TMPDIR", &odd).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    assert!(lines[0].starts_with("export OVHAI_STATE_DIR='"), "{lines:?}");
    assert_eq!(&lines[1..3], ["export OVHAI_AUTOSTART=0", "e"]);
    assert!(lines.iter().any(|line| line.starts_with("Stops At")), "{lines:?}");
    let left: Vec<_> = std::fs::read_dir(&odd).unwrap().flatten().map(|e| e.path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_shell_that_evaluates_a_failed_start_fails() {
    let cli = TestCli::new(OVHAI);
    let (_held, port) = ovhai_test_support::taken_port();
    for options in [format!("--port {port}"), "--prot 0".into(), "--regions a,a".into()] {
        let start = format!("\"$OVHAI\" emulator start --ephemeral --detach {options}");
        assert_eq!(text(&eval(&cli, &start).stdout), "false\n", "{options}");
        let output = eval(&cli, &format!("eval \"$({start})\""));
        assert_eq!(output.status.code(), Some(1), "{options}: {output:?}");
        assert!(text(&output.stderr).contains("error: "), "{options}: {output:?}");
    }
    let entries = std::fs::read_dir(cli.home()).unwrap().flatten().map(|entry| entry.path());
    let left: Vec<_> = entries.filter(|path| *path != cli.state_dir()).collect();
    assert!(left.is_empty() && cli.is_untouched(), "{left:?}");
}

#[test]
fn the_directory_of_a_killed_emulator_is_removed_by_the_next() {
    let cli = TestCli::new(OVHAI);
    let script = format!(
        "eval \"$({START})\"; \"$OVHAI\" emulator stop --force 2>/dev/null; echo \"$OVHAI_STATE_DIR\"; \
         eval \"$({START})\"; echo \"$OVHAI_STATE_DIR\"; \"$OVHAI\" emulator stop 2>/dev/null"
    );
    // A persistent directory with a similar name stays.
    let kept = cli.home().join("ovhai-kept");
    std::fs::create_dir(&kept).unwrap();
    std::fs::write(kept.join("lock"), "1").unwrap();
    let output = eval(&cli, &script);
    let directories: Vec<&str> = text(&output.stdout).lines().collect();
    assert_eq!(directories.len(), 2, "{output:?}");
    assert!(directories.iter().all(|directory| !Path::new(directory).exists()), "{directories:?}");
    assert!(kept.exists());
}

#[test]
fn an_emulator_stops_after_its_time_and_the_next_has_its_own() {
    let cli = TestCli::new(OVHAI);
    let mut command = cli.command(&["emulator", "start", "--stop-after", "100ms"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(text(&output.stderr).contains("--stop-after"), "{output:?}");
    assert!(!StateDir::new(cli.state_dir()).is_locked());
    let kept = std::fs::read_to_string(cli.state_dir().join("options.json")).unwrap_or_default();
    assert!(!kept.contains("stop-after"), "{kept}");
    for nonsense in ["0", "-1s", "soon"] {
        let option = format!("--stop-after={nonsense}");
        let (code, said) = cli.fails(&["emulator", "start", "--detach", &option]);
        assert!(code == 2 && said.contains("1h"), "{said}");
    }
}

#[test]
fn an_emulator_stops_when_its_state_directory_is_removed() {
    let cli = TestCli::new(OVHAI);
    let mut e = Foreground::start(&cli, &[]);
    // Immediately, while it still writes there.
    std::fs::rename(cli.state_dir(), cli.home().join("gone")).unwrap();
    // Another emulator may use the directory by then, and has to remain discoverable.
    let other = Foreground::start(&cli, &[]);
    let status = e.child.wait().unwrap();
    assert_eq!(status.code(), Some(1));
    let found = StateDir::new(cli.state_dir()).running().expect("the other is there");
    assert_eq!(found.pid, other.child.id());
}

#[cfg(target_os = "linux")]
/// Its files name where credentials and environments go, and which process is stopped.
#[test]
fn a_state_directory_that_other_users_can_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let cli = TestCli::new(OVHAI);
    let directory = cli.home().join("open");
    std::fs::create_dir(&directory).unwrap();
    std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o777)).unwrap();
    let at = directory.to_str().unwrap();
    for arguments in [&["app", "list"][..], &["emulator", "stop"], &["emulator", "start", "-d"]] {
        let (code, said) = cli.fails(&[arguments, &["--state-dir", at]].concat());
        assert_eq!(code, 1, "{arguments:?}: {said}");
        assert!(said.contains("every user of this machine can write to it"), "{said}");
        assert!(said.contains("hint: choose a directory of your own"), "{said}");
    }
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&directory, Some(65_534), None).unwrap();
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o755)).unwrap();
        let (_, said) = cli.fails(&["app", "list", "--state-dir", at]);
        assert!(said.contains("it belongs to another user"), "{said}");
    }
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0, "nothing is written there");
}

#[test]
fn a_temporary_directory_that_can_not_be_quoted_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let cli = TestCli::new(OVHAI);
    let odd = cli.home().join(std::ffi::OsStr::from_bytes(b"odd\xff"));
    std::fs::create_dir(&odd).unwrap();
    let mut command = cli.command(&["emulator", "start", "--ephemeral", "--detach", "--port", "0"]);
    let output = command.env("TMPDIR", &odd).env_remove("XDG_RUNTIME_DIR").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*output.stdout), (Some(1), &b"false\n"[..]), "{said}");
    assert!(said.contains("is not UTF-8") && said.contains("hint: "), "{said}");
}

#[test]
fn stop_only_signals_a_process_proved_to_be_the_emulator() {
    let cli = TestCli::new(OVHAI);
    let mut victim = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
    std::fs::create_dir_all(cli.state_dir()).unwrap();
    let path = cli.state_dir().join("lock");
    let pid = victim.id();
    for named in
        [pid.to_string(), format!("{{\"pid\":{pid},\"started\":1,\"place\":\"elsewhere\"}}")]
    {
        std::fs::write(&path, named).unwrap();
        let lock = std::fs::File::open(&path).unwrap();
        lock.lock().unwrap();
        for force in [&[][..], &["--force"]] {
            let (code, said) = cli.fails(&[&["emulator", "stop"][..], force].concat());
            assert!(code == 1 && said.contains("can't tell which process"), "{said}");
        }
        let (_, said) = cli.fails(&["emulator", "status"]);
        assert!(said.contains("can't tell which process"), "{said}");
    }
    assert!(victim.try_wait().unwrap().is_none(), "it got no signal");
    victim.kill().unwrap();
    victim.wait().unwrap();
}
