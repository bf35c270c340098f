//! Counts wrong tokens, by client address and place of login. Passwords are counted by the platform.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ovhai_api_types::{AppId, Timestamp};

/// Maximum wrong tokens within [`WINDOW`]; after that none is checked.
const TRIES: u32 = 10;
const WINDOW: Duration = Duration::from_mins(1);
/// Maximum addresses that are counted apart.
const COUNTED: usize = 1000;

/// Where a login happens: at an app, or at the console.
pub(crate) type LoginPlace = Option<AppId>;

/// An address and a place; none for all that do not fit in.
type Who = Option<(IpAddr, LoginPlace)>;

#[derive(Default)]
pub(crate) struct Tries(Mutex<HashMap<Who, (u32, Timestamp)>>);

impl Tries {
    /// Counts a try before it is checked. Returns the seconds to wait if there were too many.
    pub(crate) fn begin(
        &self,
        client: IpAddr,
        place: LoginPlace,
        now: Timestamp,
    ) -> Result<(), u64> {
        let elapsed =
            |since: &Timestamp| Duration::try_from(now.duration_since(*since)).unwrap_or_default();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut who = Some((client.to_canonical(), place));
        if all.len() >= COUNTED && !all.contains_key(&who) {
            all.retain(|_, (_, since)| elapsed(since) < WINDOW);
            if all.len() >= COUNTED {
                who = None;
            }
        }
        let (count, since) = all.entry(who).or_insert((0, now));
        let left = WINDOW.saturating_sub(elapsed(since));
        if left.is_zero() {
            (*count, *since) = (0, now);
        } else if *count >= TRIES {
            return Err(left.as_secs() + 1);
        }
        *count += 1;
        Ok(())
    }

    /// Takes a try back that was right.
    pub(crate) fn succeeded(&self, client: IpAddr, place: LoginPlace) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((count, _)) = all.get_mut(&Some((client.to_canonical(), place))) {
            *count = count.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn app(n: u128) -> AppId {
        AppId(Uuid::from_u128(n))
    }

    #[test]
    fn attempts_per_minute_are_limited() {
        let (tries, now) = (Tries::default(), Timestamp::UNIX_EPOCH);
        let one: IpAddr = "127.0.0.1".parse().expect("an address");
        let mapped: IpAddr = "::ffff:127.0.0.1".parse().expect("an address");
        for _ in 0..TRIES {
            tries.begin(one, Some(app(1)), now).expect("allowed");
        }
        assert_eq!(tries.begin(one, Some(app(1)), now), Err(61));
        assert_eq!(tries.begin(mapped, Some(app(1)), now), Err(61), "the same address");
        assert_eq!(tries.begin(one, Some(app(2)), now), Ok(()), "another app");
        assert_eq!(tries.begin(one, None, now), Ok(()), "the console");
        assert_eq!(tries.begin("::1".parse().expect("an address"), Some(app(1)), now), Ok(()));
        let now = now + WINDOW;
        for _ in 0..3 * TRIES {
            tries.begin(one, Some(app(1)), now).expect("a good one does not count");
            tries.succeeded(one, Some(app(1)));
        }
    }

    #[test]
    fn the_number_of_kept_attempts_is_bounded() {
        let tries = Tries::default();
        let client: IpAddr = "127.0.0.1".parse().expect("an address");
        let mut refused = 0;
        for n in 0..2 * COUNTED as u128 {
            refused +=
                usize::from(tries.begin(client, Some(app(n)), Timestamp::UNIX_EPOCH).is_err());
        }
        let kept = tries.0.lock().expect("not poisoned").len();
        assert!(kept <= COUNTED + 1, "{kept}");
        assert_eq!(refused, COUNTED - TRIES as usize);
    }
}
