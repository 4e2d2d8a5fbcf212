//! Invalidations that the other processes were not told yet.

use std::{
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, watch};

use crate::tag::Which;

/// Marks that wait to be told. When there are more, the others are told to give everything up.
pub const OWED_MARKS_MAX: usize = 16_384;

#[derive(Debug)]
pub(super) struct Owed {
    queue: Mutex<Queue>,
    /// Told when there is something to tell.
    pub added: Notify,
    told: watch::Sender<Ticket>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Which,
    last: Ticket,
    /// Somebody went on though the others had not been told what they changed.
    overdue: Overdue,
}

/// Which addition to the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Ticket(u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Overdue {
    #[default]
    Nothing,
    Something,
}

impl Owed {
    pub fn new() -> Self {
        Self { queue: Mutex::default(), added: Notify::new(), told: watch::Sender::new(Ticket(0)) }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds to what is owed.
    pub fn add(&self, which: Which) -> Ticket {
        let mut queue = self.lock();
        queue.waiting.merge(which, OWED_MARKS_MAX);
        queue.last = Ticket(queue.last.0 + 1);
        let ticket = queue.last;
        drop(queue);
        self.added.notify_one();
        ticket
    }

    /// Takes all that is owed, to tell it.
    pub fn take(&self) -> Option<(Which, Ticket)> {
        let mut queue = self.lock();
        (!queue.waiting.is_empty()).then(|| (mem::take(&mut queue.waiting), queue.last))
    }

    /// Puts back what could not be told.
    pub fn put_back(&self, which: Which) {
        let mut queue = self.lock();
        let since = mem::replace(&mut queue.waiting, which);
        queue.waiting.merge(since, OWED_MARKS_MAX);
    }

    /// Notes that everything up to `ticket` was told.
    pub fn tell(&self, ticket: Ticket) {
        let mut queue = self.lock();
        if ticket == queue.last {
            queue.overdue = Overdue::Nothing;
        }
        // Under the lock, so that who gives up waiting now does not miss it.
        self.told.send_replace(ticket);
    }

    /// Waits until `ticket` was told.
    pub async fn until_told(&self, ticket: Ticket) {
        let mut told = self.told.subscribe();
        // The sender lives as long as this.
        let _ = told.wait_for(|told| *told >= ticket).await;
    }

    /// Notes that whoever holds `ticket` goes on without waiting.
    pub fn go_on(&self, ticket: Ticket) {
        let mut queue = self.lock();
        if *self.told.borrow() < ticket {
            queue.overdue = Overdue::Something;
        }
    }

    /// Whether others may hold what somebody here believes to be given up.
    pub fn is_overdue(&self) -> bool {
        self.lock().overdue == Overdue::Something
    }

    /// How many marks wait; the most that can when it is everything.
    pub fn count(&self) -> usize {
        match &self.lock().waiting {
            Which::Marks(marks) => marks.len(),
            Which::Everything => OWED_MARKS_MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tag::Mark;

    fn of(marks: impl IntoIterator<Item = u64>) -> Which {
        Which::Marks(marks.into_iter().map(Mark).collect())
    }

    #[tokio::test]
    async fn what_is_put_back_is_told_with_what_came_since() {
        let owed = Owed::new();
        owed.add(of([1]));
        let (first, _) = owed.take().unwrap();
        let second = owed.add(of([2]));
        owed.put_back(first);
        owed.go_on(second);
        assert!(owed.is_overdue());
        let (all, ticket) = owed.take().unwrap();
        assert_eq!((&all, ticket), (&of([1, 2]), second));
        owed.tell(ticket);
        assert!(!owed.is_overdue() && owed.take().is_none());
        owed.until_told(second).await;
        owed.go_on(second);
        assert!(!owed.is_overdue(), "it was told before");
    }

    #[test]
    fn too_much_is_everything() {
        let owed = Owed::new();
        for mark in 0..=OWED_MARKS_MAX as u64 {
            owed.add(of([mark]));
        }
        assert_eq!(owed.take().unwrap().0, Which::Everything);
    }
}
