//! One migration: a name, a phase, and steps that are data, so that they can be printed, compared and undone.

use std::fmt;

use sea_orm::DbBackend;
use sha2::{Digest, Sha256};

use super::Step;

/// A change of a schema. A released one never changes.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// `m0001_system`: sorts in the order of applying, and names the migration for ever.
    pub name: &'static str,
    pub phase: Phase,
    pub steps: fn() -> Vec<Step>,
}

/// What a migration may do while programs of two versions work on one database
/// (<https://martinfowler.com/bliki/ParallelChange.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Adds only what the version before does not notice.
    Expand,
    /// Removes what no released version uses any more.
    Contract,
}

impl Phase {
    /// The word for it in plans.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expand => "expand",
            Self::Contract => "contract",
        }
    }
}

/// SHA-256 over the statements of a migration on one engine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Checksum([u8; 32]);

impl Migration {
    /// The statements that apply it, in order.
    pub fn up(&self, backend: DbBackend) -> Vec<String> {
        (self.steps)().iter().map(|step| step.up(backend)).collect()
    }

    /// The statements that undo it, in order.
    pub fn down(&self, backend: DbBackend) -> Vec<String> {
        self.undo(backend).into_iter().rev().flatten().collect()
    }

    /// What undoes each step, in the order of the steps. None for an index of a table that the migration itself made: it goes
    /// with the table, and MariaDB would not let go of one that a foreign key leans on.
    pub fn undo(&self, backend: DbBackend) -> Vec<Option<String>> {
        let (steps, mut made) = ((self.steps)(), Vec::new());
        let undo = |step: &Step| match step {
            Step::CreateTable { table, .. } => {
                made.push(*table);
                Some(step.down(backend))
            }
            Step::CreateIndex { table, .. } if made.contains(table) => None,
            _ => Some(step.down(backend)),
        };
        steps.iter().map(undo).collect()
    }

    /// What it is known by beside its name: a released migration whose checksum differs was changed.
    pub fn checksum(&self, backend: DbBackend) -> Checksum {
        let mut hash = Sha256::new();
        for statement in self.up(backend) {
            hash.update(statement.as_bytes());
            hash.update(b";\n");
        }
        Checksum(hash.finalize().into())
    }

    /// The first step that its phase forbids, as a sentence; none when it keeps to expand-then-contract.
    pub fn breach(&self) -> Option<String> {
        let steps = (self.steps)();
        let mut made = Vec::new();
        for step in &steps {
            if let Step::CreateTable { table, .. } = step {
                made.push(*table);
            }
            let name = self.name;
            let fault = match self.phase {
                Phase::Expand => step
                    .narrows(&made)
                    .map(|fault| format!("{name} expands, but {fault}: do that in a later migration that contracts")),
                Phase::Contract => step
                    .widens()
                    .map(|fault| format!("{name} contracts, but {fault}: do that in an earlier migration that expands"))
                    .or_else(|| step.cannot_be_undone().map(|fault| format!("{name} contracts, but {fault}"))),
            };
            if fault.is_some() {
                return fault;
            }
        }
        None
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({self})")
    }
}
