//! `ovhai token …`.

mod delete;
mod explain;
mod list;
mod new;
mod regenerate;

use clap::{Args, Subcommand};
use ovhai_api_types::{Selector, Token};
use ovhai_client::Client;

use crate::args::global::Format;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::server::credentials::{Credentials, Issuer, TokenStorage};
use crate::term::describe::{Description, age};
use crate::term::table::Fit;
use crate::ui::output::Show;

#[derive(Debug, Args)]
pub(crate) struct TokenCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Create a token; its string is shown once and stored
    #[command(visible_alias = "create")]
    New(new::New),
    /// List tokens; their strings are never shown
    #[command(visible_alias = "ls")]
    List(list::List),
    /// Show a token, without its string
    #[command(aliases = ["show", "describe"])]
    Get(list::Get),
    /// Regenerate a token's string; the old one stops working immediately
    #[command(visible_alias = "renew")]
    Regenerate(regenerate::Regenerate),
    /// Explain which apps a token gives access to, and why
    Explain(explain::Explain),
    /// Delete tokens; their strings stop working immediately
    #[command(visible_alias = "rm")]
    Delete(delete::Delete),
}

impl TokenCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self.verb {
            Verb::New(verb) => verb.run(context).await,
            Verb::List(verb) => verb.run(context).await,
            Verb::Get(verb) => verb.run(context).await,
            Verb::Regenerate(verb) => verb.run(context).await,
            Verb::Explain(verb) => verb.run(context).await,
            Verb::Delete(verb) => verb.run(context).await,
        }
    }
}

/// Resolves an id, a name, or the beginning of an id to a token.
async fn resolve(client: &Client, wanted: &str) -> Result<Token> {
    crate::server::resolve::resolve(client, wanted).await
}

/// Whether a token's scope is this selector, in any order and spelling.
fn has_selector(token: &Token, selector: &Selector) -> bool {
    let own = token.spec.label_selector.as_deref().unwrap_or_default();
    own.parse::<Selector>().is_ok_and(|own| own.means_the_same_as(selector))
}

/// Shows a token with its string, and stores the string.
fn show_and_keep(context: &mut Context, token: &Token, issuer: &Issuer) -> Result<()> {
    context.show(token)?;
    // Shown before anything else can fail, because it can't be shown again.
    context.out.flush()?;
    let Some(value) = &token.status.value else {
        return Err(Failure::new("the server did not send the token's string"));
    };
    let mut credentials = Credentials::open(context)?;
    let place = match credentials.keep(token, issuer, value)? {
        TokenStorage::Keyring => "in the system's keyring".to_owned(),
        TokenStorage::File => {
            format!("in {} (mode 0600; no keyring is used)", credentials.path().display())
        }
    };
    // Names and tables do not include it.
    let said = match context.format() {
        Some(Format::Name | Format::Table | Format::Wide) => {
            "This format does not show the token's string, and it can't be shown later; use -o json"
        }
        _ => "The token's string is not shown again",
    };
    context.note(format!("{said}. It is stored {place} for ovhai app curl."));
    Ok(())
}

impl Show for Token {
    const COLUMNS: &'static [&'static str] =
        &["ID", "NAME", "ROLE", "LABEL-SELECTOR", "VERSION", "AGE"];
    const FIT: &'static [Fit] = &[Fit::Id, Fit::Shrink(8), Fit::Fixed, Fit::Shrink(18), Fit::Drop];

    fn row(&self, now: jiff::Timestamp) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.spec.name.clone(),
            short_role(self),
            self.spec.label_selector.clone().unwrap_or_else(|| "~".into()),
            self.status.version.to_string(),
            age(self.created_at, now),
        ]
    }

    fn describe(&self) -> Description {
        let description = Description::new().section("Info", |info| {
            info.field("ID", self.id)
                .field("Name", &self.spec.name)
                .field("Role", short_role(self))
                .maybe("Label selector", self.spec.label_selector.as_ref())
                .field("Version", self.status.version)
                .date("Created at", self.created_at)
                .date("Updated at", self.updated_at)
        });
        match &self.status.value {
            Some(value) => description.field("Token", value),
            None => description,
        }
    }

    fn name(&self) -> String {
        self.spec.name.clone()
    }
}

fn short_role(token: &Token) -> String {
    token
        .spec
        .role
        .parse::<ovhai_api_types::Role>()
        .map_or_else(|_| token.spec.role.clone(), |role| role.to_string())
}
