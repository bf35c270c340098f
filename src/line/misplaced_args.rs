//! Options of every command that mean nothing to some: these say so, instead of taking them for
//! nothing. What stands in the environment is for all commands, and is no mistake.

use clap::ArgMatches;
use clap::parser::ValueSource;

use crate::error::Failure;
use crate::line::global::OWN;

/// An option of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Global {
    Token,
    Region,
    Output,
}
use Global::{Output, Region, Token};

impl Global {
    /// The ids of its arguments, and how they are written.
    fn arguments(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Token => &[("caller-token", "--token")],
            Region => &[("region", "--region")],
            Output => &[("output", "--output"), ("json", "--json")],
        }
    }
}

/// Commands, what means nothing to them, and why there is no other format. The longest path that
/// fits counts.
const TABLE: &[(&str, &[Global], &str)] = &[
    (CURL, &[Output], "it prints the app's answer as it is"),
    ("app open", &[Output], "it prints an address; with all the rest: ovhai app get APP"),
    ("app port-forward", &[Output], NO_RESULT),
    ("registry delete", &[Output], NO_RESULT),
    ("login", &[Output], NO_RESULT),
    ("logout", &[Output, Token], NO_RESULT),
    ("auth login", &[Output], NO_RESULT),
    ("auth logout", &[Output, Token], NO_RESULT),
    ("config list", &[Token], ""),
    ("config get", &[Token], ""),
    ("config", &[Token, Region, Output], NO_RESULT),
    ("debug", &[Token, Region], ""),
    ("emulator start", &[Token, Region, Output], "where it is, is told by ovhai emulator status"),
    ("emulator stop", &[Token, Region, Output], NO_RESULT),
    ("emulator status", &[Token, Region], ""),
    ("emulator logs", &[Token, Region, Output], "it prints what the emulator wrote"),
    ("emulator metrics", &[Region, Output], "it prints the text that Prometheus reads"),
    ("emulator openapi", &[Token, Region, Output], "it prints JSON"),
    ("emulator ca path", &[Token, Region, Output], "it prints a path"),
    ("emulator ca", &[Token, Region], ""),
    ("emulator user list", &[Region], ""),
    ("emulator user", &[Region, Output], NO_RESULT),
    ("emulator image unmap", &[Region, Output], NO_RESULT),
    ("emulator image", &[Region], ""),
    ("demo", &[Token, Region, Output], "it shows what it does"),
    ("completion", &[Token, Region, Output], "it prints a script"),
    ("help", &[Token, Region, Output], "it prints a text"),
];

/// Has options of the same names behind it, which are no mistake.
const CURL: &str = "app curl";
const NO_RESULT: &str = "it has no result to show";

/// Why this command line can't be run, if it has such an option.
pub(crate) fn refused(matches: &ArgMatches) -> Option<Failure> {
    let (path, last) = command(matches);
    let (_, options, format) = TABLE
        .iter()
        .filter(|(known, ..)| path == *known || path.starts_with(&format!("{known} ")))
        .max_by_key(|(known, ..)| known.len())?;
    let is_own = |id: &str| {
        let value = last.try_get_one::<String>(id).ok().flatten();
        value.is_some_and(|value| value.starts_with(OWN))
    };
    let is_given = |id: &str| {
        last.try_contains_id(id).unwrap_or(false)
            && last.value_source(id) == Some(ValueSource::CommandLine)
            && !is_own(id)
    };
    for option in *options {
        let mut arguments = option.arguments().iter();
        if let Some((_, written)) = arguments.find(|(id, _)| is_given(id)) {
            let why = match option {
                Token => None,
                Region => Some("it is not about one region"),
                Output => Some(*format),
            };
            let failure = Failure::usage(format!("{path} does not take {written}"));
            let hint = match (path.as_str(), *written) {
                (CURL, "--json") => "leave it out; to send JSON: ovhai app curl APP --json DATA",
                (CURL, _) => "leave it out; to write to a file: ovhai app curl APP -o FILE",
                _ => "leave it out",
            };
            let failure = match why {
                Some(why) => failure.because(why),
                None => failure,
            };
            return Some(failure.hint(hint));
        }
    }
    None
}

/// The words that name the command, and what was given to it; global options are handed down.
fn command(matches: &ArgMatches) -> (String, &ArgMatches) {
    let (mut words, mut level) = (Vec::new(), matches);
    while let Some((name, below)) = level.subcommand() {
        words.push(name);
        level = below;
    }
    (words.join(" "), level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_of_the_table_is_there() {
        let tree = crate::line::cli::tree();
        for (path, ..) in TABLE {
            let found = path.split(' ').try_fold(&tree, |at, word| at.find_subcommand(word));
            assert!(found.is_some(), "{path}");
        }
    }
}
