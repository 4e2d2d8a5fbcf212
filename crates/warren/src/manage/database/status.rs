//! `warren db status`: pools, transactions, statements, and what takes long.

use std::{
    fmt::{self, Write as _},
    time::Duration,
};

use clap::Args;
use warren_wire::rest::v1::{DatabaseKind, DatabaseOwner, DatabasePools, DatabaseStatus, NamedCount, Times};

use super::super::{
    console::terminal_width,
    format,
    scope::Reach,
    table::{Particulars, Table},
};
use crate::Failure;

/// How the databases are.
#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    reach: Reach,
    /// The most entries of each list, 0 to 100.
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u8).range(0..=100))]
    limit: u8,
}

impl Status {
    /// Asks the server and shows its answer.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn run(self) -> Result<(), Failure> {
        let console = self.reach.console();
        let lists = ["organisations", "statements", "slow_statements", "suspicions", "leases"];
        let query: Vec<String> = lists.iter().map(|list| format!("{list}={}", self.limit)).collect();
        let answer = console.client.get(&format!("/api/v1/database?{}", query.join("&"))).await?;
        console.show(&answer, |status: DatabaseStatus| {
            let mut text = String::new();
            // Writing into a String cannot fail.
            let _ = write_status(&mut text, &status);
            text
        })
    }
}

fn write_status(out: &mut String, status: &DatabaseStatus) -> fmt::Result {
    write!(out, "{}", particulars(status))?;
    section(out, "CONNECTIONS", &pools(&status.kinds))?;
    section(out, "BUSIEST ORGANISATIONS, LAST TEN SECONDS", &organisations(status))?;
    section(out, "IN SOMEBODY'S HANDS", &leases(status))?;
    section(out, "WHAT TAKES LONG", &suspicions(status))?;
    section(out, "SLOW STATEMENTS", &slow(status))?;
    for kind in &status.kinds {
        section(out, &format!("STATEMENTS ON {}, BY TIME IN ALL", database_of(&kind.kind)), &statements(kind))?;
    }
    Ok(())
}

/// A table under a title; nothing when it is empty.
fn section(out: &mut String, title: &str, table: &Option<Table>) -> fmt::Result {
    match table {
        Some(table) => write!(out, "\n{title}\n{table}"),
        None => Ok(()),
    }
}

fn particulars(status: &DatabaseStatus) -> Particulars {
    let open = &status.open_databases;
    let mut shown = Particulars::of(format!("{} at {}", engine(&status.engine), status.place))
        .line("state", words(&status.state))
        .line("open databases", format!("{} of {} at most{}", open.open, open.open_max, waiting(open.waiting)));
    if let Some(server) = &status.server {
        let text = format!("{} of {} at most{}", server.connections, server.connections_max, waiting(server.waiting));
        shown = shown.line("server connections", text);
    }
    for kind in &status.kinds {
        let transactions = &kind.transactions;
        let name = if kind.kind == "system" { "transactions, system" } else { "transactions, organisations" };
        shown = shown.line(name, format!("{}{}", counts(&transactions.ends), retries(&transactions.retries)));
    }
    let counted = &status.suspicions_counted;
    shown = shown.line(
        "suspicions",
        format!(
            "{} of a statement, {} of a connection held idle, {} of a transaction",
            counted.statement, counted.idle_in_hand, counted.transaction
        ),
    );
    status.shortages.iter().fold(shown, |shown, shortage| {
        let what = match shortage.of.as_str() {
            "pool" => format!("connections to the database of {}", owner(shortage.organisation.as_ref())),
            "server" => "connections to the server".to_owned(),
            _ => "places for open databases".to_owned(),
        };
        shown.line("running out", format!("{what}, since {}", format::moment(Some(shortage.since))))
    })
}

fn pools(kinds: &[DatabaseKind]) -> Option<Table> {
    let rows: Vec<(&str, &DatabasePools)> =
        kinds.iter().flat_map(|kind| kind.pools.iter().map(|pools| (kind.kind.as_str(), pools))).collect();
    let columns = ["DATABASE", "FOR", "STATE", "IN USE", "IDLE", "WAITING", "WAITED", "KEPT", "IN VAIN", "BROKEN"];
    let numbers = ["IN USE", "IDLE", "WAITING", "WAITED", "KEPT", "IN VAIN", "BROKEN"];
    filled(&columns, &numbers, &rows, |(kind, pools)| {
        vec![
            (*kind).to_owned(),
            pools.role.clone(),
            words(&pools.state),
            format!("{}/{}", pools.active, pools.connections_max),
            pools.idle.to_string(),
            pools.waiting.to_string(),
            most(&pools.waited),
            most(&pools.used),
            (pools.timeouts + pools.turned_away).to_string(),
            (pools.broken + pools.connect_failures).to_string(),
        ]
    })
}

