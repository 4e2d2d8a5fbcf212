//! The system's clock and random generator.

use warren_model::{Clock, Random, Timestamp};

/// The system's wall clock, cut to microseconds, which is what databases keep.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> Timestamp {
        let now = time::OffsetDateTime::now_utc();
        now.replace_nanosecond(now.microsecond() * 1000).unwrap_or(now)
    }
}

/// The kernel's random generator, getrandom(2).
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the kernel for randomness")]
    fn fill(&self, buffer: &mut [u8]) {
        // getrandom(2) fails only on kernels older than 3.17 or under a filter that forbids it; nothing could go on then.
        getrandom::fill(buffer).expect("the kernel gives random bytes");
    }
}
