//! `app port-forward`.

use std::io::Read;
use std::net::TcpStream;

use ovhai_test_support::TestCli;
use ovhai_test_support::forward::Forward;
use ovhai_test_support::processes::app_file;
use serde_json::Value;

use crate::OVHAI;

/// Another program may take the port of an emulator that has stopped.
#[test]
fn the_credential_is_sent_only_to_the_emulator() {
    let cli = TestCli::new(OVHAI);
    let started = cli.json(&["app", "run", "ovhai/echo", "--name", "e", "--wait"]);
    let url = started["status"]["url"].as_str().unwrap();
    let port: u16 = url.rsplit(':').next().unwrap().parse().unwrap();
    let forward = Forward::start(&cli, &["e", "0"]);
    assert!(forward.get("/", "").starts_with("HTTP/1.1 200"));
    cli.ok(&["emulator", "stop"]);
    let other = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let heard = std::thread::spawn(move || {
        let mut heard = String::new();
        let (mut stream, _) = other.accept().unwrap();
        stream.read_to_string(&mut heard).unwrap();
        heard
    });
    let answer = forward.get("/", "");
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    assert!(answer.contains("has stopped: start it again"), "{answer}");
    assert_eq!(heard.join().unwrap(), "", "not even a request");
}

#[test]
fn a_forwarded_port_adds_the_token_and_serves_only_this_machine() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "e", "--label", "g=a", "--wait"]);
    cli.ok(&["token", "new", "t", "--selector", "g=a", "--role", "read"]);
    let forward = Forward::start(&cli, &["e", "0"]);
    let port = forward.address.rsplit(':').next().unwrap().to_owned();
    let own = format!("Origin: http://{}\r\n", forward.address);
    let answer = forward.get("/a/../b?c", &own);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let seen: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(seen["target"], "/a/../b?c");
    assert_eq!(seen["headers"]["host"][0], forward.address.as_str(), "as the client asked");
    assert_eq!(seen["headers"]["origin"][0], format!("http://{}", forward.address));
    assert_eq!(seen["headers"]["authorization"], Value::Null, "it ends at the gateway");
    let answer = forward.get("/", "Authorization: Bearer mine\r\n");
    assert!(answer.starts_with("HTTP/1.1 401 "), "its own is kept: {answer}");

    let with_host = |host: &str| {
        forward.raw(&format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
    };
    for good in ["localhost", "127.0.0.1:1", "[::1]:80"] {
        assert!(with_host(good).starts_with("HTTP/1.1 200 "), "{good}");
    }
    for bad in ["evil.example", "localhost.evil.example", "x@localhost", "10.0.0.1"] {
        assert!(with_host(bad).starts_with("HTTP/1.1 421 "), "{bad}");
    }
    let absolute =
        "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert!(forward.raw(absolute).starts_with("HTTP/1.1 421 "));
    // Another port of this machine is another origin, and so is another name of it.
    for foreign in [
        "http://evil.example",
        "null",
        "http://127.0.0.1:1",
        &format!("http://localhost:{port}"),
        &format!("https://{}", forward.address),
    ] {
        let answer = forward.get("/", &format!("Origin: {foreign}\r\n"));
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        assert!(answer.contains("--allow-origin URL"), "{answer}");
    }

    // Two requests on one connection, the first with a body in pieces.
    let answer = forward.raw(&format!(
        "POST /one HTTP/1.1\r\nHost: localhost:{port}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\nGET /two HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    ));
    assert!(answer.contains("\"body\": \"abc\"") && answer.contains("\"/two\""), "{answer}");

    cli.ok(&["token", "regenerate", "t", "--yes"]);
    assert!(forward.get("/", "").starts_with("HTTP/1.1 200 "), "the new string is looked up");
    let said = std::fs::read_to_string(cli.home().join("said")).unwrap();
    assert!(said.contains("Using the string that is stored for it now"), "{said}");
    assert!(!said.contains("eyJ"), "{said}");

    let (code, said) = cli.fails(&["app", "port-forward", "e", &port]);
    assert_eq!(code, 1);
    assert!(said.contains("can't listen on") && said.contains("hint: "), "{said}");
    let (code, said) = cli.fails(&["app", "port-forward", "e", "--as", "nobody"]);
    assert_eq!(code, 3, "{said}");
    let open = Forward::start(&cli, &["e", "0", "--no-auth"]);
    assert!(open.get("/", "").starts_with("HTTP/1.1 401 "));
}

const SAME_SITE: &str = "Sec-Fetch-Site: same-site\r\n";

/// For browsers, all ports of this machine are the same site.
#[test]
fn pages_of_other_origins_use_the_credential_only_if_allowed() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "e", "--label", "g=a", "--wait"]);
    cli.ok(&["token", "new", "t", "--selector", "g=a", "--role", "read"]);
    let ui = "http://localhost:3000";
    let allowing = [
        "e",
        "0",
        "--allow-origin",
        "http://LOCALHOST:3000/",
        "--allow-origin",
        "https://ui.example",
    ];
    for (forward, is_allowed) in
        [(Forward::start(&cli, &["e", "0"]), false), (Forward::start(&cli, &allowing), true)]
    {
        let own = format!("Origin: http://{}\r\n", forward.address);
        let upgrade = "Connection: upgrade, close\r\nUpgrade: websocket\r\n";
        for (more, passes) in [
            (own.clone(), true),
            (format!("{own}Sec-Fetch-Site: same-origin\r\n"), true),
            ("Sec-Fetch-Site: none\r\n".into(), true),
            // A link that is followed.
            (format!("{SAME_SITE}Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n"), true),
            (format!("{SAME_SITE}Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n"), false),
            (format!("{SAME_SITE}Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n"), false),
            ("Sec-Fetch-Site: cross-site\r\n".into(), false),
            (format!("Origin: {ui}\r\n"), is_allowed),
            (format!("{SAME_SITE}Origin: {ui}\r\n"), is_allowed),
            (format!("{SAME_SITE}Referer: {ui}/\r\n"), is_allowed),
            ("Origin: https://ui.example\r\n".into(), is_allowed),
            ("Origin: http://ui.example\r\n".into(), false),
            ("Origin: http://localhost:3001\r\n".into(), false),
            (format!("{SAME_SITE}Referer: http://localhost:3001/?{ui}\r\n"), false),
            (format!("{own}Origin: http://localhost:3001\r\n"), false),
            (format!("{SAME_SITE}Sec-Fetch-Site: same-origin\r\n"), false),
        ] {
            let answer = forward.get("/", &more);
            let expected = if passes { "HTTP/1.1 200 " } else { "HTTP/1.1 403 " };
            assert!(answer.starts_with(expected), "{is_allowed} {more}: {answer}");
        }
        for (origin, passes) in [(ui, is_allowed), ("http://localhost:3001", false)] {
            let answer = forward.raw(&format!(
                "GET / HTTP/1.1\r\nHost: {}\r\nOrigin: {origin}\r\n{upgrade}\r\n",
                forward.address
            ));
            assert_eq!(answer.starts_with("HTTP/1.1 403 "), !passes, "{origin}: {answer}");
        }
        let seen = forward.get("/", &format!("Origin: {ui}\r\n"));
        assert_eq!(
            seen.contains(&format!("\"{ui}\"")),
            is_allowed,
            "the app sees who asks: {seen}"
        );
    }
    let (code, said) = cli.fails(&["app", "port-forward", "e", "0", "--allow-origin", "*"]);
    assert!(code == 2 && said.contains("http://localhost:3000"), "{said}");
}

