//! What a request expects (`Expect`, RFC 9110 section 10.1.1).

use http::StatusCode;

use crate::fields::words;
use crate::framing::Malformed;

/// `Expect` is a list, which may be empty or repeat itself (RFC 9110 sections 5.6.1 and 10.1.1).
#[derive(Debug, Default)]
pub(crate) struct Expectations {
    go_on: bool,
    other: bool,
}

impl Expectations {
    pub(crate) fn add(&mut self, value: &[u8]) {
        for word in words(value) {
            if word.eq_ignore_ascii_case(b"100-continue") {
                self.go_on = true;
            } else {
                self.other = true;
            }
        }
    }

    /// Whether the client waits for 100 (Continue).
    pub(crate) fn continues(&self) -> Result<bool, Malformed> {
        if self.other {
            let why = "only 100-continue can be expected here";
            return Err(Malformed { status: StatusCode::EXPECTATION_FAILED, why });
        }
        Ok(self.go_on)
    }
}

#[cfg(test)]
mod tests {
    use crate::fields::Reserved;
    use crate::request::{RequestHead, no_fields};

    #[test]
    fn expectations_are_recognized() {
        let waits = |version: &str, fields: &str| {
            let request = format!("POST / HTTP/{version}\r\nHost: h\r\n{fields}\r\n\r\n");
            let mut fields = no_fields();
            RequestHead::parse(request.as_bytes(), &mut fields, Vec::new(), &Reserved::NONE)
                .map(|head| head.expects_continue)
        };
        for once in [
            "100-continue",
            " 100-Continue , 100-continue",
            "100-continue\r\nExpect: 100-continue",
            ",100-continue,",
        ] {
            assert_eq!(waits("1.1", &format!("Expect: {once}")), Ok(true), "{once:?}");
        }
        for nothing in ["", " ", ",", "\r\nExpect:"] {
            assert_eq!(waits("1.1", &format!("Expect:{nothing}")), Ok(false), "{nothing:?}");
        }
        assert_eq!(waits("1.0", "Expect: 100-continue"), Ok(false));
    }
}
