//! The audit trail.

use warren_model::audit::{Actor, AuditEntry, Source};
use warren_wire::rest::v1;

pub fn entry(entry: &AuditEntry) -> v1::ActivityEntry {
    let changes = entry.changes.iter().map(|change| v1::ActivityChange {
        field: change.field.clone(),
        before: change.before.clone(),
        after: change.after.clone(),
    });
    v1::ActivityEntry {
        id: entry.id.uuid(),
        at: entry.at,
        actor: actor(&entry.actor),
        action: entry.action.as_str().to_owned(),
        subject_id: entry.subject,
        subject_name: entry.subject_name.clone(),
        changes: changes.collect(),
        source: match entry.source {
            Source::Address(address) => address.to_string(),
            Source::Local => "local".to_owned(),
            Source::Internal => "internal".to_owned(),
        },
        request_id: entry.request.uuid(),
    }
}

fn actor(actor: &Actor) -> v1::ActivityActor {
    let (kind, account_id, name) = match actor {
        Actor::Account { id, name } => ("account", Some(id.uuid()), name.clone()),
        Actor::LocalOperator { user } => ("local_operator", None, user.clone()),
        Actor::LinkHolder => ("link_holder", None, String::new()),
        Actor::System => ("system", None, String::new()),
    };
    v1::ActivityActor { kind: kind.to_owned(), account_id, name }
}
