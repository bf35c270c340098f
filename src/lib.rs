//! The client: the command line of OVHcloud AI Deploy.
//!
//! A command is a clap struct and its `run(context)`. Everything outside comes in through
//! [`context::Context`], so that tests and the demo can run commands in process. Failures say what
//! happened, why, and what to do next ([`error::Failure`]).
//!
//! What must not be here: access rules and shapes of the wire.

mod args;
mod calls;
mod cmd;
pub mod context;
pub mod error;
mod line;
mod log_writer;
mod private_file;
pub mod reference;
mod secret;
mod server;
pub mod settings;
mod term;
mod ui;

pub use cmd::emulator::exec::{attendant, stage};
pub use line::cli;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory, FromArgMatches, Parser};

use args::global::{Format, MORE_OPTIONS};
use calls::{liveness, trace};
use cli::Cli;
use context::Context;
use error::{Failure, Result};
use line::{advice, complete, misplaced_args};
use term::terminal::Colors;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    if complete::is_asked() {
        complete::answer();
        return ExitCode::SUCCESS;
    }
    let mut context = Context::from_process(cli::tree);
    let args: Vec<OsString> = std::env::args_os().collect();
    let mut shown = Vec::new();
    let code = match parse(&args, &mut shown) {
        Ok((cli, None)) => execute(cli, &mut context),
        Ok((cli, refused)) => {
            context.apply(&cli.global);
            finish(refused.map_or(Ok(()), Err), &mut context)
        }
        Err(error) => usage(&error, &args, &mut context),
    };
    if code != 0 && cmd::emulator::is_for_eval(&args, &context) {
        // `eval "$(…)"` sees only the output, not the exit code.
        let _ = context.line("false").and_then(|()| Ok(context.out.flush()?));
    }
    keep_trace(&mut context, shown, code);
    ExitCode::from(code)
}

/// The command, the failure if it must not run, and the part of the command line that may be
/// recorded.
fn parse(
    args: &[OsString],
    shown: &mut Vec<String>,
) -> Result<(Cli, Option<Failure>), clap::Error> {
    let mut matches = Cli::command().try_get_matches_from(args)?;
    *shown = trace::shown(&matches);
    let refused = misplaced_args::refused(&matches);
    let cli = Cli::from_arg_matches_mut(&mut matches)
        .map_err(|error| error.format(&mut Cli::command()))?;
    Ok((cli, refused))
}

/// Parses and runs one command line in this process, with this context; returns the exit code.
/// Must be called within a tokio runtime.
pub async fn run(args: impl IntoIterator<Item = OsString>, context: &mut Context) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    match Cli::try_parse_from(&args) {
        Ok(cli) => {
            let outcome = dispatch(cli, context).await;
            finish(outcome, context)
        }
        Err(error) => usage(&error, &args, context),
    }
}

/// Records the requests of this run, and names the record if a request was what failed.
fn keep_trace(context: &mut Context, command: Vec<String>, code: u8) {
    let Ok(file) = settings::debug_file(context) else { return };
    let kept = context.trace.keep(&file, (context.now)(), command, code);
    // For programs that read JSON, the error must be the last line.
    if let Some(session) = kept.filter(|_| context.format() != Some(Format::Json)) {
        context.note(format!("requests and responses: ovhai debug {session}"));
    }
}

/// Shows clap's message. Help and version are results too; clap knows the right stream.
fn usage(error: &clap::Error, args: &[OsString], context: &mut Context) -> u8 {
    // The command line was not parsed.
    if args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--no-color") {
        context.colors = Colors::NONE;
    }
    if asks_for_json(args) {
        context.global.json = Some("true".into());
    }
    if let Some(failure) = advice::failure(error, args) {
        return finish(Err(failure), context);
    }
    let text = error.render();
    if error.use_stderr() && context.format() == Some(Format::Json) {
        let text = text.to_string();
        // The first paragraph; missing arguments are on lines of their own.
        let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
        let message = lines.collect::<Vec<_>>().join(" ");
        let message = message.strip_prefix("error: ").unwrap_or(&message).to_owned();
        return finish(Err(Failure::usage(message)), context);
    }
    let (stream, color) = if error.use_stderr() {
        (&mut context.err, context.colors.err)
    } else {
        (&mut context.out, context.colors.out)
    };
    let mut text = if color { text.ansi().to_string() } else { text.to_string() };
    if error.kind() == clap::error::ErrorKind::DisplayHelp {
        text += MORE_OPTIONS;
    }
    // A closed pipe is not an error.
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    u8::try_from(error.exit_code()).unwrap_or(error::USAGE)
}

/// Whether a command line that could not be parsed asks for JSON. In `app curl` both options mean
/// something else.
fn asks_for_json(args: &[OsString]) -> bool {
    let words: Vec<_> =
        args.iter().map(|arg| arg.to_string_lossy()).take_while(|arg| arg != "--").collect();
    let is_named = words
        .windows(2)
        .any(|two| matches!(two[0].as_ref(), "-o" | "--output") && two[1] == "json");
    let is_joined = |word: &str| matches!(word, "--json" | "-ojson" | "-o=json" | "--output=json");
    !words.iter().any(|word| word == "curl")
        && (is_named || words.iter().any(|word| is_joined(word)))
}

fn execute(cli: Cli, context: &mut Context) -> u8 {
    let mut builder = if cli.command.serves() {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        // For one or two calls threads cost more than they save.
        tokio::runtime::Builder::new_current_thread()
    };
    let outcome = match builder.enable_all().build() {
        Ok(runtime) => {
            let stops_by_itself = cli.command.handles_signals();
            let outcome = runtime.block_on(async {
                if stops_by_itself {
                    return dispatch(cli, context).await;
                }
                context.apply(&cli.global);
                let hangs = liveness::until_it_hangs(
                    Arc::clone(&context.found),
                    Arc::clone(&context.trace),
                );
                tokio::select! {
                    // The command first: it may have more to say about an interruption.
                    biased;
                    outcome = cli.command.run(context) => outcome,
                    failure = hangs => Err(failure),
                    () = context::interrupted() => Err(Failure::interrupted()),
                }
            });
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(Failure::new(format!("the program can't start its event loop: {error}"))),
    };
    finish(outcome, context)
}

async fn dispatch(cli: Cli, context: &mut Context) -> Result<()> {
    context.apply(&cli.global);
    cli.command.run(context).await
}

fn finish(outcome: Result<()>, context: &mut Context) -> u8 {
    let outcome = outcome.and_then(|()| context.out.flush().map_err(Into::into));
    match outcome {
        Ok(()) => 0,
        Err(failure) => {
            let failure = failure.with_hint(|hint| context.addressed(hint).into_owned());
            context.show_failure(&failure);
            failure.code()
        }
    }
}
