//! The smallest HTTP/1.1 client that serves: one keep-alive connection, no redirects, no TLS.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Nothing that is measured takes this long.
const TIMEOUT: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; an error that shows the answer unless its status is of the 200s.
    pub(super) fn json(&self) -> Result<serde_json::Value> {
        if !(200..300).contains(&self.status) {
            bail!("the answer is {}: {}", self.status, String::from_utf8_lossy(&self.body));
        }
        if self.body.is_empty() {
            return Ok(serde_json::Value::Null);
        }
        serde_json::from_slice(&self.body).context("the answer is not JSON")
    }
}

/// A connection to a port of this machine.
#[derive(Debug)]
pub(super) struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub(super) fn open(port: u16) -> io::Result<Self> {
        Self::of(TcpStream::connect((Ipv4Addr::LOCALHOST, port))?)
    }

    /// To any address, if it accepts within this time.
    pub(super) fn open_within(time: Duration, address: SocketAddr) -> io::Result<Self> {
        Self::of(TcpStream::connect_timeout(&address, time)?)
    }

    fn of(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        Ok(Self { stream: BufReader::with_capacity(256 * 1024, stream) })
    }

    /// Sends a request made by [`request`] and reads its answer.
    pub(super) fn exchange(&mut self, request: &[u8]) -> Result<Answer> {
        self.stream.get_mut().write_all(request)?;
        let mut line = String::new();
        self.line(&mut line)?;
        let status = line
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .with_context(|| format!("{line:?} is no status line"))?;
        let (mut length, mut chunked, mut closes) = (None, false, false);
        loop {
            self.line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else { break };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = Some(value.parse::<usize>()?),
                "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
                "connection" => closes = value.eq_ignore_ascii_case("close"),
                _ => {}
            }
        }
        let mut body = Vec::new();
        match length {
            _ if chunked => self.chunks(&mut body)?,
            Some(length) => {
                // Made zero by the allocator: `resize` takes long in an unoptimized build.
                body = vec![0; length];
                self.stream.read_exact(&mut body)?;
            }
            None if closes && !matches!(status, 204 | 304) => {
                self.stream.read_to_end(&mut body)?;
            }
            None => {}
        }
        Ok(Answer { status, body })
    }

    fn line(&mut self, line: &mut String) -> Result<()> {
        line.clear();
        if self.stream.read_line(line)? == 0 {
            bail!("the connection was closed");
        }
        line.truncate(line.trim_end().len());
        Ok(())
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> Result<()> {
        let mut line = String::new();
        loop {
            self.line(&mut line)?;
            let size = line.split(';').next().unwrap_or_default();
            let size = usize::from_str_radix(size.trim(), 16)
                .with_context(|| format!("{line:?} is no size of a chunk"))?;
            let mut chunk = vec![0; size];
            self.stream.read_exact(&mut chunk)?;
            body.extend_from_slice(&chunk);
            self.line(&mut line)?;
            if size == 0 {
                return Ok(());
            }
        }
    }
}

/// A request, ready to be sent as often as one likes.
pub(super) fn request(
    method: &str,
    path: &str,
    host: &str,
    bearer: Option<&str>,
    body: Option<&str>,
) -> Vec<u8> {
    let bearer = bearer.map(|token| format!("Authorization: Bearer {token}\r\n"));
    let (fields, body) = match body {
        Some(body) => {
            (format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()), body)
        }
        None => (String::new(), ""),
    };
    let bearer = bearer.unwrap_or_default();
    format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{bearer}{fields}\r\n{body}").into_bytes()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn served(answer: &'static str) -> Result<Answer> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let server = std::thread::spawn(move || -> io::Result<()> {
            let (mut stream, _) = listener.accept()?;
            let _ = stream.read(&mut [0; 1024])?;
            stream.write_all(answer.as_bytes())
        });
        let answer = Connection::open(port)?.exchange(&request("GET", "/", "h", None, None));
        assert!(matches!(server.join(), Ok(Ok(()))));
        answer
    }

    #[test]
    fn bodies() -> Result<()> {
        let sized = served("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")?;
        assert_eq!((sized.status, sized.body.as_slice()), (200, &b"{}"[..]));
        let chunked =
            "HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
        let chunked = served(chunked)?;
        assert_eq!((chunked.status, chunked.body.as_slice()), (401, &b"abc"[..]));
        assert!(chunked.json().is_err());
        let closed = served("HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nall")?;
        assert_eq!(closed.body, b"all");
        Ok(())
    }
}
