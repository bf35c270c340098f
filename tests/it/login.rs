//! Users, logging in and out, and sessions, on the command line.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use ovhai_emulator::SessionTtl;
use ovhai_test_support::clock::SteppedClock;
use ovhai_test_support::{TestCli, TestEmulator, eventually_now};
use serde_json::{Value, json};

use crate::OVHAI;

/// Runs a command with the password in a variable; returns exit code and stderr.
fn with_password(cli: &TestCli, arguments: &[&str], password: &str) -> (i32, String) {
    let output = cli.command(arguments).env("SECRET", password).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), said)
}

const FROM_ENV: [&str; 2] = ["--password-from-env", "SECRET"];

#[test]
fn the_first_user_logs_in_with_the_password_that_the_owner_can_see() {
    let cli = TestCli::new(OVHAI);
    let owner = cli.ok(&["me"]);
    assert!(
        owner.contains("Authenticated With: emulator owner's key (no login needed)"),
        "{owner}"
    );
    // Its password is hashed meanwhile.
    let shown = eventually_now("the first user is there", || {
        let shown = cli.ok(&["emulator", "status"]);
        shown.contains("Name:     tester").then_some(shown)
    });
    assert!(shown.contains("--show-password"), "{shown}");
    let status = cli.json(&["emulator", "status"]);
    assert_eq!(status["firstUser"]["name"], "tester", "{status}");
    assert!(status["firstUser"].get("password").is_none(), "{status}");
    let status = cli.json(&["emulator", "status", "--show-password"]);
    let password = status["firstUser"]["password"].as_str().unwrap();

    let login = ["login", "-u", "tester", "--password-from-stdin"];
    let wrong = cli.command(&login).write_stdin("not this one\n").output().unwrap();
    let said = String::from_utf8_lossy(&wrong.stderr);
    assert_eq!(wrong.status.code(), Some(4), "{said}");
    assert!(said.contains("invalid_grant") && said.contains("hint: "), "{said}");
    assert!(!said.contains("not this one"), "{said}");
    cli.command(&login).write_stdin(format!("{password}\n")).assert().success();
    assert!(cli.ok(&["me"]).contains("Authenticated With: login\n"));
    let me = cli.json(&["me"]);
    assert_eq!((&me["tokenKind"], &me["role"]), (&json!("oauth"), &json!("administrator")));
    let sessions = cli.home().join(".config/ovhai/sessions.json");
    assert_eq!(std::fs::metadata(&sessions).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!std::fs::read_to_string(&sessions).unwrap().contains(password));

    cli.ok(&["logout"]);
    cli.ok(&["logout"]);
    assert!(!std::fs::read_to_string(&sessions).unwrap().contains("ovhs_"));
    cli.ok(&["app", "list"]);
}

#[test]
fn a_user_logs_in_without_the_rights_of_the_owner() {
    let cli = TestCli::new(OVHAI);
    let (code, said) = cli.fails(&["emulator", "user", "add", "ann"]);
    assert_eq!(code, 2);
    assert!(said.contains("--password-from-env"), "{said}");
    let add = [&["emulator", "user", "add", "ann"][..], &FROM_ENV].concat();
    let (code, said) = with_password(&cli, &add, "short");
    assert!(code == 2 && said.contains("8 to 256"), "{said}");
    assert_eq!(with_password(&cli, &add, "a long password").0, 0);
    let (code, said) = with_password(&cli, &add, "a long password");
    assert!(code == 1 && said.contains("already a user ann"), "{said}");
    let login = [&["login", "--username", "ann"][..], &FROM_ENV].concat();
    assert_eq!(with_password(&cli, &login, "a long password").0, 0);
    assert_eq!(cli.json(&["me"])["name"], "ann");

    let app = cli.json(&["app", "run", "infrastructureascode/hello-world"]);
    assert_eq!(app["user"], "ann");
    let (code, said) = cli.fails(&["app", "run", "x", "--runtime", "process", "--", "sleep", "60"]);
    assert_eq!(code, 4);
    assert!(said.contains("only the emulator's owner may run local processes"), "{said}");
    // The owner of the directory is the owner of the emulator, also during a login.
    assert_eq!(cli.ok(&["emulator", "user", "list", "-o", "name"]), "ann\ntester\n");

    let passwd = [&["emulator", "user", "passwd", "ann"][..], &FROM_ENV].concat();
    assert_eq!(with_password(&cli, &passwd, "another password").0, 0);
    let (code, said) = cli.fails(&["me"]);
    assert_eq!(code, 4);
    assert!(said.contains("ovhai login"), "{said}");
    assert_eq!(with_password(&cli, &login, "a long password").0, 4);
    assert_eq!(with_password(&cli, &login, "another password").0, 0);
    cli.ok(&["emulator", "user", "remove", "ann", "--yes"]);
    assert_eq!(cli.fails(&["me"]).0, 4);
    cli.ok(&["logout"]);
    cli.ok(&["me"]);
    assert_eq!(cli.fails(&["emulator", "user", "remove", "ann", "--yes"]).0, 3);
}

