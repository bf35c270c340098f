//! Exact numbers of requests by app, caller, decision, refusal and status, for tests that assert them.
//!
//! Each worker has a tally of its own, which it changes under a lock that only readers contend for.
//! Requests often equal the one before them, so that most cost a comparison and an addition. The
//! number of different requests is bounded: those beyond it are counted together.

use std::collections::HashMap;

use ovhai_api_types::{AppId, Door, TokenId};

use super::line::{Decision, Destination, Line, Who};
use super::refusal_kind::RefusalKind;

/// Maximum number of different requests of a worker.
const ROWS: usize = 4096;

/// The caller of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CallerKind {
    Anonymous,
    Token(TokenId),
    User,
}

/// What counted requests have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) door: Door,
    /// None also for an app that does not exist: any client can make up ids.
    pub(crate) app: Option<AppId>,
    pub(crate) caller: CallerKind,
    pub(crate) decision: Decision,
    pub(crate) refused: Option<RefusalKind>,
    pub(crate) status: u16,
}

impl Key {
    fn of(line: &Line<'_>) -> Self {
        let (door, app) = match line.destination {
            Destination::App { id, known, .. } => (Door::App, known.then_some(id)),
            Destination::Api => (Door::Api, None),
            Destination::Local => (Door::Local, None),
            Destination::Nowhere => (Door::None, None),
        };
        let caller = match line.who {
            Who::Anonymous => CallerKind::Anonymous,
            Who::Token { id, .. } => CallerKind::Token(id),
            Who::User(_) => CallerKind::User,
        };
        let Line { decision, refused, status, .. } = *line;
        Self { door, app, caller, decision, refused, status }
    }
}

/// A worker's numbers.
#[derive(Debug, Default)]
pub(super) struct Tally {
    rows: Vec<(Key, u64)>,
    places: HashMap<Key, usize>,
    /// Place of the last request.
    last: usize,
    overflow: u64,
    /// Number of all requests that have ended; never reset.
    pub(super) ended: u64,
}

impl Tally {
    /// Counts a request that has ended.
    pub(super) fn add(&mut self, line: &Line<'_>) {
        self.ended += 1;
        let key = Key::of(line);
        if let Some((last, count)) = self.rows.get_mut(self.last)
            && *last == key
        {
            *count += 1;
            return;
        }
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None if self.rows.len() == ROWS => {
                self.overflow += 1;
                return;
            }
            None => {
                self.places.insert(key, self.rows.len());
                self.rows.push((key, 0));
                self.rows.len() - 1
            }
        };
        self.last = place;
        self.rows[place].1 += 1;
    }

    /// Counts a request that readers do not see.
    pub(super) fn skip(&mut self) {
        self.ended += 1;
    }

    /// Sets the numbers to zero.
    pub(super) fn reset(&mut self) {
        let ended = self.ended;
        *self = Self { ended, ..Self::default() };
    }

    /// Adds its numbers to others.
    pub(super) fn sum_into(&self, sums: &mut Sums) {
        for (key, count) in &self.rows {
            *sums.rows.entry(*key).or_default() += count;
        }
        sums.overflow += self.overflow;
    }
}

/// The numbers of all workers.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    pub(crate) rows: HashMap<Key, u64>,
    /// Number of requests in no row.
    pub(crate) overflow: u64,
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::telemetry::tests::line;

    #[test]
    fn different_requests_are_bounded_and_the_rest_is_counted_together() {
        let mut tally = Tally::default();
        let id = |n: usize| AppId(Uuid::from_u128(n as u128));
        for round in 0..3 {
            for n in 0..ROWS + 10 {
                tally.add(&line(id(n), true, 200));
                tally.add(&line(id(n), true, 200));
            }
            // Made-up ids are one row, if there is room for it.
            tally.add(&line(id(round), false, 404));
        }
        let mut sums = Sums::default();
        tally.sum_into(&mut sums);
        tally.sum_into(&mut sums);
        assert_eq!((sums.rows.len(), sums.overflow), (ROWS, 2 * (3 * 10 * 2 + 3)));
        assert!(sums.rows.values().all(|count| *count == 2 * 3 * 2));
        tally.reset();
        let mut sums = Sums::default();
        tally.add(&line(id(1), false, 404));
        tally.add(&line(id(2), false, 404));
        tally.sum_into(&mut sums);
        assert_eq!((sums.rows.into_values().collect::<Vec<_>>(), sums.overflow), (vec![2], 0));
        assert_eq!(tally.ended, 3 * (2 * (ROWS as u64 + 10) + 1) + 2);
    }
}
