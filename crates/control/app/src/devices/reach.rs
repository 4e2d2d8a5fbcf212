//! Which devices somebody may know of.

use warren_auth::{Authorized, permission::ManageDevicesOf};
use warren_model::{Device, DeviceId};

use crate::{AppError, Inside, Thing};

/// The device, and the proof that the caller may manage it. Another person's device is not there for somebody who may not.
pub(super) async fn within_reach(
    inside: &Inside<'_>,
    id: DeviceId,
) -> Result<(Device, Authorized<ManageDevicesOf>), AppError> {
    let missing = AppError::NotFound(Thing::Device);
    let Some(device) = inside.tenant.devices().by_id(id).await? else { return Err(missing) };
    match inside.authorise(ManageDevicesOf { owner: device.owner }) {
        Ok(proof) => Ok((device, proof)),
        Err(AppError::Forbidden) => Err(missing),
        Err(other) => Err(other),
    }
}
