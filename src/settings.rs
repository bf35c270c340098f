//! Paths and ports from options and variables. `reference::environment` explains the variables.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use etcetera::AppStrategy;
use ovhai_emulator::DEFAULT_PORT;
use rustix::process::geteuid;

use crate::context::Context;
use crate::error::{Failure, Result};

/// The state directory: `--state-dir`, `OVHAI_STATE_DIR`, or `ovhai` in the user's data
/// directory (XDG).
pub fn state_dir(context: &Context) -> Result<PathBuf> {
    let given = context.global.state_dir.clone();
    let given = given.or_else(|| context.var("OVHAI_STATE_DIR").map(Into::into));
    let path = match given {
        Some(given) => context.directory.join(given),
        None => xdg("keep state in", "--state-dir DIR or OVHAI_STATE_DIR")?.data_dir(),
    };
    check_owner(&path)?;
    Ok(path)
}

/// Refuses a directory in which another user could place files: they name the address that
/// credentials and environments are sent to, and the process that `emulator stop` signals.
fn check_owner(path: &Path) -> Result<()> {
    let Ok(found) = std::fs::metadata(path) else { return Ok(()) };
    let why = if found.uid() != geteuid().as_raw() {
        "it belongs to another user"
    } else if found.mode() & 0o002 != 0 {
        "every user of this machine can write to it"
    } else {
        return Ok(());
    };
    Err(Failure::new(format!("the state directory {} can't be used", path.display()))
        .because(why)
        .hint("choose a directory of your own: --state-dir DIR or OVHAI_STATE_DIR"))
}

/// The same, to look for a running emulator: in another user's directory none would be found.
pub(crate) fn readable_state_dir(context: &Context) -> Result<PathBuf> {
    let path = state_dir(context)?;
    match std::fs::read_dir(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Err(Failure::new(
            format!("the state directory {} can't be read", path.display()),
        )
        .because(error)
        .hint(
            "it may belong to another user: choose a directory of your own with --state-dir or OVHAI_STATE_DIR",
        )),
        _ => Ok(path),
    }
}

/// The directory of the client's own settings and sessions: `OVHAI_CONFIG_DIR`, or `ovhai` in the
/// user's configuration directory (XDG).
pub(crate) fn config_dir(context: &Context) -> Result<PathBuf> {
    if let Some(given) = context.var("OVHAI_CONFIG_DIR") {
        return Ok(context.directory.join(given));
    }
    xdg("keep settings in", "OVHAI_CONFIG_DIR").map(|xdg| xdg.config_dir())
}

fn xdg(purpose: &str, instead: &str) -> Result<etcetera::app_strategy::Xdg> {
    let strategy = etcetera::app_strategy::Xdg::new(etcetera::AppStrategyArgs {
        top_level_domain: "net".into(),
        author: "ovhai".into(),
        app_name: "ovhai".into(),
    });
    strategy.map_err(|error| {
        Failure::new(format!("there is no home directory to {purpose}"))
            .because(error)
            .hint(format!("choose a directory: {instead}"))
    })
}

/// The file that `ovhai debug` reads.
pub(crate) fn debug_file(context: &Context) -> Result<PathBuf> {
    state_dir(context).map(|directory| directory.join("debug.jsonl"))
}

/// The port of an emulator that is started: `OVHAI_PORT`, or the default.
pub(crate) fn port(context: &Context) -> Result<u16> {
    context.var("OVHAI_PORT").map_or(Ok(DEFAULT_PORT), |text| {
        text.parse().map_err(|_| Failure::usage(format!("OVHAI_PORT is {text:?}: use 0 to 65535")))
    })
}
