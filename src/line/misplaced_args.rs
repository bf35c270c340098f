//! Rejects global options that a command has no use for, instead of ignoring them. Variables in the
//! environment are for all commands and are not rejected.

use clap::ArgMatches;
use clap::parser::ValueSource;

use crate::args::global::OWN;
use crate::error::Failure;

/// An option of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Global {
    Token,
    Region,
    Output,
}
use Global::{Output, Region, Token};

impl Global {
    /// Argument ids, and their spelling.
    fn arguments(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Token => &[("caller-token", "--token")],
            Region => &[("region", "--region")],
            Output => &[("output", "--output"), ("json", "--json")],
        }
    }
}

/// Commands, the options that they have no use for, and why there is no format. The longest
/// matching path counts.
const TABLE: &[(&str, &[Global], &str)] = &[
    (CURL, &[Output], "it prints the app's answer as it is"),
    ("app open", &[Output], "it prints an address; for everything else: ovhai app get APP"),
    ("app port-forward", &[Output], NO_RESULT),
    ("app exec", &[Output], "it prints what the command prints"),
    ("app cp", &[Output], NO_RESULT),
    ("registry delete", &[Output], NO_RESULT),
    ("login", &[Output], NO_RESULT),
    ("logout", &[Output, Token], NO_RESULT),
    ("auth login", &[Output], NO_RESULT),
    ("auth logout", &[Output, Token], NO_RESULT),
    ("config list", &[Token], ""),
    ("config get", &[Token], ""),
    ("config", &[Token, Region, Output], NO_RESULT),
    ("debug", &[Token, Region], ""),
    ("emulator start", &[Token, Region, Output], "see its address: ovhai emulator status"),
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
    ("bucket object download", &[Output], "-o is the directory for the files there"),
    ("data download", &[Output], "-o is the directory for the files there"),
    ("bucket create", &[Output], NO_RESULT),
    ("bucket delete", &[Output], NO_RESULT),
    ("datastore remove", &[Output], NO_RESULT),
    ("demo", &[Token, Region, Output], "it shows each step"),
    ("completion", &[Token, Region, Output], "it prints a script"),
    ("help", &[Token, Region, Output], "it prints a text"),
];

/// It has options of the same names of its own.
const CURL: &str = "app curl";
const NO_RESULT: &str = "it has no result to show";

/// The failure for a command line with such an option.
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
                (CURL, "--json") => "omit it; to send JSON: ovhai app curl APP --json DATA",
                (CURL, _) => "omit it; to write to a file: ovhai app curl APP -o FILE",
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

/// The command's path, and its matches, which include the global options.
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
    fn every_command_of_the_table_exists() {
        let tree = crate::line::cli::tree();
        for (path, ..) in TABLE {
            let found = path.split(' ').try_fold(&tree, |at, word| at.find_subcommand(word));
            assert!(found.is_some(), "{path}");
        }
    }
}
