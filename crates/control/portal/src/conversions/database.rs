//! The databases' figures.

use std::time::Duration;

use warren_app::{
    AppError,
    database::{
        Busy, HistogramView, Kind, Lease, Limits, Owner, Phase, PoolsOfKind, Report, Shortage, Slow, Statement,
        Suspicion, SuspicionKind, SuspicionState, TransactionTallyView,
    },
};
use warren_model::Invalid;
use warren_wire::rest::v1;

use crate::fields::Fields;

/// How much of each list a caller asks for, as the address says it.
#[derive(Debug, Default, serde::Deserialize)]
pub struct AskedLimits {
    organisations: Option<String>,
    statements: Option<String>,
    slow_statements: Option<String>,
    suspicions: Option<String>,
    leases: Option<String>,
}

/// # Errors
/// [`AppError::Invalid`] with every limit that cannot be used.
pub fn read_limits(asked: &AskedLimits) -> Result<Limits, AppError> {
    let (mut fields, usual) = (Fields::default(), Limits::default());
    let mut read = |field, text: &Option<String>, usual| match text {
        None => Some(usual),
        Some(text) => fields.read(field, limit(text)),
    };
    let organisations = read("organisations", &asked.organisations, usual.organisations);
    let statements = read("statements", &asked.statements, usual.statements);
    let slow_statements = read("slow_statements", &asked.slow_statements, usual.slow_statements);
    let suspicions = read("suspicions", &asked.suspicions, usual.suspicions);
    let leases = read("leases", &asked.leases, usual.leases);
    let (Some(organisations), Some(statements), Some(slow_statements), Some(suspicions), Some(leases)) =
        (organisations, statements, slow_statements, suspicions, leases)
    else {
        return Err(fields.refuse());
    };
    Ok(Limits { organisations, statements, slow_statements, suspicions, leases })
}

/// A number of 0 to [`Limits::MAX`]. What is no number is as far out of range as a number can be.
fn limit(text: &str) -> Result<usize, Invalid> {
    let value = text.parse::<i64>().unwrap_or(i64::MAX);
    let max = i64::from(Limits::MAX);
    usize::try_from(value).ok().filter(|_| value <= max).ok_or(Invalid::OutOfRange { value, min: 0, max })
}

pub fn status(report: &Report) -> v1::DatabaseStatus {
    let counted = |kind: SuspicionKind| {
        report.suspicions_counted.iter().find(|(counted, _)| *counted == kind).map_or(0, |(_, count)| *count)
    };
    v1::DatabaseStatus {
        engine: report.engine.to_owned(),
        place: report.place.clone(),
        state: report.state.as_str().to_owned(),
        server: report.server.map(|server| v1::DatabaseServer {
            connections: server.connections,
            connections_max: server.connections_max,
            waiting: server.waiting as u64,
        }),
        open_databases: v1::OpenDatabases {
            open: report.open as u64,
            open_max: report.open_max as u64,
            waiting: report.open_waiting as u64,
        },
        shortages: report.shortages.iter().map(shortage).collect(),
        kinds: report.kinds.iter().map(kind).collect(),
        organisations: report.organisations.iter().map(busy).collect(),
        leases: report.leases.iter().map(lease).collect(),
        suspicions: report.suspicions.iter().map(suspicion).collect(),
        suspicions_counted: v1::SuspicionCounts {
            statement: counted(SuspicionKind::Statement),
            idle_in_hand: counted(SuspicionKind::IdleInHand),
            transaction: counted(SuspicionKind::Transaction),
        },
        slow_statements: report.slow_statements.iter().map(slow).collect(),
    }
}

fn shortage(shortage: &Shortage) -> v1::DatabaseShortage {
    v1::DatabaseShortage {
        of: shortage.of.to_owned(),
        database: shortage.database.clone(),
        organisation: shortage.organisation.as_ref().map(owner),
        role: shortage.role.map(str::to_owned),
        sign: shortage.sign.as_str().to_owned(),
        since: shortage.since,
    }
}

fn owner(owner: &Owner) -> v1::DatabaseOwner {
    let (slug, name) = owner.names.as_ref().map(|(slug, name)| (slug.to_string(), name.to_string())).unzip();
    v1::DatabaseOwner { id: owner.id.uuid(), slug, name }
}

fn kind(kind: &Kind) -> v1::DatabaseKind {
    v1::DatabaseKind {
        kind: kind.name.to_owned(),
        pools: kind.pools.iter().map(pools).collect(),
        transactions: transactions(&kind.transactions),
        statements: kind.statements.iter().map(statement).collect(),
    }
}

