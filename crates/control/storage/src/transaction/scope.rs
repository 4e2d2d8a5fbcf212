//! Transactions within transactions: savepoints, kept or undone as a whole.

use super::{Opened, Writer};
use crate::StorageError;

/// Runs `work` in a transaction within `around`: what it did is kept when it returns `Ok`, and otherwise (also when it panics
/// or is dropped half-way) undone, and the one around it goes on.
pub(crate) async fn nested<X: Opened, T, E: From<StorageError>>(
    around: &mut X,
    work: impl AsyncFnOnce(&mut X) -> Result<T, E>,
) -> Result<T, E> {
    let means = |writer: &Writer, error: sea_orm::DbErr| StorageError::from_database(&error, writer.pools().place());
    let (depth, effects) = around.writer().enter_nested().await.map_err(|error| means(around.writer(), error))?;
    let scope = Scope { opened: around, depth, effects, is_settled: false };
    let mut scope = scope;
    let outcome = work(scope.opened).await;
    scope.is_settled = true;
    let writer = scope.opened.writer();
    let failed = writer.failure();
    match (outcome, failed) {
        (Ok(value), None) => {
            writer.keep_nested(depth).await.map_err(|error| means(writer, error))?;
            Ok(value)
        }
        // A failed statement ended it, whatever the work made of that.
        (Ok(_), Some(failure)) => {
            let _ = writer.undo_nested(depth, effects).await;
            Err(means(writer, failure.error).into())
        }
        (Err(error), _) => {
            // If undoing fails, the transaction around it is ended too and says so itself.
            let _ = writer.undo_nested(depth, effects).await;
            Err(error)
        }
    }
}

struct Scope<'a, X: Opened> {
    opened: &'a mut X,
    depth: u32,
    effects: usize,
    is_settled: bool,
}

impl<X: Opened> Drop for Scope<'_, X> {
    fn drop(&mut self) {
        if !self.is_settled {
            self.opened.writer().abandon_nested(self.depth, self.effects);
        }
    }
}
