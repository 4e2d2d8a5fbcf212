//! Figures of the databases, read when they are asked for: a fixed number of series, however many organisations there are.
//!
//! Only the busiest organisations get series of their own, all others together make one more. These series are gauges of the
//! last seconds: a counter that passes from an organisation's own series to the others' would look like one that began anew.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet},
    metrics::MetricType,
};
use warren_storage::{
    Databases, HistogramView, KindStatus, PoolTallyView, StatementView, StorageStatus, SuspicionState,
};

/// Organisations with series of their own.
const ORGANISATIONS_MAX: usize = 20;
/// Shapes of statements with series of their own, for each kind of database.
const STATEMENTS_MAX: usize = 30;
/// How much of a statement stands in its label.
const STATEMENT_CHARACTERS_MAX: usize = 160;

/// Reads the databases' figures at each scrape.
#[derive(Debug)]
pub(super) struct DatabaseFigures(pub Databases);

impl Collector for DatabaseFigures {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        encode(&self.0.status(), encoder)
    }
}

fn encode(status: &StorageStatus, encoder: DescriptorEncoder) -> fmt::Result {
    let mut figures = Figures(encoder);
    figures.pools(status)?;
    figures.transactions(status)?;
    figures.statements(status)?;
    figures.watch(status)?;
    figures.bounds(status)?;
    figures.organisations(status)
}

/// Labels of one series.
type Labels<'a> = &'a [(&'static str, &'a str)];

/// A figure of every pool: its name, its help, and where it stands in the tally.
type Described<Of> = (&'static str, &'static str, Of);
type Times = fn(&PoolTallyView) -> &HistogramView;
type Count = fn(&PoolTallyView) -> u64;

struct Figures<'a>(DescriptorEncoder<'a>);

/// The pools of one kind and role together.
struct Group<'a> {
    kind: &'static str,
    role: &'static str,
    tally: &'a PoolTallyView,
}

