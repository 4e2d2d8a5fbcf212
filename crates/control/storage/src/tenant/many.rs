//! Many rows at once, as seeding writes them: a few statements instead of one for each row.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use warren_auth::{Authorized, permission::ManageNetworks};
use warren_model::{Device, Network, NetworkId, Timestamp, address::HostIndex, audit::AuditEntry, device::UsageRecord};
use warren_schema::tenant::{audit_entry, device, device_usage, network, released_address};

use super::{AuditEntries, Devices, devices, networks::stored_index, usage};
use crate::{
    StorageError, Writer,
    audit::AuditColumns,
    source::{At, sealed::Source as _},
    stored::{ROWS_PER_STATEMENT, micros},
};

/// A place in a network that a revoked device gave back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReleasedPlace {
    pub network: NetworkId,
    pub index: HostIndex,
    pub at: Timestamp,
}

impl Devices<'_, Writer> {
    /// Adds many devices with what they used to a network that has none yet. From the first place of devices on, each place
    /// has to be held by one of them or to be among the released, and those that hold one have to be of this network.
    ///
    /// # Errors
    /// As [`Devices::insert`]; [`StorageError::WrongTenant`] for a device of another network.
    pub async fn insert_many(
        &self,
        proof: &Authorized<ManageNetworks>,
        to: &Network,
        all: &[(Device, UsageRecord)],
        released: &[ReleasedPlace],
    ) -> Result<(), StorageError> {
        self.on.check(proof)?;
        if all.iter().any(|(device, _)| device.network != to.id) || released.iter().any(|place| place.network != to.id)
        {
            return Err(StorageError::WrongTenant);
        }
        let connection = self.on.connection();
        for some in all.chunks(ROWS_PER_STATEMENT) {
            let rows = some.iter().map(|(device, _)| devices::row(device, None).into_active_model());
            device::Entity::insert_many(rows).exec_without_returning(connection).await.at(self.on)?;
            let rows = some.iter().map(|(device, record)| usage::row(device.id, record).into_active_model());
            device_usage::Entity::insert_many(rows).exec_without_returning(connection).await.at(self.on)?;
        }
        for some in released.chunks(ROWS_PER_STATEMENT) {
            let rows = some.iter().map(|place| {
                let (network_id, host_index) = (place.network.uuid(), stored_index(place.index));
                released_address::Model { network_id, host_index, released_at: micros(place.at) }.into_active_model()
            });
            released_address::Entity::insert_many(rows).exec_without_returning(connection).await.at(self.on)?;
        }
        let held = all.iter().filter_map(|(device, _)| device.host_index);
        let last = held.chain(released.iter().map(|place| place.index)).max().unwrap_or(HostIndex::GATEWAY);
        let change = network::ActiveModel { lease_cursor: Set(stored_index(last)), ..network::ActiveModel::default() };
        let cursor = network::Entity::update_many().set(change).filter(network::Column::Id.eq(to.id.uuid()));
        cursor.exec(connection).await.at(self.on)?;
        Ok(())
    }
}

impl AuditEntries<'_, Writer> {
    /// Adds many entries.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn append_many(&self, all: &[AuditEntry]) -> Result<(), StorageError> {
        for some in all.chunks(ROWS_PER_STATEMENT) {
            let rows = some.iter().map(|entry| {
                let AuditColumns { id, at, actor_account_id, action, body } = AuditColumns::of(entry);
                audit_entry::Model { id, at, actor_account_id, action, body }.into_active_model()
            });
            let insert = audit_entry::Entity::insert_many(rows);
            insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        }
        Ok(())
    }
}
