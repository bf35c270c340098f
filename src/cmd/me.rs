//! `ovhai me`.

use clap::Args;
use ovhai_api_types::{Me as Caller, TokenKind};
use serde::Serialize;

use crate::context::Context;
use crate::error::Result;
use crate::server::target::Target;
use crate::term::describe::Description;
use crate::term::table::Fit;
use crate::ui::output::Show;

#[derive(Debug, Args)]
pub(crate) struct Me {}

impl Me {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find(context).await?;
        let me = target.client.me().await?;
        context.show(&Shown { me, is_owner: target.is_owner })
    }
}

/// The caller, and what only the client knows.
#[derive(Serialize)]
#[serde(transparent)]
struct Shown {
    me: Caller,
    #[serde(skip)]
    is_owner: bool,
}

impl Shown {
    fn kind(&self) -> &'static str {
        match self.me.token_kind {
            TokenKind::App => "application token",
            // The service has no third kind.
            TokenKind::Oauth if self.is_owner => "emulator owner's key (no login needed)",
            TokenKind::Oauth => "login",
        }
    }
}

impl Show for Shown {
    const COLUMNS: &'static [&'static str] = &["NAME", "ROLE", "AUTHENTICATED-WITH", "PROJECT"];
    const FIT: &'static [Fit] = &[Fit::Shrink(8)];

    fn row(&self, _now: jiff::Timestamp) -> Vec<String> {
        let Caller { name, role, tenant, .. } = &self.me;
        vec![name.clone(), role.to_string(), self.kind().into(), tenant.clone()]
    }

    fn describe(&self) -> Description {
        Description::new()
            .field("Name", &self.me.name)
            .field("Role", self.me.role)
            .field("Authenticated With", self.kind())
            .field("Project", &self.me.tenant)
            .section("Quotas", |quotas| {
                self.me
                    .quotas
                    .resources
                    .iter()
                    .fold(quotas, |quotas, (kind, units)| quotas.maybe(kind, *units))
            })
    }

    fn name(&self) -> String {
        self.me.name.clone()
    }
}
