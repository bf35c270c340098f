//! `ovhai config …`: regions of the local emulator, and endpoints beside it.

use clap::{Args, Subcommand};
use ovhai_api_types::Region;
use ovhai_client::is_loopback;
use ovhai_emulator::DEFAULT_REGIONS;
use ovhai_emulator::state::StateDir;
use serde::Serialize;

use crate::calls::address::{endpoint_key, root};
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::server::config::{Config, checked_name, checked_url};
use crate::server::credentials::Credentials;
use crate::server::session::Sessions;
use crate::settings::state_dir;
use crate::term::describe::Description;
use crate::term::table::Fit;
use crate::ui::output::Show;

#[derive(Debug, Args)]
pub(crate) struct ConfigCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the local regions and the endpoints; the current one is marked
    #[command(visible_alias = "ls")]
    List(List),
    /// Choose the default region or endpoint of commands
    Set(Set),
    /// Show the current region or endpoint, or the one of that name
    Get(Get),
    /// Add an endpoint: any server that speaks the API
    Add(Add),
    /// Remove an endpoint and its login
    #[command(visible_alias = "rm")]
    Remove(Remove),
}

#[derive(Debug, Args)]
struct List {}

#[derive(Debug, Args)]
struct Set {
    /// Region, such as GRA, or name of an endpoint
    #[arg(id = "place", value_name = "REGION")]
    name: String,
}

#[derive(Debug, Args)]
struct Get {
    /// Region or endpoint
    #[arg(id = "place", value_name = "NAME")]
    name: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: ovhai config add cloud-gra https://gra.ai.cloud.ovh.net")]
struct Add {
    /// Name, used like a region's
    name: String,
    /// Base URL of its API, to which /v1/… is appended
    url: String,
}

#[derive(Debug, Args)]
struct Remove {
    /// Name of the endpoint
    #[arg(id = "place", value_name = "NAME")]
    name: String,
}

/// A region or endpoint that commands can use.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Destination {
    name: String,
    kind: &'static str,
    url: Option<String>,
    /// Whether commands use it now.
    current: bool,
    /// What chose it.
    #[serde(skip_serializing_if = "Option::is_none")]
    chosen_by: Option<&'static str>,
    /// Whether the settings choose it.
    set: bool,
}

impl ConfigCommand {
    pub(crate) fn run(self, context: &mut Context) -> Result<()> {
        let mut config = Config::open(context)?;
        let destinations = destinations(context, &config)?;
        let find =
            |name: &str| destinations.iter().find(|place| place.name.eq_ignore_ascii_case(name));
        match self.verb {
            Verb::List(List {}) => {
                context.show_all(&destinations)?;
                say_what_overrides(context, &config, &destinations);
                Ok(())
            }
            Verb::Get(Get { name }) => {
                let place = match &name {
                    Some(name) => find(name),
                    None => destinations.iter().find(|place| place.current),
                };
                let place =
                    place.ok_or_else(|| match (name.as_deref(), chosen(context, &config)) {
                        (None, Some((chosen, by))) => {
                            unknown(&chosen, &destinations).because(format!("{by} is set to it"))
                        }
                        (name, _) => unknown(name.unwrap_or("?"), &destinations),
                    })?;
                context.show(place)
            }
            Verb::Set(Set { name }) => {
                let place = find(&name).ok_or_else(|| unknown(&name, &destinations))?;
                config.set_current(&place.name)?;
                context.note(format!("Commands go to {} from now on.", place.name));
                if context.var("OVHAI_REGION").is_some() {
                    context.note("hint: OVHAI_REGION is set and takes precedence");
                }
                Ok(())
            }
            Verb::Add(Add { name, url }) => {
                checked_name(&name)?;
                let url = checked_url(&url)?;
                if DEFAULT_REGIONS.iter().any(|region| region.eq_ignore_ascii_case(&name)) {
                    return Err(Failure::usage(format!(
                        "{name} is a region of the local emulator"
                    ))
                    .hint(format!("choose another name, such as cloud-{}", name.to_lowercase())));
                }
                if let Some(place) = find(&name) {
                    return Err(Failure::usage(format!(
                        "{} is the name of another {}",
                        place.name, place.kind
                    ))
                    .hint(
                        "choose another name, or remove that one first: ovhai config remove NAME",
                    ));
                }
                config.add(&name, &url)?;
                context.note(format!(
                    "Added the endpoint {name}. Log in: ovhai login --region {name}; make it the current one: ovhai config set {name}"
                ));
                if url.starts_with("http://") && !is_loopback(&url) {
                    context.note("warning: the connection is not encrypted: anyone on the network can read passwords and tokens");
                }
                Ok(())
            }
            Verb::Remove(Remove { name }) => {
                let Some((known, endpoint)) = config.endpoint(&name) else {
                    return Err(unknown_endpoint(&name, &config));
                };
                let key = endpoint_key(known, &endpoint.url);
                let known = known.to_owned();
                Sessions::open(context)?.set(&key, None)?;
                Credentials::open(context)?.forget_server(&key)?;
                config.remove(&known)?;
                context.note(format!("Removed the endpoint {known}."));
                Ok(())
            }
        }
    }
}

