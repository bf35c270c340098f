//! The memory that a proxy needs for an idle WebSocket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::Bench;
use super::super::noise::{self, Tally};
use super::super::proc::{Memory, Processes};
use super::super::report::{Figure, Target, Unit};
use super::config::OWN;
use super::frames;
use super::loads::{figure, in_turn};
use super::stage::{App, Door, Stage};

/// Sockets that are held.
pub(super) const SOCKETS: u32 = 1000;
/// Opened and closed before, so that one-time allocations of a proxy do not count.
const FIRST: u32 = 20;
/// Time after which a proxy is idle.
const SETTLED: Duration = Duration::from_secs(1);
/// Time-out for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest head of an answer that is believed.
const HEAD_MAX: u64 = 64 * 1024;

/// The rounds, at each of [`Door::PROXIES`]: memory of one socket.
pub(super) struct Sockets(Vec<Vec<Memory>>);

/// Every round has proxies that nothing has gone through yet: one that gives no memory back would
/// have it already.
pub(super) fn measure(bench: &Bench, tally: &mut Tally) -> Result<Sockets> {
    let name = "1,000 idle WebSockets";
    let measured = noise::rounds(bench.options.rounds, name, |number| {
        let stage = Stage::set_up(bench, 1)?;
        let memory = in_turn(&Door::PROXIES, number, |door| {
            hold(&stage, door).with_context(|| door.name())
        })?;
        stage.end()?;
        Ok(memory)
    })?;
    *tally += measured.tally;
    Ok(Sockets(measured.kept))
}

/// Memory of one of many sockets.
fn hold(stage: &Stage, door: Door) -> Result<Memory> {
    let memory = || Memory::of(&stage.proxy(&Processes::now()?, door));
    let (port, host) = (stage.port(door, App::Large), stage.host(App::Large));
    let open = |number| Socket::open(port, host, &stage.token, number);
    (0..FIRST).try_for_each(|number| open(number).map(drop))?;
    std::thread::sleep(SETTLED);
    let before = memory()?;
    let mut sockets = (0..SOCKETS).map(open).collect::<Result<Vec<_>>>()?;
    std::thread::sleep(SETTLED);
    let after = memory()?;
    // All of them were held, and none was forgotten.
    for (number, socket) in (0..).zip(&mut sockets) {
        socket.say(number).context("a socket that was idle")?;
    }
    let each = |after: f64, before: f64| (after - before) / f64::from(SOCKETS);
    Ok(Memory { rss: each(after.rss, before.rss), pss: each(after.pss, before.pss) })
}

/// A WebSocket to our own upstream.
pub(super) struct Socket(BufReader<TcpStream>);

impl Socket {
    /// Greets, and says something that has to come back.
    pub(super) fn open(port: u16, host: &str, token: &str, number: u32) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        let key = STANDARD.encode(u128::from(number).to_be_bytes());
        let head = format!(
            "GET {OWN}socket HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
             Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: {key}\r\n\r\n"
        );
        // A thousand of them should be no burden here.
        let mut socket = Self(BufReader::with_capacity(1024, stream));
        socket.0.get_mut().write_all(head.as_bytes())?;
        socket.greeted(&key)?;
        socket.say(number)?;
        Ok(socket)
    }

    fn greeted(&mut self, key: &str) -> Result<()> {
        let mut stream = (&mut self.0).take(HEAD_MAX);
        let (mut line, mut accepted) = (String::new(), None);
        stream.read_line(&mut line)?;
        if line.split(' ').nth(1) != Some("101") {
            bail!("the answer is {:?}", line.trim_end());
        }
        loop {
            line.clear();
            stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            if name.eq_ignore_ascii_case("sec-websocket-accept") {
                accepted = Some(value.trim().to_owned());
            }
        }
        if accepted.as_deref() != Some(&frames::accept(key)) {
            bail!("the key was answered with {accepted:?}");
        }
        Ok(())
    }

    pub(super) fn say(&mut self, number: u32) -> Result<()> {
        let text = format!("socket {number}");
        self.0.get_mut().write_all(&frames::masked(text.as_bytes(), number.to_be_bytes())?)?;
        let heard = frames::read(&mut self.0)?;
        if heard != text.as_bytes() {
            bail!("{text:?} came back as {:?}", String::from_utf8_lossy(&heard));
        }
        Ok(())
    }
}

impl Sockets {
    pub(super) fn figures(&self) -> [Figure; 2] {
        let of =
            |what, of: fn(&Memory) -> f64| figure(what, Unit::Bytes, &Door::PROXIES, &self.0, of);
        [
            of("memory of an idle WebSocket (PSS)", |memory| memory.pss)
                .target(Target::AtMost(40.0 * 1024.0)),
            of("memory of an idle WebSocket (RSS)", |memory| memory.rss),
        ]
    }
}
