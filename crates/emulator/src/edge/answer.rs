//! Heads of apps' answers. Apps are read as browsers read servers: what is sloppy but clear is
//! understood.

use httparse::Header;

use super::body::Framing;
use super::parse::{FIELDS, Fields, Known, NAMED, Once, number, words};
use crate::gateway::login;

/// The head of an app's answer.
#[derive(Debug)]
pub(crate) struct AnswerHead<'b> {
    pub(crate) status: u16,
    pub(crate) reason: &'b str,
    pub(crate) fields: &'b [Header<'b>],
    pub(crate) framing: Framing,
    /// Whether the connection can be used again after the body.
    pub(crate) keep_alive: bool,
    pub(crate) upgrade: Option<&'b [u8]>,
    passes: Passes,
}

/// Which fields go to the client.
#[derive(Debug, Default)]
struct Passes([u64; FIELDS / 64]);

impl Passes {
    fn set(&mut self, at: usize, passes: bool) {
        let bit = 1 << (at % 64);
        if passes {
            self.0[at / 64] |= bit;
        } else {
            self.0[at / 64] &= !bit;
        }
    }

    fn get(&self, at: usize) -> bool {
        self.0[at / 64] & 1 << (at % 64) != 0
    }
}

/// What is wrong with an app's answer is nobody's business but the log's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rubbish(pub(crate) &'static str);

impl<'b> AnswerHead<'b> {
    /// The head at the beginning of `bytes` and its length; none when more has to come. Apps are
    /// read as browsers read servers: what is sloppy but clear is understood.
    pub(crate) fn parse(
        bytes: &'b [u8],
        fields: &'b mut Fields<'b>,
        asked_with: AskedWith,
    ) -> Result<Option<(Self, usize)>, Rubbish> {
        let mut response = httparse::Response::new(&mut []);
        let mut config = httparse::ParserConfig::default();
        config.allow_obsolete_multiline_headers_in_responses(false);
        let parsed = config
            .parse_response_with_uninit_headers(&mut response, bytes, fields)
            .map_err(|_| Rubbish("it is not HTTP"))?;
        let httparse::Status::Complete(end) = parsed else { return Ok(None) };
        let status = response.code.unwrap_or_default();
        if !(100..=999).contains(&status) {
            return Err(Rubbish("its status is not one"));
        }
        let (mut length, mut coding, mut upgrade) = (Once::Never, Once::Never, None);
        let (mut close, mut keep, mut named) = (false, false, 0);
        let (mut passes, mut length_at) = (Passes::default(), 0);
        for (at, field) in response.headers.iter().enumerate() {
            let known = Known::of(field.name);
            match known {
                Known::ContentLength => {
                    match length {
                        Once::Never => length_at = at,
                        Once::One(before) if before == field.value => continue,
                        Once::One(_) | Once::Several => {}
                    }
                    length.add(field.value);
                    continue;
                }
                Known::TransferEncoding => coding.add(field.value),
                Known::Upgrade => upgrade = Some(field.value),
                Known::Connection => {
                    for word in words(field.value) {
                        match word {
                            word if word.eq_ignore_ascii_case(b"close") => close = true,
                            word if word.eq_ignore_ascii_case(b"keep-alive") => keep = true,
                            word if word.eq_ignore_ascii_case(b"upgrade") => {}
                            _ => named += 1,
                        }
                    }
                }
                _ => {}
            }
            passes.set(at, may_pass(known, field));
        }
        let fields = &*response.headers;
        if named > NAMED {
            return Err(Rubbish("its Connection names too many fields"));
        }
        if named > 0 {
            for (at, field) in fields.iter().enumerate() {
                if is_named(fields, field.name) {
                    passes.set(at, false);
                }
            }
        }
        let mut keep_alive = !close && (response.version == Some(1) || keep);
        let framing =
            if asked_with == AskedWith::Head || status < 200 || matches!(status, 204 | 304) {
                Framing::None
            } else {
                match (length, coding) {
                    (length, Once::One(coding)) if coding.eq_ignore_ascii_case(b"chunked") => {
                        // Of the two the coding counts; what else stands there nobody should rely on.
                        keep_alive &= !length.is_there();
                        Framing::Chunked
                    }
                    (_, Once::One(_) | Once::Several) => {
                        return Err(Rubbish("its Transfer-Encoding is not understood"));
                    }
                    (Once::One(value), Once::Never) => Framing::Length(
                        number(value).ok_or(Rubbish("its Content-Length is no number"))?,
                    ),
                    (Once::Several, Once::Never) => {
                        return Err(Rubbish("it has more than one Content-Length"));
                    }
                    (Once::Never, Once::Never) => Framing::UntilClose,
                }
            };
        keep_alive &= framing != Framing::UntilClose;
        let is_empty = matches!(length, Once::Never | Once::One(b"0"));
        if coding.is_there() && framing == Framing::None || status == 204 && !is_empty {
            // Apps that send the body all the same would have it taken for somebody else's answer.
            // A length in a 304 is in order: it is that of another answer.
            keep_alive = false;
        }
        // Heads that never have a body say nothing of its length; somebody might wait for it.
        let bodiless = status < 200 || status == 204;
        if let Once::One(value) = length {
            let is_true = framing != Framing::Chunked && !bodiless && number(value).is_some();
            passes.set(length_at, is_true);
        }
        let reason = response.reason.unwrap_or_default();
        let head = Self { status, reason, fields, framing, keep_alive, upgrade, passes };
        Ok(Some((head, end)))
    }

