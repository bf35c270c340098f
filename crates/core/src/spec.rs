//! The spec of an app: checked once, with its defaults filled in.
//!
//! Limits and defaults are those of the service's guides (2021-2026): port 8080, probe path `/`,
//! one replica, 1 to 10 replicas, rolling updates of 25 % each way, a deadline of 600 seconds.

use std::collections::BTreeMap;
use std::time::Duration;

use ovhai_api_types::{
    AppDeploymentStrategy, AppSpec, AppUpdate, Env, Labels, Placement, Probe, Resources,
    SessionAffinity,
};
use serde::{Deserialize, Serialize};

use crate::catalog::{self, Kind};
use crate::check::{text, within};
use crate::error::{Error, Result};
use crate::scaling::MAX_REPLICAS;
pub use crate::scaling::{CustomMetric, Scaling, scaling};
use crate::volume::{self, VolumeSpec};
pub use ovhai_api_types::PullPolicy;

/// The default port of an app.
pub const DEFAULT_PORT: u16 = 8080;
const MAX_NAME: usize = 100;
const MAX_IMAGE: usize = 1024;
/// Maximum number of directories that are watched for changes.
const MAX_RELOAD: usize = 16;
/// Maximum number of additional ports of a container.
const MAX_PUBLISH: usize = 32;

/// A count of replicas, absolute or in per cent of the wanted number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Amount {
    /// A number.
    Count(u32),
    /// A percentage.
    Percent(u32),
}

impl Amount {
    fn parse(field: &str, text: &str) -> Result<Self> {
        let parsed = match text.trim().strip_suffix('%') {
            Some(percent) => percent.parse().ok().filter(|p| *p <= 100).map(Self::Percent),
            None => text.trim().parse().ok().filter(|c| *c <= MAX_REPLICAS).map(Self::Count),
        };
        parsed.ok_or_else(|| {
            Error::invalid(
                field,
                format!("{text:?} is neither a count of 0 to 10 nor a percentage such as 25%"),
            )
        })
    }

    fn wire(self) -> String {
        match self {
            Self::Count(count) => count.to_string(),
            Self::Percent(percent) => format!("{percent}%"),
        }
    }

    /// The number out of `of`, rounded up.
    pub fn rounded_up(self, of: u32) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => (of * percent).div_ceil(100),
        }
    }

    /// The number out of `of`, rounded down.
    pub fn rounded_down(self, of: u32) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => of * percent / 100,
        }
    }
}

/// The deployment strategy: how an update replaces replicas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Maximum number above the wanted one.
    pub max_surge: Amount,
    /// Maximum number below the wanted one.
    pub max_unavailable: Amount,
    /// Time that a new replica has to answer, in seconds.
    pub progress_deadline_seconds: u32,
}

impl Default for Deployment {
    fn default() -> Self {
        Self {
            max_surge: Amount::Percent(25),
            max_unavailable: Amount::Percent(25),
            progress_deadline_seconds: 600,
        }
    }
}

impl Deployment {
    fn merge(&mut self, wire: &AppDeploymentStrategy, at: &str) -> Result<()> {
        if let Some(surge) = &wire.max_surge {
            self.max_surge = Amount::parse(&format!("{at}.maxSurge"), surge)?;
        }
        if let Some(unavailable) = &wire.max_unavailable {
            self.max_unavailable = Amount::parse(&format!("{at}.maxUnavailable"), unavailable)?;
        }
        if let Some(seconds) = wire.progress_deadline_seconds {
            self.progress_deadline_seconds =
                within(&format!("{at}.progressDeadlineSeconds"), seconds, 1, 86_400)?;
        }
        Ok(())
    }

