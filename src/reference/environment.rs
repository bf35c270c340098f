//! The environment variables.

use ovhai_runtime::environment;

use super::page::{Block, Page};

/// A variable that `ovhai` reads. An empty one counts as not set.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub meaning: &'static str,
    /// The option that overrides it: command and long name.
    pub like: Option<(&'static [&'static str], &'static str)>,
    /// The default.
    pub default: Option<&'static str>,
}

impl Variable {
    const fn new(name: &'static str, meaning: &'static str) -> Self {
        Self { name, meaning, like: None, default: None }
    }

    const fn like(self, command: &'static [&'static str], option: &'static str) -> Self {
        Self { like: Some((command, option)), ..self }
    }

    const fn default(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }
}

/// Every variable.
pub const VARIABLES: [Variable; 43] = [
    Variable::new(
        "OVHAI_TOKEN",
        "application token of the caller; overrides the login and stored tokens",
    )
    .like(&[], "token"),
    Variable::new("OVHAI_REGION", "region, such as GRA")
        .like(&[], "region")
        .default("the emulator's first"),
    Variable::new("OVHAI_STATE_DIR", "state directory of the local emulator")
        .like(&[], "state-dir")
        .default("`ovhai` in `XDG_DATA_HOME`, or `~/.local/share/ovhai`"),
    Variable::new("OVHAI_CONFIG_DIR", "directory of the client's settings")
        .default("`ovhai` in `XDG_CONFIG_HOME`, or `~/.config/ovhai`"),
    Variable::new(
        "OVHAI_LOCAL_ONLY",
        "`1`: refuse to change anything at a server that is not on this machine",
    ),
    Variable::new("OVHAI_PORT", "port of an emulator at its start; `0` lets the system choose")
        .like(&["emulator", "start"], "port")
        .default("4480"),
    Variable::new(
        "OVHAI_TLS",
        "port for HTTPS of an emulator at its start; `0` lets the system choose",
    )
    .like(&["emulator", "start"], "tls")
    .default("no HTTPS"),
    Variable::new("OVHAI_HOST", "address that an emulator listens on")
        .like(&["emulator", "start"], "host")
        .default("127.0.0.1"),
    Variable::new("OVHAI_DOMAINS", "further host names of an emulator, separated by commas")
        .like(&["emulator", "start"], "domain"),
    Variable::new(
        "OVHAI_PASSWORD",
        "password of the first user, whose name is `USER`, or `local`, at the start of an emulator",
    ),
    Variable::new(
        "OVHAI_CI",
        "`1`: an emulator that listens beyond this machine starts only with `OVHAI_PASSWORD`",
    ),
    Variable::new("OVHAI_REGIONS", "regions of an emulator at its start, separated by commas")
        .like(&["emulator", "start"], "regions")
        .default("GRA,BHS"),
    Variable::new("OVHAI_RUNTIME", "runtime of apps at an emulator: `process` or `container`")
        .like(&["emulator", "start"], "runtime")
        .default("container"),
    Variable::new("OVHAI_QUOTA", "quotas of an emulator at its start")
        .like(&["emulator", "start"], "quota"),
    Variable::new("OVHAI_RESTART_DELAY", "delay before a replica that crashed twice starts again")
        .like(&["emulator", "start"], "restart-delay")
        .default("500ms"),
    Variable::new("OVHAI_CONTAINER_LABELS", "labels of every container, separated by commas")
        .like(&["emulator", "start"], "container-label"),
    Variable::new("OVHAI_KEEP_FAILED", "`1`: keep the containers of failed replicas")
        .like(&["emulator", "start"], "keep-failed"),
    Variable::new("OVHAI_STOP_AFTER", "time after which an emulator stops, such as `30m`")
        .like(&["emulator", "start"], "stop-after"),
    Variable::new("OVHAI_EPHEMERAL", "`1`: `emulator start` keeps its state in memory only")
        .like(&["emulator", "start"], "ephemeral"),
    Variable::new("OVHAI_DETACH", "`1`: `emulator start` starts in the background")
        .like(&["emulator", "start"], "detach"),
    Variable::new(
        "OVHAI_ENGINE",
        "container engine of an emulator at its start: `docker`, `podman`, or an address",
    )
    .like(&["emulator", "start"], "engine")
    .default("see `ovhai emulator engine --help`"),
    Variable::new("OVHAI_ACCESS_LOG", "access log of an emulator at its start: a file, or `off`")
        .like(&["emulator", "start"], "access-log")
        .default("`access.log` in the state directory"),
    Variable::new(
        "OVHAI_LIMITS",
        "limits of the gateway of an emulator at its start, such as `headers=128KiB`",
    )
    .like(&["emulator", "start"], "limit"),
    Variable::new(
        "OVHAI_FROM_APPS",
        "`1`: containers may call other apps through the gateway of an emulator at its start",
    )
    .like(&["emulator", "start"], "from-apps"),
    Variable::new(
        "OVHAI_TOKEN_EXEC",
        "`1`: operator tokens may run commands in the containers of their apps, and copy files",
    )
    .like(&["emulator", "start"], "token-exec"),
    Variable::new(
        "OVHAI_WEEKLY_RESTARTS",
        "`1`: an emulator interrupts each app a week after its start, as the cloud may do",
    )
    .like(&["emulator", "start"], "weekly-restarts"),
    Variable::new("OVHAI_AUTOSTART", "`0`: commands do not start an emulator automatically"),
    Variable::new(
        "OVHAI_KEYRING",
        "`0`: keep token strings in a file of the state directory (mode 0600), not in the system's keyring",
    ),
    Variable::new("OVHAI_LOG", "log level of an emulator, such as `info` or `ovhai_core=debug`")
        .default("`warn`, in the background `info`"),
    Variable::new(
        "OVHAI_REPLICA",
        "set in local processes: the emulator uses it to find all processes of an app",
    ),
    Variable::new(
        "OVHAI_VOLUME_1",
        "set in local processes, and `OVHAI_VOLUME_2` and so on: the directories of the app's volumes, in their order",
    ),
    Variable::new(
        "OVHAI_GATEWAY",
        "set in containers, with `--from-apps`: the proxy through which they call other apps",
    ),
    Variable::new(
        "OVHAI_API_URL",
        "set for the command of `emulator exec`: base of the API for other clients, without `/v1`",
    ),
    Variable::new(
        "OVHAI_API_TOKEN",
        "set for the command of `emulator exec`: bearer of the emulator's owner for other clients. `ovhai` does not read it",
    ),
    Variable::new(
        "OVHAI_EXEC",
        "set for the command of `emulator exec`: the emulator uses it to find all processes of the command",
    ),
    Variable::new("NO_COLOR", "any value: no colours").like(&[], "no-color"),
    Variable::new("TERM", "`dumb`: no colours"),
    Variable::new("COLUMNS", "width in columns of a terminal that does not report its own"),
    Variable::new("BROWSER", "program that opens an app's address").default("the system's choice"),
    Variable::new(
        "HTTPS_PROXY",
        "proxy for endpoints with HTTPS, such as `http://proxy.example:3128`; also `ALL_PROXY`, and both also in lower case. Not used for plain HTTP, or for servers on this machine",
    ),
    Variable::new("NO_PROXY", "hosts to reach without the proxy, separated by commas"),
    Variable::new(
        "SSL_CERT_FILE",
        "file of certificate authorities to trust for endpoints with HTTPS",
    )
    .default("the system's"),
    Variable::new(
        "COMPLETE",
        "name of the shell, set by its completion script: complete the words so far, and do nothing else",
    ),
];

