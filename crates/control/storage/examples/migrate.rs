//! Times a rollout over many organisations: `cargo run --release -p warren-storage --example migrate -- 10000 4`, for so many
//! organisations, so many at once.
#![expect(clippy::print_stdout, reason = "the measurements are its output")]

use std::{error::Error, sync::Arc, time::Instant};

use sea_orm::sea_query::{ColumnDef, Index};
use warren_auth::{Authorized, permission::Operate};
use warren_model::{Clock, Organisation, OrganisationId, OrganisationState};
use warren_runtime::{SystemClock, SystemRandom};
use warren_schema::migrations::{Migration, Phase, Step};
use warren_storage::{Config, Databases, Direction, Losses, Maintenance, RolloutOptions, Schema};

/// A column and an index, as many releases bring them.
const NEXT: Migration = Migration { name: "m9000_next", phase: Phase::Expand, steps };

fn steps() -> Vec<Step> {
    let name = "devices_note".to_owned();
    let statement = Index::create().name(&name).table("devices").col("note").take();
    vec![
        Step::AddColumn { table: "devices", column: ColumnDef::new("note").string_len(40).null().take() },
        Step::CreateIndex { table: "devices", name, statement },
    ]
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let number = |at: usize, usual: usize| std::env::args().nth(at).map_or(Ok(usual), |text| text.parse());
    let (organisations, parallel) = (number(1, 1000)?, number(2, RolloutOptions::default().parallel)?);
    let folder = tempfile::tempdir()?;
    let config = Config::new(folder.path().to_owned());
    make(&config, organisations).await?;

    let tenant = [Schema::OF_THIS_BUILD.tenant, &[NEXT]].concat().leak();
    let config = Config { schema: Schema { tenant, ..Schema::OF_THIS_BUILD }, ..config };
    let maintenance = Maintenance::new(&config, Arc::new(SystemClock), Arc::new(SystemRandom));
    let options = RolloutOptions { parallel, ..RolloutOptions::default() };
    let back = Direction::Down { migrations: 1, losses: Losses::Refused };
    for (what, direction) in [
        ("migrated", Direction::Up),
        ("found to be done", Direction::Up),
        ("rolled back", back),
        ("migrated again", Direction::Up),
    ] {
        let begun = Instant::now();
        let report = maintenance.roll_out(direction, &options, |_| ()).await?;
        assert!(report.failed.is_empty() && report.not_begun() == 0, "{report:?}");
        tell(what, organisations, begun);
    }
    let begun = Instant::now();
    maintenance.look(parallel).await?;
    tell("looked at", organisations, begun);
    Ok(())
}

fn tell(what: &str, organisations: usize, begun: Instant) {
    let seconds = begun.elapsed().as_secs_f64();
    let rate = f64::from(u32::try_from(organisations).unwrap_or(u32::MAX)) / seconds;
    println!("{organisations} databases {what} in {seconds:.2} s: {rate:.0} a second");
}

async fn make(config: &Config, organisations: usize) -> Result<(), Box<dyn Error>> {
    let databases = Databases::open(config.clone(), Arc::new(SystemClock), Arc::new(SystemRandom)).await?;
    let operate: Authorized<Operate> = Authorized::for_installation();
    let begun = Instant::now();
    for at in 0..organisations {
        let organisation = Organisation {
            id: OrganisationId::generate(SystemClock.now(), &SystemRandom),
            slug: format!("o{at}").parse()?,
            name: "An organisation".parse()?,
            state: OrganisationState::Active,
            created_at: SystemClock.now(),
            revision: 1,
        };
        databases.create_tenant(organisation.id).await?;
        let system = databases.system_models();
        system.transaction(async |tx| tx.organisations().insert(&operate, &organisation).await).await?;
    }
    tell("made", organisations, begun);
    databases.close().await;
    Ok(())
}
