//! More connections than anybody needs.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use ovhai_emulator::Limits;
use ovhai_test_support::{TestCli, eventually};
use serde_json::json;
use tokio::io::AsyncReadExt;

use crate::emulator::Foreground;
use crate::wire::{SOON, Wire};
use crate::{OVHAI, http2};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_idle_connections_are_nobodys_trouble() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    // Both ends of each are in this process, and other tests have theirs.
    let open = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let count = open.saturating_sub(2000).min(4000) / 2;
    assert!(count >= 200, "too few descriptors to try anything: {open}");
    let wire = Wire::start().await;
    let mut idle = Vec::new();
    for number in 0..count {
        let mut client = wire.connect().await;
        match number % 3 {
            0 => {}
            1 => client.send("GET /half HTTP/1.1\r\nho").await,
            _ => {
                client.send(wire.request("GET /idle", "")).await;
                assert_eq!(client.answer().await.status(), 200);
            }
        }
        idle.push(client);
    }
    let began = Instant::now();
    for _ in 0..20 {
        let mut client = wire.connect().await;
        client.send(wire.request("GET /quick", "")).await;
        assert_eq!(client.answer().await.text(), "GET /quick");
    }
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    // They are all still good.
    for client in idle.iter_mut().skip(2).step_by(3).take(20) {
        client.send(wire.request("GET /idle", "")).await;
        assert_eq!(client.answer().await.status(), 200);
    }
}

/// When there are as many connections as there may be, those that have rested longest make room;
/// nothing that is under way does.
#[tokio::test]
async fn idle_connections_make_room_for_others() {
    let wire =
        Wire::with(Limits { connections: 12, ..Limits::default() }, json!({"unsecureHttp": true}))
            .await;
    let mut busy = wire.connect().await;
    busy.send(wire.request("POST /busy", "content-length: 4\r\n")).await;
    eventually("it is under way", || async { (wire.seen.of("/busy").len() == 1).then_some(()) })
        .await;
    let mut idle = Vec::new();
    let mut modern = Vec::new();
    for number in 0..11 {
        match number % 4 {
            0 => modern.push(http2::Client::connect(&wire.e).await),
            kind => {
                let mut client = wire.connect().await;
                match kind {
                    1 => {}
                    2 => client.send("GET /half HTTP/1.1\r\nho").await,
                    _ => {
                        client.send(wire.request("GET /idle", "")).await;
                        assert_eq!(client.answer().await.status(), 200);
                    }
                }
                idle.push(client);
            }
        }
    }
    let mut later = Vec::new();
    for _ in 0..11 {
        let mut client = wire.connect().await;
        client.send(wire.request("GET /later", "")).await;
        assert_eq!(client.answer().await.text(), "GET /later");
        later.push(client);
    }
    for mut client in idle {
        // The half of a head may be told that it took too long.
        let mut rest = Vec::new();
        let end = tokio::time::timeout(SOON, client.0.read_to_end(&mut rest)).await;
        end.expect("it is closed").ok();
    }
    for client in modern {
        let end = tokio::time::timeout(SOON, client.driver).await.expect("it is closed");
        end.unwrap().unwrap();
    }
    busy.send("body").await;
    assert_eq!(busy.answer().await.text(), "POST /busy");
}

/// A process that may open few files has fewer connections, and none to apps too many.
#[test]
fn there_are_no_more_connections_than_files_for_them() {
    let cli = TestCli::new(OVHAI);
    let mut few = Command::new("sh");
    few.args(["-c", "ulimit -n 200 && exec \"$0\" \"$@\"", OVHAI]);
    let e = Foreground::start_by(few, &cli, &[]);
    cli.ok(&[
        "app",
        "run",
        "--name",
        "hi",
        "--unsecure-http",
        "--wait",
        "infrastructureascode/hello-world",
    ]);
    let idle: Vec<TcpStream> =
        (0..300).map(|_| TcpStream::connect(e.running.address).unwrap()).collect();
    for _ in 0..3 {
        assert_eq!(cli.ok(&["app", "curl", "hi"]), "Hello, World!");
    }
    drop(idle);
}

/// A process that may open nothing more: who is connected is told so, who is not waits, and no
/// replica is blamed.
#[cfg(target_os = "linux")]
#[test]
fn no_more_files_at_all() {
    use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
    let cli = TestCli::new(OVHAI);
    let mut heard = Command::new("sh");
    heard
        .args(["-c", "exec \"$0\" \"$@\" 2>\"$HOME/said\"", OVHAI])
        .env("HOME", cli.home())
        .env("OVHAI_LOG", "info");
    let e = Foreground::start_by(heard, &cli, &[]);
    let image = "infrastructureascode/hello-world";
    let run = ["app", "run", "--unsecure-http", "--wait", "--replicas", "2", image];
    let app = cli.json(&run);
    let host = app["status"]["url"].as_str().unwrap().strip_prefix("http://").unwrap();
    let ask = |stream: &mut TcpStream, host: &str| {
        write!(stream, "GET /v1/app HTTP/1.1\r\nhost: {host}\r\n\r\n").unwrap();
    };
    let answer = |stream: &mut TcpStream| {
        let mut said = [0; 4096];
        let count = stream.read(&mut said).unwrap();
        String::from_utf8_lossy(&said[..count]).into_owned()
    };
    let connect = || {
        let stream = TcpStream::connect(e.running.address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream
    };
    let mut connected = connect();
    ask(&mut connected, "gra.ai.localhost");
    assert!(answer(&mut connected).starts_with("HTTP/1.1 401 "));

    let pid = Pid::from_child(&e.child);
    let set = |limit| prlimit(Some(pid), Resource::Nofile, limit).unwrap();
    let before = set(Rlimit { current: Some(1), ..getrlimit(Resource::Nofile) });
    let mut waiting = connect();
    ask(&mut waiting, host);
    for _ in 0..4 {
        ask(&mut connected, host);
        let said = answer(&mut connected);
        assert!(said.starts_with("HTTP/1.1 503 "), "{said}");
        assert!(said.contains("the emulator can open no more connections"), "{said}");
    }
    set(before);
    assert!(answer(&mut waiting).starts_with("HTTP/1.1 200 "));
    for _ in 0..4 {
        ask(&mut connected, host);
        assert!(answer(&mut connected).starts_with("HTTP/1.1 200 "));
    }
    let said = std::fs::read_to_string(cli.home().join("said")).unwrap();
    assert_eq!(said.matches("connections can't be accepted").count(), 1, "{said}");
    assert!(!said.contains("left out"), "{said}");
}
