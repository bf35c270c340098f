//! `ovhai app …`.

mod access;
mod await_state;
mod change;
mod curl;
mod forward;
mod list;
mod logs;
mod open;
mod port_forward;
mod run;
mod view;
mod wait;

use clap::{Args, Subcommand};
use ovhai_api_types::{App, AppId};
use ovhai_client::{AppFilter, Client};

use crate::context::Context;
use crate::error::{Failure, Result};

/// See the command.
#[derive(Debug, Args)]
pub struct AppCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Submit an app
    #[command(visible_alias = "create")]
    Run(Box<run::Run>),
    /// List apps
    #[command(visible_alias = "ls")]
    List(list::List),
    /// Show an app
    Get(list::Get),
    /// Send a request to an app, with a stored token
    Curl(Box<curl::Curl>),
    /// Reach an app at a local port, with a stored token
    PortForward(port_forward::PortForward),
    /// Open an app in the browser
    Open(open::Open),
    /// Read an app's output
    Logs(logs::Logs),
    /// Wait until an app is in a state
    Wait(await_state::AwaitState),
    /// Start an app
    Start(change::Start),
    /// Stop an app
    Stop(change::Stop),
    /// Delete an app
    #[command(visible_alias = "rm")]
    Delete(change::Delete),
    /// Set or remove a label of an app
    SetLabel(change::SetLabel),
    /// Change an app's image
    SetImage(change::SetImage),
    /// Change an app's number of replicas
    Scale(change::Scale),
    /// Change an app's environment or ports
    Update(change::Update),
}

impl AppCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self.verb {
            Verb::Run(verb) => verb.run(context).await,
            Verb::List(verb) => verb.run(context).await,
            Verb::Get(verb) => verb.run(context).await,
            Verb::Curl(verb) => verb.run(context).await,
            Verb::PortForward(verb) => verb.run(context).await,
            Verb::Open(verb) => verb.run(context).await,
            Verb::Logs(verb) => verb.run(context).await,
            Verb::Wait(verb) => verb.run(context).await,
            Verb::Start(verb) => verb.run(context).await,
            Verb::Stop(verb) => verb.run(context).await,
            Verb::Delete(verb) => verb.run(context).await,
            Verb::SetLabel(verb) => verb.run(context).await,
            Verb::SetImage(verb) => verb.run(context).await,
            Verb::Scale(verb) => verb.run(context).await,
            Verb::Update(verb) => verb.run(context).await,
        }
    }
}

/// The app that is meant by an id, a name, or the beginning of an id.
pub(crate) async fn resolve(client: &Client, wanted: &str) -> Result<App> {
    if let Ok(id) = wanted.parse::<AppId>() {
        return Ok(client.get_app(id).await?);
    }
    let all = client.list_apps(&AppFilter::default()).await?;
    let named: Vec<&App> = all.iter().filter(|app| view::name(app) == wanted).collect();
    let found = if named.is_empty() && wanted.len() >= 4 {
        all.iter().filter(|app| app.id.to_string().starts_with(&wanted.to_lowercase())).collect()
    } else {
        named
    };
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(Failure::not_found(format!("there is no app {wanted:?}"))
            .hint("see all: ovhai app list --all")),
        many => {
            let candidates: Vec<String> =
                many.iter().map(|app| format!("{} ({})", app.id, view::name(app))).collect();
            Err(Failure::usage(format!("{wanted:?} can mean {} apps", many.len()))
                .because(candidates.join(", "))
                .hint("use the id"))
        }
    }
}

/// `name=value` of an option; the value may be empty.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err("use name=value".into()),
    }
}
