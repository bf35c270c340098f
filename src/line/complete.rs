//! Shell completion: the scripts that `ovhai completion` prints call this program again, with the
//! words so far and `COMPLETE` set to the shell's name.
//!
//! Completion never starts an emulator, never writes to stderr, always exits with 0, and answers
//! within [`LIMIT`]; if the emulator is down or slow, or its answer is invalid, with nothing.
//! Arguments are recognised by their ids, so that a new command with an `app` completes it.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{EnvCompleter, Shells};
use ovhai_api_types::{AppState, Placement, Region, Role};
use ovhai_client::{Brief, Client, Endpoint};
use ovhai_emulator::catalog::FLAVORS;
use ovhai_emulator::state::{Running, StateDir};

use crate::calls::address::{endpoint, local_key};
use crate::cmd::completion::{VARIABLE, script};
use crate::context::Context;
use crate::line::cli;
use crate::reference;
use crate::server::config::Config;
use crate::server::credentials::{Credentials, Issuer};
use crate::settings::state_dir;

/// A shell prompt that waits longer feels stuck.
const LIMIT: Duration = Duration::from_millis(100);
/// The shell that requests completion, if any.
fn shell() -> Option<&'static dyn EnvCompleter> {
    const SHELLS: Shells<'static> = Shells::builtins();
    let name = std::env::var_os(VARIABLE).filter(|name| !name.is_empty())?;
    // `$SHELL` is a path.
    let name = Path::new(&name).file_stem()?.to_str()?.to_owned();
    SHELLS.0.iter().copied().find(|shell| shell.is(&name))
}

/// Whether a shell requests completion. Another program's variable, whose value is not a shell's
/// name, changes nothing.
pub(crate) fn is_asked() -> bool {
    shell().is_some()
}

/// Answers the shell; without words, with its script.
pub(crate) fn answer() {
    let begin = Instant::now();
    let Some(shell) = shell() else { return };
    let words: Vec<_> = std::env::args_os().skip_while(|arg| arg != "--").skip(1).collect();
    let mut text = Vec::new();
    let written = if words.is_empty() {
        script(shell, &mut text)
    } else {
        let world = World::new(&words, begin + LIMIT);
        let mut command = attach(cli::tree(), &Arc::new(Mutex::new(world)));
        let here = std::env::current_dir().ok();
        shell.write_complete(&mut command, words, here.as_deref(), &mut text)
    };
    if written.is_ok() {
        // The shell may be gone.
        let _ = io::stdout().write_all(&text);
    }
}

/// The meaning of a word of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    App,
    Token,
    Stored,
    Region,
    /// A region, or an endpoint of the configuration.
    Place,
    State,
    Role,
    Runtime,
    Usage,
    Flavor,
    Image,
    Topic,
    /// The alias of a data store.
    Store,
    /// A bucket with its data store.
    Bucket,
}

impl Kind {
    fn of(arg: &Arg) -> Option<Self> {
        Some(match arg.get_id().as_str() {
            "app" | "apps" => Self::App,
            "token" | "tokens" if arg.is_positional() => Self::Token,
            "by_token" => Self::Token,
            "as_token" => Self::Stored,
            "region" => Self::Region,
            "place" => Self::Place,
            "state" | "states" => Self::State,
            "role" => Self::Role,
            "runtime" => Self::Runtime,
            "auto_resource_type" => Self::Usage,
            "flavor" => Self::Flavor,
            "image" | "given_image" | "first" => Self::Image,
            "topic" => Self::Topic,
            "store" => Self::Store,
            "bucket" => Self::Bucket,
            _ => return None,
        })
    }
}

/// Attaches completers to arguments, and hides aliases, because of several names for one command
/// the engine keeps the alphabetically first. Done only if a shell requests completion.
fn attach(command: Command, world: &Arc<Mutex<World>>) -> Command {
    // Before a subcommand, options are offered only after a `-`: hidden candidates are offered only
    // if nothing else matches.
    let begins_option = world.lock().unwrap_or_else(PoisonError::into_inner).begins_option;
    let command = if command.has_subcommands() && !begins_option {
        command.mut_args(|arg| arg.hide(true))
    } else {
        command
    };
    let with_values = command.mut_args(|arg| match Kind::of(&arg) {
        Some(kind) => {
            let world = Arc::clone(world);
            arg.add(ArgValueCompleter::new(move |word: &OsStr| {
                let world = world.lock().unwrap_or_else(PoisonError::into_inner);
                word.to_str().map(|word| world.candidates(kind, word)).unwrap_or_default()
            }))
        }
        None => arg,
    });
    with_values.mut_subcommands(|child| {
        let child = attach(child, world);
        if child.get_visible_aliases().next().is_none() {
            return child;
        }
        // Leaked, because clap keeps `'static` words; the process ends right after.
        let kept = |alias: &str| -> &'static str { alias.to_owned().leak() };
        let aliases: Vec<_> = child.get_all_aliases().map(kept).collect();
        // Hidden candidates are still offered if nothing else matches.
        child.alias(None).aliases(aliases)
    })
}

