//! A migration rolled out over all organisations, found to be done, and rolled back.

use std::{sync::Arc, time::Instant};

use anyhow::ensure;
use sea_orm::sea_query::{ColumnDef, Index};
use serde::{Deserialize, Serialize};
use warren_runtime::{SystemClock, SystemRandom};
use warren_schema::migrations::{Migration, Phase, Step};
use warren_storage::{Config, Direction, Losses, Maintenance, RolloutOptions, Schema};

/// Databases a second.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Rates {
    pub up: f64,
    /// Where there is nothing to do.
    pub current: f64,
    pub down: f64,
    pub parallel: usize,
}

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

/// Migrates the databases where `config` says, which nobody works with.
///
/// # Errors
/// When one is not migrated.
pub async fn measure(config: &Config) -> anyhow::Result<Rates> {
    let tenant = [Schema::OF_THIS_BUILD.tenant, &[NEXT]].concat().leak();
    let config = Config { schema: Schema { tenant, ..Schema::OF_THIS_BUILD }, ..config.clone() };
    let maintenance = Maintenance::new(&config, Arc::new(SystemClock), Arc::new(SystemRandom));
    let options = RolloutOptions::default();
    let rate = async |direction| {
        let begun = Instant::now();
        let report = maintenance.roll_out(direction, &options, |_| ()).await?;
        ensure!(report.failed.is_empty() && report.not_begun() == 0, "a migration failed: {:?}", report.failed.first());
        Ok(report.organisations as f64 / begun.elapsed().as_secs_f64())
    };
    Ok(Rates {
        up: rate(Direction::Up).await?,
        current: rate(Direction::Up).await?,
        down: rate(Direction::Down { migrations: 1, losses: Losses::Refused }).await?,
        parallel: options.parallel,
    })
}
