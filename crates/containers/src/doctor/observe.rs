//! What is seen of a running container from outside: where it listens, and what it answers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Time for a connection, and for an answer.
const CONNECT: Duration = Duration::from_secs(1);
const ANSWER: Duration = Duration::from_secs(3);
/// How much of an answer is read, in bytes.
const MOST: u64 = 256 * 1024;
/// State of a socket that listens, in the kernel's table.
const LISTENS: &str = "0A";

/// The addresses at which the processes in the network of this process listen; none if they are unknown.
/// The process has to be the container's.
pub(super) fn sockets(pid: i64, id: &str) -> Option<Vec<SocketAddr>> {
    if pid <= 0 || id.is_empty() {
        return None;
    }
    // The number may be one of another machine.
    let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    if !groups.contains(id) {
        return None;
    }
    let table = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/net/{name}"));
    let (v4, v6) = (table("tcp").ok()?, table("tcp6").unwrap_or_default());
    Some(listening(&v4).into_iter().chain(listening(&v6)).collect())
}

/// The sockets that listen, of a table of the kernel's.
fn listening(table: &str) -> Vec<SocketAddr> {
    let address = |text: &str| {
        let (address, port) = text.split_once(':')?;
        let word = |at: usize| u32::from_str_radix(address.get(at..at + 8)?, 16).ok();
        let ip = match address.len() {
            8 => IpAddr::V4(Ipv4Addr::from(word(0)?.to_ne_bytes())),
            32 => {
                let mut bytes = [0; 16];
                for (part, at) in bytes.chunks_exact_mut(4).zip([0, 8, 16, 24]) {
                    part.copy_from_slice(&word(at)?.to_ne_bytes());
                }
                IpAddr::V6(Ipv6Addr::from(bytes))
            }
            _ => return None,
        };
        Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
    };
    let lines = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines.filter(|line| line.get(3) == Some(&LISTENS)).filter_map(|line| address(line[1])).collect()
}

/// The answer to a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Value of `Location`.
    pub(super) location: Option<String>,
    /// The beginning of the body.
    pub(super) body: String,
}

/// Sends a `GET`; the error says what went wrong.
pub(super) async fn get(at: SocketAddr, path: &str, host: &str) -> Result<Answer, String> {
    send(at, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: kube-probe/1.31\r\nAccept: */*\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n")).await
}

/// Asks for a WebSocket, with this origin or none; the status.
pub(super) async fn upgrade(
    at: SocketAddr,
    path: &str,
    host: &str,
    origin: Option<&str>,
) -> Option<u16> {
    let origin = origin.map(|origin| format!("Origin: {origin}\r\n")).unwrap_or_default();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\n{origin}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    send(at, &request).await.ok().map(|answer| answer.status)
}

async fn send(at: SocketAddr, request: &str) -> Result<Answer, String> {
    let connected = tokio::time::timeout(CONNECT, TcpStream::connect(at)).await;
    let mut stream = match connected {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err("no connection within a second".into()),
    };
    let mut bytes = Vec::new();
    let exchange = async {
        stream.write_all(request.as_bytes()).await?;
        let mut part = vec![0; 8192];
        loop {
            let count = stream.read(&mut part).await?;
            bytes.extend_from_slice(&part[..count]);
            // An upgrade stays open.
            if count == 0 || bytes.len() as u64 > MOST || bytes.starts_with(b"HTTP/1.1 101") {
                return Ok::<(), std::io::Error>(());
            }
        }
    };
    let outcome = tokio::time::timeout(ANSWER, exchange).await;
    match (parse(&bytes), outcome) {
        (Some(answer), _) => Ok(answer),
        (None, Ok(Err(error))) => Err(error.to_string()),
        (None, Err(_)) => Err("it accepts connections and does not answer".into()),
        (None, Ok(Ok(()))) if bytes.is_empty() => {
            Err("it closes connections without an answer".into())
        }
        (None, Ok(Ok(()))) => Err("its answer is not HTTP/1".into()),
    }
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(end) = response.parse(bytes).ok()? else { return None };
    let location = response.headers.iter().find(|it| it.name.eq_ignore_ascii_case("location"));
    Some(Answer {
        status: response.code?,
        location: location.map(|it| String::from_utf8_lossy(it.value).into_owned()),
        body: String::from_utf8_lossy(bytes.get(end..).unwrap_or_default()).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_table() {
        let v4 = "  sl  local_address rem_address   st tx_queue
   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 42420 0 1
   1: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000 42420 0 1
   2: 0100007F:0051 0100007F:0050 01 00000000:00000000 00:00000000 00000000 42420 0 1\n";
        let shown =
            |table: &str| listening(table).iter().map(SocketAddr::to_string).collect::<Vec<_>>();
        assert_eq!(shown(v4), ["0.0.0.0:8080", "127.0.0.1:80"]);
        let v6 = "head\n 0: 00000000000000000000000000000000:1F90 0:0 0A\n 1: 00000000000000000000000001000000:1F91 0:0 0A\n 2: nonsense 0:0 0A\n";
        assert_eq!(shown(v6), ["[::]:8080", "[::1]:8081"]);
    }

    #[test]
    fn answers() {
        let answer =
            parse(b"HTTP/1.1 302 Found\r\nlocation: http://localhost/x\r\n\r\nbody").expect("one");
        assert_eq!((answer.status, answer.location.as_deref()), (302, Some("http://localhost/x")));
        assert_eq!(answer.body, "body");
        assert!(parse(b"SSH-2.0").is_none() && parse(b"HTTP/1.1 20").is_none());
    }
}
