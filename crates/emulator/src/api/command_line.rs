//! A spec as the `ovhai app run …` line that makes it.

use ovhai_api_types::{AppSpec, ScalingResourceType};

/// The line, quoted for a POSIX shell.
pub(super) fn command_line(spec: &AppSpec) -> String {
    let mut words: Vec<String> = ["ovhai", "app", "run"].map(str::to_owned).to_vec();
    let mut option = |name: &str, value: String| words.extend([name.to_owned(), quote(&value)]);
    if let Some(name) = spec.name.as_ref().filter(|name| !name.is_empty()) {
        option("--name", name.clone());
    }
    if let Some(port) = spec.default_http_port.filter(|port| *port != 8080) {
        option("--default-http-port", port.to_string());
    }
    if let Some(port) = spec.grpc_port {
        option("--grpc-port", port.to_string());
    }
    if let Some(resources) = &spec.resources {
        if let Some(flavor) = &resources.flavor {
            option("--flavor", flavor.clone());
        }
        match (resources.gpu.filter(|gpu| *gpu > 0), resources.cpu.filter(|cpu| *cpu > 0)) {
            (Some(gpu), _) => option("--gpu", gpu.to_string()),
            (None, Some(cpu)) => option("--cpu", cpu.to_string()),
            (None, None) => {}
        }
    }
    for env in spec.env_vars.iter().flatten() {
        option("--env", format!("{}={}", env.name, env.value));
    }
    for (key, value) in spec.labels.iter().flatten() {
        if let Some(value) = value.as_ref().filter(|_| !key.starts_with("ovh/")) {
            option("--label", format!("{key}={value}"));
        }
    }
    if let Some(scaling) = &spec.scaling_strategy {
        if let Some(fixed) = &scaling.fixed {
            option("--replicas", fixed.replicas.to_string());
        }
        if let Some(automatic) = &scaling.automatic {
            let resource = match automatic.resource_type {
                ScalingResourceType::Cpu => "CPU",
                ScalingResourceType::Ram => "RAM",
            };
            option("--auto-min-replicas", automatic.replicas_min.to_string());
            option("--auto-max-replicas", automatic.replicas_max.to_string());
            option("--auto-resource-type", resource.into());
            option("--auto-resource-usage-threshold", automatic.average_usage_target.to_string());
        }
    }
    if let Some(probe) = &spec.probe {
        if let Some(path) = &probe.path {
            option("--probe-path", path.clone());
        }
        if let Some(port) = probe.port {
            option("--probe-port", port.to_string());
        }
    }
    if let Some(runtime) = spec.runtime {
        option("--runtime", runtime.to_string());
    }
    if let Some(directory) = &spec.working_directory {
        option("--workdir", directory.clone());
    }
    if spec.unsecure_http {
        words.push("--unsecure-http".into());
    }
    words.push(quote(&spec.image));
    if let Some(command) = spec.command.as_ref().filter(|command| !command.is_empty()) {
        words.push("--".into());
        words.extend(command.iter().map(|word| quote(word)));
    }
    words.join(" ")
}

/// Quotes a word where a shell would change it.
fn quote(word: &str) -> String {
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

    #[test]
    fn a_line() {
        let spec: AppSpec = serde_json::from_str(
            r#"{"image":"a/b:1","name":"it's","labels":{"group":"A","ovh/id":"x","gone":null},
                "envVars":[{"name":"A","value":"b c"}],"unsecureHttp":true,"defaultHttpPort":8080,
                "scalingStrategy":{"fixed":{"replicas":2}},"command":["sh","-c","echo $A"]}"#,
        )
        .expect("a spec");
        assert_eq!(
            command_line(&spec),
            r"ovhai app run --name 'it'\''s' --env 'A=b c' --label group=A --replicas 2 --unsecure-http a/b:1 -- sh -c 'echo $A'"
        );
    }
}
