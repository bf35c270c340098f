//! What the files and the configuration of an image tell: one function for each row of the table.

use super::archive::READ;
use super::facts::Facts;
use super::finding::{Finding, Level};
use super::program::Content;
use super::words::{give, some};
use super::{UID, settings};

/// Sizes from which an image is worth a word, in bytes.
const LARGE: u64 = 5_000_000_000;
/// Ephemeral storage of a small flavor, in bytes.
const DISK: u64 = 40 * 1024 * 1024 * 1024;

type Rule = fn(&Facts) -> Vec<Finding>;

/// All rules, in the order of the table.
const RULES: [Rule; 16] = [
    platform,
    foreign_binary,
    user_ignored,
    home,
    workspace,
    workdir,
    tmp,
    not_executable,
    private_files,
    bad_script,
    missing_program,
    missing_library,
    no_command,
    size,
    secrets,
    gpu,
];

/// What all rules find.
pub(super) fn all(facts: &Facts) -> Vec<Finding> {
    RULES.iter().chain(&settings::RULES).flat_map(|rule| rule(facts)).collect()
}

fn one(id: &'static str, level: Level, evidence: String, fix: impl Into<String>) -> Vec<Finding> {
    vec![Finding::new(id, level, evidence, fix)]
}

fn is_amd64(facts: &Facts) -> bool {
    let config = &facts.config;
    config.architecture == "amd64" && (config.os.is_empty() || config.os == "linux")
}

fn platform(facts: &Facts) -> Vec<Finding> {
    if is_amd64(facts) {
        return Vec::new();
    }
    let config = &facts.config;
    let evidence = format!("the image is for {}/{}", config.os, config.architecture);
    one("platform", Level::Error, evidence, "docker build --platform linux/amd64 …")
}

fn foreign_binary(facts: &Facts) -> Vec<Finding> {
    let Some(program) = facts.program.as_ref().filter(|_| is_amd64(facts)) else {
        return Vec::new();
    };
    match (&program.content, &program.stat) {
        (Some(Content::Elf { elf, .. }), Some(stat))
            if !["amd64", "386"].contains(&elf.machine.as_str()) =>
        {
            let evidence = format!("{} is a program for {}", stat.path, elf.machine);
            one(
                "foreign-binary",
                Level::Error,
                evidence,
                "docker build --platform linux/amd64 …; check the stages of COPY --from, too",
            )
        }
        _ => Vec::new(),
    }
}

fn user_ignored(facts: &Facts) -> Vec<Finding> {
    let user = facts.config.user.as_str();
    let name = user.split(':').next().unwrap_or_default();
    if ["", "0", "root"].contains(&name) || name == UID.to_string() {
        return Vec::new();
    }
    let evidence = format!("the image sets USER {user}, and runs as {UID}:{UID} anyway");
    one(
        "user-ignored",
        Level::Info,
        evidence,
        format!("give rights to {UID}: {}", give("/workspace")),
    )
}

fn home(facts: &Facts) -> Vec<Finding> {
    match &facts.home {
        None => one(
            "home",
            Level::Warning,
            "neither the image nor the app sets HOME: it is /, where the app can't write".into(),
            format!("ENV HOME=/workspace, and {}", give("/workspace")),
        ),
        Some(home) if !home.is_writable() => one(
            "home",
            Level::Error,
            format!("HOME is {}, which {UID} can't write to", home.shown()),
            if home.path.starts_with("/root") {
                format!("ENV HOME=/workspace, and {}", give("/workspace"))
            } else {
                give(&home.path)
            },
        ),
        Some(_) => Vec::new(),
    }
}

fn workspace(facts: &Facts) -> Vec<Finding> {
    let workspace = &facts.workspace;
    let is_home = facts.home.as_ref().is_some_and(|home| home.path == workspace.path);
    if workspace.is_writable() || is_home {
        return Vec::new();
    }
    let is_used = facts.working.path == workspace.path && workspace.is_directory();
    let level = if is_used { Level::Error } else { Level::Warning };
    one(
        "workspace",
        level,
        format!("{}, so {UID} can't write there", workspace.shown()),
        give("/workspace"),
    )
}

fn workdir(facts: &Facts) -> Vec<Finding> {
    let working = &facts.working;
    if working.is_directory() || working.path == "/" {
        return Vec::new();
    }
    let evidence = format!("WORKDIR {}", working.shown());
    one("workdir", Level::Warning, evidence, give(&working.path))
}

