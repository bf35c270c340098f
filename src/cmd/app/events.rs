//! `ovhai app events`.

use std::time::Duration;

use clap::Args;
use ovhai_api_types::{AppEvent, AppId};
use ovhai_client::Client;

use super::resolve;
use crate::args::global::Format;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::server::target::Target;
use crate::term::describe::{Description, age, date};
use crate::term::table::Fit;
use crate::term::text::clean;
use crate::ui::endless::while_read;
use crate::ui::output::Show;

/// Interval of polling for new events.
const PERIOD: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(super) struct Events {
    /// Id, name, or beginning of an id [default: all apps of the region]
    app: Option<String>,
    /// Number of events to show from the end [default: all]
    #[arg(short = 'n', long, value_name = "EVENTS")]
    tail: Option<u32>,
    /// Follow new events until Ctrl-C
    #[arg(short, long, visible_short_alias = 'w', visible_alias = "watch")]
    follow: bool,
}

impl Events {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find(context).await?;
        let control = target.control(context)?;
        let app = match &self.app {
            Some(app) => Some(resolve(&target.client, app).await?.id),
            None => None,
        };
        let events = control.events(&target.region, app, 0, self.tail).await?;
        if !self.follow {
            return context.show_all(&events);
        }
        let as_json = match context.format() {
            None => false,
            Some(Format::Json) => true,
            Some(_) => {
                return Err(Failure::usage("app events --follow supports lines and JSON only")
                    .hint("omit --output, or use -o json for one object per line"));
            }
        };
        while_read(follow(context, &control, &target, app, events, as_json)).await
    }
}

/// Shows these events and then new ones, one per line.
async fn follow(
    context: &mut Context,
    control: &Client,
    target: &Target,
    app: Option<AppId>,
    mut events: Vec<AppEvent>,
    as_json: bool,
) -> Result<()> {
    let mut seen = 0;
    loop {
        for event in &events {
            seen = event.seq;
            let text = if as_json { json_line(event)? } else { line(event) };
            context.line(&text)?;
        }
        context.out.flush()?;
        tokio::time::sleep(PERIOD).await;
        events = control.events(&target.region, app, seen, None).await?;
    }
}

fn json_line(event: &AppEvent) -> Result<String> {
    serde_json::to_string(event).map_err(|error| Failure::new(error.to_string()))
}

fn line(event: &AppEvent) -> String {
    let what = [date(event.at), app(event), event.kind.clone(), event.message.clone()];
    clean(&what.join("  ")).into_owned()
}

fn app(event: &AppEvent) -> String {
    event.name.clone().unwrap_or_else(|| event.app.to_string())
}

fn ordinal(event: &AppEvent) -> String {
    event.ordinal.map_or_else(String::new, |ordinal| ordinal.to_string())
}

impl Show for AppEvent {
    const COLUMNS: &'static [&'static str] =
        &["AGE", "APP", "REPLICA", "KIND", "REASON", "MESSAGE"];
    const FIT: &'static [Fit] =
        &[Fit::Fixed, Fit::Shrink(8), Fit::Fixed, Fit::Fixed, Fit::Shrink(12), Fit::Shrink(24)];

    fn row(&self, now: jiff::Timestamp) -> Vec<String> {
        vec![
            age(self.at, now),
            app(self),
            ordinal(self),
            self.kind.clone(),
            self.reason.clone(),
            self.message.clone(),
        ]
    }

    fn describe(&self) -> Description {
        Description::new()
            .field("At", date(self.at))
            .field("App", app(self))
            .field("Replica", ordinal(self))
            .field("Kind", &self.kind)
            .field("Reason", &self.reason)
            .field("Message", &self.message)
    }

    fn name(&self) -> String {
        app(self)
    }
}
