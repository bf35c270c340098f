//! How apps are shown.

use ovhai_api_types::App;

use crate::describe::{Description, age, date};
use crate::output::{Fit, Show};

/// An app's name.
pub(super) fn name(app: &App) -> &str {
    app.spec.name.as_deref().unwrap_or_default()
}

fn replicas(app: &App) -> String {
    let scaling = app.spec.scaling_strategy.clone().unwrap_or_default();
    let wanted = match (&scaling.fixed, &scaling.automatic) {
        (Some(fixed), _) => fixed.replicas.to_string(),
        (None, Some(automatic)) => format!("{}-{}", automatic.replicas_min, automatic.replicas_max),
        (None, None) => "1".into(),
    };
    format!("{}/{wanted}", app.status.available_replicas)
}

impl Show for App {
    const COLUMNS: &'static [&'static str] = &["ID", "NAME", "STATE", "REPLICAS", "AGE", "URL"];
    const FIT: &'static [Fit] =
        &[Fit::Fixed, Fit::Shrink(12), Fit::Fixed, Fit::Fixed, Fit::Fixed, Fit::Drop];

    fn row(&self, now: jiff::Timestamp) -> Vec<String> {
        vec![
            self.id.to_string(),
            name(self).to_owned(),
            self.status.state.to_string(),
            replicas(self),
            age(self.created_at, now),
            self.status.url.clone(),
        ]
    }

    fn describe(&self) -> Description {
        let (spec, status) = (&self.spec, &self.status);
        let history = status
            .history
            .iter()
            .map(|entry| vec![date(entry.date), entry.state.to_string()])
            .collect();
        Description::new()
            .field("ID", self.id)
            .field("Name", name(self))
            .field("State", status.state)
            .maybe("Info", status.info.as_ref().map(|info| info.message.clone()))
            .field("URL", &status.url)
            .section("Labels", |labels| {
                spec.labels
                    .iter()
                    .flatten()
                    .fold(labels, |labels, (key, value)| labels.maybe(key, value.as_ref()))
            })
            .field("Image", &spec.image)
            .maybe("Command", spec.command.as_ref().map(|command| command.join(" ")))
            .field("Replicas", replicas(self))
            .maybe("Default HTTP Port", spec.default_http_port)
            .maybe("gRPC Port", spec.grpc_port)
            .field("Unsecure HTTP", spec.unsecure_http)
            .section("Env Vars", |vars| {
                spec.env_vars
                    .iter()
                    .flatten()
                    .fold(vars, |vars, env| vars.field(&env.name, &env.value))
            })
            .section("Resources", |resources| {
                let given = spec.resources.clone().unwrap_or_default();
                resources
                    .maybe("Flavor", given.flavor)
                    .maybe("CPU", given.cpu)
                    .maybe("GPU", given.gpu)
            })
            .field("User", &self.user)
            .field("Created At", date(self.created_at))
            .field("Updated At", date(self.updated_at))
            .section("History", |d| d.table(&["DATE", "STATE"], history))
    }

    fn name(&self) -> String {
        name(self).to_owned()
    }
}
