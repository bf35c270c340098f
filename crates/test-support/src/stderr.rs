//! The standard error of emulators under test: `OVHAI_TEST_STDERR` selects it, and
//! `cargo xtask test` runs tests/it once for each value.
//!
//! `full` is a disk without space, `closed` a pipe without a reader. An emulator in the background
//! opens its log by name, so its log becomes a link to such a device or pipe.

use std::path::{Path, PathBuf};
use std::process::Stdio;

/// The variable.
const VARIABLE: &str = "OVHAI_TEST_STDERR";
/// Every write to it fails with ENOSPC.
const FULL_DISK: &str = "/dev/full";

#[derive(Clone, Copy)]
enum Lost {
    Full,
    Closed,
}

fn lost() -> Option<Lost> {
    match std::env::var(VARIABLE).as_deref() {
        Ok("full") => Some(Lost::Full),
        Ok("closed") => Some(Lost::Closed),
        Ok(other) => panic!("{VARIABLE}={other}: use full or closed"),
        Err(_) => None,
    }
}

/// Whether emulators under test can't write their log. Do not read one then: `/dev/full` and the
/// pipe have no end.
pub fn is_stderr_lost() -> bool {
    lost().is_some()
}

/// The standard error of an emulator that a test starts in the foreground.
pub fn stderr() -> Stdio {
    match lost() {
        Some(Lost::Full) => {
            std::fs::File::options().write(true).open(FULL_DISK).expect("opened").into()
        }
        Some(Lost::Closed) => std::io::pipe().expect("a pipe").1.into(),
        None => Stdio::null(),
    }
}

/// Makes the log of this state directory's emulator in the background one that can't be written, if
/// the variable is set.
pub fn lose_log(state_dir: &Path) {
    if let Some(lost) = lost() {
        use std::os::unix::fs::{DirBuilderExt, symlink};
        let target = match lost {
            Lost::Full => PathBuf::from(FULL_DISK),
            Lost::Closed => closed_pipe(),
        };
        std::fs::DirBuilder::new()
            .mode(0o700)
            .recursive(true)
            .create(state_dir)
            .expect("a directory");
        symlink(target, state_dir.join("emulator.log")).expect("a link");
    }
}

/// A path at which other processes open the writing end of a pipe without a reader. Unlike a named
/// pipe it does not wait for one.
fn closed_pipe() -> PathBuf {
    use std::os::fd::AsRawFd;
    use std::sync::LazyLock;
    static WRITER: LazyLock<std::io::PipeWriter> =
        LazyLock::new(|| std::io::pipe().expect("a pipe").1);
    format!("/proc/{}/fd/{}", std::process::id(), WRITER.as_raw_fd()).into()
}
