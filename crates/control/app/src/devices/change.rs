//! Changing a device, and keeping it out for now or for ever.

use warren_auth::{Authorized, permission::ManageDevicesOf};
use warren_model::{AccountId, Device, DeviceId, DeviceName, Timestamp, audit::Action, device::Standing};
use warren_storage::TenantTransaction;

use super::{DeviceView, enrol::Present, expiry::check_expiry, reach::within_reach, show};
use crate::{App, AppError, Contradiction, Expected, Inside, Thing, audit::Changes, gateways::Touched};

/// What is to change; none stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub name: Option<DeviceName>,
    pub standing: Option<Enablement>,
    /// `Some(None)` lets the device never expire.
    pub expires_at: Option<Option<Timestamp>>,
}

/// Whether a device is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enablement {
    Enabled,
    Disabled,
}

/// Whether a use case found anything to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Changed,
    /// It is as it should be already.
    None,
}

/// Changes a device; what keeps it out takes effect on its gateway within milliseconds. Its owner, and admins.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::NotFound`], [`AppError::Stale`], or [`Contradiction::DeviceRevoked`]
pub async fn change(
    inside: &Inside<'_>,
    id: DeviceId,
    expected: Expected,
    change: Change,
) -> Result<DeviceView, AppError> {
    make_change(inside, id, expected, change).await?;
    show(inside, id).await
}

/// Changes a device as [`change`] does, without looking at it afterwards.
pub(crate) async fn make_change(
    inside: &Inside<'_>,
    id: DeviceId,
    expected: Expected,
    change: Change,
) -> Result<Effect, AppError> {
    let (before, proof) = within_reach(inside, id).await?;
    if before.standing == Standing::Revoked {
        return Err(Contradiction::DeviceRevoked.into());
    }
    if let Some(expires_at) = change.expires_at {
        check_expiry(expires_at, inside.app().clock().now())?;
    }
    let mut after = before.clone();
    after.name = change.name.unwrap_or(after.name);
    after.expires_at = change.expires_at.unwrap_or(after.expires_at);
    after.standing = match change.standing {
        None => after.standing,
        Some(Enablement::Enabled) => Standing::Enabled,
        Some(Enablement::Disabled) => Standing::Disabled,
    };
    let changes = Changes::default().compare("name", &before.name, &after.name, ToString::to_string).compare(
        "expires_at",
        &before.expires_at,
        &after.expires_at,
        |at| at.map(show_moment).unwrap_or_default(),
    );
    let action = match (before.standing, after.standing) {
        (Standing::Enabled, Standing::Disabled) => Action::DeviceDisabled,
        (Standing::Disabled, Standing::Enabled) => Action::DeviceEnabled,
        _ => Action::DeviceChanged,
    };
    if changes.is_empty() && action == Action::DeviceChanged {
        return match expected.or_current(before.revision) == before.revision {
            true => Ok(Effect::None),
            false => Err(AppError::Stale),
        };
    }
    let entry = changes.into_entry(inside.cx.entry(&proof, action, id.uuid(), &after.name));
    inside
        .tenant
        .transaction(async |tx| -> Result<(), AppError> {
            tx.devices().update(&proof, &after, expected.or_current(before.revision)).await?;
            inside.record(tx, &entry).await?;
            announce(inside.app(), tx, &after).await
        })
        .await?;
    Ok(Effect::Changed)
}

/// Gives a device to another person of the organisation; it keeps its key, its addresses and its session. Admins.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::NotFound`] for the device or the person, [`AppError::Stale`], or
/// [`Contradiction::DeviceRevoked`]
pub async fn give(
    inside: &Inside<'_>,
    id: DeviceId,
    expected: Expected,
    to: AccountId,
) -> Result<DeviceView, AppError> {
    make_gift(inside, id, expected, to).await?;
    show(inside, id).await
}