impl Figures<'_> {
    fn pools(&mut self, status: &StorageStatus) -> fmt::Result {
        let groups: Vec<Group<'_>> = [&status.system, &status.tenants].into_iter().flat_map(groups).collect();
        let open = |group: &Group<'_>, of: fn(&warren_storage::PoolState) -> u32| -> u64 {
            let is_system = group.kind == status.system.name;
            let databases = status.databases.iter().filter(|one| one.organisation.is_none() == is_system);
            let pools = databases.flat_map(|one| &one.pools).filter(|pool| pool.role == group.role);
            pools.map(|pool| u64::from(of(&pool.now))).sum()
        };
        self.gauge("database_connections", "Connections, by what they are doing", |out| {
            for group in &groups {
                for (state, count) in [
                    ("active", open(group, |now| now.active)),
                    ("idle", open(group, |now| now.idle)),
                    ("opening", open(group, |now| now.opening)),
                    ("max", open(group, |now| now.connections_max)),
                ] {
                    gauge(out, &[("kind", group.kind), ("role", group.role), ("state", state)], count)?;
                }
            }
            Ok(())
        })?;
        self.gauge("database_waiting", "Those who wait for a connection", |out| {
            groups.iter().try_for_each(|group| {
                gauge(out, &[("kind", group.kind), ("role", group.role)], open(group, |now| now.waiting))
            })
        })?;
        let histograms: [Described<Times>; 3] = [
            ("database_wait_seconds", "How long was waited for a connection", |tally| &tally.waited),
            ("database_use_seconds", "How long a connection was kept", |tally| &tally.used),
            ("database_connect_seconds", "How long a connection took to open", |tally| &tally.connected),
        ];
        for (name, help, of) in histograms {
            self.histogram(name, help, |out| {
                groups.iter().try_for_each(|group| {
                    histogram(out, &[("kind", group.kind), ("role", group.role)], of(group.tally))
                })
            })?;
        }
        let counters: [Described<Count>; 5] = [
            ("database_timeouts", "Those whose turn did not come in time", |tally| tally.timeouts),
            ("database_turned_away", "Those for whom the line was too long", |tally| tally.turned_away),
            ("database_connect_failures", "Connections that could not be opened", |tally| tally.connect_failures),
            ("database_connections_broken", "Connections that broke", |tally| tally.broken),
            ("database_connections_closed", "Connections that were closed", |tally| tally.closed),
        ];
        for (name, help, of) in counters {
            self.counter(name, help, |out| {
                groups
                    .iter()
                    .try_for_each(|group| counter(out, &[("kind", group.kind), ("role", group.role)], of(group.tally)))
            })?;
        }
        Ok(())
    }

    fn transactions(&mut self, status: &StorageStatus) -> fmt::Result {
        let kinds = [&status.system, &status.tenants];
        self.counter("database_transactions", "Transactions, by how they ended", |out| {
            for kind in kinds {
                for (end, count) in &kind.transactions.ends {
                    counter(out, &[("kind", kind.name), ("end", *end)], *count)?;
                }
            }
            Ok(())
        })?;
        self.counter("database_transaction_attempts", "Attempts at transactions", |out| {
            kinds.iter().try_for_each(|kind| counter(out, &[("kind", kind.name)], kind.transactions.attempts))
        })?;
        self.counter("database_transaction_retries", "Further attempts, by why they were needed", |out| {
            for kind in kinds {
                for (cause, count) in &kind.transactions.retries {
                    counter(out, &[("kind", kind.name), ("cause", *cause)], *count)?;
                }
            }
            Ok(())
        })?;
        self.histogram("database_transaction_seconds", "How long a transaction took, all attempts together", |out| {
            kinds.iter().try_for_each(|kind| histogram(out, &[("kind", kind.name)], &kind.transactions.took))
        })
    }

    fn statements(&mut self, status: &StorageStatus) -> fmt::Result {
        // One list for both families, so that they speak of the same statements.
        let of = |kind: &'static str, statement: &StatementView| {
            (kind, fingerprint(&statement.text), beginning(&statement.text), statement.took)
        };
        let shown: Vec<(&'static str, String, String, HistogramView)> = [&status.system, &status.tenants]
            .into_iter()
            .flat_map(|kind| kind.statements.iter().take(STATEMENTS_MAX).map(|one| of(kind.name, one)))
            .collect();
        self.counter("database_statements", "The statements that take most time, by their shape", |out| {
            shown.iter().try_for_each(|(kind, id, text, took)| {
                counter(out, &[("kind", *kind), ("id", id), ("statement", text)], took.count())
            })
        })?;
        self.counter("database_statement_seconds", "How long they took in all", |out| {
            shown.iter().try_for_each(|(kind, id, _, took)| {
                counter_of_seconds(out, &[("kind", *kind), ("id", id)], took.sum_micros)
            })
        })
    }

    fn watch(&mut self, status: &StorageStatus) -> fmt::Result {
        self.counter("database_suspicions", "What took longer than it should, by kind", |out| {
            let mut counts = status.suspicions_counted.iter();
            counts.try_for_each(|(kind, count)| counter(out, &[("kind", kind.as_str())], *count))
        })?;
        self.gauge("database_suspicions_ongoing", "What takes longer than it should now", |out| {
            status.suspicions_counted.iter().try_for_each(|(kind, _)| {
                let ongoing = status
                    .suspicions
                    .iter()
                    .filter(|one| one.kind == *kind && matches!(one.state, SuspicionState::Ongoing(_)));
                gauge(out, &[("kind", kind.as_str())], ongoing.count() as u64)
            })
        })?;
        self.counter("database_shortages", "How often something was about to run out", |out| {
            status.shortages_counted.iter().try_for_each(|(of, count)| counter(out, &[("of", *of)], *count))
        })?;
        self.gauge("database_shortages_ongoing", "What is about to run out now", |out| {
            status.shortages_counted.iter().try_for_each(|(of, _)| {
                let ongoing = status.shortages.iter().filter(|one| one.of.as_str() == *of).count();
                gauge(out, &[("of", *of)], ongoing as u64)
            })
        })
    }

    fn bounds(&mut self, status: &StorageStatus) -> fmt::Result {
        self.gauge("database_open", "Organisations' databases that are open, and the most that may be", |out| {
            gauge(out, &[("state", "open")], status.open_tenants as u64)?;
            gauge(out, &[("state", "max")], status.open_tenants_max as u64)
        })?;
        self.gauge("database_open_waiting", "Those who wait until another database can be opened", |out| {
            out.encode_gauge(&(status.open_tenants_waiting as u64))
        })?;
        let Some(server) = status.server else { return Ok(()) };
        self.gauge("database_server_connections", "Connections to the server, and the most that may be", |out| {
            gauge(out, &[("state", "open")], server.connections.into())?;
            gauge(out, &[("state", "max")], server.connections_max.into())
        })?;
        self.gauge("database_server_waiting", "Connections that wait for another one's place", |out| {
            out.encode_gauge(&(server.waiting as u64))
        })
    }

    fn organisations(&mut self, status: &StorageStatus) -> fmt::Result {
        let busiest = status.busiest();
        let (own, others) = busiest.split_at(busiest.len().min(ORGANISATIONS_MAX));
        let mut shown: Vec<(String, Busy)> = Vec::with_capacity(ORGANISATIONS_MAX + 1);
        for one in own {
            let name = one.organisation.map_or_else(String::new, |id| id.to_string());
            shown.push((name, Busy::default().with(one)));
        }
        shown.push(("other".to_owned(), others.iter().fold(Busy::default(), |all, one| all.with(one))));
        self.gauge(
            "database_organisation_waiting",
            "Those who wait for one of an organisation's connections",
            |out| shown.iter().try_for_each(|(name, busy)| gauge(out, &[("organisation", name)], busy.waiting)),
        )?;
        self.gauge("database_organisation_active", "An organisation's connections that are in use", |out| {
            shown.iter().try_for_each(|(name, busy)| gauge(out, &[("organisation", name)], busy.active))
        })?;
        let help = "An organisation's connections in use on average over the last ten seconds";
        self.gauge("database_organisation_busy", help, |out| {
            shown.iter().try_for_each(|(name, busy)| {
                let labels: Labels<'_> = &[("organisation", name)];
                out.encode_family(&labels)?.encode_gauge(&thousandths(busy.used_thousandths))
            })
        })
    }

    fn gauge(
        &mut self,
        name: &str,
        help: &str,
        each: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
    ) -> fmt::Result {
        each(&mut self.0.encode_descriptor(name, help, None, MetricType::Gauge)?)
    }

    fn counter(
        &mut self,
        name: &str,
        help: &str,
        each: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
    ) -> fmt::Result {
        each(&mut self.0.encode_descriptor(name, help, None, MetricType::Counter)?)
    }

    fn histogram(
        &mut self,
        name: &str,
        help: &str,
        each: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
    ) -> fmt::Result {
        each(&mut self.0.encode_descriptor(name, help, None, MetricType::Histogram)?)
    }
}

