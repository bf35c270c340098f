//! The official Python SDK, unmodified, against the emulator.

use std::process::Command;

use ovhai_emulator::Quotas;
use ovhai_test_support::TestEmulator;

/// `cargo xtask test` makes the environment and names its Python here.
const PYTHON: &str = "OVHAI_TEST_PYTHON";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_sdk_runs_through_every_call() {
    let python = std::env::var_os(PYTHON).unwrap_or_else(|| {
        panic!("{PYTHON} is not set: run the tests with `cargo xtask test`, which installs the SDK")
    });
    // The script also goes beyond them.
    let emulator = TestEmulator::builder().quotas(Quotas::default()).start().await.unwrap();
    let e = TestEmulator { emulator, sim: None };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sdk/conformance.py");
    let base = format!("http://{}/regions/GRA", e.address());
    let bearer = e.emulator.administrator().to_owned();
    let output = tokio::task::spawn_blocking(move || {
        // No bytecode is left beside the modules that it imports.
        Command::new(python).args(["-B", script, &base, &bearer]).output().unwrap()
    })
    .await
    .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.lines().last().is_some_and(|line| line.ends_with("passed, 0 failed")), "{said}");
}
