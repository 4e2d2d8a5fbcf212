//! The WireGuard configuration file that stock clients read (wg(8), wg-quick(8)).

use std::fmt::Write;

use crate::{PresharedKey, PrivateKey, address::Addresses, gateway::EndpointHost, network::Network};

/// Stands in a configuration where a private key goes that only the device knows.
pub const PRIVATE_KEY_PLACEHOLDER: &str = "REPLACE_WITH_THE_PRIVATE_KEY_OF_THIS_DEVICE";

/// What one device's configuration is made of.
#[derive(Debug)]
pub struct Configuration<'a> {
    pub network: &'a Network,
    pub endpoint: &'a EndpointHost,
    pub addresses: Addresses,
    /// None leaves [`PRIVATE_KEY_PLACEHOLDER`] in its place.
    pub private_key: Option<&'a PrivateKey>,
    pub preshared_key: Option<&'a PresharedKey>,
}

impl Configuration<'_> {
    /// The file's text, in the order of wg-quick(8).
    pub fn render(&self) -> String {
        let settings = &self.network.settings;
        let private_key =
            self.private_key.map_or_else(|| PRIVATE_KEY_PLACEHOLDER.to_owned(), PrivateKey::expose_base64);
        let mut text = format!("[Interface]\nPrivateKey = {private_key}\n");
        let host_length = |address: &std::net::IpAddr| if address.is_ipv4() { 32 } else { 128 };
        line(&mut text, "Address", self.addresses.iter().map(|address| format!("{address}/{}", host_length(&address))));
        let servers = settings.dns.servers().iter().map(ToString::to_string);
        line(&mut text, "DNS", servers.chain(settings.dns.search_domains().iter().map(ToString::to_string)));
        line(&mut text, "MTU", [settings.mtu.bytes().to_string()]);

        let _ = write!(text, "\n[Peer]\nPublicKey = {}\n", self.network.public_key);
        line(&mut text, "PresharedKey", self.preshared_key.map(PresharedKey::expose_base64));
        line(&mut text, "AllowedIPs", settings.routes().iter().map(ToString::to_string));
        line(&mut text, "Endpoint", [self.endpoint.with_port(self.network.listen_port)]);
        let keepalive = settings.keepalive.seconds();
        line(&mut text, "PersistentKeepalive", (keepalive > 0).then(|| keepalive.to_string()));
        text
    }
}

/// `key = a, b`, or nothing when there is nothing to say.
fn line(text: &mut String, key: &str, values: impl IntoIterator<Item = String>) {
    let values: Vec<String> = values.into_iter().collect();
    if !values.is_empty() {
        let _ = writeln!(text, "{key} = {}", values.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        GatewayId, NetworkId, PublicKey,
        address::{HostIndex, Prefixes},
        network::{DeviceTraffic, Dns, Keepalive, Mtu, NetworkSettings, Tunnel},
    };

    fn network(tunnel: Tunnel) -> Network {
        Network {
            id: NetworkId::from_uuid(uuid::Uuid::nil()),
            gateway: GatewayId::from_uuid(uuid::Uuid::nil()),
            listen_port: 51820,
            public_key: PublicKey::from_bytes([9; 32]).unwrap(),
            created_at: time::OffsetDateTime::UNIX_EPOCH,
            revision: 1,
            settings: NetworkSettings {
                name: "Office".parse().unwrap(),
                prefixes: Prefixes::new(Some("10.20.0.0/24".parse().unwrap()), Some("fd00:1::/64".parse().unwrap()))
                    .unwrap(),
                dns: Dns::new(vec!["10.20.0.53".parse().unwrap()], vec!["corp.example".parse().unwrap()]).unwrap(),
                tunnel,
                device_traffic: DeviceTraffic::Allowed,
                mtu: Mtu::default(),
                keepalive: Keepalive::default(),
            },
        }
    }

    #[test]
    fn a_split_tunnel_names_the_network_and_its_routes() {
        let network = network(Tunnel::split(vec!["192.168.7.0/24".parse().unwrap()]).unwrap());
        let configuration = Configuration {
            network: &network,
            endpoint: &"vpn.example.org".parse().unwrap(),
            addresses: network.settings.prefixes.at(HostIndex(2)),
            private_key: Some(&PrivateKey::from_bytes([7; 32])),
            preshared_key: Some(&PresharedKey::from_bytes([5; 32])),
        };
        assert_eq!(
            configuration.render(),
            "[Interface]\n\
             PrivateKey = BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\
             Address = 10.20.0.2/32, fd00:1::2/128\n\
             DNS = 10.20.0.53, corp.example\n\
             MTU = 1420\n\
             \n\
             [Peer]\n\
             PublicKey = CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\n\
             PresharedKey = BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=\n\
             AllowedIPs = 10.20.0.0/24, fd00:1::/64, 192.168.7.0/24\n\
             Endpoint = vpn.example.org:51820\n\
             PersistentKeepalive = 25\n"
        );
    }

    #[test]
    fn a_full_tunnel_leaves_no_family_outside() {
        let network = network(Tunnel::Full);
        let configuration = Configuration {
            network: &network,
            endpoint: &"192.0.2.1".parse().unwrap(),
            addresses: network.settings.prefixes.at(HostIndex(2)),
            private_key: None,
            preshared_key: None,
        };
        let text = configuration.render();
        assert!(text.contains("AllowedIPs = 0.0.0.0/0, ::/0\n"), "{text}");
        assert!(text.contains(PRIVATE_KEY_PLACEHOLDER) && !text.contains("PresharedKey"), "{text}");
    }
}
