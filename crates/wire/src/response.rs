//! Heads of responses. Apps are read as browsers read servers: a sloppy but clear head is
//! understood, what two readers may take for different things never is.

use std::mem::MaybeUninit;

use httparse::Header;

use crate::fields::{Known, Reserved, words};
use crate::framing::{AskedWith, AtMostOne, Framing, number};
use crate::request::{FieldRoom, NAMED};

/// The head of an app's response.
#[derive(Debug)]
pub struct ResponseHead<'b> {
    /// The status, 100 to 999.
    pub status: u16,
    /// The text behind the status.
    pub reason: &'b str,
    /// The fields for the client. `Content-Length` is among them only where it is true.
    pub passed: &'b [Header<'b>],
    /// How the body's end is known.
    pub framing: Framing,
    /// Whether the connection can be used again after the body.
    pub keep_alive: bool,
    /// `Upgrade`.
    pub upgrade: Option<&'b [u8]>,
}

/// Why a response is rejected; for the log, and for a caller with a bearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidResponse {
    /// For this reason.
    Because(&'static str),
    /// It has more fields than the limit allows.
    TooManyFields,
}

const fn because(why: &'static str) -> InvalidResponse {
    InvalidResponse::Because(why)
}

/// Room for the fields of answers that have more than most have.
pub type ManyFields<'b> = Vec<MaybeUninit<Header<'b>>>;

impl<'b> ResponseHead<'b> {
    /// Parses the head at the beginning of `bytes`, and gives its length; none when more has to come.
    /// `many` is used when the fields do not fit into `few`, and takes up to `fields_max` of them.
    /// Fields that are `withheld` do not pass.
    pub fn parse(
        bytes: &'b [u8],
        few: &'b mut FieldRoom<'b>,
        many: &'b mut ManyFields<'b>,
        fields_max: usize,
        asked_with: AskedWith,
        withheld: impl Fn(&Header<'_>) -> bool,
    ) -> Result<Option<(Self, usize)>, InvalidResponse> {
        let mut config = httparse::ParserConfig::default();
        // White space before a colon is removed (RFC 9112 section 5.1).
        config.allow_spaces_after_header_name_in_responses(true);
        let most = fields_max.min(few.len());
        let mut response = httparse::Response::new(&mut []);
        let mut outcome =
            config.parse_response_with_uninit_headers(&mut response, bytes, &mut few[..most]);
        if outcome == Err(httparse::Error::TooManyHeaders) && fields_max > most {
            many.resize(fields_max, MaybeUninit::uninit());
            response = httparse::Response::new(&mut []);
            outcome = config.parse_response_with_uninit_headers(&mut response, bytes, many);
        }
        let status = outcome.map_err(|error| match error {
            httparse::Error::TooManyHeaders => InvalidResponse::TooManyFields,
            _ => because("it is not HTTP"),
        })?;
        let httparse::Status::Complete(end) = status else { return Ok(None) };
        let status = response.code.unwrap_or_default();
        if !(100..=999).contains(&status) {
            return Err(because("its status is not valid"));
        }
        let said = Said::by(response.headers)?;
        let is_old = response.version != Some(1);
        let mut keep_alive = !said.close && (!is_old || said.keep);
        let framing = said.framing(status, asked_with)?;
        // With both a length and a coding, the coding counts; the length is not passed on.
        keep_alive &= !(framing == Framing::Chunked && said.length.is_there());
        keep_alive &= framing != Framing::UntilClose;
        let is_empty = matches!(said.length, AtMostOne::Never | AtMostOne::One(b"0"));
        if said.coding.is_there() && framing == Framing::None || status == 204 && !is_empty {
            // If the app sent a body nevertheless, the next client would read it as its response.
            // A length in a 304 is in order: it is that of another answer.
            keep_alive = false;
        }
        // A head without a body carries no length: a client might wait for the body.
        let bodiless = status < 200 || status == 204;
        let is_true = match said.length {
            AtMostOne::One(value) => {
                framing != Framing::Chunked && !bodiless && number(value).is_some()
            }
            AtMostOne::Never | AtMostOne::Several => false,
        };
        let upgrade = said.upgrade;
        let passed = said.passing(response.headers, is_true, withheld);
        let reason = response.reason.unwrap_or_default();
        Ok(Some((Self { status, reason, passed, framing, keep_alive, upgrade }, end)))
    }
}

/// What the fields say of the message and its connection.
#[derive(Default)]
struct Said<'b> {
    length: AtMostOne<'b>,
    /// Which field said the length first.
    length_at: usize,
    coding: AtMostOne<'b>,
    upgrade: Option<&'b [u8]>,
    close: bool,
    keep: bool,
    /// Fields that are about the connection only.
    named: Vec<&'b [u8]>,
}

