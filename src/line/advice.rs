//! What to type instead of a command or option that people guess and that does not exist: advice
//! for common guesses, for others the nearest word.

use std::error::Error;
use std::ffi::OsString;
use std::num::ParseIntError;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::args::near::near;
use crate::cmd::app::wait::looks_like_duration;
use crate::error::Failure;
use crate::line::cli;

/// Wrong guesses at one place of the command tree, and the advice for them.
struct Advice {
    /// The subcommands before the guess.
    path: &'static str,
    guesses: &'static [&'static str],
    say: &'static str,
}

/// A guess of any word that is no option.
const ANY_WORD: &str = "";

const fn advice(path: &'static str, guesses: &'static [&'static str], say: &'static str) -> Advice {
    Advice { path, guesses, say }
}

const TABLE: &[Advice] = &[
    // Commands.
    advice(
        "",
        &["run", "create", "deploy", "submit", "up", "new"],
        "run an app: ovhai app run IMAGE",
    ),
    advice("", &["list", "ls", "ps"], "list apps: ovhai app list; tokens: ovhai token list"),
    advice(
        "",
        &["get", "show", "describe", "inspect"],
        "show an app: ovhai app get APP; a token: ovhai token get TOKEN",
    ),
    advice(
        "",
        &["status"],
        "for an app: ovhai app get APP; for the emulator: ovhai emulator status",
    ),
    advice(
        "",
        &["logs", "log"],
        "for an app: ovhai app logs APP; for the emulator: ovhai emulator logs",
    ),
    advice("", &["curl", "request", "call"], "send a request to an app: ovhai app curl APP [PATH]"),
    advice(
        "",
        &["start", "serve"],
        "for an app: ovhai app start APP; for the emulator: ovhai emulator start",
    ),
    advice(
        "",
        &["stop", "kill", "down"],
        "for an app: ovhai app stop APP; for the emulator: ovhai emulator stop",
    ),
    advice("", &["events", "event"], "see the events of apps and replicas: ovhai app events"),
    advice("", &["restart"], "restart an app: ovhai app restart APP"),
    advice(
        "",
        &["delete", "rm", "remove"],
        "for an app: ovhai app delete APP; for a token: ovhai token delete TOKEN",
    ),
    advice("", &["scale"], "scale an app: ovhai app scale APP --replicas N"),
    advice(
        "",
        &["update", "set-image", "set-label"],
        "change an app: ovhai app update APP, ovhai app set-image APP IMAGE, ovhai app set-label APP KEY VALUE",
    ),
    advice(
        "",
        &["exec", "ssh", "shell", "attach"],
        "run a command in an app: ovhai app exec APP -- COMMAND",
    ),
    advice(
        "",
        &["renew", "regenerate", "revoke"],
        "for a token: ovhai token regenerate TOKEN, ovhai token delete TOKEN",
    ),
    advice(
        "",
        &["job", "jobs", "notebook", "notebooks", "volume", "volumes", "pipeline"],
        "this program is for AI Deploy: apps, their tokens and their data (ovhai --help). For jobs and notebooks use OVHcloud's own client; for data: ovhai bucket object upload BUCKET@STORE PATH",
    ),
    advice(
        "",
        &["image", "images"],
        "an app runs an image: ovhai app run IMAGE; see an app's image: ovhai app get APP",
    ),
    advice("", &["version"], "ovhai --version"),
    advice(
        "",
        &["man"],
        "the man pages are in docs/man of the project; ovhai help COMMAND says the same",
    ),
    advice(
        "",
        &["upgrade", "self-update"],
        "there is no release to download yet; update your clone, then: cargo install --path . --profile dist",
    ),
    advice(
        "",
        &["doctor", "check"],
        "see the state of the emulator: ovhai emulator status; recent requests: ovhai debug",
    ),
    advice(
        "",
        &["context", "contexts", "use"],
        "see the current region or endpoint: ovhai config list; choose one: ovhai config set NAME",
    ),
    advice(
        "",
        &["apply"],
        "files that describe apps are not supported; run an app: ovhai app run IMAGE; change one: ovhai app update APP",
    ),
    advice("", &["events"], "see what happened to apps: ovhai app events"),
    advice(
        "",
        &["top", "stats", "metrics"],
        "see an app: ovhai app get APP; the metrics: ovhai emulator metrics",
    ),
    advice(
        "",
        &["requests", "access-log"],
        "see who opened what: ovhai emulator requests; one app: ovhai app requests APP",
    ),
    advice(
        "config",
        &["use", "use-context", "switch", "current"],
        "choose a region or endpoint: ovhai config set NAME",
    ),
    advice("config", &["view", "show"], "see all: ovhai config list"),
    advice(
        "emulator",
        &["reset", "clean", "wipe"],
        "delete all apps: ovhai app delete --all --force; or use an empty state directory: --state-dir DIR, or --ephemeral",
    ),
    advice(
        "emulator",
        &["run", "up"],
        "start it: ovhai emulator start; in the background: ovhai emulator start --detach",
    ),
    advice(
        "emulator logs",
        &["--app", "--denied", "--since", "--count"],
        "see requests: ovhai emulator requests --app APP --denied",
    ),
    advice(
        "app",
        &["apply"],
        "files that describe apps are not supported; run an app: ovhai app run IMAGE; change one: ovhai app update APP",
    ),
    advice(
        "app",
        &["top", "stats", "usage"],
        "resource usage is not measured; see the app: ovhai app get APP",
    ),
    advice(
        "app",
        &["rollback", "undo"],
        "versions of an app are not kept; set the image again: ovhai app set-image APP IMAGE",
    ),
    advice("", &["flavor", "flavors"], "list flavors: ovhai capabilities flavor list"),
    advice(
        "",
        &["region", "regions"],
        "see them: ovhai emulator status; choose one: --region REGION",
    ),
    advice("app", &["reload", "redeploy"], "replace its replicas: ovhai app restart APP"),
    advice(
        "app",
        &["deploy", "submit", "new", "add", "up", "launch"],
        "run an app: ovhai app run IMAGE; give one another image: ovhai app set-image APP IMAGE",
    ),
    advice(
        "app",
        &["ssh", "shell", "attach", "bash"],
        "run a command in an app: ovhai app exec APP -- COMMAND",
    ),
    advice(
        "app",
        &["remove", "destroy", "kill"],
        "delete it: ovhai app delete APP; or only stop it: ovhai app stop APP",
    ),
    advice(
        "app",
        &["label", "labels", "tag"],
        "set a label: ovhai app set-label APP KEY VALUE; see all: ovhai app get APP",
    ),
    advice("app", &["copy", "scp"], "copy files: ovhai app cp APP:PATH LOCAL, or LOCAL APP:PATH"),
    advice("app", &["image"], "change it: ovhai app set-image APP IMAGE"),
    advice(
        "app",
        &["env", "set-env", "edit", "patch", "set", "config"],
        "change it: ovhai app update APP --env NAME=VALUE",
    ),
    advice(
        "app",
        &["resize", "replicas"],
        "change the number of replicas: ovhai app scale APP --replicas N",
    ),
    advice("app", &["info", "inspect", "url", "history"], "see it: ovhai app get APP"),
    advice(
        "app",
        &["request", "query", "call", "invoke"],
        "send it a request: ovhai app curl APP [PATH]",
    ),
    advice(
        "app",
        &["rename"],
        "an app keeps its name; run another with --name, or use a label (ovhai app set-label APP KEY VALUE)",
    ),
    advice(
        "token",
        &["add", "generate", "make"],
        "create one: ovhai token new NAME --role read --selector KEY=VALUE",
    ),
    advice("app", &["help"], "ovhai help app COMMAND"),
    advice(
        "emulator",
        &["restart", "reload"],
        "stop it and start it again: ovhai emulator stop && ovhai emulator start --detach",
    ),
    advice("token", &["help"], "ovhai help token COMMAND"),
    advice("emulator", &["help"], "ovhai help emulator COMMAND"),
    advice("token", &["remove", "revoke", "destroy"], "delete it: ovhai token delete TOKEN"),
    advice(
        "token",
        &["rotate", "refresh", "reset"],
        "give it a new string: ovhai token regenerate TOKEN",
    ),
    advice(
        "token",
        &["value", "print", "reveal"],
        "a token's string is shown once, when it is created; get a new one: ovhai token regenerate TOKEN",
    ),
    // Options.
    advice(
        "app run",
        &["--memory", "--mem", "--ram", "-m"],
        "the flavor and the number of units determine the memory: --flavor FLAVOR with --cpu N or --gpu N; see ovhai capabilities flavor list",
    ),
    advice(
        "app run",
        &["--gpu-model", "--gpu-type", "--gpu-brand", "--gpu-memory"],
        "the flavor determines the model: --flavor FLAVOR, such as l4-1-gpu, with --gpu N; see ovhai capabilities flavor list",
    ),
    advice(
        "app run",
        &["--watch"],
        "restart a local process when files change: --reload DIR; wait until the app runs: --wait",
    ),
    advice(
        "app run",
        &["--replace", "--recreate"],
        "delete the app first: ovhai app delete APP --wait",
    ),
    advice("app run", &["--gpus"], "give a number: --gpu N"),
    advice("app run", &["--cpus"], "give a number: --cpu N"),
    advice(
        "app run",
        &["--storage", "--ephemeral-storage", "--disk", "--disk-size"],
        "the flavor and the number of units determine the storage: --flavor FLAVOR with --cpu N or --gpu N; see ovhai capabilities flavor list",
    ),
    advice(
        "app run",
        &["--public", "--open", "--no-auth", "--unsecure", "--insecure", "--allow-unauthenticated"],
        "make the app public: --unsecure-http",
    ),
    advice(
        "app run",
        &["--command", "--cmd", "--entrypoint", "--args"],
        "give the command after two hyphens, at the end: ovhai app run IMAGE -- COMMAND",
    ),
    advice(
        "app run",
        &["--tag", "--labels", "--tags"],
        "repeat the option for each label: --label KEY=VALUE",
    ),
    advice(
        "app run",
        &["--envs", "--env-vars", "--environment"],
        "repeat the option for each variable: --env NAME=VALUE, or name a file: --env-file FILE",
    ),
    advice(
        "app run",
        &["--detach", "-d", "--background"],
        "app run returns immediately; to wait until the app runs: --wait",
    ),
    advice(
        "app run",
        &["-i", "-t", "--tty", "--interactive", "--rm"],
        "an app runs in the background: see its output with ovhai app logs APP, end it with ovhai app delete APP",
    ),
    advice(
        "app run",
        &["--health-path", "--health-check", "--healthcheck", "--readiness-path"],
        "set the probe: --probe-path PATH, --probe-port PORT",
    ),
    advice(
        "app run",
        &["--mount", "--volumes"],
        "repeat the option for each volume: --volume container@alias/prefix:mount_path:ro",
    ),
    advice(
        "app run",
        &["--min", "--max", "--autoscale", "--auto"],
        "scale automatically: --auto-min-replicas N --auto-max-replicas N",
    ),
    advice(
        "app run",
        &["--project", "--project-id"],
        "there is only one project; use regions and labels to group apps: --region REGION, --label KEY=VALUE",
    ),
    advice(
        "app run",
        &[ANY_WORD],
        "give the command after two hyphens: ovhai app run IMAGE -- COMMAND; give the name with --name NAME",
    ),
    advice(
        "app scale",
        &["--min", "--max", "--autoscale", "--auto"],
        "scale automatically: --auto-min-replicas N --auto-max-replicas N",
    ),
    advice("app scale", &[ANY_WORD], "use the option: ovhai app scale APP --replicas N"),
    advice("app update", &["--label"], "change a label: ovhai app set-label APP KEY VALUE"),
    advice(
        "app update",
        &["--replicas", "--auto-min-replicas", "--auto-max-replicas"],
        "change the number of replicas: ovhai app scale APP --replicas N",
    ),
    advice(
        "app update",
        &["--name", "--command", "--flavor", "--volume", "--unsecure-http", "--probe-path"],
        "this can't be changed; run a new app with ovhai app run, and delete this one",
    ),
    advice(
        "app curl",
        &["-L", "--location"],
        "redirects are not followed; see the target with -i, then: ovhai app curl APP PATH",
    ),
    advice(
        "app curl",
        &["-u", "--user", "--basic"],
        "for a password of the app's own: -H 'Authorization: Basic …'",
    ),
    advice("app curl", &["-A", "--user-agent"], "-H 'User-Agent: NAME'"),
    advice("app curl", &["-r", "--range"], "-H 'Range: bytes=0-99'"),
    advice("app curl", &["-b", "--cookie"], "-H 'Cookie: NAME=VALUE'"),
    advice("app curl", &["-e", "--referer"], "-H 'Referer: URL'"),
    advice(
        "app curl",
        &["-D", "--dump-header"],
        "show the response's head with -i, or only the head with -I",
    ),
    advice(
        "app curl",
        &["-k", "--insecure", "--cacert"],
        "there is no certificate to check: it uses plain HTTP to the local gateway",
    ),
    advice(
        "app curl",
        &["--http2", "--http2-prior-knowledge", "--http3", "-0", "--http1.0"],
        "it uses HTTP/1.1; for other versions use curl with the app's URL (ovhai app get APP)",
    ),
    advice(
        "app curl",
        &["--max-redirs", "--location-trusted", "--post301", "--post302", "--post303"],
        "redirects are not followed; see the target with -i, then: ovhai app curl APP PATH",
    ),
    advice(
        "app curl",
        &["--retry", "--retry-delay", "--retry-all-errors", "--retry-connrefused"],
        "a request is sent once; to wait until the app answers: ovhai app wait APP --for RUNNING",
    ),
    advice(
        "app curl",
        &["--connect-timeout"],
        "there is one time-out for everything: --max-time SECONDS",
    ),
    advice(
        "app curl",
        &[
            "-x",
            "--proxy",
            "--noproxy",
            "--resolve",
            "--connect-to",
            "--unix-socket",
            "--interface",
            "-4",
            "-6",
            "--ipv4",
            "--ipv6",
        ],
        "omit it: the connection to the app's gateway is automatic; for other connections use curl with the app's URL (ovhai app get APP)",
    ),
    advice(
        "app curl",
        &["--oauth2-bearer"],
        "a token for the gateway: --token TOKEN, or --as NAME; one of the app's own: -H 'Authorization: Bearer …'",
    ),
    advice(
        "app curl",
        &["-c", "--cookie-jar"],
        "cookies are not stored; see them with -i, send one with -H 'Cookie: NAME=VALUE'",
    ),
    advice("app curl", &["-C", "--continue-at"], "to resume: -H 'Range: bytes=100-'"),
    advice(
        "app curl",
        &["-E", "--cert", "--key"],
        "the gateway uses tokens, not client certificates: --token TOKEN, or --as NAME",
    ),
    advice(
        "app curl",
        &["-K", "--config"],
        "configuration files are not supported; read headers from a file: -H @FILE",
    ),
    advice(
        "app curl",
        &["--create-dirs", "--output-dir", "-J", "--remote-header-name"],
        "choose a file in an existing directory: -o FILE",
    ),
    advice(
        "app curl",
        &["--trace", "--trace-ascii"],
        "show the response's head with -i; the image ovhai/echo shows the request",
    ),
    advice(
        "app curl",
        &["--url-query"],
        "append the query to the path: '/path?name=value', or -G -d name=value",
    ),
    advice("app curl", &["-p"], "another port of the app: --port PORT"),
    advice("app curl", &["--url"], "give the app, then the path: ovhai app curl APP /path"),
    advice(
        "app list",
        &["--name"],
        "show one by its name: ovhai app get NAME; list by labels: --label KEY=VALUE",
    ),
    advice(
        "app list",
        &["-A", "--all-regions", "--all-namespaces"],
        "one region at a time: ovhai app list --region REGION",
    ),
    advice("app list", &["--format"], "choose a format: -o json, yaml, table, wide or name"),
    advice("app list", &[ANY_WORD], "show one: ovhai app get APP"),
    advice(
        "token new",
        &["--scope", "--label", "--labels"],
        "choose its apps: --selector KEY=VALUE",
    ),
    advice(
        "token new",
        &["--expires", "--expiry", "--expiration", "--ttl", "--duration"],
        "a token does not expire; delete it with ovhai token delete TOKEN, or replace its string with ovhai token regenerate TOKEN",
    ),
    advice(
        "token new",
        &["--app", "--app-id"],
        "for one app: --selector ovh/id=APP_ID (ovhai app get APP shows the id)",
    ),
];

/// The failure for a command line that clap rejects, with advice.
pub(crate) fn failure(error: &clap::Error, args: &[OsString]) -> Option<Failure> {
    let kind = match error.kind() {
        ErrorKind::ValueValidation => return no_number(error),
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        _ => return None,
    };
    let ContextValue::String(guess) = error.get(kind)? else { return None };
    // Without the value, which may be a secret.
    let guess = guess.split(['=', ' ']).next().unwrap_or_default();
    let root = cli::tree();
    let path = path_of(&root, args);
    let waits = args.iter().any(|word| word == "--wait");
    let said = if waits && looks_like_duration(guess) {
        Some(format!("use an equals sign: --wait={guess}"))
    } else {
        find(&path, guess).map(str::to_owned)
    };
    let place = ["ovhai", path.as_str()].join(" ");
    let place = place.trim();
    let message = match error.kind() {
        ErrorKind::InvalidSubcommand => format!("{place} has no command {guess:?}"),
        _ if guess.starts_with('-') => format!("{place} has no option {guess}"),
        _ => format!("{place} does not expect {guess:?} there"),
    };
    let hint = said.unwrap_or_else(|| nearest(&root, &path, guess));
    Some(Failure::usage(message).hint(hint))
}

/// The nearest known words, or where to find them all.
fn nearest(root: &Command, path: &str, guess: &str) -> String {
    let words = || path.split(' ').filter(|word| !word.is_empty());
    let command = words().try_fold(root, |at, word| at.find_subcommand(word)).unwrap_or(root);
    let see_all = || {
        let all: Vec<&str> = ["ovhai", "help"].into_iter().chain(words()).collect();
        format!("see the help: {}", all.join(" "))
    };
    let (dashes, found) = match guess.strip_prefix("--") {
        Some(option) => {
            let shown = command.get_arguments().filter(|argument| !argument.is_hide_set());
            let longs = shown
                .flat_map(|argument| argument.get_long_and_visible_aliases().unwrap_or_default());
            ("--", near(option, longs))
        }
        None if guess.starts_with('-') => return see_all(),
        None => {
            let shown = command.get_subcommands().filter(|child| !child.is_hide_set());
            let names = shown.flat_map(|child| {
                std::iter::once(child.get_name()).chain(child.get_visible_aliases())
            });
            ("", near(guess, names))
        }
    };
    let found: Vec<String> = found.iter().map(|word| format!("{dashes}{word}")).collect();
    match found.as_slice() {
        [] => see_all(),
        [one] => format!("did you mean {one}?"),
        [first, others @ ..] => format!("did you mean {first}? or {}", others.join(", ")),
    }
}

/// Rust's message, "invalid digit found in string", would not help users.
fn no_number(error: &clap::Error) -> Option<Failure> {
    error.source()?.downcast_ref::<ParseIntError>()?;
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text),
        _ => None,
    };
    let (argument, value) = (text(ContextKind::InvalidArg)?, text(ContextKind::InvalidValue)?);
    let failure = Failure::usage(format!("invalid value {value:?} for {argument}"));
    Some(failure.because("it is not an integer").hint("use digits, such as 2"))
}

