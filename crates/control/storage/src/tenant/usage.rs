//! What has passed through each device's tunnel. Gateways report it; no proof is asked for.

use std::{collections::HashMap, net::SocketAddr};

use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, Func},
};
use warren_model::{DeviceId, Timestamp, device::Usage};
use warren_schema::tenant::device_usage as table;

use crate::{
    Source, StorageError, Writer,
    connection::{At, sealed::Source as _},
    stored::{Undecodable, micros, moment_or_none, narrowed, padded, parsed},
};

/// What has passed through the devices' tunnels.
#[derive(Debug)]
pub struct DeviceUsage<'a, C> {
    pub(crate) on: &'a C,
}

/// What came to a device's usage since the last report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageDelta {
    pub device: DeviceId,
    /// Bytes that the device sent.
    pub received_bytes: u64,
    /// Bytes sent to the device.
    pub sent_bytes: u64,
    /// None leaves what is known.
    pub last_handshake_at: Option<Timestamp>,
    /// None leaves what is known.
    pub last_endpoint: Option<SocketAddr>,
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

impl DeviceUsage<'_, Writer> {
    /// Adds the bytes and replaces what is newer. Devices that are gone are passed over.
    pub async fn add_many(&self, deltas: &[UsageDelta]) -> Result<(), StorageError> {
        for delta in deltas {
            let added =
                |column: table::Column, bytes: u64| column.into_expr().add(i64::try_from(bytes).unwrap_or(i64::MAX));
            let newer = |column: table::Column, value: Expr| Expr::from(Func::coalesce([value, column.into_expr()]));
            let handshake = Expr::val(delta.last_handshake_at.map(micros));
            let endpoint = Expr::val(delta.last_endpoint.map(|endpoint| endpoint.to_string()));
            table::Entity::update_many()
                .col_expr(table::Column::ReceivedBytes, added(table::Column::ReceivedBytes, delta.received_bytes))
                .col_expr(table::Column::SentBytes, added(table::Column::SentBytes, delta.sent_bytes))
                .col_expr(table::Column::LastHandshakeAt, newer(table::Column::LastHandshakeAt, handshake))
                .col_expr(table::Column::LastEndpoint, newer(table::Column::LastEndpoint, endpoint))
                .filter(table::Column::DeviceId.eq(delta.device.uuid()))
                .exec(self.on.connection())
                .await
                .at(self.on)?;
        }
        Ok(())
    }
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
