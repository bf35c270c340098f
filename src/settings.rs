//! Where things are. The environment variables are in docs/guide.md and in the options they stand for.

use std::path::PathBuf;

use etcetera::AppStrategy;

use crate::context::Context;
use crate::error::{Failure, Result};

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
