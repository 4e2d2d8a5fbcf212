//! Chance that follows from a seed: SHA-256 over the seed and a counter.

use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};
use time::{Duration, Time, Weekday};
use warren_model::{Random, Timestamp, ambient::random_bytes};

/// The bytes that follow from a seed. Never for secrets that have to stay secret.
#[derive(Debug)]
pub(super) struct Draw {
    key: [u8; 32],
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    counter: u64,
    block: [u8; 32],
    /// Bytes of the block that were given out.
    used: usize,
}

impl Draw {
    /// The one of `part`: parts do not disturb one another.
    pub fn new(seed: u64, part: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_be_bytes());
        hash.update(part.as_bytes());
        Self { key: hash.finalize().into(), state: Mutex::new(State { used: 32, ..State::default() }) }
    }

    /// A number below `end`, which is not zero.
    pub fn below(&self, end: u64) -> u64 {
        u64::from_be_bytes(random_bytes(self)) % end
    }

    /// Whether something happens that happens `percent` times in a hundred.
    pub fn happens(&self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`, of which there is one.
    pub fn one_of<'a, T>(&self, choices: &'a [T]) -> &'a T {
        let at = usize::try_from(self.below(choices.len() as u64)).unwrap_or(0);
        &choices[at]
    }

    /// A moment from `first` on and before `last`, in whole microseconds.
    pub fn between(&self, first: Timestamp, last: Timestamp) -> Timestamp {
        let micros = u64::try_from((last - first).whole_microseconds()).unwrap_or(0).max(1);
        let first = first - Duration::nanoseconds(i64::from(first.nanosecond() % 1000));
        first + Duration::microseconds(i64::try_from(self.below(micros)).unwrap_or(0))
    }

    /// The same, mostly at a time when people work: on weekdays between seven and six.
    pub fn at_work(&self, first: Timestamp, last: Timestamp) -> Timestamp {
        let mut at = self.between(first, last);
        if self.happens(92) {
            let back = match at.weekday() {
                Weekday::Saturday => 1,
                Weekday::Sunday => 2,
                _ => 0,
            };
            let hour = u8::try_from(7 + self.below(11)).unwrap_or(7);
            let time = Time::from_hms_micro(hour, at.minute(), at.second(), at.microsecond());
            at = (at - Duration::days(back)).replace_time(time.unwrap_or(at.time()));
        }
        if at < first || at >= last { self.between(first, last) } else { at }
    }
}

impl Random for Draw {
    fn fill(&self, buffer: &mut [u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for byte in buffer {
            if state.used == state.block.len() {
                let mut hash = Sha256::new();
                hash.update(self.key);
                hash.update(state.counter.to_be_bytes());
                state.block = hash.finalize().into();
                state.counter += 1;
                state.used = 0;
            }
            *byte = state.block[state.used];
            state.used += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_and_another_does_not() {
        let drawn = |seed, part| (0..5).map(|_| 0).map(|_| Draw::new(seed, part).below(1 << 40)).next();
        assert_eq!(drawn(1, "a"), drawn(1, "a"));
        assert_ne!(drawn(1, "a"), drawn(2, "a"));
        assert_ne!(drawn(1, "a"), drawn(1, "b"));
        let one = Draw::new(1, "a");
        assert_ne!(one.below(1 << 40), one.below(1 << 40));
    }

    #[test]
    fn moments_lie_within_their_bounds_and_mostly_in_working_hours() {
        let draw = Draw::new(7, "moments");
        let (first, last) = (datetime!(2026-11-01 00:00 UTC), datetime!(2026-11-21 12:00 UTC));
        let moments: Vec<Timestamp> = (0..500).map(|_| draw.at_work(first, last)).collect();
        assert!(moments.iter().all(|at| (first..last).contains(at) && at.nanosecond() % 1000 == 0));
        let working = moments.iter().filter(|at| (7..18).contains(&at.hour()) && at.weekday().number_from_monday() < 6);
        assert!(working.count() > 400);
    }
}
