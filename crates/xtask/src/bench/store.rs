//! Durable creations, beside what SQLite itself commits on the same disk.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::Bench;
use super::http::Connection;
use super::noise;
use super::process::{Scratch, output};
use super::report::{Figure, Section, Unit};
use super::subject::{Emulator, state_directory};

/// Connections that create at once.
const CONNECTIONS: usize = 16;
/// Creations before those that count: the write-ahead log has its full length by then, and
/// overwriting it is another thing to a file system than growing it.
const WARM_UP: usize = 1000;
/// The kind of object that is created.
const TOKEN: &str = r#"{"name":"bench","role":"ai_training_read","labelSelector":"group=A"}"#;

/// Commits rows of a size one by one for a time: arguments are the file, the bytes, the
/// seconds, and the rows before those that count.
const COMMIT: &str = r"
import json, sqlite3, sys, time, uuid
path, size, seconds, warm_up = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
db = sqlite3.connect(path, isolation_level=None)
assert db.execute('PRAGMA journal_mode=WAL').fetchone() == ('wal',)
db.execute('PRAGMA synchronous=FULL')
db.execute('CREATE TABLE token (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID')
record = 'x' * size
def insert():
    db.execute('INSERT INTO token (id, record) VALUES (?, ?)', (str(uuid.uuid4()), record))
for _ in range(warm_up):
    insert()
rows, start = 0, time.perf_counter()
while True:
    insert()
    rows += 1
    took = time.perf_counter() - start
    if took >= seconds:
        break
print(json.dumps({'rows': rows, 'seconds': took}))
";

/// Size of a row that `ovhai` writes for a token, and how many there are: the argument is the file.
const SIZE: &str = r#"
import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
rows, size = db.execute("SELECT count(*), avg(length(record)) FROM record WHERE kind = 'token'").fetchone()
print(json.dumps({'rows': rows, 'size': round(size)}))
"#;

#[derive(Deserialize)]
struct Committed {
    rows: f64,
    seconds: f64,
}

#[derive(Deserialize)]
struct Written {
    rows: u64,
    size: u64,
}

struct Round {
    one: f64,
    many: f64,
    sqlite: f64,
}

pub(super) fn measure(bench: &Bench) -> Result<Section> {
    let time = bench.options.load;
    // Once unmeasured, which also tells the size of a row.
    let size = create(bench, 1, Duration::from_secs(1))?.1;
    let measured = noise::rounds(bench.options.rounds, "creations", |number| {
        let mut round = Round { one: f64::NAN, many: f64::NAN, sqlite: f64::NAN };
        for turn in 0..3 {
            // Each is first, second, third in its turn.
            match (number + turn) % 3 {
                0 => round.one = create(bench, 1, time)?.0,
                1 => round.many = create(bench, CONNECTIONS, time)?.0,
                _ => round.sqlite = commit(size, time)?,
            }
        }
        Ok(round)
    })?;
    let rounds = &measured.kept;
    let figure = |what, of: fn(&Round) -> f64| {
        Figure::new(what, Unit::PerSecond, rounds, of).beside(
            "SQLite, one row per commit",
            rounds,
            |round| round.sqlite,
        )
    };
    let seconds = time.as_secs();
    Ok(Section {
        title: "Durable creations",
        intro: "Tokens created per second, each on the disk before it is answered, compared with SQLite's \
                own rate of single-row commits to a file on the same disk."
            .into(),
        figures: vec![
            figure("creations/s, 1 connection", |round| round.one),
            figure("creations/s, 16 connections", |round| round.many),
        ],
        notes: vec![
            format!("A row holds {size} bytes of JSON in both files."),
            "At 16 connections `ovhai` gathers the waiting creations into one commit; the SQLite loop \
             commits every row."
                .into(),
        ],
        how: vec![
            "`ovhai emulator start --state-dir $STATE --port $PORT --quota unlimited`, with a \
             new directory for every measurement"
                .into(),
            format!(
                "`POST /v1/token` `{TOKEN}` in a loop for {seconds} s, on one keep-alive connection and on \
                 {CONNECTIONS} at once (one thread each), after {WARM_UP} uncounted calls; responses per \
                 second. Then the emulator is stopped, and its file must have one row per response."
            ),
            format!(
                "SQLite: for {seconds} s, one `INSERT` per commit of a row of the same size into a table of \
                 the same form, with Python's sqlite3, `journal_mode=WAL` and `synchronous=FULL` (the \
                 settings of `ovhai`), after {WARM_UP} uncounted rows."
            ),
        ],
        tally: measured.tally,
    })
}

/// Creates tokens for a time; answers the rate and the size of a row in bytes.
fn create(bench: &Bench, connections: usize, time: Duration) -> Result<(f64, u64)> {
    let (_scratch, directory) = state_directory()?;
    let emulator = Emulator::start(&bench.binary, &directory)?;
    let question = emulator.request("POST", "/v1/token", Some(TOKEN));
    let mut connection = Connection::open(emulator.port)?;
    for _ in 0..WARM_UP {
        connection.exchange(&question)?.json()?;
    }
    let since = Instant::now();
    let counts: Vec<Result<u64>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..connections)
            .map(|_| scope.spawn(|| create_until(&question, emulator.port, since + time)))
            .collect();
        let lost = |_| Err(anyhow::anyhow!("a thread has panicked"));
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(lost)).collect()
    });
    let took = since.elapsed().as_secs_f64();
    let created = counts.into_iter().sum::<Result<u64>>()?;
    emulator.stop()?;
    let Written { rows, size } = written(&directory)?;
    let answered = created + WARM_UP as u64;
    if rows != answered {
        bail!("{answered} creations were answered, {rows} are in the file");
    }
    Ok((created as f64 / took, size))
}

fn create_until(question: &[u8], port: u16, end: Instant) -> Result<u64> {
    let mut connection = Connection::open(port)?;
    let mut count = 0;
    while Instant::now() < end {
        let answer = connection.exchange(question)?;
        if answer.status != 200 {
            bail!("a creation is answered with {}", answer.status);
        }
        count += 1;
    }
    Ok(count)
}

fn written(directory: &Path) -> Result<Written> {
    let file = directory.join("ovhai.db");
    let text = output(Command::new("python3").args(["-c", SIZE]).arg(file))?;
    serde_json::from_str(&text).context("Python says no size")
}

/// SQLite's own rate.
fn commit(size: u64, time: Duration) -> Result<f64> {
    let scratch = Scratch::new()?;
    let mut command = Command::new("python3");
    command.args(["-c", COMMIT]).arg(scratch.join("peer.db"));
    command.args([size.to_string(), time.as_secs().to_string(), WARM_UP.to_string()]);
    let text = output(&mut command)?;
    let Committed { rows, seconds } = serde_json::from_str(&text)?;
    Ok(rows / seconds)
}
