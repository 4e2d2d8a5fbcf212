//! Where the primary stood at which moments, by which replicas are told how fresh they are.
//!
//! A moment is taken before the primary is asked. So whatever was committed before it lies before the position in the answer,
//! and a replica that has reached the position has all of it. No clock is compared with that of another machine.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use super::{
    look::Seen,
    member::{Condition, Reached},
};

/// Moments that are remembered: at two a second, half a minute.
const SAMPLES_MAX: usize = 64;

const OTHER_TIMELINE: &str = "it is on another timeline than the primary, as after a promotion";

/// The moments, the latest last.
#[derive(Debug, Default)]
pub(super) struct Samples {
    by_moment: VecDeque<(Instant, Seen)>,
    /// Why the primary cannot tell where it stands.
    untellable: Option<Arc<str>>,
}

/// What a look at a replica has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// It follows, and has not got yet what the primary had a moment ago.
    Behind,
    /// There is nothing to wait for.
    Settled,
}

impl Samples {
    /// Notes that the primary, asked at `at`, was `seen`.
    pub fn note(&mut self, at: Instant, seen: Seen) {
        self.untellable = None;
        if self.by_moment.back().is_some_and(|(_, before)| before.lineage != seen.lineage) {
            self.by_moment.clear();
        }
        if self.by_moment.len() >= SAMPLES_MAX {
            self.by_moment.pop_front();
        }
        self.by_moment.push_back((at, seen));
    }

    /// Notes that the primary cannot tell where it stands.
    pub fn cannot_tell(&mut self, why: Arc<str>) {
        self.by_moment.clear();
        self.untellable = Some(why);
    }

    /// How far somebody has come who was `seen` after all of these moments; none before there is anything to compare with.
    pub fn reached(&self, seen: &Seen) -> Option<Result<(Reached, Progress), Condition>> {
        if let Some(why) = &self.untellable {
            return Some(Err(Condition::Untellable(Arc::clone(why))));
        }
        let (oldest, first) = self.by_moment.front()?;
        match (first.lineage, seen.lineage) {
            (Some(primary), Some(replica)) if primary.system != replica.system => {
                return Some(Err(Condition::OfAnother));
            }
            (Some(primary), Some(replica)) if primary.timeline != replica.timeline => {
                return Some(Err(Condition::Untellable(OTHER_TIMELINE.into())));
            }
            _ => {}
        }
        let until = self.by_moment.iter().rev().find(|(_, primary)| seen.position.has_reached(&primary.position));
        let is_newest = until.map(|(at, _)| at) == self.by_moment.back().map(|(at, _)| at);
        let progress = if is_newest { Progress::Settled } else { Progress::Behind };
        Some(Ok((until.map_or(Reached::LessThanAnyOf(*oldest), |(at, _)| Reached::Until(*at)), progress)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::replica::{look::Lineage, position::Position};

    fn seen(position: u64, timeline: i64) -> Seen {
        Seen { position: Position::Log(position), lineage: Some(Lineage { system: 1, timeline }) }
    }

    #[test]
    fn a_replica_is_as_fresh_as_the_last_moment_whose_position_it_has_reached() {
        let begin = Instant::now();
        let at = |n: u32| begin + n * Duration::from_millis(500);
        let mut samples = Samples::default();
        assert_eq!(samples.reached(&seen(100, 1)), None);
        for (n, position) in [100, 200, 200, 300].into_iter().enumerate() {
            samples.note(at(u32::try_from(n).unwrap()), seen(position, 1));
        }
        for (position, reached, progress) in [
            (99, Reached::LessThanAnyOf(at(0)), Progress::Behind),
            (100, Reached::Until(at(0)), Progress::Behind),
            (199, Reached::Until(at(0)), Progress::Behind),
            // Nothing was written in between, so it is as fresh as the later one.
            (200, Reached::Until(at(2)), Progress::Behind),
            (301, Reached::Until(at(3)), Progress::Settled),
        ] {
            assert_eq!(samples.reached(&seen(position, 1)), Some(Ok((reached, progress))), "at {position}");
        }
    }

    #[test]
    fn positions_of_another_server_or_timeline_are_not_compared() {
        let mut samples = Samples::default();
        samples.note(Instant::now(), seen(100, 1));
        let other = Seen { lineage: Some(Lineage { system: 2, timeline: 1 }), ..seen(500, 1) };
        assert_eq!(samples.reached(&other), Some(Err(Condition::OfAnother)));
        // The primary is another server now, which was promoted before it had all that this replica has.
        samples.note(Instant::now(), seen(90, 2));
        assert!(matches!(samples.reached(&seen(100, 1)), Some(Err(Condition::Untellable(_)))));
        assert!(matches!(samples.reached(&seen(90, 2)), Some(Ok((Reached::Until(_), _)))));
        samples.cannot_tell("no log".into());
        assert!(matches!(samples.reached(&seen(90, 2)), Some(Err(Condition::Untellable(_)))));
    }

    #[test]
    fn moments_are_bounded() {
        let mut samples = Samples::default();
        for position in 0..1000 {
            samples.note(Instant::now(), seen(position, 1));
        }
        assert_eq!(samples.by_moment.len(), SAMPLES_MAX);
    }
}
