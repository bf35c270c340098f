//! Answers that go on over a WebSocket (RFC 6455): the handshake, and lines as messages.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use axum::body::Body;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use hyper::header::{
    CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{Method, StatusCode};
use ovhai_wire::buffer::{Buffer, Fill};
use ovhai_wire::websocket::{self, CloseCode, FRAME_MAX, Opcode};
use tokio::io::AsyncWriteExt;

use super::error::ApiError;
use crate::gateway::access::Admission;
use crate::gateway::tunnel::{CallTunnel, FarEnd, Upgrade};

/// A call that asks for a WebSocket.
pub(super) struct Handshake {
    accept: HeaderValue,
}

impl Handshake {
    /// The handshake of a request; none if it asks for no WebSocket, or its connection can't have
    /// one. An error if it is malformed.
    pub(super) fn of(
        method: &Method,
        headers: &HeaderMap,
        upgrade: Option<&Upgrade>,
    ) -> Result<Option<Self>, ApiError> {
        // Appended to a key (section 1.3).
        const MAGIC: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
        let is_asked = upgrade.is_some_and(|Upgrade(to)| to.eq_ignore_ascii_case(b"websocket"));
        if !is_asked || *method != Method::GET {
            return Ok(None);
        }
        if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err(ApiError::invalid("Sec-WebSocket-Version", "only 13 is spoken here"));
        }
        let key = headers.get(SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
        if STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16) {
            let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[key, MAGIC].concat());
            let accept = HeaderValue::try_from(STANDARD.encode(digest));
            return accept.map(|accept| Some(Self { accept })).map_err(ApiError::internal);
        }
        Err(ApiError::invalid("Sec-WebSocket-Key", "it must be 16 bytes in Base64"))
    }

    /// Answers with a WebSocket that sends each line of `pieces` as a message of text.
    pub(super) fn send_lines(
        self,
        admission: Admission,
        pieces: impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static,
    ) -> Response {
        let (response, far) = self.open(admission);
        tokio::spawn(async move {
            // The client has gone away, or its access was revoked.
            let _ = send_lines(far, pin!(pieces)).await;
        });
        response
    }

    /// Answers with a WebSocket, and gives its server's side.
    pub(super) fn open(self, admission: Admission) -> (Response, FarEnd) {
        let (tunnel, far) = CallTunnel::new(admission);
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, self.accept);
        tunnel.put_into(&mut response);
        (response, far)
    }
}

/// Sends lines until there are no more, or the client closes.
async fn send_lines(
    mut far: FarEnd,
    mut pieces: Pin<&mut impl Stream<Item = Result<Bytes, Infallible>>>,
) -> std::io::Result<()> {
    let stream = &mut far.stream;
    let (mut input, mut out) = (Buffer::default(), Vec::new());
    loop {
        let close = loop {
            match websocket::read(&mut input) {
                Ok(None) => break None,
                Ok(Some(frame)) => match frame.opcode {
                    Opcode::Ping => websocket::write(&mut out, Opcode::Pong, &frame.payload),
                    Opcode::Close => break Some(CloseCode::Normal),
                    // Messages of the client are ignored.
                    Opcode::Continuation | Opcode::Text | Opcode::Binary | Opcode::Pong => {}
                },
                Err(code) => break Some(code),
            }
        };
        if let Some(code) = close {
            websocket::write_close(&mut out, code);
            return stream.write_all(&out).await;
        }
        stream.write_all(&out).await?;
        out.clear();
        tokio::select! {
            filled = poll_fn(|cx| input.poll_fill(cx, stream, FRAME_MAX)) => match filled? {
                Fill::Read(_) => {}
                Fill::End | Fill::Full => return Ok(()),
            },
            piece = pieces.next() => match piece {
                Some(Ok(piece)) => {
                    for line in piece.split_inclusive(|byte| *byte == b'\n') {
                        let line = line.strip_suffix(b"\n").unwrap_or(line);
                        websocket::write(&mut out, Opcode::Text, line);
                    }
                }
                Some(Err(never)) => match never {},
                None => {
                    websocket::write_close(&mut out, CloseCode::Normal);
                    return stream.write_all(&out).await;
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_handshake() {
        let websocket = Upgrade(b"WebSocket"[..].into());
        let headers = |version: &'static str, key: &'static str| {
            HeaderMap::from_iter([
                (SEC_WEBSOCKET_VERSION, HeaderValue::from_static(version)),
                (SEC_WEBSOCKET_KEY, HeaderValue::from_static(key)),
            ])
        };
        let key = "dGhlIHNhbXBsZSBub25jZQ==";
        let of = |method, version, key, upgrade| {
            let handshake = Handshake::of(&method, &headers(version, key), upgrade);
            handshake.map(|handshake| handshake.map(|handshake| handshake.accept)).map_err(|_| ())
        };
        let accept = HeaderValue::from_static("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(of(Method::GET, "13", key, Some(&websocket)), Ok(Some(accept)));
        assert_eq!(of(Method::GET, "13", key, None), Ok(None));
        assert_eq!(of(Method::POST, "13", key, Some(&websocket)), Ok(None));
        let other = Upgrade(b"h2c"[..].into());
        assert_eq!(of(Method::GET, "13", key, Some(&other)), Ok(None));
        for (version, key) in [("8", key), ("13", "dGhl"), ("13", ""), ("13", "x")] {
            assert_eq!(of(Method::GET, version, key, Some(&websocket)), Err(()), "{version} {key}");
        }
    }
}
