//! Killed in the middle of writing, nothing acknowledged is lost and the next start is clean.

use std::{
    collections::HashSet,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use uuid::Uuid;
use warren_model::{
    OrganisationId,
    audit::{Action, Actor},
    page::PageRequest,
};
use warren_storage::AuditFilter;

use crate::world::*;

/// Names the folder that the storm writes to.
const FOLDER: &str = "WARREN_TEST_STORM_FOLDER";
const ACKNOWLEDGED: &str = "acknowledged ";

#[test]
fn a_killed_writer_loses_nothing_that_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut acknowledged: HashSet<(OrganisationId, Uuid)> = HashSet::new();
    for round in 0..6_u64 {
        acknowledged.extend(storm(folder.path(), Duration::from_millis(250 + round * 37)));
        runtime.block_on(async {
            let databases = open(folder.path()).await.expect("the start after a kill is clean");
            databases.discard_orphan_tenants().await.unwrap();
            let mut kept = HashSet::new();
            for organisation in databases.system_models().organisations().all_ids().await.unwrap() {
                let tenant = databases.tenant_models(organisation).await.expect("an organisation has its database");
                let mut cursor = None::<String>;
                loop {
                    let request = PageRequest::new(Some(200), cursor.as_deref()).unwrap();
                    let page = tenant.audit().page(&AuditFilter::default(), &request).await.unwrap();
                    kept.extend(page.items.iter().map(|entry| (organisation, entry.id.uuid())));
                    cursor = page.next_cursor;
                    if cursor.is_none() {
                        break;
                    }
                }
            }
            let lost: Vec<_> = acknowledged.difference(&kept).collect();
            assert!(lost.is_empty(), "round {round}: {} of {} lost", lost.len(), acknowledged.len());
            databases.close().await;
        });
    }
    assert!(acknowledged.len() > 50, "only {} were acknowledged: the storm hardly began", acknowledged.len());
}

/// Lets a child write for a while, kills it, and returns what it acknowledged.
fn storm(folder: &std::path::Path, duration: Duration) -> Vec<(OrganisationId, Uuid)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::the_storm", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let lines = BufReader::new(output).split(b'\n').map_while(Result::ok);
        let lines = lines.filter_map(|line| String::from_utf8(line).ok());
        lines.filter_map(|line| parse(line.split_once(ACKNOWLEDGED)?.1)).collect()
    });
    let end = Instant::now() + duration;
    while Instant::now() < end {
        assert!(child.try_wait().unwrap().is_none(), "the storm ended by itself");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

fn parse(line: &str) -> Option<(OrganisationId, Uuid)> {
    let (organisation, entry) = line.split_once(' ')?;
    // The last line may be cut short.
    (entry.len() == 36).then(|| Some((organisation.parse().ok()?, entry.parse().ok()?)))?
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child of a_killed_writer_loses_nothing_that_it_acknowledged, which starts and kills it"]
async fn the_storm() {
    let folder = std::env::var_os(FOLDER).expect("started by its parent only");
    let databases = open(folder.as_ref()).await.unwrap();
    databases.discard_orphan_tenants().await.unwrap();
    let writers = (0..6).map(|_| {
        let databases = databases.clone();
        tokio::spawn(async move {
            loop {
                let organisation = organisation(&format!("o{}", organisation_id().uuid().simple()));
                databases.create_tenant(organisation.id).await.unwrap();
                let system = databases.system_models();
                let insert = system.transaction(async |tx| tx.organisations().insert(&operate(), &organisation).await);
                insert.await.unwrap();
                let tenant = databases.tenant_models(organisation.id).await.unwrap();
                for _ in 0..20 {
                    let entry = entry(Action::DeviceEnrolled, Actor::System);
                    tenant.transaction(async |tx| tx.audit().append(&entry).await).await.unwrap();
                    let mut output = std::io::stdout().lock();
                    writeln!(output, "{ACKNOWLEDGED}{} {}", organisation.id, entry.id).unwrap();
                    output.flush().unwrap();
                }
            }
        })
    });
    futures_util::future::join_all(writers).await;
}