/// The page.
pub fn page() -> Page {
    let terms = VARIABLES.iter().map(|variable| {
        let mut text = variable.meaning.to_owned();
        if let Some((command, option)) = variable.like {
            let option = format!("--{option}");
            text += &format!("; like `{}`", [command, &[option.as_str()]].concat().join(" "));
        }
        if let Some(default) = variable.default {
            text += &format!("; default: {default}");
        }
        (variable.name.to_owned(), text)
    });
    Page {
        name: "environment",
        title: "Environment variables",
        about: "Environment variables",
        blocks: vec![
            Block::Text(
                "An option on the command line overrides its variable. The variable overrides saved settings: those of `ovhai config set`, and the options of the last `ovhai emulator start`. An empty variable counts as not set. A local process gets no `OVHAI_…` variables but `OVHAI_REPLICA` and those of its volumes.",
            ),
            Block::Terms { name: "variable", meaning: "meaning", terms: terms.collect() },
            Block::Text(
                "An emulator in the background inherits only these variables of its starter. The list is complete; `*` stands for any suffix, and `OVHAI_TOKEN` and `OVHAI_API_TOKEN` are not inherited.",
            ),
            Block::Terms {
                name: "environment of",
                meaning: "variables",
                terms: vec![
                    ("any app".into(), environment::of_apps().join(", ")),
                    (
                        "an emulator in the background".into(),
                        format!("those, and {}", environment::of_emulators().join(", ")),
                    ),
                ],
            },
        ],
    }
}
