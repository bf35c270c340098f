//! What a run of the program said to servers and was answered, for `ovhai debug` and `--verbose`.
//!
//! Secrets are taken out before anything is kept: strings of tokens and sessions, passwords,
//! values of environment variables. The file (`debug.jsonl` in the state directory, mode 0600) is
//! bounded: the oldest runs go first.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use ovhai_client::{Exchange, Recorder};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The file is halved when it is larger.
const LARGEST: u64 = 1024 * 1024;
/// Larger bodies are not kept.
const BODY_MAX: usize = 32 * 1024;
/// Of a question that was answered, when all went well.
const QUIET_BODY_MAX: usize = 4 * 1024;
/// Exchanges kept of one run; watching makes many.
const EXCHANGES_MAX: usize = 50;
const HIDDEN: &str = "***";

/// One run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Run {
    pub(crate) session: String,
    pub(crate) at: Timestamp,
    pub(crate) command: Vec<String>,
    pub(crate) exit_code: u8,
    pub(crate) requests: Vec<Request>,
}

/// One request and its answer, without secrets.
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) answer: Option<Value>,
}

/// Listens to what the clients of one run say.
#[derive(Default)]
pub(crate) struct Trace {
    requests: Mutex<Vec<Request>>,
    verbose: bool,
}

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trace")
    }
}

impl Recorder for Trace {
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
            // Nobody may be listening there.
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if requests.len() == EXCHANGES_MAX {
            requests.remove(0);
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
                |json| hidden(json, false),
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
        }
    }

    fn failed(&self) -> bool {
        self.status.is_none_or(|status| status >= 400)
    }
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "token", "secret", "authorization"].iter().any(|part| name.contains(part))
}

/// Tokens and the strings of sessions, wherever they stand in a text.
fn hide_in(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let found = ["eyJ", "ovhs_", "ovhr_"].iter().filter_map(|start| rest.find(start)).min();
        let Some(at) = found else {
            out.push_str(rest);
            return out;
        };
        out.push_str(&rest[..at]);
        out.push_str(HIDDEN);
        let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        rest = rest[at..].trim_start_matches(is_part);
    }
}

/// JSON without secrets; `env` says that a field named `value` is one of an environment variable.
fn hidden(json: Value, env: bool) -> Value {
    match json {
        Value::String(text) => Value::String(hide_in(&text)),
        Value::Array(all) => all.into_iter().map(|one| hidden(one, env)).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(name, value)| {
                let secret =
                    (is_secret_name(&name) || (env && name == "value")) && value.is_string();
                let value = if secret {
                    Value::String(HIDDEN.into())
                } else {
                    let env = name == "envVars";
                    hidden(value, env)
                };
                (name, value)
            })
            .collect(),
        other => other,
    }
}

/// Options whose value may be a secret.
const SECRET_OPTIONS: [&str; 14] = [
    "--token",
    "--password",
    "--env",
    "-e",
    "--header",
    "-H",
    "--data",
    "-d",
    "--data-raw",
    "--data-binary",
    "--data-urlencode",
    "--form",
    "-F",
    "--user",
];

/// A command line without secrets.
fn hide_arguments(arguments: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut next_is_secret = false;
    arguments
        .into_iter()
        .map(|argument| {
            if std::mem::take(&mut next_is_secret) {
                // The name of a variable or header tells something, and is no secret.
                return match argument.find(['=', ':']) {
                    Some(at) => format!("{}{HIDDEN}", &argument[..=at]),
                    None => HIDDEN.to_owned(),
                };
            }
            if SECRET_OPTIONS.contains(&argument.as_str()) {
                next_is_secret = true;
                return argument;
            }
            let is_secret = |option: &&&str| {
                let rest = argument.strip_prefix(**option);
                // `--token=T`, `-eA=B`.
                rest.is_some_and(|rest| rest.starts_with('=') || option.len() == 2)
            };
            match SECRET_OPTIONS.iter().find(is_secret) {
                Some(option) => format!("{option}={HIDDEN}"),
                None => hide_in(&argument),
            }
        })
        .collect()
}

impl Trace {
    pub(crate) fn new(verbose: bool) -> Self {
        Self { verbose, ..Self::default() }
    }

    /// Keeps the run in the file, if it talked to a server; gives the run's session when the last
    /// request failed. Whatever goes wrong here is not worth failing for.
    pub(crate) fn keep(
        &self,
        file: &Path,
        at: Timestamp,
        command: impl IntoIterator<Item = String>,
        exit_code: u8,
    ) -> Option<String> {
        let requests =
            std::mem::take(&mut *self.requests.lock().unwrap_or_else(PoisonError::into_inner));
        let failed = requests.last()?.failed() && exit_code != 0;
        let session = format!("{:08x}", random());
        let command = hide_arguments(command);
        let run = Run { session: session.clone(), at, command, exit_code, requests };
        let mut line = serde_json::to_vec(&run).ok()?;
        line.push(b'\n');
        append(file, &line).ok()?;
        failed.then_some(session)
    }
}

/// Unique is enough.
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

/// The runs that are kept, newest first. A line that is damaged is left out.
pub(crate) fn runs(path: &Path) -> Vec<Run> {
    let Ok(file) = File::open(path) else { return Vec::new() };
    let lines = BufReader::new(file).lines().map_while(Result::ok);
    let mut runs: Vec<Run> = lines.filter_map(|line| serde_json::from_str(&line).ok()).collect();
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
        }
    }

    #[test]
    fn secrets_are_not_kept() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("sub/debug.jsonl");
        let trace = Trace::default();
        trace.record(exchange(
            r#"{"envVars":[{"name":"KEY","value":"hush1"}],"password":"hush2"}"#,
            &format!(r#"{{"status":{{"value":"{TOKEN}"}},"message":"bad {TOKEN}, and ovhs_1_2"}}"#),
        ));
        trace.record(exchange("no json hush ovhr_ab_cd", ""));
        let command = [
            "ovhai",
            "--token",
            "hush3",
            "-e",
            "A=hush4",
            "--env=B=hush5",
            "--token=hush6",
            "-eC=hush7",
            "-H",
            "X-Key: hush8",
            "--password",
            "hush9",
            TOKEN,
            "-n",
            "name",
        ];
        let session = trace
            .keep(&file, Timestamp::UNIX_EPOCH, command.map(str::to_owned), 2)
            .expect("a failure");
        let text = std::fs::read_to_string(&file).expect("kept");
        for secret in ["hush1", "hush2", "hush3", "hush4", "hush5", "hush6", "hush7", "hush8"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        for secret in ["hush9", "payload", "ovhs_1", "ovhr_ab"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        let runs = runs(&file);
        assert_eq!((runs.len(), &runs[0].session), (1, &session));
        assert_eq!(runs[0].command.last().map(String::as_str), Some("name"));
        assert!(text.contains("KEY") && text.contains("bad ***"), "{text}");
    }

    #[test]
    fn the_file_is_bounded() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("debug.jsonl");
        for _ in 0..100 {
            let trace = Trace::default();
            trace.record(exchange(&"x".repeat(30_000), ""));
            trace.keep(&file, Timestamp::UNIX_EPOCH, [], 0);
        }
        let length = std::fs::metadata(&file).expect("kept").len();
        assert!(length < LARGEST + 100_000, "{length}");
        assert!(runs(&file).len() > 10);
    }
}
