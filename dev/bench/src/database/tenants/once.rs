//! The measurement itself.

use std::{
    collections::HashSet,
    fs::{self, File},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use tokio::task::JoinSet;
use warren_auth::{Authorized, permission::Operate};
use warren_model::{Clock, Organisation, OrganisationId, OrganisationState};
use warren_runtime::{SystemClock, SystemRandom};
use warren_storage::{Config, Databases};

use super::{Measured, Memory, migrations};
use crate::{figures::Times, page};

/// Organisations that are made, or asked, at once.
const AT_ONCE: usize = 8;
/// Cold openings that are timed, of each kind.
const OPENINGS: usize = 1000;
/// Neighbours in the order of opening stand far apart in that of making.
const STRIDE: usize = 7919;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    tenants: u32,
}

/// Measures, and prints a [`Measured`] as JSON.
///
/// # Errors
/// As [`super::run`].
#[expect(clippy::print_stdout, reason = "the process that started this one reads it")]
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let runtime = crate::database::runtime()?;
    println!("{}", serde_json::to_string(&runtime.block_on(measure(arguments.tenants))?)?);
    Ok(())
}

async fn measure(tenants: u32) -> anyhow::Result<Measured> {
    let folder = tempfile::tempdir()?;
    let config = Config::new(folder.path().to_owned());
    page::progress(&format!("making {tenants} organisations"));
    let (ids, created_per_second) = make(&config, tenants).await?;
    let size_bytes = size(folder.path(), &ids)?;
    // What is on the disk can be forgotten, and nothing of the making is left to be written.
    nix::unistd::sync();

    let databases = open(&config).await?;
    let before_bytes = memory("VmRSS:")?;
    page::progress("opening them");
    let (mut from_disk, mut from_cache) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    for at in 0..OPENINGS * 2 {
        let id = ids[at * STRIDE % ids.len()];
        let times = if at % 2 == 0 {
            forget(&file(folder.path(), id))?;
            &mut from_disk
        } else {
            // As it is after a first opening.
            File::open(file(folder.path(), id)).and_then(|mut file| std::io::copy(&mut file, &mut std::io::sink()))?;
            &mut from_cache
        };
        let is_cold = ids.len() > OPENINGS * 2 || seen.len() > config.open_tenants_max || seen.insert(id);
        let begun = Instant::now();
        touch(&databases, id).await?;
        if is_cold {
            times.push(begun.elapsed());
        }
    }
    page::progress("asking all of them");
    let begun = Instant::now();
    in_turn(&ids, |id| {
        let databases = databases.clone();
        async move { touch(&databases, id).await }
    })
    .await?;
    let touched_per_second = per_second(ids.len(), begun.elapsed());
    ensure!(databases.open_tenants() <= config.open_tenants_max, "more are open than may be");
    let memory = Memory { before_bytes, after_bytes: memory("VmRSS:")?, peak_bytes: memory("VmHWM:")? };
    databases.close().await;
    page::progress("migrating all of them");
    let migrations = migrations::measure(&config).await?;
    Ok(Measured {
        tenants,
        open_max: config.open_tenants_max,
        created_per_second,
        size_bytes,
        from_disk: from_disk.into_iter().collect::<Times>(),
        from_cache: from_cache.into_iter().collect::<Times>(),
        touched_per_second,
        memory,
        migrations,
    })
}

async fn open(config: &Config) -> anyhow::Result<Databases> {
    Ok(Databases::open(config.clone(), Arc::new(SystemClock), Arc::new(SystemRandom)).await?)
}

/// Makes organisations as the program does: a database, and then a row of the system's.
async fn make(config: &Config, tenants: u32) -> anyhow::Result<(Vec<OrganisationId>, f64)> {
    let databases = open(config).await?;
    let ids: Vec<_> = (0..tenants).map(|_| OrganisationId::generate(SystemClock.now(), &SystemRandom)).collect();
    let begun = Instant::now();
    in_turn(&ids, |id| {
        let databases = databases.clone();
        async move {
            databases.create_tenant(id).await?;
            let organisation = Organisation {
                id,
                slug: format!("o{}", id.uuid().simple()).parse()?,
                name: "An organisation".parse()?,
                state: OrganisationState::Active,
                created_at: SystemClock.now(),
                revision: 1,
            };
            let operate: Authorized<Operate> = Authorized::for_installation();
            let system = databases.system_models();
            system.transaction(async |tx| tx.organisations().insert(&operate, &organisation).await).await?;
            Ok(())
        }
    })
    .await?;
    let rate = per_second(ids.len(), begun.elapsed());
    databases.close().await;
    Ok((ids, rate))
}

/// Opens the database of `id` if it is not, and runs one statement.
async fn touch(databases: &Databases, id: OrganisationId) -> anyhow::Result<()> {
    databases.tenant_models(id).await?.networks().count().await?;
    Ok(())
}

/// Does `work` for all, so many at once.
async fn in_turn<F: Future<Output = anyhow::Result<()>> + Send + 'static>(
    ids: &[OrganisationId],
    work: impl Fn(OrganisationId) -> F,
) -> anyhow::Result<()> {
    let mut under_way = JoinSet::new();
    for id in ids {
        if under_way.len() >= AT_ONCE
            && let Some(done) = under_way.join_next().await
        {
            done.context("a task panicked")??;
        }
        under_way.spawn(work(*id));
    }
    while let Some(done) = under_way.join_next().await {
        done.context("a task panicked")??;
    }
    Ok(())
}

/// Makes the kernel forget what is in `file`, so that it is read from the disk again.
fn forget(file: &Path) -> anyhow::Result<()> {
    let file = File::open(file)?;
    posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
    Ok(())
}

fn size(folder: &Path, ids: &[OrganisationId]) -> anyhow::Result<u64> {
    ids.iter().map(|id| Ok(fs::metadata(file(folder, *id))?.len())).sum()
}

fn file(folder: &Path, id: OrganisationId) -> PathBuf {
    folder.join("tenants").join(format!("{id}.sqlite"))
}

fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// A figure of this process's memory, by its name in `/proc/self/status`.
fn memory(name: &str) -> anyhow::Result<u64> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).context("the kernel tells no such figure")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024)
}
