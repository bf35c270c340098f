//! `ovhai emulator start`.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use ovhai_api_types::Region;
use ovhai_emulator::state::{Running, StateDir};
use ovhai_emulator::{Components, Emulator, StopReason};
use ovhai_runtime::descriptors;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;

use super::rendezvous::Rendezvous;
use super::server_options::{ServerOptions, lifetime, switch, variable};
use crate::calls::address::{root, secure_root};
use crate::calls::liveness;
use crate::context::{Context, interrupted};
use crate::error::{Failure, Result};
use crate::log_writer::{LogTarget, LossyLog, is_writable};
use crate::server::background;
use crate::server::options::Options;
use crate::settings::{readable_state_dir, state_dir};
use crate::term::text;

#[derive(Debug, Args)]
pub(super) struct Start {
    /// Run in the background [env: OVHAI_DETACH]
    #[arg(short, long)]
    detach: bool,
    /// Keep the state in memory only, and ignore the state directory. Prints how other terminals
    /// reach it; with --detach, as lines for eval on standard output [env: OVHAI_EPHEMERAL]
    #[arg(long)]
    ephemeral: bool,
    #[command(flatten)]
    server: ServerOptions,
    /// Stop automatically after this time, such as 90s, 30m or 1h; not saved for the next start [env:
    /// OVHAI_STOP_AFTER]
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    stop_after: Option<Duration>,
    /// This is the process in the background.
    #[arg(long, hide = true, conflicts_with = "detach")]
    background: bool,
}

impl Start {
    /// Takes what was not given from the environment. The emulator in the background gets these
    /// options from its starter only, whose environment it has.
    fn with_variables(mut self, context: &Context) -> Result<Self> {
        if self.background {
            return Ok(self);
        }
        let is_on = |given: bool, name| {
            switch(context, given.then_some(true), name).map(Option::unwrap_or_default)
        };
        self.detach = is_on(self.detach, "OVHAI_DETACH")?;
        self.ephemeral = is_on(self.ephemeral, "OVHAI_EPHEMERAL")?;
        if self.stop_after.is_none() {
            self.stop_after = variable(context, "OVHAI_STOP_AFTER", lifetime)?;
        }
        Ok(self)
    }

