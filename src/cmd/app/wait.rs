//! Waits for an app to reach a state.

use std::future::Future;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use ovhai_api_types::{App, AppId, AppState, AppStateHistory};
use ovhai_client::{Client, LogFilter};

use crate::context::{Context, interrupted};
use crate::error::{Failure, Result, TIMEOUT};
use crate::server::target::Target;
use crate::ui::progress::Progress;

/// The default of an app's own deadline.
pub(super) const DEFAULT: &str = "10m";

/// Milliseconds between the first polls of a new app without `--wait`.
const FIRST_LOOKS: [u64; 4] = [5, 10, 20, 40];

/// `--wait[=DURATION]`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Wait {
    /// Wait until the operation is done, at most this long, such as 90s or 5m [default: 10m]
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = DEFAULT, value_parser = duration)]
    wait: Option<Duration>,
    /// Only the state counts, not what became of the last change.
    #[arg(skip)]
    only_state: bool,
}

impl Wait {
    /// A positional argument after `--wait` that looks like a time was meant as its value.
    pub(super) fn is_meant(&self, names: &[String]) -> Result<()> {
        let looks_so = |name: &&String| self.wait.is_some() && looks_like_duration(name);
        match names.iter().find(looks_so) {
            None => Ok(()),
            Some(time) => Err(Failure::usage(format!("{time:?} is read as an app"))
                .hint(format!("use an equals sign: --wait={time}"))),
        }
    }
}

/// Whether a word is a time with a unit, such as 30s.
pub(crate) fn looks_like_duration(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.ends_with(|c: char| c.is_ascii_alphabetic())
        && duration(word).is_ok()
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let parsed = match text.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => text.parse::<jiff::SignedDuration>().ok().and_then(|d| d.try_into().ok()),
    };
    parsed.ok_or_else(|| "use a duration such as 90s or 5m".into())
}

/// The progress of a wait.
struct Clock {
    began: Instant,
    timeout: Duration,
    pause: Duration,
}

impl Clock {
    fn start(timeout: Duration) -> Self {
        Self { began: Instant::now(), timeout, pause: Duration::from_millis(10) }
    }

    fn is_over(&self) -> bool {
        self.began.elapsed() >= self.timeout
    }

    /// Time until the next poll: short at first, half a second later.
    async fn pause(&mut self) {
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(Duration::from_millis(500));
    }

    /// Shows the current state to the waiting user.
    fn line(&self, app: &App) -> String {
        let why = app.status.info.as_ref().map_or("", |info| info.message.as_str());
        let name = app.spec.name.as_deref().unwrap_or_default();
        format!("{name}: {} for {} s  {why}", app.status.state, self.began.elapsed().as_secs())
    }

    fn timed_out(&self, app: App, wanted: &str) -> Failure {
        let why = app.status.info.map(|info| info.message).unwrap_or_default();
        Failure::new(format!(
            "the app {} is {}, not {wanted}, after {} s",
            app.id,
            app.status.state,
            self.timeout.as_secs()
        ))
        .because(why)
        .hint(format!("see its state: ovhai app get {}", app.id))
        .hint(format!("see its output: ovhai app logs {}", app.id))
        .exit_code(TIMEOUT)
    }
}

impl Wait {
    /// Waits for a state, at most this long.
    pub(super) fn for_state(timeout: Duration) -> Self {
        Self { wait: Some(timeout), only_state: true }
    }

    /// Waits, if requested, until the app is in `wanted`; returns the app as it is then.
    pub(super) async fn until(
        &self,
        context: &mut Context,
        client: &Client,
        id: AppId,
        wanted: AppState,
    ) -> Result<Option<App>> {
        let Some(timeout) = self.wait else { return Ok(None) };
        let only_state = self.only_state;
        let mut clock = Clock::start(timeout);
        let mut progress = Progress::new(context);
        let waiting = async move {
            loop {
                let app = client.get_app(id).await?;
                let state = app.status.state;
                if state == wanted {
                    return if only_state { Ok(Some(app)) } else { arrived(app).map(Some) };
                }
                if matches!(state, AppState::Failed | AppState::Error) {
                    return Err(failed(client, &app).await);
                }
                if matches!(state, AppState::Deleting | AppState::Deleted) {
                    return Err(Failure::new(format!("the app {id} is {state}"))
                        .because("another command deletes it")
                        .hint("list the apps: ovhai app list"));
                }
                if clock.is_over() {
                    return Err(clock.timed_out(app, wanted.as_str()));
                }
                progress.say(&clock.line(&app));
                clock.pause().await;
            }
        };
        interruptible(id, waiting).await
    }

