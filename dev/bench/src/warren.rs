//! What the benchmarks of the whole program ask of it besides what they measure.

use anyhow::Context;
use bytes::Bytes;
use http::Method;
use tokio::task::JoinSet;
use uuid::Uuid;
use warren_model::{PublicKey, ambient::random_bytes};
use warren_runtime::SystemRandom;
use warren_wire::rest::v1::{DeviceKey, EnrolDevice, EnrolledDevice};

use crate::client::{Server, json};

/// Connections by which devices are enrolled beforehand. They wait for the same disk; more bring nothing.
const CONNECTIONS: usize = 8;

/// The body that enrols a device with a key of its own, which nobody has the private half of.
///
/// # Errors
/// When the kernel's random bytes are a weak key.
pub fn enrolment(network: Uuid, number: usize) -> anyhow::Result<Bytes> {
    let public_key = PublicKey::from_bytes(random_bytes(&SystemRandom))?.to_string();
    Ok(json(&EnrolDevice {
        name: format!("device {number}"),
        network_id: network,
        owner_id: None,
        key: DeviceKey::Device { public_key },
        preshared_key: false,
        expires_at: None,
    }))
}

/// Where the devices of `organisation` stand in the API.
pub fn devices_path(organisation: &str) -> String {
    format!("/api/v1/organisations/{organisation}/devices")
}

/// Enrols `count` devices and returns their identifiers.
///
/// # Errors
/// When one is refused.
pub async fn enrol_many(
    server: &Server<'_>,
    organisation: &str,
    network: Uuid,
    count: usize,
) -> anyhow::Result<Vec<Uuid>> {
    let mut work = JoinSet::new();
    for first in 0..CONNECTIONS {
        let (mut connection, path) = (server.connect().await?, devices_path(organisation));
        work.spawn(async move {
            let mut made = Vec::new();
            for number in (first..count).step_by(CONNECTIONS) {
                let answer = connection.send(Method::POST, &path, Some(enrolment(network, number)?)).await?;
                made.push(answer.read::<EnrolledDevice>()?.device.id);
            }
            anyhow::Ok(made)
        });
    }
    let mut devices = Vec::with_capacity(count);
    while let Some(made) = work.join_next().await {
        devices.extend(made.context("a task of the benchmark panicked")??);
    }
    Ok(devices)
}
