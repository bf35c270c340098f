//! Commands in apps.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use ovhai_api_types::{App, ExecStatus, Placement, TerminalSize};
use ovhai_client::{Client, Endpoint, ExecMessage, ExecReceiver, ExecSender, ExecTask};
use ovhai_runtime::SimRuntime;
use ovhai_test_support::processes::{app_file, processes};
use ovhai_test_support::pty::Talk;
use ovhai_test_support::raw::SOON;
use ovhai_test_support::{TestCli, TestEmulator, eventually, eventually_now, is_stderr_lost};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::OVHAI;

/// A command line whose emulator runs the local process `p`.
fn with_process() -> TestCli {
    let cli = TestCli::new(OVHAI);
    let server = app_file("server");
    let run = ["app", "run", "x", "--name", "p", "--runtime", "process", "--wait"];
    cli.ok(&[&run[..], &["-e", "GREETING=hello", "--", "python3", &server]].concat());
    cli
}

fn exec<'a>(options: &[&'a str], command: &[&'a str]) -> Vec<&'a str> {
    [&["app", "exec", "p"], options, &["--"], command].concat()
}

fn spawn(cli: &TestCli, arguments: &[&str]) -> Child {
    let mut command = Command::new(cli.executable());
    command.args(arguments).env_clear().envs(cli.environment()).current_dir(cli.home());
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    piped.spawn().unwrap()
}

/// Reads until this was said.
fn until(child: &mut Child, text: &str) {
    let mut said = String::new();
    let out = child.stdout.as_mut().unwrap();
    while !said.contains(text) {
        let mut byte = [0];
        out.read_exact(&mut byte).unwrap();
        said.push(byte[0].into());
    }
}

fn emulator_pid(cli: &TestCli) -> Pid {
    let running = std::fs::read_to_string(cli.state_dir().join("emulator.json")).unwrap();
    let running: Value = serde_json::from_str(&running).unwrap();
    Pid::from_raw(running["pid"].as_i64().unwrap().try_into().unwrap()).unwrap()
}

#[test]
fn output_input_and_exit_codes_are_passed_on() {
    let cli = with_process();
    let run = |options: &[&str], script: &str, input: &[u8]| {
        let arguments = exec(options, &["sh", "-c", script]);
        cli.command(&arguments).write_stdin(input).output().unwrap()
    };
    let said = run(&[], "echo out; echo err >&2; exit 7", b"");
    assert_eq!(
        (said.status.code(), &said.stdout[..], &said.stderr[..]),
        (Some(7), &b"out\n"[..], &b"err\n"[..])
    );
    // The environment is the app's.
    let said = run(&[], "echo $GREETING; test -n \"$PORT\"", b"");
    assert_eq!((said.status.code(), &said.stdout[..]), (Some(0), &b"hello\n"[..]));
    assert_eq!(run(&["--replica", "1"], "kill -9 $$", b"").status.code(), Some(137));
    // Without -i the input is empty, with it ends when the client's does.
    assert_eq!(run(&[], "cat", b"unread").stdout, b"");
    assert_eq!(run(&["-i"], "cat; echo end", b"read ").stdout, b"read end\n");
    // A command that reads nothing of a long input.
    assert_eq!(run(&["-i"], "exit 3", &vec![b'x'; 1024 * 1024]).status.code(), Some(3));
    let mut seed = 1_u32;
    let binary: Vec<u8> = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed.to_be_bytes()[0]
    })
    .take(10 * 1024 * 1024)
    .collect();
    let back = run(&["-i"], "cat", &binary).stdout;
    assert!(back == binary, "{} bytes came back", back.len());

    // As typed for other programs: the command's options are its own.
    let said = cli.ok(&["app", "exec", "p", "sh", "-c", "echo $0 $1", "-o", "--json"]);
    assert_eq!(said, "-o --json\n");
    let (code, said) = cli.fails(&exec(&[], &["/no/such/program"]));
    assert_eq!(code, 127, "{said}");
    assert!(said.contains("can't be started: No such file"), "{said}");
    let (code, said) = cli.fails(&exec(&["--replica", "2"], &["true"]));
    assert!(code == 3 && said.contains("there is 1"), "{said}");
    // The log has the sessions, and not their commands.
    if !is_stderr_lost() {
        let log = std::fs::read_to_string(cli.state_dir().join("emulator.log")).unwrap();
        assert!(log.contains("started in an app") && !log.contains("GREETING"), "{log}");
    }
}

