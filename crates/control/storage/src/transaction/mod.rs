//! Transactions: all or nothing, as if nobody else were there, and nothing left behind whatever happens in between.

mod manager;
mod options;
mod scope;
mod tally;
mod writer;

pub(crate) use self::{manager::Opened, scope::nested, tally::TransactionTally};
pub use self::{
    manager::TransactionManager,
    options::{Access, Isolation, Repeatability, TransactionOptions, Turn},
    tally::TransactionTallyView,
    writer::Writer,
};
