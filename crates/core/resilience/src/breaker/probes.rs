//! The few calls that a half-open breaker permits.

use std::time::{Duration, Instant};

/// Which probe a permit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ProbeId {
    slot: u16,
    number: u32,
}

#[derive(Debug, Clone, Copy)]
struct Probe {
    number: u32,
    given: Instant,
}

#[derive(Debug, Clone)]
pub(super) struct Probes {
    slots: Box<[Option<Probe>]>,
    expire_after: Duration,
    succeeded: u16,
    /// Grows with each probe, so that the late result of an expired one is not taken for its successor's.
    number: u32,
}

/// How far the probes have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Unfinished,
    AllSucceeded,
}

impl Probes {
    pub(super) fn new(count: u16, expire_after: Duration) -> Self {
        Self { slots: vec![None; usize::from(count)].into(), expire_after, succeeded: 0, number: 0 }
    }

    pub(super) fn begin(&mut self) {
        self.slots.fill(None);
        self.succeeded = 0;
    }

    /// Another probe, or how long it takes until one expires.
    pub(super) fn take(&mut self, now: Instant) -> Result<ProbeId, Duration> {
        let mut soonest = self.expire_after;
        for slot in &mut self.slots {
            let Some(probe) = slot else { continue };
            // The clock went back: the probe is as if given now, and not until the clock has caught up.
            probe.given = probe.given.min(now);
            let left = self.expire_after.saturating_sub(now.saturating_duration_since(probe.given));
            if left.is_zero() {
                *slot = None;
            } else {
                soonest = soonest.min(left);
            }
        }
        let out = self.slots.iter().flatten().count();
        if out + usize::from(self.succeeded) >= self.slots.len() {
            return Err(soonest);
        }
        let Some(slot) = self.slots.iter().position(Option::is_none) else { return Err(soonest) };
        self.number = self.number.wrapping_add(1);
        self.slots[slot] = Some(Probe { number: self.number, given: now });
        // A slot's index is below the number of slots, which is a u16.
        Ok(ProbeId { slot: slot as u16, number: self.number })
    }

    /// Takes the probe back; nothing when it has expired and its place was given to another.
    pub(super) fn give_back(&mut self, id: ProbeId) -> Option<()> {
        let slot = self.slots.get_mut(usize::from(id.slot))?;
        slot.take_if(|probe| probe.number == id.number).map(|_| ())
    }

    pub(super) fn succeeded(&mut self) -> Progress {
        self.succeeded += 1;
        if usize::from(self.succeeded) >= self.slots.len() { Progress::AllSucceeded } else { Progress::Unfinished }
    }
}