/// How busy one organisation's database is, or several together.
#[derive(Debug, Clone, Copy, Default)]
struct Busy {
    waiting: u64,
    active: u64,
    used_thousandths: u64,
}

impl Busy {
    fn with(self, one: &warren_storage::DatabaseStatus) -> Self {
        Self {
            waiting: self.waiting + u64::from(one.waiting()),
            active: self.active + u64::from(one.active()),
            used_thousandths: self.used_thousandths + one.used_lately(),
        }
    }
}

/// The pools of a kind: on SQLite those that write and those that read, on a server one for both.
fn groups(kind: &KindStatus) -> Vec<Group<'_>> {
    kind.pools.iter().map(|(role, tally)| Group { kind: kind.name, role, tally }).collect()
}

fn gauge(out: &mut MetricEncoder<'_>, labels: Labels<'_>, value: u64) -> fmt::Result {
    out.encode_family(&labels)?.encode_gauge(&value)
}

fn counter(out: &mut MetricEncoder<'_>, labels: Labels<'_>, value: u64) -> fmt::Result {
    out.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, f64>(&value, None)
}

fn counter_of_seconds(out: &mut MetricEncoder<'_>, labels: Labels<'_>, micros: u64) -> fmt::Result {
    out.encode_family(&labels)?.encode_counter::<NoLabelSet, f64, f64>(&seconds(micros), None)
}

