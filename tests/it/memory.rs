//! The gateway does not store bodies: measured at the real process,
//! with bodies far larger than its allowed growth.

use std::net::SocketAddr;
use std::sync::LazyLock;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Frame;
use ovhai_test_support::foreground::Foreground;
use ovhai_test_support::{TestCli, http2, processes, raw};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::OVHAI;

const MIB: u64 = 1024 * 1024;
/// The windows of HTTP/2 and a buffer in each direction, several times over.
const GROWTH: u64 = 4 * MIB;

static PIECE: LazyLock<Bytes> = LazyLock::new(|| vec![b'x'; 256 * 1024].into());

/// Peak memory of a process since the peak was reset, in bytes.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}

/// Passes a little with `pass`, and then `much`; the emulator must not grow.
async fn stays_small<F: Future<Output = ()>>(
    much: u64,
    pass: impl Fn(SocketAddr, String, u64) -> F,
) {
    let cli = TestCli::new(OVHAI);
    let e = Foreground::start(&cli, &[]);
    cli.ok(&[
        "app",
        "run",
        "--name",
        "bodies",
        "--unsecure-http",
        "--wait",
        "--runtime",
        "process",
        "python:3",
        "--",
        "python3",
        &processes::app_file("bodies"),
    ]);
    let app = cli.json(&["app", "get", "bodies"]);
    let url = app["status"]["url"].as_str().unwrap();
    let host = url.strip_prefix("http://").unwrap().to_owned();
    let address = e.running.address;
    // The first bodies allocate the buffers that later ones reuse.
    pass(address, host.clone(), 16 * MIB).await;
    // Hashing a password at its start used more, which would hide later growth.
    let pid = e.running.pid;
    std::fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();
    let before = peak(pid);
    pass(address, host, much).await;
    let growth = peak(pid).saturating_sub(before);
    assert!(growth < GROWTH, "it grew by {growth} from {before}");
}

/// Hashing a password takes 19 MiB, and every client can cause it.
#[tokio::test]
async fn failed_logins_do_not_grow_memory() {
    let cli = TestCli::new(OVHAI);
    let e = Foreground::start(&cli, &[]);
    let (address, pid) = (e.running.address, e.running.pid);
    let log_in = |number: u32| async move {
        let mut client = raw::Client::to(address).await;
        let body = format!("grant_type=password&username=u{number}&password=wrong-password");
        let head = "POST /oauth2/token HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n";
        client.send(format!("{head}content-length: {}\r\n\r\n{body}", body.len())).await;
        assert_eq!(client.answer().await.status(), 400);
    };
    log_in(0).await;
    std::fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();
    let before = peak(pid);
    for number in 0..10 {
        // One alone, and several at once.
        log_in(number).await;
        tokio::join!(log_in(number), log_in(number), log_in(number));
    }
    let growth = peak(pid).saturating_sub(before);
    // Two buffers, whatever the number of logins.
    assert!(growth < 54 * MIB, "it grew by {growth} from {before}");
}

#[tokio::test]
async fn http1_bodies_do_not_grow_memory() {
    stays_small(1024 * MIB, |address, host, size| async move {
        let mut client = raw::Client::to(address).await;
        client.send(format!("GET /{size} HTTP/1.1\r\nhost: {host}\r\n\r\n")).await;
        assert_eq!(client.answer_head().await.header("content-length"), Some(&*size.to_string()));
        let (mut room, mut left) = (vec![0; PIECE.len()], size);
        while left > 0 {
            let most = room.len().min(usize::try_from(left).unwrap());
            let read = client.0.read(&mut room[..most]).await.unwrap();
            assert!(read > 0, "{left} bytes did not come");
            left -= read as u64;
        }
        client
            .send(format!(
                "POST /{size} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {size}\r\n\r\n"
            ))
            .await;
        for _ in 0..size / PIECE.len() as u64 {
            client.0.write_all(&PIECE).await.unwrap();
        }
        assert_eq!(client.answer().await.text(), "all");
    })
    .await;
}

#[tokio::test]
async fn http2_bodies_do_not_grow_memory() {
    // The client's own HTTP/2, not optimised, takes longest by far.
    stays_small(512 * MIB, |address, host, size| async move {
        let client = http2::Client::to(address).await;
        let given = http2::request("GET", &host, &format!("/chunked/{size}"));
        let mut answer = client.send(given.body(http2::empty()).unwrap()).await;
        let mut got = 0;
        while let Some(frame) = answer.frame().await {
            got += frame.unwrap().into_data().unwrap().len() as u64;
        }
        assert_eq!(got, size);
        let (pipe, body) = http2::pipe();
        let given =
            http2::request("POST", &host, &format!("/{size}")).header("content-length", size);
        let upload = async move {
            for _ in 0..size / PIECE.len() as u64 {
                pipe.send(Frame::data(PIECE.clone())).await.unwrap();
            }
        };
        let (answer, ()) = tokio::join!(client.send(given.body(body).unwrap()), upload);
        assert_eq!(http2::text(answer).await.0, "all");
    })
    .await;
}
