//! `ovhai token new`.

use clap::Args;
use ovhai_api_types::{Role, Selector, TokenSpec};

use super::show_and_keep;
use crate::context::Context;
use crate::error::Result;
use crate::server::credentials::Credentials;
use crate::server::resolve::say_if_named_alike;
use crate::server::target::Target;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ovhai token new reader --selector group=A --role read --region GRA
  ovhai token new op --selector ovh/id=<app id> --role operator")]
pub(super) struct New {
    /// Display name, 1 to 100 characters
    #[arg(required_unless_present = "given_name")]
    name: Option<String>,
    /// Same as NAME
    #[arg(id = "given_name", short, long = "name", value_name = "NAME", conflicts_with = "name")]
    given_name: Option<String>,
    /// Role: read (query the apps) or operator (manage them too)
    #[arg(short, long)]
    role: Role,
    /// Label selector of its apps, now and later, such as group=A; if repeated, all must match; see
    /// ovhai help selectors [default: all apps of the region]
    #[arg(
        short = 'l',
        long = "selector",
        visible_alias = "label-selector",
        value_name = "SELECTOR"
    )]
    selectors: Vec<Selector>,
}

impl New {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find_to_change(context).await?;
        let terms: Vec<_> = self.selectors.iter().flat_map(Selector::terms).cloned().collect();
        let spec = TokenSpec {
            // One of the two is required.
            name: self.name.or(self.given_name).unwrap_or_default(),
            role: self.role.wire().into(),
            label_selector: (!terms.is_empty()).then(|| Selector::new(terms).to_string()),
        };
        // Checked first, so that an unusable file does not lose the new string.
        Credentials::open(context)?;
        let token = target.client.create_token(&spec).await?;
        show_and_keep(context, &token, &target.issuer)?;
        say_if_named_alike(context, &target.client, &token).await;
        Ok(())
    }
}
