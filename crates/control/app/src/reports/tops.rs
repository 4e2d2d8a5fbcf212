//! The largest of many, in little memory.

use std::{cmp::Reverse, collections::BinaryHeap};

/// Keeps the items with the most, and counts all.
#[derive(Debug)]
pub(super) struct Tops<T> {
    /// The least stands first. The number of arrival keeps those who came first among equals, and items need no order.
    heap: BinaryHeap<Reverse<Ranked<T>>>,
    max: usize,
    seen: u64,
}

/// An item by its amount, then by when it came.
type Ranked<T> = (u64, Reverse<u64>, Item<T>);

/// An item, which counts for nothing in the order.
#[derive(Debug)]
struct Item<T>(T);

impl<T> PartialEq for Item<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl<T> Eq for Item<T> {}
impl<T> PartialOrd for Item<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Item<T> {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

impl<T> Tops<T> {
    pub fn new(max: usize) -> Self {
        Self { heap: BinaryHeap::with_capacity(max + 1), max, seen: 0 }
    }

    /// Adds an item that has `amount`.
    pub fn add(&mut self, amount: u64, item: T) {
        self.heap.push(Reverse((amount, Reverse(self.seen), Item(item))));
        self.seen += 1;
        if self.heap.len() > self.max {
            self.heap.pop();
        }
    }

    /// Those with the most, the first first, and how many there were besides.
    pub fn end(self) -> (Vec<T>, u64) {
        let mut all = self.heap.into_vec();
        all.sort_unstable();
        let top: Vec<T> = all.into_iter().map(|Reverse((.., item))| item.0).collect();
        let besides = self.seen - top.len() as u64;
        (top, besides)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_are_kept_and_the_earlier_of_equals() {
        let mut tops = Tops::new(3);
        for (amount, name) in [(1, "a"), (5, "b"), (3, "c"), (3, "d"), (9, "e"), (0, "f")] {
            tops.add(amount, name);
        }
        assert_eq!(tops.end(), (vec!["e", "b", "c"], 3));
    }
}
