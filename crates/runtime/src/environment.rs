//! The environment variables that are passed on: from the command that starts an emulator in the
//! background to that emulator, and from an emulator to the processes of apps. Both are allow lists.

/// Variables that every process of an app inherits.
const APP: [&str; 6] = ["PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR"];
/// Prefixes of further ones.
const APP_PREFIXES: [&str; 1] = ["LC_"];

/// Further variables that an emulator in the background inherits: to find a container engine, the
/// network's proxy and its certificate authorities.
const EMULATOR: [&str; 11] = [
    "CONTAINER_HOST",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];
/// Prefixes of further ones.
const EMULATOR_PREFIXES: [&str; 3] = ["XDG_", "DOCKER_", "OVHAI_"];
/// Secrets of a caller, which have the prefix of the emulator's settings and are not passed on.
const CALLERS_SECRETS: [&str; 2] = ["OVHAI_TOKEN", "OVHAI_API_TOKEN"];

fn is_listed(name: &str, names: &[&str], prefixes: &[&str]) -> bool {
    names.contains(&name) || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether the process of an app inherits the emulator's variable of this name.
pub fn is_for_apps(name: &str) -> bool {
    is_listed(name, &APP, &APP_PREFIXES)
}

/// Whether an emulator in the background inherits the variable of this name.
pub fn is_for_emulators(name: &str) -> bool {
    !CALLERS_SECRETS.contains(&name)
        && (is_for_apps(name) || is_listed(name, &EMULATOR, &EMULATOR_PREFIXES))
}

/// The variables that an app inherits from the emulator, for people; `*` stands for any suffix.
pub fn of_apps() -> Vec<String> {
    shown(&APP, &APP_PREFIXES)
}

/// The variables that an emulator in the background inherits besides, for people.
pub fn of_emulators() -> Vec<String> {
    shown(&EMULATOR, &EMULATOR_PREFIXES)
}

fn shown(names: &[&str], prefixes: &[&str]) -> Vec<String> {
    let prefixes = prefixes.iter().map(|prefix| format!("{prefix}*"));
    names.iter().map(|name| (*name).to_owned()).chain(prefixes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_variables_are_passed_on() {
        for name in ["PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_TIME", "TZ", "TMPDIR"] {
            assert!(is_for_apps(name) && is_for_emulators(name), "{name}");
        }
        for name in [
            "XDG_RUNTIME_DIR",
            "DOCKER_HOST",
            "CONTAINER_HOST",
            "HTTPS_PROXY",
            "no_proxy",
            "SSL_CERT_FILE",
            "OVHAI_LOG",
        ] {
            assert!(!is_for_apps(name) && is_for_emulators(name), "{name}");
        }
        for name in [
            "",
            "AWS_SECRET_ACCESS_KEY",
            "OVHAI_TOKEN",
            "OVHAI_API_TOKEN",
            "LD_PRELOAD",
            "PATHS",
            "path",
            "LC",
            "MAKEFLAGS",
        ] {
            assert!(!is_for_apps(name) && !is_for_emulators(name), "{name}");
        }
    }
}