fn tmp(facts: &Facts) -> Vec<Finding> {
    let tmp = &facts.tmp;
    if tmp.is_directory() && tmp.stat.as_ref().is_some_and(|stat| stat.mode == 0o1777) {
        return Vec::new();
    }
    one("tmp", Level::Warning, tmp.shown(), "RUN mkdir -p /tmp && chmod 1777 /tmp")
}

fn not_executable(facts: &Facts) -> Vec<Finding> {
    let Some(program) = &facts.program else { return Vec::new() };
    let Some(denied) = &program.denied else { return Vec::new() };
    let evidence =
        format!("{}: {}, so {UID} can't run {}", denied.path, denied.shown(), program.name);
    one("not-executable", Level::Error, evidence, format!("RUN chmod a+rx {}", denied.path))
}

fn private_files(facts: &Facts) -> Vec<Finding> {
    let mut files: Vec<String> =
        facts.private.iter().map(|stat| format!("{} ({})", stat.path, stat.shown())).collect();
    // A script that can be executed and not read fails in its interpreter.
    if let Some(program) = &facts.program
        && let (Some(Content::Script { .. }), Some(stat)) = (&program.content, &program.stat)
        && program.denied.is_none()
        && !stat.allows(READ)
        && !facts.private.iter().any(|one| one.path == stat.path)
    {
        files.push(format!("{} ({})", stat.path, stat.shown()));
    }
    if files.is_empty() {
        return Vec::new();
    }
    let place = match facts.working.path.as_str() {
        "/" => facts.private.first().map_or("FILE", |stat| stat.path.as_str()),
        path => path,
    };
    let fix = format!("COPY --chown={UID}:{UID} …, or RUN chmod -R a+rX {place}");
    one("private-files", Level::Error, format!("{UID} can't read {}", some(&files)), fix)
}

fn bad_script(facts: &Facts) -> Vec<Finding> {
    let Some(program) = &facts.program else { return Vec::new() };
    let path = program.stat.as_ref().map(|stat| stat.path.as_str()).unwrap_or_default();
    match &program.content {
        Some(Content::Script { has_crlf: true, .. }) => one(
            "bad-script",
            Level::Error,
            format!("the first line of {path} ends with CR LF"),
            format!("RUN sed -i 's/\\r$//' {path}, or keep LF in the repository"),
        ),
        Some(Content::Other) => one(
            "bad-script",
            Level::Error,
            format!("{path} is no program, and its first line does not begin with #!"),
            format!(
                "RUN sed -i '1i #!/bin/sh' {path}, or name the shell: ENTRYPOINT [\"sh\", \"{path}\"]"
            ),
        ),
        _ => Vec::new(),
    }
}

fn missing_program(facts: &Facts) -> Vec<Finding> {
    let Some(program) = &facts.program else { return Vec::new() };
    match (&program.stat, &program.content) {
        (None, _) => one(
            "missing-program",
            Level::Error,
            format!("the container starts with {:?}, which the image does not have", program.name),
            "correct ENTRYPOINT or CMD, or install the program: RUN apt-get install -y …",
        ),
        (Some(stat), Some(Content::Script { interpreter, is_there: false, has_crlf: false })) => {
            one(
                "missing-program",
                Level::Error,
                format!("{} is run by {interpreter}, which the image does not have", stat.path),
                format!(
                    "install {interpreter}, or name another in the first line of {}",
                    stat.path
                ),
            )
        }
        _ => Vec::new(),
    }
}

fn missing_library(facts: &Facts) -> Vec<Finding> {
    let Some(program) = &facts.program else { return Vec::new() };
    match (&program.content, &program.stat) {
        (Some(Content::Elf { elf, missing }), Some(stat))
            if !missing.is_empty() && elf.machine == "amd64" =>
        {
            let evidence =
                format!("{} needs {}, which the image does not have", stat.path, some(missing));
            let fix = "install it (RUN apt-get install -y …, apk add …), or build the program for the image's C library";
            one("missing-library", Level::Error, evidence, fix)
        }
        _ => Vec::new(),
    }
}

