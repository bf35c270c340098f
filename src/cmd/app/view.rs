//! How apps are shown.

use std::borrow::Cow;

use ovhai_api_types::{
    App, AppSpec, AppStatus, DataSyncProgress, ReplicaExit, ReplicaStatus, ScalingStrategy, Volume,
};

use ovhai_client::AppRow;

use crate::term::describe::{Description, age, bytes, date, rate};
use crate::term::table::Fit;
use crate::term::text::quoted;
use crate::ui::output::Show;

/// An app's name.
pub(super) fn name(app: &App) -> &str {
    app.spec.name.as_deref().unwrap_or_default()
}

/// The desired number of replicas: a number, or the smallest and the largest.
pub(super) fn wanted_replicas(scaling: &ScalingStrategy) -> String {
    match (&scaling.fixed, &scaling.automatic) {
        (Some(fixed), _) => fixed.replicas.to_string(),
        (None, Some(automatic)) => format!("{}-{}", automatic.replicas_min, automatic.replicas_max),
        (None, None) => "1".into(),
    }
}

fn replicas(app: &App) -> String {
    let scaling = app.spec.scaling_strategy.clone().unwrap_or_default();
    format!("{}/{}", app.status.available_replicas, wanted_replicas(&scaling))
}

/// The number of restarts, if any.
fn some_restarts(restarts: u32) -> String {
    if restarts == 0 { String::new() } else { restarts.to_string() }
}

/// The reason of a replica that never ran.
const NEVER_RAN: &str = "not started";

/// The reason of an exit; none for a replica that never ran, whose `Info` says why.
fn exit_reason(reason: &str) -> &str {
    if reason == NEVER_RAN { "" } else { reason }
}

/// Time and reason of the last crash.
fn last_exit(exit: &ReplicaExit) -> Option<String> {
    let reason = exit_reason(&exit.reason);
    (!reason.is_empty()).then(|| format!("{reason} at {}: {}", date(exit.at), exit.message))
}

