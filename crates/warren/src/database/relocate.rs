//! `warren db move`: all databases to another place, or back.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use warren_app::moving::{self, MoveProgress, MoveProgressView, Moved, Relocation};
use warren_runtime::{SystemClock, lock::FolderLock};

use super::{
    DatabaseOptions,
    target::{Goal, Target},
};
use crate::{
    Failure, folder,
    manage::{self, Confirmation},
};

/// How often it tells how far it is.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// Moves the databases of an installation that does not run.
#[derive(Debug, Args)]
pub struct Relocate {
    /// The data folder of the installation, which stays, and with it the sealing key.
    #[arg(long, env = "WARREN_DATA", default_value = folder::DEFAULT, value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    from: DatabaseOptions,
    #[command(flatten)]
    to: Target,
    #[command(flatten)]
    confirmation: Confirmation,
}

impl Relocate {
    pub async fn run(self) -> Result<(), Failure> {
        let data = fs::canonicalize(&self.data).map_err(|source| Failure::Io {
            doing: "find the data folder",
            path: self.data.clone(),
            source,
        })?;
        // Warren itself holds it while it runs.
        let _lock = FolderLock::acquire(&data)?;
        let source = self.from.standing(&data)?;
        let Some(goal) = self.to.goal(&data)? else {
            self.confirmation.ask(
                "Use the databases here again? What was written where they were moved to since is not in them. Go on?",
            )?;
            let left = moving::back_out(&source).await?;
            return manage::print(format!(
                "These databases are used again, as they were when they were moved to {left}. Never run Warren at both \
                 places: drop what is there, or keep it as a record."
            ));
        };
        let Goal { standing, said } = goal;
        let relocation = moving::relocation(&data, source, standing)?;
        self.confirmation.ask(&format!(
            "Move all databases of the installation in {} now? They are not changed before everything has arrived. Go on?",
            data.display()
        ))?;
        let moved = watched(&relocation).await?;
        manage::print(summary(
            &moved,
            &format!("warren up --data '{}'{said}", data.display()),
            &data.display().to_string(),
        ))
    }
}

/// Moves, and tells how far it is.
async fn watched(relocation: &Relocation) -> Result<Moved, Failure> {
    let progress = Arc::new(MoveProgress::default());
    let moving = relocation.run(Arc::new(SystemClock), &progress);
    tokio::pin!(moving);
    let mut before = progress.view();
    let mut beats = tokio::time::interval(TELL_EVERY);
    beats.tick().await;
    loop {
        tokio::select! {
            moved = &mut moving => return Ok(moved?),
            _ = beats.tick() => {
                let now = progress.view();
                manage::print(line(&before, &now))?;
                before = now;
            }
        }
    }
}

fn line(before: &MoveProgressView, now: &MoveProgressView) -> String {
    let rows = |copied: u64, compared: u64| copied + compared;
    let lately = rows(now.rows_copied, now.rows_compared) - rows(before.rows_copied, before.rows_compared);
    format!(
        "{} of {} databases, {} rows copied, {} compared, {} rows a second",
        now.moved + now.unchanged,
        now.databases,
        now.rows_copied,
        now.rows_compared,
        lately / TELL_EVERY.as_secs()
    )
}

fn summary(moved: &Moved, up: &str, data: &str) -> String {
    let seconds = moved.took.as_secs_f64().max(0.001);
    let earlier = match moved.unchanged {
        0 => String::new(),
        count => format!(" ({count} of them by an earlier run)"),
    };
    format!(
        "{} databases{earlier} are at {} now, each row compared: {} rows in {seconds:.1} s, {:.0} a second.\n\nFrom now on \
         start Warren with:\n\n  {up}\n\nThe sealing key stays where it is, in {data}: without it the databases cannot be \
         read. Gateways and devices notice nothing. What is left at {} is not used any more; remove it once you are sure, \
         or go back to it with: warren db move --back-out",
        moved.databases,
        moved.to,
        moved.rows,
        moved.rows as f64 / seconds,
        moved.from,
    )
}
