//! The configuration file of a device.

use warren_model::{Device, DeviceId, DeviceName, Network, PresharedKey, PrivateKey, configuration::Configuration};

use super::reach::within_reach;
use crate::{AppError, Contradiction, Inside, Thing};

/// The longest name of a network interface, and so of a configuration file without its ending (IFNAMSIZ - 1).
const INTERFACE_NAME_MAX: usize = 15;

/// A WireGuard configuration file.
#[derive(Debug, Clone)]
pub struct ConfigurationFile {
    pub text: String,
    /// Whether it is complete; otherwise [`warren_model::configuration::PRIVATE_KEY_PLACEHOLDER`] stands in it.
    pub holds_private_key: bool,
    /// A name that wg-quick(8) accepts, with `.conf`.
    pub file_name: String,
}

/// The configuration of an enrolled device without its secrets: the private key was never here, and a pre-shared key was
/// shown at enrolment. Its owner, and admins.
///
/// # Errors
/// [`AppError::NotFound`], or [`Contradiction::DeviceRevoked`]
pub async fn configuration(inside: &Inside<'_>, id: DeviceId) -> Result<ConfigurationFile, AppError> {
    let (device, _) = within_reach(inside, id).await?;
    let network = inside.tenant.networks().by_id(device.network).await?.ok_or(AppError::NotFound(Thing::Network))?;
    render(inside, &network, &device, Secrets { private_key: None, preshared_key: None }).await
}

/// The secrets that may be shown.
pub(super) struct Secrets<'a> {
    pub(super) private_key: Option<&'a PrivateKey>,
    pub(super) preshared_key: Option<&'a PresharedKey>,
}

pub(super) async fn render(
    inside: &Inside<'_>,
    network: &Network,
    device: &Device,
    secrets: Secrets<'_>,
) -> Result<ConfigurationFile, AppError> {
    let gateway = inside.cx.system().gateways().by_id(network.gateway).await?;
    let gateway = gateway.ok_or(AppError::NotFound(Thing::Gateway))?;
    let configuration = Configuration {
        network,
        endpoint: &gateway.endpoint,
        addresses: device.addresses.ok_or(Contradiction::DeviceRevoked)?,
        private_key: secrets.private_key,
        preshared_key: secrets.preshared_key,
    };
    Ok(ConfigurationFile {
        text: configuration.render(),
        holds_private_key: secrets.private_key.is_some(),
        file_name: format!("{}.conf", interface_name(&device.name)),
    })
}

/// The device's name as a network interface may be called: at most 15 of `a-z`, `0-9` and `-`.
fn interface_name(name: &DeviceName) -> String {
    let mut out = String::new();
    for c in name.as_str().to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => out.push(c),
            // An apostrophe joins: "Anna's" becomes "annas".
            '\'' | '’' => {}
            _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            _ => {}
        }
    }
    out.truncate(INTERFACE_NAME_MAX);
    let trimmed = out.trim_end_matches('-');
    if trimmed.is_empty() { "warren".to_owned() } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_names_that_interfaces_may_have() {
        for (name, expected) in [
            ("Anna's laptop", "annas-laptop"),
            ("Büro – Drucker 2", "b-ro-drucker-2"),
            ("a very long name indeed", "a-very-long-nam"),
            ("日本", "warren"),
        ] {
            assert_eq!(interface_name(&name.parse().unwrap()), expected);
        }
    }
}
