//! Random input at the command line and at the API: errors, never panics.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use ovhai_test_support::TestEmulator;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z-]{0,12}",
        "\\PC{0,16}",
        prop::sample::select(vec![
            "app",
            "token",
            "emulator",
            "me",
            "run",
            "list",
            "get",
            "new",
            "delete",
            "curl",
            "logs",
            "--region",
            "--token",
            "-o",
            "json",
            "--label",
            "a=b",
            "--selector",
            "--wait",
            "--wait=",
            "--",
            "-",
            "--port",
            "99999",
            "--replicas",
            "-1",
            "--runtime",
            "--state-dir",
            "=",
            "''",
        ])
        .prop_map(str::to_owned),
    ]
}

#[test]
fn the_argument_parser_never_panics() {
    use clap::Parser;
    let mut runner = TestRunner::new(Config::with_cases(2000));
    runner
        .run(&prop::collection::vec(word(), 0..8), |words| {
            let arguments = std::iter::once("ovhai".to_owned()).chain(words);
            let _ = ovhai::cli::Cli::try_parse_from(arguments);
            Ok(())
        })
        .unwrap();
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("1e999".to_owned()),
        Just("-9223372036854775809".to_owned()),
        Just("[[[[[[[[".to_owned()),
        Just(String::new()),
        "\\PC{0,20}",
        any::<i64>().prop_map(|n| n.to_string()),
        "[a-z]{0,8}".prop_map(|s| format!("{s:?}")),
    ];
    let name = prop::sample::select(vec![
        "image",
        "labels",
        "name",
        "command",
        "defaultHttpPort",
        "envVars",
        "scalingStrategy",
        "fixed",
        "replicas",
        "probe",
        "role",
        "labelSelector",
        "value",
        "url",
        "appUpdate",
        "resources",
        "volumes",
        "runtime",
        "direction",
        "grpcPort",
    ]);
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec((name.clone(), inner), 0..5).prop_map(|all| {
                let fields: Vec<_> = all.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

fn target() -> impl Strategy<Value = String> {
    let id = "6f7c2f0e-4d0c-4a57-9f0a-3c1b6a0d2f11";
    let path = prop::sample::select(vec![
        "/v1/app".to_owned(),
        "/v1/token".into(),
        "/v1/me".into(),
        "/v1/app/command".into(),
        format!("/v1/app/{id}"),
        format!("/v1/app/{id}/label"),
        format!("/v1/app/{id}/image"),
        format!("/v1/app/{id}/scalingstrategy"),
        format!("/v1/app/{id}/log"),
        format!("/v1/token/{id}/renew"),
        "/v1/app/%00".into(),
        "/v1/%2e%2e/app".into(),
        "/regions//v1".into(),
        "/_emulator/x".into(),
        "//".into(),
        "*".into(),
    ]);
    let query = "(\\?[a-zA-Z]{0,8}(=[a-z0-9%&=,-]{0,16})?)?";
    (path, query).prop_map(|(path, query)| format!("{path}{query}"))
}

#[test]
fn the_api_never_answers_malformed_requests_with_500() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let e = runtime.block_on(TestEmulator::start());
    let method =
        prop::sample::select(vec!["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "X"]);
    let mut runner = TestRunner::new(Config::with_cases(1500));
    runner
        .run(&(method, target(), json()), |(method, target, body)| {
            let request = Request::builder()
                .method(method)
                .uri(&target)
                .header("host", "gra.ai.localhost")
                .header("authorization", format!("Bearer {}", e.emulator.administrator()))
                .body(Full::new(Bytes::from(body.clone())));
            let Ok(request) = request else { return Ok(()) };
            let answer = runtime.block_on(e.send(request));
            let status = answer.status.as_u16();
            prop_assert!(
                status < 500 || status == 501,
                "{} {} {}: {}",
                method,
                target,
                body,
                status
            );
            if status >= 400 && method != "HEAD" {
                prop_assert!(answer.json()["message"].is_string(), "{} {}", method, target);
            }
            Ok(())
        })
        .unwrap();
    runtime.block_on(e.emulator.shutdown());
}
