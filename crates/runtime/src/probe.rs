//! The HTTP probe of a replica, the same for every runtime.
//!
//! [`Prober`] keeps the times and counts of Kubernetes: while a replica starts it looks often, then
//! every ten seconds for life; three failures in a row make a replica unready, one success makes it
//! ready. [`http`] is one look. The times are real time.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::header::{CONNECTION, HOST, LOCATION, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Time between the first looks at a replica that does not answer; doubles up to [`SLOWEST_LOOK`].
pub const FIRST_LOOK: Duration = Duration::from_millis(25);
/// Maximum time between two looks at a replica that does not answer.
pub const SLOWEST_LOOK: Duration = Duration::from_secs(1);
/// Time between two looks at a replica that answers.
const PERIOD: Duration = Duration::from_secs(10);
/// Time for one look.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Failures in a row that make a replica unready.
const FAILURES: u32 = 3;
/// Redirects that are followed at the replica itself, as in Kubernetes.
const REDIRECTS_MAX: u32 = 10;

/// What a look has changed, or that a replica still does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It answers.
    Ready,
    /// It does not answer any more.
    Lost(String),
    /// It does not answer yet.
    Waiting(String),
}

/// Watches whether one replica answers.
#[derive(Debug)]
pub struct Prober {
    path: Option<String>,
    is_ready: bool,
    /// Failures in a row of a replica that answered.
    failures: u32,
    /// Time between two looks while it does not answer.
    pause: Duration,
    due: Instant,
}

impl Prober {
    /// A prober of this path; none: see [`http`].
    pub fn new(path: Option<String>) -> Self {
        let due = Instant::now() + FIRST_LOOK;
        Self { path, is_ready: false, failures: 0, pause: FIRST_LOOK, due }
    }

    /// Whether the time of the next look has come.
    pub fn is_due(&self) -> bool {
        self.due <= Instant::now()
    }

    /// When the next look is due.
    pub fn due(&self) -> Instant {
        self.due
    }

    /// Begins anew: the replica is known not to answer.
    pub fn reset(&mut self) {
        (self.is_ready, self.failures) = (false, 0);
        self.pause = FIRST_LOOK;
        self.due = Instant::now() + FIRST_LOOK;
    }

    /// Looks at `address` whenever it is time to, until there is something to report. Cancelling it
    /// loses nothing.
    pub async fn next(&mut self, address: SocketAddr) -> Finding {
        loop {
            tokio::time::sleep_until(self.due).await;
            if let Some(finding) = self.look(address).await {
                return finding;
            }
        }
    }

    /// Looks at `address` now. Returns what has changed, or that it does not answer yet.
    pub async fn look(&mut self, address: SocketAddr) -> Option<Finding> {
        let looked = http(address, self.path.as_deref()).await;
        self.found(looked)
    }

    fn found(&mut self, looked: Result<(), String>) -> Option<Finding> {
        let now = Instant::now();
        let finding = match looked {
            Ok(()) => {
                self.failures = 0;
                (!std::mem::replace(&mut self.is_ready, true)).then_some(Finding::Ready)
            }
            Err(why) if self.is_ready => {
                self.failures += 1;
                if self.failures >= FAILURES {
                    self.reset();
                    return Some(Finding::Lost(why));
                }
                None
            }
            Err(why) => {
                self.pause = (self.pause * 2).min(SLOWEST_LOOK);
                Some(Finding::Waiting(why))
            }
        };
        self.due = now + if self.is_ready { PERIOD } else { self.pause };
        finding
    }
}

/// Sends one `GET`; the error says why the response is not good.
///
/// With a path the probe needs a status of 200 to 399, as in Kubernetes: a redirect at the replica
/// itself is followed, one that leads elsewhere is good. Without a path any response but a server
/// error is good: an API need not have a page at `/`.
pub async fn http(address: SocketAddr, path: Option<&str>) -> Result<(), String> {
    let port = address.port();
    let status = tokio::time::timeout(TIMEOUT, follow(address, path))
        .await
        .map_err(|_| format!("port {port} accepts connections but does not answer"))?
        .map_err(|why| format!("port {port} does not answer: {why}"))?;
    let will_do = match path {
        Some(_) => status.is_success() || status.is_redirection(),
        None => !status.is_server_error(),
    };
    if will_do {
        Ok(())
    } else {
        Err(format!(
            "the probe of {} on port {port} is answered with {status}",
            path.unwrap_or("/")
        ))
    }
}

