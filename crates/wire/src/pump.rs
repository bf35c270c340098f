//! One direction of a message: first its head, then a body from one side to the other,
//! without its old framing and with a new one. What the receiver does not take is not read from
//! the sender.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};

use crate::body::{Decoder, Encoding, Piece, chunk_head};
use crate::buffer::{Buffer, Fill};
use crate::fields::{Reserved, passing_trailers};
use crate::framing::{Framing, Malformed};
use crate::write::field;

/// Maximum bytes of a body that wait in the gateway, in each direction.
pub const BODY_BUFFER: usize = 128 * 1024;
/// Pieces smaller than this, in bytes, are copied behind what goes out, so that both take one system
/// call.
const SMALL: usize = 8 * 1024;

/// Why a direction ended early.
#[derive(Debug)]
pub enum Broken {
    /// The sender broke off, or was cut.
    Sender,
    /// The receiver takes no more.
    Receiver,
    /// The sender's framing is wrong.
    Malformed(Malformed),
}

/// Which side a direction waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitsFor {
    /// The sender: there is nothing to write.
    Sender,
    /// The receiver: it takes no more for now.
    Receiver,
    /// Neither: no byte has passed yet, or it has ended.
    Neither,
}

/// Moves one direction of a message.
#[derive(Debug)]
pub struct Pump {
    decoder: Decoder,
    encoding: Encoding,
    /// Waits to be written, from `sent` on.
    out: Vec<u8>,
    sent: usize,
    /// Number of bytes at the front of the buffer that go out as they are.
    direct: usize,
    ended: bool,
    /// The sender's framing went wrong after what waits to be written.
    malformed: Option<Malformed>,
    waits_for: WaitsFor,
    /// Bytes that went out, and those of the body among those that came in.
    written: u64,
    body: u64,
    /// Fields that do not pass as trailers.
    reserved: &'static Reserved,
}

impl Pump {
    /// One that writes `out` first; fields that are `reserved` do not pass as trailers.
    #[inline]
    pub fn new(
        framing: Framing,
        encoding: Encoding,
        out: Vec<u8>,
        reserved: &'static Reserved,
    ) -> Self {
        // Without a body nothing of its framing is written either.
        let ended = !framing.has_body();
        Self {
            decoder: Decoder::new(framing),
            encoding,
            out,
            sent: 0,
            direct: 0,
            ended,
            malformed: None,
            waits_for: WaitsFor::Neither,
            written: 0,
            body: 0,
            reserved,
        }
    }

    /// The same for what comes from an app.
    #[must_use]
    #[inline]
    pub fn lenient(self) -> Self {
        Self { decoder: self.decoder.lenient(), ..self }
    }

    /// One that only writes the remainder of `out`.
    pub fn resumed(out: Vec<u8>, sent: usize) -> Self {
        let mut pump = Self::new(Framing::None, Encoding::Plain, out, &Reserved::NONE);
        pump.skip(sent);
        pump
    }

    /// Takes note that this number of the first bytes was written already.
    pub fn skip(&mut self, sent: usize) {
        self.sent = sent;
    }

    /// Whether everything was read.
    #[inline]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Which side it waits for.
    #[inline]
    pub fn waits_for(&self) -> WaitsFor {
        self.waits_for
    }

    /// Bytes that were written.
    #[inline]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Bytes of the body so far.
    #[inline]
    pub fn body(&self) -> u64 {
        self.body
    }

    /// Begins to write again what was written first, of a message without a body.
    pub fn begin_again(&mut self) {
        (self.sent, self.written) = (0, 0);
    }

    /// Gives back empty room, to be used again.
    pub fn into_room(mut self) -> Vec<u8> {
        self.out.clear();
        self.out
    }