fn pools(pools: &PoolsOfKind) -> v1::DatabasePools {
    let (now, tally) = (&pools.now, &pools.tally);
    v1::DatabasePools {
        role: pools.role.to_owned(),
        state: pools.state.as_str().to_owned(),
        active: now.active,
        idle: now.idle,
        opening: now.opening,
        waiting: now.waiting,
        connections_max: now.connections_max,
        waited: times(&tally.waited),
        used: times(&tally.used),
        connected: times(&tally.connected),
        timeouts: tally.timeouts,
        turned_away: tally.turned_away,
        connect_failures: tally.connect_failures,
        broken: tally.broken,
    }
}

fn transactions(tally: &TransactionTallyView) -> v1::DatabaseTransactions {
    let named = |counts: &[(&'static str, u64)]| {
        counts.iter().map(|(name, count)| v1::NamedCount { name: (*name).to_owned(), count: *count }).collect()
    };
    v1::DatabaseTransactions {
        attempts: tally.attempts,
        ends: named(&tally.ends),
        retries: named(&tally.retries),
        took: times(&tally.took),
    }
}

fn statement(statement: &Statement) -> v1::DatabaseStatement {
    v1::DatabaseStatement { text: statement.text.to_string(), took: times(&statement.took), failed: statement.failed }
}

fn busy(busy: &Busy) -> v1::OrganisationDatabase {
    v1::OrganisationDatabase {
        organisation: owner(&busy.organisation),
        state: busy.state.as_str().to_owned(),
        waiting: busy.waiting,
        active: busy.active,
        connections_max: busy.connections_max,
        used_thousandths: busy.used_thousandths,
        acquired: busy.acquired,
        mean_wait_us: micros(busy.mean_wait),
        refused: busy.refused,
    }
}

fn lease(lease: &Lease) -> v1::DatabaseLease {
    let (phase, statement) = match &lease.phase {
        Phase::Idle => ("idle", None),
        Phase::Statement(text) => ("statement", Some(text.to_string())),
        Phase::Lent => ("lent", None),
    };
    v1::DatabaseLease {
        database: lease.database.clone(),
        organisation: lease.organisation.as_ref().map(owner),
        asked_at: lease.asked_at.clone(),
        span: lease.span.map(str::to_owned),
        request_id: lease.request.map(|request| request.uuid()),
        since: lease.since,
        phase: phase.to_owned(),
        in_phase_us: micros(lease.in_phase),
        in_transaction_us: lease.in_transaction.map(micros),
        statement,
    }
}

fn suspicion(suspicion: &Suspicion) -> v1::DatabaseSuspicion {
    let (state, took) = match suspicion.state {
        SuspicionState::Ongoing(until_now) => ("ongoing", until_now),
        SuspicionState::Over(took) => ("over", took),
    };
    v1::DatabaseSuspicion {
        kind: suspicion.kind.as_str().to_owned(),
        database: suspicion.database.clone(),
        organisation: suspicion.organisation.as_ref().map(owner),
        asked_at: suspicion.asked_at.clone(),
        span: suspicion.span.map(str::to_owned),
        request_id: suspicion.request.map(|request| request.uuid()),
        statement: suspicion.statement.as_ref().map(ToString::to_string),
        since: suspicion.since,
        state: state.to_owned(),
        took_us: micros(took),
    }
}

fn slow(slow: &Slow) -> v1::SlowStatement {
    v1::SlowStatement {
        text: slow.text.to_string(),
        database: slow.database.clone(),
        organisation: slow.organisation.as_ref().map(owner),
        took_us: micros(slow.took),
        at: slow.at,
        request_id: slow.request.map(|request| request.uuid()),
        asked_at: slow.asked_at.clone(),
        plan: slow.plan.clone(),
    }
}

fn times(times: &HistogramView) -> v1::Times {
    v1::Times {
        count: times.count(),
        total_us: times.sum_micros,
        mean_us: times.mean_micros().unwrap_or(0),
        half_us: times.within_micros(0.5).unwrap_or(0),
        most_us: times.within_micros(0.99).unwrap_or(0),
        longest_us: times.longest_micros,
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_bounded_and_named_when_they_are_not() {
        let asked =
            |statements: &str| AskedLimits { statements: Some(statements.to_owned()), ..AskedLimits::default() };
        assert_eq!(read_limits(&AskedLimits::default()).unwrap(), Limits::default());
        assert_eq!(read_limits(&asked("100")).unwrap().statements, 100);
        for refused in ["101", "-1", "many", ""] {
            let AppError::Invalid(fields) = read_limits(&asked(refused)).unwrap_err() else { panic!("{refused}") };
            assert_eq!(fields.iter().map(|error| &*error.field).collect::<Vec<_>>(), ["statements"]);
        }
    }
}
