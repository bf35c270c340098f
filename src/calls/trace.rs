//! The requests of a run and their responses, for `ovhai debug` and `--verbose`.
//!
//! Secrets are removed before anything is recorded: strings of tokens and sessions, passwords,
//! values of environment variables, and the environments of processes. The file (`debug.jsonl` in
//! the state directory, mode 0600) is bounded: the oldest runs go first.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use clap::ArgMatches;
use clap::parser::ValueSource;
use jiff::Timestamp;
use ovhai_client::{Exchange, Recorder, Waits};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::waiting::Waiting;

/// Size in bytes from which the file is halved.
const LARGEST: u64 = 1024 * 1024;
/// Maximum size in bytes of a recorded body.
const BODY_MAX: usize = 32 * 1024;
/// The same for a successful GET, if the run succeeded.
const QUIET_BODY_MAX: usize = 4 * 1024;
/// Maximum exchanges to record per run; `--watch` makes many.
const EXCHANGES_MAX: usize = 50;
/// Of these, the last ones keep their bodies.
const WHOLE: usize = 4;
/// Minimum length of a run of hexadecimal digits that is taken as a secret; an id has hyphens.
const LONG: usize = 32;
const HIDDEN: &str = "***";

/// One run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecordedRun {
    pub(crate) session: String,
    pub(crate) at: Timestamp,
    pub(crate) command: Vec<String>,
    pub(crate) exit_code: u8,
    pub(crate) requests: Vec<Request>,
}

/// One request and its response, without secrets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    pub(crate) milliseconds: f64,
    /// The emulator's clock when it answered, if that was moved.
    #[serde(default, rename = "domainTime", skip_serializing_if = "Option::is_none")]
    pub(crate) domain_time: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) answer: Option<Value>,
}

/// Records the exchanges of one run.
#[derive(Default)]
pub(crate) struct Trace {
    requests: Mutex<Vec<Request>>,
    waiting: Waiting,
    verbose: bool,
}

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trace")
    }
}

impl Trace {
    /// The server's domain time, if its last answer said that it differs from real time.
    pub(crate) fn domain_time(&self) -> Option<Timestamp> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.iter().rev().find(|request| request.status.is_some())?.domain_time
    }
}

impl Recorder for Trace {
    fn begin(&self) -> Waits {
        Box::new(self.waiting.begin())
    }

    fn record(&self, exchange: Exchange) {
        let request = Request::of(exchange);
        if self.verbose {
            let what = match (&request.status, &request.error) {
                (Some(status), _) => status.to_string(),
                (None, why) => why.clone().unwrap_or_default(),
            };
            let line = format!(
                "{} {} -> {what} ({:.1} ms)\n",
                request.method, request.url, request.milliseconds
            );
            // The reader may be gone.
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if requests.len() == EXCHANGES_MAX {
            requests.remove(0);
        }
        // Only the last ones keep their bodies.
        if let Some(older) = requests.len().checked_sub(WHOLE) {
            (requests[older].body, requests[older].answer) = (None, None);
        }
        requests.push(request);
    }
}

impl Request {
    fn of(exchange: Exchange) -> Self {
        let went_well = exchange.status.is_some_and(|status| status < 400);
        let quiet = went_well && exchange.method == "GET";
        let kept = |body: &[u8], most: usize| match body.len() {
            0 => None,
            length if length > most => Some(Value::String(format!("<{length} bytes>"))),
            _ => Some(serde_json::from_slice(body).map_or_else(
                |_| Value::String(hide_in(&String::from_utf8_lossy(body))),
                |json| hidden(json, ""),
            )),
        };
        let most = if quiet { QUIET_BODY_MAX } else { BODY_MAX };
        Self {
            body: kept(&exchange.body, BODY_MAX),
            answer: kept(&exchange.answer, most),
            method: exchange.method,
            url: exchange.url,
            status: exchange.status,
            error: exchange.error,
            milliseconds: exchange.elapsed.as_secs_f64() * 1000.0,
            domain_time: exchange.domain_time.and_then(|time| time.parse().ok()),
        }
    }

    fn failed(&self) -> bool {
        self.status.is_none_or(|status| status >= 400)
    }
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "token", "secret", "authorization", "apikey", "api_key"]
        .iter()
        .any(|part| name.contains(part))
}

