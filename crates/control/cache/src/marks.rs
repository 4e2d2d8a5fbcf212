//! When what was last given up, so that a load which began before never counts after.

use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::tag::{Mark, Which};

/// Marks that are remembered each by itself. When there are more, the older half is forgotten, and every entry that is as
/// old is given up.
pub const MARKS_MAX: usize = 65_536;

/// A count of the invalidations in this process. A load notes it when it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sequence(pub u64);

/// The invalidations of this process, its own and those that others told it.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    sequence: AtomicU64,
    noted: RwLock<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    /// When each mark was last given up.
    last: HashMap<Mark, u64>,
    /// What began before this counts no more.
    floor: u64,
}

impl Marks {
    /// The count now. Asked before something is read that is to be kept.
    pub fn sequence(&self) -> Sequence {
        Sequence(self.sequence.load(Ordering::Acquire))
    }

    /// Gives up what carries one of the marks.
    pub fn note(&self, which: &Which) {
        if which.is_empty() {
            return;
        }
        let mut noted = self.noted.write().unwrap_or_else(PoisonError::into_inner);
        let next = self.sequence.load(Ordering::Relaxed) + 1;
        match which {
            Which::Everything => {
                noted.last.clear();
                noted.floor = next;
            }
            Which::Marks(marks) => {
                noted.last.extend(marks.iter().map(|mark| (*mark, next)));
                noted.forget_old();
            }
        }
        // Last, so that who reads the new count finds the marks that belong to it.
        self.sequence.store(next, Ordering::Release);
    }

    /// Whether nothing with these marks was given up since `begun`.
    pub fn hold(&self, begun: Sequence, marks: &[Mark]) -> bool {
        let noted = self.noted.read().unwrap_or_else(PoisonError::into_inner);
        begun.0 >= noted.floor && marks.iter().all(|mark| noted.last.get(mark).is_none_or(|last| *last <= begun.0))
    }
}

impl Noted {
    fn forget_old(&mut self) {
        if self.last.len() <= MARKS_MAX {
            return;
        }
        let mut counts: Vec<u64> = self.last.values().copied().collect();
        let (_, middle, _) = counts.select_nth_unstable(MARKS_MAX / 2);
        let floor = *middle;
        self.last.retain(|_, last| *last > floor);
        self.floor = self.floor.max(floor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(marks: impl IntoIterator<Item = u64>) -> Which {
        Which::Marks(marks.into_iter().map(Mark).collect())
    }

    #[test]
    fn what_began_before_an_invalidation_does_not_hold_and_what_began_after_does() {
        let marks = Marks::default();
        let before = marks.sequence();
        assert!(marks.hold(before, &[Mark(1), Mark(2)]));
        marks.note(&of([2, 3]));
        assert!(!marks.hold(before, &[Mark(1), Mark(2)]));
        assert!(marks.hold(before, &[Mark(1)]));
        assert!(marks.hold(marks.sequence(), &[Mark(1), Mark(2)]));
        marks.note(&Which::Everything);
        assert!(!marks.hold(before, &[Mark(1)]));
        assert!(marks.hold(marks.sequence(), &[Mark(1), Mark(2)]));
        let count = marks.sequence();
        marks.note(&Which::default());
        assert_eq!(marks.sequence(), count, "nothing was given up");
    }

    #[test]
    fn what_is_forgotten_counts_as_given_up() {
        let marks = Marks::default();
        for mark in 0..MARKS_MAX as u64 {
            marks.note(&of([mark]));
        }
        let early = Sequence(3);
        assert!(marks.hold(early, &[Mark(u64::MAX)]));
        marks.note(&of([MARKS_MAX as u64]));
        assert!(!marks.hold(early, &[Mark(u64::MAX)]), "nobody knows any more");
        let late = Sequence(MARKS_MAX as u64 - 1);
        assert!(marks.hold(late, &[Mark(u64::MAX)]));
        assert!(!marks.hold(late, &[Mark(MARKS_MAX as u64 - 1)]));
        assert!(marks.noted.read().unwrap().last.len() <= MARKS_MAX / 2);
    }
}
