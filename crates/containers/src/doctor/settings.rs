//! Rules about what the command line, the entrypoint's script and the environment set.

use super::UID;
use super::facts::Facts;
use super::finding::{Finding, Level};
use super::words::{give, some};

/// All of them, in the order of the table.
pub(super) const RULES: [fn(&Facts) -> Vec<Finding>; 13] = [
    needs_root,
    caches_in_home,
    font_and_jit_caches,
    compile_caches,
    user_name,
    privileged_port,
    loopback_only,
    other_port,
    ignores_sigterm,
    slow_start,
    websocket_origin,
    shared_memory,
    names_of_this_machine,
];

/// Options that name the address to listen on.
const HOST_OPTIONS: [&str; 7] =
    ["--host", "--server.address", "--bind", "-b", "--address", "--ip", "--server-name"];
/// Variables that name it.
const HOST_VARIABLES: [&str; 6] = [
    "GRADIO_SERVER_NAME",
    "STREAMLIT_SERVER_ADDRESS",
    "FLASK_RUN_HOST",
    "UVICORN_HOST",
    "HOST",
    "BOKEH_ADDRESS",
];

/// A directory of caches: the variable that names it, the packages that use it.
struct Cache {
    variable: &'static str,
    packages: &'static [&'static str],
}

const HOME_CACHES: [Cache; 4] = [
    Cache { variable: "HF_HOME", packages: &["huggingface_hub", "transformers"] },
    Cache { variable: "TORCH_HOME", packages: &["torch"] },
    Cache { variable: "NLTK_DATA", packages: &["nltk"] },
    Cache { variable: "YOLO_CONFIG_DIR", packages: &["ultralytics"] },
];
const COMPILE_CACHES: [Cache; 4] = [
    Cache { variable: "TORCHINDUCTOR_CACHE_DIR", packages: &["torch"] },
    Cache { variable: "TRITON_CACHE_DIR", packages: &["triton"] },
    Cache { variable: "VLLM_CACHE_ROOT", packages: &["vllm"] },
    Cache { variable: "OUTLINES_CACHE_DIR", packages: &["outlines"] },
];

fn one(id: &'static str, level: Level, evidence: String, fix: impl Into<String>) -> Vec<Finding> {
    vec![Finding::new(id, level, evidence, fix)]
}

/// Whether the text has this word.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || "-_".contains(c);
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// Lines of a script that do something.
fn code(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.collect::<Vec<_>>().join("\n")
}

/// The value of an option on a command line or in a script: `--host x`, `--host=x`.
fn option<'a>(text: &'a str, names: &[&str]) -> Option<(&'a str, &'a str)> {
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        if let Some((name, value)) = word.split_once('=')
            && names.contains(&name)
        {
            return Some((name, value.trim_matches(['"', '\'', ';'])));
        }
        if names.contains(&word) {
            return words.next().map(|value| (word, value.trim_matches(['"', '\'', ';'])));
        }
    }
    None
}

fn is_loopback(address: &str) -> bool {
    let host = match address.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        _ => address,
    };
    ["127.0.0.1", "localhost", "::1", "[::1]"].contains(&host)
}

fn needs_root(facts: &Facts) -> Vec<Finding> {
    let user = facts.config.user.split(':').next().unwrap_or_default();
    let text = code(&facts.command_text());
    let found = ["sudo", "gosu", "su-exec", "setpriv"].into_iter().find(|it| has_word(&text, it));
    let Some(found) = found.filter(|_| ["", "0", "root"].contains(&user)) else {
        return Vec::new();
    };
    // Those that look whether they are root before cope without it.
    if text.contains("id -u") || text.contains("$UID") || text.contains("EUID") {
        return Vec::new();
    }
    let evidence = format!("the entrypoint changes its user with {found}, which {UID} may not");
    one(
        "needs-root",
        Level::Error,
        evidence,
        format!("remove the step, and do its work in the build: {}", give("/workspace")),
    )
}

/// Variables that no one set, for packages that need them while HOME can't be written to.
fn unset(facts: &Facts, caches: &[Cache]) -> Vec<(&'static str, &'static str)> {
    if facts.has_usable_home() || facts.variable("XDG_CACHE_HOME").is_some() {
        return Vec::new();
    }
    let unset = caches.iter().filter(|cache| facts.variable(cache.variable).is_none());
    unset
        .filter_map(|cache| {
            let package = cache.packages.iter().find(|name| facts.packages.contains(*name))?;
            Some((cache.variable, *package))
        })
        .collect()
}

fn set_lines(names: &[(&str, &str)]) -> String {
    let lines = names
        .iter()
        .map(|(name, _)| format!("ENV {name}=/workspace/.cache/{}", name.to_lowercase()));
    lines.collect::<Vec<_>>().join("; ")
}

