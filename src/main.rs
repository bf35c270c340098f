//! `ovhai`: see the library of the same name.

use std::process::ExitCode;

fn main() -> ExitCode {
    // The supervisor of a local process is this executable too, and nothing else of it is loaded.
    if std::env::args_os().nth(1).is_some_and(|arg| arg == ovhai_runtime::supervisor::SUBCOMMAND) {
        return ovhai_runtime::supervisor::main();
    }
    ovhai::main()
}