fn no_command(facts: &Facts) -> Vec<Finding> {
    let name = facts.words.first().map(|word| word.rsplit('/').next().unwrap_or(word));
    let shells = ["sh", "bash", "ash", "dash", "zsh", "python", "python3", "node"];
    let fix = "CMD [\"the server\", \"in the foreground\"], or a command: … -- COMMAND";
    match name {
        None => {
            let evidence = "the image has neither ENTRYPOINT nor CMD, and the app has no command";
            one("ends-at-once", Level::Error, evidence.into(), fix)
        }
        Some(name) if facts.words.len() == 1 && shells.contains(&name) => {
            let evidence = format!("the command is {name} alone, which ends without a terminal");
            one("ends-at-once", Level::Error, evidence, fix)
        }
        Some(_) => Vec::new(),
    }
}

fn size(facts: &Facts) -> Vec<Finding> {
    let size = facts.config.size;
    if size < LARGE {
        return Vec::new();
    }
    let level = if size > DISK { Level::Error } else { Level::Warning };
    let tenths = size / 100_000_000;
    let evidence = format!("the image has {}.{} GB", tenths / 10, tenths % 10);
    one(
        "size",
        level,
        evidence,
        "use stages (COPY --from), pip install --no-cache-dir, and a volume for models",
    )
}

fn secrets(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    let names = facts.config.env.iter().filter(|(name, value)| is_secret(name, value));
    let names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
    if !names.is_empty() {
        found.push(Finding::new(
            "secrets",
            Level::Warning,
            format!("the image's environment has {}", some(&names)),
            "remove the ENV, and give it to the app: ovhai app run -e NAME …",
        ));
    }
    let steps = facts.config.history.iter().flat_map(|step| step.split_whitespace());
    let words = steps.filter_map(|word| word.trim_start_matches('|').split_once('='));
    let mut names: Vec<String> = words
        .filter(|(name, value)| is_secret(name, value) && !facts.config.env.contains_key(*name))
        .map(|(name, _)| name.trim_matches(['"', '\'']).to_owned())
        .collect();
    names.sort();
    names.dedup();
    if !names.is_empty() {
        found.push(Finding::new(
            "secrets",
            Level::Warning,
            format!("the image's history has a value of {}", some(&names)),
            "use a secret of the build: RUN --mount=type=secret,id=NAME …",
        ));
    }
    let labels = facts.config.labels.iter().filter(|(name, value)| is_secret(name, value));
    let labels: Vec<String> = labels.map(|(name, _)| name.clone()).collect();
    if !labels.is_empty() {
        let evidence = format!("the image's labels have {}", some(&labels));
        found.push(Finding::new("secrets", Level::Warning, evidence, "remove the LABEL"));
    }
    if !facts.secret_files.is_empty() {
        found.push(Finding::new(
            "secrets",
            Level::Warning,
            format!("the image has {}", some(&facts.secret_files)),
            "name them in .dockerignore",
        ));
    }
    found
}

/// Whether a variable looks like a secret, by its name or by the shape of its value.
fn is_secret(name: &str, value: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let parts: Vec<&str> = name.split(['_', '-', '.']).collect();
    let has = |words: &[&str]| parts.iter().any(|part| words.contains(part));
    let is_named = has(&["SECRET", "PASSWORD", "PASSWD", "TOKEN", "APIKEY", "CREDENTIALS"])
        || has(&["API", "ACCESS", "PRIVATE", "SECRET"]) && has(&["KEY"]);
    let value = value.trim_matches(['"', '\'']);
    let is_path = value.starts_with(['/', '$']);
    let shapes =
        ["hf_", "ghp_", "gho_", "github_pat_", "glpat-", "sk-", "xoxb-", "AKIA", "-----BEGIN"];
    let has_shape = value.len() >= 16 && shapes.iter().any(|shape| value.starts_with(shape));
    let is_switch = ["", "0", "1", "true", "false"].contains(&value.to_ascii_lowercase().as_str());
    has_shape || is_named && !is_path && !is_switch
}

fn gpu(facts: &Facts) -> Vec<Finding> {
    let names = ["CUDA_VERSION", "NVIDIA_REQUIRE_CUDA", "NV_CUDA_LIB_VERSION"];
    let found = names.iter().find(|name| facts.config.env.contains_key(**name));
    match found {
        Some(name) if facts.asked.gpus == 0 => one(
            "gpu",
            Level::Info,
            format!("the image sets {name}: it is made for a GPU"),
            "ovhai app run --gpu 1 …, or let the app fall back to the CPU",
        ),
        _ => Vec::new(),
    }
}
