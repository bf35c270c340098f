//! `ovhai app set-label`: changes labels of one app, several in one transaction, and names the
//! tokens that gain or lose access.

use std::collections::BTreeMap;

use clap::Args;
use ovhai_api_types::{Access, AccessQuestion, App, LabelUpdate, LabelsUpdate};

use super::{resolve, view};
use crate::cmd::access::ask;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::server::target::Target;

/// Maximum number of tokens that a message names.
const NAMED_MAX: usize = 10;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ovhai app set-label hello team=red
  ovhai app set-label hello team=red tier- stage=test
  ovhai app set-label hello team red")]
pub(super) struct SetLabel {
    /// Id, name, or beginning of an id
    app: String,
    /// KEY=VALUE sets a label, KEY- removes it; several in one transaction; or one key and its
    /// value as two arguments
    #[arg(id = "labels", required = true, value_name = "KEY=VALUE")]
    words: Vec<String>,
    /// Remove the labels with these keys
    #[arg(long)]
    remove: bool,
}

/// New values by key; none removes the label.
type Changes = BTreeMap<String, Option<String>>;

impl SetLabel {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let changes = self.changes()?;
        let target = Target::find_to_change(context).await?;
        if changes.len() > 1 && !target.server.is_local() {
            return Err(Failure::usage(format!(
                "app set-label of several labels is not available at {}",
                target.server.shown()
            ))
            .because("changing several labels in one transaction is an extension of the local emulator (PUT /v1/app/{id}/labels)")
            .hint(format!("change one label per command: ovhai app set-label {} KEY=VALUE", self.app)));
        }
        let app = resolve(&target.client, &self.app).await?;
        let before = tokens_with_access(context, &target, &app).await;
        match changes.iter().next() {
            Some((name, value)) if changes.len() == 1 => {
                let update = LabelUpdate { name: name.clone(), value: value.clone() };
                target.client.set_label(app.id, &update).await?;
            }
            _ => {
                let update = LabelsUpdate { labels: changes.clone() };
                target.client.set_labels(app.id, &update).await?;
            }
        }
        for (key, value) in &changes {
            context.note(what_changed(&app, key, value.as_deref()));
        }
        if let Some(before) = before
            && let Some(after) = tokens_with_access(context, &target, &app).await
        {
            let name = view::name(&app);
            say_tokens(context, &format!("Tokens that no longer open {name}"), &before, &after);
            say_tokens(context, &format!("Tokens that now open {name}"), &after, &before);
        }
        if context.format().is_some() {
            context.show(&target.client.get_app(app.id).await?)?;
        }
        Ok(())
    }

    /// The changes of the arguments.
    fn changes(&self) -> Result<Changes> {
        let app = &self.app;
        if !self.remove
            && let [key, value] = self.words.as_slice()
            && !key.contains('=')
            && !key.ends_with('-')
        {
            return Ok([(key.clone(), Some(value.clone()))].into());
        }
        let mut changes = Changes::new();
        for word in &self.words {
            let (key, value) = match (self.remove, word.split_once('='), word.strip_suffix('-')) {
                (false, Some((key, value)), _) => (key, Some(value.to_owned())),
                (false, None, Some(key)) => (key, None),
                (true, None, key) => (key.unwrap_or(word), None),
                (true, Some((key, _)), _) => {
                    return Err(Failure::usage(format!(
                        "--remove takes a key without a value, not {word:?}"
                    ))
                    .hint(format!("to remove it: ovhai app set-label {app} {key}-")));
                }
                (false, None, None) => {
                    return Err(Failure::usage(format!(
                        "the value of the label {word} is missing"
                    ))
                    .hint(format!("to set it: ovhai app set-label {app} {word}=VALUE"))
                    .hint(format!("to remove it: ovhai app set-label {app} {word}-")));
                }
            };
            if changes.insert(key.to_owned(), value).is_some() {
                return Err(Failure::usage(format!("the label {key} is given twice"))
                    .hint("give each label only once"));
            }
        }
        Ok(changes)
    }
}

