//! The credential for an app: the token of `--as`, the caller's, a stored one whose scope matches,
//! or the caller's own access to the local emulator.

use clap::Args;
use ovhai_api_types::App;

use super::view;
use crate::context::Context;
use crate::error::{DENIED, Failure, Result};
use crate::server::credentials::Credentials;
use crate::server::target::{Own, Target};
use crate::term::text::quoted;

/// Options of commands that reach an app itself.
#[derive(Debug, Args)]
pub(super) struct Credential {
    /// Use this stored token (name or id); owner is your own access, unless a token has that name
    #[arg(long = "as", value_name = "TOKEN", conflicts_with = "no_auth")]
    as_token: Option<String>,
    /// Send no token
    #[arg(long)]
    no_auth: bool,
}

/// The name of the caller's own access.
const OWNER: &str = "owner";

const REGENERATED: &str =
    "if it was regenerated elsewhere, store a new string: ovhai token regenerate NAME";

/// The credential to send.
#[derive(Debug)]
pub(super) enum Lent {
    /// Nothing.
    Nothing,
    /// A token's string.
    Token(Secret),
    /// The caller's own bearer.
    Own(Own),
}

/// Text that is never shown.
pub(super) struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Lent {
    fn token(string: String) -> Self {
        Self::Token(Secret(string))
    }

    /// The bearer's string.
    pub(super) fn bearer(&self) -> Option<&str> {
        match self {
            Self::Nothing => None,
            Self::Token(Secret(string)) => Some(string),
            Self::Own(own) => Some(&own.bearer),
        }
    }
}

impl Credential {
    /// Whether the request is sent without a token.
    pub(super) fn is_off(&self) -> bool {
        self.no_auth
    }

    /// The hint after the gateway has refused the credential.
    pub(super) fn hint_when_refused(&self, context: &Context, lent: &Lent) -> String {
        if let Lent::Own(own) = lent {
            return format!(
                "hint: the gateway refused the access of {}: log in again (ovhai login), or run the command again if the emulator was restarted",
                own.who
            );
        }
        let given = context.token().ok().flatten().filter(|_| self.as_token.is_none());
        match given {
            Some(_) => {
                let from = if context.global.token.is_some() { "--token" } else { "OVHAI_TOKEN" };
                format!(
                    "hint: the token of {from} was refused: check that the string is complete and of this region (ovhai token explain - reads a string and explains it); {REGENERATED}"
                )
            }
            None => format!("hint: the token was refused; {REGENERATED}"),
        }
    }

    /// The credential to send. Says whose access it is, unless it is a token.
    pub(super) async fn lend(
        &self,
        context: &mut Context,
        app: &App,
        target: &Target,
    ) -> Result<Lent> {
        let lent = self.choose(context, app, target).await?;
        if let Lent::Own(own) = &lent {
            let why = if self.as_token.is_some() {
                String::new()
            } else {
                format!(": no token is stored for region {}", target.issuer.region)
            };
            context.note(format!("Entering {} as {}{why}.", view::name(app), own.who));
        }
        Ok(lent)
    }

    /// The credential to send, in the order of docs/reference.md.
    pub(super) async fn choose(
        &self,
        context: &Context,
        app: &App,
        target: &Target,
    ) -> Result<Lent> {
        if self.no_auth {
            return Ok(Lent::Nothing);
        }
        let issuer = &target.issuer;
        let region = &issuer.region;
        let credentials = Credentials::open(context)?;
        if let Some(wanted) = &self.as_token {
            if let Some(token) = credentials.find(wanted, issuer)? {
                return Ok(Lent::token(token));
            }
            if wanted == OWNER {
                return target.own(context).await?.map(Lent::Own).ok_or_else(|| {
                    Failure::new(format!("{} accepts only tokens", target.server.shown()))
                        .because("the owner's and users' access is for the local emulator only")
                        .hint("use a stored token: --as TOKEN; or give one: --token TOKEN")
                        .exit_code(DENIED)
                });
            }
            return Err(Failure::not_found(format!(
                "no token {wanted:?} is stored for region {region}"
            ))
            .hint("ovhai token new and ovhai token regenerate store tokens"));
        }
        if let Some(token) = context.token()? {
            return Ok(Lent::token(token.to_owned()));
        }
        if app.spec.unsecure_http {
            return Ok(Lent::Nothing);
        }
        if let Some(token) = credentials.for_app(app, issuer)? {
            return Ok(Lent::token(token));
        }
        let stored = credentials.describe(issuer);
        // If tokens are stored, the user wants to test them: "none matches" is then the answer.
        if stored.is_empty()
            && let Some(own) = target.own(context).await?
        {
            return Ok(Lent::Own(own));
        }
        let mut hint = format!(
            "create one: ovhai token new NAME --selector {} --role read --region {region}; or give one: --token TOKEN",
            selector_of(app)
        );
        if target.server.is_local() {
            let name = quoted(view::name(app));
            hint += &format!("\nenter without a token: ovhai app curl {name} --as {OWNER}");
        }
        Err(Failure::new(format!("no stored token gives access to the app {}", view::name(app)))
            .because(if stored.is_empty() {
                format!("no token is stored for region {region}")
            } else {
                format!("stored for region {region}: {stored}")
            })
            .hint(hint)
            .exit_code(DENIED))
    }
}

/// A selector that the app satisfies: one of the user's labels, else its id.
pub(super) fn selector_of(app: &App) -> String {
    app.spec
        .labels
        .iter()
        .flatten()
        .find(|(key, _)| !key.starts_with("ovh/"))
        .and_then(|(key, value)| value.as_ref().map(|value| format!("{key}={value}")))
        .unwrap_or_else(|| format!("ovh/id={}", app.id))
}
