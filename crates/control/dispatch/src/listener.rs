//! Who is called when another process rings.

use std::{fmt, pin::Pin};

use warren_model::Queue;

/// What works on jobs in this process.
pub trait Listener: Send + Sync + fmt::Debug + 'static {
    /// The queues whose jobs it works on.
    fn queues(&self) -> Vec<Queue>;
    /// Whether a job of `queue` could begin now.
    fn has_room(&self, queue: Queue) -> bool;
    /// Waits until one could.
    fn room(&self, queue: Queue) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
    /// Another process says that there is work in `queue`. It does not block.
    fn rung(&self, queue: Queue);
}
