//! A label query among very many apps.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Bench;
use super::http::Connection;
use super::noise;
use super::proc::Memory;
use super::process::output;
use super::report::{Figure, Section, Target, Unit};
use super::stats::{median, quantile};
use super::subject::{Emulator, state_directory};

/// Apps in all.
const APPS: usize = 100_000;
/// Apps that match.
const MATCHES: usize = 100;
/// List calls of a round.
const CALLS: usize = 200;
/// The call.
const PATH: &str = "/v1/app?labelSelector=team%3Dneedle&size=1000";
/// Time after which an emulator is idle.
const SETTLED: Duration = Duration::from_secs(1);

/// Makes many apps out of the one that is there: arguments are the database, how many apps, and
/// how many match.
const CLONE: &str = r"
import json, sqlite3, sys, uuid
path, count, matches = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
db = sqlite3.connect(path)
(first, record), = db.execute('SELECT id, record FROM app')
record = json.loads(record)
assert record['state'] == 'STOPPED', record['state']
every = count // matches
def clone(number):
    app = str(uuid.uuid4())
    copy = dict(record, id=app, seq=record['seq'] + number)
    copy['spec'] = dict(record['spec'], name=f'app-{number}')
    copy['labels'] = dict(
        record['labels'],
        **{'ovh/id': app, 'tier': f'tier-{number % 5}', 'shard': f'shard-{number % 1000}'},
        team='needle' if number % every == 0 else f'team-{number % 50}')
    return app, json.dumps(copy, separators=(',', ':'))
db.execute('DELETE FROM app')
db.executemany('INSERT INTO app (id, record) VALUES (?, ?)', map(clone, range(count)))
db.commit()
";

/// What one list call took.
struct Calls {
    median: f64,
    p99: f64,
}

struct Round {
    many: Calls,
    few: Calls,
}

pub(super) fn measure(bench: &Bench) -> Result<Section> {
    let empty = {
        let (_scratch, directory) = state_directory()?;
        let emulator = Emulator::start(&bench.binary, &directory)?;
        std::thread::sleep(SETTLED);
        let memory = Memory::of_tree(emulator.pid())?;
        emulator.stop()?;
        memory
    };
    let (_many_scratch, many_dir) = state_directory()?;
    let (_few_scratch, few_dir) = state_directory()?;
    seed(bench, &many_dir, APPS)?;
    seed(bench, &few_dir, MATCHES)?;
    let many = Emulator::start(&bench.binary, &many_dir)?;
    let few = Emulator::start(&bench.binary, &few_dir)?;
    std::thread::sleep(SETTLED);
    let loaded = Memory::of_tree(many.pid())?;
    check(&many, APPS)?;
    check(&few, MATCHES)?;

    let measured = noise::rounds(bench.options.rounds, "list by label", |number| {
        // The order changes from round to round.
        if number % 2 == 0 {
            let many = calls(&many)?;
            Ok(Round { many, few: calls(&few)? })
        } else {
            let few = calls(&few)?;
            Ok(Round { many: calls(&many)?, few })
        }
    })?;
    let asked = Memory::of_tree(many.pid())?;
    let (bytes, start) = (body(&many)?.len(), many.took);
    many.stop()?;
    few.stop()?;

    let rounds = &measured.kept;
    let once = [()];
    let each = |memory: f64| memory / APPS as f64;
    Ok(Section {
        title: "Label query",
        intro: format!(
            "One call `GET {PATH}`, whose selector matches {MATCHES} of {APPS} apps with three labels each \
             (besides the platform's two), compared with the same call to an emulator that has only \
             those {MATCHES}."
        ),
        figures: vec![
            Figure::new("list call, median", Unit::Time, rounds, |round| round.many.median)
                .beside("100 apps in all", rounds, |round| round.few.median)
                .target(Target::AtMost(0.002)),
            Figure::new("list call, p99", Unit::Time, rounds, |round| round.many.p99).beside(
                "100 apps in all",
                rounds,
                |round| round.few.p99,
            ),
            Figure::new("memory per app (RSS)", Unit::Bytes, &once, |()| {
                each(loaded.rss - empty.rss)
            }),
            Figure::new("memory per app (RSS), after the rounds", Unit::Bytes, &once, |()| {
                each(asked.rss - empty.rss)
            }),
            Figure::new("start with 100,000 apps, until the first 200", Unit::Time, &once, |()| {
                start.as_secs_f64()
            }),
        ],
        notes: vec![format!(
            "The response has {bytes} bytes of JSON. Memory and start are measured once, not per round; RSS \
             was {:.1} MiB with {APPS} apps, and {:.1} MiB without apps.",
            loaded.rss / 1024.0 / 1024.0,
            empty.rss / 1024.0 / 1024.0
        )],
        how: vec![
            format!(
                "One app is submitted to `ovhai emulator start --state-dir $STATE --port $PORT \
                 --quota unlimited` (`POST /v1/app` `{}`) and stopped; then the emulator is stopped. Python's sqlite3 clones its row in \
                 `$STATE/ovhai.db`, each clone STOPPED and with its own id, number, name and labels. Then \
                 the emulator is started again.",
                spec()
            ),
            format!(
                "A round's figure is the median (p99) of {CALLS} successive calls of the administrator on one \
                 keep-alive connection, from the first byte sent to the last byte received. Before the \
                 run, each response is checked for the {MATCHES} apps."
            ),
            format!(
                "Memory per app: `VmRSS` 1 s after the start with all apps, minus that of an emulator \
                 without apps, divided by {APPS}."
            ),
        ],
        tally: measured.tally,
    })
}