/// Sends the request, and follows redirects if there is a path to be checked.
async fn follow(address: SocketAddr, path: Option<&str>) -> Result<StatusCode, String> {
    let mut target = path.unwrap_or("/").to_owned();
    for _ in 0..=REDIRECTS_MAX {
        let response = get(address, &target).await?;
        let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        match location.and_then(|location| local_target(location, &target, address)) {
            Some(next) if response.status().is_redirection() && path.is_some() => target = next,
            _ => return Ok(response.status()),
        }
    }
    Err(format!("it redirects more than {REDIRECTS_MAX} times"))
}

/// Where a redirect of `from` leads at the replica; none if it leads elsewhere.
fn local_target(location: &str, from: &str, address: SocketAddr) -> Option<String> {
    let location = location.split('#').next().unwrap_or_default();
    let authority = location.strip_prefix("http://").or_else(|| location.strip_prefix("//"));
    let local = match authority {
        Some(rest) => {
            let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            if host != address.to_string() {
                return None;
            }
            path
        }
        None => location,
    };
    let directory = |path: &str| path.rsplit_once('/').map(|(before, _)| before.to_owned());
    let from = from.split('?').next().unwrap_or_default();
    Some(match local.chars().next() {
        None => "/".to_owned(),
        Some('/') => local.to_owned(),
        Some('?') if authority.is_some() => format!("/{local}"),
        Some('?') => format!("{from}{local}"),
        // Another scheme.
        Some(_) if local.split(['/', '?']).next().is_some_and(|first| first.contains(':')) => {
            return None;
        }
        Some(_) => format!("{}/{local}", directory(from).unwrap_or_default()),
    })
}

