//! Bounds guessing: failed attempts to prove who one is, counted by the network that they come from.
//!
//! The generic cell rate algorithm (ITU-T I.371): each network holds one moment, its *theoretical arrival time*. An attempt
//! is taken when it begins and given back when it succeeds, so that only failures count and many attempts at once
//! cannot slip past the limit together.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::StatusCode;
use tokio::time::Instant;
use warren_app::AppError;

use crate::{
    PortalState,
    problem::{Rejection, TOO_MANY_ATTEMPTS},
    request::RequestFacts,
};

/// Attempts that may fail one right after the other.
pub const BURST: u32 = 10;
/// After a burst, one more attempt is allowed each time this passes: ten a minute.
pub const REFILL: Duration = Duration::from_secs(6);
/// Networks that are remembered. When there are more, the one that failed the longest ago is forgotten.
const NETWORKS_MAX: usize = 65_536;

/// Failed attempts by network: one IPv4 address, or one IPv6 /64, which is what one customer holds.
#[derive(Debug, Default)]
pub struct Attempts {
    arrivals: Mutex<HashMap<IpAddr, Instant>>,
}

/// An attempt under way. Dropped without a word it counts as a failure.
#[derive(Debug)]
#[must_use = "an attempt that succeeded is to be given back"]
pub struct Attempt<'a> {
    attempts: &'a Attempts,
    network: IpAddr,
}

impl Attempts {
    /// Begins an attempt from `address`.
    ///
    /// # Errors
    /// How long to wait when too many have failed.
    pub fn begin(&self, address: IpAddr) -> Result<Attempt<'_>, Duration> {
        let now = Instant::now();
        let network = network_of(address);
        let mut arrivals = self.arrivals();
        let arrival = arrivals.get(&network).copied().unwrap_or(now).max(now);
        let wait = (arrival + REFILL).saturating_duration_since(now + REFILL * BURST);
        if !wait.is_zero() {
            return Err(wait);
        }
        if arrivals.len() >= NETWORKS_MAX && !arrivals.contains_key(&network) {
            make_room(&mut arrivals, now);
        }
        arrivals.insert(network, arrival + REFILL);
        Ok(Attempt { attempts: self, network })
    }

    fn arrivals(&self) -> MutexGuard<'_, HashMap<IpAddr, Instant>> {
        // Each change under this lock is one insertion or removal; a panic leaves nothing half done.
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// The attempt did not fail, so it does not count.
    pub fn give_back(self) {
        let mut arrivals = self.attempts.arrivals();
        if let Some(arrival) = arrivals.get_mut(&self.network) {
            match arrival.checked_sub(REFILL) {
                Some(earlier) => *arrival = earlier,
                None => drop(arrivals.remove(&self.network)),
            }
        }
    }
}

impl PortalState {
    /// Does `work`, by which somebody proves who they are, unless too much of it has failed from their address. Only a wrong
    /// proof counts as a failure.
    ///
    /// # Errors
    /// 429 after too many failures, or what `work` refuses with.
    pub(crate) async fn prove<T>(
        &self,
        facts: &RequestFacts,
        work: impl Future<Output = Result<T, AppError>>,
    ) -> Result<T, Rejection> {
        // Who can open the admin socket needs to guess nothing.
        let Some(address) = facts.address() else { return Ok(work.await?) };
        let attempt = self
            .attempts()
            .begin(address)
            .map_err(|wait| Rejection::new(StatusCode::TOO_MANY_REQUESTS, TOO_MANY_ATTEMPTS).retry_after(wait))?;
        let outcome = work.await;
        if !matches!(outcome, Err(AppError::SignInRefused | AppError::LinkSpent)) {
            attempt.give_back();
        }
        Ok(outcome?)
    }
}

/// Forgets the networks whose allowance is whole again, and failing that the one nearest to it.
fn make_room(arrivals: &mut HashMap<IpAddr, Instant>, now: Instant) {
    arrivals.retain(|_, arrival| *arrival > now);
    if arrivals.len() >= NETWORKS_MAX
        && let Some(oldest) = arrivals.iter().min_by_key(|(_, arrival)| **arrival).map(|(network, _)| *network)
    {
        arrivals.remove(&oldest);
    }
}

fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    #[tokio::test(start_paused = true)]
    async fn failures_run_out_and_come_back_with_time() {
        let attempts = Attempts::default();
        for _ in 0..BURST {
            drop(attempts.begin(HERE).unwrap());
        }
        assert_eq!(attempts.begin(HERE).unwrap_err(), REFILL);
        assert!(attempts.begin("192.0.2.2".parse().unwrap()).is_ok(), "another address is not concerned");
        tokio::time::advance(REFILL).await;
        drop(attempts.begin(HERE).unwrap());
        assert!(attempts.begin(HERE).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn successes_do_not_count() {
        let attempts = Attempts::default();
        for _ in 0..BURST * 10 {
            attempts.begin(HERE).unwrap().give_back();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_at_once_do_not_slip_past() {
        let attempts = Attempts::default();
        let under_way: Vec<_> = (0..BURST).map(|_| attempts.begin(HERE).unwrap()).collect();
        assert!(attempts.begin(HERE).is_err());
        under_way.into_iter().for_each(Attempt::give_back);
        assert!(attempts.begin(HERE).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn one_ipv6_customer_is_one_network() {
        let attempts = Attempts::default();
        for host in 0..BURST {
            drop(attempts.begin(format!("2001:db8::{host:x}").parse().unwrap()).unwrap());
        }
        assert!(attempts.begin("2001:db8::ffff".parse().unwrap()).is_err());
        assert!(attempts.begin("2001:db8:0:1::1".parse().unwrap()).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded() {
        let attempts = Attempts::default();
        for n in 0..NETWORKS_MAX as u32 + 10 {
            drop(attempts.begin(Ipv4Addr::from(n).into()).unwrap());
            if n as usize == NETWORKS_MAX - 1 {
                tokio::time::advance(REFILL * 2).await;
            }
        }
        assert!(attempts.arrivals().len() <= NETWORKS_MAX);
    }
}