fn histogram(out: &mut MetricEncoder<'_>, labels: Labels<'_>, times: &HistogramView) -> fmt::Result {
    let ends = HistogramView::ENDS_SECONDS.into_iter().chain([f64::INFINITY]);
    let buckets: Vec<(f64, u64)> = ends.zip(times.buckets).collect();
    let mut family = out.encode_family(&labels)?;
    family.encode_histogram::<NoLabelSet>(seconds(times.sum_micros), times.count(), &buckets, None)
}

#[expect(clippy::cast_precision_loss, reason = "nine digits of a figure are more than anybody reads")]
fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "nine digits of a figure are more than anybody reads")]
fn thousandths(count: u64) -> f64 {
    count as f64 / 1e3
}

fn beginning(text: &str) -> String {
    text.chars().take(STATEMENT_CHARACTERS_MAX).collect()
}

/// What tells statements with the same beginning apart, and stays the same from start to start: FNV-1a
/// (<http://www.isthe.com/chongo/tech/comp/fnv/>).
fn fingerprint(text: &str) -> String {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    format!("{:016x}", text.bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path, sync::Arc};

    use prometheus_client::{encoding::text, registry::Registry};
    use warren_model::{Clock, OrganisationId};
    use warren_runtime::{SystemClock, SystemRandom};
    use warren_storage::{
        Config, DatabaseStatus, Engine, KeptOnPrimary, Place, PoolState, PoolStatus, Recent, ServerStatus,
        SuspicionKind, TransactionTallyView,
    };

    use warren_testkit::ground::{Database, Ground};

    use super::*;

    #[derive(Debug)]
    struct Synthetic(StorageStatus);

    impl Collector for Synthetic {
        fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
            super::encode(&self.0, encoder)
        }
    }

    fn render(collector: impl Collector) -> String {
        let mut registry = Registry::with_prefix("warren");
        registry.register_collector(Box::new(collector));
        let mut text = String::new();
        text::encode(&mut text, &registry).unwrap();
        text
    }

    /// The series of a scrape, each of which stands in it once.
    fn series(text: &str) -> BTreeSet<String> {
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let names: BTreeSet<String> = lines.iter().map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect();
        assert_eq!(names.len(), lines.len(), "a series stands twice");
        names
    }

    fn organisation() -> OrganisationId {
        OrganisationId::generate(SystemClock.now(), &SystemRandom)
    }

    fn database(organisation: Option<OrganisationId>, waiting: u32) -> DatabaseStatus {
        let now = PoolState { active: 1, waiting, connections_max: 8, ..PoolState::default() };
        let (tally, recent) = (PoolTallyView::default(), Recent::default());
        let place = Place::file(Path::new("x"));
        let pool = PoolStatus { role: "both", place: place.clone(), now, tally, recent, leases: Vec::new() };
        DatabaseStatus { place, organisation, pools: vec![pool] }
    }

    fn kind(name: &'static str, statements: usize) -> KindStatus {
        let statement = |n| StatementView {
            text: format!("SELECT \"{}\" FROM \"a table\" WHERE n = {n}", "x".repeat(300)).into(),
            example: "".into(),
            took: HistogramView { buckets: [1; 16], sum_micros: 1_500_000, longest_micros: 1 },
            failed: 0,
        };
        KindStatus {
            name,
            pools: vec![("both", PoolTallyView::default())],
            transactions: TransactionTallyView { ends: vec![("committed", 3)], ..TransactionTallyView::default() },
            statements: (0..statements).map(statement).collect(),
            slow: Vec::new(),
        }
    }

    /// `tenants` open databases, of which the first has a line before it.
    fn status(tenants: usize, statements: usize) -> (StorageStatus, OrganisationId) {
        let noisy = organisation();
        let others = (1..tenants).map(|_| database(Some(organisation()), 0));
        let status = StorageStatus {
            engine: Engine::PostgreSql,
            server: Some(ServerStatus { connections: 7, connections_max: 60, waiting: 0 }),
            replicas: Vec::new(),
            kept_on_primary: KeptOnPrimary::default(),
            system: kind("system", statements),
            tenants: kind("tenant", statements),
            open_tenants: tenants,
            open_tenants_max: tenants,
            open_tenants_waiting: 0,
            shortages: Vec::new(),
            shortages_counted: vec![("pool", 1)],
            suspicions: Vec::new(),
            suspicions_counted: vec![(SuspicionKind::IdleInHand, 2)],
            databases: [database(None, 0)].into_iter().chain(others).chain([database(Some(noisy), 5)]).collect(),
        };
        (status, noisy)
    }

    #[test]
    fn ten_thousand_organisations_take_no_more_series_than_fifty() {
        let (few, _) = status(50, STATEMENTS_MAX);
        let (many, noisy) = status(10_000, 1000);
        let text = render(Synthetic(many));
        let (few, many) = (series(&render(Synthetic(few))), series(&text));
        assert_eq!(few.len(), many.len());
        assert!(many.len() < 500, "{} series", many.len());
        assert!(text.len() < 100_000, "{} bytes", text.len());
        let of = |name: &str| format!("warren_database_organisation_waiting{{organisation=\"{name}\"}} ");
        assert!(text.contains(&format!("{}5\n", of(&noisy.to_string()))), "the busiest stands by itself");
        assert!(text.contains(&format!("{}0\n", of("other"))));
        let rest = 10_000 - ORGANISATIONS_MAX;
        assert!(text.contains(&format!("warren_database_organisation_active{{organisation=\"other\"}} {rest}\n")));
    }

    #[test]
    fn figures_are_written_as_prometheus_reads_them() {
        let text = render(Synthetic(status(3, 1).0));
        for line in [
            "# TYPE warren_database_connections gauge",
            "warren_database_connections{kind=\"tenant\",role=\"both\",state=\"active\"} 3",
            "warren_database_connections{kind=\"tenant\",role=\"both\",state=\"max\"} 24",
            "warren_database_waiting{kind=\"tenant\",role=\"both\"} 5",
            "warren_database_transactions_total{kind=\"system\",end=\"committed\"} 3",
            "warren_database_suspicions_total{kind=\"idle_in_hand\"} 2",
            "warren_database_server_connections{state=\"open\"} 7",
            "warren_database_wait_seconds_bucket{le=\"+Inf\",kind=\"system\",role=\"both\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        let statement = text.lines().find(|line| line.starts_with("warren_database_statement_seconds_total")).unwrap();
        assert!(statement.ends_with(" 1.5"), "{statement}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn three_hundred_organisations_within_sixty_four_places_are_counted() {
        let ground = Ground::of(Database::Sqlite).unwrap();
        let config = Config { open_tenants_max: 64, ..Config::new(ground.folder().to_owned()) };
        let databases = Databases::open(config, Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap();
        let mut sizes = BTreeSet::new();
        for n in 0..300 {
            let id = organisation();
            databases.create_tenant(id).await.unwrap();
            let tenant = databases.tenant_models(id).await.unwrap();
            tenant.networks().count().await.unwrap();
            databases.watch_once();
            if n >= 64 {
                sizes.insert(series(&render(DatabaseFigures(databases.clone()))).len());
            }
        }
        assert_eq!(sizes.len(), 1, "the number of series changes: {sizes:?}");
        let text = render(DatabaseFigures(databases.clone()));
        // Some of the places are those of databases that are just being closed.
        let open = text.lines().find_map(|line| line.strip_prefix("warren_database_open{state=\"open\"} ")).unwrap();
        assert!((1..=64).contains(&open.parse::<u32>().unwrap()), "{text}");
        // Counts outlive the closing of the databases that they were counted in.
        let read = "warren_database_use_seconds_count{kind=\"tenant\",role=\"read\"} 300";
        assert!(text.lines().any(|line| line == read), "{text}");
        assert!(text.contains("warren_database_connections{kind=\"tenant\",role=\"read\",state=\"active\"} 0\n"));
        databases.close().await;
    }
}