#[test]
fn output_that_is_lost_is_a_failure() {
    let cli = with_process();
    let run = |out: Stdio| {
        let mut command = Command::new(cli.executable());
        command.args(exec(&[], &["echo", "hi"])).env_clear().envs(cli.environment());
        let command = command.stdin(Stdio::null()).stdout(out).stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let (code, said) = run(full.into());
    assert!(code == Some(1) && said.contains("the command's output can't be written"), "{said}");
    assert!(said.contains("No space left on device") && said.contains("hint: "), "{said}");
    // A reader that is gone wants no more.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(run(writer.into()), (Some(0), String::new()));
}

#[test]
fn signals_are_passed_on() {
    let cli = with_process();
    let script = "trap 'echo got it; exit 9' TERM; echo ready; while :; do sleep 0.05; done";
    let mut child = spawn(&cli, &exec(&[], &["sh", "-c", script]));
    until(&mut child, "ready");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(9), &b"\ngot it\n"[..]));
    let mut child = spawn(&cli, &exec(&["-i"], &["sh", "-c", "echo ready; exec sleep 1000"]));
    until(&mut child, "ready");
    // Also when the command reads nothing of an input that does not end.
    let mut input = child.stdin.take().unwrap();
    let typing = std::thread::spawn(move || {
        let zeros = vec![0; 65536];
        while input.write_all(&zeros).is_ok() {}
    });
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    typing.join().unwrap();
}

#[test]
fn a_terminal_is_the_commands() {
    let cli = with_process();
    let script = "stty size; read a; echo \"got $a\"; echo $TERM; \
        until [ \"$(stty size)\" = '24 100' ]; do sleep 0.02; done; echo resized; exit 4";
    let mut talk = Talk::begin(&cli, &exec(&[], &["sh", "-c", script]));
    talk.expect("24 120");
    talk.types("word\r");
    talk.expect("got word");
    talk.expect("xterm");
    talk.resize(100);
    talk.expect("resized");
    assert_eq!(talk.end().0, 4);

    // Ctrl-C is a key of the command's.
    let mut talk = Talk::begin(&cli, &exec(&[], &["sh", "-c", "echo up; exec sleep 1000"]));
    talk.expect("up");
    talk.types("\x03");
    assert_eq!(talk.end().0, 130);
    // A signal of another program ends this one, and the command with it.
    let mut talk = Talk::begin(&cli, &exec(&[], &["sh", "-c", "echo up; exec sleep 4711.25"]));
    talk.expect("up");
    talk.signal(Signal::TERM);
    assert_eq!(talk.end().0, 143);
    eventually_now("the command is gone", || processes("sleep 4711.25").is_empty().then_some(()));
    // Without a local terminal, too.
    let script = "stty size; cat; echo over";
    let arguments = exec(&["-t"], &["sh", "-c", script]);
    let output = cli.command(&arguments).write_stdin("typed\n").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("24 80\r\n") && said.ends_with("typed\r\nover\r\n"), "{said:?}");
}

#[test]
fn nothing_is_left() {
    let cli = with_process();
    let start = |time: &str| {
        let script = format!("trap '' TERM HUP; sleep {time} & echo up; wait");
        let mut child = spawn(&cli, &exec(&[], &["sh", "-c", &script]));
        until(&mut child, "up");
        assert!(!processes(&format!("sleep {time}")).is_empty());
        child
    };
    let is_gone = |time: &str| {
        let words = format!("sleep {time}");
        eventually_now("the command is gone", || processes(&words).is_empty().then_some(()));
    };
    // The client is killed.
    let mut child = start("4721.5");
    child.kill().unwrap();
    child.wait().unwrap();
    is_gone("4721.5");
    // The app is stopped.
    let child = start("4722.5");
    cli.ok(&["app", "stop", "p"]);
    is_gone("4722.5");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(137));
    let (code, said) = cli.fails(&exec(&[], &["true"]));
    assert!(code == 1 && said.contains("no running replica"), "{said}");
    assert!(said.contains("hint: start it: ovhai app start p"), "{said}");
    cli.ok(&["app", "start", "p"]);
    cli.ok(&["app", "wait", "p"]);
    // The emulator is killed.
    let child = start("4723.5");
    kill_process(emulator_pid(&cli), Signal::KILL).unwrap();
    is_gone("4723.5");
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && said.contains("ended before the command"), "{said}");
}

#[test]
fn a_built_in_image_has_no_processes() {
    let cli = TestCli::with_echo(OVHAI);
    let (code, said) = cli.fails(&["app", "exec", "e", "--", "sh"]);
    assert!(code == 1 && said.contains("built into the emulator"), "{said}");
    let features = cli.json(&["feature", "list"]);
    let exec = features.as_array().unwrap().iter().find(|feature| feature["name"] == "exec");
    assert!(exec.unwrap()["description"].as_str().unwrap().contains("extension"));
    cli.ok(&["emulator", "stop"]);
    // Saved with the other options.
    cli.ok(&["emulator", "start", "--detach", "--token-exec"]);
    let options = std::fs::read_to_string(cli.state_dir().join("options.json")).unwrap();
    assert!(options.contains("token-exec"), "{options}");
}

