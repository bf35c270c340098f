//! Stages between the attendant and the command, and at the end of `emulator exec`: processes that
//! become the command, or end by a signal.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use rustix::process::{
    Resource, Rlimit, Signal, getpid, getppid, getrlimit, kill_process, setrlimit,
};

use crate::error::Failure;

/// The hidden subcommand that becomes the command: `ovhai __become PARENT COMMAND …`.
pub const BECOME: &str = "__become";
/// The hidden subcommand that ends by a signal: `ovhai __raise NUMBER`.
pub const RAISE: &str = "__raise";

/// Exit code of a shell for a command that can't be run.
const CANNOT_RUN: u8 = 126;
/// Exit code of a shell for a command that does not exist.
const NO_COMMAND: u8 = 127;

/// Becomes the command, which the kernel ends when the attendant ends.
pub fn become_command() -> ExitCode {
    let mut words = std::env::args_os().skip(2);
    let parent = words.next().and_then(|pid| pid.to_str()?.parse().ok());
    let Some(program) = words.next() else { return ExitCode::FAILURE };
    #[cfg(target_os = "linux")]
    if rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).is_err() {
        return ExitCode::FAILURE;
    }
    // It may have ended before the signal was set.
    if getppid().map(|parent| parent.as_raw_nonzero().get()) != parent {
        return ExitCode::FAILURE;
    }
    let why = Command::new(&program).args(words).exec();
    cannot_run(&program, &why)
}

fn cannot_run(program: &OsString, why: &std::io::Error) -> ExitCode {
    let name = program.to_string_lossy();
    let failure = Failure::new(format!("the command {name} can't be run")).because(why);
    let failure = if why.kind() == ErrorKind::NotFound {
        failure.hint("check its name: ovhai emulator exec -- COMMAND").exit_code(NO_COMMAND)
    } else {
        failure.hint("check its permissions").exit_code(CANNOT_RUN)
    };
    failure.show(&mut std::io::stderr(), false);
    ExitCode::from(failure.code())
}

/// Ends this process by a signal, as the command has ended.
pub fn raise() -> ExitCode {
    let number = std::env::args().nth(2).and_then(|number| number.parse().ok()).unwrap_or(0);
    // The command has left one if it was to leave one.
    let most = getrlimit(Resource::Core).maximum;
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: most });
    if let Some(signal) = Signal::from_named_raw(number) {
        let _ = kill_process(getpid(), signal);
    }
    // It is ignored.
    ExitCode::from(code_of(number))
}

/// The exit code of a shell for a command that a signal has ended.
pub(super) fn code_of(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(255)
}
