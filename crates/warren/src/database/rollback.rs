//! `warren db rollback`: undoes the latest migrations, before an earlier version is started again.

use clap::Args;
use warren_app::maintenance::{Direction, Losses, MigrationState, MigrationView};
use warren_model::{OrganisationId, OrganisationSlug};

use super::{
    migrate::{Stages, roll_out, what_was_done},
    stopped::{Held, StoppedInstallation},
};
use crate::{
    Failure,
    manage::{self, Confirmation},
};

/// Undo the latest migrations.
#[derive(Debug, Args)]
pub struct Rollback {
    #[command(flatten)]
    installation: StoppedInstallation,
    #[command(flatten)]
    which: Which,
    /// How many migrations.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..), value_name = "NUMBER")]
    last: u16,
    /// Go on though data is lost by it; see with `warren db plan` which.
    #[arg(long)]
    accept_loss: bool,
    #[command(flatten)]
    stages: Stages,
    #[command(flatten)]
    confirmation: Confirmation,
}

/// Whose database.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// The system database; after those of the organisations.
    #[arg(long)]
    system: bool,
    /// The database of one organisation.
    #[arg(long, value_name = "SLUG")]
    organisation: Option<OrganisationSlug>,
    /// The databases of all organisations, in the same stages as they are migrated in.
    #[arg(long)]
    all_organisations: bool,
}

impl Rollback {
    pub async fn run(self) -> Result<(), Failure> {
        let held = self.installation.hold().await?;
        let migrations = usize::from(self.last);
        let losses = if self.accept_loss { Losses::Accepted } else { Losses::Refused };
        let of = match &self.which.organisation {
            Some(slug) => Some(held.organisation(slug).await?),
            None => None,
        };
        self.refuse_the_first(&held, of).await?;
        let whose = match &self.which.organisation {
            Some(slug) => format!("the database of {slug}"),
            None if self.which.system => "the system database".to_owned(),
            None => "the databases of all organisations".to_owned(),
        };
        self.confirmation.ask(&format!("Roll the last {migrations} migrations of {whose} back?"))?;
        if self.which.all_organisations {
            let options = self.stages.options(&held).await?;
            return roll_out(&held, Direction::Down { migrations, losses }, &options).await;
        }
        let names = held.maintenance.roll_back(of, migrations, losses).await?;
        manage::print(what_was_done("rolled back", &names))
    }

    /// The first migration is the database itself: without it there would be nothing to go back to.
    async fn refuse_the_first(&self, held: &Held, of: Option<OrganisationId>) -> Result<(), Failure> {
        let status = held.maintenance.look(1).await?;
        let had = |views: &[MigrationView]| views.iter().filter(|view| view.state != MigrationState::Pending).count();
        let fewest = if self.which.system {
            status.system.migrations.as_deref().map(had).ok()
        } else {
            let meant = status.tenants.iter().filter(|tenant| of.is_none_or(|id| tenant.organisation.id == id));
            meant.filter_map(|tenant| tenant.schema.migrations.as_deref().map(had).ok()).min()
        };
        match fewest {
            Some(fewest) if fewest <= usize::from(self.last) => Err(Failure::Refused(format!(
                "that would undo the first migration too, and with it everything: at most {} can be rolled back",
                fewest.saturating_sub(1)
            ))),
            _ => Ok(()),
        }
    }
}