/// Where the candidates come from.
struct World {
    context: Context,
    deadline: Instant,
    /// Whether the current word begins an option.
    begins_option: bool,
    /// The words between `help` and that word.
    explained: Vec<String>,
}

impl World {
    fn new(words: &[std::ffi::OsString], deadline: Instant) -> Self {
        let mut context = Context::from_process(cli::tree);
        let words: Vec<&str> =
            words.iter().filter_map(|w| w.to_str()).take_while(|word| *word != "--").collect();
        let home = context.var("HOME").map(PathBuf::from);
        context.global.state_dir = option(&words, "--state-dir").map(|typed| {
            // The shell does not expand `~` here.
            match (typed.strip_prefix("~/"), home) {
                (Some(rest), Some(home)) => home.join(rest),
                _ => typed.into(),
            }
        });
        context.global.region = option(&words, "--region").map(str::to_owned);
        let (last, before) =
            words.split_last().map_or(("", &words[..]), |(last, all)| (*last, all));
        let explained = before.iter().skip_while(|word| **word != "help").skip(1);
        Self {
            context,
            deadline,
            begins_option: last.starts_with('-'),
            explained: explained.map(|word| (*word).to_owned()).collect(),
        }
    }

    /// The subcommands of the words after `help`, or its first words.
    fn topics(&self) -> Vec<(String, String)> {
        let root = cli::tree();
        let mut words = self.explained.iter().filter(|word| !word.starts_with('-')).peekable();
        if words.peek().is_none() {
            return reference::help_words(&root);
        }
        let below = words.try_fold(&root, |at, word| at.find_subcommand(word));
        let children = below.into_iter().flat_map(Command::get_subcommands);
        let shown = children.filter(|child| !child.is_hide_set());
        let about =
            |child: &Command| child.get_about().map(ToString::to_string).unwrap_or_default();
        shown.map(|child| (child.get_name().to_owned(), about(child))).collect()
    }

    /// The built-in and mapped images that need no quotes in any shell.
    fn images(&self, word: &str) -> Vec<CompletionCandidate> {
        let is_plain =
            |id: &str| id.chars().all(|c| c.is_ascii_alphanumeric() || "./_-".contains(c));
        let all = self.ask(async |client| client.app_images().await).into_iter();
        let fits = all.filter(|image| image.id.starts_with(word) && is_plain(&image.id));
        fits.map(|image| CompletionCandidate::new(image.id).help(Some(image.description.into())))
            .collect()
    }

    fn candidates(&self, kind: Kind, word: &str) -> Vec<CompletionCandidate> {
        match kind {
            Kind::App => named(&self.ask(async |client| client.brief_apps(word).await), word),
            Kind::Token => named(&self.ask(async |client| client.brief_tokens().await), word),
            Kind::Stored => self.stored(word),
            Kind::Region => {
                let running = self.running();
                let regions = running.iter().flat_map(|running| &running.regions);
                any(regions.map(|region| (region.as_str(), "")), word)
            }
            Kind::Place => {
                let mut found = self.candidates(Kind::Region, word);
                if let Ok(config) = Config::open(&self.context) {
                    let endpoints = config.endpoints().map(|(name, to)| (name, to.url.as_str()));
                    found.extend(any(endpoints, word));
                }
                found
            }
            Kind::State => any(AppState::ALL.iter().map(|state| (state.as_str(), "")), word),
            Kind::Role => any(
                [
                    (Role::Read.short(), "query the apps"),
                    (Role::Operator.short(), "query and manage them"),
                ],
                word,
            ),
            Kind::Runtime => {
                let all = [Placement::Builtin, Placement::Process, Placement::Container];
                let names = all.map(|placement| placement.to_string());
                any(names.iter().map(|name| (name.as_str(), "")), word)
            }
            Kind::Usage => any([("CPU", ""), ("RAM", "")], word),
            Kind::Flavor => any(FLAVORS.iter().map(|flavor| (flavor.id, flavor.description)), word),
            Kind::Image => self.images(word),
            Kind::Store => {
                let stores = self.ask_emulator(async |client| client.data_stores().await);
                any(stores.iter().map(|store| (store.alias.as_str(), "")), word)
            }
            Kind::Bucket => self.buckets(word),
            Kind::Topic => self
                .topics()
                .into_iter()
                .filter(|(name, _)| name.starts_with(word))
                .map(|(name, about)| CompletionCandidate::new(name).help(Some(about.into())))
                .collect(),
        }
    }