fn organisations(status: &DatabaseStatus) -> Option<Table> {
    let columns = ["ORGANISATION", "STATE", "IN USE", "WAITING", "GIVEN OUT", "MEAN WAIT", "IN VAIN"];
    filled(&columns, &columns[2..], &status.organisations, |one| {
        vec![
            owner(Some(&one.organisation)),
            words(&one.state),
            format!("{}.{:03}/{}", one.used_thousandths / 1000, one.used_thousandths % 1000, one.connections_max),
            one.waiting.to_string(),
            one.acquired.to_string(),
            span(one.mean_wait_us),
            one.refused.to_string(),
        ]
    })
}

fn leases(status: &DatabaseStatus) -> Option<Table> {
    let columns = ["DATABASE", "DOES", "FOR", "SINCE", "REQUEST", "PLACE OR STATEMENT"];
    filled(&columns, &["FOR"], &status.leases, |one| {
        vec![
            owner(one.organisation.as_ref()),
            words(&one.phase),
            span(one.in_phase_us),
            format::moment(Some(one.since)),
            one.request_id.map_or_else(dash, |id| id.to_string()),
            one.asked_at.clone().or_else(|| one.statement.clone()).unwrap_or_else(dash),
        ]
    })
}

fn suspicions(status: &DatabaseStatus) -> Option<Table> {
    let columns = ["WHAT", "DATABASE", "STATE", "TOOK", "SINCE", "REQUEST", "PLACE OR STATEMENT"];
    filled(&columns, &["TOOK"], &status.suspicions, |one| {
        vec![
            words(&one.kind),
            owner(one.organisation.as_ref()),
            one.state.clone(),
            span(one.took_us),
            format::moment(Some(one.since)),
            one.request_id.map_or_else(dash, |id| id.to_string()),
            one.asked_at.clone().or_else(|| one.statement.clone()).unwrap_or_else(dash),
        ]
    })
}

fn slow(status: &DatabaseStatus) -> Option<Table> {
    let columns = ["TOOK", "DATABASE", "AT", "REQUEST", "STATEMENT"];
    filled(&columns, &["TOOK"], &status.slow_statements, |one| {
        vec![
            span(one.took_us),
            owner(one.organisation.as_ref()),
            format::moment(Some(one.at)),
            one.request_id.map_or_else(dash, |id| id.to_string()),
            one.text.clone(),
        ]
    })
}

fn statements(kind: &DatabaseKind) -> Option<Table> {
    let columns = ["IN ALL", "COUNT", "MEAN", "99 %", "FAILED", "STATEMENT"];
    filled(&columns, &columns[..5], &kind.statements, |one| {
        vec![
            span(one.took.total_us),
            one.took.count.to_string(),
            span(one.took.mean_us),
            span(one.took.most_us),
            one.failed.to_string(),
            one.text.clone(),
        ]
    })
}

/// A table of `rows`, its `numbers` on the right; none without rows.
fn filled<T>(
    columns: &[&'static str],
    numbers: &[&'static str],
    rows: &[T],
    row: impl Fn(&T) -> Vec<String>,
) -> Option<Table> {
    if rows.is_empty() {
        return None;
    }
    let table = numbers.iter().fold(Table::new(columns), |table, title| table.right(title));
    Some(table.rows(rows, row).fitted(terminal_width()))
}

fn owner(owner: Option<&DatabaseOwner>) -> String {
    match owner {
        None => "system".to_owned(),
        Some(owner) => owner.slug.clone().unwrap_or_else(|| owner.id.to_string()),
    }
}

fn database_of(kind: &str) -> &'static str {
    if kind == "system" { "THE SYSTEM DATABASE" } else { "THE ORGANISATIONS' DATABASES" }
}

fn engine(name: &str) -> &str {
    match name {
        "sqlite" => "SQLite",
        "mariadb" => "MariaDB",
        "postgresql" => "PostgreSQL",
        other => other,
    }
}

fn counts(counts: &[NamedCount]) -> String {
    let happened = counts.iter().filter(|one| one.count > 0);
    format::list(happened.map(|one| format!("{} {}", one.count, words(&one.name))))
}

fn retries(retries: &[NamedCount]) -> String {
    if retries.iter().all(|one| one.count == 0) {
        return String::new();
    }
    format!("; attempted again: {}", counts(retries))
}

fn waiting(count: u64) -> String {
    if count == 0 { String::new() } else { format!(", {count} waiting") }
}

fn most(times: &Times) -> String {
    if times.count == 0 { dash() } else { span(times.most_us) }
}

/// The API's names in words.
fn words(name: &str) -> String {
    name.replace('_', " ")
}

fn dash() -> String {
    "–".to_owned()
}

fn span(micros: u64) -> String {
    format::span(Duration::from_micros(micros))
}
