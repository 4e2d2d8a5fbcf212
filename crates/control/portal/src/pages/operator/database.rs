//! `/operator/database`: how the databases are, in figures and in words.

use std::time::Duration;

use askama::Template;
use axum::response::Response;
use warren_app::database::{
    self, Busy, HistogramView, Kind, Limits, Owner, PoolsOfKind, Report, Shortage, Slow, State, Statement, Suspicion,
    SuspicionState,
};
use warren_model::Timestamp;

use super::super::{markup, page::Page, reader::Reader, shown};
use crate::{locale::Locale, problem::Rejection};

/// A longer statement is folded to two lines.
const STATEMENT_CHARACTERS_MAX: usize = 110;

#[derive(Template)]
#[template(path = "operator/database.html")]
struct Shown {
    page: Page,
    at: Timestamp,
    report: Report,
    active: u32,
    waiting: u32,
    suspicions_counted: u64,
    shortages: Vec<ShortageShown>,
    pools: Vec<PoolsShown>,
    organisations: Vec<BusyShown>,
    suspicions: Vec<SuspicionShown>,
    slow: Vec<SlowShown>,
    kinds: Vec<KindShown>,
}

struct ShortageShown {
    of: &'static str,
    owner: OwnerShown,
    sign: String,
    since: Timestamp,
}

/// Whose database it is, and where that organisation's pages are.
struct OwnerShown {
    name: String,
    slug: Option<String>,
}

struct StateShown {
    name: &'static str,
    tone: &'static str,
}

struct PoolsShown {
    kind: &'static str,
    role: &'static str,
    state: StateShown,
    active: u32,
    connections_max: u32,
    waiting: u32,
    waited: String,
    used: String,
    refused: u64,
    failed: u64,
}

struct BusyShown {
    owner: OwnerShown,
    state: StateShown,
    used: String,
    connections_max: u32,
    waiting: u32,
    acquired: u64,
    mean_wait: String,
    refused: u64,
}

struct SuspicionShown {
    kind: String,
    owner: OwnerShown,
    asked_at: String,
    request: String,
    statement: Option<StatementText>,
    since: Timestamp,
    ongoing: bool,
    took: String,
}

struct StatementText {
    text: String,
    /// Whether it is long enough to be folded.
    long: bool,
}

struct SlowShown {
    text: StatementText,
    owner: OwnerShown,
    took: String,
    at: Timestamp,
    request: String,
    asked_at: String,
}

struct KindShown {
    name: &'static str,
    attempts: u64,
    took: String,
    /// Ends and retries that happened, as names of texts.
    ends: Vec<(String, u64)>,
    retries: Vec<(String, u64)>,
    statements: Vec<StatementShown>,
}

struct StatementShown {
    text: StatementText,
    count: u64,
    total: String,
    mean: String,
    most: String,
}

pub(super) async fn show(reader: Reader) -> Result<Response, Rejection> {
    let page = reader.operator_page("database").await?;
    let report = database::report(&reader, Limits { slow_statements: 5, ..Limits::default() }).await?;
    let words = Words { page: &page, locale: reader.facts.locale };
    let sum = |of: fn(&PoolsOfKind) -> u32| report.kinds.iter().flat_map(|kind| &kind.pools).map(of).sum();
    let pools = report.kinds.iter().flat_map(|kind| kind.pools.iter().map(|pools| words.pools(kind.name, pools)));
    shown(&Shown {
        at: reader.app.clock().now(),
        active: sum(|pools| pools.now.active),
        waiting: sum(|pools| pools.now.waiting),
        suspicions_counted: report.suspicions_counted.iter().map(|(_, count)| count).sum(),
        shortages: report.shortages.iter().map(|one| words.shortage(one)).collect(),
        pools: pools.collect(),
        organisations: report.organisations.iter().map(|one| words.busy(one)).collect(),
        suspicions: report.suspicions.iter().map(|one| words.suspicion(one)).collect(),
        slow: report.slow_statements.iter().map(|one| words.slow(one)).collect(),
        kinds: report.kinds.iter().map(|kind| words.kind(kind)).collect(),
        report,
        page,
    })
}

/// Puts figures into the reader's words.
struct Words<'a> {
    page: &'a Page,
    locale: Locale,
}

