//! The watcher as a program of its own, for tests of this crate.

fn main() -> std::process::ExitCode {
    ovhai_containers::watcher::main()
}
