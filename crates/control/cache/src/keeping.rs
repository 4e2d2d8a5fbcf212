//! Making entries of what was loaded, and putting them into memory.

use std::{sync::Arc, time::Duration};

use warren_model::{Random, ambient::random_bytes};

use crate::{
    Loaded,
    cache::Inner,
    definition::{JITTER, Keep},
    entry::{Entry, Times},
    key::{CacheKey, Place},
    marks::Sequence,
    moment::Moment,
    tag::Mark,
};

/// What an entry takes beside its value, with what memory keeps to find it by; about.
const ENTRY_BYTES: usize = 256;

/// How long an entry is fresh, and how long after that it may be served stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spans {
    pub fresh: Duration,
    pub stale: Duration,
    pub error: Duration,
}

impl Spans {
    /// For an entry that was read at a moment.
    pub fn from(self, read_at: Moment) -> Times {
        let fresh_until = read_at + self.fresh;
        Times { read_at, fresh_until, stale_until: fresh_until + self.stale, error_until: fresh_until + self.error }
    }
}

impl<K: CacheKey, V, E> Inner<K, V, E>
where
    V: Send + Sync + 'static,
    E: Clone + Send + Sync + 'static,
{
    /// An entry with what was loaded, and whether it is to be kept.
    pub fn entry_of(
        &self,
        place: &Place<K>,
        loaded: Loaded<V>,
        begun: Sequence,
        read_at: Moment,
    ) -> (Arc<Entry<V>>, Keep) {
        let spans = self.spans(&loaded);
        let keep = if spans.fresh.is_zero() { Keep::NotKept } else { loaded.keep };
        let marks = self.own_marks(place).into_iter().chain(loaded.tags.iter().map(|tag| Mark::from(*tag))).collect();
        (self.made(loaded.value, marks, begun, spans.from(read_at)), keep)
    }

    /// An entry, weighed.
    pub fn made(&self, value: Option<V>, marks: Box<[Mark]>, begun: Sequence, times: Times) -> Arc<Entry<V>> {
        let of_value = value.as_ref().map_or(0, self.definition.weigh);
        let bytes = ENTRY_BYTES + size_of::<K>() + marks.len() * size_of::<Mark>() + of_value;
        let weight_bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        Arc::new(Entry::new(value, marks, begun, times, weight_bytes))
    }

    /// Puts an entry into memory, unless it was given up meanwhile.
    pub fn keep(&self, place: &Place<K>, entry: &Arc<Entry<V>>, keep: Keep) {
        if !entry.holds(&self.grounds.marks) {
            self.tally.overtaken.add();
        } else if keep == Keep::Kept {
            self.entries.insert(place.clone(), Arc::clone(entry));
        }
    }

    /// What every entry of this place carries.
    pub fn own_marks(&self, place: &Place<K>) -> [Mark; 3] {
        let name = self.definition.name;
        [Mark::entry(name, place.scope, &place.key), Mark::scope(place.scope), Mark::cache(name)]
    }

    fn spans(&self, loaded: &Loaded<V>) -> Spans {
        let definition = &self.definition;
        let spans = match &loaded.value {
            Some(_) => Spans {
                fresh: definition.fresh_for,
                stale: definition.stale_while_loading,
                error: definition.stale_on_error,
            },
            None => Spans { fresh: definition.absent_for, stale: Duration::ZERO, error: Duration::ZERO },
        };
        let fresh = jittered(spans.fresh, &*self.grounds.random);
        match loaded.fresh_for_max {
            None => Spans { fresh, ..spans },
            // True for so long and no longer: not stale afterwards either.
            Some(most) => Spans {
                fresh: fresh.min(most),
                stale: spans.stale.min(most.saturating_sub(fresh)),
                error: spans.error.min(most.saturating_sub(fresh)),
            },
        }
    }
}

/// A span less up to a tenth of it.
fn jittered(span: Duration, random: &dyn Random) -> Duration {
    let number = u32::from_be_bytes(random_bytes(random));
    span.mul_f64(1.0 - JITTER * f64::from(number) / f64::from(u32::MAX))
}
