//! `ovhai emulator engine`.

use clap::Args;
use ovhai_api_types::{CallsFromApps, EngineReport, EngineTried};

use crate::context::Context;
use crate::error::{Failure, Result};
use crate::server::target::owner;
use crate::term::describe::{Description, bytes};
use crate::ui::output::Show;

#[derive(Debug, Args)]
#[command(
    after_help = "The first of these names the engine: --engine of emulator start, OVHAI_ENGINE, DOCKER_HOST, the context of the docker command, CONTAINER_HOST. Otherwise the first usual socket of Docker or Podman that answers is used."
)]
pub(super) struct Engine {}

impl Engine {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let report = owner(context).await?.engine().await?;
        if report.engine.is_some() || context.format().is_some() {
            return context.show(&report);
        }
        let places: Vec<String> = report.tried.iter().map(place).collect();
        Err(Failure::new("no container engine answers")
            .because(places.join("; "))
            .hint("start Docker or Podman, or name its address: ovhai emulator stop; ovhai emulator start --detach --engine unix:///PATH")
            .hint("run an app without containers: ovhai app run … --runtime process -- COMMAND"))
    }
}

fn place(tried: &EngineTried) -> String {
    format!("{} ({}): {}", tried.address, tried.source, tried.said)
}

fn calls(calls: Option<&CallsFromApps>) -> String {
    match calls {
        None => "off (allow them: ovhai emulator start --from-apps)".into(),
        Some(CallsFromApps { address: Some(address), .. }) => format!("through {address}"),
        Some(CallsFromApps { fault, .. }) => {
            format!("not possible: {}", fault.as_deref().unwrap_or("the reason is unknown"))
        }
    }
}

impl Show for EngineReport {
    const COLUMNS: &'static [&'static str] = &["ENGINE", "VERSION", "ADDRESS"];

    fn row(&self, _now: jiff::Timestamp) -> Vec<String> {
        let engine = self.engine.as_ref();
        let of = |value: Option<&String>| value.cloned().unwrap_or_default();
        vec![
            of(engine.map(|engine| &engine.kind)),
            of(engine.map(|engine| &engine.version)),
            of(engine.map(|engine| &engine.address)),
        ]
    }

    fn describe(&self) -> Description {
        let tried = |view: Description| {
            view.section("Tried", |view| {
                self.tried.iter().fold(view, |view, tried| view.field(&tried.address, &tried.said))
            })
        };
        let Some(engine) = &self.engine else { return tried(Description::new()) };
        let rights = if engine.rootless { "rootless" } else { "root" };
        let view = Description::new()
            .field("Engine", format!("{} {}", engine.kind, engine.version))
            .field("Address", &engine.address)
            .field("Named By", &engine.source)
            .field("API Version", &engine.api_version)
            .field("Rights", rights)
            .field("System", format!("{}, {}", engine.system, engine.architecture))
            .field("CPUs", engine.cpus)
            .field("Memory", bytes(i64::try_from(engine.memory).unwrap_or(i64::MAX)))
            .field(
                "Isolation",
                if self.gaps.is_empty() {
                    "apps can't reach each other's containers, nor the emulator's API".to_owned()
                } else {
                    self.gaps.join("; ")
                },
            )
            .field("Calls From Apps", calls(self.calls_from_apps.as_ref()));
        if self.tried.is_empty() { view } else { tried(view) }
    }

    fn name(&self) -> String {
        self.engine.as_ref().map(|engine| engine.address.clone()).unwrap_or_default()
    }
}