    /// Time that a new replica has to answer.
    pub fn progress_deadline(&self) -> Duration {
        Duration::from_secs(self.progress_deadline_seconds.into())
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A checked spec. Labels are kept beside it, in the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The image.
    pub image: String,
    /// The command, unless it is the image's own.
    pub command: Option<Vec<String>>,
    /// Port the app listens on.
    pub http_port: u16,
    /// Port that speaks gRPC.
    pub grpc_port: Option<u16>,
    /// Environment variables, in the order given.
    pub env: Vec<Env>,
    /// The name.
    pub name: String,
    /// Path of the probe; none: `/`, where any response but a server error counts as ready.
    pub probe_path: Option<String>,
    /// Port of the probe; none: the app's own.
    pub probe_port: Option<u16>,
    /// Resources of a replica.
    pub resources: Resources,
    /// Whether the app asks for a GPU. Without resources it gets one of the default flavor, unasked.
    #[serde(default, skip_serializing_if = "is_default")]
    pub asks_for_gpu: bool,
    /// The scaling strategy.
    pub scaling: Scaling,
    /// The deployment strategy.
    pub deployment: Deployment,
    /// Session affinity: what keeps a client's requests at one replica.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affinity: Option<SessionAffinity>,
    /// Whether the app is open to everybody.
    pub public: bool,
    /// The runtime that the app asks for.
    pub placement: Option<Placement>,
    /// Working directory of a local process; none: the emulator's own.
    pub working_directory: Option<String>,
    /// Directories of a local process, which is started again when files in them change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reload: Vec<String>,
    /// When a container engine pulls the image.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pull: PullPolicy,
    /// Ports that answer beside those that the image and this spec name, where a container has no
    /// address of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publish: Vec<u16>,
    /// Its volumes, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<VolumeSpec>,
    /// Whether volumes that the app may write to are written back when it stops.
    #[serde(default, skip_serializing_if = "is_default")]
    pub volume_writeback: bool,
}

fn published(ports: &[i64]) -> Result<Vec<u16>> {
    if ports.len() > MAX_PUBLISH {
        return Err(Error::invalid("publish", format!("at most {MAX_PUBLISH} ports")));
    }
    let mut ports =
        ports.iter().map(|value| port("publish", *value)).collect::<Result<Vec<_>>>()?;
    ports.sort_unstable();
    ports.dedup();
    Ok(ports)
}

fn port(field: &str, value: i64) -> Result<u16> {
    within(field, value, 1, 65_535).and_then(|port| {
        u16::try_from(port).map_err(|_| Error::invalid(field, "not a port: use 1 to 65535"))
    })
}

/// Checks an image reference: not empty, no blanks.
pub fn image(field: &str, value: &str) -> Result<String> {
    let image = text(field, value, MAX_IMAGE)?;
    if image.chars().any(char::is_whitespace) {
        return Err(Error::invalid(
            field,
            format!("{image:?} has blanks: use [registry/]name[:tag]"),
        ));
    }
    Ok(image)
}

/// Checks a name of an app or token: 1 to 100 characters, none of them a control character.
pub fn name(field: &str, value: &str) -> Result<String> {
    text(field, value, MAX_NAME)
}

fn env_vars(field: &str, given: &[Env]) -> Result<Vec<Env>> {
    for (i, env) in given.iter().enumerate() {
        let bad_name = env.name.is_empty() || env.name.contains(['=', '\0']);
        if bad_name {
            return Err(Error::invalid(
                format!("{field}[{i}].name"),
                format!(
                    "{:?} can't name an environment variable: not empty, without '='",
                    env.name
                ),
            ));
        }
        if env.value.contains('\0') {
            return Err(Error::invalid(format!("{field}[{i}].value"), "a NUL is not allowed"));
        }
    }
    let mut vars = Vec::with_capacity(given.len());
    for env in given {
        set_variable(&mut vars, env);
    }
    Ok(vars)
}

/// Sets a variable: in place if it exists, so that each name occurs once.
fn set_variable(vars: &mut Vec<Env>, env: &Env) {
    match vars.iter_mut().find(|existing| existing.name == env.name) {
        Some(existing) => existing.value.clone_from(&env.value),
        None => vars.push(env.clone()),
    }
}

/// Resources of a number of units. The default is one unit of the default GPU flavor, as in the
/// service; CPUs are ignored when GPUs are requested.
fn resources(given: Option<&Resources>) -> Result<Resources> {
    let given = given.cloned().unwrap_or_default();
    let units = |field: &str, value: Option<i64>| {
        let value = value.map(|value| within(field, value, 0, 1024)).transpose()?;
        Ok::<_, Error>(value.filter(|value| *value > 0))
    };
    let cpu = units("resources.cpu", given.cpu)?;
    let gpu = units("resources.gpu", given.gpu)?;
    let flavor = match given.flavor.as_deref().filter(|id| !id.is_empty()) {
        Some(id) => catalog::flavor(id).ok_or_else(|| {
            let known: Vec<_> = catalog::FLAVORS.iter().map(|flavor| flavor.id).collect();
            let id: String = id.chars().take(80).collect();
            Error::invalid(
                "resources.flavor",
                format!("there is no flavor {id:?}: use {}", known.join(", ")),
            )
        })?,
        None if gpu.is_none() && cpu.is_some() => catalog::default_flavor(Kind::Cpu),
        None => catalog::default_flavor(Kind::Gpu),
    };
    let (field, units) = match (flavor.kind, gpu) {
        (Kind::Gpu, gpu) => ("resources.gpu", gpu.unwrap_or(1)),
        (Kind::Cpu, Some(_)) => {
            return Err(Error::invalid(
                "resources.gpu",
                format!("the flavor {} has no GPU: ask for cpu, or for a GPU flavor", flavor.id),
            ));
        }
        (Kind::Cpu, None) => ("resources.cpu", cpu.unwrap_or(1)),
    };
    if units > flavor.max {
        return Err(Error::invalid(
            field,
            format!("{units} is not allowed: {} has at most {} units", flavor.id, flavor.max),
        ));
    }
    let units = i64::from(units);
    let all = |of_one: Option<i64>| of_one.map(|of_one| of_one * units);
    Ok(Resources {
        cpu: Some(flavor.cpu * units),
        ephemeral_storage: all(flavor.ephemeral_storage),
        flavor: Some(flavor.id.to_owned()),
        gpu: flavor.gpu.map(|_| units),
        gpu_brand: flavor.gpu.map(|gpu| gpu.brand.to_owned()),
        gpu_memory: flavor.gpu.and_then(|gpu| gpu.memory),
        gpu_model: flavor.gpu.map(|gpu| gpu.model.to_owned()),
        memory: all(Some(flavor.memory)),
        private_network: None,
        public_network: all(flavor.public_network),
    })
}

/// Whether these name a GPU, by number or by flavor.
fn asks_for_gpu(given: &Resources) -> bool {
    let flavor = given.flavor.as_deref().and_then(catalog::flavor);
    given.gpu.is_some_and(|gpu| gpu > 0) || flavor.is_some_and(|flavor| flavor.kind == Kind::Gpu)
}

/// Resources after an update: of the app's flavor, unless another flavor or kind is requested.
fn other_resources(now: &Resources, wanted: &Resources) -> Result<Resources> {
    for (field, units) in [("cpu", wanted.cpu), ("gpu", wanted.gpu)] {
        if let Some(units) = units {
            within(&format!("appUpdate.resources.{field}"), units, 1, 1024)?;
        }
    }
    let kind = match (wanted.gpu, wanted.cpu) {
        (Some(_), _) => Some(Kind::Gpu),
        (None, Some(_)) => Some(Kind::Cpu),
        (None, None) => None,
    };
    let own = now.flavor.as_deref().and_then(catalog::flavor);
    let own = own.filter(|flavor| kind.is_none_or(|kind| flavor.kind == kind));
    let flavor = wanted.flavor.clone().or_else(|| own.map(|flavor| flavor.id.to_owned()));
    resources(Some(&Resources { cpu: wanted.cpu, gpu: wanted.gpu, flavor, ..Resources::default() }))
        .map_err(|error| match error {
            Error::Invalid { field, message } => {
                Error::Invalid { field: format!("appUpdate.{field}"), message }
            }
            other => other,
        })
}

/// Nothing is kept as such.
fn affinity(given: Option<SessionAffinity>) -> Option<SessionAffinity> {
    given.filter(|affinity| *affinity != SessionAffinity::None)
}

impl Spec {
    /// Checks a spec from the wire. `generated_name` makes the name if there is none.
    pub fn check(wire: &AppSpec, generated_name: impl FnOnce(&str) -> String) -> Result<Self> {
        let image = image("image", &wire.image)?;
        let probe = wire.probe.clone().unwrap_or_default();
        if let Some(path) = &probe.path
            && (!path.starts_with('/') || path.chars().any(|c| c.is_control() || c == ' '))
        {
            return Err(Error::invalid(
                "probe.path",
                format!("{path:?} is not a path such as /health"),
            ));
        }
        let mut deployment = Deployment::default();
        if let Some(strategy) = &wire.deployment_strategy {
            deployment.merge(strategy, "deploymentStrategy")?;
        }
        if let Some(directory) = &wire.working_directory
            && (!directory.starts_with('/') || directory.contains('\0'))
        {
            return Err(Error::invalid("workingDirectory", "not an absolute path"));
        }
        let reload = wire.reload.clone().unwrap_or_default();
        if reload.len() > MAX_RELOAD {
            let why = format!("at most {MAX_RELOAD} directories");
            return Err(Error::invalid("reload", why));
        }
        if reload.iter().any(|directory| !directory.starts_with('/') || directory.contains('\0')) {
            return Err(Error::invalid("reload", "not an absolute path"));
        }
        if !reload.is_empty() && wire.runtime.is_some_and(|it| it != Placement::Process) {
            let why = "only a local process is started again when files change: runtime process";
            return Err(Error::invalid("reload", why));
        }
        if let Some(command) = &wire.command
            && command.iter().any(|word| word.contains('\0'))
        {
            return Err(Error::invalid("command", "a NUL is not allowed"));
        }
        Ok(Self {
            command: wire.command.clone().filter(|command| !command.is_empty()),
            http_port: wire
                .default_http_port
                .map_or(Ok(DEFAULT_PORT), |value| port("defaultHttpPort", value))?,
            grpc_port: wire.grpc_port.map(|value| port("grpcPort", value)).transpose()?,
            env: env_vars("envVars", wire.env_vars.as_deref().unwrap_or_default())?,
            name: match wire.name.as_deref().filter(|name| !name.is_empty()) {
                Some(given) => name("name", given)?,
                None => generated_name(&image),
            },
            probe_path: probe.path,
            probe_port: probe.port.map(|value| port("probe.port", value)).transpose()?,
            resources: resources(wire.resources.as_ref())?,
            asks_for_gpu: wire.resources.as_ref().is_some_and(asks_for_gpu),
            scaling: match &wire.scaling_strategy {
                Some(strategy) if strategy.fixed.is_some() || strategy.automatic.is_some() => {
                    scaling("scalingStrategy", strategy)?
                }
                _ => Scaling::Fixed(1),
            },
            deployment,
            affinity: affinity(wire.session_affinity),
            public: wire.unsecure_http,
            placement: wire.runtime,
            working_directory: wire.working_directory.clone(),
            reload,
            pull: wire.pull.unwrap_or_default(),
            publish: published(wire.publish.as_deref().unwrap_or_default())?,
            volumes: volume::volumes(wire.volumes.as_deref().unwrap_or_default())?,
            volume_writeback: wire.volume_writeback,
            image,
        })
    }