impl<'b> Said<'b> {
    fn by(fields: &[Header<'b>]) -> Result<Self, InvalidResponse> {
        let mut said = Self::default();
        for (at, field) in fields.iter().enumerate() {
            match Known::of(field.name, &Reserved::NONE) {
                Known::ContentLength => {
                    match said.length {
                        AtMostOne::Never => said.length_at = at,
                        AtMostOne::One(before) if before == field.value => continue,
                        AtMostOne::One(_) | AtMostOne::Several => {}
                    }
                    said.length.add(field.value);
                }
                Known::TransferEncoding => said.coding.add(field.value),
                Known::Upgrade => said.upgrade = Some(field.value),
                Known::Connection => {
                    for word in words(field.value) {
                        match word {
                            word if word.eq_ignore_ascii_case(b"close") => said.close = true,
                            word if word.eq_ignore_ascii_case(b"keep-alive") => said.keep = true,
                            word if word.eq_ignore_ascii_case(b"upgrade") => {}
                            word => said.named.push(word),
                        }
                    }
                }
                _ => {}
            }
        }
        if said.named.len() > NAMED {
            return Err(because("its Connection names too many fields"));
        }
        Ok(said)
    }

    fn framing(&self, status: u16, asked_with: AskedWith) -> Result<Framing, InvalidResponse> {
        if asked_with == AskedWith::Head || status < 200 || matches!(status, 204 | 304) {
            return Ok(Framing::None);
        }
        match (self.length, self.coding) {
            (_, AtMostOne::One(coding)) if coding.eq_ignore_ascii_case(b"chunked") => {
                Ok(Framing::Chunked)
            }
            (_, AtMostOne::One(_) | AtMostOne::Several) => {
                Err(because("its Transfer-Encoding is not understood"))
            }
            (AtMostOne::One(value), AtMostOne::Never) => match number(value) {
                Some(length) => Ok(Framing::Length(length)),
                None => Err(because("its Content-Length is not a number")),
            },
            (AtMostOne::Several, AtMostOne::Never) => {
                Err(because("it has more than one Content-Length"))
            }
            (AtMostOne::Never, AtMostOne::Never) => Ok(Framing::UntilClose),
        }
    }

    /// Moves the fields that go to the client to the front, in their order.
    fn passing(
        &self,
        fields: &'b mut [Header<'b>],
        length_is_true: bool,
        withheld: impl Fn(&Header<'_>) -> bool,
    ) -> &'b [Header<'b>] {
        let mut count = 0;
        for at in 0..fields.len() {
            let field = fields[at];
            let passes = match Known::of(field.name, &Reserved::NONE) {
                Known::ContentLength => length_is_true && at == self.length_at,
                known => may_pass(known, &field, &withheld) && !self.is_named(field.name),
            };
            if passes {
                fields[count] = field;
                count += 1;
            }
        }
        &fields[..count]
    }

    fn is_named(&self, name: &str) -> bool {
        !name.eq_ignore_ascii_case("trailer")
            && self.named.iter().any(|word| word.eq_ignore_ascii_case(name.as_bytes()))
    }
}

/// Whether a field of a response is for the client: it is not about the connection to the app, nor
/// withheld by the gateway.
#[inline]
pub fn may_pass(known: Known, field: &Header<'_>, withheld: impl Fn(&Header<'_>) -> bool) -> bool {
    match known {
        Known::Connection | Known::TransferEncoding | Known::Upgrade | Known::Hop => false,
        Known::Other => !field.name.eq_ignore_ascii_case("proxy-authenticate") && !withheld(field),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::request::{FIELDS, no_fields};

    /// Status, framing, whether the connection goes on, names of the fields that pass.
    type Seen = (u16, Framing, bool, Vec<String>);

    fn answer(bytes: &[u8]) -> Result<Option<Seen>, InvalidResponse> {
        let (mut few, mut many) = (no_fields(), Vec::new());
        let asked = AskedWith::Other;
        let parsed = ResponseHead::parse(bytes, &mut few, &mut many, 1024, asked, |_| false)?;
        Ok(parsed.map(|(head, _)| {
            let names = head.passed.iter().map(|field| field.name.to_owned()).collect();
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
    fn white_space_before_a_colon_is_removed() {
        let got = answer(b"HTTP/1.1 200 OK\r\nX-A : 1\r\nX-B \t:2\r\nContent-Length : 2\r\n\r\n");
        let passed = ["X-A", "X-B", "Content-Length"].map(str::to_owned).to_vec();
        assert_eq!(got, Ok(Some((200, Framing::Length(2), true, passed))));
        let got = answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n");
        assert_eq!(got, Ok(Some((200, Framing::Chunked, true, vec![]))));
        for ambiguous in [
            "X A: 1",
            "X A : 1",
            " X-A: 1",
            " : 1",
            "X-A",
            "X-A ",
            "X-A: 1\r\n : 2",
            "X-A: 1\r\n folded",
            "Content-Length: 2\r\nContent-Length : 3",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding : gzip",
        ] {
            let head = format!("HTTP/1.1 200 OK\r\n{ambiguous}\r\n\r\n");
            assert!(answer(head.as_bytes()).is_err(), "{ambiguous:?}");
        }
    }

    #[test]
    fn many_fields() {
        let head = |count: usize| {
            let fields = (0..count).fold(String::new(), |all, at| all + &format!("X-{at}: 1\r\n"));
            format!("HTTP/1.1 200 OK\r\nConnection: x-1\r\n{fields}\r\n")
        };
        for count in [FIELDS - 1, FIELDS, 1023] {
            let got = answer(head(count).as_bytes());
            let names = got.ok().flatten().map(|(_, _, _, names)| names).unwrap_or_default();
            assert_eq!(names.len(), count - 1, "all but the one that Connection names");
            assert_eq!(names.last(), Some(&format!("X-{}", count - 1)));
        }
        assert_eq!(answer(head(1024).as_bytes()), Err(InvalidResponse::TooManyFields));
    }

    #[test]
    fn hop_by_hop_fields_do_not_pass() {
        for (name, passes) in [
            ("set-cookie", true),
            ("grpc-status", true),
            ("x-kept-back", false),
            ("proxy-authenticate", false),
            ("keep-alive", false),
            ("upgrade", false),
        ] {
            let field = Header { name, value: b"x" };
            let known = Known::of(name, &Reserved::NONE);
            let withheld = |field: &Header<'_>| field.name == "x-kept-back";
            assert_eq!(may_pass(known, &field, withheld), passes, "{name}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = answer(&bytes);
        }
    }
}