impl Words<'_> {
    fn shortage(&self, shortage: &Shortage) -> ShortageShown {
        ShortageShown {
            of: shortage.of,
            owner: self.owner(shortage.organisation.as_ref()),
            sign: key(shortage.sign.as_str()),
            since: shortage.since,
        }
    }

    fn owner(&self, owner: Option<&Owner>) -> OwnerShown {
        match owner {
            None => OwnerShown { name: self.page.text("database-of-system"), slug: None },
            Some(Owner { id, names: None }) => OwnerShown { name: id.to_string(), slug: None },
            Some(Owner { names: Some((slug, name)), .. }) => {
                OwnerShown { name: name.to_string(), slug: Some(slug.to_string()) }
            }
        }
    }

    fn pools(&self, kind: &'static str, pools: &PoolsOfKind) -> PoolsShown {
        PoolsShown {
            kind,
            role: pools.role,
            state: state(pools.state),
            active: pools.now.active,
            connections_max: pools.now.connections_max,
            waiting: pools.now.waiting,
            waited: self.usual(&pools.tally.waited),
            used: self.usual(&pools.tally.used),
            refused: pools.tally.timeouts + pools.tally.turned_away,
            failed: pools.tally.connect_failures + pools.tally.broken,
        }
    }

    fn busy(&self, busy: &Busy) -> BusyShown {
        let hundredths = busy.used_thousandths.div_ceil(10);
        BusyShown {
            owner: self.owner(Some(&busy.organisation)),
            state: state(busy.state),
            used: format!("{}{}{:02}", hundredths / 100, self.locale.decimal_mark(), hundredths % 100),
            connections_max: busy.connections_max,
            waiting: busy.waiting,
            acquired: busy.acquired,
            mean_wait: self.span(busy.mean_wait),
            refused: busy.refused,
        }
    }

    fn suspicion(&self, suspicion: &Suspicion) -> SuspicionShown {
        let (ongoing, took) = match suspicion.state {
            SuspicionState::Ongoing(until_now) => (true, until_now),
            SuspicionState::Over(took) => (false, took),
        };
        SuspicionShown {
            kind: key(suspicion.kind.as_str()),
            owner: self.owner(suspicion.organisation.as_ref()),
            asked_at: suspicion.asked_at.clone().unwrap_or_default(),
            request: suspicion.request.map(|request| request.to_string()).unwrap_or_default(),
            statement: suspicion.statement.as_deref().map(statement_text),
            since: suspicion.since,
            ongoing,
            took: self.span(took),
        }
    }

    fn slow(&self, slow: &Slow) -> SlowShown {
        SlowShown {
            text: statement_text(&slow.text),
            owner: self.owner(slow.organisation.as_ref()),
            took: self.span(slow.took),
            at: slow.at,
            request: slow.request.map(|request| request.to_string()).unwrap_or_default(),
            asked_at: slow.asked_at.clone().unwrap_or_default(),
        }
    }

    fn kind(&self, kind: &Kind) -> KindShown {
        let named = |counts: &[(&'static str, u64)]| {
            counts.iter().filter(|(_, count)| *count > 0).map(|(name, count)| (key(name), *count)).collect()
        };
        KindShown {
            name: kind.name,
            attempts: kind.transactions.attempts,
            took: self.usual(&kind.transactions.took),
            ends: named(&kind.transactions.ends),
            retries: named(&kind.transactions.retries),
            statements: kind.statements.iter().map(|one| self.statement(one)).collect(),
        }
    }

    fn statement(&self, statement: &Statement) -> StatementShown {
        let took = &statement.took;
        StatementShown {
            text: statement_text(&statement.text),
            count: took.count(),
            total: self.micros(took.sum_micros),
            mean: self.micros(took.mean_micros().unwrap_or(0)),
            most: self.micros(took.within_micros(0.99).unwrap_or(0)),
        }
    }

    /// What half of the times, and 99 in 100 of them, are within.
    fn usual(&self, times: &HistogramView) -> String {
        match (times.within_micros(0.5), times.within_micros(0.99)) {
            (Some(half), Some(most)) => format!("{} · {}", self.micros(half), self.micros(most)),
            _ => "–".to_owned(),
        }
    }

    fn span(&self, span: Duration) -> String {
        markup::span(self.locale, span)
    }

    fn micros(&self, micros: u64) -> String {
        self.span(Duration::from_micros(micros))
    }
}

const fn state(state: State) -> StateShown {
    let (name, tone) = match state {
        State::Fine => ("fine", "good"),
        State::Waiting => ("waiting", "warn"),
        State::RunningOut => ("running-out", "bad"),
    };
    StateShown { name, tone }
}

/// A name of the API's as texts are named.
fn key(name: &str) -> String {
    name.replace('_', "-")
}

fn statement_text(text: &str) -> StatementText {
    StatementText { text: text.to_owned(), long: text.chars().count() > STATEMENT_CHARACTERS_MAX }
}
