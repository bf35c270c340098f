//! `ovhai token delete`.

use clap::Args;
use ovhai_api_types::Token;

use super::resolve;
use crate::context::Context;
use crate::credentials::Credentials;
use crate::error::{Failure, Result};
use crate::prompt;
use crate::target::Target;

#[derive(Debug, Args)]
#[command(
    after_help = "Nothing is deleted when one of them is not there. When the server refuses one, the others are deleted all the same."
)]
pub(super) struct Delete {
    /// Ids, names, or beginnings of ids
    #[arg(id = "token", required = true, value_name = "TOKEN")]
    tokens: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

impl Delete {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find_to_change(context).await?;
        let mut tokens: Vec<Token> = Vec::with_capacity(self.tokens.len());
        for wanted in &self.tokens {
            let token = resolve(&target.client, wanted).await?;
            if tokens.iter().all(|known| known.id != token.id) {
                tokens.push(token);
            }
        }
        prompt::confirm(&question(&tokens), self.yes).await?;
        let mut credentials = Credentials::open(context)?;
        let all = tokens.len();
        let (mut deleted, mut failures) = (Vec::with_capacity(all), Vec::new());
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
                Err(failure) => failures.push((token, failure)),
            }
        }
        // As they were: nothing else is left.
        if context.format().is_some() {
            match deleted.as_slice() {
                [one] if all == 1 => context.show(one)?,
                many => context.show_all(many)?,
            }
        }
        if all == 1 {
            return failures.pop().map_or(Ok(()), |(_, failure)| Err(failure));
        }
        summary(context, deleted.len(), failures)
    }
}

/// The whole of it, when there were several.
fn summary(context: &mut Context, deleted: usize, failures: Vec<(Token, Failure)>) -> Result<()> {
    let all = deleted + failures.len();
    let Some(code) = failures.first().map(|(_, first)| first.code()) else {
        context.note(format!("{all} tokens are deleted."));
        return Ok(());
    };
    let left: Vec<_> =
        failures.iter().map(|(token, why)| format!("{}: {}", named(token), why.brief())).collect();
    Err(Failure::new(format!("{} of {all} tokens are not deleted", failures.len()))
        .because(left.join("; "))
        .hint("see what is left: ovhai token list; what was said: ovhai debug")
        .exit_code(code))
}

fn named(token: &Token) -> String {
    format!("{} ({})", token.spec.name, token.id)
}

fn question(tokens: &[Token]) -> String {
    match tokens {
        [one] => format!("Delete the token {}? Its string stops working at once.", named(one)),
        many => {
            let all: Vec<_> = many.iter().map(named).collect();
            format!(
                "Delete {} tokens, {}? Their strings stop working at once.",
                many.len(),
                all.join(", ")
            )
        }
    }
}
