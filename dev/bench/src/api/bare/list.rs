//! A page of devices.

use std::{collections::HashMap, sync::Arc};

use anyhow::Context;
use axum::{
    Json,
    extract::{Query, State},
};
use serde::Deserialize;
use sqlx::{AssertSqlSafe, Row, sqlite::SqliteRow};
use uuid::Uuid;
use warren_model::PublicKey;
use warren_wire::rest::v1::{Device, DeviceLive, NetworkReference, Page, PersonReference};

use super::{
    Failed,
    data::{self, Data},
};
use crate::api::statements as sql;

#[derive(Deserialize)]
pub struct Asked {
    limit: i64,
}

/// Sends every statement that Warren sends.
pub async fn same_statements(
    State(data): State<Arc<Data>>,
    Query(asked): Query<Asked>,
) -> Result<Json<Page<Device>>, Failed> {
    data.caller().await?;
    let mut rows = sqlx::query(sql::DEVICES).bind(asked.limit + 1).fetch_all(&data.reading).await?;
    rows.truncate(usize::try_from(asked.limit)?);

    let text = sql::usage(rows.len());
    let mut usage = sqlx::query(AssertSqlSafe(text));
    for row in &rows {
        usage = usage.bind(row.try_get::<&[u8], _>("id")?);
    }
    let mut carried = HashMap::new();
    for row in usage.fetch_all(&data.reading).await? {
        let bytes = (row.try_get::<i64, _>("received_bytes")?, row.try_get::<i64, _>("sent_bytes")?);
        carried.insert(data::id(&row, "device_id")?, bytes);
    }

    let text = sql::names(rows.len());
    let mut owners = sqlx::query(AssertSqlSafe(text));
    for row in &rows {
        owners = owners.bind(row.try_get::<&[u8], _>("owner_id")?);
    }
    let mut names: HashMap<Uuid, String> = HashMap::new();
    for row in owners.fetch_all(&data.system).await? {
        names.insert(data::id(&row, "id")?, row.try_get("name")?);
    }
    for row in sqlx::query(sql::NETWORKS).fetch_all(&data.reading).await? {
        names.insert(data::id(&row, "id")?, row.try_get("name")?);
    }
    page(&rows, &names, &carried)
}

/// Sends the page's own statement.
pub async fn devices_alone(
    State(data): State<Arc<Data>>,
    Query(asked): Query<Asked>,
) -> Result<Json<Page<Device>>, Failed> {
    let rows = sqlx::query(sql::DEVICES).bind(asked.limit).fetch_all(&data.reading).await?;
    page(&rows, &HashMap::new(), &HashMap::new())
}

fn page(
    rows: &[SqliteRow],
    names: &HashMap<Uuid, String>,
    carried: &HashMap<Uuid, (i64, i64)>,
) -> Result<Json<Page<Device>>, Failed> {
    let name = |id: &Uuid| names.get(id).cloned().unwrap_or_default();
    let items = rows.iter().map(|row| {
        let (id, network, owner) = (data::id(row, "id")?, data::id(row, "network_id")?, data::id(row, "owner_id")?);
        let (received, sent) = carried.get(&id).copied().unwrap_or_default();
        anyhow::Ok(Device {
            id,
            name: row.try_get("name")?,
            network: NetworkReference { id: network, name: name(&network) },
            owner: PersonReference { id: owner, name: name(&owner) },
            public_key: PublicKey::from_bytes(row.try_get::<&[u8], _>("public_key")?.try_into()?)?.to_string(),
            preshared_key: row.try_get::<Option<&[u8]>, _>("preshared_key_sealed")?.is_some(),
            ipv4: Some(address(row.try_get("ipv4")?, row.try_get("host_index")?)?),
            ipv6: None,
            state: "active".to_owned(),
            expires_at: None,
            created_at: data::moment(row.try_get("created_at")?)?,
            live: DeviceLive {
                device_id: id,
                online: false,
                last_handshake_at: None,
                endpoint: None,
                received_bytes: received.try_into()?,
                sent_bytes: sent.try_into()?,
            },
            revision: row.try_get("revision")?,
        })
    });
    Ok(Json(Page { items: items.collect::<Result<_, _>>()?, next_cursor: None }))
}

/// The address at `index` of `prefix`, as `10.0.0.0/8`.
pub fn address(prefix: &str, index: u32) -> anyhow::Result<String> {
    let (first, _) = prefix.split_once('/').context("a prefix has a length")?;
    let first: std::net::Ipv4Addr = first.parse()?;
    Ok(std::net::Ipv4Addr::from(u32::from(first) + index).to_string())
}