    /// A newly submitted app, some milliseconds later, unless `--wait` was given: an image that the
    /// local emulator can't run has failed by then, which is reported immediately.
    pub(super) async fn unless_it_fails_at_once(
        &self,
        context: &mut Context,
        target: &Target,
        submitted: App,
    ) -> App {
        if self.wait.is_some() || !target.server.is_local() {
            return submitted;
        }
        let mut app = submitted;
        for pause in FIRST_LOOKS {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            // The operation itself is done; a failure here does not matter.
            let Ok(now) = target.client.get_app(app.id).await else { return app };
            app = now;
            let why = app.status.info.as_ref().map_or("", |info| info.message.as_str());
            match app.status.state {
                AppState::Queued | AppState::Initializing => {}
                AppState::Failed | AppState::Error => {
                    let name = app.spec.name.as_deref().unwrap_or_default();
                    context.note(format!("warning: {name} is {}: {why}", app.status.state));
                    return app;
                }
                _ => return app,
            }
        }
        app
    }

    /// The same after a change of the app `before`. A stopped app stays stopped: there is nothing
    /// to wait for.
    pub(super) async fn until_running_again(
        &self,
        context: &mut Context,
        client: &Client,
        before: &App,
    ) -> Result<Option<App>> {
        if matches!(before.status.state, AppState::Stopping | AppState::Stopped) {
            if self.wait.is_some() {
                context.note(format!(
                    "The app is {}: the change takes effect when it is started.",
                    before.status.state
                ));
            }
            return Ok(None);
        }
        self.until(context, client, before.id, AppState::Running).await
    }

    /// Waits, if requested, until the app does not exist; returns whether that is known.
    pub(super) async fn until_gone(
        &self,
        context: &mut Context,
        client: &Client,
        id: AppId,
    ) -> Result<bool> {
        let Some(timeout) = self.wait else { return Ok(false) };
        let mut clock = Clock::start(timeout);
        let mut progress = Progress::new(context);
        let waiting = async move {
            loop {
                let app = match client.get_app(id).await {
                    Err(error) if error.status() == Some(404) => return Ok(true),
                    got => got?,
                };
                if app.status.state == AppState::Deleted {
                    return Ok(true);
                }
                if clock.is_over() {
                    return Err(clock.timed_out(app, "gone"));
                }
                progress.say(&clock.line(&app));
                clock.pause().await;
            }
        };
        interruptible(id, waiting).await
    }
}

/// Reports that only the waiting was interrupted. The progress line is gone by then.
async fn interruptible<T>(id: AppId, waiting: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        biased;
        outcome = waiting => outcome,
        () = interrupted() => Err(Failure::interrupted()
            .because("only the waiting ended; the app continues")
            .hint(format!("see it: ovhai app get {id}; stop it: ovhai app stop {id}"))),
    }
}

/// The app, unless the change was rolled back.
fn arrived(app: App) -> Result<App> {
    let undone = app.status.info.as_ref().and_then(|info| info.arguments.get("failedChange"));
    match undone {
        None => Ok(app),
        Some(why) => Err(Failure::new(format!(
            "the change of the app {} failed; it continues as before",
            app.id
        ))
        .because(why.clone().unwrap_or_default())
        .hint(format!("see its output: ovhai app logs {}", app.id))),
    }
}

/// The time at which the app was last queued: output from before is of an earlier run.
fn begin_of_run(app: &App) -> Option<Timestamp> {
    let queued = |state: &&AppStateHistory| state.state == AppState::Queued;
    app.status.history.iter().filter(queued).map(|state| state.date).max()
}

async fn failed(client: &Client, app: &App) -> Failure {
    let why = app.status.info.as_ref().map(|info| info.message.clone()).unwrap_or_default();
    let mut output = Vec::new();
    let since = begin_of_run(app).map(Timestamp::as_millisecond);
    let filter = LogFilter { tail: Some(10), since, ..LogFilter::default() };
    if let Ok(mut logs) = client.app_logs(app.id, &filter).await {
        while let Ok(Some(piece)) = logs.next().await {
            output.extend_from_slice(&piece);
        }
    }
    let output = String::from_utf8_lossy(&output);
    let output = output.trim_end().lines().fold(String::new(), |all, line| all + "\n    " + line);
    let cause = if output.is_empty() { why } else { format!("{why}\n  its last output:{output}") };
    let (name, id) = (app.spec.name.as_deref().unwrap_or_default(), app.id);
    Failure::new(format!("the app {name} ({id}) is {}", app.status.state))
        .because(cause)
        .hint(format!("see all its output: ovhai app logs {id}"))
        .hint(format!("start it again: ovhai app start {id}"))
        .hint(format!(
            "command and runtime can't be changed; delete and re-run: ovhai app delete {id}, then ovhai app run"
        ))
}
