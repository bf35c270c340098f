//! What an image says about itself, and what the app's options change of it.

use std::collections::BTreeMap;

use serde_json::Value;

/// The configuration of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) os: String,
    pub(super) architecture: String,
    pub(super) user: String,
    pub(super) env: BTreeMap<String, String>,
    pub(super) entrypoint: Vec<String>,
    pub(super) command: Vec<String>,
    pub(super) working_directory: Option<String>,
    pub(super) exposed: Vec<u16>,
    pub(super) labels: BTreeMap<String, String>,
    /// The commands that built it.
    pub(super) history: Vec<String>,
    /// Size of its layers, in bytes.
    pub(super) size: u64,
}

/// Options of the app that change what runs.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    pub(super) port: u16,
    pub(super) env: BTreeMap<String, String>,
    /// Instead of the image's command.
    pub(super) command: Option<Vec<String>>,
    pub(super) gpus: u64,
}

fn words(of: &Value) -> Vec<String> {
    let all = of.as_array().into_iter().flatten();
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn text(of: &Value) -> String {
    of.as_str().unwrap_or_default().to_owned()
}

impl Config {
    /// From the configuration of an image in its own format; `history` and `size` are not set if
    /// they are not in it.
    pub(super) fn parse(image: &Value) -> Self {
        // Old ones have it under another name.
        let config = match &image["config"] {
            Value::Null => &image["Config"],
            config => config,
        };
        let env = words(&config["Env"]);
        let env = env.iter().filter_map(|one| one.split_once('='));
        let exposed = config["ExposedPorts"].as_object();
        let exposed = exposed.into_iter().flat_map(serde_json::Map::keys);
        let labels = config["Labels"].as_object().into_iter().flatten();
        let history = image["history"].as_array().into_iter().flatten();
        Self {
            os: text(&image["os"]),
            architecture: text(&image["architecture"]),
            user: text(&config["User"]),
            env: env.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            entrypoint: words(&config["Entrypoint"]),
            command: words(&config["Cmd"]),
            working_directory: Some(text(&config["WorkingDir"])).filter(|path| !path.is_empty()),
            exposed: exposed.filter_map(|port| port.split('/').next()?.parse().ok()).collect(),
            labels: labels.map(|(name, value)| (name.clone(), text(value))).collect(),
            history: history.map(|step| text(&step["created_by"])).collect(),
            size: image["size"].as_u64().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_image_in_its_own_format() {
        let image = json!({
            "os": "linux", "architecture": "amd64",
            "config": {
                "User": "app", "Env": ["PATH=/bin", "A=b=c", "odd"], "Entrypoint": ["/run"],
                "Cmd": null, "WorkingDir": "", "ExposedPorts": {"80/tcp": {}, "x": {}},
                "Labels": {"a": "b"},
            },
            "history": [{"created_by": "RUN it"}, {}],
        });
        let config = Config::parse(&image);
        assert_eq!(config.env["A"], "b=c");
        assert_eq!((config.entrypoint.len(), config.command.len()), (1, 0));
        assert_eq!((config.working_directory, config.exposed), (None, vec![80]));
        assert_eq!(config.history, ["RUN it", ""]);
        assert_eq!(Config::parse(&json!("nothing")), Config::default());
    }
}