#[test]
fn login_asks_only_in_a_terminal() {
    let cli = TestCli::new(OVHAI);
    let (code, said) = cli.fails(&["login"]);
    assert!(code == 2 && said.contains("--username USER"), "{said}");
    let (code, said) = cli.fails(&["login", "--username", "x"]);
    assert!(code == 2 && said.contains("--password-from-stdin"), "{said}");
    let (code, said) = cli.fails(&["login", "-u", "x", "--password-from-env", "NO_SUCH"]);
    assert!(code == 2 && said.contains("NO_SUCH"), "{said}");
    let (code, said) = cli.fails(&["login", "-u", "x", "--password", "y", "--password-from-stdin"]);
    assert!(code == 2 && said.contains("cannot be used with"), "{said}");
}

#[test]
fn login_accepts_a_token() {
    let cli = TestCli::new(OVHAI);
    let token = cli.json(&["token", "new", "op", "--role", "operator", "-l", "group=A"]);
    let value = token["status"]["value"].as_str().unwrap();
    let (code, _) = cli.fails(&["login", "--token", "nothing"]);
    assert_eq!(code, 4);
    cli.ok(&["auth", "login", "--token", value]);
    let me = cli.json(&["auth", "status"]);
    assert_eq!((&me["name"], &me["tokenKind"]), (&json!("op"), &json!("app")));
    assert_eq!(cli.fails(&["token", "list"]).0, 4);
    cli.ok(&["auth", "logout"]);
    cli.ok(&["token", "list"]);
}

/// A server with short sessions, as an endpoint of the settings.
async fn short_sessions(refresh: Duration) -> (TestEmulator, TestCli) {
    let ttl = SessionTtl { access: Duration::from_secs(20), refresh };
    let emulator = TestEmulator::builder().session_ttl(ttl).start().await.unwrap();
    let e = TestEmulator { emulator, sim: None };
    let users = format!("http://{}/_emulator/users", e.address());
    let answer = e
        .call_local(
            "POST",
            "/_emulator/users",
            Some(json!({"name": "ann", "password": "a long password"})),
        )
        .await;
    assert_eq!(answer.status, 201, "{users}: {}", answer.text());
    let url = format!("http://{}/regions/GRA", e.address());
    let cli = TestCli::new(OVHAI);
    tokio::task::block_in_place(|| {
        cli.ok(&["config", "add", "box", &url]);
        cli.ok(&["config", "set", "box"]);
        let (code, said) = cli.fails(&["me"]);
        assert!(code == 4 && said.contains("not logged in at box"), "{said}");
        let login = [&["login", "-u", "ann"][..], &FROM_ENV].concat();
        assert_eq!(with_password(&cli, &login, "a long password").0, 0);
    });
    (e, cli)
}

/// An account at a server as an endpoint of the settings.
fn log_in_at(e: &TestEmulator) -> TestCli {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["config", "add", "box", &format!("http://{}/regions/GRA", e.address())]);
    cli.ok(&["config", "set", "box"]);
    let login = [&["login", "-u", "ann"][..], &FROM_ENV].concat();
    assert_eq!(with_password(&cli, &login, "a long password").0, 0);
    cli
}

