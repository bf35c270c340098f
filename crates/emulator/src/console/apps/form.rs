//! The fields of the form that creates an app, and the spec that they make.
//!
//! What a value may be is the domain's to say: this module knows only which field of the form shows
//! which field of the spec.

use std::collections::BTreeMap;

use ovhai_api_types::{
    AppDeploymentStrategy, AppSpec, AutomaticScalingStrategy, CustomMetrics, Env,
    FixedScalingStrategy, InvalidVolume, Probe, Region, Resources, ScalingStrategy, Volume,
};
use ovhai_core::catalog::{self, Kind};
use ovhai_core::model::AppRecord;
use ovhai_core::spec::{Amount, Deployment, Scaling, Spec};

use super::fields::{FIELDS, Problems, SHOWN, label, place};
use super::pairs::{self, Pair};
use crate::api::command_line::volume_text;
use crate::web::form::Fields;

/// The value of the choice to write volumes back.
const WRITE_BACK: &str = "write-back";

/// What was typed.
#[derive(Debug, Clone)]
pub(super) struct Form {
    values: BTreeMap<&'static str, String>,
    pub(super) labels: Vec<Pair>,
    pub(super) env: Vec<Pair>,
}

impl Form {
    /// An empty form.
    pub(super) fn new(region: &Region) -> Self {
        let values = FIELDS.iter().map(|(id, _, value)| (*id, (*value).to_owned()));
        let mut form = Self { values: values.collect(), labels: Vec::new(), env: Vec::new() };
        form.set("region", region.to_string());
        form
    }

    /// What a browser sent.
    pub(super) fn read(fields: &Fields) -> Self {
        let value = |id: &'static str| fields.get(id).replace("\r\n", "\n");
        Self {
            values: FIELDS.iter().map(|(id, ..)| (*id, value(id))).collect(),
            labels: pairs::read(fields, "label-key", "label-value"),
            env: pairs::read(fields, "env-name", "env-value"),
        }
    }

    /// A form that makes another app like this one.
    pub(super) fn like(app: &AppRecord) -> Self {
        let mut form = Self::new(&app.region);
        let name: String = app.spec.name.chars().take(95).collect();
        form.set("name", format!("{name}-copy"));
        form.set_spec(&app.spec);
        let own = app.labels.iter().filter(|(key, _)| !key.is_platform());
        form.labels =
            own.map(|(key, value)| Pair::new(key.to_string(), value.to_string())).collect();
        form
    }