    /// The running emulator of the state directory, if any.
    fn running(&self) -> Option<Running> {
        StateDir::new(state_dir(&self.context).ok()?).running()
    }

    fn region(&self, running: &Running) -> Option<Region> {
        let chosen = || Config::open(&self.context).ok()?.current().map(str::to_owned);
        let named = self.context.region().ok()?.map(|region| region.to_string());
        match named.or_else(chosen) {
            // Remote endpoints are not asked: that would take too long.
            Some(name) => running.region(&name),
            None => running.regions.first().cloned(),
        }
    }

    /// The buckets of all data stores.
    fn buckets(&self, word: &str) -> Vec<CompletionCandidate> {
        let all = self.ask_emulator(async |client| {
            let mut all = Vec::new();
            for store in client.data_stores().await? {
                let buckets = client.buckets(&store.alias).await.unwrap_or_default();
                all.extend(buckets.into_iter().map(|one| format!("{}@{}", one.name, store.alias)));
            }
            Ok(all)
        });
        let fits = all.into_iter().filter(|bucket| bucket.starts_with(word) && is_plain(bucket));
        fits.map(CompletionCandidate::new).collect()
    }

    /// One request to the API of the region; none without a timely answer.
    fn ask<T>(&self, question: impl AsyncFn(Client) -> ovhai_client::Result<Vec<T>>) -> Vec<T> {
        let running = self.running();
        let region = running.as_ref().and_then(|running| self.region(running));
        region
            .map(|region| self.ask_at(&format!("/regions/{region}"), question))
            .unwrap_or_default()
    }

    /// The same to the emulator itself.
    fn ask_emulator<T>(
        &self,
        question: impl AsyncFn(Client) -> ovhai_client::Result<Vec<T>>,
    ) -> Vec<T> {
        self.ask_at("", question)
    }

    fn ask_at<T>(
        &self,
        path: &str,
        question: impl AsyncFn(Client) -> ovhai_client::Result<Vec<T>>,
    ) -> Vec<T> {
        let answer = || {
            let Endpoint { base, bearer, connect } = endpoint(&self.running()?);
            let base = format!("{base}{path}");
            let client = Client::new(Endpoint { base, bearer, connect }).ok()?;
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            let answer = runtime.block_on(async {
                tokio::time::timeout_at(self.deadline.into(), question(client)).await
            });
            runtime.shutdown_background();
            answer.ok()?.ok()
        };
        answer().unwrap_or_default()
    }

    fn stored(&self, word: &str) -> Vec<CompletionCandidate> {
        let names = || {
            let running = self.running()?;
            let issuer = Issuer { region: self.region(&running)?, server: local_key(&running) };
            let credentials = Credentials::open(&self.context).ok()?;
            let fits = |(name, _): &(&str, Role)| name.starts_with(word) && is_plain(name);
            let found = credentials
                .names(&issuer)
                .filter(fits)
                .map(|(name, role)| CompletionCandidate::new(name).help(Some(role.short().into())));
            Some(found.collect())
        };
        names().unwrap_or_default()
    }
}

/// The value of an option, possibly after `=`, which bash passes as a word of its own.
fn option<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    let value = |at: usize| match words.get(at + 1) {
        Some(&"=") => words.get(at + 2).copied(),
        other => other.copied(),
    };
    let mut found = None;
    for (at, word) in words.iter().enumerate() {
        let given = if *word == name {
            value(at)
        } else {
            word.strip_prefix(name).and_then(|rest| rest.strip_prefix('='))
        };
        found = given.filter(|given| !given.is_empty()).or(found);
    }
    found
}

