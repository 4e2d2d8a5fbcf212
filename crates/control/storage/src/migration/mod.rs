//! Brings a database to the schema of this build: under a lock, in one transaction where the engine can, with a ledger in
//! the database itself.

mod apply;
mod ledger;
mod lock;

pub(crate) use apply::bring_up;
pub(crate) use ledger::{LEDGER, Ledger, has_ledger, missing};
