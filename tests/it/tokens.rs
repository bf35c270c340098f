//! `token …`, beyond the guide's session.

use ovhai_test_support::TestCli;

use crate::OVHAI;

/// A server that has these tokens, and refuses to delete the one of this id.
#[test]
fn a_string_that_is_not_shown_is_not_said_to_have_been() {
    let cli = TestCli::new(OVHAI);
    let said = |arguments: &[&str]| {
        let output = cli.command(arguments).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    cli.ok(&["me"]);
    let new = ["token", "new", "--role", "read", "-o"];
    assert!(said(&[&new[..], &["name", "a"]].concat()).contains("is shown nowhere: only"));
    assert!(said(&[&new[..], &["json", "b"]].concat()).contains("is not shown again"));
    let regenerate = ["token", "regenerate", "a", "--yes", "-o", "table"];
    assert!(said(&regenerate).contains("is shown nowhere: only"));
}

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
    let (code, said) = cli.fails(&["token", "delete", "a", "nobody", "--yes"]);
    assert!(code == 3 && said.contains("nobody"), "{said}");
    assert_eq!(cli.ok(&["token", "list", "-o", "name"]), "d\nc\nb\na\n", "nothing is deleted");

    let output = cli.command(&["token", "delete", "a", "b", "a", "-y"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("2 tokens are deleted"), "{said}");
    assert_eq!(cli.ok(&["token", "delete", "c", "-o", "name"]), "c\n");
    assert_eq!(cli.json(&["token", "list"]).as_array().unwrap().len(), 1);

    // The server refuses one: the others go, and the exit code is that one's.
    let url = that_refuses_to_delete(&all, all[2]["id"].as_str().unwrap());
    cli.ok(&["config", "add", "far", &url]);
    let there = ["--region", "far", "--token", "x", "-o", "json"];
    let arguments = [&["token", "delete", "a", "b", "c", "--yes"][..], &there].concat();
    let output = cli.command(&arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("1 of 3 tokens are not deleted"), "{said}");
    assert!(said.contains("cause: b (") && said.contains("not this one"), "{said}");
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<_> = shown.as_array().unwrap().iter().map(|one| &one["spec"]["name"]).collect();
    assert_eq!(names, ["a", "c"]);
}