fn find(path: &str, guess: &str) -> Option<&'static str> {
    let here = || TABLE.iter().filter(|advice| advice.path == path);
    here()
        .find(|advice| advice.guesses.contains(&guess))
        .or_else(|| here().find(|advice| advice.guesses == [ANY_WORD] && !guess.starts_with('-')))
        .map(|advice| advice.say)
}

/// The subcommands of a command line, by their canonical names.
fn path_of(root: &Command, args: &[OsString]) -> String {
    let mut path: Vec<&str> = Vec::new();
    let mut command = root;
    let mut words = args.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        } else if word.starts_with('-') {
            if takes_next(root, &word) || takes_next(command, &word) {
                words.next();
            }
        } else if let Some(child) = command.find_subcommand(word.as_ref()) {
            path.push(child.get_name());
            command = child;
        } else {
            break;
        }
    }
    path.join(" ")
}

/// Whether this option takes the next word as its value.
fn takes_next(command: &Command, option: &str) -> bool {
    command.get_arguments().any(|argument| {
        let named = match option.strip_prefix("--") {
            Some(long) => {
                argument.get_long() == Some(long)
                    || argument.get_all_aliases().is_some_and(|all| all.contains(&long))
            }
            None => argument.get_short().is_some_and(|short| option == format!("-{short}")),
        };
        named && argument.get_action().takes_values() && !argument.is_require_equals_set()
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn said(line: &str) -> Option<String> {
        let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let error = cli::Cli::try_parse_from(&args).expect_err(line);
        let mut out = Vec::new();
        let failure = failure(&error, &args)?;
        assert_eq!(failure.code(), 2);
        failure.show(&mut out, false);
        Some(String::from_utf8(out).expect("text"))
    }

    #[test]
    fn mistaken_commands_get_a_suggestion() {
        for (line, part) in [
            ("ovhai run image", "hint: run an app: ovhai app run IMAGE"),
            ("ovhai -o json list", "ovhai app list"),
            ("ovhai --region app notebook list", "AI Deploy"),
            ("ovhai app redeploy x", "ovhai app restart APP"),
            ("ovhai apps ssh x", "ovhai app exec APP -- COMMAND"),
            ("ovhai app run --memory 4Gi image", "ovhai app run has no option --memory"),
            ("ovhai app create --memory=4Gi image", "capabilities flavor list"),
            ("ovhai app run image --public", "--unsecure-http"),
            ("ovhai app run image -d", "returns immediately"),
            ("ovhai app run image python app.py", "-- COMMAND"),
            ("ovhai --token t app scale x 3", "--replicas N"),
            ("ovhai tokens rotate x", "token regenerate"),
            ("ovhai app curl x --retry 3", "sent once"),
            ("ovhai app curl x --connect-timeout=3", "--max-time"),
            ("ovhai app curl x -x http://proxy:1", "omit it"),
            ("ovhai app curl x --resolve a:1:b", "omit it"),
            ("ovhai app curl x -sL", "not followed"),
            ("ovhai app scale x --replicas=abc", "cause: it is not an integer"),
            ("ovhai app scale x --replicas 1.5", "invalid value \"1.5\" for --replicas <N>"),
            ("ovhai app logs x -n x", "--tail <LINES>"),
            ("ovhai app delete --forse x", "did you mean --force?"),
            ("ovhai app lst", "did you mean list?"),
            ("ovhai app lisst", "ovhai app has no command \"lisst\""),
            ("ovhai app list --previous", "see the help: ovhai help app list"),
            ("ovhai app run --nmae x image", "did you mean --name?"),
            ("ovhai ap list", "did you mean app?"),
            ("ovhai app list -A", "--region REGION"),
            ("ovhai config use x", "ovhai config set NAME"),
            ("ovhai app rollback x", "set-image"),
            ("ovhai app run --envs .env image", "--env-file FILE"),
            ("ovhai app run --watch image", "--reload DIR"),
            ("ovhai emulator reset", "ovhai app delete --all"),
        ] {
            let said = said(line).unwrap_or_else(|| panic!("{line}: nothing"));
            assert!(said.contains(part), "{line}: {said}");
        }
        assert!(!said("ovhai app run --memory=4Gi image").expect("advice").contains("4Gi"));
    }

    /// Advice about an existing word would never be shown.
    #[test]
    fn existing_commands_are_not_in_the_table() {
        let root = cli::tree();
        for advice in TABLE {
            let mut command = &root;
            for name in advice.path.split_whitespace() {
                command =
                    command.find_subcommand(name).unwrap_or_else(|| panic!("{}", advice.path));
                assert_eq!(command.get_name(), name);
            }
            for guess in advice.guesses.iter().filter(|guess| **guess != ANY_WORD) {
                let there = if guess.starts_with('-') {
                    command.get_arguments().any(|argument| {
                        let longs = argument.get_long_and_visible_aliases().unwrap_or_default();
                        let shorts = argument.get_short_and_visible_aliases().unwrap_or_default();
                        longs.iter().any(|long| *guess == format!("--{long}"))
                            || shorts.iter().any(|short| *guess == format!("-{short}"))
                    })
                } else {
                    command.find_subcommand(guess).is_some()
                };
                assert!(!there, "{} {guess}", advice.path);
            }
        }
    }
}
