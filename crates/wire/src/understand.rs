//! The parsed facts of a request's head, for fuzzing.

use crate::fields::Reserved;
use crate::framing::Malformed;
use crate::request::{RequestHead, no_fields};
use crate::scan::{HeadLimits, Scanner};

/// The parsed facts of a request's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Understood {
    /// The method.
    pub method: String,
    /// The host that is asked for, with its port if it was given.
    pub host: String,
    /// Path and query, or `*`.
    pub target: String,
    /// Bytes of the head.
    pub length: usize,
}

/// Reads the head at the beginning of these bytes; none if it is not whole, the status of the
/// refusal if it is malformed.
pub fn understand(bytes: &[u8], limits: HeadLimits) -> Result<Option<Understood>, u16> {
    let status = |malformed: Malformed| malformed.status.as_u16();
    let Some(range) = Scanner::default().find(bytes, limits).map_err(status)? else {
        return Ok(None);
    };
    let length = range.end;
    let mut fields = no_fields();
    let head = RequestHead::parse(&bytes[range], &mut fields, Vec::new(), &Reserved::NONE)
        .map_err(status)?;
    Ok(Some(Understood {
        method: head.method.to_owned(),
        host: head.host.to_owned(),
        target: head.target.to_owned(),
        length,
    }))
}
