//! `ovhai emulator openapi`.

use clap::Args;

use crate::context::Context;
use crate::error::Result;

#[derive(Debug, Args)]
pub(super) struct OpenApi {}

impl OpenApi {
    pub(super) fn run(self, context: &mut Context) -> Result<()> {
        context.line(ovhai_emulator::api::openapi())
    }
}
