//! `ovhai app …`.

mod access;
mod await_state;
mod change;
mod check;
mod copy;
mod credential;
mod curl;
mod data_sync;
mod delete;
mod events;
mod exec;
mod flags;
mod forward;
mod list;
mod logs;
mod open;
mod options;
mod port_forward;
mod ports;
mod requests;
mod restart;
mod run;
mod selection;
mod session;
mod set_label;
mod submitted;
mod update;
mod view;
mod volume;
pub(crate) mod wait;

#[cfg(test)]
mod recreates;

pub(crate) use logs::{Since, since};

use clap::{Args, Subcommand};
use ovhai_api_types::App;
use ovhai_client::Client;

use crate::args::deferred::Deferred;
use crate::context::Context;
use crate::error::Result;

#[derive(Debug, Args)]
pub(crate) struct AppCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Submit an app
    // `run` and `curl` have options of their own in the place of global ones: not [`Deferred`].
    #[command(visible_alias = "create")]
    Run(Box<run::Run>),
    /// List apps
    #[command(visible_alias = "ls", alias = "ps")]
    List(Deferred<list::List>),
    /// Show an app
    #[command(aliases = ["show", "describe", "status"])]
    Get(Deferred<list::Get>),
    /// Send a request to an app, with a stored token
    Curl(Box<curl::Curl>),
    /// Explain which tokens give access to an app, and why
    Access(Deferred<access::Access>),
    /// Reach an app at a local port, with a stored token
    PortForward(Deferred<port_forward::PortForward>),
    /// Open an app in the browser
    Open(Deferred<open::Open>),
    /// Show what happened to apps and their replicas, such as crashes
    #[command(alias = "event")]
    Events(Deferred<events::Events>),
    /// Read an app's output
    #[command(alias = "log")]
    Logs(Deferred<logs::Logs>),
    /// Show recent requests to an app, with caller and access decision
    // It has options of its own in the place of global ones: not [`Deferred`].
    Requests(Box<requests::Requests>),
    /// Run a command in an app, such as a shell
    Exec(Deferred<exec::Exec>),
    /// Copy files from or to an app
    Cp(Deferred<copy::Cp>),
    /// Wait until an app is in a state
    Wait(Deferred<await_state::AwaitState>),
    /// Start an app
    Start(Deferred<change::Start>),
    /// Replace an app's replicas
    Restart(Deferred<restart::Restart>),
    /// Stop an app
    Stop(Deferred<change::Stop>),
    /// Delete an app
    #[command(visible_alias = "rm")]
    Delete(Deferred<delete::Delete>),
    /// Set and remove labels of an app
    SetLabel(Deferred<set_label::SetLabel>),
    /// Change an app's image
    SetImage(Deferred<change::SetImage>),
    /// Change an app's number of replicas or its automatic scaling
    Scale(Deferred<change::Scale>),
    /// Bring an app's volumes and their data stores together
    DataSync(Deferred<data_sync::DataSyncCommand>),
    /// Change an app's environment, image, ports, resources or update strategy
    Update(Deferred<update::Update>),
    /// Check whether an image would run in AI Deploy
    Check(Deferred<check::CheckImage>),
}

impl AppCommand {
    /// Whether the command does with Ctrl-C and SIGTERM what it likes.
    pub(crate) fn handles_signals(&self) -> bool {
        matches!(self.verb, Verb::Exec(_))
    }

    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        // The largest are boxed, or every command's future would be as large.
        match self.verb {
            Verb::Run(verb) => Box::pin(verb.run(context)).await,
            Verb::Check(Deferred(verb)) => Box::pin(verb.run(context)).await,
            Verb::List(Deferred(verb)) => verb.run(context).await,
            Verb::Get(Deferred(verb)) => verb.run(context).await,
            Verb::Curl(verb) => Box::pin(verb.run(context)).await,
            Verb::Access(Deferred(verb)) => verb.run(context).await,
            Verb::PortForward(Deferred(verb)) => Box::pin(verb.run(context)).await,
            Verb::Open(Deferred(verb)) => verb.run(context).await,
            Verb::Events(Deferred(verb)) => verb.run(context).await,
            Verb::Logs(Deferred(verb)) => verb.run(context).await,
            Verb::Requests(verb) => Box::pin(verb.run(context)).await,
            Verb::Exec(Deferred(verb)) => Box::pin(verb.run(context)).await,
            Verb::Cp(Deferred(verb)) => Box::pin(verb.run(context)).await,
            Verb::Wait(Deferred(verb)) => verb.run(context).await,
            Verb::Start(Deferred(verb)) => verb.run(context).await,
            Verb::Restart(Deferred(verb)) => verb.run(context).await,
            Verb::Stop(Deferred(verb)) => verb.run(context).await,
            Verb::Delete(Deferred(verb)) => verb.run(context).await,
            Verb::SetLabel(Deferred(verb)) => verb.run(context).await,
            Verb::SetImage(Deferred(verb)) => verb.run(context).await,
            Verb::Scale(Deferred(verb)) => verb.run(context).await,
            Verb::DataSync(Deferred(verb)) => verb.run(context).await,
            Verb::Update(Deferred(verb)) => verb.run(context).await,
        }
    }
}

/// Resolves an id, a name, or the beginning of an id to an app.
pub(crate) async fn resolve(client: &Client, wanted: &str) -> Result<App> {
    crate::server::resolve::resolve(client, wanted).await
}

/// `KEY=VALUE` of a label; the value may be empty.
fn label(text: &str) -> Result<(String, String), String> {
    split(text).ok_or_else(|| "use KEY=VALUE".into())
}

fn split(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty())?;
    Some((name.into(), value.into()))
}
