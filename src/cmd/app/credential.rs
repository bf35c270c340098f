//! Which token opens an app: the one that is named, the caller's, or a stored one whose scope
//! fits.

use clap::Args;
use ovhai_api_types::App;

use super::view;
use crate::context::Context;
use crate::credentials::{Credentials, Issuer};
use crate::error::{DENIED, Failure, Result};

/// Options of commands that reach an app itself.
#[derive(Debug, Args)]
pub(super) struct Credential {
    /// Use this stored token (name or id)
    #[arg(long = "as", value_name = "TOKEN", conflicts_with = "no_auth")]
    as_token: Option<String>,
    /// Send no token
    #[arg(long)]
    no_auth: bool,
}

const REGENERATED: &str =
    "if it was regenerated elsewhere, make its new string known: ovhai token regenerate NAME";

impl Credential {
    /// Whether no token is to be sent.
    pub(super) fn is_off(&self) -> bool {
        self.no_auth
    }

    /// What to say when the token did not open the door.
    pub(super) fn hint_when_refused(&self, context: &Context) -> String {
        let given = context.token().ok().flatten().filter(|_| self.as_token.is_none());
        match given {
            Some(_) => {
                let from = if context.global.token.is_some() { "--token" } else { "OVHAI_TOKEN" };
                format!(
                    "hint: the token of {from} was refused: check that the string is whole, and of this region (ovhai token explain - reads one and says what it is); {REGENERATED}"
                )
            }
            None => format!("hint: the token was refused; {REGENERATED}"),
        }
    }

    /// The token's string; none when none is to be sent.
    pub(super) fn bearer(
        &self,
        context: &Context,
        app: &App,
        issuer: &Issuer,
    ) -> Result<Option<String>> {
        if self.no_auth {
            return Ok(None);
        }
        let region = &issuer.region;
        let credentials = Credentials::open(context)?;
        if let Some(wanted) = &self.as_token {
            return credentials.find(wanted, issuer)?.map(Some).ok_or_else(|| {
                Failure::not_found(format!("no token {wanted:?} is stored for region {region}"))
                    .hint("stored tokens are those made here with ovhai token new, or regenerated")
            });
        }
        if let Some(token) = context.token()? {
            return Ok(Some(token.to_owned()));
        }
        if app.spec.unsecure_http {
            return Ok(None);
        }
        if let Some(token) = credentials.for_app(app, issuer)? {
            return Ok(Some(token));
        }
        let stored = credentials.describe(issuer);
        let group = app
            .spec
            .labels
            .iter()
            .flatten()
            .find(|(key, _)| !key.starts_with("ovh/"))
            .and_then(|(key, value)| value.as_ref().map(|value| format!("{key}={value}")))
            .unwrap_or_else(|| format!("ovh/id={}", app.id));
        Err(Failure::new(format!("no stored token opens the app {}", view::name(app)))
            .because(if stored.is_empty() {
                format!("no token is stored for region {region}")
            } else {
                format!("stored for region {region}: {stored}")
            })
            .hint(format!(
                "make one: ovhai token new NAME --selector {group} --role read --region {region}; or bring one: --token TOKEN"
            ))
            .exit_code(DENIED))
    }
}
