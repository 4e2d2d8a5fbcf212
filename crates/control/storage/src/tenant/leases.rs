//! Places in a network: leased without duplicates, and reused as late as possible.
//!
//! Below the network's cursor every place is either held by a device or stands among the released ones. So a lease is the
//! next place above the cursor and, once there is none left, the one released longest ago: two indexed look-ups, however
//! many devices there are.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;
use warren_model::{NetworkId, address::HostIndex};
use warren_schema::tenant::{network, released_address};

use super::{
    devices::Devices,
    networks::{prefixes, stored_index},
};
use crate::{
    Conflict, StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::{micros, narrowed},
};

impl Devices<'_, Writer> {
    /// Takes a place in the network for a device that is inserted in the same transaction.
    ///
    /// # Errors
    /// [`Conflict::AddressesExhausted`], [`StorageError::NotFound`] without such a network.
    pub async fn lease(&self, network: NetworkId) -> Result<HostIndex, StorageError> {
        let row: Option<(i32, Option<String>, Option<String>)> = network::Entity::find_by_id(network.uuid())
            .select_only()
            .columns([network::Column::LeaseCursor, network::Column::Ipv4, network::Column::Ipv6])
            .into_tuple()
            .one(self.on.connection())
            .await
            .at(self.on)?;
        let (cursor, ipv4, ipv6) = row.ok_or(StorageError::NotFound)?;
        let last = stored_index(prefixes(ipv4.as_deref(), ipv6.as_deref()).at(self.on)?.last_device());
        let index = if cursor < last {
            self.advance(network, cursor + 1).await?;
            cursor + 1
        } else {
            self.longest_released(network, last).await?.ok_or(Conflict::AddressesExhausted)?
        };
        Ok(HostIndex(narrowed(index, "host_index").at(self.on)?))
    }

    async fn advance(&self, network: NetworkId, cursor: i32) -> Result<(), StorageError> {
        let change = network::ActiveModel { lease_cursor: Set(cursor), ..network::ActiveModel::default() };
        network::Entity::update_many()
            .set(change)
            .filter(network::Column::Id.eq(network.uuid()))
            .exec(self.on.connection())
            .await
            .at(self.on)?;
        Ok(())
    }

    /// Takes the place that was released longest ago, up to `last`: the prefixes may have become smaller since.
    async fn longest_released(&self, network: NetworkId, last: i32) -> Result<Option<i32>, StorageError> {
        let index: Option<i32> = released_address::Entity::find()
            .select_only()
            .column(released_address::Column::HostIndex)
            .filter(released_address::Column::NetworkId.eq(network.uuid()))
            .filter(released_address::Column::HostIndex.lte(last))
            .order_by_asc(released_address::Column::ReleasedAt)
            .order_by_asc(released_address::Column::HostIndex)
            .limit(1)
            .into_tuple()
            .one(self.on.connection())
            .await
            .at(self.on)?;
        if let Some(index) = index {
            let taken = released_address::Entity::delete_by_id((network.uuid(), index));
            taken.exec(self.on.connection()).await.at(self.on)?;
        }
        Ok(index)
    }

    /// Gives a place back.
    pub(super) async fn release(&self, network_id: Uuid, host_index: i32) -> Result<(), StorageError> {
        let row = released_address::Model { network_id, host_index, released_at: micros(self.on.now()) };
        let insert = released_address::Entity::insert(row.into_active_model());
        insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        Ok(())
    }
}
