//! How the end of a message is known, and what makes one malformed.

use http::StatusCode;

/// How the length of a body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    None,
    /// By its number of bytes.
    Length(u64),
    /// By a last chunk.
    Chunked,
    /// By the sender closing the connection; of responses only.
    UntilClose,
}

impl Framing {
    /// Whether a body follows, and is not empty.
    #[inline]
    pub const fn has_body(self) -> bool {
        !matches!(self, Self::None | Self::Length(0))
    }

    /// Whether the length is not known beforehand.
    #[inline]
    pub const fn is_open_ended(self) -> bool {
        matches!(self, Self::Chunked | Self::UntilClose)
    }
}

/// The method's share in whether a response has a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedWith {
    /// `HEAD`: there is none.
    Head,
    /// Any other method.
    Other,
}

/// A message that can't be understood, or only in more than one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    /// The status of the refusal.
    pub status: StatusCode,
    /// The reason, for the sender.
    pub why: &'static str,
}

impl Malformed {
    /// One that is refused with this status.
    pub const fn new(status: StatusCode, why: &'static str) -> Self {
        Self { status, why }
    }
}

/// A message that is refused with 400 (Bad Request).
pub const fn bad(why: &'static str) -> Malformed {
    Malformed::new(StatusCode::BAD_REQUEST, why)
}

/// A value that must come at most once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AtMostOne<'b> {
    /// It did not come.
    #[default]
    Never,
    /// It came once.
    One(&'b [u8]),
    /// It came more than once: none of them can be believed.
    Several,
}

impl<'b> AtMostOne<'b> {
    /// Takes note of a value.
    #[inline]
    pub fn add(&mut self, value: &'b [u8]) {
        *self = if *self == Self::Never { Self::One(value) } else { Self::Several };
    }

    /// Whether it came at all.
    #[inline]
    pub fn is_there(self) -> bool {
        self != Self::Never
    }

    /// The value, if there is exactly one.
    #[inline]
    pub fn one(self) -> Option<&'b [u8]> {
        if let Self::One(value) = self { Some(value) } else { None }
    }
}

/// The number in decimal digits; none if there is anything else.
#[inline]
pub fn number(digits: &[u8]) -> Option<u64> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    plain.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}
