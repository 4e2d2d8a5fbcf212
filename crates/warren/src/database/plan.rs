//! `warren db plan`: the SQL that migrating or rolling back would run.

use std::fmt::Write;

use clap::Args;
use warren_app::maintenance::{MigrationPhase, PlannedMigration};
use warren_model::OrganisationSlug;

use super::stopped::{Held, StoppedInstallation};
use crate::{Failure, manage};

/// Databases that are looked at together.
const PARALLEL: usize = 4;

/// Print what would be run.
#[derive(Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    installation: StoppedInstallation,
    /// Of rolling the last so many migrations back, of the system database or of the organisation that is named.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..), value_name = "NUMBER")]
    rollback: Option<u16>,
    /// With --rollback: of this organisation's database.
    #[arg(long, requires = "rollback", value_name = "SLUG")]
    organisation: Option<OrganisationSlug>,
}

impl Plan {
    pub async fn run(self) -> Result<(), Failure> {
        let held = self.installation.hold().await?;
        let Some(migrations) = self.rollback else { return manage::print(upwards(&held).await?.trim_end()) };
        let (of, whose) = match &self.organisation {
            Some(slug) => (Some(held.organisation(slug).await?), format!("Rolling the database of {slug} back")),
            None => (None, "Rolling the system database back".to_owned()),
        };
        let planned = held.maintenance.plan_down(of, usize::from(migrations)).await?;
        manage::print(described(&whose, &planned).trim_end())
    }
}

/// The system database, then the organisations' databases, those alike together.
async fn upwards(held: &Held) -> Result<String, Failure> {
    let status = held.maintenance.look(PARALLEL).await?;
    let planned = held.maintenance.plan_up(None, &status.system.migrations?);
    let mut text = described("The system database", &planned);
    let (mut alike, mut unread) = (Vec::<(Vec<PlannedMigration>, usize)>::new(), Vec::new());
    for tenant in &status.tenants {
        let views = match &tenant.schema.migrations {
            Ok(views) => views,
            Err(error) => {
                unread.push(format!("-- {} cannot be read: {error}\n", tenant.organisation.slug));
                continue;
            }
        };
        let planned = held.maintenance.plan_up(Some(tenant.organisation.id), views);
        match alike.iter_mut().find(|(known, _)| *known == planned) {
            Some((_, count)) => *count += 1,
            None => alike.push((planned, 1)),
        }
    }
    for (planned, count) in alike {
        text.push_str(&described(&format!("{count} organisations' databases"), &planned));
    }
    Ok(text + &unread.concat())
}

fn described(whose: &str, planned: &[PlannedMigration]) -> String {
    let mut text = format!("-- {whose}");
    if planned.is_empty() {
        return text + ": nothing to do\n\n";
    }
    text.push('\n');
    for migration in planned {
        let note = match migration.phase {
            MigrationPhase::Expand => "expand: programs of the version before go on working",
            MigrationPhase::Contract => "contract: a rollback restores the shape of what it removes, not the data",
        };
        let _ = writeln!(text, "-- {} ({note})", migration.name);
        for loss in &migration.losses {
            let _ = writeln!(text, "-- lost: {loss}");
        }
        for statement in &migration.statements {
            let _ = writeln!(text, "{statement};");
        }
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_the_phase_and_what_is_lost() {
        let planned = PlannedMigration {
            name: "m0009_less",
            phase: MigrationPhase::Contract,
            statements: vec!["ALTER TABLE x ADD COLUMN y TEXT".into()],
            losses: vec!["x.y comes back empty".into()],
        };
        assert_eq!(
            described("Rolling the system database back", &[planned]),
            "-- Rolling the system database back\n-- m0009_less (contract: a rollback restores the shape of what it removes, not \
             the data)\n-- lost: x.y comes back empty\nALTER TABLE x ADD COLUMN y TEXT;\n\n"
        );
        assert_eq!(described("The system database", &[]), "-- The system database: nothing to do\n\n");
    }
}
