//! `token …`, beyond the session of the README.

use ovhai_test_support::TestCli;

use crate::OVHAI;

#[test]
fn the_hint_about_token_strings_appears_only_with_one() {
    let cli = TestCli::new(OVHAI);
    let said = |arguments: &[&str]| {
        let output = cli.command(arguments).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    cli.ok(&["me"]);
    let new = ["token", "new", "--role", "read", "-o"];
    assert!(
        said(&[&new[..], &["name", "a"]].concat()).contains("does not show the token's string")
    );
    assert!(said(&[&new[..], &["json", "b"]].concat()).contains("is not shown again"));
    let regenerate = ["token", "regenerate", "a", "--yes", "-o", "table"];
    assert!(said(&regenerate).contains("does not show the token's string"));
}

/// A server that has these tokens, and refuses to delete the one of this id.
fn that_refuses_to_delete(tokens: &serde_json::Value, id: &str) -> String {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let list = serde_json::json!({"items": tokens, "metadata": {"pageCount": 1}}).to_string();
    let refused = format!("DELETE /v1/token/{id} ");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head =
                BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let request = head.next().unwrap_or_default();
            head.take_while(|line| !line.is_empty()).for_each(drop);
            let (status, body) = if request.starts_with("GET ") {
                ("200 OK", list.as_str())
            } else if request.starts_with(&refused) {
                ("403 Forbidden", r#"{"message":"not this one"}"#)
            } else {
                ("200 OK", "")
            };
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn several_tokens_are_deleted_at_once() {
    let cli = TestCli::new(OVHAI);
    for name in ["a", "b", "c", "d"] {
        cli.ok(&["token", "new", name, "--role", "read"]);
    }
    let all = cli.json(&["token", "list"]);
    let (code, said) = cli.fails(&["token", "delete", "nothing", "--yes"]);
    assert!(code == 3 && said.contains("there is no token \"nothing\""), "{said}");
    cli.ok(&["token", "new", "twin", "--role", "read"]);
    let second = cli.command(&["token", "new", "twin", "--role", "read"]).output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("warning: another token is named twin"), "{said}");
    let (code, said) = cli.fails(&["token", "delete", "d", "twin", "nothing", "--yes"]);
    assert!(code == 1 && said.contains("2 of 3 tokens could not be deleted"), "{said}");
    for why in ["twin: \"twin\" matches 2 tokens", "nothing: there is no token"] {
        assert!(said.contains(why), "{why}: {said}");
    }
    let left = cli.ok(&["token", "list", "-o", "name"]);
    assert_eq!(left, "twin\ntwin\nc\nb\na\n", "unambiguous names are deleted");

    let output = cli.command(&["token", "delete", "a", "b", "a", "-y"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches("Deleted the token ").count(), 2, "{said}");
    assert_eq!(cli.ok(&["token", "delete", "c", "-o", "name"]), "c\n");
    assert_eq!(cli.json(&["token", "list"]).as_array().unwrap().len(), 2);

    // The server refuses one; the others are deleted.
    let url = that_refuses_to_delete(&all, all[2]["id"].as_str().unwrap());
    cli.ok(&["config", "add", "far", &url]);
    let there = ["--region", "far", "--token", "x", "-o", "json"];
    let arguments = [&["token", "delete", "a", "b", "c", "--yes"][..], &there].concat();
    let output = cli.command(&arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let error: serde_json::Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(error["error"]["message"], "1 of 3 tokens could not be deleted");
    let cause = error["error"]["cause"].as_str().unwrap();
    assert!(cause.starts_with("b (") && cause.contains("not this one"), "{said}");
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<_> = shown.as_array().unwrap().iter().map(|one| &one["spec"]["name"]).collect();
    assert_eq!(names, ["a", "c"]);
}

/// Scopes are compared by meaning, not by spelling.
#[test]
fn tokens_are_selected_by_their_scope() {
    let cli = TestCli::new(OVHAI);
    for (name, scope) in [
        ("one", "team=red,tier in (b,a)"),
        ("two", "tier in (a,b), team in (red)"),
        ("wider", "team==red"),
        ("all", ""),
    ] {
        cli.ok(&["token", "new", name, "--role", "read", "--selector", scope]);
    }
    let named = |scope: &str| cli.ok(&["token", "list", "--selector", scope, "-o", "name"]);
    assert_eq!(named("tier in (a,b),team=red"), "two\none\n");
    assert_eq!(named("team = red"), "wider\n");
    assert_eq!(named("team"), "");
    assert_eq!(named(""), "all\n");
    let none = cli.command(&["token", "delete", "-l", "team=blue", "-y"]).output().unwrap();
    let said = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(none.status.success() && said.contains("has the label selector team=blue"), "{said}");
    let gone = cli.json(&["token", "delete", "--selector", "team=red,tier in (a,b)", "--yes"]);
    assert_eq!(gone.as_array().map(Vec::len), Some(2));
    assert_eq!(cli.ok(&["token", "list", "-o", "name"]), "all\nwider\n");
    let (code, said) = cli.fails(&["token", "delete", "all", "--selector", "team=red"]);
    assert!(code == 2, "{said}");
    assert_eq!(cli.fails(&["token", "delete"]).0, 2, "nothing is selected by saying nothing");
}
