//! `warren activity`: the audit trail of an organisation, or of the installation.

use clap::Args;
use warren_wire::rest::v1::{ActivityEntry, Person};

use super::{console::ListOptions, format, lookup, scope::Scope, table::Table};
use crate::Failure;

/// The audit trail.
#[derive(Debug, Args)]
pub struct Activity {
    #[command(flatten)]
    scope: Scope,
    /// What concerns the installation as a whole, instead of one organisation.
    #[arg(long, conflicts_with_all = ["organisation", "actor", "action"])]
    installation: bool,
    /// Only what this person did: a name, an e-mail address or an identifier.
    #[arg(long, value_name = "PERSON")]
    actor: Option<String>,
    /// Only this action, as `device.enrolled`.
    #[arg(long)]
    action: Option<String>,
    #[command(flatten)]
    list: ListOptions,
}

impl Activity {
    pub async fn run(self) -> Result<(), Failure> {
        const EMPTY: &str = "Nothing has happened yet.";
        if self.installation {
            return self.scope.reach.console().list("/api/v1/activity", &[], &self.list, table, EMPTY).await;
        }
        let (console, organisation) = self.scope.enter().await?;
        let mut query = Vec::new();
        if let Some(given) = &self.actor {
            let id = lookup::find::<Person>(&console, &format!("{organisation}/people"), &[], given).await?;
            query.push(("actor", id.to_string()));
        }
        query.extend(self.action.iter().map(|action| ("action", action.clone())));
        console.list(&format!("{organisation}/activity"), &query, &self.list, table, EMPTY).await
    }
}

fn table(items: &[ActivityEntry]) -> Table {
    Table::new(&["WHEN", "WHO", "WHAT", "ON", "CHANGES", "FROM", "REQUEST"]).rows(items, |entry| {
        let actor = if entry.actor.name.is_empty() { &entry.actor.kind } else { &entry.actor.name };
        let changes = entry.changes.iter().map(|change| {
            let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".into());
            format!("{}: {} → {}", change.field, value(&change.before), value(&change.after))
        });
        vec![
            format::moment(Some(entry.at)),
            actor.clone(),
            entry.action.clone(),
            entry.subject_name.clone(),
            changes.collect::<Vec<_>>().join("; "),
            entry.source.clone(),
            entry.request_id.to_string(),
        ]
    })
}
