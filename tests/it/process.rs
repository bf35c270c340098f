//! Apps as local processes.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::Request;
use hyper::header::HOST;
use ovhai_api_types::{App, AppId, AppSpec};
use ovhai_core::logs::LogBuffer;
use ovhai_core::ports::{ReplicaReporter, ReplicaRequest, Runtime};
use ovhai_core::spec::Spec;
use ovhai_emulator::Emulator;
use ovhai_runtime::LocalRuntime;
use ovhai_runtime::remains::Register;
use ovhai_test_support::{Answer, TestEmulator, eventually};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{OVHAI, free_port, taken_port};

pub(crate) async fn emulator() -> TestEmulator {
    let emulator = Emulator::builder().supervisor(OVHAI).start().await.unwrap();
    TestEmulator { emulator, sim: None }
}

/// A small server in Python: listens on the port that its code says.
pub(crate) fn python(code: &str) -> Value {
    let program = format!(
        "import http.server, os, sys\nclass H(http.server.BaseHTTPRequestHandler):\n  def do_GET(self):\n    self.send_response(200); self.end_headers(); self.wfile.write(b'from python')\n  def log_message(self, *a): pass\ndef serve(port): http.server.ThreadingHTTPServer(('127.0.0.1', int(port)), H).serve_forever()\n{code}"
    );
    json!(["python3", "-c", program])
}