fn client(e: &TestEmulator, bearer: Option<&str>) -> Client {
    let base = format!("http://{}", e.address());
    Client::new(Endpoint { base, bearer: bearer.map(str::to_owned), connect: None }).unwrap()
}

fn command(words: &[&str]) -> ExecTask {
    let command = words.iter().map(|word| (*word).to_owned()).collect();
    ExecTask::Command { command, has_input: true, terminal: None }
}

/// The next message but credits.
async fn next(receiver: &mut ExecReceiver) -> Option<ExecMessage> {
    loop {
        let message = tokio::time::timeout(SOON, receiver.next()).await.expect("a message");
        match message.unwrap() {
            Some(ExecMessage::Credit(_)) => {}
            message => return message,
        }
    }
}

async fn start(e: &TestEmulator, bearer: &str, app: &App) -> (ExecSender, ExecReceiver) {
    client(e, Some(bearer)).exec(app.id, None, &command(&["echo"])).await.unwrap()
}

async fn with_sim(placement: Placement, token_exec: bool) -> (TestEmulator, App) {
    let sim = SimRuntime::automatic(([127, 0, 0, 1], 9).into());
    sim.run_as(placement);
    let builder = TestEmulator::builder().runtime(Arc::new(sim.clone()));
    let emulator = builder.token_exec(token_exec).start().await.unwrap();
    let e = TestEmulator { emulator, sim: Some(sim) };
    let app = e.run_app(&[("group", "A")], json!({})).await;
    (e, app)
}

/// Every caller's status: 101 is a session.
#[tokio::test]
async fn who_may_run_commands() {
    for (placement, token_exec, user, operator) in [
        (Placement::Container, false, 101, 403),
        (Placement::Container, true, 101, 101),
        (Placement::Process, false, 403, 403),
        (Placement::Process, true, 403, 403),
    ] {
        let (e, app) = with_sim(placement, token_exec).await;
        let made = json!({"name": "ann", "password": "a long password"});
        let made = e.call_local("POST", "/_emulator/users", Some(made)).await;
        assert!(made.status.is_success(), "{}", made.text());
        let login = e
            .form("/oauth2/token", "grant_type=password&username=ann&password=a+long+password")
            .await;
        let session = login.json()["access_token"].as_str().unwrap().to_owned();
        let token =
            async |role, selector| e.token("GRA", role, selector).await.status.value.unwrap();
        let owner = e.emulator.administrator().to_owned();
        let out_of_scope = if operator == 403 && !token_exec { 403 } else { 404 };
        for (who, bearer, expected) in [
            ("owner", Some(owner), 101),
            ("user", Some(session), user),
            ("operator", Some(token("operator", Some("group=A")).await), operator),
            ("unscoped operator", Some(token("operator", None).await), operator),
            ("operator of others", Some(token("operator", Some("group=B")).await), out_of_scope),
            ("reader", Some(token("read", Some("group=A")).await), 403),
            ("anonymous", None, 401),
        ] {
            let client = client(&e, bearer.as_deref());
            for task in [
                command(&["exit", "0"]),
                ExecTask::Copy { direction: "read".parse().unwrap(), path: "/x".into() },
            ] {
                let status = match client.exec(app.id, None, &task).await {
                    Ok(_) => 101,
                    Err(error) => error.status().unwrap(),
                };
                let case = format!("{who} {placement:?} token_exec={token_exec} {task:?}");
                assert_eq!(status, expected, "{case}");
            }
        }
        e.emulator.shutdown().await;
    }
}

