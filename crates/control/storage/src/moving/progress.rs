//! How far a move is, for those who watch it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// How far a move is. It is written by the move and may be read at any time.
#[derive(Debug, Default)]
pub struct MoveProgress {
    databases: AtomicUsize,
    moved: AtomicUsize,
    unchanged: AtomicUsize,
    rows_copied: AtomicU64,
    rows_compared: AtomicU64,
}

/// How far a move was at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoveProgressView {
    /// All databases that are to be there in the end; zero until they are known.
    pub databases: usize,
    /// Those that this run copied and compared.
    pub moved: usize,
    /// Those that an earlier run had moved, and that have not changed since.
    pub unchanged: usize,
    pub rows_copied: u64,
    pub rows_compared: u64,
}

impl MoveProgress {
    /// How far it is now.
    pub fn view(&self) -> MoveProgressView {
        MoveProgressView {
            databases: self.databases.load(Ordering::Relaxed),
            moved: self.moved.load(Ordering::Relaxed),
            unchanged: self.unchanged.load(Ordering::Relaxed),
            rows_copied: self.rows_copied.load(Ordering::Relaxed),
            rows_compared: self.rows_compared.load(Ordering::Relaxed),
        }
    }

    pub(super) fn expect(&self, databases: usize) {
        self.databases.store(databases, Ordering::Relaxed);
    }
    pub(super) fn one_moved(&self) {
        self.moved.fetch_add(1, Ordering::Relaxed);
    }
    pub(super) fn one_unchanged(&self) {
        self.unchanged.fetch_add(1, Ordering::Relaxed);
    }
    pub(super) fn copied(&self, rows: usize) {
        self.rows_copied.fetch_add(rows as u64, Ordering::Relaxed);
    }
    pub(super) fn compared(&self, rows: usize) {
        self.rows_compared.fetch_add(rows as u64, Ordering::Relaxed);
    }
}
