//! The fields of the form that creates an app, and what is wrong with them.

/// A field: its id, its label and the value of a new form.
pub(super) type Field = (&'static str, &'static str, &'static str);

/// The fields, in the order of the page. Those of rows are kept apart.
pub(super) const FIELDS: [Field; 40] = [
    ("name", "Name", ""),
    ("region", "Region", ""),
    ("flavor", "Flavor", "ai1-1-cpu"),
    ("units", "Units", "1"),
    ("image", "Image", ""),
    ("scaling", "Scaling", "fixed"),
    ("replicas", "Replicas", "1"),
    ("min", "Minimum replicas", "1"),
    ("max", "Maximum replicas", "1"),
    ("metric", "Metric", "CPU"),
    ("threshold", "Threshold in %", "75"),
    ("custom-url", "Metric URL", ""),
    ("custom-format", "Format", "JSON"),
    ("custom-location", "Value location", ""),
    ("custom-target", "Target value", ""),
    ("custom-aggregation", "Aggregation", "AVERAGE"),
    ("up-window", "Scale-up window in seconds", "0"),
    ("down-window", "Scale-down window in seconds", "300"),
    ("cooldown", "Cool-down in seconds", ""),
    ("http-port", "HTTP port", "8080"),
    ("grpc-port", "gRPC port", ""),
    ("access", "Access", "restricted"),
    ("command", "Command", ""),
    ("env-name", "Name of a variable", ""),
    ("env-value", "Value of a variable", ""),
    ("volumes", "Volumes", ""),
    ("writeback", "When the app stops", ""),
    ("label-key", "Key of a label", ""),
    ("label-value", "Value of a label", ""),
    ("probe-path", "Probe path", ""),
    ("probe-port", "Probe port", ""),
    ("max-surge", "Maximum surge", "25%"),
    ("max-unavailable", "Maximum unavailable", "25%"),
    ("deadline", "Progress deadline in seconds", "600"),
    ("affinity", "Session affinity", "none"),
    ("runtime", "Runtime", ""),
    ("workdir", "Working directory", ""),
    ("reload", "Restart when files change in", ""),
    ("pull", "Pull the image", "missing"),
    ("publish", "Additional ports", ""),
];

/// Which field of the form shows a field of the spec.
pub(super) const SHOWN: [(&str, &str); 28] = [
    ("name", "name"),
    ("image", "image"),
    ("command", "command"),
    ("defaultHttpPort", "http-port"),
    ("grpcPort", "grpc-port"),
    ("labels", "label-key-0"),
    ("volumes", "volumes"),
    ("probe.path", "probe-path"),
    ("probe.port", "probe-port"),
    ("resources.flavor", "flavor"),
    ("resources.cpu", "units"),
    ("resources.gpu", "units"),
    ("scalingStrategy.fixed.replicas", "replicas"),
    ("scalingStrategy.automatic.replicasMin", "min"),
    ("scalingStrategy.automatic.replicasMax", "max"),
    ("scalingStrategy.automatic.averageUsageTarget", "threshold"),
    ("scalingStrategy.automatic.scaleUpStabilizationWindowSeconds", "up-window"),
    ("scalingStrategy.automatic.scaleDownStabilizationWindowSeconds", "down-window"),
    ("scalingStrategy.automatic.cooldownPeriodSeconds", "cooldown"),
    ("scalingStrategy.automatic.customMetrics.apiUrl", "custom-url"),
    ("scalingStrategy.automatic.customMetrics.valueLocation", "custom-location"),
    ("scalingStrategy.automatic.customMetrics.targetValue", "custom-target"),
    ("deploymentStrategy.maxSurge", "max-surge"),
    ("deploymentStrategy.maxUnavailable", "max-unavailable"),
    ("deploymentStrategy.progressDeadlineSeconds", "deadline"),
    ("workingDirectory", "workdir"),
    ("reload", "reload"),
    ("publish", "publish"),
];

/// A value that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// The id of the field.
    pub(super) id: String,
    pub(super) text: String,
}

/// The values that are not allowed, in the order of the page; one a field.
#[derive(Debug, Clone, Default)]
pub(super) struct Problems(Vec<Problem>);

/// The field, and the row if it has rows.
pub(super) fn place(id: &str) -> (usize, usize) {
    let (field, row) = match id.rsplit_once('-') {
        Some((field, row)) if row.bytes().all(|byte| byte.is_ascii_digit()) => {
            (field, row.parse().unwrap_or(0))
        }
        _ => (id, 0),
    };
    (FIELDS.iter().position(|of| of.0 == field).unwrap_or(FIELDS.len()), row)
}

impl Problems {
    /// Adds a problem, unless its field has one.
    pub(super) fn add(&mut self, id: impl Into<String>, text: impl Into<String>) {
        let id = id.into();
        if !self.has(&id) {
            self.0.push(Problem { id, text: text.into() });
            self.0.sort_by_key(|problem| place(&problem.id));
        }
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.of(id).is_some()
    }

    /// The problem of a field.
    pub(super) fn of(&self, id: &str) -> Option<&str> {
        self.0.iter().find(|problem| problem.id == id).map(|problem| problem.text.as_str())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn all(&self) -> &[Problem] {
        &self.0
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.0.retain(|problem| problem.id != id);
    }
}

/// The label of a field.
pub(super) fn label(id: &str) -> &'static str {
    FIELDS.get(place(id).0).map_or("", |field| field.1)
}
