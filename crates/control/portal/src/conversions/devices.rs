//! Devices.

use time::format_description::well_known::Rfc3339;
use warren_app::{
    AppError,
    devices::{Change, ConfigurationFile, DeviceView, Enablement, Enrol, Enrolled, Key},
    live::DeviceLive,
};
use warren_model::{
    AccountId, DeviceId, Invalid, NetworkId, Timestamp,
    configuration::PRIVATE_KEY_PLACEHOLDER,
    device::{PresharedKeyUse, Usage},
};
use warren_wire::rest::v1;

use crate::fields::Fields;

/// # Errors
/// [`AppError::Invalid`] with every field that cannot be used.
pub fn read_enrol(body: v1::EnrolDevice) -> Result<Enrol, AppError> {
    let mut fields = Fields::default();
    let name = fields.read("name", body.name.parse());
    let key = match &body.key {
        v1::DeviceKey::Device { public_key } => fields.read("key.public_key", public_key.parse().map(Key::Device)),
        v1::DeviceKey::Server => Some(Key::Server),
    };
    let (Some(name), Some(key)) = (name, key) else { return Err(fields.refuse()) };
    Ok(Enrol {
        name,
        network: NetworkId::from_uuid(body.network_id),
        owner: body.owner_id.map(AccountId::from_uuid),
        key,
        preshared_key: if body.preshared_key { PresharedKeyUse::Used } else { PresharedKeyUse::Unused },
        expires_at: body.expires_at.map(in_utc),
    })
}

/// # Errors
/// [`AppError::Invalid`] with every field that cannot be used.
pub fn read_change(body: &v1::UpdateDevice) -> Result<Change, AppError> {
    let mut fields = Fields::default();
    let name = fields.read_optional("name", body.name.as_deref().map(str::parse));
    let standing = fields.read_optional("standing", body.standing.as_deref().map(read_enablement));
    let expires_at = fields.read_optional("expires_at", body.expires_at.as_deref().map(read_expiry));
    let (Some(name), Some(standing), Some(expires_at)) = (name, standing, expires_at) else {
        return Err(fields.refuse());
    };
    Ok(Change { name, standing, expires_at })
}

pub fn device(view: &DeviceView) -> v1::Device {
    let device = &view.device;
    v1::Device {
        id: device.id.uuid(),
        name: device.name.to_string(),
        network: v1::NetworkReference { id: device.network.uuid(), name: view.network_name.to_string() },
        owner: v1::PersonReference { id: device.owner.uuid(), name: view.owner_name.to_string() },
        public_key: device.public_key.to_string(),
        preshared_key: device.preshared_key == PresharedKeyUse::Used,
        ipv4: device.addresses.and_then(|addresses| addresses.ipv4).map(|address| address.to_string()),
        ipv6: device.addresses.and_then(|addresses| addresses.ipv6).map(|address| address.to_string()),
        state: view.state.as_str().to_owned(),
        expires_at: device.expires_at,
        created_at: device.created_at,
        live: on_air(device.id, view.online, &view.usage),
        revision: device.revision,
    }
}

pub fn enrolled(enrolled: Enrolled) -> v1::EnrolledDevice {
    v1::EnrolledDevice { device: device(&enrolled.view), configuration: configuration(enrolled.configuration) }
}

pub fn configuration(file: ConfigurationFile) -> v1::Configuration {
    let placeholder = (!file.holds_private_key).then(|| PRIVATE_KEY_PLACEHOLDER.to_owned());
    v1::Configuration { text: file.text, private_key_placeholder: placeholder, file_name: file.file_name }
}

pub fn live(live: &DeviceLive) -> v1::DeviceLive {
    on_air(live.device, live.online, &live.usage)
}

fn on_air(device: DeviceId, online: bool, usage: &Usage) -> v1::DeviceLive {
    v1::DeviceLive {
        device_id: device.uuid(),
        online,
        last_handshake_at: usage.last_handshake_at,
        endpoint: usage.last_endpoint.map(|endpoint| endpoint.to_string()),
        received_bytes: usage.received_bytes,
        sent_bytes: usage.sent_bytes,
    }
}

fn read_enablement(text: &str) -> Result<Enablement, Invalid> {
    match text {
        "enabled" => Ok(Enablement::Enabled),
        "disabled" => Ok(Enablement::Disabled),
        _ => Err(Invalid::Unknown { known: "enabled, disabled" }),
    }
}

fn read_expiry(text: &str) -> Result<Option<Timestamp>, Invalid> {
    if text == "never" {
        return Ok(None);
    }
    let moment =
        Timestamp::parse(text, &Rfc3339).map_err(|_| Invalid::Unknown { known: "2027-01-31T00:00:00Z, never" })?;
    Ok(Some(in_utc(moment)))
}

/// What is stored and shown is in UTC, to the microsecond.
fn in_utc(moment: Timestamp) -> Timestamp {
    let moment = moment.to_offset(time::UtcOffset::UTC);
    moment.replace_nanosecond(moment.microsecond() * 1000).unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_a_moment_or_never() {
        let read = |text: &str| {
            read_change(&v1::UpdateDevice { expires_at: Some(text.into()), ..Default::default() })
                .map(|change| change.expires_at)
        };
        assert_eq!(read("never").unwrap(), Some(None));
        let moment = read("2027-01-31T01:00:00+01:00").unwrap().flatten().unwrap();
        assert_eq!(moment.format(&Rfc3339).unwrap(), "2027-01-31T00:00:00Z");
        assert!(read("tomorrow").is_err());
    }
}
