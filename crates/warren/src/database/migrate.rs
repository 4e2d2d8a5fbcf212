//! `warren db migrate`: brings all databases to this version's schema.

use std::{str::FromStr, time::Instant};

use clap::Args;
use warren_app::maintenance::{
    Direction, PARALLEL_MAX, Progress, RolloutOptions, RolloutReport, StopAfter, Stopped, TenantOutcome,
};
use warren_model::OrganisationSlug;

use super::stopped::{Held, StoppedInstallation};
use crate::{Failure, manage};

/// Organisations between two lines about how far it is.
const TOLD_EVERY: usize = 500;
/// Failures that are told one by one.
const FAILURES_TOLD_MAX: usize = 20;

/// Bring all databases to this version's schema.
#[derive(Debug, Args)]
pub struct Migrate {
    #[command(flatten)]
    installation: StoppedInstallation,
    #[command(flatten)]
    stages: Stages,
}

/// How it goes over all organisations.
#[derive(Debug, Clone, Args)]
pub struct Stages {
    /// The organisation that goes first, alone; by default the oldest one that is not suspended.
    #[arg(long, value_name = "SLUG")]
    canary: Option<OrganisationSlug>,
    /// How many of a hundred organisations go next, before the rest.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=100), value_name = "NUMBER")]
    percent: u8,
    /// Databases that are worked on at once.
    #[arg(long, default_value_t = 8, value_parser = parallel, value_name = "NUMBER")]
    parallel: usize,
    /// Stop once so many organisations failed, as 3, or as 5% of all.
    #[arg(long, default_value = "3", value_name = "NUMBER")]
    stop_after_failures: Threshold,
}

/// How many failures stop it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Threshold(StopAfter);

impl FromStr for Threshold {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "write a number from 1, as 3, or a share of all organisations, as 5%";
        let stop = match text.strip_suffix('%') {
            Some(percent) => StopAfter::Percent(percent.parse().map_err(|_| EXPECTED)?),
            None => StopAfter::Failures(text.parse().map_err(|_| EXPECTED)?),
        };
        match stop {
            StopAfter::Failures(0) | StopAfter::Percent(0 | 101..) => Err(EXPECTED),
            stop => Ok(Self(stop)),
        }
    }
}

fn parallel(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=PARALLEL_MAX).contains(number));
    number.ok_or_else(|| format!("write a number from 1 to {PARALLEL_MAX}"))
}

impl Migrate {
    pub async fn run(self) -> Result<(), Failure> {
        let held = self.installation.hold().await?;
        // Before anything is changed: a canary that is not there is a mistake.
        let options = self.stages.options(&held).await?;
        let applied = held.maintenance.migrate_system().await?;
        manage::print(format!("System database: {}", what_was_done("applied", &applied)))?;
        roll_out(&held, Direction::Up, &options).await
    }
}

impl Stages {
    /// The options, with the canary looked up.
    ///
    /// # Errors
    /// [`Failure::NotFound`]
    pub async fn options(&self, held: &Held) -> Result<RolloutOptions, Failure> {
        let canary = match &self.canary {
            Some(slug) => Some(held.organisation(slug).await?),
            None => None,
        };
        let (percent, parallel) = (self.percent, self.parallel);
        Ok(RolloutOptions { canary, percent, parallel, stop_after: self.stop_after_failures.0 })
    }
}

/// Goes over all organisations and tells how it goes.
///
/// # Errors
/// [`Failure::Unfinished`] when not all were done.
pub async fn roll_out(held: &Held, direction: Direction, options: &RolloutOptions) -> Result<(), Failure> {
    let (begun, mut unprinted, mut failures) = (Instant::now(), Ok(()), 0);
    let done = if direction == Direction::Up { "applied" } else { "rolled back" };
    let progress = |progress: Progress<'_>| {
        let line = match progress {
            Progress::Stage(stage, organisations) => format!("Stage {}: {organisations} organisations", stage.as_str()),
            Progress::Tenant { slug, outcome: TenantOutcome::Failed(error), .. } => {
                failures += 1;
                if failures > FAILURES_TOLD_MAX {
                    return;
                }
                format!("  {slug}: {error}")
            }
            Progress::Tenant { ended, organisations, .. } if ended % TOLD_EVERY == 0 => {
                format!("  {ended} of {organisations}")
            }
            Progress::Tenant { slug, outcome: TenantOutcome::Changed(names), organisations, .. }
                if organisations <= FAILURES_TOLD_MAX =>
            {
                format!("  {slug}: {}", what_was_done(done, names))
            }
            Progress::Tenant { .. } => return,
        };
        if let Err(error) = manage::print(line) {
            unprinted = Err(error);
        }
    };
    let report = held.maintenance.roll_out(direction, options, progress).await?;
    unprinted?;
    manage::print(format!("{} ({:.1} s)", summary(&report, direction), begun.elapsed().as_secs_f64()))?;
    if report.failed.is_empty() && report.not_begun() == 0 { Ok(()) } else { Err(unfinished(&report)) }
}

fn summary(report: &RolloutReport, direction: Direction) -> String {
    let done = if direction == Direction::Up { "migrated" } else { "rolled back" };
    let mut parts = vec![format!("{} {done}", report.changed), format!("{} with nothing to do", report.current)];
    if !report.failed.is_empty() {
        parts.push(format!("{} failed", report.failed.len()));
    }
    if report.not_begun() > 0 {
        parts.push(format!("{} not begun", report.not_begun()));
    }
    format!("{} organisations: {}", report.organisations, parts.join(", "))
}

fn unfinished(report: &RolloutReport) -> Failure {
    let why = match report.stopped {
        Some(Stopped::CanaryFailed) => "the canary failed, and nobody else was touched",
        Some(Stopped::TooManyFailed) => "too many failed, and the others were left as they were",
        None => "some failed",
    };
    Failure::Unfinished(format!(
        "{why}; see what failed with: warren db schema. Mend it, then run the same command again: what is done stays done"
    ))
}

/// `m0002_x applied`, or that there was nothing to do.
pub fn what_was_done(done: &str, names: &[&str]) -> String {
    if names.is_empty() { "nothing to do".to_owned() } else { format!("{} {done}", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_a_number_or_a_share() {
        assert_eq!("3".parse(), Ok(Threshold(StopAfter::Failures(3))));
        assert_eq!("5%".parse(), Ok(Threshold(StopAfter::Percent(5))));
        for wrong in ["0", "0%", "101%", "-1", "many", "", "%"] {
            assert!(wrong.parse::<Threshold>().unwrap_err().contains("as 5%"), "{wrong}");
        }
    }

    #[test]
    fn as_many_at_once_as_there_may_be() {
        assert_eq!(parallel("64"), Ok(64));
        assert!(parallel("0").unwrap_err().contains("from 1 to 64"));
        parallel("65").unwrap_err();
    }
}
