//! `ovhai help [COMMAND…|TOPIC]`.

use clap::Args;

use crate::cli;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::reference::{help_words, topics};

/// No line of text is longer, however wide the terminal is.
const WIDEST: usize = 100;
/// Where nobody knows the width.
const USUAL: usize = 80;

#[derive(Debug, Args)]
pub(crate) struct Help {
    /// A command, such as app run, or a topic: environment, exit-codes, formats, limits, selectors
    #[arg(id = "topic", value_name = "COMMAND|TOPIC")]
    words: Vec<String>,
}

impl Help {
    pub(crate) fn run(self, context: &mut Context) -> Result<()> {
        let root = cli::tree();
        if let [word] = self.words.as_slice()
            && let Some(topic) = topics().into_iter().find(|topic| topic.name == word)
        {
            let columns = context.columns.unwrap_or(USUAL).min(WIDEST);
            return context.line(topic.terminal(columns).trim_end());
        }
        let mut command = root;
        for (at, word) in self.words.iter().enumerate() {
            let Some(child) = command.find_subcommand(word).cloned() else {
                return Err(unknown(&command, &self.words[..=at]));
            };
            command = child;
        }
        let text = command.render_long_help();
        let text = if context.colors.out { text.ansi().to_string() } else { text.to_string() };
        context.line(text.trim_end())?;
        if self.words.is_empty() {
            context.line("\nTopics:")?;
            let topics = topics();
            let names = topics.iter().map(|topic| topic.name.len()).max().unwrap_or(0);
            for topic in topics {
                context.line(format!("  {:names$}  {}", topic.name, topic.about))?;
            }
        }
        Ok(())
    }
}

fn unknown(command: &clap::Command, words: &[String]) -> Failure {
    let (known, what) = if words.len() == 1 {
        let all = help_words(command).into_iter().map(|(name, _)| name);
        (all.collect::<Vec<_>>(), "command or topic")
    } else {
        let all = command.get_subcommands().filter(|child| !child.is_hide_set());
        (all.map(|child| child.get_name().to_owned()).collect(), "command")
    };
    let failure = Failure::usage(format!("there is no {what} {:?}", words.join(" ")));
    if known.is_empty() {
        return failure.because("the command has none below it").hint("see all: ovhai help");
    }
    failure.because(format!("there are {}", known.join(", "))).hint("see all: ovhai help")
}
