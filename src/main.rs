//! `ovhai`: see the library of the same name.

use std::ffi::OsStr;
use std::process::ExitCode;

use ovhai::{attendant, stage};
use ovhai_containers::watcher;
use ovhai_runtime::{archive, launch, supervisor};

fn main() -> ExitCode {
    // This executable is also the supervisor of local processes, copies their files, is the watcher of
    // containers, and stands between `emulator exec` and its command; nothing else of it is loaded then.
    let subcommand = std::env::args_os().nth(1);
    match subcommand.as_deref().and_then(OsStr::to_str) {
        Some(supervisor::SUBCOMMAND) => supervisor::main(),
        Some(launch::SUBCOMMAND) => launch::main(),
        Some(archive::SUBCOMMAND) => archive::main(),
        Some(watcher::SUBCOMMAND) => watcher::main(),
        Some(attendant::SUBCOMMAND) => attendant::main(),
        Some(stage::BECOME) => stage::become_command(),
        Some(stage::RAISE) => stage::raise(),
        _ => ovhai::main(),
    }
}