/// So that absolute addresses in its answers work for the client.
#[test]
fn the_app_gets_the_address_that_the_client_uses() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "e", "--label", "g=a", "--wait"]);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "open", "--unsecure-http", "--wait"]);
    cli.ok(&["token", "new", "t", "--selector", "g=a", "--role", "read"]);
    let headers = |answer: &str| -> Value {
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        serde_json::from_str::<Value>(body).unwrap()["headers"].clone()
    };
    for app in ["e", "open"] {
        let url = cli.ok(&["app", "open", app, "--url"]).trim().to_owned();
        let forward = Forward::start(&cli, &[app, "0"]);
        let port = forward.address.rsplit(':').next().unwrap().to_owned();
        for host in
            [format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}")]
        {
            let seen = headers(&forward.raw(&format!(
                "GET / HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nReferer: http://{host}/a?b\r\nX-OVHAI-Forwarded-Host: evil.example\r\nAuthorization: {}\r\nConnection: close\r\n\r\n",
                if app == "e" { "" } else { "Basic own" }
            ).replace("Authorization: \r\n", "")));
            assert_eq!(
                (&seen["host"][0], &seen["x-forwarded-host"][0]),
                (&Value::from(host.clone()), &Value::from(host.clone()))
            );
            assert_eq!(seen["x-forwarded-proto"][0], "http");
            assert_eq!(seen["origin"][0], format!("http://{host}"));
            assert_eq!(seen["referer"][0], format!("http://{host}/a?b"));
            for gone in ["x-ovhai-token", "x-ovhai-forwarded-host"] {
                assert!(seen.get(gone).is_none(), "{seen}");
            }
            assert_eq!(seen.get("authorization").is_some(), app == "open", "the app's own");
        }
        // An unauthenticated client gets no other address.
        let host = url.trim_start_matches("http://").trim_end_matches('/');
        let seen = cli.ok(&["app", "curl", app, "-H", "X-OVHAI-Forwarded-Host: evil.example"]);
        let seen: Value = serde_json::from_str(&seen).unwrap();
        assert_eq!(seen["headers"]["x-forwarded-host"][0], host);
    }
    let seen = cli.ok(&["app", "curl", "open", "-H", "X-OVHAI-Forwarded-Host: localhost:1"]);
    let seen: Value = serde_json::from_str(&seen).unwrap();
    assert_ne!(seen["headers"]["x-forwarded-host"][0], "localhost:1", "it came without a bearer");
}