    /// Applies an update; says whether new replicas are needed.
    pub fn update(&mut self, update: &AppUpdate) -> Result<bool> {
        let mut changed = self.clone();
        if let Some(value) = update.default_http_port {
            changed.http_port = port("appUpdate.defaultHttpPort", value)?;
        }
        if let Some(value) = update.grpc_port {
            changed.grpc_port = Some(port("appUpdate.grpcPort", value)?);
        }
        if let Some(url) = &update.url {
            changed.image = image("appUpdate.url", url)?;
        }
        let unset = update.unset_env_vars.as_deref().unwrap_or_default();
        let set = env_vars("appUpdate.envVars", update.env_vars.as_deref().unwrap_or_default())?;
        if !set.is_empty() || !unset.is_empty() {
            // An older record may name a variable twice.
            changed.env = env_vars("envVars", &changed.env)?;
            changed.env.retain(|env| !unset.contains(&env.name));
            for env in &set {
                set_variable(&mut changed.env, env);
            }
        }
        if let Some(wanted) = &update.resources {
            changed.resources = other_resources(&self.resources, wanted)?;
        }
        let new_replicas = changed != *self;
        if let Some(wanted) = &update.resources {
            let has_gpu = changed.resources.gpu.is_some();
            changed.asks_for_gpu = has_gpu && (self.asks_for_gpu || asks_for_gpu(wanted));
        }
        if let Some(strategy) = &update.deployment_strategy {
            changed.deployment.merge(strategy, "appUpdate.deploymentStrategy")?;
        }
        if update.session_affinity.is_some() {
            changed.affinity = affinity(update.session_affinity);
        }
        *self = changed;
        Ok(new_replicas)
    }

