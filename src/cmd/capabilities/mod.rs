//! `ovhai capabilities …`: what a region offers.

use clap::{Args, Subcommand};
use ovhai_api_types::{AppImage, Flavor, Preset, ProjectQuotas};
use serde::Serialize;

use crate::context::Context;
use crate::error::{Failure, Result};
use crate::server::target::Target;
use crate::term::describe::{Description, bytes, rate};
use crate::term::table::Fit;
use crate::ui::output::Show;

#[derive(Debug, Args)]
pub(crate) struct CapabilitiesCommand {
    #[command(subcommand)]
    part: Part,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// Show the flavors (instance types)
    #[command(visible_alias = "flavors")]
    Flavor(FlavorCommand),
    /// Show the built-in and mapped images
    #[command(visible_alias = "images")]
    Image(ImageCommand),
    /// Show the presets (example settings)
    #[command(visible_alias = "presets")]
    Preset(PresetCommand),
    /// Show the quota of the project
    #[command(visible_alias = "quotas")]
    Quota(Quota),
}

#[derive(Debug, Args)]
struct FlavorCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Args)]
struct ImageCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Args)]
struct PresetCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List them
    #[command(visible_alias = "ls")]
    List,
    /// Show one
    Get {
        /// Its id
        id: String,
    },
}

#[derive(Debug, Args)]
struct Quota {
    /// Named like the other commands.
    #[arg(hide = true, value_parser = ["list", "ls", "get"])]
    verb: Option<String>,
}

impl CapabilitiesCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        let client = Target::find(context).await?.client;
        match self.part {
            Part::Flavor(command) => {
                show(context, command.verb, &client.flavors().await?, |one| &one.id)
            }
            Part::Image(command) => {
                show(context, command.verb, &client.app_images().await?, |one| &one.id)
            }
            Part::Preset(command) => {
                show(context, command.verb, &client.presets().await?, |one| &one.id)
            }
            Part::Quota(Quota { .. }) => context.show(&Quotas(client.quotas().await?)),
        }
    }
}

fn show<T: Show>(
    context: &mut Context,
    verb: Verb,
    all: &[T],
    id: impl Fn(&T) -> &String,
) -> Result<()> {
    match verb {
        Verb::List => context.show_all(all),
        Verb::Get { id: wanted } => match all.iter().find(|one| *id(one) == wanted) {
            Some(one) => context.show(one),
            None => {
                let known: Vec<_> = all.iter().map(|one| id(one).as_str()).collect();
                Err(Failure::not_found(format!("{wanted:?} does not exist here"))
                    .hint(format!("there are {}", known.join(", "))))
            }
        },
    }
}

fn or_none(text: Option<String>) -> String {
    text.filter(|text| !text.trim().is_empty()).unwrap_or_else(|| "~".into())
}

impl Show for Flavor {
    const COLUMNS: &'static [&'static str] = &[
        "ID",
        "TYPE",
        "DESCRIPTION",
        "CPU-PER-UNIT",
        "MEMORY-PER-UNIT",
        // As in the service's own client.
        "GPU_INFORMATION.INFO",
        "DEFAULT",
        "MAX",
    ];

    const FIT: &'static [Fit] =
        &[Fit::Fixed, Fit::Fixed, Fit::Shrink(8), Fit::Fixed, Fit::Fixed, Fit::Drop];

    fn row(&self, _now: jiff::Timestamp) -> Vec<String> {
        vec![
            self.id.clone(),
            self.kind.clone(),
            self.description.clone(),
            self.resources_per_unit.cpu.to_string(),
            bytes(self.resources_per_unit.memory),
            gpu(self),
            self.default.to_string(),
            self.max.to_string(),
        ]
    }

    fn describe(&self) -> Description {
        let unit = &self.resources_per_unit;
        let gpu = self.gpu_information.clone().unwrap_or_default();
        Description::new()
            .field("ID", &self.id)
            .field("Type", &self.kind)
            .field("Description", &self.description)
            .field("Default", self.default)
            .field("Max", self.max)
            .section("Resources Per Unit", |view| {
                view.field("CPU", unit.cpu)
                    .field("Memory", bytes(unit.memory))
                    .maybe("Ephemeral Storage", unit.ephemeral_storage.map(bytes))
                    .maybe("Public Network", unit.public_network.map(rate))
                    .maybe("Private Network", unit.private_network.map(rate))
            })
            .section("GPU Information", |view| {
                view.maybe("Brand", gpu.gpu_brand)
                    .maybe("Model", gpu.gpu_model)
                    .maybe("Memory", gpu.gpu_memory.map(bytes))
            })
    }

    fn name(&self) -> String {
        self.id.clone()
    }
}

fn gpu(flavor: &Flavor) -> String {
    or_none(flavor.gpu_information.as_ref().map(|gpu| {
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        format!("{} {}", part(&gpu.gpu_model), part(&gpu.gpu_brand))
    }))
}

impl Show for AppImage {
    const COLUMNS: &'static [&'static str] = &["ID", "VERSIONS", "DESCRIPTION"];

    const FIT: &'static [Fit] = &[Fit::Fixed, Fit::Fixed, Fit::Shrink(12)];

    fn row(&self, _now: jiff::Timestamp) -> Vec<String> {
        vec![self.id.clone(), self.versions.join(", "), self.description.clone()]
    }

    fn describe(&self) -> Description {
        Description::new()
            .field("ID", &self.id)
            .field("Name", &self.name)
            .field("Versions", self.versions.join(", "))
            .field("Description", &self.description)
    }

    fn name(&self) -> String {
        self.id.clone()
    }
}

impl Show for Preset {
    const COLUMNS: &'static [&'static str] = &["ID", "DESCRIPTION", "SNIPPET"];

    const FIT: &'static [Fit] = &[Fit::Fixed, Fit::Shrink(12), Fit::Shrink(20)];

    fn row(&self, _now: jiff::Timestamp) -> Vec<String> {
        vec![self.id.clone(), self.descriptions.join("; "), self.snippet.clone()]
    }

    fn describe(&self) -> Description {
        Description::new()
            .field("ID", &self.id)
            .field("Name", &self.name)
            .field("Description", self.descriptions.join("; "))
            .field("Flavors", self.capabilities.flavor_types.join(", "))
            .field("Max GPU", self.capabilities.resources.max_gpu)
            .field("Snippet", &self.snippet)
    }

    fn name(&self) -> String {
        self.id.clone()
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Quotas(ProjectQuotas);

impl Quotas {
    fn units(&self) -> impl Iterator<Item = (&String, String)> {
        let shown =
            |units: &Option<i64>| units.map_or_else(|| "unlimited".into(), |n| n.to_string());
        self.0.resources.iter().map(move |(kind, units)| (kind, shown(units)))
    }
}

impl Show for Quotas {
    const COLUMNS: &'static [&'static str] = &["RESOURCES"];

    fn row(&self, _now: jiff::Timestamp) -> Vec<String> {
        vec![
            self.units()
                .map(|(kind, units)| format!("{kind}={units}"))
                .collect::<Vec<_>>()
                .join(" "),
        ]
    }

    fn describe(&self) -> Description {
        Description::new().section("Resources", |view| {
            self.units().fold(view, |view, (kind, units)| view.field(kind, units))
        })
    }

    fn name(&self) -> String {
        self.row(jiff::Timestamp::UNIX_EPOCH).concat()
    }
}