pub(crate) fn process(command: &Value, more: Value) -> Value {
    let mut spec = json!({
        "image": "python:3", "runtime": "process", "command": command, "unsecureHttp": true,
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        spec[name] = value.clone();
    }
    spec
}

/// The processes whose command line has this word.
fn processes(word: &str) -> Vec<String> {
    let output = Command::new("ps").args(["-eo", "pid,args", "-ww"]).output().unwrap();
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter(|line| line.contains(word))
        .map(str::to_owned)
        .collect()
}

/// Asks an app on another port of it; whether it is let in is another test's.
async fn query_at(e: &TestEmulator, app: &App, port: u16) -> Answer {
    let host = TestEmulator::host(app).replacen(".app.", &format!("-{port}.app."), 1);
    e.send(Request::get("/").header(HOST, host).body(Full::default()).unwrap()).await
}

fn info(app: &App) -> String {
    app.status.info.as_ref().unwrap().message.clone()
}

#[tokio::test]
async fn a_port_is_given_as_variable_and_as_word() {
    let e = emulator().await;
    for code in ["serve(os.environ['PORT'])", "serve('{port}')"] {
        let app = e.run_app(&[], process(&python(code), json!({}))).await;
        assert_eq!(e.query(&app, None).await.text(), "from python", "{code}");
    }
    e.emulator.shutdown().await;
}

#[tokio::test]
async fn a_command_that_ignores_it_is_found_on_the_apps_own_port() {
    let e = emulator().await;
    let port = free_port();
    let spec = process(&python(&format!("serve({port})")), json!({"defaultHttpPort": port}));
    let app = e.run_app(&[], spec).await;
    assert_eq!(e.query(&app, None).await.text(), "from python");
    e.emulator.shutdown().await;
}

#[tokio::test]
async fn a_port_that_somebody_holds_fails_the_app_and_names_the_holder() {
    let e = emulator().await;
    let (_held, port) = taken_port();
    let spec = process(&python(&format!("serve({port})")), json!({"defaultHttpPort": port}));
    let app = e.submit(&[], spec).await;
    let app = e.wait(&app, "FAILED").await;
    let who = format!("Port {port}, the app's own, is held by");
    assert!(info(&app).contains(&who), "{}", info(&app));
    assert!(info(&app).contains(&format!("(pid {})", std::process::id())), "{}", info(&app));
    assert_eq!(e.query(&app, None).await.status, 503);
    e.emulator.shutdown().await;
}

#[tokio::test]
async fn failures_say_why() {
    let e = emulator().await;
    for (command, more, says) in [
        (json!(["/no/such/program"]), json!({}), "can't be started: No such file"),
        (
            json!(["sh", "-c", "echo the reason >&2; exit 3"]),
            json!({}),
            "exited with status 3; its last line was: the reason",
        ),
        (json!(["sh", "-c", "kill -9 $$"]), json!({}), "was ended by signal 9"),
        (
            json!(["true"]),
            json!({"workingDirectory": "/no/such/directory"}),
            "there is no directory /no/such/directory",
        ),
        (json!(null), json!({}), "there is none"),
    ] {
        let app = e.submit(&[], process(&command, more)).await;
        let app = e.wait(&app, "FAILED").await;
        assert!(info(&app).contains(says), "{command}: {}", info(&app));
    }
    let app = e.submit(&[], json!({"image": "some/image"})).await;
    let app = e.wait(&app, "FAILED").await;
    assert!(info(&app).contains("--runtime process"), "{}", info(&app));
    e.emulator.shutdown().await;
}

#[tokio::test]
async fn one_that_listens_elsewhere_is_told_so_at_its_deadline() {
    let e = emulator().await;
    let port = free_port();
    let spec = process(
        &python(&format!("serve({port})")),
        // Python takes most of a second to begin on a busy machine.
        json!({"deploymentStrategy": {"progressDeadlineSeconds": 3}}),
    );
    let app = e.submit(&[], spec).await;
    let app = e.wait(&app, "FAILED").await;
    assert!(
        info(&app).contains(&format!("listens on 127.0.0.1:{port}, but not on port")),
        "{}",
        info(&app)
    );
    e.emulator.shutdown().await;
}

#[tokio::test]
async fn environment_directory_and_output() {
    let e = emulator().await;
    let directory = tempfile::tempdir().unwrap();
    let code = "print(os.environ['GREETING'], os.getcwd(), os.environ.get('OVHAI_TOKEN'), flush=True)\nprint('to stderr', file=sys.stderr, flush=True)\nserve(os.environ['PORT'])";
    let spec = process(
        &python(code),
        json!({"envVars": [{"name": "GREETING", "value": "hi there"}],
               "workingDirectory": directory.path().to_str().unwrap()}),
    );
    let app = e.run_app(&[], spec).await;
    let path = format!("/v1/app/{}/log", app.id);
    eventually("both lines in the log", || async {
        let log = e.admin("GET", &path, None).await.text();
        let line =
            format!("hi there {} None\n", directory.path().canonicalize().unwrap().display());
        (log.contains(&line) && log.contains("to stderr\n")).then_some(())
    })
    .await;
    e.emulator.shutdown().await;
}

/// Children, and children that left the group and the session, go with the app.
#[tokio::test]
async fn the_whole_family_goes_with_the_app() {
    let e = emulator().await;
    let mark = format!("mark{}x{}", std::process::id(), free_port());
    let code = format!(
        "import subprocess\nsubprocess.Popen(['sh', '-c', 'trap \"\" TERM; while :; do sleep 0.1; done', '{mark}-child'])\nsubprocess.Popen(['setsid', 'sh', '-c', 'while :; do sleep 0.1; done', '{mark}-daemon'])\nserve(os.environ['PORT'])"
    );
    let app = e.run_app(&[], process(&python(&code), json!({}))).await;
    eventually("the family is there", || async { (processes(&mark).len() >= 3).then_some(()) })
        .await;
    let path = format!("/v1/app/{}?force=true", app.id);
    assert_eq!(e.admin("DELETE", &path, None).await.status, 204);
    eventually("nothing is left", || async { processes(&mark).is_empty().then_some(()) }).await;
    e.emulator.shutdown().await;
}

#[tokio::test]
async fn shutting_down_ends_processes_in_time() {
    let e = emulator().await;
    let mark = format!("mark{}x{}", std::process::id(), free_port());
    // It does not listen to SIGTERM.
    let code = format!(
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n'{mark}'\nserve(os.environ['PORT'])"
    );
    e.run_app(&[], process(&python(&code), json!({}))).await;
    assert!(!processes(&mark).is_empty());
    let begun = std::time::Instant::now();
    e.emulator.shutdown().await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    eventually("nothing is left", || async { processes(&mark).is_empty().then_some(()) }).await;
}

/// A program that takes over a port does not get the requests of the app that had it.
#[tokio::test]
async fn a_port_that_changes_hands_is_not_the_apps_any_more() {
    let e = emulator().await;
    let port = free_port();
    let code = format!(
        "import threading\ns = http.server.ThreadingHTTPServer(('127.0.0.1', {port}), H)\nthreading.Thread(target=s.serve_forever, daemon=True).start()\nimport time\nwhile not os.path.exists('close'): time.sleep(0.01)\ns.shutdown(); s.server_close()\ntime.sleep(600)"
    );
    let directory = tempfile::tempdir().unwrap();
    let spec = process(
        &python(&code),
        json!({"defaultHttpPort": port, "workingDirectory": directory.path().to_str().unwrap()}),
    );
    let app = e.run_app(&[], spec).await;
    assert_eq!(e.query(&app, None).await.text(), "from python");
    std::fs::write(directory.path().join("close"), "").unwrap();
    let other = eventually("the port is free", || async {
        tokio::net::TcpListener::bind(("127.0.0.1", port)).await.ok()
    })
    .await;
    let thief = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        while let Ok((mut stream, _)) = other.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen").await;
        }
    });
    eventually("the app's requests are not sent there", || async {
        (e.query(&app, None).await.status == 503).then_some(())
    })
    .await;
    thief.abort();
    e.emulator.shutdown().await;
}

