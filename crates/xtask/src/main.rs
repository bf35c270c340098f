//! The project's own tasks: `cargo xtask test|screenshots|gen|lint|fuzz|wheel|workflow|bench`.
//!
//! A task may print and may stop at the first error: it is run by developers and CI, never by
//! users.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod engines;
mod fuzz;
mod generate;
mod lint;
mod published;
mod run;
mod test;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "cargo xtask <task>

  test [ARGS]     install what the tests need, and run every one of them; ARGS go to cargo test
  screenshots [--docs]
                  take pictures of all pages in a real browser, into target/screenshots; --docs takes
                  those of the documents again, too
  gen [--check]   write the generated files (completions, man pages, references), or check them
  lint            check arrows between crates, dependencies, and rules that compilers do not know
  fuzz [SECONDS]  run every fuzz target for a while [default: 10]
  wheel [FILE]    pack an executable and the Python package into target/wheels [default: the dist
                  profile, which is built]
  workflow        check what CI systems read, in .github and in the documents, against published schemas
  bench [ARGS]    measure beside peers, and write docs/benchmarks.md";

fn main() -> ExitCode {
    if fuzz::is_compiler() {
        return fuzz::compile();
    }
    match task() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn task() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = match arguments.split_first() {
        Some((task, rest)) => (task.as_str(), rest),
        None => bail!("no task is named\n\n{USAGE}"),
    };
    match task {
        "test" => test::run(rest),
        "screenshots" => test::screenshots(rest),
        "gen" => generate::run(rest),
        "lint" => lint::run(),
        "fuzz" => fuzz::run(rest),
        "wheel" => published::wheel(rest),
        "workflow" => published::workflow(),
        "bench" => bench::run(rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => bail!("there is no task {other:?}\n\n{USAGE}"),
    }
}