fn caches_in_home(facts: &Facts) -> Vec<Finding> {
    let names = ["HF_HOME", "TORCH_HOME", "XDG_CACHE_HOME", "NLTK_DATA", "YOLO_CONFIG_DIR"];
    let at_root = names.iter().filter_map(|name| {
        let value = facts.variable(name)?;
        value.starts_with("/root").then(|| format!("{name}={value}"))
    });
    let at_root: Vec<String> = at_root.collect();
    if !at_root.is_empty() {
        let evidence = format!("{}: only root can use /root", some(&at_root));
        return one("caches-in-home", Level::Warning, evidence, "ENV NAME=/workspace/.cache/…");
    }
    let unset = unset(facts, &HOME_CACHES);
    let packages: Vec<String> = unset.iter().map(|(_, package)| (*package).to_owned()).collect();
    if unset.is_empty() {
        return Vec::new();
    }
    let evidence =
        format!("the image has {}, and no writable HOME for their caches", some(&packages));
    one("caches-in-home", Level::Warning, evidence, set_lines(&unset))
}

fn font_and_jit_caches(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for (variable, package, level) in
        [("MPLCONFIGDIR", "matplotlib", Level::Warning), ("NUMBA_CACHE_DIR", "numba", Level::Error)]
    {
        let is_there = facts.packages.contains(package) && facts.variable(variable).is_none();
        if is_there && !facts.has_usable_home() {
            found.push(Finding::new(
                "font-and-jit-caches",
                level,
                format!("the image has {package}, and neither {variable} nor a writable HOME"),
                format!("ENV {variable}=/tmp/{package}"),
            ));
        }
    }
    found
}

fn compile_caches(facts: &Facts) -> Vec<Finding> {
    let unset = unset(facts, &COMPILE_CACHES);
    if unset.is_empty() {
        return Vec::new();
    }
    let packages: Vec<String> = unset.iter().map(|(_, package)| (*package).to_owned()).collect();
    let evidence = format!(
        "the image has {}, which compile into a cache, and no writable HOME",
        some(&packages)
    );
    one("compile-caches", Level::Warning, evidence, set_lines(&unset))
}

fn user_name(facts: &Facts) -> Vec<Finding> {
    let is_named = ["USER", "LOGNAME", "USERNAME"].iter().any(|it| facts.variable(it).is_some());
    if facts.has_user != Some(false) || is_named {
        return Vec::new();
    }
    let evidence = format!("/etc/passwd has no user {UID}, and torch and vLLM ask for its name");
    one("user-name", Level::Warning, evidence, "ENV USER=ovh")
}

fn privileged_port(facts: &Facts) -> Vec<Finding> {
    let port = facts.asked.port;
    let given = facts.variable("PORT").and_then(|port| port.parse::<u16>().ok());
    let evidence = match (port, given) {
        (1..1024, _) => format!("the app's port is {port}"),
        (_, Some(port @ 1..1024)) => format!("PORT is {port}"),
        _ => return Vec::new(),
    };
    let evidence = format!("{evidence}: {UID} may not listen below 1024");
    one(
        "privileged-port",
        Level::Error,
        evidence,
        "listen on 8080, or on another port with --default-http-port",
    )
}

fn loopback_only(facts: &Facts) -> Vec<Finding> {
    let text = code(&facts.command_text());
    let fix = "--host 0.0.0.0, or ENV GRADIO_SERVER_NAME=0.0.0.0";
    if let Some((name, value)) = option(&text, &HOST_OPTIONS) {
        if !is_loopback(value) {
            return Vec::new();
        }
        let evidence = format!("the command listens on loopback only: {name} {value}");
        return one("loopback-only", Level::Error, evidence, fix);
    }
    let set = HOST_VARIABLES.iter().find_map(|name| Some((name, facts.variable(name)?)));
    if let Some((name, value)) = set {
        if !is_loopback(value) {
            return Vec::new();
        }
        let evidence = format!("{name}={value}: the app listens on loopback only");
        return one("loopback-only", Level::Error, evidence, fix);
    }
    let is = |name: &str| has_word(&text, name);
    let framework = if is("uvicorn") && !is("gunicorn") {
        "uvicorn"
    } else if is("flask") && is("run") {
        "flask run"
    } else if is("gunicorn") && facts.variable("PORT").is_none() {
        "gunicorn"
    } else if facts.packages.contains("gradio") && !facts.packages.contains("streamlit") {
        "Gradio"
    } else {
        return Vec::new();
    };
    let evidence = format!("{framework} listens on 127.0.0.1 unless it is given another address");
    one("loopback-only", Level::Warning, evidence, fix)
}

