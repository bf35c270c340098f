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
    ) -> Poll<io::Result<()>> {
        loop {
            while !self.rest.is_empty() {
                let count = ready!(Pin::new(&mut *to).poll_write(cx, self.rest.filled()))?;
                if count == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                self.rest.consume(count);
                self.passed += count as u64;
            }
            self.rest.release();
            match self.state {
                State::Passing => {}
                State::Closing => {
                    ready!(Pin::new(&mut *to).poll_shutdown(cx))?;
                    self.state = State::Closed;
                    return Poll::Ready(Ok(()));
                }
                State::Closed => return Poll::Ready(Ok(())),
            }
            let read = ROOM.with_borrow_mut(|room| -> Poll<io::Result<usize>> {
                let mut read = ReadBuf::new(room);
                if Pin::new(&mut *from).poll_read(cx, &mut read)?.is_pending() {
                    return Poll::Pending;
                }
                let bytes = read.filled();
                if bytes.is_empty() {
                    return Poll::Ready(Ok(0));
                }
                let sent = match Pin::new(&mut *to).poll_write(cx, bytes)? {
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
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    ready!(Pin::new(&mut *to).poll_flush(cx))?;
                    return Poll::Pending;
                }
            }
        }
    }
}

/// Passes bytes both ways; `to_app` and `to_client` were read already. How many passed to the app,
/// and to the client. When one side has ended and the other says nothing for `patience`, it has
/// ended, too.
pub(crate) async fn run<C, A>(
    client: &mut C,
    app: &mut A,
    to_app: Buffer,
    to_client: Buffer,
    access: impl Future<Output = ()>,
    patience: Duration,
) -> (u64, u64)
where
    C: AsyncRead + AsyncWrite + Unpin,
    A: AsyncRead + AsyncWrite + Unpin,
{
    let (mut up, mut down) = (Way::new(to_app), Way::new(to_client));
    let mut access = pin!(access);
    let mut half: Option<(u64, Clock)> = None;
    poll_fn(|cx| {
        let ups = up.poll(cx, client, app);
        let downs = down.poll(cx, app, client);
        // How it ended is between the two.
        match (ups, downs) {
            (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => Poll::Ready(()),
            (Poll::Ready(Err(_)), _) | (_, Poll::Ready(Err(_))) => Poll::Ready(()),
            (Poll::Pending, Poll::Pending) => access.as_mut().poll(cx),
            _ => {
                let passed = up.passed + down.passed;
                let begin = || (passed, Clock::new(patience, patience));
                let (before, clock) = half.get_or_insert_with(begin);
                if *before != passed {
                    *before = passed;
                    clock.set(patience);
                }
                if clock.poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                access.as_mut().poll(cx)
            }
        }
    })
    .await;
    (up.passed, down.passed)
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
        let tunnel =
            run(&mut near, &mut far, none, nothing, std::future::pending::<()>(), PATIENCE);
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
        assert_eq!(passed, (3, 3));
        assert_eq!(began.elapsed().as_secs(), (PATIENCE * 5 + PATIENCE / 2 + PATIENCE).as_secs());
    }
}