/// The client's clock is behind: the machine slept, or is a virtual one.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_expired_by_the_clock_of_the_server_is_refreshed() {
    let clock = SteppedClock::new();
    let e = clock.emulator(TestEmulator::builder()).await;
    let ann = json!({"name": "ann", "password": "a long password"});
    assert_eq!(e.call_local("POST", "/_emulator/users", Some(ann)).await.status, 201);
    tokio::task::block_in_place(|| {
        let cli = log_in_at(&e);
        let before = stored(&cli);
        clock.set(61 * 60);
        assert_eq!(cli.json(&["me"])["name"], "ann");
        let after = stored(&cli);
        assert_ne!(before, after);
        cli.ok(&["app", "list"]);
        assert_eq!(stored(&cli), after, "a valid session is not refreshed");
        // A change is repeated unchanged.
        clock.set(2 * 61 * 60);
        cli.ok(&["app", "run", "ovhai/echo", "--name", "late"]);
        assert_eq!(cli.json(&["app", "list"]).as_array().map(Vec::len), Some(1));
        clock.set(40 * 24 * 60 * 60);
        let (code, said) = cli.fails(&["app", "list"]);
        assert_eq!(code, 4);
        assert!(said.contains("the session has ended") && said.contains("ovhai login"), "{said}");
    });
}

/// Files from Windows, and variables read from them, have them.
#[tokio::test(flavor = "multi_thread")]
async fn line_ends_and_byte_order_marks_are_removed_from_secrets() {
    let e = TestEmulator::start().await;
    let ann = json!({"name": "ann", "password": "a long password"});
    assert_eq!(e.call_local("POST", "/_emulator/users", Some(ann)).await.status, 201);
    let token = e.token("GRA", "operator", None).await.status.value.unwrap();
    tokio::task::block_in_place(|| {
        let cli = log_in_at(&e);
        let login = ["login", "-u", "ann"];
        for given in ["a long password\r", "a long password\r\n", "\u{feff}a long password\r"] {
            let by_variable = [&login[..], &FROM_ENV].concat();
            assert_eq!(with_password(&cli, &by_variable, given).0, 0, "{given:?}");
            cli.ok(&[&login[..], &["--password", given]].concat());
            let by_input = [&login[..], &["--password-from-stdin"]].concat();
            cli.command(&by_input).write_stdin(given).assert().success();
        }
        assert_eq!(
            with_password(&cli, &[&login[..], &FROM_ENV].concat(), "\r\n").0,
            2,
            "none at all"
        );
        let with_token = cli
            .command(&["me", "-o", "json"])
            .env("OVHAI_TOKEN", format!("\u{feff}{token}\r"))
            .output();
        let said = String::from_utf8(with_token.unwrap().stdout).unwrap();
        assert!(said.contains("\"tokenKind\": \"app\""), "{said}");
    });
}

