//! `ovhai token explain`.

use clap::Args;
use ovhai_api_types::{AccessQuestion, TokenId};

use super::resolve;
use crate::cmd::access::ask;
use crate::cmd::app;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::secret::bare;
use crate::server::target::Target;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ovhai token explain reader
  ovhai token explain reader hello
  printenv TOKEN | ovhai token explain -")]
pub(super) struct Explain {
    /// Name, id or string of the token; - reads the string from standard input
    token: String,
    /// Id, name, or beginning of an id of an app [default: all apps of the region]
    app: Option<String>,
}

/// Prefix of every token string.
const VALUE_START: &str = "eyJ";

impl Explain {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let value = match bare(&self.token).trim() {
            "-" => Some(from_stdin()?),
            text if text.starts_with(VALUE_START) => Some(text.to_owned()),
            _ => None,
        };
        let target = Target::find(context).await?;
        let token = match (&value, self.token.parse::<TokenId>()) {
            (Some(_), _) => None,
            // Of any region, which may be the reason.
            (None, Ok(id)) => Some(id),
            (None, Err(_)) => Some(resolve(&target.login, &self.token).await?.id),
        };
        let app = match &self.app {
            Some(app) => Some(app::resolve(&target.login, app).await?.id),
            None => None,
        };
        let question = AccessQuestion { region: target.region.clone(), token, value, app, page: 1 };
        let all = ask(context, &target, question).await?;
        match (all.as_slice(), app) {
            ([one], Some(_)) => context.show(one),
            ([], _) => {
                context.show_all(&all)?;
                context.note(format!("There is no app in region {}.", target.region));
                Ok(())
            }
            _ => context.show_all(&all),
        }
    }
}

fn from_stdin() -> Result<String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let value = bare(&line).trim();
    if value.is_empty() {
        return Err(Failure::usage("there is no token on standard input"));
    }
    Ok(value.to_owned())
}
