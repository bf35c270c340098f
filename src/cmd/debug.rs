//! `ovhai debug`.

use clap::Args;
use serde_json::Value;

use crate::calls::trace::{RecordedRun, runs};
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::settings::debug_file;
use crate::term::describe::{Description, age, date};
use crate::term::table::Fit;
use crate::ui::output::Show;

#[derive(Debug, Args)]
#[command(
    after_help = "Recorded in debug.jsonl in the state directory, about 1 MiB at most, without token strings, passwords and values of environment variables."
)]
pub(crate) struct Debug {
    /// Session that a failed command named [default: list recent commands]
    session: Option<String>,
}

impl Debug {
    pub(crate) fn run(self, context: &mut Context) -> Result<()> {
        let runs = runs(&debug_file(context)?);
        let Some(session) = self.session else {
            return context.show_all(&runs);
        };
        let run = runs.iter().find(|run| run.session == session).ok_or_else(|| {
            Failure::not_found(format!("there is no session {session:?}"))
                .because("only recent runs are recorded")
                .hint("see them: ovhai debug")
        })?;
        context.show(run)
    }
}

fn lines(body: Option<&Value>) -> String {
    match body {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(json) => serde_json::to_string_pretty(json).unwrap_or_default(),
    }
}

impl Show for RecordedRun {
    const COLUMNS: &'static [&'static str] = &["SESSION", "AGE", "EXIT", "REQUESTS", "COMMAND"];

    const FIT: &'static [Fit] = &[Fit::Fixed, Fit::Fixed, Fit::Fixed, Fit::Fixed, Fit::Shrink(20)];

    fn row(&self, now: jiff::Timestamp) -> Vec<String> {
        vec![
            self.session.clone(),
            age(self.at, now),
            self.exit_code.to_string(),
            self.requests.len().to_string(),
            self.command.join(" "),
        ]
    }

    fn describe(&self) -> Description {
        let head = Description::new()
            .field("Session", &self.session)
            .field("Command", self.command.join(" "))
            .date("At", self.at)
            .field("Exit Code", self.exit_code);
        self.requests.iter().enumerate().fold(head, |view, (number, request)| {
            view.section(&format!("Request {}", number + 1), |view| {
                let status = match (request.status, &request.error) {
                    (Some(status), _) => status.to_string(),
                    (None, why) => why.clone().unwrap_or_default(),
                };
                let view = view
                    .field("Request", format!("{} {}", request.method, request.url))
                    .field("Status", status)
                    .field("Time", format!("{:.1} ms", request.milliseconds));
                let view = match request.domain_time {
                    Some(moved) => view.field("Domain Time", date(moved)),
                    None => view,
                };
                let body = lines(request.body.as_ref());
                let view = if body.is_empty() {
                    view
                } else {
                    view.section("Body", |view| view.lines(&body))
                };
                let answer = lines(request.answer.as_ref());
                if answer.is_empty() {
                    return view;
                }
                view.section("Answer", |view| view.lines(&answer))
            })
        })
    }

    fn name(&self) -> String {
        self.session.clone()
    }
}