fn spec() -> Value {
    json!({
        "name": "seed",
        "image": "infrastructureascode/hello-world",
        "labels": { "team": "needle", "tier": "tier-0", "shard": "shard-0" },
    })
}

/// A state directory with this many apps, of which [`MATCHES`] match.
fn seed(bench: &Bench, directory: &Path, count: usize) -> Result<()> {
    let emulator = Emulator::start(&bench.binary, directory)?;
    let id = emulator.submit(&spec())?;
    emulator.wait_for(&id, "RUNNING")?;
    emulator.call("PUT", &format!("/v1/app/{id}/stop"), None)?;
    emulator.wait_for(&id, "STOPPED")?;
    emulator.stop()?;
    let mut clone = Command::new("python3");
    clone.args(["-c", CLONE]).arg(directory.join("ovhai.db"));
    output(clone.arg(count.to_string()).arg(MATCHES.to_string())).context("apps can't be made")?;
    Ok(())
}

fn body(emulator: &Emulator) -> Result<Vec<u8>> {
    let answer = Connection::open(emulator.port)?.exchange(&emulator.request("GET", PATH, None))?;
    Ok(answer.body)
}

/// The emulator must have all apps, and find those that match.
fn check(emulator: &Emulator, count: usize) -> Result<()> {
    let health = emulator.call("GET", super::subject::HEALTH, None)?;
    let apps = health.get("apps").and_then(Value::as_u64);
    if apps != Some(count as u64) {
        bail!("the emulator has {apps:?} apps, not {count}");
    }
    let list = emulator.call("GET", PATH, None)?;
    let items = list.get("items").and_then(Value::as_array).map_or(0, Vec::len);
    if items != MATCHES {
        bail!("{items} apps are listed, not {MATCHES}");
    }
    Ok(())
}

fn calls(emulator: &Emulator) -> Result<Calls> {
    let mut connection = Connection::open(emulator.port)?;
    let question = emulator.request("GET", PATH, None);
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let since = Instant::now();
        let answer = connection.exchange(&question)?;
        times.push(since.elapsed().as_secs_f64());
        if answer.status != 200 {
            bail!("the list call is answered with {}", answer.status);
        }
    }
    Ok(Calls { median: median(&times), p99: quantile(&times, 0.99) })
}