async fn get(address: SocketAddr, path: &str) -> Result<Response<()>, String> {
    let text = |error: &dyn std::error::Error| error.to_string();
    let stream = TcpStream::connect(address).await.map_err(|error| text(&error))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| text(&e))?;
    let request = Request::get(path)
        .header(HOST, address.to_string())
        .header(USER_AGENT, "ovhai-probe")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| text(&error))?;
    let answer = async { sender.send_request(request).await.map(|response| response.map(drop)) };
    let mut answer = std::pin::pin!(answer);
    let response = tokio::select! {
        biased;
        response = &mut answer => response,
        // A short response and the end of the connection may come together.
        _ = connection => answer.await,
    };
    response.map_err(|error| text(&error))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    impl Prober {
        /// As [`Prober::next`], with the outcome of each look.
        async fn next_by(&mut self, look: impl AsyncFn() -> Result<(), String>) -> Finding {
            loop {
                tokio::time::sleep_until(self.due).await;
                let looked = look().await;
                if let Some(finding) = self.found(looked) {
                    return finding;
                }
            }
        }
    }

    async fn probe(answer: &'static [u8], path: Option<&str>) -> Result<(), String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let server = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let _ = stream.read(&mut [0; 1024]).await;
            // Head, body and end in one go.
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        };
        tokio::join!(http(address, path), server).0
    }

    #[tokio::test]
    async fn answers() {
        for good in [
            &b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"[..],
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi",
            b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhi",
            b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.0 404 Not Found\r\n\r\n",
        ] {
            assert_eq!(probe(good, None).await, Ok(()), "{}", String::from_utf8_lossy(good));
        }
        for bad in [&b""[..], b"rubbish", b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"] {
            assert!(probe(bad, None).await.is_err(), "{}", String::from_utf8_lossy(bad));
        }
        let elsewhere =
            b"HTTP/1.1 302 Found\r\nlocation: https://a.b/\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(probe(elsewhere, Some("/health")).await, Ok(()));
        let missing = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
        let why = probe(missing, Some("/health")).await.expect_err("it has to be there");
        assert!(why.contains("/health") && why.contains("404"), "{why}");
    }

    #[test]
    fn redirects_at_the_replica_itself() {
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        for (location, expected) in [
            ("/login", Some("/login")),
            ("http://127.0.0.1:80/login?a=b#c", Some("/login?a=b")),
            ("http://127.0.0.1:80", Some("/")),
            ("http://127.0.0.1:80?a", Some("/?a")),
            ("//127.0.0.1:80/x", Some("/x")),
            ("live", Some("/a/live")),
            ("?x", Some("/a/health?x")),
            ("http://127.0.0.1:81/login", None),
            ("http://example.com/", None),
            ("https://127.0.0.1:80/", None),
            ("mailto:x", None),
        ] {
            let target = local_target(location, "/a/health?b/c", address);
            assert_eq!(target.as_deref(), expected, "{location}");
        }
    }

    #[tokio::test]
    async fn redirects_are_followed_to_their_end() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let mut head = [0; 1024];
                let length = stream.read(&mut head).await.unwrap_or(0);
                let head = String::from_utf8_lossy(&head[..length]).into_owned();
                let host = format!("host: {address}\r\n");
                let (status, location) = match head.split(' ').nth(1) {
                    _ if !head.contains(&host) => ("400 No", ""),
                    Some("/good") => ("307 There", "location: /end\r\n"),
                    Some("/bad") => ("302 There", "location: missing\r\n"),
                    Some("/round") => ("302 There", "location: /round\r\n"),
                    Some("/end") => ("204 Good", ""),
                    _ => ("404 Not Found", ""),
                };
                let answer = format!("HTTP/1.1 {status}\r\n{location}connection: close\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        assert_eq!(http(address, Some("/good")).await, Ok(()));
        let why = http(address, Some("/bad")).await.expect_err("it is not there");
        assert!(why.contains("404"), "{why}");
        let why = http(address, Some("/round")).await.expect_err("it has no end");
        assert!(why.contains("more than 10 times"), "{why}");
        assert_eq!(http(address, None).await, Ok(()), "it answers");
    }

    /// What a look finds.
    fn found(is_good: bool) -> Result<(), String> {
        if is_good { Ok(()) } else { Err("no".into()) }
    }

    #[tokio::test(start_paused = true)]
    async fn looks_are_close_together_until_it_answers_and_go_on_for_life() {
        let began = Instant::now();
        let mut prober = Prober::new(None);
        let mut at = Vec::new();
        for _ in 0..8 {
            let finding = prober.next_by(async || found(false)).await;
            assert_eq!(finding, Finding::Waiting("no".into()));
            at.push(began.elapsed().as_millis());
        }
        assert_eq!(at, [25, 75, 175, 375, 775, 1575, 2575, 3575]);
        assert_eq!(prober.next_by(async || found(true)).await, Finding::Ready);
        assert_eq!(began.elapsed().as_millis(), 4575);

        // While it answers there is nothing to report; two failures are not enough.
        let began = Instant::now();
        let count = std::cell::Cell::new(0);
        let finding = prober.next_by(async || {
            count.set(count.get() + 1);
            found(![3, 4].contains(&count.get()) && count.get() <= 5)
        });
        assert_eq!(finding.await, Finding::Lost("no".into()));
        assert_eq!((count.get(), began.elapsed().as_secs()), (8, 80));
        // It is looked at often again, and one success is enough.
        let began = Instant::now();
        assert_eq!(prober.next_by(async || found(false)).await, Finding::Waiting("no".into()));
        assert_eq!(prober.next_by(async || found(true)).await, Finding::Ready);
        assert_eq!(began.elapsed().as_millis(), 75);
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_is_cancelled_is_done_again() {
        let mut prober = Prober::new(None);
        let slow = prober.next_by(async || std::future::pending().await);
        assert!(tokio::time::timeout(Duration::from_millis(30), slow).await.is_err());
        assert!(prober.is_due());
        assert_eq!(prober.next_by(async || found(true)).await, Finding::Ready);
        assert!(!prober.is_due());
    }
}
