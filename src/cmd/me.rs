//! `ovhai me`.

use clap::Args;
use ovhai_api_types::{Me as Caller, TokenKind};

use crate::context::Context;
use crate::describe::Description;
use crate::error::Result;
use crate::output::{Fit, Show};
use crate::target::Target;

#[derive(Debug, Args)]
pub(crate) struct Me {}

impl Me {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find(context).await?;
        let me = target.client.me().await?;
        context.show(&me)
    }
}

fn kind(me: &Caller) -> &'static str {
    match me.token_kind {
        TokenKind::App => "application token",
        TokenKind::Oauth => "login",
    }
}

impl Show for Caller {
    const COLUMNS: &'static [&'static str] = &["NAME", "ROLE", "AUTHENTICATED WITH", "PROJECT"];
    const FIT: &'static [Fit] = &[Fit::Shrink(8)];

    fn row(&self, _now: jiff::Timestamp) -> Vec<String> {
        vec![self.name.clone(), self.role.to_string(), kind(self).into(), self.tenant.clone()]
    }

    fn describe(&self) -> Description {
        Description::new()
            .field("Name", &self.name)
            .field("Role", self.role)
            .field("Authenticated With", kind(self))
            .field("Project", &self.tenant)
            .section("Quotas", |quotas| {
                self.quotas
                    .resources
                    .iter()
                    .fold(quotas, |quotas, (kind, units)| quotas.maybe(kind, *units))
            })
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}
