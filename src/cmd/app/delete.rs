//! `ovhai app delete`.

use clap::Args;
use ovhai_api_types::{App, AppState, Deletion};

use super::change::{named, show_as_asked};
use super::selection::{Selected, Selection};
use super::view;
use super::wait::Wait;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::server::target::Target;
use crate::ui::prompt;

/// Maximum number of apps that a question lists.
const LISTED_MAX: usize = 10;

#[derive(Debug, Args)]
pub(super) struct Delete {
    #[command(flatten)]
    apps: Selection,
    /// Stop running apps first, and do not ask
    #[arg(long)]
    force: bool,
    /// Kill the replicas immediately, and do not ask
    #[arg(long)]
    now: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    wait: Wait,
}

impl Delete {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        self.apps.is_meant(&self.wait)?;
        let target = Target::find_to_change(context).await?;
        if self.now {
            target.requires_emulator("app delete --now")?;
        }
        let is_there = |state| !matches!(state, AppState::Deleting | AppState::Deleted);
        let Selected { apps, mut report, is_list } =
            self.apps.find(context, &target, is_there).await?;
        let deletion = self.decide(&apps).await?;
        let mut asked = Vec::with_capacity(apps.len());
        for app in apps {
            match target.client.delete_app(app.id, deletion).await {
                Ok(()) => asked.push(app),
                Err(error) => {
                    let (name, state) = (view::name(&app), app.status.state);
                    let is_refused = matches!(error, ovhai_client::Error::Api { status: 400, .. });
                    let is_active = deletion == Deletion::OnlyStopped && state.is_active();
                    let failure = if is_refused && is_active {
                        Failure::new(format!("the app {name} is {state}"))
                            .because("an app must be stopped before it is deleted")
                            .hint(format!(
                                "stop it, then delete it: ovhai app delete {name} --force"
                            ))
                    } else {
                        Failure::from(error)
                    };
                    report.failed(named(&app), failure)?;
                }
            }
        }
        let mut done = Vec::with_capacity(asked.len());
        for app in asked {
            match self.wait.until_gone(context, &target.client, app.id).await {
                Ok(is_gone) => {
                    let what = if is_gone { "Deleted" } else { "Deleting" };
                    context.note(format!("{what} {}.", named(&app)));
                    done.push(app);
                }
                Err(failure) => report.failed(named(&app), failure)?,
            }
        }
        // As they were before: nothing is left of them.
        if context.format().is_some() {
            show_as_asked(context, &done, is_list)?;
        }
        report.finish("deleted")
    }

    /// What to do with running apps: the options decide, or the user at the terminal.
    async fn decide(&self, apps: &[App]) -> Result<Deletion> {
        if self.now {
            return Ok(Deletion::Now);
        }
        if self.force {
            return Ok(Deletion::StopFirst);
        }
        let active = apps.iter().filter(|app| app.status.state.is_active()).count();
        match apps {
            [] => Ok(Deletion::OnlyStopped),
            _ if self.yes => Ok(Deletion::OnlyStopped),
            many if active == 0 => {
                prompt::confirm(&format!("Delete {}?", listed(many)), false).await?;
                Ok(Deletion::OnlyStopped)
            }
            many => {
                let question = match many {
                    [app] => format!(
                        "The app {} is {}. Stop it and delete it?",
                        named(app),
                        app.status.state
                    ),
                    many => {
                        format!("Stop the running ones of {} and delete them all?", listed(many))
                    }
                };
                let stops = prompt::confirmed(&question).await?;
                Ok(if stops { Deletion::StopFirst } else { Deletion::OnlyStopped })
            }
        }
    }
}

fn listed(apps: &[App]) -> String {
    match apps {
        [one] => format!("the app {}", named(one)),
        many => {
            let mut all: Vec<_> = many.iter().take(LISTED_MAX).map(named).collect();
            if many.len() > LISTED_MAX {
                all.push(format!("and {} more", many.len() - LISTED_MAX));
            }
            format!("{} apps ({})", many.len(), all.join(", "))
        }
    }
}
