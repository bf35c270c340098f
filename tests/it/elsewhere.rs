//! An emulator that other machines reach: what counts over loopback only, and further host names.

use std::process::{Command, Stdio};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use ovhai_emulator::host::Domains;
use ovhai_test_support::{TestCli, TestEmulator};
use serde_json::json;

use crate::OVHAI;

/// Two network namespaces with a cable between them; runs `$@` in the first, with the process id of
/// the other in `OTHER`.
const TWO_MACHINES: &str = r#"
ip link set lo up
unshare -n sleep 600 & OTHER=$!
trap 'kill $OTHER' EXIT
until [ "$(readlink /proc/$OTHER/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
ip link add v0 type veth peer name v1 netns $OTHER || exit 77
ip addr add 10.99.0.1/24 dev v0 && ip link set v0 up
nsenter -t $OTHER -n sh -c 'ip link set lo up; ip addr add 10.99.0.2/24 dev v1; ip link set v1 up'
export OTHER
"$@"
"#;

/// Calls the emulator from both machines; a line of `NAME STATUS` each.
const CALLS: &str = r#"
name=ovhai-ci:4480
to="--resolve *:4480:10.99.0.1"
far() { echo "$1 $(shift; nsenter -t $OTHER -n curl -s $to -o /dev/null -w '%{http_code}' "$@")"; }
near() { echo "$1 $(shift; curl -s -o /dev/null -w '%{http_code}' "$@")"; }
owner="Authorization: Bearer $OVHAI_API_TOKEN"
near near-owner -H "$owner" "$OVHAI_API_URL/v1/me"
far far-owner -H "$owner" "http://$name/v1/me"
far far-owner-of-region -H "$owner" "http://gra.$name/v1/me"
far far-health "http://$name/_emulator/health"
login=$(nsenter -t $OTHER -n curl -s $to -d grant_type=password -d username=ci -d password=secret-of-ci "http://$name/oauth2/token")
user="Authorization: Bearer $(echo "$login" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')"
far far-user -H "$user" "http://$name/v1/me"
far far-stop -X POST -H "$owner" "http://$name/_emulator/stop"
far far-users-stop -X POST -H "$user" "http://$name/_emulator/stop"
far far-image -X PUT -H "$user" -d '{"image":"x","command":["x"]}' "http://$name/_emulator/images"
far far-process -H "$user" -d '{"image":"x","runtime":"process","command":["x"]}' "http://$name/v1/app"
far far-create -H "$user" -d '{"image":"infrastructureascode/hello-world","name":"h"}' "http://$name/v1/app"
"$O" app wait h --for RUNNING >/dev/null 2>&1
id=$("$O" app list -o json | sed -n 's/.*"id": "\([^"]*\)".*/\1/p' | head -n 1)
far far-app-owner -H "$owner" "http://$id.app.gra.$name/"
far far-app-user -H "$user" "http://$id.app.gra.$name/"
far far-other-name "http://10.99.0.1:4480/v1/me"
near near-stop -X POST -H "$owner" "$OVHAI_API_URL/_emulator/stop"
"#;

#[test]
fn from_another_machine_the_owner_is_unknown() {
    let cli = TestCli::new(OVHAI);
    let output = Command::new("unshare")
        .args(["-n", "sh", "-c", TWO_MACHINES, "sh", OVHAI, "emulator", "exec"])
        .args(["--host", "10.99.0.1", "--port", "4480", "--domain", "ovhai-ci"])
        .args(["--", "sh", "-c", CALLS])
        .env_clear()
        .envs(cli.environment())
        .env("USER", "ci")
        .env("O", OVHAI)
        .env("OVHAI_CI", "1")
        .env("OVHAI_PASSWORD", "secret-of-ci")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(77) || said.contains("unshare failed") {
        eprintln!("this machine allows no network namespaces: {said}");
        return;
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let got: Vec<_> = text.lines().collect();
    let expected = [
        "near-owner 200",
        "far-owner 401",
        "far-owner-of-region 401",
        "far-health 200",
        "far-user 200",
        "far-stop 403",
        "far-users-stop 403",
        "far-image 403",
        "far-process 403",
        "far-create 200",
        "far-app-owner 401",
        "far-app-user 200",
        "far-other-name 421",
        "near-stop 202",
    ];
    assert_eq!(got, expected, "{said}");
}

#[tokio::test]
async fn further_names_are_names_of_the_emulator() {
    let domains = Domains::new(["ovhai-ci"]).unwrap();
    let emulator = TestEmulator::builder().domains(domains).start().await.unwrap();
    let e = TestEmulator { emulator, sim: None };
    let app = e.run_app(&[], json!({"unsecureHttp": true})).await;
    let admin = format!("Bearer {}", e.emulator.administrator());
    for (host, path, status) in [
        ("ovhai-ci".to_owned(), "/v1/me", 200),
        ("ovhai-ci:1234".into(), "/_emulator/health", 200),
        ("gra.ovhai-ci".into(), "/v1/me", 200),
        ("nowhere.ovhai-ci".into(), "/v1/me", 404),
        (format!("{}.app.gra.ovhai-ci", app.id), "/", 200),
        (TestEmulator::host(&app), "/", 200),
        ("x.ovhai-ci.example".into(), "/v1/me", 421),
        ("ovhai-cj".into(), "/v1/me", 421),
    ] {
        let request = Request::get(path).header("host", &host).header("authorization", &admin);
        let answer = e.send(request.body(Full::<Bytes>::default()).unwrap()).await;
        assert_eq!(answer.status, status, "{host}: {}", answer.text());
    }
}