/// Only one can have the app's own port: the old one goes before the new one comes.
#[tokio::test]
async fn an_app_on_its_own_port_can_be_updated() {
    let e = emulator().await;
    let port = free_port();
    let code = format!(
        "H.do_GET = lambda self: (self.send_response(200), self.end_headers(), self.wfile.write(os.environ.get('WHO', 'nobody').encode()))\nserve({port})"
    );
    let app = e.run_app(&[], process(&python(&code), json!({"defaultHttpPort": port}))).await;
    assert_eq!(e.query(&app, None).await.text(), "nobody");
    let update = json!({"appUpdate": {"envVars": [{"name": "WHO", "value": "me"}]}});
    let answer = e.admin("PUT", &format!("/v1/app/{}", app.id), Some(update)).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["status"]["state"]),
        (200, &json!("SCALING"))
    );
    let app = e.wait(&app, "RUNNING").await;
    assert!(app.status.info.as_ref().unwrap().arguments.is_empty(), "{}", info(&app));
    assert_eq!(e.query(&app, None).await.text(), "me");
    e.emulator.shutdown().await;
}

/// Starts a child that leaves group and session, and one that clears its environment.
pub(crate) fn with_relatives(mark: &str, code: &str) -> String {
    format!(
        "import subprocess\nsubprocess.Popen(['setsid', 'sh', '-c', 'while :; do sleep 0.1; done', '{mark}-daemon'])\nsubprocess.Popen(['env', '-i', 'sh', '-c', 'while :; do sleep 0.1; done', '{mark}-bare'])\n{code}"
    )
}

#[tokio::test]
async fn a_supervisor_that_is_killed_takes_the_family_with_it() {
    let e = emulator().await;
    let mark = format!("mark{}x{}", std::process::id(), free_port());
    let code = with_relatives(&mark, "serve(os.environ['PORT'])");
    let app = e.run_app(&[], process(&python(&code), json!({}))).await;
    let supervisor = processes(&app.id.to_string()).pop().unwrap();
    let before = eventually("the family is there", || async {
        let all = processes(&mark);
        (all.len() == 3).then_some(all)
    })
    .await;
    let pid = supervisor.split_whitespace().next().unwrap();
    assert!(Command::new("kill").args(["-9", pid]).status().unwrap().success());
    eventually("another one is there instead", || async {
        let now = processes(&mark);
        (now.len() == 3 && !now.iter().any(|one| before.contains(one))).then_some(())
    })
    .await;
    e.wait(&app, "RUNNING").await;
    e.emulator.shutdown().await;
    eventually("nothing is left", || async { processes(&mark).is_empty().then_some(()) }).await;
}

