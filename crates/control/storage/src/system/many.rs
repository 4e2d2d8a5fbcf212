//! Many rows at once, as seeding writes them: a few statements instead of one for each row.

use sea_orm::{EntityTrait, IntoActiveModel};
use warren_auth::PasswordHash;
use warren_model::{OrganisationId, audit::AuditEntry};
use warren_schema::system::{account, audit_entry, membership};

use super::{
    Account, AccountChange, Accounts, InviterProof, Membership, Memberships, SystemAudit, accounts, memberships,
};
use crate::{
    StorageError, Writer,
    audit::AuditColumns,
    source::{At, sealed::Source as _},
    stored::ROWS_PER_STATEMENT,
};

impl Accounts<'_, Writer> {
    /// Adds many accounts, each with a password or without one.
    ///
    /// # Errors
    /// As [`Accounts::insert`].
    pub async fn insert_many(
        &self,
        proof: &impl AccountChange,
        all: &[(Account, Option<PasswordHash>)],
    ) -> Result<(), StorageError> {
        if all.iter().any(|(account, _)| !proof.may_grant(account.reach)) {
            return Err(StorageError::WrongTenant);
        }
        for some in all.chunks(ROWS_PER_STATEMENT) {
            let rows = some.iter().map(|(one, password)| accounts::row(one, password.as_ref()).into_active_model());
            let insert = account::Entity::insert_many(rows);
            insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        }
        Ok(())
    }
}

impl Memberships<'_, Writer> {
    /// Adds many memberships at revision 1.
    ///
    /// # Errors
    /// As [`Memberships::insert`].
    pub async fn insert_many(&self, proof: &impl InviterProof, all: &[Membership]) -> Result<(), StorageError> {
        if all.iter().any(|one| !proof.admits_to(one.organisation)) {
            return Err(StorageError::WrongTenant);
        }
        for some in all.chunks(ROWS_PER_STATEMENT) {
            let rows = some.iter().map(|one| memberships::row(one).into_active_model());
            let insert = membership::Entity::insert_many(rows);
            insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        }
        Ok(())
    }
}

impl SystemAudit<'_, Writer> {
    /// Adds many entries, each about an organisation or about the installation.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn append_many(&self, all: &[(AuditEntry, Option<OrganisationId>)]) -> Result<(), StorageError> {
        for some in all.chunks(ROWS_PER_STATEMENT) {
            let rows = some.iter().map(|(entry, about)| {
                let AuditColumns { id, at, actor_account_id, action, body } = AuditColumns::of(entry);
                let organisation_id = about.map(OrganisationId::uuid);
                audit_entry::Model { id, organisation_id, at, actor_account_id, action, body }.into_active_model()
            });
            let insert = audit_entry::Entity::insert_many(rows);
            insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        }
        Ok(())
    }
}
