//! What has left HTTP, such as WebSocket: bytes pass both ways until both sides have ended, or
//! the caller has no access any more.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::edge::buffer::Buffer;
use crate::edge::clock::Clock;
use crate::seen::Aborted;

/// Read at once; every worker has one such room, so that a silent tunnel has none.
const CHUNK: usize = 64 * 1024;

thread_local! {
    static ROOM: RefCell<Box<[u8]>> = RefCell::new(vec![0; CHUNK].into_boxed_slice());
}

/// One direction.
struct Way {
    /// What the receiver did not take at once.
    rest: Buffer,
    state: State,
    passed: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Passing,
    Closing,
    Closed,
}

impl Way {
    fn new(rest: Buffer) -> Self {
        Self { rest, state: State::Passing, passed: 0 }
    }

    fn poll<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut R,
        to: &mut W,
    ) -> Poll<Result<(), Broken>> {
        let gone = |_: io::Error| Broken::Receiver;
        loop {
            while !self.rest.is_empty() {
                let count =
                    ready!(Pin::new(&mut *to).poll_write(cx, self.rest.filled())).map_err(gone)?;
                if count == 0 {
                    return Poll::Ready(Err(Broken::Receiver));
                }
                self.rest.consume(count);
                self.passed += count as u64;
            }
            self.rest.release();
            match self.state {
                State::Passing => {}
                State::Closing => {
                    ready!(Pin::new(&mut *to).poll_shutdown(cx)).map_err(gone)?;
                    self.state = State::Closed;
                    return Poll::Ready(Ok(()));
                }
                State::Closed => return Poll::Ready(Ok(())),
            }
            let read = ROOM.with_borrow_mut(|room| -> Poll<Result<usize, Broken>> {
                let mut read = ReadBuf::new(room);
                let came = Pin::new(&mut *from).poll_read(cx, &mut read);
                if came.map_err(|_| Broken::Sender)?.is_pending() {
                    return Poll::Pending;
                }
                let bytes = read.filled();
                if bytes.is_empty() {
                    return Poll::Ready(Ok(0));
                }
                let sent = match Pin::new(&mut *to).poll_write(cx, bytes).map_err(gone)? {
                    Poll::Ready(sent) => sent,
                    Poll::Pending => 0,
                };
                self.passed += sent as u64;
                if sent < bytes.len() {
                    self.rest = Buffer::with(bytes[sent..].to_vec());
                }
                Poll::Ready(Ok(bytes.len()))
            });
            match read {
                Poll::Ready(Ok(0)) => self.state = State::Closing,
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(broken)) => return Poll::Ready(Err(broken)),
                Poll::Pending => {
                    ready!(Pin::new(&mut *to).poll_flush(cx)).map_err(gone)?;
                    return Poll::Pending;
                }
            }
        }
    }
}

/// What passed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    /// Bytes.
    pub(crate) to_app: u64,
    /// Bytes.
    pub(crate) to_client: u64,
    /// Why `access` ended, if that was why.
    pub(crate) aborted: Option<Aborted>,
}

/// Passes bytes both ways until `access` ends; `to_app` and `to_client` were read already. When
/// one side has ended, or takes no more, and the other says nothing for `patience`, it has ended,
/// too.
pub(crate) async fn run<C, A>(
    client: &mut C,
    app: &mut A,
    to_app: Buffer,
    to_client: Buffer,
    access: impl Future<Output = Option<Aborted>>,
    patience: Duration,
) -> Passed
where
    C: AsyncRead + AsyncWrite + Unpin,
    A: AsyncRead + AsyncWrite + Unpin,
{
    let (mut up, mut down) = (Way::new(to_app), Way::new(to_client));
    let mut access = pin!(access);
    let mut half: Option<(u64, Clock)> = None;
    let aborted = poll_fn(|cx| {
        let ways = [up.poll(cx, client, app), down.poll(cx, app, client)];
        // How it ended is between the two.
        if ways.iter().any(|way| matches!(way, Poll::Ready(Err(Broken::Sender))))
            || ways.iter().all(Poll::is_ready)
        {
            return Poll::Ready(None);
        }
        if ways.iter().any(Poll::is_ready) {
            // Whoever takes no more may have said something before.
            let passed = up.passed + down.passed;
            let begin = || (passed, Clock::new(patience, patience));
            let (before, clock) = half.get_or_insert_with(begin);
            if *before != passed {
                *before = passed;
                clock.set(patience);
            }
            if clock.poll(cx).is_ready() {
                return Poll::Ready(None);
            }
        }
        access.as_mut().poll(cx)
    })
    .await;
    Passed { to_app: up.passed, to_client: down.passed, aborted }
}

/// Which side has broken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    Sender,
    Receiver,
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::{Instant, sleep};

    use super::*;

    const PATIENCE: Duration = Duration::from_mins(1);

    #[tokio::test(start_paused = true)]
    async fn half_a_tunnel_ends_when_nothing_passes() {
        let (mut client, mut near) = tokio::io::duplex(100);
        let (mut app, mut far) = tokio::io::duplex(100);
        let began = Instant::now();
        let (none, nothing) = (Buffer::default(), Buffer::default());
        let tunnel = run(&mut near, &mut far, none, nothing, std::future::pending(), PATIENCE);
        let talk = async {
            // A whole one may be silent.
            sleep(PATIENCE * 5).await;
            client.write_all(b"bye").await.unwrap();
            client.shutdown().await.unwrap();
            let mut said = String::new();
            app.read_to_string(&mut said).await.unwrap();
            assert_eq!(said, "bye");
            sleep(PATIENCE / 2).await;
            app.write_all(b"yes").await.unwrap();
            std::future::pending::<()>().await;
        };
        let passed = tokio::select! {
            passed = tunnel => passed,
            () = talk => unreachable!(),
        };
        assert_eq!(passed, Passed { to_app: 3, to_client: 3, aborted: None });
        assert_eq!(began.elapsed().as_secs(), (PATIENCE * 5 + PATIENCE / 2 + PATIENCE).as_secs());
    }
}
