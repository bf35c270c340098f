//! Pages in a real Chromium, driven by scripts in tests/browser.

use ovhai_test_support::TestEmulator;
use ovhai_test_support::browser::Script;
use ovhai_test_support::processes::app_file;
use serde_json::json;

use crate::OVHAI;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_login_page_works_in_chromium() {
    let emulator = TestEmulator::builder().supervisor(OVHAI).start().await.unwrap();
    let e = TestEmulator { emulator, sim: None };
    let app = e.run_app(&[("group", "A")], json!({"name": "hello"})).await;
    let open = e.run_app(&[], json!({"name": "open", "unsecureHttp": true})).await;
    let command = json!(["python3", app_file("redirect"), "{port}", open.status.url]);
    let leading = json!({"image": "python:3", "runtime": "process", "command": command});
    let leading = e.run_app(&[("group", "A")], leading).await;
    let ann = json!({"name": "ann", "password": "a long password"});
    assert_eq!(e.call_local("POST", "/_emulator/users", Some(ann)).await.status, 201);
    let more = json!({
        "app": app.status.url, "open": open.status.url, "leading": leading.status.url, "label": "A",
        "user": "ann", "password": "a long password",
    });
    Script::start(&e, "login.py", more).end().await;
    e.emulator.shutdown().await;
}

/// The browser sends such a navigation for the worker, with `Sec-Fetch-Dest: empty`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_login_page_works_with_a_service_worker() {
    let emulator = TestEmulator::builder().supervisor(OVHAI).start().await.unwrap();
    let e = TestEmulator { emulator, sim: None };
    let command = json!(["python3", app_file("service_worker"), "{port}"]);
    let spec =
        json!({"name": "pwa", "image": "python:3", "runtime": "process", "command": command});
    let app = e.run_app(&[("group", "A")], spec).await;
    let more = json!({"app": app.status.url, "label": "A"});
    Script::start(&e, "service_worker.py", more).end().await;
    e.emulator.shutdown().await;
}