/// Removes tokens, session strings and other long secrets from a text.
fn hide_in(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_secret = |word: &str| {
        ["eyJ", "ovhs_", "ovhr_"].iter().any(|start| word.contains(start))
            || (word.len() >= LONG && word.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    text.split_inclusive(|c| !is_part(c)).fold(String::with_capacity(text.len()), |out, piece| {
        let word = piece.trim_end_matches(|c| !is_part(c));
        if is_secret(word) { out + HIDDEN + &piece[word.len()..] } else { out + piece }
    })
}

/// Removes secrets from JSON, depending on the field: `value` is a token's string below `status`,
/// and a variable's value below `envVars`. A command may contain anything. Of an environment not
/// even the names are recorded.
fn hidden(json: Value, under: &str) -> Value {
    match json {
        _ if under == "environment" => Value::String(HIDDEN.into()),
        Value::String(_) if under == "command" => Value::String(HIDDEN.into()),
        Value::String(text) => Value::String(hide_in(&text)),
        Value::Array(all) => all.into_iter().map(|one| hidden(one, under)).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(name, value)| {
                let is_value = name == "value" && matches!(under, "status" | "envVars");
                let secret = value.is_string() && (is_value || is_secret_name(&name));
                let value =
                    if secret { Value::String(HIDDEN.into()) } else { hidden(value, &name) };
                (name, value)
            })
            .collect(),
        other => other,
    }
}

/// Arguments whose values are recorded, because they are useful and harmless. All other values are
/// hidden.
const SHOWN: &[&str] = &[
    "app",
    "auto_max_replicas",
    "auto_min_replicas",
    "by_token",
    "count",
    "cpu",
    "default_http_port",
    "first",
    "flavor",
    "follow",
    "gpu",
    "id",
    "image",
    "labels",
    "method",
    "name",
    "output",
    "port",
    "ports",
    "previous",
    "quota",
    "region",
    "registry",
    "replica",
    "replicas",
    "role",
    "runtime",
    "selector",
    "session",
    "session_affinity",
    "shell",
    "since",
    "state",
    "state_dir",
    "states",
    "tail",
    "token",
    "username",
];

fn without_path(value: &str) -> &str {
    let host = value.find("://").map_or(0, |at| at + 3);
    &value[..value[host..].find(['/', '?']).map_or(value.len(), |at| host + at)]
}

/// The command line, by argument names, without secrets.
pub(crate) fn shown(matches: &ArgMatches) -> Vec<String> {
    let mut words = vec!["ovhai".to_owned()];
    let mut level = Some(matches);
    let mut arguments = Vec::new();
    while let Some(matches) = level {
        for id in matches.ids() {
            let id = id.as_str();
            let typed = matches.value_source(id) == Some(ValueSource::CommandLine);
            // A group of arguments has the name of its struct.
            if !typed || id.starts_with(|first: char| first.is_ascii_uppercase()) {
                continue;
            }
            let values = matches.try_get_raw(id).ok().flatten().into_iter().flatten();
            let values: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
            // An app's address may have a path, which is not recorded.
            let values: Vec<_> = values
                .iter()
                .map(|value| if id == "app" { without_path(value) } else { value.as_ref() })
                .collect();
            let word = match values.as_slice() {
                [] => id.to_owned(),
                [one] if *one == "true" => id.to_owned(),
                // Occurrences without values add nothing.
                [times] if id == "verbose" => format!("{id}={times}"),
                many if id == "envs" => {
                    let names = many.iter().map(|one| match one.split_once('=') {
                        Some((name, _)) => format!("{name}={HIDDEN}"),
                        None => (*one).to_owned(),
                    });
                    format!("{id}={}", hide_in(&names.collect::<Vec<_>>().join(",")))
                }
                many if SHOWN.contains(&id) => format!("{id}={}", hide_in(&many.join(","))),
                _ => format!("{id}={HIDDEN}"),
            };
            // Global arguments are seen at every level.
            if !arguments.contains(&word) {
                arguments.push(word);
            }
        }
        level = matches.subcommand().map(|(name, matches)| {
            words.push(name.to_owned());
            matches
        });
    }
    arguments.sort_unstable();
    words.append(&mut arguments);
    words
}

impl Trace {
    /// The requests that wait for a response.
    pub(crate) fn waiting(&self) -> &Waiting {
        &self.waiting
    }

    /// Whether a server has answered anything.
    pub(crate) fn has_answer(&self) -> bool {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.iter().any(|request| request.status.is_some())
    }

    pub(crate) fn new(verbose: bool) -> Self {
        Self { verbose, ..Self::default() }
    }

    /// Records the run in the file if it talked to a server; returns the run's session if the last
    /// request failed. Errors here are ignored.
    pub(crate) fn keep(
        &self,
        file: &Path,
        at: Timestamp,
        command: Vec<String>,
        exit_code: u8,
    ) -> Option<String> {
        let requests =
            std::mem::take(&mut *self.requests.lock().unwrap_or_else(PoisonError::into_inner));
        let failed = requests.last()?.failed() && exit_code != 0;
        let session = format!("{:08x}", random());
        let run = RecordedRun { session: session.clone(), at, command, exit_code, requests };
        let mut line = serde_json::to_vec(&run).ok()?;
        line.push(b'\n');
        append(file, &line).ok()?;
        failed.then_some(session)
    }
}

/// It only needs to be unique.
fn random() -> u32 {
    use std::hash::BuildHasher;
    let hash = std::hash::RandomState::new().hash_one(std::process::id());
    u32::try_from(hash & u64::from(u32::MAX)).unwrap_or_default()
}

fn append(path: &Path, line: &[u8]) -> std::io::Result<()> {
    if !path.parent().is_some_and(Path::is_dir) {
        crate::private_file::make_directory(path)?;
    }
    let mut file = File::options().create(true).append(true).read(true).mode(0o600).open(path)?;
    file.lock()?;
    if file.metadata()?.len() > LARGEST {
        let text = std::fs::read(path)?;
        let half = text.len() / 2;
        let from =
            text[half..].iter().position(|byte| *byte == b'\n').map_or(0, |at| half + at + 1);
        file.set_len(0)?;
        file.write_all(&text[from..])?;
    }
    file.write_all(line)
}

/// The recorded runs, newest first, without damaged lines.
pub(crate) fn runs(path: &Path) -> Vec<RecordedRun> {
    let Ok(file) = File::open(path) else { return Vec::new() };
    let lines = BufReader::new(file).lines().map_while(Result::ok);
    let mut runs: Vec<RecordedRun> =
        lines.filter_map(|line| serde_json::from_str(&line).ok()).collect();
    runs.reverse();
    runs
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;

    const TOKEN: &str = concat!("eyJ", "hbGciOiJFZERTQSJ9.payload.signature");

    fn exchange(body: &str, answer: &str) -> Exchange {
        Exchange {
            method: "POST".into(),
            url: "http://localhost/v1/app".into(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            status: Some(400),
            error: None,
            answer: Bytes::copy_from_slice(answer.as_bytes()),
            elapsed: Duration::from_millis(3),
            domain_time: None,
        }
    }

    #[test]
    fn secrets_are_not_kept() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("sub/debug.jsonl");
        let trace = Trace::default();
        trace.record(exchange(
            r#"{"envVars":[{"name":"KEY","value":"hush1"}],"password":"hush2","command":["x","hush3"]}"#,
            &format!(
                r#"{{"status":{{"value":"hush4"}},"message":"bad {TOKEN}, and ovhs_1_2","command":"--env A=hush5"}}"#
            ),
        ));
        let environment = r#"{"region":"GRA","spec":{},"environment":{"HUSH_NAME":"hush6"}}"#;
        trace.record(exchange(environment, ""));
        let bearer = "0123456789abcdef".repeat(4);
        trace.record(exchange(&format!("no json hush ovhr_ab_cd {bearer}"), ""));
        let session =
            trace.keep(&file, Timestamp::UNIX_EPOCH, vec!["ovhai".into()], 2).expect("a failure");
        let text = std::fs::read_to_string(&file).expect("kept");
        for secret in
            ["hush1", "hush2", "hush3", "hush4", "hush5", "hush6", "HUSH_NAME", "ovhs_1", "ovhr_ab"]
        {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        assert!(!text.contains("payload") && !text.contains(&bearer), "{text}");
        let runs = runs(&file);
        assert_eq!((runs.len(), &runs[0].session), (1, &session));
        assert!(text.contains("KEY") && text.contains("bad ***, and ***"), "{text}");
    }

    /// In any spelling, only arguments that are known to be harmless are recorded.
    #[test]
    fn command_lines_are_stored_without_secrets() {
        use clap::CommandFactory;

        let kept = |line: &str| {
            let words = line.split(' ').map(|word| word.replace("TOKEN", TOKEN));
            let matches = crate::line::cli::Cli::command().try_get_matches_from(words);
            shown(&matches.expect("a command")).join(" ")
        };
        for line in [
            "ovhai --token hush app list",
            "ovhai app run x -qeKEY=hush --env=B=hush -- serve --key=hush",
            "ovhai app curl a /x?key=hush -sdpw=hush -siHX-Key:hush --data-ascii hush",
            "ovhai app curl a -Fa=hush",
            "ovhai login -u ann --password hush",
            "ovhai token explain TOKEN",
            "ovhai app get 0123456789abcdef0123456789abcdef",
        ] {
            let kept = kept(line);
            assert!(!kept.contains("hush") && !kept.contains("payload"), "{kept}");
            assert!(!kept.contains("0123456789abcdef0"), "{kept}");
        }
        assert_eq!(
            kept("ovhai app run x -n name -o json --replicas 2 -v a@b:/c --region GRA -q"),
            "ovhai app run first=x name=name output=json quiet region=GRA replicas=2 volumes=***"
        );
        assert_eq!(kept("ovhai app get x -vv"), "ovhai app get app=x verbose=2");
        assert_eq!(
            kept("ovhai app run x -e A=hush -e B=hush"),
            "ovhai app run envs=A=***,B=*** first=x"
        );
    }

    #[test]
    fn the_file_is_bounded() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("debug.jsonl");
        for _ in 0..100 {
            let trace = Trace::default();
            trace.record(exchange(&"x".repeat(30_000), ""));
            trace.keep(&file, Timestamp::UNIX_EPOCH, Vec::new(), 0);
        }
        let length = std::fs::metadata(&file).expect("kept").len();
        assert!(length < LARGEST + 100_000, "{length}");
        assert!(runs(&file).len() > 10);
    }
}