/// The regions of the local emulator (if none runs, those that it would have), and the endpoints.
fn destinations(context: &Context, config: &Config) -> Result<Vec<Destination>> {
    let running = StateDir::new(state_dir(context)?).running();
    let regions: Vec<Region> = match &running {
        Some(running) => running.regions.clone(),
        None => DEFAULT_REGIONS.iter().filter_map(|name| name.parse().ok()).collect(),
    };
    let first = regions.first().map(Region::as_str);
    let set = config.current().or(first);
    let chosen = chosen(context, config).or_else(|| Some((first?.to_owned(), DEFAULT)));
    let place = |name: &str, kind, url| {
        let by = chosen.as_ref().filter(|(chosen, _)| chosen.eq_ignore_ascii_case(name));
        Destination {
            name: name.to_owned(),
            kind,
            url,
            current: by.is_some(),
            chosen_by: by.map(|(_, by)| *by),
            set: set.is_some_and(|set| set.eq_ignore_ascii_case(name)),
        }
    };
    let local = regions.iter().map(|region| {
        let url = running.as_ref().map(|running| format!("{}/regions/{region}", root(running)));
        place(region.as_str(), "region", url)
    });
    let remote = (config.endpoints())
        .map(|(name, endpoint)| place(name, "endpoint", Some(endpoint.url.clone())));
    Ok(local.chain(remote).collect())
}

/// What chooses the first region.
const DEFAULT: &str = "default";

/// The current region or endpoint, and what chose it; none if nothing did.
fn chosen(context: &Context, config: &Config) -> Option<(String, &'static str)> {
    let named = |name: &str, by| Some((name.to_owned(), by));
    if let Some(name) = &context.global.region {
        return named(name, "--region");
    }
    if let Some(name) = context.var("OVHAI_REGION") {
        return named(name, "OVHAI_REGION");
    }
    named(config.current()?, "config set")
}

/// Warns about variables that override the settings shown.
fn say_what_overrides(context: &mut Context, config: &Config, destinations: &[Destination]) {
    if let Some(set) = config.current()
        && !destinations.iter().any(|place| place.set)
    {
        context.note(format!(
            "warning: the saved region {set} does not exist here; choose another: ovhai config set REGION"
        ));
    }
    if context.global.region.is_none()
        && let Some(named) = context.var("OVHAI_REGION").map(str::to_owned)
    {
        let set = destinations.iter().find(|place| place.set).map(|place| place.name.as_str());
        let set = set.or(config.current()).unwrap_or("?");
        context.note(if destinations.iter().any(|place| place.current) {
            format!("OVHAI_REGION={named} overrides the saved {set}.")
        } else {
            format!("warning: OVHAI_REGION={named} overrides the saved {set}, but there is no such region or endpoint here.")
        });
    }
    if context.var("OVHAI_TOKEN").is_some() {
        context.note("OVHAI_TOKEN is set: commands use that token instead of a login.");
    }
}

fn unknown(name: &str, destinations: &[Destination]) -> Failure {
    let names: Vec<_> = destinations.iter().map(|place| place.name.as_str()).collect();
    Failure::not_found(format!("there is no region or endpoint {name:?}")).hint(format!(
        "there are {}; for other regions: ovhai emulator start --regions …; to add an endpoint: ovhai config add NAME URL",
        names.join(", ")
    ))
}

fn unknown_endpoint(name: &str, config: &Config) -> Failure {
    let names: Vec<_> = config.endpoints().map(|(name, _)| name).collect();
    let failure = Failure::not_found(format!("there is no endpoint {name:?}"));
    if names.is_empty() {
        return failure.hint(format!("there are none in {}", config.path().display()));
    }
    failure.hint(format!("there are {}", names.join(", ")))
}

impl Show for Destination {
    const COLUMNS: &'static [&'static str] = &["CURRENT", "NAME", "KIND", "CHOSEN-BY", "URL"];

    const FIT: &'static [Fit] = &[Fit::Fixed, Fit::Fixed, Fit::Fixed, Fit::Fixed, Fit::Drop];

    fn row(&self, _now: jiff::Timestamp) -> Vec<String> {
        vec![
            if self.current { "*" } else { "" }.into(),
            self.name.clone(),
            self.kind.into(),
            self.chosen_by.unwrap_or_default().into(),
            self.url.clone().unwrap_or_else(|| "~".into()),
        ]
    }

    fn describe(&self) -> Description {
        Description::new()
            .field("Name", &self.name)
            .field("Kind", self.kind)
            .maybe("URL", self.url.as_ref())
            .field("Current", if self.current { "yes" } else { "no" })
            .maybe("Chosen By", self.chosen_by)
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}
