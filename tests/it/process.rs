//! Apps as local processes.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::Request;
use hyper::header::HOST;
use ovhai_api_types::{App, AppId, AppSpec};
use ovhai_core::logs::LogBuffer;
use ovhai_core::ports::{ImageAccess, ReplicaReporter, ReplicaRequest, Runtime};
use ovhai_core::spec::Spec;
use ovhai_emulator::Emulator;
use ovhai_runtime::remains::Register;
use ovhai_runtime::{LocalRuntime, SimRuntime};
use ovhai_test_support::processes::{emulator, process, processes, server};
use ovhai_test_support::raw::SOON;
use ovhai_test_support::{Answer, TestEmulator, eventually, free_port, taken_port};
use serde_json::json;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::OVHAI;

/// Sends a request to another port of an app.
async fn query_at(e: &TestEmulator, app: &App, port: u16) -> Answer {
    let host = TestEmulator::host(app).replacen(".app.", &format!("-{port}.app."), 1);
    e.send(Request::get("/").header(HOST, host).body(Full::default()).unwrap()).await
}

fn info(app: &App) -> String {
    app.status.info.as_ref().unwrap().message.clone()
}

#[tokio::test]
async fn the_port_is_passed_as_variable_and_as_placeholder() {
    let e = emulator(OVHAI).await;
    for options in [&[][..], &["--port", "{port}"]] {
        let app = e.run_app(&[], process(&server(options), json!({}))).await;
        assert_eq!(e.query(&app, None).await.text(), "from python", "{options:?}");
    }
    e.emulator.shutdown().await;
}

#[tokio::test]
async fn a_command_that_ignores_the_port_is_found_on_the_default_port_of_the_app() {
    let e = emulator(OVHAI).await;
    let port = free_port();
    let spec = process(&server(&["--port", &port.to_string()]), json!({"defaultHttpPort": port}));
    let app = e.run_app(&[], spec).await;
    assert_eq!(e.query(&app, None).await.text(), "from python");
    e.emulator.shutdown().await;
}

#[tokio::test]
async fn a_port_in_use_fails_the_app_and_names_the_holder() {
    let e = emulator(OVHAI).await;
    let (_held, port) = taken_port();
    let spec = process(&server(&["--port", &port.to_string()]), json!({"defaultHttpPort": port}));
    let app = e.submit(&[], spec).await;
    let app = e.wait(&app, "FAILED").await;
    let who = format!("Port {port}, the app's own, is held by");
    assert!(info(&app).contains(&who), "{}", info(&app));
    assert!(info(&app).contains(&format!("(pid {})", std::process::id())), "{}", info(&app));
    assert_eq!(e.query(&app, None).await.status, 503);
    e.emulator.shutdown().await;
}

#[tokio::test]
async fn failed_starts_name_the_reason() {
    let e = emulator(OVHAI).await;
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
    assert_eq!(app.status.last_exit.unwrap().reason, "not started");
    e.emulator.shutdown().await;
}

