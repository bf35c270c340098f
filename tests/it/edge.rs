//! Fidelity: requests reach the app unchanged, answers reach the client
//! unchanged, and a failure of one side never looks like success to the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ovhai_emulator::Limits;
use ovhai_test_support::backpressure::send_until_blocked;
use ovhai_test_support::raw::{Client, SOON, TARGETS, get, header};
use ovhai_test_support::recorder::{OPEN, RecordingApp, app, at};
use ovhai_test_support::retry::{ClosingAtTheSecond, End, TRIED_AGAIN};
use ovhai_test_support::{TestEmulator, Upstream, eventually, http2};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

/// An app that answers each head with these bytes, and closes the connection if `close` is set.
async fn answering(bytes: &[u8], close: bool) -> (TestEmulator, String, Client, Upstream) {
    let bytes: Arc<[u8]> = bytes.into();
    app(move |mut stream| {
        let bytes = Arc::clone(&bytes);
        async move {
            while Upstream::head(&mut stream).await.is_some() {
                if stream.write_all(&bytes).await.is_err() || close {
                    return;
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn targets_pass_byte_for_byte() {
    let wire = RecordingApp::start().await;
    let mut client = wire.connect().await;
    for target in TARGETS {
        client.send(wire.request(&format!("GET {target}"), "")).await;
        assert_eq!(client.answer().await.text(), format!("GET {target}"));
        let absolute = format!("GET http://{}{target}", wire.host);
        client.send(wire.request(&absolute, "")).await;
        assert_eq!(client.answer().await.text(), format!("GET {target}"), "in absolute form");
    }
    client.send(wire.request(&format!("GET http://{}", wire.host), "")).await;
    assert_eq!(client.answer().await.text(), "GET /", "an absolute target without a path");
}

#[tokio::test]
async fn methods_and_header_names_keep_their_case() {
    let wire = RecordingApp::start().await;
    let mut client = wire.connect().await;
    for method in [
        "GET",
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
        "OPTIONS",
        "PROPFIND",
        "M-SEARCH",
        "get",
        "X!#$%&'*+-.^_`|~1",
    ] {
        client.send(wire.request(&format!("{method} /m"), "")).await;
        assert_eq!(client.answer().await.text(), format!("{method} /m"));
        let with_body = wire.request(&format!("{method} /b"), "content-length: 4\r\n") + "body";
        client.send(with_body).await;
        assert_eq!(client.answer().await.text(), format!("{method} /b"));
    }
    assert!(wire.seen.of("/b").iter().all(|saw| saw.body.as_deref() == Some(b"body")));
    let head = format!(
        "POST /case HTTP/1.1\r\nHOST: {}\r\ntRaNsFeR-eNcOdInG:\tChunked \r\nX-Odd: a, b\t c\r\nx-ODD: d\r\nx-empty:\r\nx-latin: \u{e9}\r\n\r\n",
        wire.host
    );
    client.send(head + "5\r\nhello\r\n0\r\n\r\n").await;
    assert_eq!(client.answer().await.text(), "POST /case");
    let saw = &wire.seen.of("/case")[0];
    let head = saw.head.to_lowercase();
    assert!(head.contains("x-odd: a, b\t c\r\n") && head.contains("x-odd: d\r\n"), "{head}");
    assert_eq!((header(&head, "x-empty"), header(&head, "x-latin")), (Some(""), Some("\u{e9}")));
    let body = saw.body.clone().unwrap();
    assert!(body.windows(5).any(|part| part == b"hello") && body.ends_with(b"0\r\n\r\n"));
}

#[tokio::test]
async fn trailers_pass_in_both_directions() {
    let (_e, host, mut client, _upstream) = app(|mut stream| async move {
        Upstream::head(&mut stream).await.unwrap();
        let mut body = Vec::new();
        while !body.ends_with(b"\r\n\r\n") {
            body.push(stream.read_u8().await.unwrap());
        }
        let body = String::from_utf8(body).unwrap().to_lowercase();
        assert!(body.contains("0\r\nx-sum: 123\r\n\r\n"), "{body}");
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-back\r\n\r\n2\r\nhi\r\n0\r\nx-back: 456\r\n\r\n").await.unwrap();
        let _ = stream.read(&mut [0]).await;
    })
    .await;
    let head = format!(
        "POST / HTTP/1.1\r\nhost: {host}\r\nte: trailers\r\ntrailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    client.send(head + "2\r\nhi\r\n0\r\nx-sum: 123\r\n\r\n").await;
    let head = client.answer_head().await;
    assert_eq!((head.status(), head.header("trailer")), (200, Some("x-back")));
    let body = String::from_utf8(client.until(b"\r\n\r\n").await).unwrap().to_lowercase();
    assert!(body.ends_with("0\r\nx-back: 456\r\n\r\n"), "{body}");
}

#[tokio::test]
async fn early_hints_pass() {
    let hints = b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </b.css>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
    let (_e, host, mut client, _upstream) = answering(hints, false).await;
    for _ in 0..2 {
        client.send(get(&host, "/")).await;
        for link in ["</a.css>; rel=preload", "</b.css>"] {
            let hint = client.answer_head().await;
            assert_eq!((hint.status(), hint.header("link")), (103, Some(link)), "{}", hint.head);
        }
        assert_eq!(client.answer().await.text(), "hi");
    }
    // HTTP/1.0 has neither.
    client.send(format!("GET / HTTP/1.0\r\nhost: {host}\r\n\r\n")).await;
    let answer = String::from_utf8_lossy(&client.rest().await).into_owned();
    assert!(!answer.contains(" 103 ") && answer.ends_with("hi"), "{answer}");
}

/// Answers without a body keep their headers, and the connection stays usable.
#[tokio::test]
async fn answers_without_a_body_end_with_their_head() {
    let (_e, host, mut client, upstream) = app(|mut stream| async move {
        while let Some(head) = Upstream::head(&mut stream).await {
            let answer: &[u8] = match head.split(' ').nth(1).unwrap() {
                "/204" => b"HTTP/1.1 204 No Content\r\nx-a: 1\r\n\r\n",
                "/304" => {
                    b"HTTP/1.1 304 Not Modified\r\netag: \"e\"\r\ncontent-length: 1000\r\n\r\n"
                }
                "/head" => b"HTTP/1.1 200 OK\r\ncontent-length: 12345\r\n\r\n",
                "/chunked" => b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
                "/empty" => b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
                "/wrong" => b"HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n",
                "/205" => b"HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n",
                _ => b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
            };
            stream.write_all(answer).await.unwrap();
        }
    })
    .await;
    for _ in 0..2 {
        for (method, target, status, length) in [
            ("GET", "/204", 204, None),
            ("GET", "/wrong", 204, None),
            ("GET", "/304", 304, Some("1000")),
            ("HEAD", "/head", 200, Some("12345")),
            ("HEAD", "/chunked", 200, None),
            ("GET", "/empty", 200, Some("0")),
            ("GET", "/205", 205, Some("0")),
        ] {
            client.send(format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\n\r\n")).await;
            let got = client.answer_head().await;
            assert_eq!((got.status(), got.header("content-length")), (status, length), "{target}");
            client.send(get(&host, "/next")).await;
            assert_eq!(client.answer().await.text(), "hi", "after {target}");
        }
    }
    // A connection is not reused after HEAD, or after 204 with a length: some apps send a body
    // nevertheless.
    assert_eq!(upstream.connections(), 7, "every other answer left the connection in order");
}

/// Bytes after the head of a response to HEAD are never taken for another response.
#[tokio::test]
async fn a_body_after_a_head_answer_is_discarded() {
    let (_e, host, mut client, _upstream) = app(|mut stream| async move {
        while let Some(head) = Upstream::head(&mut stream).await {
            let is_head = head.starts_with("HEAD");
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
            let (first, rest) = answer.split_at(if is_head { answer.len() - 2 } else { 0 });
            stream.write_all(first).await.unwrap();
            tokio::task::yield_now().await;
            // The client may have its response already.
            if stream.write_all(rest).await.is_err() {
                return;
            }
        }
    })
    .await;
    for _ in 0..20 {
        let both = format!("HEAD / HTTP/1.1\r\nhost: {host}\r\n\r\n") + &get(&host, "/next");
        client.send(both).await;
        assert_eq!(client.answer_head().await.status(), 200);
        assert_eq!(client.answer().await.text(), "hi");
    }
}

/// So are bytes after a 204 that announces a length.
#[tokio::test]
async fn a_body_after_204_is_discarded() {
    for length in ["content-length: 40", "transfer-encoding: chunked"] {
        let (_e, host, mut client, _upstream) = app(move |mut stream| async move {
            while let Some(head) = Upstream::head(&mut stream).await {
                if head.contains("/none") {
                    let head = format!("HTTP/1.1 204 No Content\r\n{length}\r\n\r\n");
                    stream.write_all(head.as_bytes()).await.unwrap();
                    // Once the connection could be reused.
                    if Upstream::head(&mut stream).await.is_none() {
                        return;
                    }
                }
                let text = if head.contains("/none") { "no" } else { "hi" };
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{text}");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        })
        .await;
        client.send(get(&host, "/none") + &get(&host, "/next")).await;
        assert_eq!(client.answer_head().await.status(), 204);
        assert_eq!(client.answer().await.text(), "hi", "{length}");
    }
}

/// A client without chunked coding sees the end of an answer by the end of the connection.
#[tokio::test]
async fn http10_clients_with_keep_alive_see_the_end_of_each_answer() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"[..],
        b"HTTP/1.0 200 OK\r\n\r\nhi",
    ] {
        let (_e, host, mut client, _upstream) =
            answering(answer, answer.starts_with(b"HTTP/1.0")).await;
        let request = format!("GET / HTTP/1.0\r\nhost: {host}\r\nconnection: keep-alive\r\n\r\n");
        client.send(request.repeat(2)).await;
        let all = String::from_utf8_lossy(&client.rest().await).into_owned();
        assert!(all.contains("connection: close\r\n") && all.ends_with("\r\n\r\nhi"), "{all}");
        assert_eq!(all.matches("HTTP/1.1 200").count(), 1, "{all}");
    }
}

/// A retry after part of an answer would repeat it.
#[tokio::test]
async fn no_request_is_retried_after_an_early_hint() {
    let (heads, hinted) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (of_app, has_hint) = (Arc::clone(&heads), Arc::clone(&hinted));
    let (_e, host, mut client, _upstream) = app(move |mut stream| {
        let (heads, hinted) = (Arc::clone(&of_app), Arc::clone(&has_hint));
        async move {
            while Upstream::head(&mut stream).await.is_some() {
                if heads.fetch_add(1, Ordering::SeqCst) == 1 {
                    let hint = b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n";
                    stream.write_all(hint).await.unwrap();
                    hinted.notified().await;
                    stream.set_zero_linger().unwrap();
                    return;
                }
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
                stream.write_all(answer).await.unwrap();
            }
        }
    })
    .await;
    client.send(get(&host, "/")).await;
    assert_eq!(client.answer().await.text(), "hi");
    client.send(get(&host, "/")).await;
    assert_eq!(client.answer_head().await.status(), 103);
    hinted.notify_one();
    assert_eq!(client.answer().await.status(), 502);
    assert_eq!(heads.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn repeated_headers_keep_their_order() {
    let answer = b"HTTP/1.1 200 Fine, thanks\r\nset-cookie: a=1; Path=/\r\nx-other: 1\r\nSet-Cookie: b=2, c\r\nvary: a\r\nset-cookie: a=3\r\nvary: b\r\nx-empty:\r\ncontent-length: 2\r\n\r\nhi";
    let (_e, host, mut client, _upstream) = answering(answer, false).await;
    client.send(get(&host, "/")).await;
    let got = client.answer().await;
    let values = |name: &str| -> Vec<String> {
        let lines = got.head.lines().filter_map(|line| line.split_once(':'));
        let of = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        of.map(|(_, value)| value.trim().to_owned()).collect()
    };
    assert_eq!(values("set-cookie"), ["a=1; Path=/", "b=2, c", "a=3"]);
    assert_eq!(values("vary"), ["a", "b"]);
    assert_eq!(values("x-empty"), [""]);
    assert_eq!(got.text(), "hi");
}

#[tokio::test]
async fn bodies_pass_with_every_framing() {
    for (answer, close) in [
        (&b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nhello world"[..], false),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n \r\n5\r\nworld\r\n0\r\n\r\n", false),
        (b"HTTP/1.1 200 OK\r\n\r\nhello world", true),
        (b"HTTP/1.0 200 OK\r\n\r\nhello world", true),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 11\r\n\r\nhello world", true),
        (b"HTTP/1.1 200\r\ncontent-length: 11\r\nconnection: close\r\n\r\nhello world", true),
    ] {
        let (e, host, mut client, _upstream) = answering(answer, close).await;
        let shown = String::from_utf8_lossy(answer);
        client.send(format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")).await;
        let all = String::from_utf8(client.rest().await).unwrap();
        let (head, body) = all.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{shown:?}: {all}");
        let chunked = header(head, "transfer-encoding").is_some();
        assert!(chunked || header(head, "content-length") == Some("11"), "it has an end: {all}");
        assert!(!chunked || body.ends_with("0\r\n\r\n"), "{all}");
        let data: String = if chunked {
            body.split("\r\n").skip(1).step_by(2).collect()
        } else {
            body.to_owned()
        };
        assert_eq!(data, "hello world", "{shown:?}");
        // HTTP/1.0 clients get no chunks.
        let mut old = Client::connect(&e).await;
        old.send(format!("GET / HTTP/1.0\r\nhost: {host}\r\n\r\n")).await;
        let all = String::from_utf8(old.rest().await).unwrap();
        assert!(all.ends_with("\r\n\r\nhello world"), "{shown:?}: {all}");
    }
}

/// Each event arrives before the next is sent: nothing buffers them.
#[tokio::test]
async fn each_event_passes_before_the_next() {
    let seen = Arc::new(Notify::new());
    let go_on = Arc::clone(&seen);
    let (_e, host, mut client, _upstream) = app(move |mut stream| {
        let go_on = Arc::clone(&go_on);
        async move {
            Upstream::head(&mut stream).await.unwrap();
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
                .await
                .unwrap();
            for number in 0..50 {
                go_on.notified().await;
                stream.write_all(format!("data: {number}\n\n").as_bytes()).await.unwrap();
            }
        }
    })
    .await;
    client.send(get(&host, "/")).await;
    let head = client.answer_head().await;
    assert_eq!(head.header("content-type"), Some("text/event-stream"), "before any event");
    for number in 0..50 {
        seen.notify_one();
        client.until(format!("data: {number}\n\n").as_bytes()).await;
    }
}

/// Before the head of the answer, and during its body.
#[tokio::test]
async fn the_app_sees_that_a_client_left() {
    let gone = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&gone);
    let (e, host, _client, upstream) = app(move |mut stream| {
        let count = Arc::clone(&count);
        async move {
            let head = Upstream::head(&mut stream).await.unwrap();
            if head.starts_with("GET /body") {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nfirst").await;
            }
            let _ = stream.read_to_end(&mut Vec::new()).await;
            count.fetch_add(1, Ordering::SeqCst);
        }
    })
    .await;
    for (number, target) in ["/thinks", "/body"].into_iter().enumerate() {
        let mut client = Client::connect(&e).await;
        client.send(get(&host, target)).await;
        if target == "/body" {
            client.answer_head().await;
        } else {
            eventually("the app has it", || async { (upstream.connections() > 0).then_some(()) })
                .await;
        }
        drop(client);
        eventually("the app sees it", || async {
            (gone.load(Ordering::SeqCst) > number).then_some(())
        })
        .await;
    }
}

/// The gateway reads nothing of the client while the app does not read the body.
#[tokio::test]
async fn the_app_sees_that_a_client_left_behind_unread_bytes() {
    for (target, answers) in [("/thinks", false), ("/body", true)] {
        let (may_look, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (look, is_gone) = (Arc::clone(&may_look), Arc::clone(&gone));
        let (e, host, mut client, _upstream) = app(move |mut stream| {
            let (look, is_gone) = (Arc::clone(&look), Arc::clone(&is_gone));
            async move {
                Upstream::head(&mut stream).await.unwrap();
                if answers {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nfirst").await;
                }
                // It reads nothing until the gateway has closed.
                look.notified().await;
                eventually("the gateway closes", || async {
                    let closed = stream.ready(tokio::io::Interest::READABLE).await.unwrap();
                    closed.is_read_closed().then_some(())
                })
                .await;
                is_gone.notify_one();
            }
        })
        .await;
        client
            .send(format!(
                "POST {target} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 100000000\r\n\r\n"
            ))
            .await;
        if answers {
            client.answer_head().await;
        }
        send_until_blocked(&mut client, &vec![b'x'; 1 << 20], &e).await;
        // A reset overtakes unread bytes.
        client.0.set_zero_linger().unwrap();
        drop(client);
        may_look.notify_one();
        tokio::time::timeout(SOON, gone.notified()).await.expect("the app sees the end");
        drop(e);
    }
}

/// The part that the app sent arrives.
#[tokio::test]
async fn an_incomplete_answer_never_looks_complete() {
    for (answer, sent, has_end) in [
        (&b"HTTP/1.1 200 OK\r\nx-a: 1\r\ncontent-length: 10\r\n\r\nhello"[..], "hello", true),
        (b"HTTP/1.1 200 OK\r\nx-a: 1\r\ncontent-length: 10\r\n\r\n", "", true),
        (
            b"HTTP/1.1 200 OK\r\nx-a: 1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "hello",
            true,
        ),
        (b"HTTP/1.1 200 OK\r\nx-a: 1\r\ntransfer-encoding: chunked\r\n\r\n", "", true),
        (
            b"HTTP/1.1 200 OK\r\nx-a: 1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
            "hello",
            true,
        ),
        (
            b"HTTP/1.1 200 OK\r\nx-a: 1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
            "hello",
            true,
        ),
        (b"HTTP/1.1 200 OK\r\nx-a: 1\r\n\r\nhello", "hello", false),
    ] {
        let shown = String::from_utf8_lossy(answer);
        let bytes: Arc<[u8]> = answer.into();
        let has_arrived = Arc::new(Notify::new());
        let may_reset = Arc::clone(&has_arrived);
        let (_e, host, mut client, _upstream) = app(move |mut stream| {
            let (bytes, may_reset) = (Arc::clone(&bytes), Arc::clone(&may_reset));
            async move {
                Upstream::head(&mut stream).await.unwrap();
                stream.write_all(&bytes).await.unwrap();
                if has_end {
                    return;
                }
                // A body without a length may end with the connection, but not with its reset.
                may_reset.notified().await;
                stream.set_zero_linger().unwrap();
            }
        })
        .await;
        client.send(get(&host, "/")).await;
        let mut all = Vec::new();
        if !has_end {
            all = client.until(sent.as_bytes()).await;
            has_arrived.notify_one();
        }
        all.extend(client.rest().await);
        let all = String::from_utf8(all).unwrap();
        let (head, body) =
            all.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{shown:?}: {all:?}"));
        assert!(head.starts_with("HTTP/1.1 200"), "{shown:?}: {all:?}");
        assert_eq!(header(head, "x-a"), Some("1"), "nothing of the head is lost");
        assert!(body.contains(sent), "{shown:?}: {all:?}");
        assert!(!body.ends_with("0\r\n\r\n"), "it looks whole: {shown:?}: {all:?}");
        let length = header(head, "content-length").map_or(usize::MAX, |l| l.parse().unwrap());
        assert!(body.len() < length, "{shown:?}: {all:?}");
    }
}

/// The client's connection stays usable.
#[tokio::test]
async fn malformed_answers_are_502_and_keep_the_connection() {
    let huge =
        format!("HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 0\r\n\r\n", "y".repeat(300 * 1024));
    let many = format!("HTTP/1.1 200 OK\r\n{}content-length: 0\r\n\r\n", "x: y\r\n".repeat(20_000));
    let answers: Vec<Vec<u8>> = [
        "",
        "rubbish\r\n\r\n",
        "HTTP/1.1 200",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nbad header: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "\0\x01\x02\x03",
        "HTTP/1.1 200 OK\r\nx",
        &huge,
        &many,
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    ]
    .into_iter()
    .map(|answer| answer.as_bytes().to_vec())
    .collect();
    let count = answers.len();
    let answers = Arc::new(answers);
    let (_e, host, mut client, _upstream) = app(move |mut stream| {
        let answers = Arc::clone(&answers);
        async move {
            while let Some(head) = Upstream::head(&mut stream).await {
                let number = head.split(' ').nth(1).unwrap()[1..].parse::<usize>();
                let Ok(number) = number else {
                    stream
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
                        .await
                        .unwrap();
                    continue;
                };
                let _ = stream.write_all(&answers[number]).await;
                return;
            }
        }
    })
    .await;
    for number in 0..count {
        client.send(get(&host, &format!("/{number}"))).await;
        let got = client.answer().await;
        assert_eq!(got.status(), 502, "{number}: {}", got.head);
        assert!(got.text().contains("\"message\""), "{}", got.text());
        client.send(get(&host, "/fine")).await;
        assert_eq!(client.answer().await.text(), "hi", "after {number}");
    }
}

#[tokio::test]
async fn an_app_can_answer_before_the_upload_ends() {
    let (e, host, mut client, _upstream) = app(|mut stream| async move {
        let head = Upstream::head(&mut stream).await.unwrap();
        let answer = b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\nconnection: close\r\n\r\nno!";
        stream.write_all(answer).await.unwrap();
        if head.starts_with("POST /reads") {
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    })
    .await;
    // The upload never ends, and the gateway does not wait for it.
    client
        .send(format!(
            "POST /reads HTTP/1.1\r\nhost: {host}\r\ncontent-length: 1000000\r\n\r\nbegin"
        ))
        .await;
    let got = client.answer().await;
    assert_eq!((got.status(), got.text().as_str()), (413, "no!"));
    // The body arrives after the app closed the connection.
    let mut client = Client::connect(&e).await;
    client
        .send(format!("POST /leaves HTTP/1.1\r\nhost: {host}\r\ncontent-length: 1000000\r\n\r\n"))
        .await;
    let (mut reader, mut writer) = client.0.split();
    let body = vec![b'x'; 1_000_000];
    let mut seen = Vec::new();
    let talk = async {
        let (_, read) = tokio::join!(writer.write_all(&body), async {
            while !seen.ends_with(b"no!") {
                if reader.read_buf(&mut seen).await? == 0 {
                    break;
                }
            }
            std::io::Result::Ok(())
        });
        read.unwrap();
    };
    tokio::time::timeout(SOON, talk).await.expect("an answer");
    let seen = String::from_utf8_lossy(&seen).into_owned();
    assert!(seen.starts_with("HTTP/1.1 413") && seen.ends_with("no!"), "{seen}");
}

#[tokio::test]
async fn only_safe_requests_are_retried() {
    for (method, part, tries, status, why) in TRIED_AGAIN {
        for end in [End::InOrder, End::Reset] {
            let app = ClosingAtTheSecond::start(part, end).await;
            let spec = serde_json::from_str(OPEN).unwrap();
            let (e, of) = at(TestEmulator::builder(), &app.upstream, spec).await;
            let (host, mut client) = (TestEmulator::host(&of), Client::connect(&e).await);
            client.send(get(&host, "/first")).await;
            assert_eq!(client.answer().await.text(), "hi");
            let line = format!("{method} /second HTTP/1.1\r\nhost: {host}\r\n");
            client.send(line + "content-length: 0\r\n\r\n").await;
            let mut answer = client.answer().await;
            while answer.status() == 103 {
                answer = client.answer().await;
            }
            let tried = app.tries.load(Ordering::SeqCst);
            assert_eq!((tried, answer.status()), (tries, status), "{method}, {end:?}: {why}");
        }
    }
}

/// An app that closes an idle connection only after a while, and takes as long for the request that
/// is sent again.
#[tokio::test]
async fn a_retried_request_has_the_whole_answer_timeout() {
    const TIMEOUT: Duration = Duration::from_secs(4);
    // Twice as much is more than the time-out.
    const WHILE: Duration = Duration::from_millis(2500);
    let try_over = async |over_http2: bool| {
        let count = AtomicUsize::new(0);
        let upstream = Upstream::start(move |mut stream| {
            let is_first = count.fetch_add(1, Ordering::SeqCst) == 0;
            async move {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
                Upstream::head(&mut stream).await;
                if !is_first {
                    tokio::time::sleep(WHILE).await;
                }
                stream.write_all(answer).await.unwrap();
                if is_first && Upstream::head(&mut stream).await.is_some() {
                    tokio::time::sleep(WHILE).await;
                } else {
                    let _ = stream.read_to_end(&mut Vec::new()).await;
                }
            }
        })
        .await;
        let limits = Limits { answer_timeout: TIMEOUT, ..Limits::default() };
        let builder = TestEmulator::builder().limits(limits);
        let (e, of) = at(builder, &upstream, serde_json::from_str(OPEN).unwrap()).await;
        let (host, mut client) = (TestEmulator::host(&of), Client::connect(&e).await);
        let http2 = http2::Client::connect(&e).await;
        for _ in 0..2 {
            let status = if over_http2 {
                http2.get(&host, "/").await.status().as_u16()
            } else {
                client.send(get(&host, "/")).await;
                client.answer().await.status()
            };
            assert_eq!(status, 200, "over HTTP/2: {over_http2}");
        }
        assert_eq!(upstream.connections(), 2);
    };
    tokio::join!(try_over(false), try_over(true));
}
