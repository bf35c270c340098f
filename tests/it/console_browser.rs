//! The console in a real Chromium, driven by scripts in tests/browser.

use ovhai_test_support::TestCli;
use ovhai_test_support::browser::Script;

use crate::OVHAI;

/// A command line with an emulator.
fn with_emulator() -> TestCli {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["emulator", "start", "--detach", "--quota", "unlimited"]);
    cli
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guide_can_be_followed_in_the_console() {
    let cli = with_emulator();
    Script::start_with(&cli, "console.py").end().await;
}

/// With no app, one, and many: in light and dark, narrow and wide. `cargo xtask screenshots` keeps the
/// pictures.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_of_the_console_is_accessible() {
    let cli = with_emulator();
    Script::start_with(&cli, "console_pages.py").end().await;
}
