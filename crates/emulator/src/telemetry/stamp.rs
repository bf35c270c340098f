//! The time in a line of the access log: RFC 3339, milliseconds, UTC. Date and time are formatted
//! once a second.

use std::time::{SystemTime, UNIX_EPOCH};

use ovhai_api_types::Timestamp;

const LENGTH: usize = "1970-01-01T00:00:00.000Z".len();
const DOT: usize = LENGTH - ".000Z".len();

/// The moment, as text.
#[derive(Debug, Clone)]
pub(crate) struct Stamp {
    second: u64,
    text: [u8; LENGTH],
}

impl Stamp {
    /// Formats a moment.
    pub(crate) fn of(now: SystemTime) -> Self {
        let mut stamp = Self { second: u64::MAX, text: *b"1970-01-01T00:00:00.000Z" };
        stamp.set(now);
        stamp
    }

    /// Changes it to another moment.
    pub(crate) fn set(&mut self, now: SystemTime) {
        // A clock before 1970 is shown as 1970.
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        if since.as_secs() != self.second {
            self.second = since.as_secs();
            let moment =
                i64::try_from(self.second).ok().and_then(|s| Timestamp::from_second(s).ok());
            let text = format!("{:.0}", moment.unwrap_or_default());
            // Years have four digits until 9999.
            if let Some(text) = text.as_bytes().get(..DOT) {
                self.text[..DOT].copy_from_slice(text);
            }
        }
        let millis = since.subsec_millis();
        for (at, unit) in [(1, 100), (2, 10), (3, 1)] {
            // A digit.
            self.text[DOT + at] = b'0' + u8::try_from(millis / unit % 10).unwrap_or(0);
        }
    }

    /// The text.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_stamp_is_the_current_time(moments in proptest::collection::vec(0u64..4_102_444_800_000, 1..20)) {
            let mut stamp = Stamp::of(UNIX_EPOCH);
            for millis in moments {
                stamp.set(UNIX_EPOCH + Duration::from_millis(millis));
                let text = std::str::from_utf8(stamp.as_bytes()).expect("text");
                let moment: Timestamp = text.parse().expect("RFC 3339");
                prop_assert_eq!(moment.as_millisecond(), i64::try_from(millis).expect("small"));
                prop_assert!(text.len() == LENGTH && text.ends_with('Z'));
            }
        }
    }
}
