//! Codes of links that open the console once, without a password.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use ovhai_api_types::Timestamp;
use ovhai_core::policy::Principal;

use crate::random;

/// How long a code can be used.
pub(super) const LASTS: Duration = Duration::from_mins(1);
/// Maximum codes that wait; the oldest end first.
const MOST: usize = 16;

struct Code {
    value: String,
    who: Principal,
    until: Timestamp,
}

/// The codes that were not used yet.
#[derive(Default)]
pub(super) struct Codes(Mutex<Vec<Code>>);

impl Codes {
    /// Makes a code; none if there are no random numbers.
    pub(super) fn issue(&self, who: Principal, now: Timestamp) -> Option<String> {
        let value = random::secret()?;
        let until = now.checked_add(LASTS).unwrap_or(now);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|code| code.until > now);
        if all.len() >= MOST {
            all.remove(0);
        }
        all.push(Code { value: value.clone(), who, until });
        Some(value)
    }

    /// Uses a code up.
    pub(super) fn redeem(&self, value: &str, now: Timestamp) -> Option<Principal> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it =
            |code: &Code| verify_slices_are_equal(code.value.as_bytes(), value.as_bytes()).is_ok();
        let at = all.iter().position(is_it)?;
        let code = all.remove(at);
        (code.until > now).then_some(code.who)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_good_once_and_for_a_minute() {
        let (codes, now) = (Codes::default(), Timestamp::UNIX_EPOCH);
        let issue = || {
            let who = Principal::Administrator { user: "local".into() };
            codes.issue(who, now).expect("random numbers")
        };
        let code = issue();
        assert!(codes.redeem("", now).is_none() && codes.redeem(&code[1..], now).is_none());
        assert!(codes.redeem(&code, now + Duration::from_secs(59)).is_some());
        assert!(codes.redeem(&code, now).is_none(), "used");
        let late = issue();
        assert!(codes.redeem(&late, now + LASTS).is_none());
        let first = issue();
        let others: Vec<_> = (0..MOST).map(|_| issue()).collect();
        assert!(codes.redeem(&first, now).is_none(), "too many");
        assert!(others.iter().all(|code| codes.redeem(code, now).is_some()));
    }
}
