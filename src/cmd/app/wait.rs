//! Waiting for an app to come into a state.

use std::time::Duration;

use ovhai_api_types::{App, AppId, AppState};
use ovhai_client::{Client, LogFilter};

use crate::context::Context;
use crate::error::{Failure, Result, TIMEOUT};

/// As long as an app's own deadline is by default.
pub(super) const DEFAULT: &str = "10m";

/// `--wait[=DURATION]`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Wait {
    /// Wait until it is done, at most this long (such as 90s or 5m)
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = DEFAULT, value_parser = duration)]
    wait: Option<Duration>,
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed = match text.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => text.parse::<jiff::SignedDuration>().ok().and_then(|d| d.try_into().ok()),
    };
    parsed.ok_or_else(|| "use a duration such as 90s or 5m".into())
}

impl Wait {
    /// As if that had been asked for on the command line.
    pub(super) fn at_most(timeout: Duration) -> Self {
        Self { wait: Some(timeout) }
    }

    /// Waits, if that was asked for, until the app is in `wanted`; gives the app as it is then.
    pub(super) async fn until(
        &self,
        context: &mut Context,
        client: &Client,
        id: AppId,
        wanted: AppState,
    ) -> Result<Option<App>> {
        let Some(timeout) = self.wait else { return Ok(None) };
        let deadline = tokio::time::Instant::now() + timeout;
        let mut pause = Duration::from_millis(10);
        let mut said = None;
        loop {
            let app = client.get_app(id).await?;
            let state = app.status.state;
            if state == wanted {
                let failed = app.status.info.as_ref().and_then(|i| i.arguments.get("failedChange"));
                if let Some(why) = failed {
                    return Err(Failure::new(format!(
                        "the change of the app {id} failed; it goes on as before"
                    ))
                    .because(why.clone().unwrap_or_default())
                    .hint(format!("see its output: ovhai app logs {id}")));
                }
                return Ok(Some(app));
            }
            if matches!(state, AppState::Failed | AppState::Error) {
                return Err(failed(client, &app).await);
            }
            if tokio::time::Instant::now() >= deadline {
                let why = app.status.info.map(|info| info.message).unwrap_or_default();
                return Err(Failure::new(format!(
                    "the app {id} is {state}, not {wanted}, after {} s",
                    timeout.as_secs()
                ))
                .because(why)
                .hint(format!(
                    "it may still get there: ovhai app get {id}; its output: ovhai app logs {id}"
                ))
                .exit_code(TIMEOUT));
            }
            if said != Some(state) {
                said = Some(state);
                context.note(format!("{state}…"));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    }
}

async fn failed(client: &Client, app: &App) -> Failure {
    let why = app.status.info.as_ref().map(|info| info.message.clone()).unwrap_or_default();
    let mut output = Vec::new();
    let filter = LogFilter { tail: Some(10), ..LogFilter::default() };
    if let Ok(mut logs) = client.app_logs(app.id, &filter).await {
        while let Ok(Some(piece)) = logs.next().await {
            output.extend_from_slice(&piece);
        }
    }
    let output = String::from_utf8_lossy(&output);
    let output = output.trim_end().lines().fold(String::new(), |all, line| all + "\n    " + line);
    let cause = if output.is_empty() { why } else { format!("{why}\n  its last output:{output}") };
    Failure::new(format!("the app {} is {}", app.id, app.status.state)).because(cause).hint(
        format!(
            "mend it and start it again: ovhai app start {0}; all its output: ovhai app logs {0}",
            app.id
        ),
    )
}