/// A command as a shell takes it.
fn numbers(ports: &[i64]) -> String {
    ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn shell_line(command: &[String]) -> String {
    let words = command.iter().map(|word| quoted(word));
    words.collect::<Vec<_>>().join(" ")
}

fn replica_row(replica: &ReplicaStatus) -> Vec<String> {
    vec![
        replica.ordinal.to_string(),
        replica.state.clone(),
        date(replica.since),
        replica.restarts.to_string(),
        replica.last_exit.as_ref().map_or("", |exit| exit_reason(&exit.reason)).to_owned(),
    ]
}

/// A volume, and what became of its last synchronisation.
fn volume_row(volume: &Volume, status: &AppStatus) -> Vec<String> {
    let of = |progress: &&DataSyncProgress| {
        progress.volume_status.mount_path.as_ref() == Some(&volume.mount_path)
    };
    let last = status.data_sync.iter().rev().find_map(|run| {
        run.status.progress.iter().find(of).map(|progress| {
            format!(
                "{} {}: {} of {} files",
                progress.direction, progress.state, progress.processed, progress.total
            )
        })
    });
    let short = volume.short().unwrap_or_default();
    let source = short.split(&format!(":{}:", volume.mount_path)).next().unwrap_or_default();
    let source = if volume.standalone.is_some() { "(empty)" } else { source };
    vec![
        volume.mount_path.clone(),
        volume.permission.clone(),
        if volume.cache { "yes" } else { "no" }.to_owned(),
        source.to_owned(),
        last.unwrap_or_default(),
    ]
}

/// What the containers of the replicas have: one value, or during an update several.
fn of_containers(app: &App, get: impl Fn(&ReplicaStatus) -> Option<&String>) -> Option<String> {
    let mut values: Vec<&str> = Vec::new();
    for value in app.status.replicas.iter().filter_map(get) {
        if !values.contains(&value.as_str()) {
            values.push(value);
        }
    }
    (!values.is_empty()).then(|| values.join(", "))
}

fn seconds(seconds: i64) -> String {
    format!("{seconds} s")
}

/// The rules of automatic scaling; nothing for a fixed number.
fn automatic_scaling(fields: Description, spec: &AppSpec) -> Description {
    let strategy = spec.scaling_strategy.as_ref();
    let Some(automatic) = strategy.and_then(|strategy| strategy.automatic.as_ref()) else {
        return fields;
    };
    let fields = match &automatic.custom_metrics {
        None => fields.field(
            "Aims At",
            format!("{} % {}", automatic.average_usage_target, automatic.resource_type),
        ),
        Some(custom) => fields
            .field("Metric", &custom.api_url)
            .field("Format", custom.format)
            .field("Value Location", &custom.value_location)
            .field("Aims At", format!("{} {}", custom.aggregation_type, custom.target_value)),
    };
    fields
        .maybe("Up After", automatic.scale_up_stabilization_window_seconds.map(seconds))
        .maybe("Down After", automatic.scale_down_stabilization_window_seconds.map(seconds))
        .maybe("Cooldown", automatic.cooldown_period_seconds.map(seconds))
}

/// Number of states of an app's history to show; `-o json` has all.
const LAST_STATES: usize = 5;

const COLUMNS: &[&str] = &["ID", "NAME", "STATE", "REPLICAS", "AGE", "URL", "RESTARTS", "EXIT"];
const FIT: &[Fit] = &[
    Fit::Id,
    Fit::Shrink(12),
    Fit::Fixed,
    Fit::Fixed,
    Fit::Fixed,
    Fit::Drop,
    Fit::Rare,
    Fit::Rare,
];

/// A list reads only the fields that its rows need.
impl Show for AppRow {
    const COLUMNS: &'static [&'static str] = COLUMNS;
    const FIT: &'static [Fit] = FIT;

    fn row(&self, now: jiff::Timestamp) -> Vec<String> {
        self.cells(now).into_iter().map(Cow::into_owned).collect()
    }

    fn cells(&self, now: jiff::Timestamp) -> Vec<Cow<'_, str>> {
        let scaling = self.spec.scaling_strategy.as_deref().map(wanted_replicas);
        let wanted = scaling.as_deref().unwrap_or("1");
        vec![
            self.id.as_str().into(),
            self.spec.name.as_deref().unwrap_or_default().into(),
            self.status.state.as_str().into(),
            (self.status.available_replicas.to_string() + "/" + wanted).into(),
            age(self.created_at, now).into(),
            self.status.url.as_str().into(),
            some_restarts(self.status.restarts).into(),
            self.status.last_exit.as_ref().map_or("", |exit| exit_reason(&exit.reason)).into(),
        ]
    }

    fn describe(&self) -> Description {
        Description::new().field("ID", &self.id).field("Name", self.name())
    }

    fn name(&self) -> String {
        self.spec.name.clone().unwrap_or_default()
    }
}