    /// The options of the command line or the environment, for the process in the background and
    /// for the next start.
    fn options(&self, context: &Context) -> Result<Options> {
        let mut options = self.server.options(context)?;
        if let Some(time) = self.stop_after {
            options.set("stop-after", format!("{}ms", time.as_millis()));
        }
        Ok(options)
    }

    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let this = self.with_variables(context)?;
        if this.detach && this.ephemeral {
            return this.start_for_eval(context).await;
        }
        if this.detach {
            return this.start_detached(context).await;
        }
        let outcome = this.serve(context).await;
        if this.background
            && let Err(failure) = &outcome
        {
            background::say_failed(failure);
        }
        outcome
    }

    /// Runs the emulator until it stops.
    async fn serve(&self, context: &mut Context) -> Result<()> {
        if self.background {
            // Leaves the terminal's session, so that closing the terminal does not end it. Fails
            // only if it already leads a session.
            let _ = rustix::process::setsid();
        }
        let options = self.options(context)?;
        descriptors::keep_from_children();
        open_more();
        // All its files are private: the database contains the apps' environment.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        let components = Arc::<Components>::default();
        let default = if self.background { "info" } else { "warn" };
        start_logging(context, default, std::io::stderr(), &components);
        let mut builder = self.server.builder(context)?.components(components);
        if let Some(time) = self.stop_after {
            builder = builder.stop_after(time);
        }
        let mut rendezvous = None;
        if self.ephemeral {
            let directory = if self.background {
                Rendezvous::adopt(state_dir(context)?)?
            } else {
                Rendezvous::create(context)?
            };
            directory.sweep();
            builder = builder.processes(directory.state().processes());
            rendezvous = Some(directory);
        } else {
            builder = builder.state_dir(state_dir(context)?);
        }
        // Before other processes can find the emulator and signal it.
        let asked_to_end = interrupted();
        let emulator = builder.start().await?;
        tracing::info!(address = %emulator.address(), pid = std::process::id(), "the emulator runs");
        if let Some(rendezvous) = &mut rendezvous {
            rendezvous.announce(emulator.running())?;
        }
        if self.background {
            background::say_started();
        } else {
            // Blocking on a pipe that is not read would keep it from handling signals.
            if is_writable(&std::io::stderr(), Duration::ZERO) {
                self.greet(context, &emulator, rendezvous.as_ref());
            }
            if !self.ephemeral {
                let state = StateDir::new(state_dir(context)?);
                // Other commands may use the emulator already, so this is not fatal.
                if let Err(failure) = keep(context, &state, &options) {
                    tracing::warn!(
                        why = failure.brief(),
                        "the options of this start could not be saved"
                    );
                }
            }
        }
        let lost = async {
            match &rendezvous {
                Some(rendezvous) => rendezvous.lost().await,
                None => std::future::pending().await,
            }
        };
        let reason = tokio::select! {
            () = asked_to_end => StopReason::Asked,
            reason = emulator.stop_asked() => reason,
            () = lost => StopReason::StateDirectoryLost,
        };
        tracing::info!(?reason, "the emulator stops");
        emulator.shutdown().await;
        tracing::info!("the emulator has stopped");
        match reason {
            StopReason::Asked => Ok(()),
            StopReason::TimeIsUp => {
                context.note("The emulator has stopped, as --stop-after asked.");
                Ok(())
            }
            StopReason::StateDirectoryLost => {
                let directory = match &rendezvous {
                    Some(rendezvous) => rendezvous.path().to_owned(),
                    None => state_dir(context)?,
                };
                Err(Failure::new("the emulator has stopped")
                    .because(format!(
                        "its state directory {} was removed or replaced",
                        directory.display()
                    ))
                    .hint("start a new one: ovhai emulator start"))
            }
        }
    }

    fn greet(&self, context: &mut Context, emulator: &Emulator, shared: Option<&Rendezvous>) {
        let running = emulator.running();
        let regions: Vec<_> = running.regions.iter().map(Region::as_str).collect();
        context.note(format!(
            "An emulator of AI Deploy is running: {} (regions {}; press Ctrl-C to stop)",
            root(running),
            regions.join(", ")
        ));
        context.note(console_hint(running));
        if let Some(secure) = secure_root(running) {
            context
                .note(format!("HTTPS: {secure} (trust its certificates: {})", self.trust(running)));
        }
        if let Some(shared) = shared {
            let directory = text::quoted(&shared.path().to_string_lossy()).into_owned();
            context.note(format!(
                "Its state is in memory only. To use it from another terminal: export OVHAI_STATE_DIR={directory} OVHAI_AUTOSTART=0"
            ));
            context.note(format!(
                "Other programs find their bearer in {directory}/emulator.json, field administrator. The directory is removed when the emulator stops."
            ));
        }
        // Checked when the options were read.
        let _ = self.warn_of_others(context);
    }

    fn warn_of_others(&self, context: &mut Context) -> Result<()> {
        if self.server.is_open(context)? {
            context.note("It listens beyond this machine: every client that can reach it and has a token has access. Requests for other host names are refused.");
        }
        Ok(())
    }

    /// The hint about trusting its certificates.
    fn trust(&self, running: &Running) -> String {
        if self.ephemeral {
            format!("curl {}/_emulator/ca.pem", root(running))
        } else {
            "ovhai emulator ca install".into()
        }
    }

    /// Starts an ephemeral emulator, and prints the lines that make a shell's commands use it.
    async fn start_for_eval(&self, context: &mut Context) -> Result<()> {
        let options = self.options(context)?;
        let rendezvous = Rendezvous::create(context)?;
        let running = background::start(context, rendezvous.state(), &options, true).await?;
        let state = rendezvous.hand_over();
        let directory = state.path().to_string_lossy();
        let lines = format!(
            "export OVHAI_STATE_DIR={}\nexport OVHAI_AUTOSTART=0",
            text::quoted(&directory)
        );
        let told = context.line(lines).and_then(|()| Ok(context.out.flush()?));
        if told.is_err() {
            // No command could find it.
            let _ = state.holder().map(|holder| holder.signal(Signal::TERM));
            return told;
        }
        context.note(format!(
            "An emulator of AI Deploy is running, with its state in memory only: {} (pid {}); stop it: ovhai emulator stop",
            root(&running),
            running.pid
        ));
        self.warn_of_others(context)?;
        Ok(())
    }

    async fn start_detached(&self, context: &mut Context) -> Result<()> {
        let state = StateDir::new(readable_state_dir(context)?);
        if let Some(running) = state.running() {
            if liveness::ask(&running).is_err_and(|error| liveness::is_silence(&error)) {
                return Err(liveness::failure(running.pid));
            }
            context.note(format!(
                "An emulator is already running: {} (pid {})",
                root(&running),
                running.pid
            ));
            const STOP: &str = "stop it first: ovhai emulator stop";
            if self.server.differs_from(context, &running)? {
                return Err(
                    Failure::new("the running emulator was started with other options").hint(STOP)
                );
            }
            // The saved options of its start.
            let has = Options::of(&state).unwrap_or_default();
            if !self.options(context)?.is_within(&has) {
                context.note(format!(
                    "hint: it keeps the options that it was started with; to change them, {STOP}"
                ));
            }
            return Ok(());
        }
        let options = self.options(context)?;
        let running = background::start(context, &state, &options, false).await?;
        // Another command may have started another one first.
        if !self.server.differs_from(context, &running)? {
            keep(context, &state, &options)?;
        }
        context.line(format!(
            "An emulator of AI Deploy is running: {} (pid {})",
            root(&running),
            running.pid
        ))?;
        context.note(console_hint(&running));
        self.warn_of_others(context)?;
        if let Some(secure) = secure_root(&running) {
            context.line(format!(
                "HTTPS: {secure} (trust its certificates: {})",
                self.trust(&running)
            ))?;
        }
        Ok(())
    }
}

