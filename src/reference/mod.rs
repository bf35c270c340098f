//! Texts that appear in several places: topics of `ovhai help`, pages of docs/, man pages, the
//! command tree. Each is written once, here, and rendered for each place.

pub mod commands;
pub mod environment;
pub mod exit_codes;
pub mod formats;
pub mod limits;
pub mod man;
pub mod options;
pub mod page;
pub mod selectors;

use page::Page;

/// The topics of `ovhai help`.
pub fn topics() -> [Page; 6] {
    [
        environment::page(),
        exit_codes::page(),
        formats::page(),
        limits::page(),
        options::page(),
        selectors::page(),
    ]
}

/// The first words of `ovhai help`: commands and topics, each with a summary.
pub fn help_words(command: &clap::Command) -> Vec<(String, String)> {
    let commands = command.get_subcommands().filter(|child| !child.is_hide_set()).map(|child| {
        let about = child.get_about().map(ToString::to_string).unwrap_or_default();
        (child.get_name().to_owned(), about)
    });
    let topics = topics().map(|topic| (topic.name.to_owned(), topic.about.to_owned()));
    commands.chain(topics).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::line::cli;

    /// Names for tests and developers' tasks only, and the mark of a replica's processes.
    const OF_TESTS: [&str; 2] = ["OVHAI_TEST_PYTHON", "OVHAI_REPLICA"];

    fn names(text: &str, into: &mut BTreeSet<String>) {
        for (at, _) in text.match_indices("OVHAI_") {
            let rest = &text[at..];
            let end = rest.find(|c: char| !(c.is_ascii_uppercase() || c == '_'));
            let name = &rest[..end.unwrap_or(rest.len())];
            if name.len() > "OVHAI_".len() && !name.ends_with('_') {
                into.insert(name.to_owned());
            }
        }
    }

    fn sources(directory: &Path, into: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, into);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                names(&std::fs::read_to_string(&path).unwrap(), into);
            }
        }
    }

    #[test]
    fn every_variable_of_the_sources_is_in_the_table() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = BTreeSet::new();
        sources(&root.join("src"), &mut found);
        for member in ["api-types", "client", "core", "emulator", "runtime", "store"] {
            sources(&root.join("crates").join(member).join("src"), &mut found);
        }
        assert!(found.contains("OVHAI_TOKEN"), "{found:?}");
        let table: Vec<&str> = environment::VARIABLES.iter().map(|v| v.name).collect();
        for name in found {
            assert!(
                table.contains(&name.as_str()) || OF_TESTS.contains(&name.as_str()),
                "{name} is missing in src/reference/environment.rs"
            );
        }
    }

    fn find<'a>(command: &'a clap::Command, path: &[&str]) -> &'a clap::Command {
        path.iter().fold(command, |command, name| command.find_subcommand(name).unwrap())
    }

    #[test]
    fn options_name_their_variables() {
        let command = cli::tree();
        for variable in environment::VARIABLES {
            let Some((path, long)) = variable.like else { continue };
            let arguments = find(&command, path).get_arguments();
            let option = arguments.into_iter().find(|arg| arg.get_long() == Some(long)).unwrap();
            let help = option.get_help().map(ToString::to_string).unwrap_or_default();
            let names = |end: &str| help.contains(&format!("[env: {}{end}", variable.name));
            assert!(names("]") || names(", "), "--{long}: {help}");
        }
    }

    /// Help is printed verbatim: terminals, man pages and completion do not render Markdown.
    #[test]
    fn help_has_no_markdown() {
        fn plain(place: &str, text: &str) {
            for mark in ["`", "**", "](", "\n# "] {
                assert!(!text.contains(mark), "{place}: {mark:?} in {text:?}");
            }
        }
        fn walk(command: &clap::Command, path: &str, seen: &mut usize, commands: &mut Vec<String>) {
            let said = |text: Option<&clap::builder::StyledStr>| {
                text.map(ToString::to_string).unwrap_or_default()
            };
            plain(path, &said(command.get_about()));
            plain(path, &said(command.get_long_about()));
            plain(path, &said(command.get_after_help()));
            plain(path, &said(command.get_after_long_help()));
            plain(path, &said(command.get_before_help()));
            for argument in command.get_arguments() {
                let place = format!("{path} {}", argument.get_id());
                plain(&place, &said(argument.get_help()));
                plain(&place, &said(argument.get_long_help()));
                for value in argument.get_possible_values() {
                    plain(&place, &said(value.get_help()));
                }
                *seen += 1;
            }
            // As it is printed, with examples, values and usage.
            plain(path, &command.clone().render_help().to_string());
            plain(path, &command.clone().render_long_help().to_string());
            commands.push(path.replace(' ', "-"));
            for child in command.get_subcommands() {
                walk(child, &format!("{path} {}", child.get_name()), seen, commands);
            }
        }
        let (root, mut seen, mut commands) = (cli::tree(), 0, Vec::new());
        walk(&root, "ovhai", &mut seen, &mut commands);
        assert!(seen > 300, "{seen}");
        for (name, page) in man::pages(&root).unwrap() {
            plain(&name, &String::from_utf8(page).unwrap());
            let command = name.trim_end_matches(".1");
            assert!(commands.iter().any(|seen| seen == command), "{command} was left out");
        }
        for topic in topics() {
            plain(topic.name, &topic.terminal(80));
        }
    }

    #[test]
    fn everything_has_help() {
        fn walk(command: &clap::Command) {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name} says nothing");
            for argument in command.get_arguments() {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(!help.is_empty(), "{name} {} says nothing", argument.get_id());
            }
            command.get_subcommands().for_each(walk);
        }
        walk(&cli::tree());
    }

    #[test]
    fn no_topic_has_the_name_of_a_command() {
        let words = help_words(&cli::tree());
        let unique: BTreeSet<&String> = words.iter().map(|(name, _)| name).collect();
        assert_eq!(unique.len(), words.len());
    }
}
