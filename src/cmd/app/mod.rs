//! `ovhai app …`.

mod access;
mod await_state;
mod change;
mod credential;
mod curl;
mod forward;
mod list;
mod logs;
mod open;
mod options;
mod port_forward;
mod run;
mod view;
mod volume;
mod wait;

#[cfg(test)]
mod recreates;

use clap::{Args, Subcommand};
use ovhai_api_types::App;
use ovhai_client::Client;

use crate::context::Context;
use crate::error::Result;

/// See the command.
#[derive(Debug, Args)]
pub struct AppCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Verb {
    /// Submit an app
    #[command(visible_alias = "create")]
    Run(Box<run::Run>),
    /// List apps
    #[command(visible_alias = "ls", alias = "ps")]
    List(list::List),
    /// Show an app
    #[command(aliases = ["show", "describe", "status"])]
    Get(list::Get),
    /// Send a request to an app, with a stored token
    Curl(Box<curl::Curl>),
    /// Show which tokens open an app, and what decides
    Access(access::Access),
    /// Reach an app at a local port, with a stored token
    PortForward(port_forward::PortForward),
    /// Open an app in the browser
    Open(open::Open),
    /// Read an app's output
    #[command(alias = "log")]
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
    /// Change an app's number of replicas, or how it scales
    Scale(change::Scale),
    /// Change an app's environment, image, ports, or how updates go
    Update(change::Update),
}

impl AppCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self.verb {
            Verb::Run(verb) => verb.run(context).await,
            Verb::List(verb) => verb.run(context).await,
            Verb::Get(verb) => verb.run(context).await,
            Verb::Curl(verb) => verb.run(context).await,
            Verb::Access(verb) => verb.run(context).await,
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
    crate::resolve::resolve(client, wanted).await
}

/// `name=value` of an option; the value may be empty.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err("use name=value".into()),
    }
}
