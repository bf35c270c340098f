//! The upstream of streams and sockets: `cargo xtask bench upstream PORT`, run by the
//! benchmark itself. It is to cost little beside the proxy that is measured: bodies go out in
//! large pieces, those that come in are counted and dropped, a thread serves each connection.
//!
//! - `GET /own/bytes/N`: N bytes.
//! - `POST /own/count`: how many bytes came.
//! - `GET /own/socket` with `Upgrade: websocket`: a socket that echoes.
//! - anything else: 200.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use anyhow::{Context, Result};

use super::frames;

/// Size of a write.
pub(super) const PIECE: usize = 1024 * 1024;
/// Size of a read.
pub(super) const BUFFER: usize = 256 * 1024;
/// A thread that waits needs no more.
const STACK: usize = 64 * 1024;
/// Maximum size of a request's head.
const HEAD_MAX: u64 = 64 * 1024;

/// Serves until it is ended.
pub(in crate::bench) fn serve(port: &str) -> Result<()> {
    let port: u16 = port.parse().context("a port is a number")?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    for stream in listener.incoming() {
        let stream = stream?;
        let serve = move || {
            // A client that disconnects early is noticed at the other end.
            let _ = connection(stream);
        };
        std::thread::Builder::new().stack_size(STACK).spawn(serve)?;
    }
    Ok(())
}

/// What a request's head says, as far as it matters here.
#[derive(Debug, Default, PartialEq, Eq)]
struct Head {
    target: String,
    length: u64,
    chunked: bool,
    /// `Sec-WebSocket-Key`.
    key: Option<String>,
}

impl Head {
    /// None at the end of the connection.
    fn read(stream: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut stream = stream.take(HEAD_MAX);
        let (mut head, mut line) = (Self::default(), String::new());
        if stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        line.split(' ').nth(1).unwrap_or_default().clone_into(&mut head.target);
        loop {
            line.clear();
            stream.read_line(&mut line)?;
            if !line.ends_with('\n') {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let Some((name, value)) = line.trim_end().split_once(':') else {
                return Ok(Some(head));
            };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => head.length = value.parse().map_err(io::Error::other)?,
                "transfer-encoding" => head.chunked = true,
                "sec-websocket-key" => head.key = Some(value.to_owned()),
                _ => {}
            }
        }
    }
}

fn connection(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::with_capacity(16 * 1024, stream);
    while let Some(head) = Head::read(&mut stream)? {
        if let Some(key) = head.key {
            let head = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {}\r\n\r\n",
                frames::accept(&key)
            );
            stream.get_mut().write_all(head.as_bytes())?;
            return echo(&mut stream);
        }
        let received =
            if head.chunked { chunks(&mut stream)? } else { drain(&mut stream, head.length)? };
        let answer = match head.target.strip_prefix(super::config::OWN) {
            Some("count") => received.to_string(),
            Some(rest) if rest.starts_with("bytes/") => {
                let size = rest["bytes/".len()..].parse().map_err(io::Error::other)?;
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n");
                stream.get_mut().write_all(head.as_bytes())?;
                send(stream.get_mut(), size)?;
                continue;
            }
            _ => "ready".into(),
        };
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
        stream.get_mut().write_all(answer.as_bytes())?;
    }
    Ok(())
}

/// Sends this many zeros.
pub(super) fn send(stream: &mut TcpStream, size: u64) -> io::Result<()> {
    let zeros = vec![0; PIECE];
    let mut left = size;
    while left > 0 {
        let piece = usize::try_from(left).map_or(PIECE, |left| left.min(PIECE));
        left -= stream.write(&zeros[..piece])? as u64;
    }
    Ok(())
}

/// Reads this many bytes and drops them.
pub(super) fn drain(stream: &mut BufReader<TcpStream>, size: u64) -> io::Result<u64> {
    let mut left = size;
    let buffered = stream.buffer().len().min(usize::try_from(left).unwrap_or(usize::MAX));
    stream.consume(buffered);
    left -= buffered as u64;
    let mut buffer = if left > 0 { vec![0; BUFFER] } else { Vec::new() };
    while left > 0 {
        let room = usize::try_from(left).map_or(BUFFER, |left| left.min(BUFFER));
        match stream.get_mut().read(&mut buffer[..room])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            got => left -= got as u64,
        }
    }
    Ok(size)
}

/// The same of a chunked body.
fn chunks(stream: &mut BufReader<TcpStream>) -> io::Result<u64> {
    let (mut total, mut line) = (0, String::new());
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let size = u64::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
        total += drain(stream, size)?;
        line.clear();
        stream.read_line(&mut line)?;
        if size == 0 {
            return Ok(total);
        }
    }
}

/// Echoes messages until the other end is gone.
fn echo(stream: &mut BufReader<TcpStream>) -> io::Result<()> {
    loop {
        let text = frames::read(stream)?;
        stream.get_mut().write_all(&frames::unmasked(&text)?)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() -> io::Result<()> {
        let text = b"POST /own/count HTTP/1.1\r\nHost: x\r\ncontent-LENGTH:  12\r\n\r\nrest";
        let mut stream = &text[..];
        let head = Head::read(&mut stream)?.unwrap_or_default();
        assert_eq!((head.target.as_str(), head.length, head.chunked), ("/own/count", 12, false));
        assert_eq!(stream, b"rest");
        assert_eq!(Head::read(&mut &b""[..])?, None);
        assert!(Head::read(&mut &b"GET / HTTP/1.1\r\nHost"[..]).is_err());
        Ok(())
    }
}
