//! Names the option of a field that the server rejects: users type options, not fields of the API.

use crate::error::Failure;

/// Fields of the API, without the prefix of an update, and the options of `app run`, `update` and
/// `scale` that set them.
const FLAGS: [(&str, &str); 32] = [
    ("image", "IMAGE"),
    ("url", "--image"),
    ("name", "--name"),
    ("command", "COMMAND"),
    ("defaultHttpPort", "--default-http-port"),
    ("grpcPort", "--grpc-port"),
    ("envVars", "--env"),
    ("labels", "--label"),
    ("probe.path", "--probe-path"),
    ("probe.port", "--probe-port"),
    ("resources.gpu", "--gpu"),
    ("resources.cpu", "--cpu"),
    ("resources.flavor", "--flavor"),
    ("workingDirectory", "--workdir"),
    ("reload", "--reload"),
    ("pull", "--pull"),
    ("publish", "--publish"),
    ("deploymentStrategy.maxSurge", "--max-surge"),
    ("deploymentStrategy.maxUnavailable", "--max-unavailable"),
    ("deploymentStrategy.progressDeadlineSeconds", "--progress-deadline-seconds"),
    ("scalingStrategy.fixed.replicas", "--replicas"),
    ("scalingStrategy.automatic.replicasMin", "--auto-min-replicas"),
    ("scalingStrategy.automatic.replicasMax", "--auto-max-replicas"),
    ("scalingStrategy.automatic.averageUsageTarget", "--auto-resource-usage-threshold"),
    (
        "scalingStrategy.automatic.scaleUpStabilizationWindowSeconds",
        "--auto-scale-up-stabilization-window-seconds",
    ),
    (
        "scalingStrategy.automatic.scaleDownStabilizationWindowSeconds",
        "--auto-scale-down-stabilization-window-seconds",
    ),
    ("scalingStrategy.automatic.cooldownPeriodSeconds", "--auto-cooldown-period-seconds"),
    ("scalingStrategy.automatic.resourceType", "--auto-resource-type"),
    ("scalingStrategy.automatic.customMetrics.apiUrl", "--auto-custom-api-url"),
    ("scalingStrategy.automatic.customMetrics.valueLocation", "--auto-custom-value-location"),
    ("scalingStrategy.automatic.customMetrics.targetValue", "--auto-custom-target-value"),
    ("sessionAffinity", "--session-affinity"),
];

/// A failed request as a failure, with the option of the field that a 400 is about.
pub(super) fn failure(error: ovhai_client::Error) -> Failure {
    let message = match &error {
        ovhai_client::Error::Api { status: 400, message } => Some(with_flag(message)),
        _ => None,
    };
    let failure = Failure::from(error);
    match message {
        Some(message) => failure.because(message),
        None => failure,
    }
}

/// `resources.gpu: 5 is not allowed` with the option: `--gpu (resources.gpu): 5 is not allowed`.
fn with_flag(message: &str) -> String {
    let Some((field, why)) = message.split_once(": ") else { return message.to_owned() };
    let path = field.strip_prefix("appUpdate.").unwrap_or(field);
    let path = path.split('[').next().unwrap_or(path);
    match FLAGS.iter().find(|(known, _)| *known == path) {
        Some((_, flag)) => format!("{flag} ({field}): {why}"),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::cli::tree;

    #[test]
    fn fields_have_their_options() {
        for (message, shown) in [
            ("resources.gpu: 5 is too many", "--gpu (resources.gpu): 5 is too many"),
            ("appUpdate.url: no", "--image (appUpdate.url): no"),
            ("envVars[0].name: no: it", "--env (envVars[0].name): no: it"),
            ("something.else: no", "something.else: no"),
            ("a sentence", "a sentence"),
        ] {
            assert_eq!(with_flag(message), shown);
        }
    }

    #[test]
    fn the_options_exist() {
        let tree = tree();
        let app = tree.find_subcommand("app").expect("app");
        let commands = ["run", "update", "scale"].map(|name| app.find_subcommand(name).unwrap());
        for (_, flag) in FLAGS.iter().filter(|(_, flag)| flag.starts_with("--")) {
            let has = |command: &&clap::Command| {
                command.get_arguments().any(|arg| arg.get_long() == flag.strip_prefix("--"))
            };
            assert!(commands.iter().any(has), "{flag}");
        }
    }
}
