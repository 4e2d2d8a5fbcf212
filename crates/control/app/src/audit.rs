//! How use cases write audit entries: from the proof that they hold and the request that they serve.

use uuid::Uuid;
use warren_auth::Authorized;
use warren_model::{
    AuditId,
    audit::{Action, Actor, AuditEntry, FieldChange},
};

use crate::OpContext;

impl OpContext {
    /// The entry for what the holder of `proof` did to `subject`.
    pub(crate) fn entry<P>(
        &self,
        proof: &Authorized<P>,
        action: Action,
        subject: Uuid,
        name: impl ToString,
    ) -> AuditEntry {
        self.entry_by(proof.actor().clone(), action, subject, name)
    }

    /// The entry for what `actor` did, where no permission is involved, as at sign-in.
    pub(crate) fn entry_by(&self, actor: Actor, action: Action, subject: Uuid, name: impl ToString) -> AuditEntry {
        let at = self.app.clock().now();
        AuditEntry {
            id: AuditId::generate(at, self.app.random()),
            at,
            actor,
            action,
            subject,
            subject_name: name.to_string(),
            changes: Vec::new(),
            source: self.source,
            request: self.request,
        }
    }
}

/// Collects what differs between before and after.
#[derive(Debug, Default)]
pub(crate) struct Changes(Vec<FieldChange>);

impl Changes {
    /// Notes `field` where it differs.
    pub(crate) fn compare<T: PartialEq>(
        mut self,
        field: &str,
        before: &T,
        after: &T,
        show: impl Fn(&T) -> String,
    ) -> Self {
        if before != after && self.0.len() < AuditEntry::CHANGES_MAX {
            let shown = |value: &T| Some(show(value)).filter(|text| !text.is_empty());
            self.0.push(FieldChange { field: field.to_owned(), before: shown(before), after: shown(after) });
        }
        self
    }

    /// Notes a value that something new begins with.
    pub(crate) fn first(mut self, field: &str, value: impl ToString) -> Self {
        self.0.push(FieldChange { field: field.to_owned(), before: None, after: Some(value.to_string()) });
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts the changes into `entry`.
    pub(crate) fn into_entry(self, mut entry: AuditEntry) -> AuditEntry {
        entry.changes = self.0;
        entry
    }
}
