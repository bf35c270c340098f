//! `ovhai emulator status`.

use clap::Args;
use ovhai_api_types::{CapturedApp, Fault, Region};
use ovhai_emulator::state::{Running, StateDir};
use serde::Serialize;

use crate::calls::address::{root, secure_root};
use crate::calls::liveness;
use crate::context::Context;
use crate::error::{FAILED, Failure, Result};
use crate::server::options::Options;
use crate::server::target::unknown;
use crate::settings::readable_state_dir;
use crate::term::describe::{Description, age};
use crate::ui::output::Show;

#[derive(Debug, Args)]
pub(super) struct Status {
    /// Also show the first user's password, unless it was changed
    #[arg(long)]
    show_password: bool,
}

/// The status of a running emulator, without secrets unless requested.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    running: bool,
    pid: u32,
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    https: Option<String>,
    regions: Vec<Region>,
    started_at: jiff::Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    stops_at: Option<jiff::Timestamp>,
    version: String,
    state_dir: String,
    /// The saved options, which an automatic start uses.
    options: Vec<String>,
    /// Whether it answers; a hanging process does not.
    answers: bool,
    /// Components that fail or were restarted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<Fault>,
    /// Apps of which the heads of requests are captured.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    captured: Vec<CapturedApp>,
    /// The time of apps, while it differs from real time.
    #[serde(skip_serializing_if = "Option::is_none")]
    domain_time: Option<jiff::Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_user: Option<FirstUser>,
}

#[derive(Serialize)]
struct FirstUser {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

impl Status {
    pub(super) fn run(self, context: &mut Context) -> Result<()> {
        let state = StateDir::new(readable_state_dir(context)?);
        let Some(running) = state.running() else {
            if state.is_locked() {
                return Err(unknown(&state));
            }
            let options = Options::of(&state)?;
            let nothing = Nothing {
                running: false,
                state_dir: state.path().display().to_string(),
                options: options.arguments(),
            };
            if !context.show_data(&nothing)? {
                context.line(format!(
                    "No emulator is running (state directory: {})",
                    state.path().display()
                ))?;
                if !options.is_empty() {
                    context.line(format!(
                        "The next start uses the saved options: {}",
                        options.shown()
                    ))?;
                }
            }
            context.note("hint: start it: ovhai emulator start --detach; any command that needs it starts it too");
            return Err(Failure::silent(FAILED));
        };
        let pid = running.pid;
        let answer = liveness::health(&running);
        let mut shown = Shown::new(running, &state, self.show_password)?;
        shown.answers = answer.is_ok();
        let answer = answer.map(|health| {
            (shown.faults, shown.captured) = (health.faults, health.captured);
            shown.domain_time = health.domain_time;
        });
        context.show(&shown)?;
        match answer {
            Ok(()) => Ok(()),
            Err(error) if liveness::is_silence(&error) => {
                Err(liveness::failure(pid).exit_code(FAILED))
            }
            Err(error) => Err(Failure::new(format!("the emulator (pid {pid}) can't be reached"))
                .because(error)
                .hint("it may be stopping: try again; or kill it: ovhai emulator stop --force")),
        }
    }
}

/// The status for programs if none runs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Nothing {
    running: bool,
    state_dir: String,
    options: Vec<String>,
}

impl Shown {
    fn new(running: Running, state: &StateDir, show_password: bool) -> Result<Self> {
        Ok(Self {
            first_user: state.first_user().map(|user| FirstUser {
                name: user.name,
                password: show_password.then_some(user.password),
            }),
            running: true,
            pid: running.pid,
            address: root(&running),
            https: secure_root(&running),
            regions: running.regions,
            started_at: running.started_at,
            stops_at: running.stops_at,
            version: running.version,
            state_dir: state.path().display().to_string(),
            options: Options::of(state)?.arguments(),
            answers: true,
            faults: Vec::new(),
            captured: Vec::new(),
            domain_time: None,
        })
    }

    fn regions(&self) -> String {
        self.regions.iter().map(Region::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// Describes a component's fault.
fn told(fault: &Fault) -> String {
    let state = if fault.failing { "fails" } else { "works again" };
    let restarts = match fault.restarts {
        0 => String::new(),
        1 => ", restarted once".into(),
        times => format!(", restarted {times} times"),
    };
    let reason = fault.reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    format!("{state}{restarts}{reason}")
}

impl Show for Shown {
    const COLUMNS: &'static [&'static str] = &["ADDRESS", "PID", "REGIONS", "AGE", "VERSION"];

    fn row(&self, now: jiff::Timestamp) -> Vec<String> {
        vec![
            self.address.clone(),
            self.pid.to_string(),
            self.regions(),
            age(self.started_at, now),
            self.version.clone(),
        ]
    }

    fn describe(&self) -> Description {
        let view = Description::new().field("Address", &self.address);
        let view = match &self.https {
            Some(https) => view.field("HTTPS", https),
            None => view,
        };
        let view = view
            .field("PID", self.pid)
            .field("Status", if self.answers { "running" } else { "does not answer" })
            .field("Regions", self.regions())
            .field("State Directory", &self.state_dir)
            .date("Started At", self.started_at);
        let view = match self.stops_at {
            Some(time) => view.date("Stops At", time),
            None => view,
        };
        let view = match self.domain_time {
            Some(time) => view.date("Domain Time", time),
            None => view,
        };
        let view = view.field("Version", &self.version);
        let view = if self.options.is_empty() {
            view
        } else {
            view.field("Kept Options", self.options.join(" "))
        };
        let view = if self.faults.is_empty() {
            view
        } else {
            view.section("Faults", |view| {
                self.faults
                    .iter()
                    .fold(view, |view, fault| view.field(&fault.component, told(fault)))
            })
        };
        let view = if self.captured.is_empty() {
            view
        } else {
            view.section("Captured Requests", |view| {
                self.captured.iter().fold(view, |view, captured| {
                    let until = format!("heads, until {:.0}, for {}", captured.until, captured.by);
                    let id = captured.app.to_string();
                    view.field(captured.name.as_deref().unwrap_or(&id), until)
                })
            })
        };
        match &self.first_user {
            Some(user) => view.section("First User", |view| {
                let hidden = "(hidden; --show-password shows it)";
                view.field("Name", &user.name)
                    .field("Password", user.password.as_deref().unwrap_or(hidden))
            }),
            None => view,
        }
    }

    fn name(&self) -> String {
        self.address.clone()
    }
}