/// Describes one change.
fn what_changed(app: &App, key: &str, value: Option<&str>) -> String {
    let old = app.spec.labels.as_ref().and_then(|labels| labels.get(key));
    let shown = |value: &str| if value.is_empty() { "\"\"".into() } else { value.to_owned() };
    let old = old.map(|old| shown(old.as_deref().unwrap_or_default()));
    let name = view::name(app);
    match (old, value.map(shown)) {
        (Some(old), Some(new)) if old == new => {
            format!("The label {key} of {name} is already {new}.")
        }
        (Some(old), Some(new)) => format!("Set the label {key} of {name}: {old} -> {new}."),
        (None, Some(new)) => format!("Set the label {key} of {name} to {new}."),
        (Some(old), None) => format!("Removed the label {key} of {name}, which was {old}."),
        (None, None) => format!("{name} has no label {key}."),
    }
}

/// The tokens with access to the app, by id, as the emulator's policy decides. None at an endpoint,
/// or for a caller that may not see tokens.
async fn tokens_with_access(
    context: &Context,
    target: &Target,
    app: &App,
) -> Option<BTreeMap<String, String>> {
    if !target.server.is_local() || context.global.quiet {
        return None;
    }
    let region = target.region.clone();
    let question = AccessQuestion { region, token: None, value: None, app: Some(app.id), page: 1 };
    let all = ask(context, target, question).await.ok()?;
    let opens = |access: Access| {
        let token = access.token?;
        access.read.allowed.then_some((token.id.to_string(), token.name))
    };
    Some(all.into_iter().filter_map(opens).collect())
}

/// Names the tokens that are in one set and not in the other, in alphabetical order.
fn say_tokens(
    context: &mut Context,
    what: &str,
    these: &BTreeMap<String, String>,
    not_those: &BTreeMap<String, String>,
) {
    let only = these.iter().filter(|(id, _)| !not_those.contains_key(*id));
    let mut only: Vec<&str> = only.map(|(_, name)| name.as_str()).collect();
    only.sort_unstable();
    if only.is_empty() {
        return;
    }
    let mut names: Vec<String> = only.iter().take(NAMED_MAX).map(|name| (*name).into()).collect();
    if only.len() > NAMED_MAX {
        names.push(format!("and {} more", only.len() - NAMED_MAX));
    }
    context.note(format!("{what}: {}.", names.join(", ")));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(words: &[&str], remove: bool) -> Result<Vec<(String, Option<String>)>> {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let command = SetLabel { app: "e".into(), words, remove };
        Ok(command.changes()?.into_iter().collect())
    }

    #[test]
    fn words_are_parsed_as_labels() {
        let set = |key: &str, value: &str| (key.to_owned(), Some(value.to_owned()));
        let removed = |key: &str| (key.to_owned(), None);
        for (words, remove, expected) in [
            (&["team", "red"][..], false, vec![set("team", "red")]),
            (&["team", ""], false, vec![set("team", "")]),
            (&["team=red"], false, vec![set("team", "red")]),
            (&["team="], false, vec![set("team", "")]),
            (&["team-"], false, vec![removed("team")]),
            (
                &["team=red", "a/b-", "c-d=e"],
                false,
                vec![removed("a/b"), set("c-d", "e"), set("team", "red")],
            ),
            (&["team"], true, vec![removed("team")]),
            (&["team", "tier"], true, vec![removed("team"), removed("tier")]),
        ] {
            assert_eq!(changes(words, remove), Ok(expected), "{words:?}");
        }
        for (words, remove) in [
            (&["team"][..], false),
            (&["team=red", "tier"], false),
            (&["team=red", "team-"], false),
            (&["team=red"], true),
        ] {
            assert_eq!(changes(words, remove).map_err(|error| error.code()), Err(2), "{words:?}");
        }
    }
}
