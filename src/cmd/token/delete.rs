//! `ovhai token delete`.

use clap::Args;
use ovhai_api_types::{Selector, Token};

use super::has_selector;
use crate::cmd::several::Report;
use crate::context::Context;
use crate::error::Result;
use crate::server::credentials::Credentials;
use crate::server::resolve::resolve_each;
use crate::server::target::Target;
use crate::ui::prompt;

#[derive(Debug, Args)]
#[command(
    after_help = "Arguments that match no token, or several, are reported with exit code 1; the others are deleted."
)]
pub(super) struct Delete {
    /// Ids, names, or beginnings of ids
    #[arg(
        id = "token",
        value_name = "TOKEN",
        required_unless_present = "selector",
        conflicts_with = "selector"
    )]
    tokens: Vec<String>,
    /// All tokens of the region with exactly this label selector, in any spelling
    #[arg(short = 'l', long, alias = "label-selector", value_name = "SELECTOR")]
    selector: Option<Selector>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

impl Delete {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find_to_change(context).await?;
        let (tokens, unclear) = match &self.selector {
            Some(selector) => {
                let mut all = target.client.list_tokens().await?;
                all.retain(|token| has_selector(token, selector));
                if all.is_empty() {
                    context.note(format!(
                        "No token in {} has the label selector {selector}.",
                        target.region
                    ));
                }
                (all, Vec::new())
            }
            None => resolve_each::<Token>(&target.client, &self.tokens).await?,
        };
        let mut report = Report::new("token", tokens.len() + unclear.len(), unclear);
        if !tokens.is_empty() {
            prompt::confirm(&question(&tokens), self.yes).await?;
        }
        let mut credentials = Credentials::open(context)?;
        let mut deleted = Vec::with_capacity(tokens.len());
        for token in tokens {
            let gone = match target.client.delete_token(token.id).await {
                Ok(()) => credentials.forget(token.id),
                Err(error) => Err(error.into()),
            };
            match gone {
                Ok(()) => {
                    context.note(format!("Deleted the token {}.", named(&token)));
                    deleted.push(token);
                }
                Err(why) => report.failed(named(&token), why)?,
            }
        }
        // As they were before: nothing is left of them.
        if context.format().is_some() {
            match deleted.as_slice() {
                [one] if report.is_of_one() && self.selector.is_none() => context.show(one)?,
                [] if report.is_of_one() => {}
                many => context.show_all(many)?,
            }
        }
        report.finish("deleted")
    }
}

fn named(token: &Token) -> String {
    format!("{} ({})", token.spec.name, token.id)
}

fn question(tokens: &[Token]) -> String {
    match tokens {
        [one] => format!("Delete the token {}? Its string stops working immediately.", named(one)),
        many => {
            let all: Vec<_> = many.iter().map(named).collect();
            format!(
                "Delete {} tokens, {}? Their strings stop working immediately.",
                many.len(),
                all.join(", ")
            )
        }
    }
}