fn other_port(facts: &Facts) -> Vec<Finding> {
    let text = code(&facts.command_text());
    let port = facts.asked.port;
    let named = option(&text, &["--port", "--server.port", "-p"]);
    if let Some((name, value)) = named
        && let Ok(other) = value.parse::<u16>()
        && other != port
    {
        let evidence = format!("the command has {name} {other}, and the app's port is {port}");
        return one("other-port", Level::Warning, evidence, format!("--default-http-port {other}"));
    }
    let exposed = &facts.config.exposed;
    if exposed.is_empty() || exposed.contains(&port) || named.is_some() {
        return Vec::new();
    }
    let ports: Vec<String> = exposed.iter().map(u16::to_string).collect();
    let evidence = format!("the image exposes {}, and the app's port is {port}", ports.join(", "));
    one(
        "other-port",
        Level::Info,
        evidence,
        format!("--default-http-port {}, if the app listens there", ports[0]),
    )
}

fn ignores_sigterm(facts: &Facts) -> Vec<Finding> {
    let words: Vec<&str> = facts.words.iter().map(String::as_str).collect();
    let evidence = match words.as_slice() {
        [shell, "-c", line] if shell.ends_with("sh") && !line.trim_start().starts_with("exec ") => {
            "the command is a shell's line: the shell gets SIGTERM, and its program does not"
        }
        _ => {
            let script = facts.program.as_ref().map(|it| it.script.as_str()).unwrap_or_default();
            let is_shell = script.lines().next().is_some_and(|line| line.contains("sh"));
            if !is_shell || script.contains("exec ") || script.contains("trap ") {
                return Vec::new();
            }
            "the entrypoint is a script that keeps its program as a child, and passes SIGTERM to nothing"
        }
    };
    one(
        "ignores-sigterm",
        Level::Warning,
        evidence.into(),
        "CMD [\"program\", \"argument\"], or exec \"$@\" at the script's end",
    )
}

fn slow_start(facts: &Facts) -> Vec<Finding> {
    let text = code(&facts.command_text());
    let loads = [
        "pip install",
        "git clone",
        "huggingface-cli download",
        "hf download",
        "wget ",
        "curl -",
        "apt-get install",
        "npm install",
    ];
    let Some(found) = loads.iter().find(|it| text.contains(**it)) else { return Vec::new() };
    let evidence = format!("the entrypoint runs {} at every start", found.trim());
    one(
        "slow-start",
        Level::Warning,
        evidence,
        "do it in the build, mount a volume, or raise --progress-deadline-seconds",
    )
}

fn websocket_origin(facts: &Facts) -> Vec<Finding> {
    let text = code(&facts.command_text());
    let is_bokeh = has_word(&text, "bokeh") && has_word(&text, "serve");
    if is_bokeh
        && !text.contains("--allow-websocket-origin")
        && facts.variable("BOKEH_ALLOW_WS_ORIGIN").is_none()
    {
        let evidence = "bokeh serve refuses WebSockets of other origins than localhost";
        return one(
            "websocket-origin",
            Level::Error,
            evidence.into(),
            "ENV BOKEH_ALLOW_WS_ORIGIN=*",
        );
    }
    Vec::new()
}

fn shared_memory(facts: &Facts) -> Vec<Finding> {
    let text = code(&facts.command_text());
    let several =
        option(&text, &["--tensor-parallel-size", "-tp", "--nproc_per_node", "--nproc-per-node"]);
    match several {
        Some((name, value)) if value != "1" => one(
            "shared-memory",
            Level::Warning,
            format!("{name} {value}: its processes share memory, and /dev/shm has 64 MB"),
            "ENV NCCL_SHM_DISABLE=1, or one process for each replica",
        ),
        _ => Vec::new(),
    }
}

fn names_of_this_machine(facts: &Facts) -> Vec<Finding> {
    let values = facts.config.env.values().chain(facts.asked.env.values());
    let text = values.fold(facts.command_text(), |all, value| all + "\n" + value);
    calls_localhost(&text).into_iter().collect()
}

/// What the app's own words tell of names that only this machine has.
pub(super) fn calls_localhost(text: &str) -> Option<Finding> {
    let found = [".ai.localhost", ".app.gra.ai.", ".app.bhs.ai."].iter().find_map(|name| {
        let line = text.lines().find(|line| line.contains(name) && line.contains("localhost"))?;
        line.split(|c: char| c.is_whitespace() || "\"'=,;()".contains(c))
            .find(|it| it.contains(name))
    })?;
    // Credentials and queries are not shown.
    let found = found.rsplit_once('@').map_or(found, |(_, after)| after);
    let found = found.split(['?', '#']).next().unwrap_or_default();
    Some(Finding::new(
        "calls-localhost",
        Level::Warning,
        format!(
            "the app calls {found}: in a container, names below localhost are the container itself"
        ),
        "take the address from a variable, and here from OVHAI_GATEWAY: ovhai emulator start --from-apps",
    ))
}