impl Show for App {
    const COLUMNS: &'static [&'static str] = COLUMNS;
    const FIT: &'static [Fit] = FIT;

    fn row(&self, now: jiff::Timestamp) -> Vec<String> {
        vec![
            self.id.to_string(),
            name(self).to_owned(),
            self.status.state.to_string(),
            replicas(self),
            age(self.created_at, now),
            self.status.url.clone(),
            some_restarts(self.status.restarts.unwrap_or_default()),
            self.status.last_exit.as_ref().map_or("", |exit| exit_reason(&exit.reason)).to_owned(),
        ]
    }

    fn describe(&self) -> Description {
        let (spec, status) = (&self.spec, &self.status);
        let history = status
            .history
            .iter()
            .skip(status.history.len().saturating_sub(LAST_STATES))
            .map(|entry| vec![date(entry.date), entry.state.to_string()])
            .collect();
        Description::new()
            .field("ID", self.id)
            .field("Name", name(self))
            .field("State", status.state)
            .maybe("Info", status.info.as_ref().map(|info| info.message.clone()))
            .field("URL", &status.url)
            .maybe("gRPC Address", status.grpc_address.as_ref())
            .section("Labels", |labels| {
                spec.labels
                    .iter()
                    .flatten()
                    .fold(labels, |labels, (key, value)| labels.maybe(key, value.as_ref()))
            })
            .field("Image", &spec.image)
            .maybe("Runtime", spec.runtime)
            .maybe("Working Directory", spec.working_directory.as_ref())
            .maybe("Reload", spec.reload.as_ref().map(|directories| directories.join(", ")))
            .maybe("Engine", of_containers(self, |replica| replica.engine.as_ref()))
            .maybe("Image ID", of_containers(self, |replica| replica.image_id.as_ref()))
            .maybe("Pull", spec.pull)
            .maybe("Published Ports", spec.publish.as_deref().map(numbers))
            .maybe("Command", spec.command.as_deref().map(shell_line))
            .field("Replicas", replicas(self))
            .maybe("Restarts", status.restarts)
            .maybe("Last Exit", status.last_exit.as_ref().and_then(last_exit))
            .section("Replica States", |states| {
                states.table(
                    &["REPLICA", "STATE", "SINCE", "RESTARTS", "LAST-EXIT"],
                    status.replicas.iter().map(replica_row).collect(),
                )
            })
            .maybe("Session Affinity", spec.session_affinity)
            .section("Automatic Scaling", |fields| automatic_scaling(fields, spec))
            .section("Updates", |fields| {
                let strategy = spec.deployment_strategy.clone().unwrap_or_default();
                fields
                    .maybe("Max Surge", strategy.max_surge)
                    .maybe("Max Unavailable", strategy.max_unavailable)
                    .maybe("Progress Deadline", strategy.progress_deadline_seconds.map(seconds))
            })
            .maybe("Default HTTP Port", spec.default_http_port)
            .maybe("gRPC Port", spec.grpc_port)
            .field("Unsecure HTTP", spec.unsecure_http)
            .section("Env Vars", |vars| {
                spec.env_vars
                    .iter()
                    .flatten()
                    .fold(vars, |vars, env| vars.maybe(&env.name, Some(&env.value)))
            })
            .section("Volumes", |volumes| {
                volumes.table(
                    &["MOUNT-PATH", "PERMISSION", "CACHE", "SOURCE", "LAST-SYNC"],
                    spec.volumes
                        .iter()
                        .flatten()
                        .map(|volume| volume_row(volume, status))
                        .collect(),
                )
            })
            .maybe("Volume Writeback", spec.volume_writeback.then_some("true"))
            .section("Resources", |resources| {
                let given = spec.resources.clone().unwrap_or_default();
                let some = |units: Option<i64>| units.filter(|units| *units > 0);
                resources
                    .maybe("Flavor", given.flavor)
                    .maybe("CPU", some(given.cpu))
                    .maybe("GPU", some(given.gpu))
                    .maybe("Memory", given.memory.map(bytes))
                    .maybe("Ephemeral Storage", given.ephemeral_storage.map(bytes))
                    .maybe("Public Network", given.public_network.map(rate))
            })
            .field("User", &self.user)
            .date("Created At", self.created_at)
            .date("Updated At", self.updated_at)
            .section("History", |d| d.table(&["DATE", "STATE"], history))
    }

    fn name(&self) -> String {
        name(self).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_command_can_be_copied() {
        let words = ["sh", "-c", "echo 'hi there'; exit 3", ""].map(str::to_owned);
        let line = shell_line(&words);
        assert_eq!(shlex::split(&line).as_deref(), Some(&words[..]), "{line}");
        assert_eq!(shell_line(&["python3".into(), "-m".into()]), "python3 -m");
    }

    #[test]
    fn an_app_that_never_ran_has_no_exit() {
        let exit = |reason: &str| ReplicaExit {
            at: Timestamp::UNIX_EPOCH,
            status: None,
            signal: None,
            reason: reason.into(),
            message: "why".into(),
        };
        assert_eq!(last_exit(&exit("not started")), None);
        assert!(last_exit(&exit("ended")).is_some());
        assert_eq!(
            last_exit(&exit("exit status 3")).as_deref(),
            Some("exit status 3 at 1970-01-01 00:00:00 UTC: why")
        );
    }
}