    /// The spec as clients see it.
    pub fn wire(&self, labels: &Labels) -> AppSpec {
        let all: BTreeMap<String, Option<String>> = labels.into();
        AppSpec {
            image: self.image.clone(),
            command: self.command.clone(),
            default_http_port: Some(self.http_port.into()),
            deployment_strategy: Some(AppDeploymentStrategy {
                max_surge: Some(self.deployment.max_surge.wire()),
                max_unavailable: Some(self.deployment.max_unavailable.wire()),
                progress_deadline_seconds: Some(self.deployment.progress_deadline_seconds.into()),
            }),
            env_vars: Some(self.env.clone()),
            grpc_port: self.grpc_port.map(Into::into),
            labels: Some(all),
            name: Some(self.name.clone()),
            probe: Some(Probe {
                path: Some(self.probe_path.clone().unwrap_or_else(|| "/".into())),
                port: Some(self.probe_port.unwrap_or(self.http_port).into()),
            }),
            // Clients read both as numbers; older records lack the one that is not used.
            resources: Some(Resources {
                cpu: self.resources.cpu.or(Some(0)),
                gpu: self.resources.gpu.or(Some(0)),
                ..self.resources.clone()
            }),
            scaling_strategy: Some(self.scaling.wire()),
            session_affinity: self.affinity,
            unsecure_http: self.public,
            volumes: Some(self.volumes.iter().map(VolumeSpec::wire).collect()),
            volume_writeback: self.volume_writeback,
            runtime: self.placement,
            working_directory: self.working_directory.clone(),
            reload: Some(self.reload.clone()).filter(|reload| !reload.is_empty()),
            pull: Some(self.pull).filter(|pull| !is_default(pull)),
            publish: Some(self.publish.iter().map(|port| i64::from(*port)).collect::<Vec<_>>())
                .filter(|ports| !ports.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(json: &str) -> Result<Spec> {
        let wire: AppSpec = serde_json::from_str(json).expect("a wire spec");
        Spec::check(&wire, |_| "generated".into())
    }

    #[test]
    fn defaults() {
        let spec = spec(r#"{"image":"a/b","unknown":1}"#).expect("valid");
        assert_eq!((spec.http_port, spec.name.as_str()), (8080, "generated"));
        assert_eq!(spec.scaling, Scaling::Fixed(1));
        let wire = spec.wire(&Labels::new());
        assert_eq!(wire.resources.and_then(|r| r.flavor).as_deref(), Some("ai1-1-gpu"));
        let cpu = self::spec(r#"{"image":"a","resources":{"cpu":2}}"#).expect("valid");
        let resources = cpu.wire(&Labels::new()).resources.expect("always there");
        assert_eq!((resources.cpu, resources.gpu), (Some(2), Some(0)));
        assert_eq!(resources.ephemeral_storage, Some(80 << 30));
        assert_eq!(wire.probe.and_then(|probe| probe.port), Some(8080));
    }

    #[test]
    fn refusals_name_the_field_and_what_is_allowed() {
        for (json, field, allowed) in [
            (r#"{"image":""}"#, "image", "1 to"),
            (r#"{"image":"a b"}"#, "image", "blanks"),
            (r#"{"image":"a","defaultHttpPort":70000}"#, "defaultHttpPort", "1 to 65535"),
            (r#"{"image":"a","grpcPort":0}"#, "grpcPort", "1 to 65535"),
            (r#"{"image":"a","envVars":[{"name":"A=","value":""}]}"#, "envVars[0].name", "'='"),
            (r#"{"image":"a","probe":{"path":"x"}}"#, "probe.path", "/health"),
            (
                r#"{"image":"a","scalingStrategy":{"fixed":{"replicas":11}}}"#,
                "scalingStrategy.fixed.replicas",
                "1 to 10",
            ),
            (
                r#"{"image":"a","scalingStrategy":{"automatic":{"averageUsageTarget":0,"replicasMax":2,"replicasMin":1,"resourceType":"CPU"}}}"#,
                "scalingStrategy.automatic.averageUsageTarget",
                "1 to 100",
            ),
            (
                r#"{"image":"a","deploymentStrategy":{"maxSurge":"x%"}}"#,
                "deploymentStrategy.maxSurge",
                "25%",
            ),
            (r#"{"image":"a","name":"a\nb"}"#, "name", "control"),
            (r#"{"image":"a","reload":["src"]}"#, "reload", "absolute"),
            (r#"{"image":"a","reload":["/src"],"runtime":"builtin"}"#, "reload", "process"),
        ] {
            match spec(json) {
                Err(Error::Invalid { field: at, message }) => {
                    assert_eq!(at, field, "{json}");
                    assert!(message.contains(allowed), "{json}: {message}");
                }
                other => panic!("{json}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_last_of_repeated_variables_counts() {
        let names = |spec: &Spec| -> Vec<(String, String)> {
            spec.env.iter().map(|env| (env.name.clone(), env.value.clone())).collect()
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let vars = r#"{"image":"a","envVars":[{"name":"A","value":"1"},{"name":"B","value":"b"},{"name":"A","value":"2"}]}"#;
        let mut it = spec(vars).expect("valid");
        assert_eq!(names(&it), [pair("A", "2"), pair("B", "b")]);
        // An older version kept both.
        it.env.push(Env { name: "A".into(), value: "3".into() });
        let update = |json| serde_json::from_str::<AppUpdate>(json).expect("an update");
        assert!(it.update(&update(r#"{"unsetEnvVars":["B","none"]}"#)).expect("valid"));
        assert_eq!(names(&it), [pair("A", "3")]);
        assert!(!it.update(&update(r#"{"unsetEnvVars":["none"]}"#)).expect("valid"));
        let both = r#"{"unsetEnvVars":["A"],"envVars":[{"name":"A","value":"4"}]}"#;
        assert!(it.update(&update(both)).expect("valid"));
        assert_eq!(names(&it), [pair("A", "4")]);
    }

    #[test]
    fn an_update_changes_units_and_keeps_the_flavor_where_it_can() {
        let mut it = spec(r#"{"image":"a","resources":{"flavor":"ai1-1-cpu","cpu":2}}"#).unwrap();
        let update = |json| serde_json::from_str::<AppUpdate>(json).expect("an update");
        let flavor = |it: &Spec| it.resources.flavor.clone().unwrap_or_default();
        assert!(it.update(&update(r#"{"resources":{"cpu":3}}"#)).expect("valid"));
        assert_eq!((flavor(&it).as_str(), it.resources.cpu), ("ai1-1-cpu", Some(3)));
        assert!(!it.update(&update(r#"{"resources":{"cpu":3}}"#)).expect("valid"));
        assert!(it.update(&update(r#"{"resources":{"gpu":2}}"#)).expect("valid"));
        assert_eq!((flavor(&it).as_str(), it.resources.gpu), ("ai1-1-gpu", Some(2)));
        assert!(it.update(&update(r#"{"resources":{"cpu":1}}"#)).expect("valid"));
        assert_eq!(flavor(&it), "ai1-1-cpu");
        let before = it.clone();
        for (json, at) in [
            (r#"{"resources":{"cpu":0}}"#, "appUpdate.resources.cpu"),
            (r#"{"resources":{"gpu":99}}"#, "appUpdate.resources.gpu"),
            (r#"{"resources":{"flavor":"none"}}"#, "appUpdate.resources.flavor"),
        ] {
            match it.update(&update(json)) {
                Err(Error::Invalid { field, .. }) => assert_eq!(field, at, "{json}"),
                other => panic!("{json}: {other:?}"),
            }
        }
        assert_eq!(it, before);
    }

    #[test]
    fn a_gpu_that_the_app_asks_for() {
        let asks = |json: &str| spec(json).expect("valid").asks_for_gpu;
        assert!(!asks(r#"{"image":"a"}"#), "it gets one");
        assert!(!asks(r#"{"image":"a","resources":{"cpu":1}}"#));
        assert!(asks(r#"{"image":"a","resources":{"gpu":1}}"#));
        assert!(asks(r#"{"image":"a","resources":{"flavor":"ai1-1-gpu"}}"#));
        let update = |json| serde_json::from_str::<AppUpdate>(json).expect("an update");
        let mut it = spec(r#"{"image":"a"}"#).expect("valid");
        assert!(!it.update(&update(r#"{"resources":{"gpu":1}}"#)).expect("valid"));
        assert!(it.asks_for_gpu, "it has one already, so that no replica is replaced");
        it.update(&update(r#"{"resources":{"cpu":1}}"#)).expect("valid");
        assert!(!it.asks_for_gpu);
    }

    #[test]
    fn updates_report_whether_replicas_are_replaced() {
        let mut it = spec(r#"{"image":"a"}"#).expect("valid");
        let update = |json| serde_json::from_str::<AppUpdate>(json).expect("an update");
        assert!(!it.update(&update(r#"{"deploymentStrategy":{"maxSurge":"1"}}"#)).expect("valid"));
        assert!(it.update(&update(r#"{"defaultHttpPort":9000}"#)).expect("valid"));
        assert!(!it.update(&update(r#"{"defaultHttpPort":9000}"#)).expect("valid"));
        let before = it.clone();
        assert!(it.update(&update(r#"{"url":"b","grpcPort":-1}"#)).is_err());
        assert_eq!(it, before, "a refused update changes nothing");
    }
}