#[tokio::test]
async fn a_session_ends_with_its_callers_access() {
    let (e, app) = with_sim(Placement::Container, true).await;
    let token = e.token("GRA", "operator", Some("group=A")).await;
    let (mut sender, mut receiver) = start(&e, token.status.value.as_ref().unwrap(), &app).await;
    sender.input(b"hello").await.unwrap();
    assert_eq!(next(&mut receiver).await, Some(ExecMessage::Stdout(b"hello".to_vec())));
    sender.resize(TerminalSize { width: 7, height: 5 }).await.unwrap();
    assert_eq!(next(&mut receiver).await, Some(ExecMessage::Stderr(b"7x5\n".to_vec())));
    sender.signal(15).await.unwrap();
    assert_eq!(next(&mut receiver).await, Some(ExecMessage::Stderr(b"signal 15\n".to_vec())));

    let other = e.token("GRA", "operator", Some("group=A")).await;
    let (mut still, mut answers) = start(&e, other.status.value.as_ref().unwrap(), &app).await;
    let renew = format!("/v1/token/{}/renew", token.id);
    assert_eq!(e.admin("POST", &renew, None).await.status, 200);
    let status = next(&mut receiver).await;
    let revoked = "the caller's access was revoked".to_owned();
    let failed = ExecStatus::Failed { message: revoked, code: None };
    assert_eq!(status, Some(ExecMessage::Status(failed.clone())));
    assert_eq!(next(&mut receiver).await, None);
    // Another caller's goes on, until the app is out of its scope.
    still.input(b"on").await.unwrap();
    assert_eq!(next(&mut answers).await, Some(ExecMessage::Stdout(b"on".to_vec())));
    let path = format!("/v1/app/{}/label", app.id);
    e.admin("PUT", &path, Some(json!({"name": "group", "value": "B"}))).await;
    assert_eq!(next(&mut answers).await, Some(ExecMessage::Status(failed)));

    // The replica's end is the command's.
    let (_sender, mut receiver) = start(&e, e.emulator.administrator(), &app).await;
    e.admin("PUT", &format!("/v1/app/{}/stop", app.id), None).await;
    let ended = ExecMessage::Status(ExecStatus::Signalled { signal: 9 });
    assert_eq!(next(&mut receiver).await, Some(ended));
    e.emulator.shutdown().await;
}

#[tokio::test]
async fn a_client_that_sends_too_much_is_disconnected() {
    let (e, app) = with_sim(Placement::Container, false).await;
    let (mut sender, mut receiver) = start(&e, e.emulator.administrator(), &app).await;
    // It takes no output, so that the command takes no more input at some point.
    let zeros = vec![0; 32 * 1024];
    let flood = async { while sender.input(&zeros).await.is_ok() {} };
    tokio::time::timeout(SOON, flood).await.expect("disconnected");
    while let Ok(Some(message)) = receiver.next().await {
        assert!(matches!(message, ExecMessage::Stdout(_) | ExecMessage::Credit(_)), "{message:?}");
    }
    // A request without a WebSocket upgrade gets the reason.
    let path = format!("/v1/app/{}/exec?command=true", app.id);
    let answer = e.admin("GET", &path, None).await;
    assert!(answer.status == 400 && answer.text().contains("WebSocket"), "{}", answer.text());
    for query in ["", "command=", "command=a&tty=true&term=a/b", "command=a&replica=x"] {
        let path = format!("/v1/app/{}/exec?{query}", app.id);
        assert_eq!(e.admin("GET", &path, None).await.status, 400, "{query}");
    }
    eventually("the sessions are over", || async {
        // The emulator still answers.
        (e.admin("GET", "/v1/me", None).await.status == 200).then_some(())
    })
    .await;
    e.emulator.shutdown().await;
}

/// A server that lists this app, and has no other operations.
fn service(app: &Value) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let list = json!({"items": [app], "metadata": {"currentPage": 1, "pageCount": 1, "total": 1}});
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = [0; 8192];
            let read = stream.read(&mut bytes).unwrap_or(0);
            let head = String::from_utf8_lossy(&bytes[..read]).into_owned();
            let (status, body) = match head.split(' ').nth(1).unwrap_or_default() {
                path if path.starts_with("/v1/app?") => ("200 OK", list.to_string()),
                _ => ("404 Not Found", json!({"message": "no such operation"}).to_string()),
            };
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len());
            let _ = write!(stream, "{head}connection: close\r\n\r\n{body}");
        }
    });
    url
}

#[test]
fn a_service_without_the_extension_is_named() {
    let cli = TestCli::with_echo(OVHAI);
    let app = cli.json(&["app", "get", "e"]);
    cli.ok(&["config", "add", "cloud", &service(&app)]);
    let remote = ["--region", "cloud", "--token", "x"];
    for arguments in [&["exec", "e"][..], &["cp", "e:/x", "y"]] {
        let mut line = [&["app"], arguments, &remote].concat();
        if arguments[0] == "exec" {
            line.extend(["--", "secret-word"]);
        }
        let (code, said) = cli.fails(&line);
        assert_eq!(code, 1, "{said}");
        for part in ["the endpoint cloud runs no commands", "are extensions of the emulator"] {
            assert!(said.contains(part), "{said}");
        }
    }
    // The record of the calls has the operation, and not the command.
    let records = std::fs::read_to_string(cli.state_dir().join("debug.jsonl")).unwrap();
    assert!(records.contains("/exec") && !records.contains("secret-word"), "{records}");
}