fn stored(cli: &TestCli) -> Value {
    let text = std::fs::read(cli.home().join(".config/ovhai/sessions.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_commands_refresh_a_session_silently() {
    let (_e, cli) = short_sessions(Duration::from_hours(1)).await;
    let before = stored(&cli);
    tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    let output = cli.command(&["me", "-o", "json"]).output().unwrap();
                    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                    assert!(output.stderr.is_empty());
                });
            }
        });
    });
    let after = stored(&cli);
    assert_ne!(before, after);
    tokio::task::block_in_place(|| {
        assert_eq!(cli.json(&["me"])["name"], "ann");
        cli.ok(&["logout"]);
        assert_eq!(cli.fails(&["me"]).0, 4);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_can_not_be_refreshed_asks_for_a_login() {
    let (_e, cli) = short_sessions(Duration::ZERO).await;
    tokio::task::block_in_place(|| {
        let (code, said) = cli.fails(&["app", "list"]);
        assert_eq!(code, 4);
        assert!(said.contains("the session has ended") && said.contains("ovhai login"), "{said}");
    });
}

/// RFC 6749: forms only, each parameter once, and the response is not cacheable.
#[tokio::test(flavor = "multi_thread")]
async fn the_token_endpoint_refuses_malformed_requests() {
    let e = TestEmulator::start().await;
    e.call_local(
        "POST",
        "/_emulator/users",
        Some(json!({"name": "a@b.c", "password": "p & = +%"})),
    )
    .await;
    let post = async |body: &str| e.form("/oauth2/token", body).await;
    let good = "grant_type=password&username=a%40b.c&password=p+%26+%3D+%2B%25&client_id=x";
    let answer = post(good).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
    let tokens = answer.json();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(3600)));
    for (body, code) in [
        ("", "invalid_request"),
        ("grant_type=password&username=a", "invalid_request"),
        ("grant_type=client_credentials", "unsupported_grant_type"),
        ("grant_type=password&grant_type=password&username=a&password=b", "invalid_request"),
        ("grant_type=password&username=a%40b.c&password=wrong", "invalid_grant"),
        ("grant_type=password&username=nobody&password=wrong", "invalid_grant"),
        ("grant_type=refresh_token&refresh_token=rubbish", "invalid_grant"),
    ] {
        let answer = post(body).await;
        assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str()), (400, Some(code)));
    }
    let known = post("grant_type=password&username=a%40b.c&password=x").await.text();
    let unknown = post("grant_type=password&username=zzz&password=x").await.text();
    assert_eq!(known, unknown, "the names of users are not revealed");
    let json = e.call_local("POST", "/oauth2/token", Some(json!({"grant_type": "password"}))).await;
    assert_eq!(json.status, 400);

    // The page of an app is of the same site.
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(e.call("BHS", access, "GET", "/v1/app", None).await.status, 200);
    let app = e.run_app(&[], json!({})).await;
    assert_eq!(e.query(&app, Some(access)).await.status, 200, "a login opens apps");
    assert_eq!(e.call("GRA", access, "GET", "/_emulator/users", None).await.status, 404);
    let refresh = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(e.call("GRA", refresh, "GET", "/v1/me", None).await.status, 401);
    assert_eq!(e.form("/oauth2/revoke", &format!("token={refresh}")).await.status, 200);
    assert_eq!(e.call("GRA", access, "GET", "/v1/me", None).await.status, 401);
    assert_eq!(e.query(&app, Some(access)).await.status, 401);
}

/// A session outlives the emulator, so logging out is needed, and works, while none runs.
#[test]
fn logout_ends_a_session_even_without_an_emulator() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["logout"]);
    assert!(!cli.state_dir().join("lock").exists(), "nothing was started for it");
    let add = [&["emulator", "user", "add", "ann"][..], &FROM_ENV].concat();
    assert_eq!(with_password(&cli, &add, "a long password").0, 0);
    let login = [&["login", "-u", "ann"][..], &FROM_ENV].concat();
    assert_eq!(with_password(&cli, &login, "a long password").0, 0);
    cli.ok(&["emulator", "stop"]);
    cli.ok(&["logout"]);
    assert_ne!(cli.json(&["me"])["name"], "ann");
}

/// The emulator that a login starts, and its apps, do not inherit the variable.
#[test]
fn a_password_variable_is_not_passed_to_other_processes() {
    let cli = TestCli::new(OVHAI);
    let login = [&["login", "-u", "tester"][..], &FROM_ENV].concat();
    assert_eq!(with_password(&cli, &login, "hush-hush").0, 4, "it is not the password");
    let pid = cli.json(&["emulator", "status"])["pid"].to_string();
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
    let has = |word: &[u8]| environment.windows(word.len()).any(|part| part == word);
    assert!(has(b"HOME=") && !has(b"SECRET=") && !has(b"hush-hush"));
}

/// The emulator announces the password before it stores the user.
#[test]
fn an_announced_first_user_survives_a_crash_before_its_commit() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "list"]);
    let file = cli.state_dir().join("first-user.json");
    let told = eventually_now("the password is announced", || std::fs::read(&file).ok());
    eventually_now("the user is there", || {
        cli.ok(&["emulator", "user", "list"]).contains("tester").then_some(())
    });
    cli.ok(&["emulator", "user", "remove", "tester", "--yes"]);
    cli.ok(&["emulator", "stop"]);
    // The state after a crash in between: the password in the file, and no user.
    std::fs::write(&file, &told).unwrap();
    cli.ok(&["app", "list"]);
    let told: serde_json::Value = serde_json::from_slice(&told).unwrap();
    let login = ["login", "-u", "tester", "--password-from-stdin"];
    let password = format!("{}\n", told["password"].as_str().unwrap());
    let output = cli.command(&login).write_stdin(password).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
