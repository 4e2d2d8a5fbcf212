//! What has passed through each device's tunnel. Gateways report it; no proof is asked for.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationDef, Set};
use warren_model::{
    AccountId, DeviceId, NetworkId,
    device::{Usage, UsageRecord},
};
use warren_schema::tenant::{device, device_usage as table};

use crate::{
    Source, StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::{Undecodable, micros, moment_or_none, narrowed, padded, parsed},
};

/// What has passed through the devices' tunnels.
#[derive(Debug)]
pub struct DeviceUsage<'a, C> {
    pub(crate) on: &'a C,
}

impl<C: Source> DeviceUsage<'_, C> {
    /// The usage of each of these devices. Devices that do not exist are left out.
    pub async fn of_many(&self, ids: &[DeviceId]) -> Result<HashMap<DeviceId, Usage>, StorageError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = table::Entity::find()
            .filter(table::Column::DeviceId.is_in(padded(ids.iter().map(|id| id.uuid()))))
            .all(self.on.connection())
            .await
            .at(self.on)?;
        rows.into_iter().map(decode).collect::<Result<_, _>>().at(self.on)
    }
}

impl<C: Source> DeviceUsage<'_, C> {
    /// The whole record of each of these devices, which network it is in, and whose device it is. Devices that do not exist are left out.
    pub async fn records_of(
        &self,
        ids: &[DeviceId],
    ) -> Result<Vec<(DeviceId, NetworkId, AccountId, UsageRecord)>, StorageError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = table::Entity::find()
            .join(JoinType::InnerJoin, to_device())
            .select_also(device::Entity)
            .filter(table::Column::DeviceId.is_in(padded(ids.iter().map(|id| id.uuid()))))
            .all(self.on.connection())
            .await
            .at(self.on)?;
        let record = |(row, device): (table::Model, Option<device::Model>)| {
            let device = device.ok_or(Undecodable { column: "device_id" })?;
            let (boot, received, sent) = (row.boot, row.boot_received_bytes, row.boot_sent_bytes);
            let (id, usage) = decode(row)?;
            let boot_received_bytes = narrowed(received, "boot_received_bytes")?;
            let boot_sent_bytes = narrowed(sent, "boot_sent_bytes")?;
            let record = UsageRecord { usage, boot, boot_received_bytes, boot_sent_bytes };
            Ok((id, NetworkId::from_uuid(device.network_id), AccountId::from_uuid(device.owner_id), record))
        };
        rows.into_iter().map(record).collect::<Result<_, Undecodable>>().at(self.on)
    }
}

impl DeviceUsage<'_, Writer> {
    /// Replaces the records of these devices. Devices that are gone are passed over.
    pub async fn store_many(&self, records: &[(DeviceId, UsageRecord)]) -> Result<(), StorageError> {
        for (device, record) in records {
            let usage = &record.usage;
            let change = table::ActiveModel {
                received_bytes: Set(counted(usage.received_bytes)),
                sent_bytes: Set(counted(usage.sent_bytes)),
                last_handshake_at: Set(usage.last_handshake_at.map(micros)),
                last_endpoint: Set(usage.last_endpoint.map(|endpoint| endpoint.to_string())),
                boot: Set(record.boot),
                boot_received_bytes: Set(counted(record.boot_received_bytes)),
                boot_sent_bytes: Set(counted(record.boot_sent_bytes)),
                ..table::ActiveModel::default()
            };
            table::Entity::update_many()
                .set(change)
                .filter(table::Column::DeviceId.eq(device.uuid()))
                .exec(self.on.connection())
                .await
                .at(self.on)?;
        }
        Ok(())
    }
}

pub(super) fn row(device: DeviceId, record: &UsageRecord) -> table::Model {
    let usage = &record.usage;
    table::Model {
        device_id: device.uuid(),
        received_bytes: counted(usage.received_bytes),
        sent_bytes: counted(usage.sent_bytes),
        last_handshake_at: usage.last_handshake_at.map(micros),
        last_endpoint: usage.last_endpoint.map(|endpoint| endpoint.to_string()),
        boot: record.boot,
        boot_received_bytes: counted(record.boot_received_bytes),
        boot_sent_bytes: counted(record.boot_sent_bytes),
    }
}

/// Bytes as every database counts them; the limit lies at eight exabytes.
fn counted(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn to_device() -> RelationDef {
    table::Entity::belongs_to(device::Entity).from(table::Column::DeviceId).to(device::Column::Id).into()
}

fn decode(row: table::Model) -> Result<(DeviceId, Usage), Undecodable> {
    let usage = Usage {
        received_bytes: narrowed(row.received_bytes, "received_bytes")?,
        sent_bytes: narrowed(row.sent_bytes, "sent_bytes")?,
        last_handshake_at: moment_or_none(row.last_handshake_at, "last_handshake_at")?,
        last_endpoint: row.last_endpoint.map(|text| parsed(&text, "last_endpoint")).transpose()?,
    };
    Ok((DeviceId::from_uuid(row.device_id), usage))
}
