//! One entry: a value or its absence, with what it depends on and until when it may be served.

use std::{
    fmt,
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{
    marks::{Marks, Sequence},
    moment::Moment,
    tag::Mark,
    trust::Outlook,
};

/// After a load failed, what is served instead is served this long before the next attempt.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A value that is kept, or that nothing is there.
#[derive(Debug)]
pub(crate) struct Entry<V> {
    pub value: Option<V>,
    pub marks: Box<[Mark]>,
    /// The count of invalidations before its value was read.
    pub begun: Sequence,
    /// The count up to which nothing was found that concerns it.
    checked: AtomicU64,
    pub times: Times,
    /// Until when nobody tries to load it again.
    deferred_until: AtomicU64,
    pub weight_bytes: u32,
}

/// Until when an entry may be served, and as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Times {
    /// A moment at which the value was true.
    pub read_at: Moment,
    pub fresh_until: Moment,
    /// While another one is being loaded.
    pub stale_until: Moment,
    /// When another one cannot be loaded.
    pub error_until: Moment,
}

/// What may be done with an entry at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Fresh,
    /// Served, and loaded anew behind.
    Stale,
    /// Served, as loading it failed just now.
    Deferred,
    /// Served if loading fails.
    LastResort,
    /// Given up, or too old for anything.
    Dead,
}

impl<V> Entry<V> {
    pub fn new(value: Option<V>, marks: Box<[Mark]>, begun: Sequence, times: Times, weight_bytes: u32) -> Self {
        let (checked, deferred_until) = (AtomicU64::new(begun.0), AtomicU64::new(0));
        Self { value, marks, begun, checked, times, deferred_until, weight_bytes }
    }

    /// Whether nothing that it depends on was given up since it was read.
    pub fn holds(&self, marks: &Marks) -> bool {
        let now = marks.sequence();
        if self.checked.load(Ordering::Relaxed) == now.0 {
            return true;
        }
        let holds = marks.hold(self.begun, &self.marks);
        if holds {
            self.checked.store(now.0, Ordering::Relaxed);
        }
        holds
    }

    pub fn standing(&self, marks: &Marks, now: Moment, outlook: Outlook) -> Standing {
        if !self.holds(marks) {
            return Standing::Dead;
        }
        let heard = match outlook {
            Outlook::Certain => true,
            Outlook::CautiousFrom(moment) => self.times.read_at >= moment,
        };
        if heard && now < self.times.fresh_until {
            Standing::Fresh
        } else if now < self.times.error_until && now.0 < self.deferred_until.load(Ordering::Relaxed) {
            Standing::Deferred
        } else if heard && now < self.times.stale_until {
            Standing::Stale
        } else if now < self.times.error_until {
            Standing::LastResort
        } else {
            Standing::Dead
        }
    }

    /// Notes that loading it failed, so that not everybody who comes tries again.
    pub fn defer(&self, now: Moment) {
        self.deferred_until.store((now + RETRY_AFTER).0, Ordering::Relaxed);
    }
}

/// A value from a cache, shared with it rather than copied.
pub struct Held<V>(Arc<Entry<V>>);

impl<V> Held<V> {
    /// None when the entry says that nothing is there.
    pub(crate) fn of(entry: Arc<Entry<V>>) -> Option<Self> {
        entry.value.is_some().then_some(Self(entry))
    }
}

impl<V> Deref for Held<V> {
    type Target = V;
    fn deref(&self) -> &V {
        match &self.0.value {
            Some(value) => value,
            None => unreachable!("made only of an entry with a value"),
        }
    }
}

impl<V> Clone for Held<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V: fmt::Debug> fmt::Debug for Held<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<V: PartialEq> PartialEq<V> for Held<V> {
    fn eq(&self, other: &V) -> bool {
        **self == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tag::Which;

    const fn second(count: u64) -> Moment {
        Moment(count * 1_000_000_000)
    }

    fn entry() -> Entry<u8> {
        let times =
            Times { read_at: second(10), fresh_until: second(20), stale_until: second(30), error_until: second(40) };
        Entry::new(Some(7), Box::new([Mark(1)]), Sequence(0), times, 1)
    }

    #[test]
    fn an_entry_ages_from_fresh_to_dead() {
        let (entry, marks) = (entry(), Marks::default());
        let standing = |count| entry.standing(&marks, second(count), Outlook::Certain);
        assert_eq!(
            [standing(19), standing(20), standing(30), standing(40)],
            [Standing::Fresh, Standing::Stale, Standing::LastResort, Standing::Dead]
        );
        entry.defer(second(30));
        assert_eq!([standing(30), standing(31)], [Standing::Deferred, Standing::LastResort]);
    }

    #[test]
    fn what_was_given_up_is_dead_at_once_whatever_it_was() {
        let (entry, marks) = (entry(), Marks::default());
        entry.defer(second(12));
        marks.note(&Which::Marks([Mark(2)].into()));
        assert_eq!(entry.standing(&marks, second(12), Outlook::Certain), Standing::Fresh);
        marks.note(&Which::Marks([Mark(1)].into()));
        for count in [12, 25, 35] {
            assert_eq!(entry.standing(&marks, second(count), Outlook::Certain), Standing::Dead);
        }
    }

    #[test]
    fn a_cautious_process_serves_only_what_it_read_just_now() {
        let (entry, marks) = (entry(), Marks::default());
        let standing = |now, from| entry.standing(&marks, second(now), Outlook::CautiousFrom(second(from)));
        assert_eq!(standing(12, 10), Standing::Fresh);
        assert_eq!(standing(13, 11), Standing::LastResort);
        assert_eq!(standing(25, 23), Standing::LastResort, "not even while another is loaded");
    }
}