#[tokio::test]
async fn an_app_on_another_port_fails_at_its_deadline_with_that_port() {
    let e = emulator(OVHAI).await;
    let port = free_port();
    let spec = process(
        &server(&["--port", &port.to_string()]),
        // Enough for Python to start on a busy machine.
        json!({"deploymentStrategy": {"progressDeadlineSeconds": 10}}),
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
async fn a_process_has_its_environment_directory_and_log() {
    let e = emulator(OVHAI).await;
    let directory = tempfile::tempdir().unwrap();
    let spec = process(
        &server(&["--greet"]),
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

/// Including children that left its process group and session.
#[tokio::test]
async fn deleting_an_app_kills_all_its_processes() {
    let e = emulator(OVHAI).await;
    let mark = format!("mark{}x{}", std::process::id(), free_port());
    let app = e.run_app(&[], process(&server(&["--family", &mark]), json!({}))).await;
    eventually("the family is there", || async { (processes(&mark).len() >= 3).then_some(()) })
        .await;
    let path = format!("/v1/app/{}?force=true", app.id);
    assert_eq!(e.admin("DELETE", &path, None).await.status, 204);
    eventually("nothing is left", || async { processes(&mark).is_empty().then_some(()) }).await;
    e.emulator.shutdown().await;
}

#[tokio::test]
async fn shutdown_kills_processes_that_ignore_sigterm() {
    let e = emulator(OVHAI).await;
    let mark = format!("mark{}x{}", std::process::id(), free_port());
    let ignores = server(&["--ignore-sigterm", "--mark", &mark]);
    e.run_app(&[], process(&ignores, json!({}))).await;
    assert!(!processes(&mark).is_empty());
    tokio::time::timeout(SOON, e.emulator.shutdown()).await.expect("the end");
    eventually("nothing is left", || async { processes(&mark).is_empty().then_some(()) }).await;
}

/// The app closed its port, and another program opened it.
#[tokio::test]
async fn requests_are_not_sent_to_a_program_that_took_over_the_port() {
    let e = emulator(OVHAI).await;
    let port = free_port();
    let directory = tempfile::tempdir().unwrap();
    let spec = process(
        &server(&["--port", &port.to_string(), "--close-when", "close"]),
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

/// Only one replica can have the port, so the old one stops first.
#[tokio::test]
async fn an_app_with_a_fixed_port_can_be_updated() {
    let e = emulator(OVHAI).await;
    let port = free_port();
    let command = server(&["--port", &port.to_string(), "--body-of", "WHO"]);
    let app = e.run_app(&[], process(&command, json!({"defaultHttpPort": port}))).await;
    assert_eq!(e.query(&app, None).await.text(), "unset");
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

#[tokio::test]
async fn killing_a_supervisor_kills_all_its_processes() {
    let e = emulator(OVHAI).await;
    let mark = format!("mark{}x{}", std::process::id(), free_port());
    let app = e.run_app(&[], process(&server(&["--relatives", &mark]), json!({}))).await;
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
async fn the_default_runtime_serves_clients_that_can_not_choose_one() {
    let emulator = Emulator::builder()
        .supervisor(OVHAI)
        .placement(Some(ovhai_api_types::Placement::Process))
        .start()
        .await
        .unwrap();
    let e = TestEmulator { emulator, sim: None };
    let operator = e.token("GRA", "operator", None).await.status.value.unwrap();
    let spec = json!({"image": "python:3", "command": server(&[]), "unsecureHttp": true});
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
    let e = emulator(OVHAI).await;
    let (metrics, later, unused) = (free_port(), free_port(), free_port());
    let directory = tempfile::tempdir().unwrap();
    // The answer is the number of the port that was asked.
    let (also, when) = (metrics.to_string(), later.to_string());
    let command = server(&["--body-port", "--also", &also, "--also-when", "open", &when]);
    let here = directory.path().to_str().unwrap();
    let app = e.run_app(&[], process(&command, json!({"workingDirectory": here}))).await;
    let own: u16 = e.query(&app, None).await.text().parse().unwrap();
    eventually("the other port is found", || async {
        let answer = query_at(&e, &app, metrics).await;
        (answer.status == 200).then(|| assert_eq!(answer.text(), metrics.to_string()))
    })
    .await;
    // The app's own port is also its port 8080.
    let answer = query_at(&e, &app, 8080).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, own.to_string()));

    let answer = query_at(&e, &app, own).await;
    assert_eq!(answer.status, 502);
    let said = answer.text();
    assert!(said.contains("to the outside its port is 8080"), "{said}");

    // Services of other processes can't be reached through the app.
    let machines = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    machines.set_nonblocking(true).unwrap();
    for port in [unused, machines.local_addr().unwrap().port(), e.address().port()] {
        let answer = query_at(&e, &app, port).await;
        assert_eq!(answer.status, 502, "{port}");
        let said = answer.text();
        let says = format!("does not listen on port {port}; it listens on ");
        assert!(said.contains(&says) && said.contains(&metrics.to_string()), "{said}");
    }
    assert!(machines.accept().is_err(), "no connection was opened");

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
async fn other_ports_need_the_same_access() {
    let e = emulator(OVHAI).await;
    let port = free_port();
    let command = server(&["--also", &port.to_string()]);
    let app = e.run_app(&[], process(&command, json!({"unsecureHttp": false}))).await;
    for port in [port, free_port()] {
        let answer = query_at(&e, &app, port).await;
        assert_eq!(answer.status, 401, "an unauthorized caller learns nothing: {}", answer.text());
    }
    let hello = e.run_app(&[], json!({"unsecureHttp": true})).await;
    let answer = query_at(&e, &hello, 9999).await;
    assert_eq!(answer.status, 502);
    assert!(answer.text().contains("it listens on 8080"), "{}", answer.text());
    assert_eq!(query_at(&e, &hello, 8080).await.text(), "Hello, World!");
    e.emulator.shutdown().await;
}

#[tokio::test]
async fn a_grpc_port_is_passed_and_found() {
    let e = emulator(OVHAI).await;
    let own = free_port();
    for port in ["environment", "{grpc_port}", &own.to_string()] {
        let command = server(&["--grpc", port]);
        let app = e.run_app(&[], process(&command, json!({"grpcPort": own}))).await;
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
    // Without a port there is neither.
    let app = e.run_app(&[], process(&server(&["--without-grpc"]), json!({}))).await;
    assert_eq!(app.status.grpc_address, None);
    e.emulator.shutdown().await;
}

/// Counters of all its processes: the shell waits for those that have ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_counts_cpu_time_and_memory_of_a_process() {
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
        volumes: Arc::default(),
        image_access: ImageAccess::default(),
        logs,
    };
    let containers = Arc::new(SimRuntime::step_by_step());
    let runtime = LocalRuntime::new(None, OVHAI.into(), Register::default(), containers);
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