/// Some programs resolve localhost to only one of them.
#[test]
fn a_forwarded_port_listens_on_both_loopback_addresses() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "e", "--unsecure-http", "--wait"]);
    let forward = Forward::start(&cli, &["e", "0"]);
    let port: u16 = forward.address.rsplit(':').next().unwrap().parse().unwrap();
    if std::net::TcpListener::bind((std::net::Ipv6Addr::LOCALHOST, 0)).is_ok() {
        assert!(TcpStream::connect((std::net::Ipv6Addr::LOCALHOST, port)).is_ok());
    }
}

#[test]
fn a_forwarded_port_passes_upgrades() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&[
        "app",
        "run",
        "--name",
        "up",
        "--unsecure-http",
        "--wait",
        "--runtime",
        "process",
        "python:3",
        "--",
        "python3",
        &app_file("upgrader"),
    ]);
    let forward = Forward::start(&cli, &["up", "0"]);
    let answer = forward.get("/", "");
    let here = format!("location: http://{}/there\r\n", forward.address);
    assert!(answer.starts_with("HTTP/1.1 302 ") && answer.contains(&here), "{answer}");
    let mut client = forward.connect();
    client.send(
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
    );
    let switched = client.answer_head();
    assert_eq!((switched.status(), switched.header("upgrade")), (101, Some("echo")));
    for word in ["first", "second"] {
        client.send(word);
        client.until(word.to_uppercase().as_bytes());
    }
    client.finish();
    assert_eq!(client.rest(), b"", "the end is passed on, too");
}

#[test]
fn other_ports_of_an_app_can_be_forwarded() {
    let cli = TestCli::new(OVHAI);
    let run = ["app", "run", "--name", "two", "--label", "g=a", "--cpu", "1", "--wait"];
    let program = ["--runtime", "process", "python:3", "--", "python3", &app_file("two_ports")];
    cli.ok(&[&run[..], &program].concat());
    cli.ok(&["token", "new", "t", "--selector", "g=a", "--role", "read"]);
    let port = cli.ok(&["app", "logs", "two"]).lines().next().unwrap().to_owned();
    let url = cli.ok(&["app", "open", "two", "--url"]).trim().to_owned();
    let other = url.replacen('.', &format!("-{port}."), 1);
    let host = other.strip_prefix("http://").unwrap();
    // The emulator looks once a second for the ports of an app.
    ovhai_test_support::eventually_now("the port is known", || {
        let answer =
            cli.command(&["app", "curl", "two", "--port", &port, "/x?y", "--fail"]).output();
        let answer = answer.unwrap();
        (answer.stdout == format!("other {host} /x?y").as_bytes()).then_some(())
    });
    let asked = format!("{other}/a");
    assert_eq!(cli.ok(&["app", "curl", "two", &asked]), format!("other {host} /a"));
    for own in [&["app", "curl", "two"][..], &["app", "curl", "two", "--port", "8080"]] {
        assert!(cli.ok(own).starts_with("own "), "what the app is known by: {own:?}");
    }

    let forward = Forward::start(&cli, &["two", &format!(":{port}")]);
    assert!(forward.get("/b", "").ends_with(&format!("other {} /b", forward.address)));
    let local = ovhai_test_support::free_port();
    let forward = Forward::start(&cli, &["two", &format!("{local}:{port}")]);
    assert!(forward.address.ends_with(&format!(":{local}")), "{}", forward.address);
    assert!(forward.get("/c", "").ends_with(&format!("other {} /c", forward.address)));

    for (arguments, says) in [
        (&["app", "curl", "two", &asked, "--port", "1"][..], "omit one of them"),
        (&["app", "curl", "two", "--port", "0"], "1..=65535"),
        (&["app", "curl", "two", "http://localhost/"], "--port PORT"),
        (&["app", "curl", "two", "-p", "1"], "--port PORT"),
        (&["app", "port-forward", "two", "1:2:3"], "9000:8081"),
        (&["app", "port-forward", "two", "1:0"], "port 0"),
        (&["app", "port-forward", "two", ":"], "9000:8081"),
    ] {
        let (code, said) = cli.fails(arguments);
        assert!(code == 2 && said.contains(says), "{arguments:?} {code} {said}");
    }
}