#[tokio::test]
async fn a_default_serves_clients_that_can_not_say_it() {
    let emulator = Emulator::builder()
        .supervisor(OVHAI)
        .placement(Some(ovhai_api_types::Placement::Process))
        .start()
        .await
        .unwrap();
    let e = TestEmulator { emulator, sim: None };
    let operator = e.token("GRA", "operator", None).await.status.value.unwrap();
    let spec = json!({"image": "python:3", "command": python("serve(os.environ['PORT'])"), "unsecureHttp": true});
    let answer = e.call("GRA", &operator, "POST", "/v1/app", Some(spec)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let app: App = serde_json::from_slice(&answer.body).unwrap();
    let app = e.wait(&app, "RUNNING").await;
    assert_eq!(e.query(&app, None).await.text(), "from python");
    let hello = e.run_app(&[], json!({})).await;
    assert_eq!(hello.spec.image, "infrastructureascode/hello-world", "built in all the same");
    e.emulator.shutdown().await;
}

#[tokio::test]
async fn other_ports_of_an_app_have_addresses() {
    let e = emulator().await;
    let (metrics, later, nobodys) = (free_port(), free_port(), free_port());
    let directory = tempfile::tempdir().unwrap();
    // What listens on a port says which.
    let code = format!(
        "import threading, time\nH.do_GET = lambda self: (self.send_response(200), self.end_headers(), self.wfile.write(str(self.server.server_port).encode()))\nthreading.Thread(target=serve, args=[{metrics}], daemon=True).start()\ndef wait():\n  while not os.path.exists('open'): time.sleep(0.01)\n  serve({later})\nthreading.Thread(target=wait, daemon=True).start()\nserve(os.environ['PORT'])"
    );
    let here = directory.path().to_str().unwrap();
    let app = e.run_app(&[], process(&python(&code), json!({"workingDirectory": here}))).await;
    let own: u16 = e.query(&app, None).await.text().parse().unwrap();
    eventually("the other port is found", || async {
        let answer = query_at(&e, &app, metrics).await;
        (answer.status == 200).then(|| assert_eq!(answer.text(), metrics.to_string()))
    })
    .await;
    // The app's own has its number of the cloud too.
    let answer = query_at(&e, &app, 8080).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, own.to_string()));

    let answer = query_at(&e, &app, own).await;
    assert_eq!(answer.status, 502);
    let said = answer.text();
    assert!(said.contains("to the outside its port is 8080"), "{said}");

    // A service of this machine that is not the app's can't be reached through it.
    let machines = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    machines.set_nonblocking(true).unwrap();
    for port in [nobodys, machines.local_addr().unwrap().port(), e.address().port()] {
        let answer = query_at(&e, &app, port).await;
        assert_eq!(answer.status, 502, "{port}");
        let said = answer.text();
        let says = format!("does not listen on port {port}; it listens on ");
        assert!(said.contains(&says) && said.contains(&metrics.to_string()), "{said}");
    }
    assert!(machines.accept().is_err(), "nobody came");

    // A port that opens later is found, whatever the app's state is.
    assert_eq!(query_at(&e, &app, later).await.status, 502);
    let before = e.app(&app).await;
    std::fs::write(directory.path().join("open"), "").unwrap();
    eventually("the new port is found", || async {
        (query_at(&e, &app, later).await.status == 200).then_some(())
    })
    .await;
    assert_eq!(e.app(&app).await.status.history, before.status.history);
    e.emulator.shutdown().await;
}

