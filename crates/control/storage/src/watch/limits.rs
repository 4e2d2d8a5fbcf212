//! From when on the watch suspects, and warns.

use std::time::Duration;

/// From when on something is suspected or warned of. Nothing is ever stopped for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchLimits {
    /// A statement that runs this long.
    pub statement: Duration,
    /// A connection held this long with nothing being done: perhaps whoever holds it has forgotten it.
    pub idle_in_hand: Duration,
    /// A transaction open this long.
    pub transaction: Duration,
    /// A line whose head has been standing there this long, before a pool all of whose connections are in use. Below it a
    /// line is nothing but work being done in turn.
    pub head_waited: Duration,
    /// How many looks in a row a line has to be there before it is warned of.
    pub line_looks: u32,
    /// Within a window, 99 of 100 waited no longer than this.
    pub waited: Duration,
}

impl WatchLimits {
    /// Statement 5 s, idle in hand 2 s, transaction 10 s; a line whose head waits for half a second in three looks one after
    /// another, or waits longer than half a second for more than one in a hundred. With a look a second that is told well
    /// before the first one's five seconds are over.
    pub const USUAL: Self = Self {
        statement: Duration::from_secs(5),
        idle_in_hand: Duration::from_secs(2),
        transaction: Duration::from_secs(10),
        head_waited: Duration::from_millis(500),
        line_looks: 3,
        waited: Duration::from_millis(500),
    };
}

impl Default for WatchLimits {
    fn default() -> Self {
        Self::USUAL
    }
}