    fn set_spec(&mut self, spec: &Spec) {
        let optional = |value: Option<u32>| value.map_or_else(String::new, |it| it.to_string());
        self.set("image", spec.image.clone());
        if let Some(command) = &spec.command {
            let words = command.iter().map(String::as_str);
            // It has no NUL.
            self.set("command", shlex::try_join(words).unwrap_or_default());
        }
        let flavor = spec.resources.flavor.as_deref().and_then(catalog::flavor);
        if let Some(flavor) = flavor {
            let units = match flavor.kind {
                Kind::Gpu => spec.resources.gpu,
                Kind::Cpu => spec.resources.cpu.map(|cores| cores / flavor.cpu.max(1)),
            };
            self.set("flavor", flavor.id);
            self.set("units", units.unwrap_or(1).to_string());
        }
        match &spec.scaling {
            Scaling::Fixed(replicas) => self.set("replicas", replicas.to_string()),
            Scaling::Automatic {
                target,
                min,
                max,
                resource,
                up_window,
                down_window,
                cooldown,
                custom,
            } => {
                self.set("scaling", "automatic");
                self.set("min", min.to_string());
                self.set("max", max.to_string());
                self.set("metric", resource.as_str());
                self.set("threshold", target.to_string());
                self.set("up-window", up_window.to_string());
                self.set("down-window", down_window.to_string());
                self.set("cooldown", optional(*cooldown));
                if let Some(custom) = custom {
                    self.set("metric", "CUSTOM");
                    self.set("custom-url", custom.url.clone());
                    self.set("custom-format", custom.format.as_str());
                    self.set("custom-location", custom.location.clone());
                    self.set("custom-target", custom.target.to_string());
                    self.set("custom-aggregation", custom.aggregation.as_str());
                }
            }
        }
        self.set("http-port", spec.http_port.to_string());
        self.set("grpc-port", optional(spec.grpc_port.map(u32::from)));
        self.set("access", if spec.public { "public" } else { "restricted" });
        self.env = spec.env.iter().map(|env| Pair::new(&env.name, &env.value)).collect();
        self.set("probe-path", spec.probe_path.clone().unwrap_or_default());
        self.set("probe-port", optional(spec.probe_port.map(u32::from)));
        let Deployment { max_surge, max_unavailable, progress_deadline_seconds } = spec.deployment;
        self.set("max-surge", amount(max_surge));
        self.set("max-unavailable", amount(max_unavailable));
        self.set("deadline", progress_deadline_seconds.to_string());
        self.set("affinity", spec.affinity.map_or("none", |affinity| affinity.as_str()));
        self.set("runtime", spec.placement.map_or("", |placement| placement.as_str()));
        self.set("workdir", spec.working_directory.clone().unwrap_or_default());
        self.set("reload", spec.reload.join("\n"));
        self.set("pull", spec.pull.as_str());
        let volumes: Vec<_> =
            spec.volumes.iter().map(|volume| volume_text(&volume.wire())).collect();
        self.set("volumes", volumes.join("\n"));
        self.set("writeback", if spec.volume_writeback { WRITE_BACK } else { "" });
        let ports: Vec<_> = spec.publish.iter().map(u16::to_string).collect();
        self.set("publish", ports.join(", "));
    }

    pub(super) fn set(&mut self, id: &'static str, value: impl Into<String>) {
        self.values.insert(id, value.into());
    }

    /// The value of a field.
    pub(super) fn get(&self, id: &str) -> &str {
        self.values.get(id).map_or("", |value| value.trim())
    }

    pub(super) fn is(&self, id: &str, value: &str) -> bool {
        self.get(id) == value
    }

    /// Whether a field has not the value of a new form.
    pub(super) fn is_set(&self, id: &str) -> bool {
        let new = FIELDS.iter().find(|field| field.0 == id).map_or("", |field| field.2);
        let value = self.get(id);
        !value.is_empty() && value != new
    }

