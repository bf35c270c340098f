//! `ovhai help [COMMAND…|TOPIC]`.

use clap::Args;

use crate::args::global::MORE_OPTIONS;
use crate::args::near::near;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::reference::{help_words, topics};

/// Maximum width of text.
const WIDEST: usize = 100;
/// Width if the terminal's is unknown.
const USUAL: usize = 80;

#[derive(Debug, Args)]
pub(crate) struct Help {
    /// A command, such as app run, or a topic: environment, exit-codes, formats, limits, options, selectors
    #[arg(id = "topic", value_name = "COMMAND|TOPIC")]
    words: Vec<String>,
}

impl Help {
    pub(crate) fn run(self, context: &mut Context) -> Result<()> {
        let root = (context.tree)();
        if let [word] = self.words.as_slice()
            && let Some(topic) = topics().into_iter().find(|topic| is_named(topic.name, word))
        {
            let columns = context.columns.unwrap_or(USUAL).min(WIDEST);
            return context.line(topic.terminal(columns).trim_end());
        }
        let of_topics = matches!(self.words.as_slice(), [word] if is_named("topics", word));
        let mut command = root;
        let words = if of_topics { &[] } else { self.words.as_slice() };
        for (at, word) in words.iter().enumerate() {
            let Some(child) = command.find_subcommand(word).cloned() else {
                return Err(unknown(&command, &words[..=at]));
            };
            command = child;
        }
        if !of_topics {
            let text = command.render_long_help();
            let text = if context.colors.out { text.ansi().to_string() } else { text.to_string() };
            context.line(text.trim_end())?;
            context.line(MORE_OPTIONS.trim_end())?;
        }
        if words.is_empty() {
            context.line(if of_topics { "Topics:" } else { "\nTopics:" })?;
            let topics = topics();
            let names = topics.iter().map(|topic| topic.name.len()).max().unwrap_or(0);
            for topic in topics {
                context.line(format!("  {:names$}  {}", topic.name, topic.about))?;
            }
        }
        Ok(())
    }
}

/// Whether a word is this name, in singular or plural.
fn is_named(name: &str, word: &str) -> bool {
    name == word || name.strip_suffix('s') == Some(word)
}

fn unknown(command: &clap::Command, words: &[String]) -> Failure {
    let last = words.last().map(String::as_str).unwrap_or_default();
    let (known, what) = if words.len() == 1 {
        let all = help_words(command).into_iter().map(|(name, _)| name);
        (all.collect::<Vec<_>>(), "command or topic")
    } else {
        let all = command.get_subcommands().filter(|child| !child.is_hide_set());
        (all.map(|child| child.get_name().to_owned()).collect(), "command")
    };
    let failure = Failure::usage(format!("there is no {what} {:?}", words.join(" ")));
    let failure = match near(last, known.iter().map(String::as_str)).as_slice() {
        [] => failure,
        found => failure.hint(format!("did you mean {}?", found.join(" or "))),
    };
    failure.hint(match known.as_slice() {
        [] => format!("see the command: ovhai help {}", words[..words.len() - 1].join(" ")),
        known => format!("there are: {}", known.join(", ")),
    })
}