    /// Moves as much as can be; ready when all was written.
    pub fn poll<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut R,
        buffer: &mut Buffer,
        to: &mut W,
    ) -> Poll<Result<(), Broken>> {
        loop {
            let wants_more = match self.stage(buffer) {
                Ok(wants_more) => wants_more,
                Err(malformed) => {
                    self.malformed = Some(malformed);
                    false
                }
            };
            self.waits_for = WaitsFor::Receiver;
            ready!(self.poll_write(cx, buffer, to)).map_err(|_| Broken::Receiver)?;
            if let Some(malformed) = self.malformed {
                return Poll::Ready(Err(Broken::Malformed(malformed)));
            }
            if self.ended {
                // TLS holds some of it until the receiver takes it.
                ready!(Pin::new(to).poll_flush(cx)).map_err(|_| Broken::Receiver)?;
                self.waits_for = WaitsFor::Neither;
                return Poll::Ready(Ok(()));
            }
            if !wants_more {
                continue;
            }
            self.waits_for = WaitsFor::Sender;
            match buffer.poll_fill(cx, from, BODY_BUFFER) {
                Poll::Ready(Ok(Fill::Read(_))) => {}
                Poll::Ready(Ok(Fill::End)) => {
                    if !self.decoder.end_of_stream() {
                        return Poll::Ready(Err(Broken::Sender));
                    }
                }
                // Framing that never ends.
                Poll::Ready(Ok(Fill::Full) | Err(_)) => return Poll::Ready(Err(Broken::Sender)),
                Poll::Pending => {
                    // What was written must not wait for more.
                    let _ = Pin::new(to).poll_flush(cx).map_err(|_| Broken::Receiver)?;
                    return Poll::Pending;
                }
            }
        }
    }

    /// Makes what was read ready to be written. Returns whether more has to be read.
    fn stage(&mut self, buffer: &mut Buffer) -> Result<bool, Malformed> {
        while !self.ended
            && self.malformed.is_none()
            && self.direct == 0
            && self.out.len() < BODY_BUFFER
        {
            match self.decoder.next(buffer.filled())? {
                Piece::More => return Ok(true),
                Piece::Skip(count) => buffer.consume(count),
                Piece::Data { skip, len } => {
                    buffer.consume(skip);
                    self.body += len as u64;
                    match self.encoding {
                        Encoding::Plain if len >= SMALL => self.direct = len,
                        Encoding::Plain => {
                            self.out.extend_from_slice(&buffer.filled()[..len]);
                            buffer.consume(len);
                        }
                        Encoding::Chunked => {
                            chunk_head(&mut self.out, len);
                            self.out.extend_from_slice(&buffer.filled()[..len]);
                            self.out.extend_from_slice(b"\r\n");
                            buffer.consume(len);
                        }
                    }
                    // The end of a body of known length is known at once.
                    self.ended = self.direct == 0
                        && self.encoding == Encoding::Plain
                        && self.decoder.is_done();
                }
                Piece::End { skip, trailers } => {
                    if self.encoding == Encoding::Chunked {
                        self.out.extend_from_slice(b"0\r\n");
                        if trailers > 2 {
                            let section = &buffer.filled()[skip - trailers..skip];
                            let out = &mut self.out;
                            passing_trailers(section, self.reserved, |name, value| {
                                field(out, name, value);
                            })?;
                        }
                        self.out.extend_from_slice(b"\r\n");
                    }
                    buffer.consume(skip);
                    self.ended = true;
                }
            }
        }
        Ok(false)
    }

    fn poll_write<W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Buffer,
        to: &mut W,
    ) -> Poll<io::Result<()>> {
        while self.sent < self.out.len() {
            let count = ready!(Pin::new(&mut *to).poll_write(cx, &self.out[self.sent..]))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += count;
            self.written += count as u64;
        }
        if !self.ended {
            self.out.clear();
            self.sent = 0;
        }
        while self.direct > 0 {
            let bytes = &buffer.filled()[..self.direct];
            let count = ready!(Pin::new(&mut *to).poll_write(cx, bytes))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.direct -= count;
            self.written += count as u64;
            buffer.consume(count);
            if self.direct == 0 && self.decoder.is_done() && self.encoding == Encoding::Plain {
                self.ended = true;
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    /// Takes everything, and keeps it, as TLS does for a client that reads nothing.
    struct Holding;

    impl AsyncWrite for Holding {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn the_pump_waits_for_a_flush() {
        let mut pump =
            Pump::new(Framing::Length(2), Encoding::Plain, b"head".to_vec(), &Reserved::NONE);
        let (mut buffer, mut from) = (Buffer::default(), &b"hi"[..]);
        poll_fn(|cx| {
            assert!(pump.poll(cx, &mut from, &mut buffer, &mut Holding).is_pending());
            Poll::Ready(())
        })
        .await;
        assert_eq!((pump.waits_for(), pump.written()), (WaitsFor::Receiver, 6));
    }
}
