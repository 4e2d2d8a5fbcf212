//! How many jobs are worked on at once, in all and of each queue.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use warren_model::Queue;

/// The places of this process; their number may change while jobs run.
#[derive(Debug)]
pub(crate) struct Places(AtomicUsize);

impl Places {
    /// The fewest that every process has, and the most that any may have.
    pub(crate) const MIN: usize = 4;
    pub(crate) const MAX: usize = 64;

    pub(super) fn new(places: usize) -> Self {
        Self(AtomicUsize::new(places.clamp(Self::MIN, Self::MAX)))
    }

    pub(crate) fn now(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Jobs that run now are carried through, also those that are too many then.
    pub(super) fn set(&self, places: usize) {
        self.0.store(places.clamp(Self::MIN, Self::MAX), Ordering::Relaxed);
    }

    /// The most of one queue: what is slow and heavy never takes all places, so that what is fast always finds some.
    fn most_of(&self, queue: Queue) -> usize {
        let all = self.now();
        match queue {
            Queue::Webhooks | Queue::Mail => all.div_ceil(2),
            Queue::Records | Queue::Reports => (all / 4).max(1),
        }
    }

    /// Jobs of `queue` that may begin now. A queue of which nothing runs always finds a place.
    pub(super) fn free(&self, queue: Queue, running: &HashMap<Queue, usize>) -> usize {
        let of = running.get(&queue).copied().unwrap_or(0);
        let free = self.now().saturating_sub(running.values().sum());
        free.min(self.most_of(queue).saturating_sub(of)).max(usize::from(of == 0))
    }

    /// Jobs of one organisation and queue that may run at once, on all processes together.
    pub(super) const fn of_lane_max(queue: Queue) -> usize {
        match queue {
            Queue::Webhooks | Queue::Mail => 16,
            Queue::Records | Queue::Reports => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_work_leaves_places_for_fast_work() {
        let places = Places::new(8);
        let mut running = HashMap::new();
        assert_eq!(places.free(Queue::Records, &running), 2);
        running.insert(Queue::Records, 2);
        assert_eq!(places.free(Queue::Records, &running), 0);
        assert_eq!(places.free(Queue::Mail, &running), 4);
    }

    #[test]
    fn a_queue_of_which_nothing_runs_always_finds_a_place() {
        let places = Places::new(4);
        let running = HashMap::from([(Queue::Mail, 9)]);
        assert_eq!((places.free(Queue::Mail, &running), places.free(Queue::Webhooks, &running)), (0, 1));
    }
}