/// Gives a device as [`give`] does, without looking at it afterwards.
pub(crate) async fn make_gift(
    inside: &Inside<'_>,
    id: DeviceId,
    expected: Expected,
    to: AccountId,
) -> Result<Effect, AppError> {
    let (device, from_proof) = within_reach(inside, id).await?;
    let to_proof = inside.authorise(ManageDevicesOf { owner: to })?;
    if device.standing == Standing::Revoked {
        return Err(Contradiction::DeviceRevoked.into());
    }
    let expected = expected.or_current(device.revision);
    if device.owner == to {
        return if expected == device.revision { Ok(Effect::None) } else { Err(AppError::Stale) };
    }
    let names = inside.cx.system().accounts().names(&[device.owner, to]).await?;
    let name_of = |owner: &AccountId| names.get(owner).map(ToString::to_string).unwrap_or_default();
    let changes = Changes::default().compare("owner", &device.owner, &to, name_of);
    let entry = changes.into_entry(inside.cx.entry(&to_proof, Action::DeviceChanged, id.uuid(), &device.name));
    inside
        .tenant
        .in_turn(async |tx| -> Result<(), AppError> {
            Present::of(inside, tx, &[to]).await?.require(to)?;
            tx.devices().give(&from_proof, &to_proof, id, expected).await?;
            tx.audit().append(&entry).await?;
            let (app, organisation) = (inside.app().clone(), inside.organisation.id);
            tx.after_commit(move || app.live().change_owner(organisation, id, to));
            Ok(())
        })
        .await?;
    Ok(Effect::Changed)
}

/// Keeps a device out for ever and frees its addresses. Doing it twice changes nothing. Its owner, and admins.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::NotFound`] or [`AppError::Stale`]
pub async fn revoke(inside: &Inside<'_>, id: DeviceId, expected: Expected) -> Result<DeviceView, AppError> {
    make_revocation(inside, id, expected).await?;
    show(inside, id).await
}

/// Revokes a device as [`revoke`] does, without looking at it afterwards.
pub(crate) async fn make_revocation(inside: &Inside<'_>, id: DeviceId, expected: Expected) -> Result<Effect, AppError> {
    let (device, proof) = within_reach(inside, id).await?;
    if device.standing == Standing::Revoked {
        return Ok(Effect::None);
    }
    revoke_one(inside, &proof, &device, expected.or_current(device.revision)).await?;
    Ok(Effect::Changed)
}

/// Revokes every device of somebody, as when they leave. An enrolment under way is waited for.
pub(crate) async fn revoke_all_of(inside: &Inside<'_>, owner: AccountId) -> Result<(), AppError> {
    let proof = inside.authorise(ManageDevicesOf { owner })?;
    // Listed in turn, so that what was about to be enrolled is there already, or will be refused.
    let devices =
        inside.tenant.in_turn(async |tx| -> Result<Vec<Device>, AppError> { Ok(tx.devices().of_owner(owner).await?) });
    for device in devices.await? {
        revoke_one(inside, &proof, &device, device.revision).await?;
    }
    Ok(())
}

async fn revoke_one(
    inside: &Inside<'_>,
    proof: &Authorized<ManageDevicesOf>,
    device: &Device,
    expected: i64,
) -> Result<(), AppError> {
    let entry = inside.cx.entry(proof, Action::DeviceRevoked, device.id.uuid(), &device.name);
    inside
        .tenant
        .transaction(async |tx| -> Result<(), AppError> {
            tx.devices().revoke(proof, device.id, expected).await?;
            inside.record(tx, &entry).await?;
            announce(inside.app(), tx, &Device { standing: Standing::Revoked, ..device.clone() }).await
        })
        .await
}

/// Tells the device's gateway once the change is on disk, and forgets the session of a device that is kept out.
async fn announce(app: &App, tx: &TenantTransaction, device: &Device) -> Result<(), AppError> {
    let network = tx.networks().by_id(device.network).await?.ok_or(AppError::NotFound(Thing::Network))?;
    let organisation = tx.organisation();
    app.touch_after(tx, network.gateway, Touched::Device { organisation, network: network.id, device: device.id });
    if device.standing != Standing::Enabled {
        let (app, device) = (app.clone(), device.id);
        tx.after_commit(move || app.live().forget_session(organisation, device));
    }
    Ok(())
}

fn show_moment(at: Timestamp) -> String {
    at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
}
