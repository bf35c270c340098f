//! Counts wrong tokens, by client address and app. Passwords are counted by the platform.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ovhai_api_types::AppId;
use tokio::time::Instant;

/// Maximum wrong tokens within [`WINDOW`]; after that none is checked.
const TRIES: u32 = 10;
const WINDOW: Duration = Duration::from_mins(1);
/// Maximum addresses that are counted apart.
const COUNTED: usize = 1000;

/// An address and an app; none for all that do not fit in.
type Who = Option<(IpAddr, AppId)>;

#[derive(Default)]
pub(super) struct Tries(Mutex<HashMap<Who, (u32, Instant)>>);

impl Tries {
    /// Counts a try before it is checked. Returns the seconds to wait if there were too many.
    pub(super) fn begin(&self, client: IpAddr, app: AppId) -> Result<(), u64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut who = Some((client.to_canonical(), app));
        if all.len() >= COUNTED && !all.contains_key(&who) {
            all.retain(|_, (_, since)| since.elapsed() < WINDOW);
            if all.len() >= COUNTED {
                who = None;
            }
        }
        let (count, since) = all.entry(who).or_insert_with(|| (0, Instant::now()));
        let left = WINDOW.saturating_sub(since.elapsed());
        if left.is_zero() {
            (*count, *since) = (0, Instant::now());
        } else if *count >= TRIES {
            return Err(left.as_secs() + 1);
        }
        *count += 1;
        Ok(())
    }

    /// Takes a try back that was right.
    pub(super) fn succeeded(&self, client: IpAddr, app: AppId) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((count, _)) = all.get_mut(&Some((client.to_canonical(), app))) {
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

    #[tokio::test(start_paused = true)]
    async fn so_many_a_minute() {
        let tries = Tries::default();
        let one: IpAddr = "127.0.0.1".parse().expect("an address");
        let mapped: IpAddr = "::ffff:127.0.0.1".parse().expect("an address");
        for _ in 0..TRIES {
            tries.begin(one, app(1)).expect("allowed");
        }
        assert_eq!(tries.begin(one, app(1)), Err(61));
        assert_eq!(tries.begin(mapped, app(1)), Err(61), "the same address");
        assert_eq!(tries.begin(one, app(2)), Ok(()), "another app");
        assert_eq!(tries.begin("::1".parse().expect("an address"), app(1)), Ok(()));
        tokio::time::advance(WINDOW).await;
        for _ in 0..3 * TRIES {
            tries.begin(one, app(1)).expect("a good one does not count");
            tries.succeeded(one, app(1));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_is_bounded() {
        let tries = Tries::default();
        let client: IpAddr = "127.0.0.1".parse().expect("an address");
        let mut refused = 0;
        for n in 0..2 * COUNTED as u128 {
            refused += usize::from(tries.begin(client, app(n)).is_err());
        }
        let kept = tries.0.lock().expect("not poisoned").len();
        assert!(kept <= COUNTED + 1, "{kept}");
        assert_eq!(refused, COUNTED - TRIES as usize);
    }
}
