//! `warren db schema`: how each database stands to this version's schema.

use clap::Args;
use warren_app::maintenance::{
    MigrationState, MigrationView, StorageError, TenantMigration, TenantMigrationState, TenantSchema,
};

use super::stopped::StoppedInstallation;
use crate::{Failure, manage};

/// Databases that are looked at together.
const PARALLEL: usize = 4;

/// Tell how each database stands to this version's schema.
#[derive(Debug, Args)]
pub struct Schema {
    #[command(flatten)]
    installation: StoppedInstallation,
    /// List the organisations too whose databases are up to date.
    #[arg(long)]
    all: bool,
}

impl Schema {
    pub async fn run(self) -> Result<(), Failure> {
        let held = self.installation.hold().await?;
        let status = held.maintenance.look(PARALLEL).await?;
        let mut lines = vec![format!("System database {}: {}", status.system.place, told(&status.system.migrations))];
        let (current, others): (Vec<_>, Vec<_>) = status.tenants.iter().partition(|tenant| is_current(tenant));
        lines.push(format!(
            "{} organisations: {} up to date, {} not",
            status.tenants.len(),
            current.len(),
            others.len()
        ));
        let listed = if self.all { status.tenants.iter().collect() } else { others };
        lines.extend(listed.into_iter().map(line));
        manage::print(lines.join("\n"))
    }
}

fn is_current(tenant: &TenantSchema) -> bool {
    let failed = tenant.noted.as_ref().is_some_and(|note| note.state == TenantMigrationState::Failed);
    let views = tenant.schema.migrations.as_ref();
    !failed && views.is_ok_and(|views| views.iter().all(|view| view.state == MigrationState::Applied))
}

fn line(tenant: &TenantSchema) -> String {
    let last = tenant.noted.as_ref().and_then(last_attempt).map_or_else(String::new, |last| format!("\n    {last}"));
    format!("  {}: {}{last}", tenant.organisation.slug, told(&tenant.schema.migrations))
}

/// What is noted, where it is more than the database tells by itself.
fn last_attempt(note: &TenantMigration) -> Option<String> {
    let attempts = if note.attempts == 1 { "one attempt".to_owned() } else { format!("{} attempts", note.attempts) };
    match note.state {
        TenantMigrationState::Failed => {
            Some(format!("failed after {attempts}: {}", note.error.as_deref().unwrap_or_default()))
        }
        TenantMigrationState::Running => Some(format!("the last of {attempts} was cut off")),
        TenantMigrationState::Pending | TenantMigrationState::Done => None,
    }
}

fn told(migrations: &Result<Vec<MigrationView>, StorageError>) -> String {
    let views = match migrations {
        Ok(views) => views,
        Err(error) => return format!("cannot be read: {error}"),
    };
    let mut parts: Vec<String> = Vec::new();
    for view in views {
        parts.push(match view.state {
            MigrationState::Applied => continue,
            MigrationState::Pending => format!("{} pending", view.name),
            MigrationState::Interrupted { steps_done, steps } => {
                format!("{} interrupted after {steps_done} of {steps} steps", view.name)
            }
            MigrationState::Changed => format!("{} was applied in another form", view.name),
            MigrationState::Unknown => format!("{} is of a later version", view.name),
        });
    }
    if parts.is_empty() {
        let latest = views.last().map_or("nothing", |view| view.name.as_str());
        return format!("up to date ({latest})");
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_is_told_in_words() {
        let view = |name: &str, state| MigrationView { name: name.into(), phase: None, state };
        let views = vec![
            view("m0001_tenant", MigrationState::Applied),
            view("m0002_more", MigrationState::Interrupted { steps_done: 2, steps: 5 }),
            view("m0003_less", MigrationState::Pending),
        ];
        assert_eq!(told(&Ok(views[..1].to_vec())), "up to date (m0001_tenant)");
        assert_eq!(told(&Ok(views)), "m0002_more interrupted after 2 of 5 steps, m0003_less pending");
    }
}