    /// The fields that go to the client. `Content-Length` is among them only where it is true.
    pub(crate) fn passed(&self) -> impl Iterator<Item = &'b Header<'b>> {
        let fields = self.fields.iter().enumerate();
        fields.filter(|(at, _)| self.passes.get(*at)).map(|(_, field)| field)
    }
}

/// Whether a field of an app's answer is for its client: it is not about the connection to the
/// app, nor ours to set.
pub(crate) fn may_pass(known: Known, field: &Header<'_>) -> bool {
    let is = |name: &str| field.name.eq_ignore_ascii_case(name);
    match known {
        Known::Connection | Known::TransferEncoding | Known::Upgrade | Known::Hop => false,
        Known::Other => {
            // Over HTTP on a loopback host HSTS would lock browsers out of every app's plain port.
            !(is("proxy-authenticate")
                || is("strict-transport-security")
                || (is("set-cookie") && login::sets_ours(field.value)))
        }
        _ => true,
    }
}

fn is_named(fields: &[Header<'_>], name: &str) -> bool {
    !name.eq_ignore_ascii_case("trailer")
        && !name.eq_ignore_ascii_case("content-length")
        && fields
            .iter()
            .filter(|field| Known::of(field.name) == Known::Connection)
            .flat_map(|field| words(field.value))
            .any(|word| word.eq_ignore_ascii_case(name.as_bytes()))
}

/// What decides, besides the answer itself, whether it has a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AskedWith {
    Head,
    Other,
}

#[cfg(test)]
mod tests {
    use std::mem::MaybeUninit;

    use proptest::prelude::*;

    use super::*;

    /// Status, framing, whether the connection goes on, names of the fields that pass.
    type Seen = (u16, Framing, bool, Vec<String>);

    fn answer(bytes: &[u8]) -> Result<Option<Seen>, Rubbish> {
        let mut fields = [const { MaybeUninit::uninit() }; FIELDS];
        let parsed = AnswerHead::parse(bytes, &mut fields, AskedWith::Other)?;
        Ok(parsed.map(|(head, _)| {
            let names = head.passed().map(|field| field.name.to_owned()).collect();
            (head.status, head.framing, head.keep_alive, names)
        }))
    }

    #[test]
    fn answers() {
        let got = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nX-Hop: 1\r\nConnection: x-hop\r\nKeep-Alive: 5\r\n\r\n");
        let passed = ["Content-Length", "Set-Cookie", "Set-Cookie"].map(str::to_owned).to_vec();
        assert_eq!(got, Ok(Some((200, Framing::Length(2), true, passed))));
        let got =
            answer(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n");
        assert_eq!(got, Ok(Some((200, Framing::Chunked, false, vec![]))));
        let got = answer(b"HTTP/1.0 404 Not Found\r\n\r\n");
        assert_eq!(got, Ok(Some((404, Framing::UntilClose, false, vec![]))));
        let got = answer(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n");
        assert_eq!(got, Ok(Some((304, Framing::None, true, vec!["Content-Length".into()]))));
        // A length where there is never a body, or one said twice, is not passed on.
        let got = answer(b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n");
        assert_eq!(got, Ok(Some((204, Framing::None, false, vec![]))));
        let got = answer(b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert_eq!(got, Ok(Some((304, Framing::None, false, vec![]))));
        let got = answer(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(got, Ok(Some((204, Framing::None, true, vec![]))));
        let got = answer(b"HTTP/1.1 304 No\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n");
        assert_eq!(got, Ok(Some((304, Framing::None, true, vec![]))));
        let got = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n");
        assert_eq!(got, Ok(Some((200, Framing::Length(5), true, vec!["Content-Length".into()]))));
        assert_eq!(answer(b"HTTP/1.1 200 OK\r\nx"), Ok(None));
        for wrong in [
            &b"rubbish\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
            b"HTTP/1.1 099 OK\r\n\r\n",
            format!("HTTP/1.1 200 OK\r\nConnection: {}\r\n\r\n", "q,".repeat(99)).as_bytes(),
            b"\x00\x01",
        ] {
            assert!(answer(wrong).is_err(), "{}", String::from_utf8_lossy(wrong));
        }
    }

    #[test]
    fn fields_of_ours_do_not_pass() {
        for (name, value, passes) in [
            ("set-cookie", "a=ovhai", true),
            ("set-cookie", "ovhai=x; Path=/", false),
            ("Set-Cookie", "=__Host-ovhai=x", false),
            ("grpc-status", "0", true),
            ("proxy-authenticate", "Basic", false),
            ("strict-transport-security", "max-age=1", false),
            ("keep-alive", "5", false),
            ("upgrade", "h2c", false),
        ] {
            let field = Header { name, value: value.as_bytes() };
            assert_eq!(may_pass(Known::of(name), &field), passes, "{name}: {value}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = answer(&bytes);
        }
    }
}
