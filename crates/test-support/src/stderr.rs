//! What emulators under test have as their standard error: `OVHAI_TEST_STDERR` says which, and
//! `cargo xtask test` runs the tests that start the executable with each.
//!
//! `full` is a disk that is full, `closed` a pipe that nothing reads. An emulator in the background
//! opens its log by name, which a pipe that is closed does not allow: it has a full disk for both.

use std::path::Path;
use std::process::Stdio;

/// The variable.
const VARIABLE: &str = "OVHAI_TEST_STDERR";

/// Whether nothing that an emulator logs can be read.
pub fn is_stderr_lost() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// The standard error of an emulator that a test starts in the foreground.
pub fn stderr() -> Stdio {
    match std::env::var(VARIABLE).as_deref() {
        Ok("full") => {
            std::fs::File::options().write(true).open("/dev/full").expect("opened").into()
        }
        Ok("closed") => std::io::pipe().expect("a pipe").1.into(),
        Ok(other) => panic!("{VARIABLE}={other}: use full or closed"),
        Err(_) => Stdio::null(),
    }
}

/// Has the log of an emulator in the background be a full disk, if logs are to be lost.
pub(crate) fn lose_log(state_dir: &Path) {
    if is_stderr_lost() {
        use std::os::unix::fs::{DirBuilderExt, symlink};
        std::fs::DirBuilder::new().mode(0o700).create(state_dir).expect("a directory");
        symlink("/dev/full", state_dir.join("emulator.log")).expect("a link");
    }
}
