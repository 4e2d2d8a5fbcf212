//! Servers that follow the primary, and which reads go to them.
//!
//! A read may go to a replica when its caller allows it to be a little old ([`crate::Staleness::Bounded`]). A replica is read
//! from while it follows, takes no writes itself, and is known to have everything that was committed up to the lag bound ago;
//! how that is known stands in `samples`. What an author wrote, and what they have already been shown, they are shown again:
//! that stands in `authors`. Whatever goes wrong on a replica, the read goes to the primary.

mod authors;
mod look;
mod member;
mod position;
mod prober;
mod read;
mod samples;
mod servers;

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use authors::{Authors, LastRead};
use member::Member;
pub use member::{Fallback, ReplicaState, ReplicaStatus};
pub(crate) use prober::Prober;
pub(crate) use read::DatabaseReplicas;
pub use servers::{ReplicaUrlError, Servers};

use crate::{Config, Standing, WorkContext};

/// How long somebody waits for a connection to a replica before the primary is asked.
pub(crate) const ACQUIRE_WITHIN: Duration = Duration::from_millis(250);
/// How long a read may take on a replica before the primary is asked.
pub(crate) const READ_WITHIN: Duration = Duration::from_secs(2);

/// The replicas of an installation.
#[derive(Debug)]
pub(crate) struct Replicas {
    members: Vec<Member>,
    authors: Authors,
    lag_max: Duration,
    probe_interval: Duration,
    turn: AtomicUsize,
    none_fresh: AtomicU64,
    newer_needed: AtomicU64,
}

/// Reads that were allowed to go to a replica, and went to the primary without trying one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeptOnPrimary {
    /// No replica was healthy and within the bound.
    pub none_fresh: u64,
    /// Their author had written, or seen, what no replica was known to have yet.
    pub newer_needed: u64,
}

/// A replica that may be read from.
#[derive(Debug, Clone, Copy)]
struct Chosen {
    replica: usize,
    life: u64,
}

impl Replicas {
    /// Those that `config` names; none without a server that has some.
    pub fn of(config: &Config) -> Option<Self> {
        let Standing::Server(servers) = &config.standing else { return None };
        let member = |url: &crate::DatabaseUrl| Member::new(url.clone(), config.connections_per_server_max);
        let members: Vec<Member> = servers.replicas().iter().map(member).collect();
        (!members.is_empty()).then(|| Self {
            members,
            authors: Authors::new(config.replica_lag_max),
            lag_max: config.replica_lag_max,
            probe_interval: config.replica_probe_interval.max(PROBE_INTERVAL_MIN),
            turn: AtomicUsize::new(0),
            none_fresh: AtomicU64::new(0),
            newer_needed: AtomicU64::new(0),
        })
    }

    fn members(&self) -> &[Member] {
        &self.members
    }

    const fn lag_max(&self) -> Duration {
        self.lag_max
    }

    const fn probe_interval(&self) -> Duration {
        self.probe_interval
    }

    /// Notes that the author of `work` wrote, or read from the primary what others wrote.
    pub fn saw_the_primary(&self, work: &WorkContext) {
        self.authors.saw_the_primary(work, Instant::now());
    }

    fn saw(&self, work: &WorkContext, chosen: Chosen) {
        let Chosen { replica, life } = chosen;
        self.authors.saw_a_replica(work, LastRead { replica, life, at: Instant::now() });
    }

    /// A replica for the author of `work`: the one that they read from last, or else whose turn it is.
    fn choose(&self, work: &WorkContext) -> Option<Chosen> {
        let (seen, now) = (self.authors.seen(work), Instant::now());
        let first = match seen.last {
            Some(last) => last.replica,
            None => self.turn.fetch_add(1, Ordering::Relaxed),
        };
        let mut is_any_fresh = false;
        for replica in (0..self.members.len()).map(|step| (first.wrapping_add(step)) % self.members.len()) {
            let Some(fresh) = self.members[replica].fresh(self.lag_max, now) else { continue };
            is_any_fresh = true;
            if seen.allows(replica, fresh.life, fresh.caught_up_to) {
                return Some(Chosen { replica, life: fresh.life });
            }
        }
        let counter = if is_any_fresh { &self.newer_needed } else { &self.none_fresh };
        counter.fetch_add(1, Ordering::Relaxed);
        None
    }

    pub fn status(&self) -> Vec<ReplicaStatus> {
        self.members.iter().map(|member| member.status(self.lag_max)).collect()
    }

    pub fn kept_on_primary(&self) -> KeptOnPrimary {
        KeptOnPrimary {
            none_fresh: self.none_fresh.load(Ordering::Relaxed),
            newer_needed: self.newer_needed.load(Ordering::Relaxed),
        }
    }
}

/// Looking more often than this would be a load of its own.
const PROBE_INTERVAL_MIN: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use warren_model::RequestId;

    use super::{member::Reached, *};

    fn two() -> Replicas {
        let url = |text: &str| text.parse().unwrap();
        let replicas = vec![url("postgresql://db2/warren"), url("postgresql://db3/warren")];
        let servers = Servers::new(url("postgresql://db1/warren"), replicas).unwrap();
        Replicas::of(&Config::standing(Standing::Server(servers))).unwrap()
    }

    #[test]
    fn everybody_stays_with_one_replica_and_goes_to_the_other_only_if_that_is_not_behind() {
        let replicas = two();
        let work =
            |author: u128| WorkContext::of_request(RequestId::from_uuid(Uuid::nil()), Some(Uuid::from_u128(author)));
        let begin = Instant::now();
        assert!(replicas.choose(&work(1)).is_none());
        assert_eq!(replicas.kept_on_primary(), KeptOnPrimary { none_fresh: 1, newer_needed: 0 });

        for member in replicas.members() {
            member.follows(Reached::Until(begin), replicas.lag_max());
        }
        let first = replicas.choose(&work(1)).unwrap();
        replicas.saw(&work(1), first);
        for _ in 0..10 {
            assert_eq!(replicas.choose(&work(1)).unwrap().replica, first.replica);
        }
        let others: Vec<usize> = (2..12).map(|author| replicas.choose(&work(author)).unwrap().replica).collect();
        assert!(others.contains(&0) && others.contains(&1), "others take turns: {others:?}");

        // The other one may lack what this author was shown; others have seen nothing yet.
        let (this, other) = (&replicas.members()[first.replica], 1 - first.replica);
        this.failed(Fallback::Disconnected, replicas.lag_max());
        assert!(replicas.choose(&work(1)).is_none());
        assert_eq!(replicas.choose(&work(2)).unwrap().replica, other);
        assert_eq!(replicas.kept_on_primary().newer_needed, 1);
        replicas.members()[other].follows(Reached::Until(Instant::now()), replicas.lag_max());
        assert_eq!(replicas.choose(&work(1)).unwrap().replica, other);
    }

    #[test]
    fn without_a_server_that_has_replicas_there_are_none() {
        assert!(Replicas::of(&Config::new("/tmp".into())).is_none());
        assert!(Replicas::of(&Config::on_server("postgresql://db1/warren".parse().unwrap())).is_none());
    }
}
