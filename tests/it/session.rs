//! The sessions of the guide and of the README, and the demo.

use ovhai_test_support::TestCli;

use crate::OVHAI;

#[test]
fn the_demo_walks_through_the_guide() {
    let cli = TestCli::new(OVHAI);
    let said = cli.ok(&["demo"]);
    for step in ["# 1. ", "# 10. ", "Hello, World!", "401 Unauthorized", "403 Forbidden", "# Done."]
    {
        assert!(said.contains(step), "{step}: {said}");
    }
    assert!(cli.is_untouched(), "nothing of it stays");
}

#[test]
fn the_session_of_the_guide_runs() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&[
        "app",
        "run",
        "--label",
        "group=A",
        "infrastructureascode/hello-world",
        "--name",
        "hello",
        "--wait",
    ]);
    let listed = cli.ok(&["app", "list"]);
    let shown = cli.ok(&["app", "get", "hello"]);
    let app = cli.json(&["app", "get", "hello"]);
    let id = app["id"].as_str().unwrap();
    let row = listed.lines().find(|line| line.contains("hello")).unwrap();
    assert_eq!(row.split_whitespace().next(), Some(id), "the id is the first column");
    let (url, labels) = (shown.find("URL:").unwrap(), shown.find("Labels:").unwrap());
    assert!(url < labels, "the URL stands above the labels");
    for label in ["group:    A".to_owned(), format!("ovh/id:   {id}"), "ovh/type: app".into()] {
        assert!(shown[labels..].contains(&label), "{label}: {shown}");
    }

    assert_eq!(cli.ok(&["app", "curl", "hello"]), "Hello, World!", "as the owner");

    let made = cli
        .command(&[
            "token",
            "new",
            "reader",
            "--selector",
            "group=A",
            "--role",
            "read",
            "--region",
            "GRA",
        ])
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&made.stdout), String::from_utf8_lossy(&made.stderr));
    let token = out.lines().find_map(|line| line.strip_prefix("Token:")).unwrap().trim().to_owned();
    assert!(err.contains("credentials.json (mode 0600; no keyring is used)"), "{err}");
    assert_eq!(cli.ok(&["app", "curl", "hello"]), "Hello, World!");
    assert!(!cli.ok(&["token", "list"]).contains(&token));
    assert!(!cli.ok(&["token", "get", "reader", "-o", "json"]).contains(&token));

    // The environment overrides stored tokens.
    let bad =
        cli.command(&["app", "curl", "--fail", "hello"]).env("OVHAI_TOKEN", "x").output().unwrap();
    assert_eq!(bad.status.code(), Some(22), "{}", String::from_utf8_lossy(&bad.stderr));

    cli.ok(&["token", "regenerate", "reader", "--yes"]);
    let old = cli
        .command(&["app", "curl", "--fail", "hello"])
        .env("OVHAI_TOKEN", &token)
        .output()
        .unwrap();
    assert_eq!(old.status.code(), Some(22), "the old string is refused");
    assert_eq!(cli.ok(&["app", "curl", "hello"]), "Hello, World!", "the new one is stored");

    let selector = format!("ovh/id={id}");
    let op = cli.json(&[
        "token",
        "new",
        "op",
        "--selector",
        &selector,
        "--role",
        "operator",
        "--region",
        "GRA",
    ]);
    let op = op["status"]["value"].as_str().unwrap();
    cli.ok(&["--token", op, "app", "stop", "hello", "--wait"]);
    let (code, _) = cli.fails(&["app", "curl", "--fail", "hello"]);
    assert_eq!(code, 22);
    cli.ok(&["app", "start", "hello", "--wait", "--token", op]);
    let (code, said) = cli.fails(&["--token", op, "token", "list"]);
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("may not manage tokens"), "{said}");

    cli.ok(&["token", "delete", "reader"]);
    cli.ok(&["token", "delete", "op", "--yes"]);
    assert_eq!(cli.ok(&["app", "curl", "hello"]), "Hello, World!", "as the owner again");
    cli.ok(&["app", "delete", "hello", "--force"]);
}

#[test]
fn the_command_of_the_readme_runs_a_local_process() {
    let cli = TestCli::new(OVHAI);
    std::fs::write(cli.home().join("here.txt"), "found").unwrap();
    cli.ok(&[
        "app",
        "run",
        "--label",
        "group=A",
        "python:3",
        "--runtime",
        "process",
        "--name",
        "py",
        "--wait",
        "--",
        "python3",
        "-m",
        "http.server",
        "{port}",
    ]);
    cli.ok(&["token", "create", "reader", "-l", "group=A", "-r", "read"]);
    assert_eq!(
        cli.ok(&["app", "curl", "py", "/here.txt"]),
        "found",
        "it runs where the command was typed"
    );
}

/// `curl` itself, where it resolves `*.localhost`.
#[test]
fn curl_reaches_the_app_at_its_address() {
    let cli = TestCli::new(OVHAI);
    let app = cli.json(&[
        "app",
        "run",
        "--label",
        "group=A",
        "infrastructureascode/hello-world",
        "--wait",
    ]);
    let token = cli.json(&["token", "new", "reader", "--selector", "group=A", "--role", "read"]);
    let (url, token) =
        (app["status"]["url"].as_str().unwrap(), token["status"]["value"].as_str().unwrap());
    let port = url.rsplit(':').next().unwrap();
    let host = url.strip_prefix("http://").unwrap().split(':').next().unwrap();
    let output = std::process::Command::new("curl")
        .args([
            "-s",
            "--resolve",
            &format!("{host}:{port}:127.0.0.1"),
            "-H",
            &format!("Authorization: Bearer {token}"),
            &format!("{url}/"),
        ])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "Hello, World!");
}