    pub(super) fn label(&self, id: &str) -> &'static str {
        label(id)
    }

    /// Gives a field a value that is allowed, so that the others can be checked.
    pub(super) fn put_right(&mut self, id: &str) {
        let (field, row) = place(id);
        let Some((id, _, value)) = FIELDS.get(field).copied() else { return };
        match id {
            "env-name" | "env-value" => {
                if let Some(pair) = self.env.get_mut(row) {
                    *pair = Pair::default();
                }
            }
            "label-key" | "label-value" => self.labels.clear(),
            "image" => self.set(id, "x"),
            "custom-url" => self.set(id, "http://x"),
            "custom-location" => self.set(id, "x"),
            "custom-target" => self.set(id, "1"),
            _ => self.set(id, value),
        }
    }

    /// The field that shows a field of the spec.
    pub(super) fn shows(&self, path: &str) -> Option<String> {
        if let Some((index, part)) =
            path.strip_prefix("envVars[").and_then(|rest| rest.split_once("]."))
        {
            let index: usize = index.parse().ok()?;
            let used = self.env.iter().enumerate().filter(|(_, pair)| !pair.is_empty());
            let row = used.map(|(row, _)| row).nth(index)?;
            return Some(format!("env-{part}-{row}"));
        }
        let path = path.split('[').next().unwrap_or(path);
        SHOWN.iter().find(|(of, _)| *of == path).map(|(_, id)| (*id).to_owned())
    }

    /// The spec, without the values that can't be read.
    pub(super) fn spec(&self, problems: &mut Problems) -> AppSpec {
        // What a new app has anyway is not sent: the command is shorter.
        let default_http_port = self.number("http-port", problems).filter(|port| *port != 8080);
        let grpc_port = self.number("grpc-port", problems);
        let probe_port = self.number("probe-port", problems);
        let deadline = self.number("deadline", problems).filter(|seconds| *seconds != 600);
        let text = |id: &str| Some(self.get(id).to_owned()).filter(|text| !text.is_empty());
        let unless_default = |id: &str| text(id).filter(|_| self.is_set(id));
        let probe = Probe { path: text("probe-path"), port: probe_port };
        let deployment = AppDeploymentStrategy {
            max_surge: unless_default("max-surge"),
            max_unavailable: unless_default("max-unavailable"),
            progress_deadline_seconds: deadline,
        };
        let labels = pairs::labels(&self.labels, problems);
        let labels: BTreeMap<_, _> =
            labels.iter().map(|(key, value)| (key.to_string(), Some(value.to_string()))).collect();
        let command = self.command(problems);
        let env = self.env(problems);
        let reload = self.get("reload").lines().map(|line| line.trim().to_owned());
        let reload: Vec<_> = reload.filter(|line| !line.is_empty()).collect();
        let volumes = self.volumes(problems);
        if text("image").is_none() {
            problems.add("image", "an app needs an image");
        }
        AppSpec {
            image: self.get("image").to_owned(),
            command: Some(command).filter(|command| !command.is_empty()),
            default_http_port,
            deployment_strategy: Some(deployment.clone())
                .filter(|it| *it != AppDeploymentStrategy::default()),
            env_vars: Some(env).filter(|env| !env.is_empty()),
            grpc_port,
            labels: Some(labels).filter(|labels| !labels.is_empty()),
            name: text("name"),
            probe: Some(probe.clone()).filter(|probe| *probe != Probe::default()),
            resources: Some(self.resources(problems)),
            scaling_strategy: self.scaling(problems),
            session_affinity: self.choice("affinity", problems).filter(|_| self.is_set("affinity")),
            // Anything else is restricted.
            unsecure_http: self.is("access", "public"),
            volumes: Some(volumes).filter(|volumes| !volumes.is_empty()),
            volume_writeback: self.is("writeback", WRITE_BACK),
            runtime: self.choice("runtime", problems),
            working_directory: text("workdir"),
            reload: Some(reload).filter(|reload| !reload.is_empty()),
            pull: self.choice("pull", problems).filter(|_| self.is_set("pull")),
            publish: Some(self.ports(problems)).filter(|ports| !ports.is_empty()),
        }
    }

    /// One a line, in the short form or as JSON.
    fn volumes(&self, problems: &mut Problems) -> Vec<Volume> {
        let lines = self.get("volumes").lines().map(str::trim).filter(|line| !line.is_empty());
        let mut volumes = Vec::new();
        for line in lines {
            let read = if line.starts_with(Volume::JSON_START) {
                serde_json::from_str(line).map_err(|error| error.to_string())
            } else {
                line.parse().map_err(|error: InvalidVolume| error.to_string())
            };
            match read {
                Ok(volume) => volumes.push(volume),
                Err(why) => problems.add("volumes", why),
            }
        }
        volumes
    }

    fn number(&self, id: &'static str, problems: &mut Problems) -> Option<i64> {
        let text = self.get(id);
        if text.is_empty() {
            return None;
        }
        let number = text.parse();
        if number.is_err() {
            let text: String = text.chars().take(40).collect();
            problems.add(id, format!("{text:?} is not a whole number"));
        }
        number.ok()
    }

    fn choice<T: std::str::FromStr<Err = String>>(
        &self,
        id: &'static str,
        problems: &mut Problems,
    ) -> Option<T> {
        let text = self.get(id);
        if text.is_empty() {
            return None;
        }
        text.parse().map_err(|why: String| problems.add(id, why)).ok()
    }

    fn command(&self, problems: &mut Problems) -> Vec<String> {
        let words = shlex::split(self.get("command"));
        if words.is_none() {
            problems.add("command", "a quote is not closed, or a backslash is the last character");
        }
        let words = words.unwrap_or_default();
        if words.is_empty() && self.is("runtime", "process") {
            problems.add("command", "a local process needs a command");
        }
        words
    }

    fn env(&self, problems: &mut Problems) -> Vec<Env> {
        let mut env: Vec<Env> = Vec::new();
        for (row, pair) in self.env.iter().enumerate().filter(|(_, pair)| !pair.is_empty()) {
            let name = pair.name.trim().to_owned();
            if env.iter().any(|env| env.name == name) {
                problems.add(format!("env-name-{row}"), format!("{name} is there twice"));
            }
            env.push(Env { name, value: pair.value.clone() });
        }
        env
    }

    fn resources(&self, problems: &mut Problems) -> Resources {
        let units = Some(self.number("units", problems).unwrap_or(1));
        let flavor = self.get("flavor");
        let is_gpu = catalog::flavor(flavor).is_some_and(|flavor| flavor.kind == Kind::Gpu);
        if units.is_some_and(|units| units < 1) {
            problems.add("units", "use 1 or more");
        }
        Resources {
            flavor: Some(flavor.to_owned()).filter(|flavor| !flavor.is_empty()),
            cpu: units.filter(|_| !is_gpu),
            gpu: units.filter(|_| is_gpu),
            ..Resources::default()
        }
    }

    fn scaling(&self, problems: &mut Problems) -> Option<ScalingStrategy> {
        if !self.is("scaling", "automatic") {
            let replicas = self.number("replicas", problems).filter(|replicas| *replicas != 1)?;
            let fixed = Some(FixedScalingStrategy { replicas });
            return Some(ScalingStrategy { fixed, automatic: None });
        }
        let is_custom = self.is("metric", "CUSTOM");
        let custom_metrics = is_custom.then(|| CustomMetrics {
            api_url: self.get("custom-url").to_owned(),
            format: self.choice("custom-format", problems).unwrap_or_default(),
            value_location: self.get("custom-location").to_owned(),
            target_value: self.number("custom-target", problems).unwrap_or(0),
            aggregation_type: self.choice("custom-aggregation", problems).unwrap_or_default(),
        });
        let usage = if is_custom { None } else { self.number("threshold", problems) };
        let resource = if is_custom { None } else { self.choice("metric", problems) };
        let mut number = |id: &'static str| self.number(id, problems);
        let automatic = AutomaticScalingStrategy {
            average_usage_target: usage.unwrap_or(AutomaticScalingStrategy::USAGE_TARGET),
            replicas_min: number("min").unwrap_or(1),
            replicas_max: number("max").unwrap_or(1),
            resource_type: resource.unwrap_or_default(),
            scale_up_stabilization_window_seconds: number("up-window").filter(|it| *it != 0),
            scale_down_stabilization_window_seconds: number("down-window").filter(|it| *it != 300),
            cooldown_period_seconds: number("cooldown"),
            custom_metrics,
        };
        Some(ScalingStrategy { fixed: None, automatic: Some(automatic) })
    }

    fn ports(&self, problems: &mut Problems) -> Vec<i64> {
        let words = self.get("publish").split([',', ' ', '\n']).filter(|word| !word.is_empty());
        let ports: Result<Vec<i64>, _> = words.map(str::parse).collect();
        ports.unwrap_or_else(|_| {
            problems.add("publish", "use numbers with commas between them, such as 9090, 9091");
            Vec::new()
        })
    }
}

fn amount(amount: Amount) -> String {
    match amount {
        Amount::Count(count) => count.to_string(),
        Amount::Percent(percent) => format!("{percent}%"),
    }
}
