//! `warren db seed`: believable data in the databases of an installation that does not run.

use std::{path::PathBuf, sync::Arc, time::Instant};

use clap::{Args, ValueEnum};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use warren_app::{
    App,
    seed::{self, Ground, Planted, Profile, Request, SeedError, Sizes},
};
use warren_model::Clock as _;
use warren_runtime::{
    SystemClock, SystemRandom, files,
    lock::{FolderLock, LockError},
};

use super::DatabaseOptions;
use crate::{Failure, folder, manage};

/// Believable data.
#[derive(Debug, Args)]
pub struct Seed {
    /// What they are for: demo is small and pleasant to look at, load is large.
    #[arg(long, value_enum, default_value_t = ProfileChoice::Demo)]
    profile: ProfileChoice,
    /// The data folder; made when it is not there. Warren must not be running on it.
    #[arg(long, env = "WARREN_DATA", default_value = folder::DEFAULT, value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    database: DatabaseOptions,
    /// How many organisations.
    #[arg(long, value_name = "NUMBER")]
    organisations: Option<u32>,
    /// How many people in each organisation.
    #[arg(long, value_name = "NUMBER")]
    people: Option<u32>,
    /// How many networks in each organisation.
    #[arg(long, value_name = "NUMBER")]
    networks: Option<u32>,
    /// How many devices in each organisation.
    #[arg(long, value_name = "NUMBER")]
    devices: Option<u32>,
    /// How many days the history goes back.
    #[arg(long, value_name = "NUMBER")]
    days: Option<u32>,
    /// The same seed, sizes and --until make the same data.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,
    /// The moment that the history ends at, as 2026-11-21T12:00:00Z; by default now.
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    until: Option<OffsetDateTime>,
    /// Add to an installation that has organisations already.
    #[arg(long)]
    add: bool,
}

/// The profiles, as they are said.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ProfileChoice {
    Demo,
    Load,
}

fn moment(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|error| format!("{error}; write it as 2026-11-21T12:00:00Z"))
}

impl Seed {
    pub async fn run(self) -> Result<(), Failure> {
        files::ensure_private_dir(&self.data)?;
        let data = std::fs::canonicalize(&self.data);
        let data = data.map_err(|source| Failure::Io { doing: "find", path: self.data.clone(), source })?;
        let _lock = FolderLock::acquire(&data).map_err(|error| match error {
            LockError::Held { folder, pid } => Failure::InUse { folder, pid },
            error @ LockError::Io { .. } => error.into(),
        })?;
        let standing = self.database.standing(&data)?;
        let config = warren_app::Config::new(data, "https://vpn.example.org".to_owned()).on(standing);
        let app = App::build(config, Arc::new(SystemClock), Arc::new(SystemRandom)).await?;
        let begun = Instant::now();
        let planted = seed::plant(&app, &self.request(), &SystemRandom).await;
        let took = begun.elapsed();
        app.close().await;
        let planted = planted.map_err(failed)?;
        manage::print(told(&planted, took.as_secs_f64()))
    }

    fn request(&self) -> Request {
        let profile = match self.profile {
            ProfileChoice::Demo => Profile::Demo,
            ProfileChoice::Load => Profile::Load,
        };
        let usual = Sizes::of(profile);
        let sizes = Sizes {
            organisations: self.organisations.unwrap_or(usual.organisations),
            people: self.people.unwrap_or(usual.people),
            networks: self.networks.unwrap_or(usual.networks),
            devices: self.devices.unwrap_or(usual.devices),
            days: self.days.unwrap_or(usual.days),
        };
        let until = self.until.unwrap_or_else(|| SystemClock.now());
        let ground = if self.add { Ground::Used } else { Ground::Fresh };
        Request { profile, sizes, seed: self.seed, until, ground }
    }
}

fn failed(error: SeedError) -> Failure {
    match error {
        SeedError::Size { .. } | SeedError::NoNetwork | SeedError::NoRoom => Failure::Usage(error.to_string()),
        SeedError::Used { .. } => Failure::Refused(error.to_string()),
        SeedError::App(_) | SeedError::Storage(_) => Failure::start("seed the databases", error),
    }
}

fn told(planted: &Planted, seconds: f64) -> String {
    let rows = planted.devices + planted.people + planted.entries;
    let mut lines = vec![
        format!(
            "{} organisations, {} people, {} networks, {} devices and {} entries of history in {seconds:.1} s ({:.0} rows a second).",
            planted.organisations,
            planted.people,
            planted.networks,
            planted.devices,
            planted.entries,
            (rows + planted.devices) as f64 / seconds.max(0.001),
        ),
        String::new(),
        format!("Everybody signs in with this password, which is not shown again:  {}", planted.password),
        String::new(),
    ];
    if let Some(operator) = &planted.operator {
        lines.push(format!("  {operator}  (operator)"));
    }
    lines.extend(planted.admins.iter().map(|(organisation, email)| format!("  {email}  (admin of {organisation})")));
    lines.extend([
        String::new(),
        "Use it to try Warren, not for traffic that matters: the keys of its networks follow from the seed.".to_owned(),
    ]);
    lines.join("\n")
}
