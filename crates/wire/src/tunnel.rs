//! Connections that have left HTTP, such as WebSockets: bytes pass both ways until both sides have
//! ended, or a future says that they have to.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::buffer::Buffer;
use crate::deadline::Deadline;

/// Bytes that are read at once. Each thread has one buffer of this size, so that a silent tunnel has
/// none.
const CHUNK: usize = 64 * 1024;

thread_local! {
    static ROOM: RefCell<Box<[u8]>> = RefCell::new(vec![0; CHUNK].into_boxed_slice());
}

/// One direction.
struct Direction {
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

impl Direction {
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

/// What passed through a tunnel.
#[derive(Debug, PartialEq, Eq)]
pub struct Passed<E> {
    /// Bytes to the far side.
    pub to_far: u64,
    /// Bytes to the near side.
    pub to_near: u64,
    /// What `until` gave, if that ended the tunnel.
    pub ended_by: Option<E>,
}

/// Passes bytes both ways until both sides have ended, or `until` is ready; the bytes in `to_far` and
/// `to_near` were read already. When one side has ended, or takes no more, and nothing passes for
/// `patience`, the tunnel ends, too.
pub async fn run<N, F, E>(
    near: &mut N,
    far: &mut F,
    to_far: Buffer,
    to_near: Buffer,
    until: impl Future<Output = E>,
    patience: Duration,
) -> Passed<E>
where
    N: AsyncRead + AsyncWrite + Unpin,
    F: AsyncRead + AsyncWrite + Unpin,
{
    let (mut up, mut down) = (Direction::new(to_far), Direction::new(to_near));
    let mut until = pin!(until);
    let mut half: Option<(u64, Deadline)> = None;
    let ended_by = poll_fn(|cx| {
        let directions = [up.poll(cx, near, far), down.poll(cx, far, near)];
        // How it ended is between the two.
        if directions.iter().any(|one| matches!(one, Poll::Ready(Err(Broken::Sender))))
            || directions.iter().all(Poll::is_ready)
        {
            return Poll::Ready(None);
        }
        if directions.iter().any(Poll::is_ready) {
            // A side that takes no more may have sent something before.
            let passed = up.passed + down.passed;
            let begin = || (passed, Deadline::new(patience, patience));
            let (before, deadline) = half.get_or_insert_with(begin);
            if *before != passed {
                *before = passed;
                deadline.set(patience);
            }
            if deadline.poll(cx).is_ready() {
                return Poll::Ready(None);
            }
        }
        until.as_mut().poll(cx).map(Some)
    })
    .await;
    Passed { to_far: up.passed, to_near: down.passed, ended_by }
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
    async fn a_half_open_tunnel_times_out() {
        let (mut client, mut near) = tokio::io::duplex(100);
        let (mut app, mut far) = tokio::io::duplex(100);
        let began = Instant::now();
        let (none, nothing) = (Buffer::default(), Buffer::default());
        let never = std::future::pending::<()>();
        let tunnel = run(&mut near, &mut far, none, nothing, never, PATIENCE);
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
        assert_eq!(passed, Passed { to_far: 3, to_near: 3, ended_by: None });
        assert_eq!(began.elapsed().as_secs(), (PATIENCE * 5 + PATIENCE / 2 + PATIENCE).as_secs());
    }
}
