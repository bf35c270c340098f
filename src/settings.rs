//! Where things are: directories and the names of environment variables.

use std::path::PathBuf;

use etcetera::AppStrategy;

use crate::context::Context;
use crate::error::{Failure, Result};

/// Environment variables, what they are for, and their defaults.
pub const VARIABLES: [(&str, &str); 7] = [
    ("OVHAI_TOKEN", "token of the caller, like --token; wins over stored tokens"),
    ("OVHAI_REGION", "region, like --region; default: the emulator's first region"),
    ("OVHAI_STATE_DIR", "state directory of the emulator, like --state-dir"),
    ("OVHAI_PORT", "port of an emulator that is started; default 4480"),
    ("OVHAI_AUTOSTART", "0: commands do not start an emulator by themselves"),
    ("OVHAI_KEYRING", "0: keep token strings in a file (mode 0600), not in the system's keyring"),
    ("OVHAI_LOG", "what the emulator logs, such as info or ovhai_core=debug; default info"),
];

/// The state directory: `--state-dir`, `OVHAI_STATE_DIR`, or `ovhai` in the user's data
/// directory (XDG).
pub fn state_dir(context: &Context) -> Result<PathBuf> {
    if let Some(given) =
        context.global.state_dir.clone().or_else(|| context.var("OVHAI_STATE_DIR").map(Into::into))
    {
        return Ok(context.directory.join(given));
    }
    let strategy = etcetera::app_strategy::Xdg::new(etcetera::AppStrategyArgs {
        top_level_domain: "net".into(),
        author: "ovhai".into(),
        app_name: "ovhai".into(),
    });
    strategy.map(|xdg| xdg.data_dir()).map_err(|error| {
        Failure::new("there is no home directory to keep state in")
            .because(error)
            .hint("say where: --state-dir DIR or OVHAI_STATE_DIR")
    })
}