#[tokio::test]
async fn other_ports_are_behind_the_same_door() {
    let e = emulator().await;
    let port = free_port();
    let code = format!(
        "import threading\nthreading.Thread(target=serve, args=[{port}], daemon=True).start()\nserve(os.environ['PORT'])"
    );
    let app = e.run_app(&[], process(&python(&code), json!({"unsecureHttp": false}))).await;
    for port in [port, free_port()] {
        let answer = query_at(&e, &app, port).await;
        assert_eq!(answer.status, 401, "who is not let in learns nothing: {}", answer.text());
    }
    let hello = e.run_app(&[], json!({"unsecureHttp": true})).await;
    let answer = query_at(&e, &hello, 9999).await;
    assert_eq!(answer.status, 502);
    assert!(answer.text().contains("it listens on 8080"), "{}", answer.text());
    assert_eq!(query_at(&e, &hello, 8080).await.text(), "Hello, World!");
    e.emulator.shutdown().await;
}

#[tokio::test]
async fn a_port_for_grpc_is_given_and_found() {
    let e = emulator().await;
    let own = free_port();
    let listen = "import threading\ndef grpc(port): threading.Thread(target=serve, args=[port], daemon=True).start()\n";
    for port in ["os.environ['GRPC_PORT']".to_owned(), "'{grpc_port}'".into(), own.to_string()] {
        let code = format!("{listen}grpc({port})\nserve(os.environ['PORT'])");
        let app = e.run_app(&[], process(&python(&code), json!({"grpcPort": own}))).await;
        let host = TestEmulator::host(&app).replacen(".app.", ".app-grpc.", 1);
        assert_eq!(app.status.grpc_address.as_deref(), Some(&*host), "the API tells it");
        let found = eventually("the port is found", || async {
            let snapshot = e.emulator.platform().snapshot();
            snapshot.app(app.id).unwrap().live.backends.first().and_then(|backend| backend.grpc())
        })
        .await;
        assert_eq!(found.port() == own, port == own.to_string(), "{port}: {found}");
        // It is also the app's port of that number.
        assert_eq!(query_at(&e, &app, own).await.text(), "from python", "{port}");
        let path = format!("/v1/app/{}?force=true", app.id);
        assert_eq!(e.admin("DELETE", &path, None).await.status, 204);
    }
    // Without one there is neither.
    let code = "assert 'GRPC_PORT' not in os.environ\nserve(os.environ['PORT'])";
    let app = e.run_app(&[], process(&python(code), json!({}))).await;
    assert_eq!(app.status.grpc_address, None);
    e.emulator.shutdown().await;
}

/// Counters of all its processes: the shell waits for those that have ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_counts_what_it_uses() {
    let script = "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; sleep 600 & wait";
    let wire = json!({"image": "x", "runtime": "process", "command": ["sh", "-c", script]});
    let wire: AppSpec = serde_json::from_value(wire).unwrap();
    let logs = Arc::new(LogBuffer::default());
    let request = ReplicaRequest {
        app: AppId(Uuid::from_u128(1)),
        number: 1,
        replica: logs.begin(1),
        revision: 1,
        spec: Spec::check(&wire, |_| "burns".into()).unwrap(),
        environment: None,
        logs,
    };
    let runtime = LocalRuntime::new(None, OVHAI.into(), Register::default());
    let (sender, _reports) = mpsc::unbounded_channel();
    let replica = runtime.launch(request, ReplicaReporter::new(1, sender));
    let first = eventually("it has used CPU time", || async {
        replica.usage().await.filter(|used| used.cpu >= Duration::from_millis(20))
    })
    .await;
    assert!(first.memory > 100 * 1024, "{first:?}");
    let second = replica.usage().await.unwrap();
    assert!(second.cpu >= first.cpu, "{first:?}, then {second:?}");
    replica.stop(Duration::ZERO).await;
    assert_eq!(replica.usage().await, None);
}
