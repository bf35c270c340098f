//! Binds forms to the browser that they were shown to: they carry a signature over the visitor (a
//! random cookie), the purpose and the time. The key lives as long as the emulator.

use std::sync::OnceLock;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ovhai_api_types::Timestamp;

use crate::random;

/// How long a page may stay open before its form is sent.
const LASTS: Duration = Duration::from_hours(12);

/// Signs forms, and checks them when they come back.
#[derive(Default)]
pub(crate) struct Forms {
    /// Made with the first page.
    key: OnceLock<hmac::Key>,
}

impl Forms {
    fn key(&self) -> Option<&hmac::Key> {
        if self.key.get().is_none() {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &random::bytes()?);
            // If another thread was faster, its key counts.
            let _ = self.key.set(key);
        }
        self.key.get()
    }

    /// Signs a form; none when there are no random numbers. `purpose` names the place that the form
    /// is for: it counts nowhere else.
    pub(crate) fn sign(&self, visitor: &str, purpose: &str, now: Timestamp) -> Option<String> {
        let time = now.as_millisecond().to_be_bytes();
        let tag = hmac::sign(self.key()?, &message(time, visitor, purpose));
        let mut signed = time.to_vec();
        signed.extend_from_slice(tag.as_ref());
        Some(URL_SAFE_NO_PAD.encode(signed))
    }

    /// Whether this visitor was shown the form, and not too long ago.
    pub(crate) fn is_good(
        &self,
        signed: &str,
        visitor: &str,
        purpose: &str,
        now: Timestamp,
    ) -> bool {
        let (Some(key), Ok(signed)) = (self.key(), URL_SAFE_NO_PAD.decode(signed)) else {
            return false;
        };
        let Some((time, tag)) = signed.split_first_chunk::<8>() else { return false };
        let shown = i64::from_be_bytes(*time);
        let age = now.as_millisecond().saturating_sub(shown);
        hmac::verify(key, &message(*time, visitor, purpose), tag).is_ok()
            && u64::try_from(age).is_ok_and(|age| u128::from(age) < LASTS.as_millis())
    }
}

/// A visitor has no blank, so that no two pairs make the same message.
fn message(time: [u8; 8], visitor: &str, purpose: &str) -> Vec<u8> {
    let mut message = time.to_vec();
    message.extend_from_slice(purpose.as_bytes());
    message.push(b' ');
    message.extend_from_slice(visitor.as_bytes());
    message
}

/// A visitor's cookie, if it has the form of one.
pub(crate) fn visitor(value: &[u8]) -> Option<&str> {
    let is_ours = value.len() == random::SECRET_LEN
        && value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte));
    std::str::from_utf8(value).ok().filter(|_| is_ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_valid_for_one_visitor_and_purpose_and_expires() {
        let forms = Forms::default();
        let (app, other) = ("app 1", "app 2");
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        let signed = forms.sign("ann", app, now).expect("signed");
        assert!(forms.is_good(&signed, "ann", app, now));
        let later = now + LASTS - Duration::from_secs(1);
        assert!(forms.is_good(&signed, "ann", app, later));
        assert!(!forms.is_good(&signed, "ann", app, later + Duration::from_secs(1)));
        assert!(!forms.is_good(&signed, "ann", app, now - Duration::from_secs(1)));
        assert!(!forms.is_good(&signed, "bob", app, now));
        assert!(!forms.is_good(&signed, "ann", other, now));
        assert!(!Forms::default().is_good(&signed, "ann", app, now), "another key");
        let next = forms.sign("ann", app, now + Duration::from_secs(1)).expect("signed");
        assert!(!forms.is_good(&format!("{}{}", &next[..10], &signed[10..]), "ann", app, now));
        for bad in ["", "x", "AAAAAAAA", &signed[1..], &signed[..signed.len() - 1]] {
            assert!(!forms.is_good(bad, "ann", app, now), "{bad}");
        }
    }

    #[test]
    fn only_genuine_visitor_cookies_are_accepted() {
        let made = random::secret().expect("random numbers");
        assert_eq!(visitor(made.as_bytes()), Some(made.as_str()));
        for bad in [&b""[..], b"x", &[b'a'; 44], &[b' '; 43], &[0xff; 43]] {
            assert_eq!(visitor(bad), None);
        }
    }
}
