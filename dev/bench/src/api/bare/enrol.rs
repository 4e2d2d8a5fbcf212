//! A new device.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use sqlx::Row;
use warren_model::{DeviceId, PublicKey, ambient::random_bytes};
use warren_runtime::SystemRandom;
use warren_wire::rest::v1::{
    Configuration, Device, DeviceKey, DeviceLive, EnrolDevice, EnrolledDevice, NetworkReference, PersonReference,
};

use super::{
    Failed,
    data::{self, Data},
    list::address,
};
use crate::api::statements as sql;

type Created = (StatusCode, Json<EnrolledDevice>);

/// Sends every statement that Warren sends.
pub async fn same_statements(State(data): State<Arc<Data>>, Json(body): Json<EnrolDevice>) -> Result<Created, Failed> {
    let caller = data.caller().await?;
    let person = sqlx::query(sql::PERSON).bind(&caller.account).bind(&caller.organisation).bind(1_i64);
    let _: String = person.fetch_one(&data.system).await?.try_get("A_role")?;

    let mut transaction = data.writing.begin_with("BEGIN IMMEDIATE").await?;
    let network = sqlx::query(sql::NETWORK).bind(body.network_id.as_bytes().as_slice()).bind(1_i64);
    let network = network.fetch_one(&mut *transaction).await?;
    let mut made = insert(&mut transaction, &caller.account, &body).await?;
    transaction.commit().await?;

    let gateway = sqlx::query(sql::GATEWAY).bind(network.try_get::<&[u8], _>("gateway_id")?).bind(1_i64);
    let gateway = gateway.fetch_one(&data.system).await?;
    made.device.owner.name = caller.name;
    made.device.network.name = network.try_get("name")?;
    made.configuration.text.push_str(gateway.try_get("endpoint_host")?);
    Ok((StatusCode::CREATED, Json(made)))
}

/// Sends the transaction alone; the owner is whoever owns the first device.
pub async fn devices_alone(State(data): State<Arc<Data>>, Json(body): Json<EnrolDevice>) -> Result<Created, Failed> {
    let mut transaction = data.writing.begin_with("BEGIN IMMEDIATE").await?;
    let owner = uuid::Uuid::nil();
    let made = insert(&mut transaction, owner.as_bytes(), &body).await?;
    transaction.commit().await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// What an enrolment writes, within a transaction.
async fn insert(
    connection: &mut sqlx::SqliteConnection,
    owner: &[u8],
    body: &EnrolDevice,
) -> anyhow::Result<EnrolledDevice> {
    let DeviceKey::Device { public_key } = &body.key else { anyhow::bail!("the benchmark brings its keys") };
    let public_key: PublicKey = public_key.parse()?;
    let key = public_key.as_bytes().as_slice();
    let (network, now) = (body.network_id.as_bytes().as_slice(), data::micros());
    let id = DeviceId::generate(data::moment(now)?, &SystemRandom).uuid();
    let device = id.as_bytes().as_slice();

    let lease = sqlx::query(sql::LEASE).bind(network).bind(1_i64).fetch_one(&mut *connection).await?;
    let place = lease.try_get::<i64, _>("lease_cursor")? + 1;
    sqlx::query(sql::ADVANCE).bind(place).bind(network).execute(&mut *connection).await?;
    sqlx::query(sql::INSERT_DEVICE)
        .bind(device)
        .bind(network)
        .bind(owner)
        .bind(&body.name)
        .bind(key)
        .bind(key)
        .bind(None::<&[u8]>)
        .bind(place)
        .bind("enabled")
        .bind(None::<i64>)
        .bind(now)
        .bind(1_i64)
        .execute(&mut *connection)
        .await?;
    sqlx::query(sql::INSERT_USAGE)
        .bind(device)
        .bind(0_i64)
        .bind(0_i64)
        .bind(None::<i64>)
        .bind(None::<&str>)
        .bind(None::<&[u8]>)
        .bind(0_i64)
        .bind(0_i64)
        .execute(&mut *connection)
        .await?;
    let ipv4 = address(lease.try_get("ipv4")?, place.try_into()?)?;
    let entry = random_bytes::<16>(&SystemRandom);
    sqlx::query(sql::INSERT_AUDIT_ENTRY)
        .bind(entry.as_slice())
        .bind(now)
        .bind(owner)
        .bind("device.enrolled")
        .bind(audit_body(body, &ipv4))
        .execute(&mut *connection)
        .await?;
    answer(id, uuid::Uuid::from_slice(owner)?, &public_key, body, ipv4, now)
}

/// As long as Warren's.
fn audit_body(body: &EnrolDevice, ipv4: &str) -> String {
    let (name, network) = (&body.name, body.network_id);
    format!(
        r#"{{"v":"1","actor":{{"kind":"account","name":"Anna Berg"}},"subject":"{network}","subject_name":"{name}","changes":[{{"field":"network","before":null,"after":"Office"}},{{"field":"owner","before":null,"after":"Anna Berg"}},{{"field":"addresses","before":null,"after":"{ipv4}"}}],"source":"127.0.0.1","request":"{network}"}}"#
    )
}

fn answer(
    id: uuid::Uuid,
    owner: uuid::Uuid,
    public_key: &PublicKey,
    body: &EnrolDevice,
    ipv4: String,
    now: i64,
) -> anyhow::Result<EnrolledDevice> {
    let text = format!(
        "[Interface]\nPrivateKey = PRIVATE_KEY\nAddress = {ipv4}/32\nMTU = 1420\n\n[Peer]\nPublicKey = {public_key}\n\
         AllowedIPs = 10.0.0.0/8\nPersistentKeepalive = 25\nEndpoint = "
    );
    Ok(EnrolledDevice {
        device: Device {
            id,
            name: body.name.clone(),
            network: NetworkReference { id: body.network_id, name: String::new() },
            owner: PersonReference { id: owner, name: String::new() },
            public_key: public_key.to_string(),
            preshared_key: false,
            ipv4: Some(ipv4),
            ipv6: None,
            state: "active".to_owned(),
            expires_at: None,
            created_at: data::moment(now)?,
            live: DeviceLive {
                device_id: id,
                online: false,
                last_handshake_at: None,
                endpoint: None,
                received_bytes: 0,
                sent_bytes: 0,
            },
            revision: 1,
        },
        configuration: Configuration {
            text,
            private_key_placeholder: Some("PRIVATE_KEY".to_owned()),
            file_name: "device.conf".to_owned(),
        },
    })
}