/// Fixed words, matched case-insensitively.
fn any<'a>(
    words: impl IntoIterator<Item = (&'a str, &'a str)>,
    begun: &str,
) -> Vec<CompletionCandidate> {
    let fits =
        |word: &str| word.get(..begun.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(begun));
    words
        .into_iter()
        .filter(|(word, _)| fits(word))
        .map(|(word, help)| {
            let help = Some(help).filter(|help| !help.is_empty());
            CompletionCandidate::new(word).help(help.map(|help| help.to_owned().into()))
        })
        .collect()
}

/// Whether it needs no quotes in any shell.
fn is_plain(name: &str) -> bool {
    !name.starts_with('-')
        && !name.is_empty()
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '@'))
}

/// Names, or ids where the name is ambiguous or would need quotes; also ids if the word can only be
/// the beginning of one.
fn named(all: &[Brief], word: &str) -> Vec<CompletionCandidate> {
    let name = |brief: &Brief| {
        let name = brief.name.clone().filter(|name| is_plain(name))?;
        let same = |other: &&Brief| other.name.as_ref() == Some(&name);
        (all.iter().filter(same).count() == 1).then_some(name)
    };
    let with_name = |brief: &Brief| {
        let name = name(brief)?;
        let short: String = brief.id.chars().take(8).collect();
        let help = format!("{} {short}", brief.remark);
        Some(CompletionCandidate::new(name).help(Some(help.trim().to_owned().into())))
    };
    let with_id = |brief: &Brief| {
        let name = brief.name.as_deref().map(crate::term::text::clean).unwrap_or_default();
        let help = format!("{name} {}", brief.remark);
        CompletionCandidate::new(&brief.id).help(Some(help.trim().to_owned().into()))
    };
    let fits = |found: &CompletionCandidate| {
        found.get_value().to_str().is_some_and(|value| value.starts_with(word))
    };
    let of_all = all.iter().map(|brief| with_name(brief).unwrap_or_else(|| with_id(brief)));
    let mut found: Vec<_> = of_all.filter(fits).collect();
    if found.is_empty() {
        found = all.iter().filter(|brief| is_plain(&brief.id)).map(with_id).filter(fits).collect();
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brief(id: &str, name: &str) -> Brief {
        Brief { id: id.into(), name: Some(name.into()), remark: "RUNNING".into() }
    }

    fn values(found: &[CompletionCandidate]) -> Vec<&str> {
        found.iter().filter_map(|candidate| candidate.get_value().to_str()).collect()
    }

    #[test]
    fn names_or_ids() {
        let all =
            [brief("a1", "hello"), brief("b2", "twin"), brief("c3", "twin"), brief("d4", "a b")];
        assert_eq!(values(&named(&all, "")), ["b2", "c3", "d4", "hello"]);
        assert_eq!(values(&named(&all, "he")), ["hello"]);
        assert_eq!(values(&named(&all, "a1")), ["a1"], "the beginning of an id");
        assert!(named(&all, "x").is_empty());
        let help = named(&all, "he")[0].get_help().map(ToString::to_string);
        assert_eq!(help.as_deref(), Some("RUNNING a1"));
    }

    #[test]
    fn options_among_words() {
        let words = ["ovhai", "--region", "GRA", "app", "get", "--state-dir=/x", "--region"];
        assert_eq!(option(&words, "--region"), Some("GRA"));
        assert_eq!(option(&words, "--state-dir"), Some("/x"));
        assert_eq!(option(&["--region", "=", "BHS"], "--region"), Some("BHS"), "as bash splits it");
        assert_eq!(option(&["--regions=GRA"], "--region"), None);
    }

    #[test]
    fn every_app_and_token_is_completed() {
        fn walk(command: &Command, found: &mut Vec<Kind>) {
            found.extend(command.get_arguments().filter_map(Kind::of));
            for child in command.get_subcommands() {
                walk(child, found);
            }
        }
        let mut found = Vec::new();
        walk(&cli::tree(), &mut found);
        let count = |kind| found.iter().filter(|k| **k == kind).count();
        assert!(count(Kind::App) >= 10 && count(Kind::Token) >= 3, "{found:?}");
        for kind in [Kind::Stored, Kind::Region, Kind::State, Kind::Role, Kind::Runtime] {
            assert!(count(kind) >= 1, "{kind:?}");
        }
        for kind in [Kind::Usage, Kind::Flavor, Kind::Image, Kind::Topic, Kind::Store, Kind::Bucket]
        {
            assert!(count(kind) >= 1, "{kind:?}");
        }
    }
}