/// Where the console is.
fn console_hint(running: &Running) -> String {
    format!("Console: {}/ (open it without a password: ovhai emulator open)", root(running))
}

/// Saves the options of a start, and names the dropped ones.
fn keep(context: &mut Context, state: &StateDir, options: &Options) -> Result<()> {
    // A damaged file is replaced.
    let before = Options::of(state).unwrap_or_default();
    options.clone().keep(state)?;
    let gone = before.without(options);
    if !gone.is_empty() {
        context.note(format!(
            "hint: this start replaces the saved options, and drops {}",
            gone.shown()
        ));
    }
    Ok(())
}

/// A gateway needs two connections per client, and shells usually allow 1,024 open files by
/// default. Not raised to the maximum: old programs close every possible descriptor.
pub(super) fn open_more() {
    const ENOUGH: u64 = 65_536;
    let now = getrlimit(Resource::Nofile);
    let wanted = now.maximum.map_or(ENOUGH, |most| most.min(ENOUGH));
    if now.current.is_some_and(|current| current < wanted) {
        // If this fails, the emulator admits fewer clients.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..now });
    }
}

/// Logs to this stream. `OVHAI_LOG` sets the level; by default the foreground shows warnings only.
pub(super) fn start_logging(
    context: &Context,
    default: &str,
    target: impl LogTarget + 'static,
    components: &Arc<Components>,
) {
    let level = context.var("OVHAI_LOG").unwrap_or(default);
    let filter = level.parse::<Targets>().or_else(|_| default.parse()).unwrap_or_default();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(LossyLog::new(target, Arc::clone(components)))
        .with_ansi(false)
        // Lost lines are counted; printing an error here would panic.
        .log_internal_errors(false);
    let subscriber = tracing_subscriber::registry().with(filter).with(lines);
    // Already set if several emulators start in one process.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
