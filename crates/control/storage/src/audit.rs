//! How audit entries stand in tables: what queries ask for in columns, the rest as versioned JSON.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use warren_model::{
    AccountId, AuditId, RequestId,
    audit::{Action, Actor, AuditEntry, FieldChange, Source},
};

use crate::stored::{Undecodable, from_json, json, micros, moment, parsed};

/// Which entries of a trail are asked for. The default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only what this account did.
    pub actor: Option<AccountId>,
    /// Only actions that begin with this, such as `device.`
    pub action_prefix: Option<String>,
}

impl AuditFilter {
    /// The actions that the prefix stands for; none without a prefix.
    pub(crate) fn actions(&self) -> Option<Vec<&'static str>> {
        let prefix = self.action_prefix.as_deref()?;
        Some(Action::ALL.iter().map(|action| action.as_str()).filter(|action| action.starts_with(prefix)).collect())
    }
}

/// The columns that all tables of audit entries have.
#[derive(Debug, Clone)]
pub(crate) struct AuditColumns {
    pub id: Uuid,
    pub at: i64,
    pub actor_account_id: Option<Uuid>,
    pub action: String,
    pub body: String,
}

/// Version 1 of the stored body. A later version gets a variant of its own; rows outlive the program that wrote them.
#[derive(Serialize, Deserialize)]
#[serde(tag = "v")]
enum Body {
    #[serde(rename = "1")]
    V1 {
        actor: StoredActor,
        subject: Uuid,
        subject_name: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        changes: Vec<StoredChange>,
        source: String,
        request: Uuid,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum StoredActor {
    Account { name: String },
    LocalOperator { user: String },
    LinkHolder,
    System,
}

#[derive(Serialize, Deserialize)]
struct StoredChange {
    field: String,
    before: Option<String>,
    after: Option<String>,
}

/// Sources that are no address.
const LOCAL: &str = "local";
const INTERNAL: &str = "internal";

impl AuditColumns {
    pub fn of(entry: &AuditEntry) -> Self {
        let (account, actor) = match &entry.actor {
            Actor::Account { id, name } => (Some(id.uuid()), StoredActor::Account { name: name.clone() }),
            Actor::LocalOperator { user } => (None, StoredActor::LocalOperator { user: user.clone() }),
            Actor::LinkHolder => (None, StoredActor::LinkHolder),
            Actor::System => (None, StoredActor::System),
        };
        let stored_change = |change: &FieldChange| StoredChange {
            field: change.field.clone(),
            before: change.before.clone(),
            after: change.after.clone(),
        };
        let body = Body::V1 {
            actor,
            subject: entry.subject,
            subject_name: entry.subject_name.clone(),
            changes: entry.changes.iter().take(AuditEntry::CHANGES_MAX).map(stored_change).collect(),
            source: match entry.source {
                Source::Address(address) => address.to_string(),
                Source::Local => LOCAL.to_owned(),
                Source::Internal => INTERNAL.to_owned(),
            },
            request: entry.request.uuid(),
        };
        Self {
            id: entry.id.uuid(),
            at: micros(entry.at),
            actor_account_id: account,
            action: entry.action.as_str().to_owned(),
            body: json(&body),
        }
    }

    pub fn entry(self) -> Result<AuditEntry, Undecodable> {
        let Body::V1 { actor, subject, subject_name, changes, source, request } = from_json(&self.body, "body")?;
        let actor = match (actor, self.actor_account_id) {
            (StoredActor::Account { name }, Some(id)) => Actor::Account { id: AccountId::from_uuid(id), name },
            (StoredActor::Account { .. }, None) => return Err(Undecodable { column: "actor_account_id" }),
            (StoredActor::LocalOperator { user }, _) => Actor::LocalOperator { user },
            (StoredActor::LinkHolder, _) => Actor::LinkHolder,
            (StoredActor::System, _) => Actor::System,
        };
        let change =
            |change: StoredChange| FieldChange { field: change.field, before: change.before, after: change.after };
        Ok(AuditEntry {
            id: AuditId::from_uuid(self.id),
            at: moment(self.at, "at")?,
            actor,
            action: Action::from_text(&self.action).ok_or(Undecodable { column: "action" })?,
            subject,
            subject_name,
            changes: changes.into_iter().map(change).collect(),
            source: match source.as_str() {
                LOCAL => Source::Local,
                INTERNAL => Source::Internal,
                address => Source::Address(parsed(address, "body")?),
            },
            request: RequestId::from_uuid(request),
        })
    }
}
