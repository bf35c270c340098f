//! One GiB each way: how long it takes, what it costs, and how much memory the proxy takes for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::super::Bench;
use super::super::noise::{self, Tally};
use super::super::proc::{self, Processes, TICK_MS};
use super::super::report::{Figure, Target, Unit};
use super::config::OWN;
use super::loads::{figure, in_turn};
use super::stage::{App, Door, Stage};
use super::upstream;

/// Bytes of a body.
pub(super) const SIZE: u64 = 1024 * 1024 * 1024;
/// Longest head of an answer that is believed.
const HEAD_MAX: u64 = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Down,
    Up,
}

/// One body through one door.
struct Shot {
    /// Bytes a second.
    rate: f64,
    /// Seconds of the proxy's CPU.
    cpu: f64,
    /// Bytes by which the proxy's memory grew at its peak.
    growth: f64,
}

/// The rounds, at each of [`Door::ALL`].
pub(super) struct Streams {
    down: Vec<Vec<Shot>>,
    up: Vec<Vec<Shot>>,
}

pub(super) fn measure(bench: &Bench, stage: &Stage, tally: &mut Tally) -> Result<Streams> {
    // Before anything is streamed: memory that is kept from one body to the next counts each time.
    let processes = Processes::now()?;
    let resident = |door| proc::resident(&stage.proxy(&processes, door));
    let resident = Door::ALL.map(|door| Ok((door, resident(door)?)));
    let resident = resident.into_iter().collect::<Result<Vec<_>>>()?;
    let before =
        |door| resident.iter().find(|(known, _)| *known == door).map_or(0.0, |(_, rss)| *rss);
    let mut rounds = |name: &str, way: Way| -> Result<Vec<Vec<Shot>>> {
        // Once unmeasured, a small part.
        for door in Door::ALL {
            pass(stage, door, way, SIZE / 16).with_context(|| door.name())?;
        }
        let measured = noise::rounds(bench.options.rounds, name, |number| {
            in_turn(&Door::ALL, number, |door| {
                shoot(stage, door, way, before(door)).with_context(|| door.name())
            })
        })?;
        *tally += measured.tally;
        Ok(measured.kept)
    };
    Ok(Streams { down: rounds("1 GiB down", Way::Down)?, up: rounds("1 GiB up", Way::Up)? })
}

fn shoot(stage: &Stage, door: Door, way: Way, resident: f64) -> Result<Shot> {
    let processes = Processes::now()?;
    let proxy = stage.proxy(&processes, door);
    let before = processes.own(&proxy);
    proc::forget_peak(&proxy)?;
    let since = Instant::now();
    pass(stage, door, way, SIZE)?;
    let took = since.elapsed().as_secs_f64();
    let used = Processes::now()?.own(&proxy).saturating_sub(before);
    Ok(Shot {
        rate: SIZE as f64 / took,
        cpu: used as f64 * TICK_MS / 1e3,
        growth: (proc::peak(&proxy)? - resident).max(0.0),
    })
}

/// Sends or gets a body, and makes sure that all of it has come.
fn pass(stage: &Stage, door: Door, way: Way, size: u64) -> Result<()> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, stage.port(door, App::Large)))?;
    stream.set_nodelay(true)?;
    let mut stream = BufReader::with_capacity(16 * 1024, stream);
    let (question, length) = match way {
        Way::Down => (format!("GET {OWN}bytes/{size}"), String::new()),
        Way::Up => (format!("POST {OWN}count"), format!("Content-Length: {size}\r\n")),
    };
    let head = format!(
        "{question} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n{length}\r\n",
        stage.host(App::Large),
        stage.token
    );
    stream.get_mut().write_all(head.as_bytes())?;
    if way == Way::Up {
        upstream::send(stream.get_mut(), size)?;
    }
    let length = answer(&mut stream)?;
    match way {
        Way::Down if length == size => upstream::drain(&mut stream, size).map(drop)?,
        Way::Down => bail!("{length} bytes were announced, not {size}"),
        Way::Up => {
            let mut text = String::new();
            stream.take(length).read_to_string(&mut text)?;
            if text != size.to_string() {
                bail!("{text:?} bytes have come, not {size}");
            }
        }
    }
    Ok(())
}

/// Reads the head of a 200, and answers the length of its body.
fn answer(stream: &mut impl BufRead) -> Result<u64> {
    let mut stream = stream.take(HEAD_MAX);
    let mut line = String::new();
    stream.read_line(&mut line)?;
    if line.split(' ').nth(1) != Some("200") {
        bail!("the answer is {:?}", line.trim_end());
    }
    let mut length = None;
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            bail!("the answer has no end");
        }
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse()?);
        }
    }
    length.context("the answer does not say how long it is")
}

impl Streams {
    pub(super) fn figures(&self) -> Vec<Figure> {
        let (all, proxies) = (&Door::ALL, &Door::PROXIES);
        let enough = Target::RatioAtLeast(1.5);
        let (rate, cpu) = (Unit::BytesPerSecond, Unit::Time);
        let (down, up) = (&self.down, &self.up);
        vec![
            figure("1 GiB down, bytes/s", rate, all, down, |shot| shot.rate).target(enough),
            figure("1 GiB up, bytes/s", rate, all, up, |shot| shot.rate).target(enough),
            figure("1 GiB down, proxy CPU time", cpu, proxies, down, |shot| shot.cpu),
            figure("1 GiB up, proxy CPU time", cpu, proxies, up, |shot| shot.cpu),
            figure("1 GiB down, peak growth of proxy memory", Unit::Bytes, proxies, down, |shot| {
                shot.growth
            }),
            figure("1 GiB up, peak growth of proxy memory", Unit::Bytes, proxies, up, |shot| {
                shot.growth
            }),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_complete_200_counts() -> Result<()> {
        let mut good = &b"HTTP/1.1 200 OK\r\nX: y\r\ncontent-length: 12\r\n\r\nrest"[..];
        assert_eq!(answer(&mut good)?, 12);
        assert_eq!(good, b"rest");
        for bad in [
            "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3",
        ] {
            assert!(answer(&mut bad.as_bytes()).is_err(), "{bad}");
        }
        Ok(())
    }
}
