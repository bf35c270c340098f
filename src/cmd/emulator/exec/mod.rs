//! `ovhai emulator exec`: an emulator for one command.
//!
//! This process is the emulator. The command is the child of an attendant ([`attendant`]), which
//! ends it when this process is gone, and the rest of the command's processes when the command is.
//! All are in one process group, as if the shell had started the command: Ctrl-C and Ctrl-Z reach
//! it, and this process forwards only what the terminal has not sent to the command as well.
//!
//! What is left when everything was killed at once is known by [`COMMAND_MARK`] and by the
//! directory's lock and mark (`rendezvous`), and is removed by the next `emulator exec`.

pub mod attendant;
mod child;
pub mod stage;

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use clap::{Args, ValueHint};
use ovhai_emulator::{Components, Emulator};
use ovhai_runtime::descriptors;

use self::attendant::End;
use self::child::{Child, Signals};
use super::rendezvous::{COMMAND_MARK, Rendezvous};
use super::server_options::ServerOptions;
use super::start::{open_more, start_logging};
use crate::calls::address::near;
use crate::context::Context;
use crate::error::{Failure, Result};

#[derive(Debug, Args)]
#[command(
    after_help = "The emulator keeps its state in memory, has free ports, and ends with the command, whose exit code or signal is passed on. The command's OVHAI_ variables are those of this emulator: OVHAI_API_URL and OVHAI_API_TOKEN are for other clients."
)]
pub(super) struct Exec {
    #[command(flatten)]
    server: ServerOptions,
    /// Command to run, with its arguments, after --
    #[arg(last = true, required = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    command: Vec<OsString>,
}

impl Exec {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let mut signals = Signals::listen()?;
        // First: it inherits descriptors, limits and the umask from this process, and starts while
        // the emulator does.
        let mut child = Child::prepare(context, &self.command)?;
        // The attendant has it, if it is any different.
        descriptors::keep_from_children();
        let mut rendezvous = Rendezvous::create(context)?;
        rendezvous.hold()?;
        let sweeping = rendezvous.sweeping();
        let mut emulator = Some(tokio::select! {
            biased;
            signal = signals.next() => {
                drop(rendezvous);
                child.release().await;
                return end(context, End::Signalled(signal));
            }
            started = self.start(context, &mut rendezvous) => started?,
        });
        if let Some(emulator) = &emulator {
            let environment = environment(emulator, rendezvous.path())?;
            child.go(rendezvous.path(), environment).await?;
        }
        let outcome = loop {
            let stop_asked = async {
                match &emulator {
                    Some(emulator) => emulator.stop_asked().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                signal = signals.next() => child.forward(signal).await,
                ended = child.ended() => break ended,
                _ = stop_asked => {
                    context.note("The emulator was asked to stop before its command has ended.");
                    if let Some(emulator) = emulator.take() {
                        emulator.shutdown().await;
                        rendezvous.let_go();
                    }
                }
            }
        };
        if let Some(emulator) = emulator {
            emulator.shutdown().await;
        }
        // It fails only if the runtime is ending.
        let _ = sweeping.await;
        drop(rendezvous);
        child.release().await;
        end(context, outcome?)
    }

    async fn start(&self, context: &Context, rendezvous: &mut Rendezvous) -> Result<Emulator> {
        open_more();
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        let components = Arc::<Components>::default();
        if context.var("OVHAI_LOG").is_some() {
            start_logging(context, "warn", std::io::stderr(), &components);
        } else {
            // The command's standard error is the command's.
            let mut options = File::options();
            let log = options.create(true).append(true).mode(0o600).open(rendezvous.state().log());
            start_logging(context, "info", log?, &components);
        }
        let builder = self.server.builder_on_free_ports(context)?;
        let builder = builder.components(components).processes(rendezvous.state().processes());
        let emulator = builder.start().await?;
        rendezvous.announce(emulator.running())?;
        Ok(emulator)
    }
}

/// The command's variables; it gets none of this program's other ones. `OVHAI_TOKEN` is none of
/// them, because every command would act with it instead of choosing the token of an app.
fn environment(emulator: &Emulator, directory: &Path) -> Result<Vec<(&'static str, String)>> {
    let config = directory.join("config");
    std::fs::DirBuilder::new().mode(0o700).create(&config)?;
    let text = |path: &Path| path.to_string_lossy().into_owned();
    Ok(vec![
        ("OVHAI_STATE_DIR", text(directory)),
        ("OVHAI_CONFIG_DIR", text(&config)),
        ("OVHAI_AUTOSTART", "0".into()),
        ("OVHAI_LOCAL_ONLY", "1".into()),
        ("OVHAI_KEYRING", "0".into()),
        ("OVHAI_API_URL", format!("http://{}", near(emulator.address()))),
        ("OVHAI_API_TOKEN", emulator.administrator().to_owned()),
        (COMMAND_MARK, text(directory)),
    ])
}

/// Ends like the command: with its exit code, or by its signal.
fn end(context: &mut Context, end: End) -> Result<()> {
    match end {
        End::Exited(0) => Ok(()),
        End::Exited(code) => Err(Failure::silent(u8::try_from(code).unwrap_or(1))),
        End::Signalled(signal) => {
            // The reader may be gone.
            let _ = context.out.flush();
            // A handler can't be removed again; a new image has none. It returns only if it fails.
            let _ = Command::new(this_program()?)
                .arg0("ovhai")
                .args([stage::RAISE, &signal.to_string()])
                .exec();
            Err(Failure::silent(stage::code_of(signal)))
        }
    }
}

/// This executable, even if another version has replaced its file.
fn this_program() -> std::io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() }
}
