//! `ovhai app curl`: a request to an app, with the stored token that opens it.

use clap::Args;
use ovhai_api_types::{App, Region};
use ovhai_client::AppClient;

use super::{resolve, view};
use crate::context::Context;
use crate::credentials::Credentials;
use crate::error::{Failure, HTTP_ERROR, Result};
use crate::target::Target;

/// See the command.
#[derive(Debug, Args)]
#[command(
    after_help = "The token is the one of --token or OVHAI_TOKEN, else the stored one whose scope matches the app."
)]
pub(super) struct Curl {
    /// Id, name, or beginning of an id
    app: String,
    /// Path and query
    #[arg(default_value = "/")]
    path: String,
    /// Method [default: GET, or POST with --data]
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    method: Option<String>,
    /// Header, may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// Body
    #[arg(short, long, visible_alias = "data-raw")]
    data: Option<String>,
    /// Show status and headers before the body
    #[arg(short, long)]
    include: bool,
    /// End with exit code 22, and without the body, when the answer is an error
    #[arg(long)]
    fail: bool,
    /// Use this stored token (name or id)
    #[arg(long = "as", value_name = "TOKEN", conflicts_with = "no_auth")]
    as_token: Option<String>,
    /// Send no token
    #[arg(long)]
    no_auth: bool,
}

fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().into(), value.trim().into()))
        }
        _ => Err("use 'Name: value'".into()),
    }
}

impl Curl {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find(context).await?;
        // The login looks the app up: a read token may query it, but not see it in the API.
        let app = resolve(&target.login, &self.app).await?;
        let has = |name: &str| self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        let bearer =
            if has("authorization") { None } else { self.bearer(context, &app, &target.region)? };
        let client = AppClient::new(&app.status.url, target.address)?;
        let method =
            self.method.as_deref().unwrap_or(if self.data.is_some() { "POST" } else { "GET" });
        let mut headers = self.headers.clone();
        if self.data.is_some() && !has("content-type") {
            headers.push(("content-type".into(), "application/x-www-form-urlencoded".into()));
        }
        if !has("accept") {
            headers.push(("accept".into(), "*/*".into()));
        }
        let body = self.data.as_ref().map(|data| data.clone().into_bytes());
        let mut answer = client.send(method, &self.path, &headers, bearer.as_deref(), body).await?;
        if self.fail && answer.status >= 400 {
            return Err(Failure::new(format!(
                "the app's address answers {} {}",
                answer.status, answer.reason
            ))
            .exit_code(HTTP_ERROR));
        }
        if self.include {
            context.line(format!("{} {} {}", answer.version, answer.status, answer.reason))?;
            for (name, value) in &answer.headers {
                context.line(format!("{name}: {}", String::from_utf8_lossy(value)))?;
            }
            context.line("")?;
        }
        let mut ends_line = true;
        while let Some(piece) = answer.chunk().await? {
            context.out.write_all(&piece)?;
            context.out.flush()?;
            ends_line = piece.last().is_none_or(|byte| *byte == b'\n');
        }
        if !ends_line && context.out_is_terminal() {
            context.line("")?;
        }
        if answer.status == 401 && bearer.is_some() {
            context.note("hint: the token was refused; if it was regenerated elsewhere, make its new string known: ovhai token regenerate NAME");
        }
        Ok(())
    }

    fn bearer(&self, context: &Context, app: &App, region: &Region) -> Result<Option<String>> {
        if self.no_auth {
            return Ok(None);
        }
        let credentials = Credentials::open(context)?;
        if let Some(wanted) = &self.as_token {
            return credentials.find(wanted, region)?.map(Some).ok_or_else(|| {
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
        if let Some(token) = credentials.for_app(app, region)? {
            return Ok(Some(token));
        }
        let stored = credentials.describe(region);
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
            .exit_code(crate::error::DENIED))
    }
}
