//! A spec as the `ovhai app run …` line that makes it.
//!
//! What holds here: a POSIX shell splits the line into words, and the client reads them as the
//! same spec (a property test of the client's says so).

use std::fmt::Display;

use ovhai_api_types::{AppDeploymentStrategy, AppSpec, Placement, ScalingStrategy, Volume};

/// The words of a line, quoted as they are added.
struct Line(String);

impl Line {
    fn word(&mut self, word: &str) {
        self.0.push(' ');
        self.0.push_str(&quote(word));
    }

    /// An option and its value: one word where the value would pass for an option itself.
    fn option(&mut self, name: &str, value: impl Display) {
        let value = value.to_string();
        if value.starts_with('-') {
            self.word(&format!("{name}={value}"));
        } else {
            self.word(name);
            self.word(&value);
        }
    }

    fn maybe(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.option(name, value);
        }
    }
}

/// The line, quoted for a POSIX shell.
pub fn command_line(spec: &AppSpec) -> String {
    let mut line = Line("ovhai app run".into());
    line.maybe("--name", spec.name.as_ref().filter(|name| !name.is_empty()));
    line.maybe("--default-http-port", spec.default_http_port.filter(|port| *port != 8080));
    line.maybe("--grpc-port", spec.grpc_port);
    if let Some(resources) = &spec.resources {
        line.maybe("--flavor", resources.flavor.as_ref());
        // No variables are as good as an empty list, and have no option.
        let some = |units: Option<i64>| units.filter(|units| *units > 0);
        line.maybe("--gpu", some(resources.gpu));
        line.maybe("--cpu", some(resources.cpu));
    }
    for env in spec.env_vars.iter().flatten() {
        line.option("--env", format_args!("{}={}", env.name, env.value));
    }
    for (key, value) in spec.labels.iter().flatten() {
        if let Some(value) = value.as_ref().filter(|_| !key.starts_with("ovh/")) {
            line.option("--label", format_args!("{key}={value}"));
        }
    }
    for volume in spec.volumes.iter().flatten() {
        line.option("--volume", volume_text(volume));
    }
    if spec.volume_writeback {
        line.word("--volume-writeback");
    }
    scaling(&mut line, spec.scaling_strategy.as_ref());
    deployment(&mut line, spec.deployment_strategy.as_ref());
    if let Some(affinity) = spec.session_affinity {
        line.word(&format!("--session-affinity={affinity}"));
    }
    if let Some(probe) = &spec.probe {
        line.maybe("--probe-path", probe.path.as_ref());
        line.maybe("--probe-port", probe.port);
    }
    line.maybe("--runtime", spec.runtime);
    match &spec.working_directory {
        Some(directory) => line.option("--workdir", directory),
        // Without it the directory would be the one that the line is typed in.
        None if spec.runtime == Some(Placement::Process) => line.option("--workdir", ""),
        None => {}
    }
    for directory in spec.reload.iter().flatten() {
        line.option("--reload", directory);
    }
    line.maybe("--pull", spec.pull);
    for port in spec.publish.iter().flatten() {
        line.option("--publish", port);
    }
    if spec.unsecure_http {
        line.word("--unsecure-http");
    }
    if spec.image.starts_with('-') {
        line.option("--image", &spec.image);
    } else {
        line.word(&spec.image);
    }
    if let Some(command) = spec.command.as_ref().filter(|command| !command.is_empty()) {
        line.word("--");
        for word in command {
            line.word(word);
        }
    }
    line.0
}

fn scaling(line: &mut Line, given: Option<&ScalingStrategy>) {
    let Some(given) = given else { return };
    line.maybe("--replicas", given.fixed.as_ref().map(|fixed| fixed.replicas));
    let Some(automatic) = &given.automatic else { return };
    line.option("--auto-min-replicas", automatic.replicas_min);
    line.option("--auto-max-replicas", automatic.replicas_max);
    line.option("--auto-resource-type", automatic.resource_type);
    line.option("--auto-resource-usage-threshold", automatic.average_usage_target);
    line.maybe(
        "--auto-scale-up-stabilization-window-seconds",
        automatic.scale_up_stabilization_window_seconds,
    );
    line.maybe(
        "--auto-scale-down-stabilization-window-seconds",
        automatic.scale_down_stabilization_window_seconds,
    );
    line.maybe("--auto-cooldown-period-seconds", automatic.cooldown_period_seconds);
    if let Some(custom) = &automatic.custom_metrics {
        line.option("--auto-custom-api-url", &custom.api_url);
        line.option("--auto-custom-metric-format", custom.format);
        line.option("--auto-custom-value-location", &custom.value_location);
        line.option("--auto-custom-target-value", custom.target_value);
        line.option("--auto-custom-metric-aggregation-type", custom.aggregation_type);
    }
}

fn deployment(line: &mut Line, given: Option<&AppDeploymentStrategy>) {
    let Some(given) = given else { return };
    line.maybe("--max-surge", given.max_surge.as_ref());
    line.maybe("--max-unavailable", given.max_unavailable.as_ref());
    line.maybe("--progress-deadline-seconds", given.progress_deadline_seconds);
}

/// The short form if it says all, else the API's JSON, which the client reads, too.
pub(crate) fn volume_text(volume: &Volume) -> String {
    // It is made of strings and flags only.
    volume.short().unwrap_or_else(|| serde_json::to_string(volume).unwrap_or_default())
}

/// Quotes a word where a shell would change it.
pub(crate) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(json: &str) -> String {
        let spec: AppSpec = serde_json::from_str(json).expect("a spec");
        command_line(&spec)
    }

    #[test]
    fn the_command_line_of_an_app_is_built() {
        assert_eq!(
            line(
                r#"{"image":"a/b:1","name":"it's","labels":{"group":"A","ovh/id":"x","gone":null},
                "envVars":[{"name":"A","value":"b c"}],"unsecureHttp":true,"defaultHttpPort":8080,
                "scalingStrategy":{"fixed":{"replicas":2}},"command":["sh","-c","echo $A"]}"#
            ),
            r"ovhai app run --name 'it'\''s' --env 'A=b c' --label group=A --replicas 2 --unsecure-http a/b:1 -- sh -c 'echo $A'"
        );
    }

    #[test]
    fn values_that_look_like_options_are_escaped() {
        assert_eq!(
            line(r#"{"image":"-i","name":"-n","envVars":[{"name":"-A","value":"--b"}]}"#),
            "ovhai app run --name=-n --env=-A=--b --image=-i"
        );
    }

    #[test]
    fn volumes() {
        assert_eq!(
            line(
                r#"{"image":"a","volumes":[
                {"mountPath":"/d","permission":"RW","dataStore":{"alias":"GRA","container":"c"}},
                {"mountPath":"/s","permission":"RO","standalone":{}}]}"#
            ),
            r#"ovhai app run --volume c@GRA:/d:rw --volume '{"mountPath":"/s","permission":"RO","cache":false,"standalone":{}}' a"#
        );
    }
}
