//! `ovhai emulator …`.

mod ca;
mod clock;
mod engine;
pub(crate) mod exec;
mod image;
mod interrupt;
mod logs;
mod metrics;
mod open;
mod openapi;
mod rendezvous;
mod requests;
mod server_options;
mod start;
mod status;
mod stop;
mod user;

use std::ffi::OsString;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::error::Result;

#[derive(Debug, Args)]
pub(crate) struct EmulatorCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Start an emulator of AI Deploy
    Start(Box<start::Start>),
    /// Run a command with an emulator of its own
    Exec(Box<exec::Exec>),
    /// Show the emulator's status
    Status(status::Status),
    /// Stop the emulator
    Stop(stop::Stop),
    /// Open the console in the browser
    Open(open::Open),
    /// Show the emulator's log
    Logs(logs::Logs),
    /// Show recent requests, with caller and access decision
    Requests(Box<requests::Requests>),
    /// Print the metrics that Prometheus reads
    Metrics(metrics::Metrics),
    /// Manage the users who can log in
    #[command(visible_alias = "users")]
    User(user::UserCommand),
    /// Map images to local commands
    #[command(visible_alias = "images")]
    Image(image::ImageCommand),
    /// Show the container engine, or where it was looked for
    Engine(engine::Engine),
    /// Show, stop and move the clock of apps, deadlines and logins
    Clock(clock::ClockCommand),
    /// Interrupt apps, as the platform may do for maintenance
    Interrupt(interrupt::Interrupt),
    /// Make this machine trust the emulator's HTTPS certificates
    Ca(ca::CaCommand),
    /// Print the OpenAPI document of the API
    #[command(name = "openapi")]
    OpenApi(openapi::OpenApi),
}

/// Whether a shell evaluates the output of this command line, so that any failure must reach the
/// shell.
pub(crate) fn is_for_eval(arguments: &[OsString], context: &Context) -> bool {
    let is_on = |name: &str| context.var(name).is_some_and(|on| on != "0");
    let mut words = arguments.iter().filter_map(|word| word.to_str());
    words.any(|word| word == "emulator") && words.next() == Some("start") && {
        let options: Vec<_> = words.collect();
        let is_detach = |word: &&str| *word == "--detach" || word.starts_with("-d");
        (options.contains(&"--ephemeral") || is_on("OVHAI_EPHEMERAL"))
            && (options.iter().any(is_detach) || is_on("OVHAI_DETACH"))
    }
}

impl EmulatorCommand {
    pub(crate) fn handles_signals(&self) -> bool {
        matches!(self.verb, Verb::Start(_) | Verb::Exec(_))
    }

    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self.verb {
            Verb::Start(verb) => verb.run(context).await,
            Verb::Exec(verb) => Box::pin(verb.run(context)).await,
            Verb::Status(verb) => verb.run(context),
            Verb::Stop(verb) => verb.run(context).await,
            Verb::Open(verb) => verb.run(context).await,
            Verb::Logs(verb) => verb.run(context).await,
            Verb::Requests(verb) => Box::pin(verb.run(context)).await,
            Verb::Metrics(verb) => verb.run(context).await,
            Verb::User(verb) => verb.run(context).await,
            Verb::Image(verb) => verb.run(context).await,
            Verb::Engine(verb) => verb.run(context).await,
            Verb::Clock(verb) => verb.run(context).await,
            Verb::Interrupt(verb) => verb.run(context).await,
            Verb::Ca(verb) => verb.run(context),
            Verb::OpenApi(verb) => verb.run(context),
        }
    }
}
