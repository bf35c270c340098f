//! The cost of a command.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Bench;
use super::cost::{Contest, LOOKS, RUNS, again, memory_shell};
use super::noise::Tally;
use super::process::{Scratch, output, shell};
use super::report::{Section, Target};
use super::subject::{Emulator, here, ovhai, state_directory};
use super::tools;

/// Apps of the stages.
const FEW: usize = 20;
const MANY: usize = 1000;
/// The one that is queried, and whose name is completed; both stages have it.
const APP: &str = "app-7";
/// What `ovhai app list` asks for.
const LIST: &str = "/v1/app?fields=row&size=1000&page=1";
/// What the app answers.
const ANSWER: &str = "Hello, World!";

const VERSION: Target = Target::RatioAtMost(0.3);
const REQUEST: Target = Target::RatioAtMost(0.6);
const COMPLETION: Target = Target::AtMost(0.010);

/// Names of a command's measurements on a stage.
struct Names {
    list: [&'static str; 3],
    query: [&'static str; 3],
    completion: [&'static str; 3],
}

const WITH_FEW: Names = Names {
    list: [
        "`ovhai app list`, 20 apps, wall",
        "`ovhai app list`, 20 apps, CPU",
        "`ovhai app list`, 20 apps, memory",
    ],
    query: [
        "`ovhai app curl NAME`, 20 apps, wall",
        "`ovhai app curl NAME`, 20 apps, CPU",
        "`ovhai app curl NAME`, 20 apps, memory",
    ],
    completion: [
        "completion of a name, 20 apps, wall",
        "completion of a name, 20 apps, CPU",
        "completion of a name, 20 apps, memory",
    ],
};

const WITH_MANY: Names = Names {
    list: [
        "`ovhai app list`, 1,000 apps, wall",
        "`ovhai app list`, 1,000 apps, CPU",
        "`ovhai app list`, 1,000 apps, memory",
    ],
    query: [
        "`ovhai app curl NAME`, 1,000 apps, wall",
        "`ovhai app curl NAME`, 1,000 apps, CPU",
        "`ovhai app curl NAME`, 1,000 apps, memory",
    ],
    completion: [
        "completion of a name, 1,000 apps, wall",
        "completion of a name, 1,000 apps, CPU",
        "completion of a name, 1,000 apps, memory",
    ],
};

pub(super) fn measure(bench: &Bench) -> Result<Section> {
    let curl = tools::program("curl")?;
    let version = |program: Command| with(program, &["--version"]);
    let versions = Contest {
        name: "--version",
        figures: ["`ovhai --version`, wall", "`ovhai --version`, CPU", "`ovhai --version`, memory"],
        subject: version(ovhai(&bench.binary)),
        peer: ("curl --version", version(Command::new(&curl))),
        target: VERSION,
    };
    let (mut tally, mut how) = (Tally::default(), Vec::new());
    let rounds = bench.options.rounds;
    let mut figures = Vec::from(versions.measure(rounds, &mut tally)?);
    how.extend([&versions.subject, &versions.peer.1].map(|command| quoted(command, &[])));
    for (count, names) in [(FEW, WITH_FEW), (MANY, WITH_MANY)] {
        let stage = Stage::set_up(bench, count)?;
        let contests = stage.contests(&bench.binary, &curl, names);
        stage.check(&contests)?;
        for contest in &contests {
            figures.extend(contest.measure(rounds, &mut tally)?);
        }
        if count == FEW {
            how.extend(stage.how(&contests));
        }
        stage.emulator.stop()?;
    }
    how.extend([
        format!(
            "Times: batches of {RUNS} runs, one after the other, with the output to `/dev/null`; the \
             batch's wall time and the CPU time of its processes (`cutime` and `cstime` of \
             `/proc/self/stat`), each divided by {RUNS}. Memory: the largest resident set of a run \
             (`{} COMMAND`), the median of {LOOKS} runs.",
            memory_shell()?
        ),
        "Before the run, every command's output is checked: all apps, the app's response, the matching \
         names. CPU time and memory are the command's alone; wall time includes the emulator's work, \
         on both sides."
            .into(),
    ]);
    Ok(Section {
        title: "Command line",
        intro: format!(
            "One run of a command, from its start to its exit, with {FEW} and with {MANY} running apps, \
             compared with `curl` sending the same request. `ovhai app curl NAME` also finds the app \
             by its name, and the stored token that has access; `curl` gets URL and token as arguments. \
             Completion is the command that a shell runs for Tab after the first characters of an \
             app's name; `curl`, which lists the same apps, is there for comparison only."
        ),
        figures,
        notes: Vec::new(),
        how,
        tally,
    })
}

fn with(mut command: Command, arguments: &[&str]) -> Command {
    command.args(arguments);
    command
}

fn quoted(command: &Command, stand_ins: &[(&str, &str)]) -> String {
    format!("`{}`", shell(command, stand_ins))
}

/// An emulator with apps, and a token that opens them.
struct Stage {
    emulator: Emulator,
    directory: PathBuf,
    apps: usize,
    /// Where [`APP`] is reached.
    url: String,
    token: String,
    _scratch: Scratch,
}

impl Stage {
    fn set_up(bench: &Bench, apps: usize) -> Result<Self> {
        let (scratch, directory) = state_directory()?;
        let emulator = Emulator::start(&bench.binary, &directory)?;
        let mut ids = Vec::with_capacity(apps);
        for number in 0..apps {
            ids.push(emulator.submit(&json!({
                "name": format!("app-{number}"),
                "image": "infrastructureascode/hello-world",
                "labels": { "group": "A" },
            }))?);
        }
        let mut url = None;
        for id in &ids {
            emulator.wait_for(id, "RUNNING")?;
            let app = emulator.call("GET", &format!("/v1/app/{id}"), None)?;
            if app.pointer("/spec/name").and_then(Value::as_str) == Some(APP) {
                url = app.pointer("/status/url").and_then(Value::as_str).map(str::to_owned);
            }
        }
        let token = output(&mut token_command(&bench.binary, &directory))?;
        let token: Value = serde_json::from_str(&token)?;
        let value = token.pointer("/status/value").and_then(Value::as_str);
        Ok(Self {
            emulator,
            directory,
            apps,
            url: url.with_context(|| format!("{APP} has no URL"))?,
            token: value.context("the new token has no value")?.to_owned(),
            _scratch: scratch,
        })
    }

    fn contests(&self, binary: &Path, curl: &Path, names: Names) -> [Contest; 3] {
        let (here, get) = (|| here(binary, &self.directory), || self.get_command(curl));
        [
            Contest {
                name: names.list[0],
                figures: names.list,
                subject: with(here(), &["app", "list"]),
                peer: ("curl", get()),
                target: REQUEST,
            },
            Contest {
                name: names.query[0],
                figures: names.query,
                subject: with(here(), &["app", "curl", APP]),
                peer: ("curl", self.query_command(curl)),
                target: REQUEST,
            },
            Contest {
                name: names.completion[0],
                figures: names.completion,
                subject: complete_command(binary, &self.directory),
                peer: ("curl of the list", get()),
                target: COMPLETION,
            },
        ]
    }

    /// The request of `ovhai app list`.
    fn get_command(&self, curl: &Path) -> Command {
        let mut command = Command::new(curl);
        command
            .args(["-s", "-H", &format!("Authorization: Bearer {}", self.emulator.administrator)])
            .arg(format!("http://127.0.0.1:{}{LIST}", self.emulator.port));
        command
    }

    /// The request of `ovhai app curl` to the app.
    fn query_command(&self, curl: &Path) -> Command {
        let host = self.host();
        let mut command = Command::new(curl);
        command.args(["-s", "-H", &format!("Authorization: Bearer {}", self.token)]).args([
            "--resolve",
            &format!("{host}:127.0.0.1"),
            &self.url,
        ]);
        command
    }

    /// Host and port of the app.
    fn host(&self) -> &str {
        let host = self.url.split_once("://").map_or(&*self.url, |(_, rest)| rest);
        host.split('/').next().unwrap_or(host)
    }

    /// Subject and peer must show the same.
    fn check(&self, contests: &[Contest; 3]) -> Result<()> {
        let [list, query, completion] = contests;
        let said = |command: &Command| output(&mut again(command));
        let is_app = |word: &&str| word.starts_with("app-");

        let shown = said(&list.subject)?;
        let rows = shown.split_whitespace().filter(is_app).count();
        let got: Value = serde_json::from_str(&said(&list.peer.1)?)?;
        let items = got.get("items").and_then(Value::as_array).map_or(0, Vec::len);
        if (rows, items) != (self.apps, self.apps) {
            bail!("{} apps should be listed; ovhai shows {rows}, curl {items}", self.apps);
        }
        for command in [&query.subject, &query.peer.1] {
            let answer = said(command)?;
            if answer.trim() != ANSWER {
                bail!("{APP} should answer {ANSWER:?}, not {answer:?}");
            }
        }
        let words = said(&completion.subject)?;
        let found: Vec<&str> = words.split_whitespace().collect();
        let fits = (0..self.apps).filter(|number| format!("app-{number}").starts_with(APP)).count();
        if found.len() != fits || !found.iter().all(|word| word.starts_with(APP)) {
            bail!("{fits} names begin with {APP}; completed are {found:?}");
        }
        Ok(())
    }

    fn how(&self, contests: &[Contest; 3]) -> Vec<String> {
        let (directory, port) = (self.directory.to_string_lossy(), self.emulator.port.to_string());
        let stand_ins = [
            (self.emulator.administrator.as_str(), "$ADMINISTRATOR"),
            (self.token.as_str(), "$TOKEN"),
            (self.host(), "$HOST"),
            (port.as_str(), "$PORT"),
            (&*directory, "$DIR"),
        ];
        let [list, query, completion] = contests;
        let commands =
            [&list.subject, &list.peer.1, &query.subject, &query.peer.1, &completion.subject];
        let mut how = vec![format!(
            "{FEW} ({MANY}) times `POST /v1/app` `{{\"image\":\"infrastructureascode/hello-world\",\
             \"labels\":{{\"group\":\"A\"}},\"name\":\"app-$N\"}}`, until all are RUNNING; then `ovhai token new reader --selector group=A --role read`, which \
             stores the token string in the state directory."
        )];
        how.extend(commands.map(|command| quoted(command, &stand_ins)));
        how
    }
}

fn token_command(binary: &Path, directory: &Path) -> Command {
    let words = ["token", "new", "reader", "--selector", "group=A", "--role", "read"];
    with(with(here(binary, directory), &words), &["--output", "json"])
}

/// What the script of bash runs at `ovhai app get app-7<Tab>`.
fn complete_command(binary: &Path, directory: &Path) -> Command {
    let mut command = ovhai(binary);
    command
        .env("COMPLETE", "bash")
        .env("OVHAI_STATE_DIR", directory)
        .env("_CLAP_COMPLETE_INDEX", "3")
        .args(["--", "ovhai", "app", "get", APP]);
    command
}
