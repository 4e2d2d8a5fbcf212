//! Networks.

use std::net::IpAddr;

use ipnet::{Ipv4Net, Ipv6Net};
use warren_app::{
    AppError,
    networks::{Change, Create, NetworkView},
};
use warren_model::{
    GatewayId, Invalid,
    address::{Prefixes, parse_address, parse_ipv4_prefix, parse_ipv6_prefix, parse_prefix},
    name::DomainName,
    network::{DeviceTraffic, Dns, Keepalive, Mtu, NetworkSettings, Tunnel},
};
use warren_wire::rest::v1;

use super::present;
use crate::fields::Fields;

/// # Errors
/// [`AppError::Invalid`] with every field that cannot be used.
pub fn read_create(body: v1::CreateNetwork) -> Result<Create, AppError> {
    let mut fields = Fields::default();
    let name = fields.read("name", body.name.parse());
    let prefixes = read_prefixes(&mut fields, body.ipv4_prefix, body.ipv6_prefix);
    let dns = read_dns(&mut fields, &body.dns_servers, &body.search_domains);
    let tunnel = read_tunnel(&mut fields, body.tunnel.unwrap_or(v1::Tunnel::Split { routes: Vec::new() }));
    let traffic = body.device_traffic.as_deref().map_or(Ok(DeviceTraffic::Allowed), read_device_traffic);
    let device_traffic = fields.read("device_traffic", traffic);
    let mtu = fields.read("mtu", body.mtu.map_or(Ok(Mtu::default()), Mtu::new));
    let keepalive =
        fields.read("keepalive_seconds", body.keepalive_seconds.map_or(Ok(Keepalive::default()), Keepalive::new));
    let (Some(name), Some(prefixes), Some(dns), Some(tunnel), Some(device_traffic), Some(mtu), Some(keepalive)) =
        (name, prefixes, dns, tunnel, device_traffic, mtu, keepalive)
    else {
        return Err(fields.refuse());
    };
    let settings = NetworkSettings { name, prefixes, dns, tunnel, device_traffic, mtu, keepalive };
    Ok(Create { settings, gateway: body.gateway_id.map(GatewayId::from_uuid) })
}

/// # Errors
/// [`AppError::Invalid`] with every field that cannot be used.
pub fn read_change(body: v1::UpdateNetwork) -> Result<Change, AppError> {
    let mut fields = Fields::default();
    let name = fields.read_optional("name", body.name.as_deref().map(str::parse));
    let ipv4 = fields
        .read_optional("ipv4_prefix", body.ipv4_prefix.map(|text| present(Some(text)).map(read_ipv4).transpose()));
    let ipv6 = fields
        .read_optional("ipv6_prefix", body.ipv6_prefix.map(|text| present(Some(text)).map(read_ipv6).transpose()));
    let servers = body.dns_servers.map(|servers| read_servers(&mut fields, &servers));
    let domains = body.search_domains.map(|domains| read_domains(&mut fields, &domains));
    let tunnel = body.tunnel.map(|tunnel| read_tunnel(&mut fields, tunnel));
    let device_traffic =
        fields.read_optional("device_traffic", body.device_traffic.as_deref().map(read_device_traffic));
    let mtu = fields.read_optional("mtu", body.mtu.map(Mtu::new));
    let keepalive = fields.read_optional("keepalive_seconds", body.keepalive_seconds.map(Keepalive::new));
    if !fields.errors().is_empty() {
        return Err(fields.refuse());
    }
    Ok(Change {
        name: name.flatten(),
        ipv4: ipv4.flatten(),
        ipv6: ipv6.flatten(),
        dns_servers: servers.flatten(),
        search_domains: domains.flatten(),
        tunnel: tunnel.flatten(),
        device_traffic: device_traffic.flatten(),
        mtu: mtu.flatten(),
        keepalive: keepalive.flatten(),
    })
}

pub fn network(view: &NetworkView) -> v1::Network {
    let (network, settings) = (&view.network, &view.network.settings);
    v1::Network {
        id: network.id.uuid(),
        name: settings.name.to_string(),
        ipv4_prefix: settings.prefixes.ipv4().map(|net| net.to_string()),
        ipv6_prefix: settings.prefixes.ipv6().map(|net| net.to_string()),
        dns_servers: settings.dns.servers().iter().map(ToString::to_string).collect(),
        search_domains: settings.dns.search_domains().iter().map(ToString::to_string).collect(),
        tunnel: match &settings.tunnel {
            Tunnel::Full => v1::Tunnel::Full,
            Tunnel::Split { routes } => v1::Tunnel::Split { routes: routes.iter().map(ToString::to_string).collect() },
        },
        device_traffic: settings.device_traffic.as_str().to_owned(),
        mtu: settings.mtu.bytes(),
        keepalive_seconds: settings.keepalive.seconds(),
        gateway_id: network.gateway.uuid(),
        endpoint: view.endpoint.clone(),
        public_key: network.public_key.to_string(),
        capacity: settings.prefixes.capacity(),
        created_at: network.created_at,
        revision: network.revision,
    }
}

pub fn suggestion((ipv4, ipv6): (Ipv4Net, Ipv6Net)) -> v1::PrefixSuggestion {
    v1::PrefixSuggestion { ipv4_prefix: ipv4.to_string(), ipv6_prefix: ipv6.to_string() }
}

fn read_prefixes(fields: &mut Fields, ipv4: Option<String>, ipv6: Option<String>) -> Option<Prefixes> {
    let ipv4 = fields.read_optional("ipv4_prefix", present(ipv4).map(read_ipv4));
    let ipv6 = fields.read_optional("ipv6_prefix", present(ipv6).map(read_ipv6));
    fields.read("ipv4_prefix", Prefixes::new(ipv4?, ipv6?))
}

/// A prefix that can also serve a network on its own, so that the field at fault is named and not its sibling.
fn read_ipv4(text: String) -> Result<Ipv4Net, Invalid> {
    let net = parse_ipv4_prefix(&text)?;
    Prefixes::new(Some(net), None).map(|_| net)
}

fn read_ipv6(text: String) -> Result<Ipv6Net, Invalid> {
    let net = parse_ipv6_prefix(&text)?;
    Prefixes::new(None, Some(net)).map(|_| net)
}

fn read_dns(fields: &mut Fields, servers: &[String], domains: &[String]) -> Option<Dns> {
    let (servers, domains) = (read_servers(fields, servers), read_domains(fields, domains));
    fields.read("dns_servers", Dns::new(servers?, domains?))
}

fn read_servers(fields: &mut Fields, servers: &[String]) -> Option<Vec<IpAddr>> {
    let servers = fields.read_list("dns_servers", servers, |text| parse_address(text))?;
    fields.read("dns_servers", Dns::new(servers.clone(), Vec::new()).map(|_| servers))
}

fn read_domains(fields: &mut Fields, domains: &[String]) -> Option<Vec<DomainName>> {
    let domains = fields.read_list("search_domains", domains, |text| text.parse())?;
    fields.read("search_domains", Dns::new(Vec::new(), domains.clone()).map(|_| domains))
}

fn read_tunnel(fields: &mut Fields, tunnel: v1::Tunnel) -> Option<Tunnel> {
    match tunnel {
        v1::Tunnel::Full => Some(Tunnel::Full),
        v1::Tunnel::Split { routes } => {
            let routes = fields.read_list("tunnel.routes", &routes, |text| parse_prefix(text))?;
            fields.read("tunnel.routes", Tunnel::split(routes))
        }
    }
}

fn read_device_traffic(text: &str) -> Result<DeviceTraffic, Invalid> {
    text.parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: v1::CreateNetwork) -> Vec<(String, &'static str)> {
        let AppError::Invalid(errors) = read_create(body).unwrap_err() else { panic!("another error") };
        errors.into_iter().map(|error| (error.field.to_string(), error.invalid.code())).collect()
    }

    fn body() -> v1::CreateNetwork {
        serde_json::from_str(r#"{"name": "Office", "ipv4_prefix": "10.20.0.0/24"}"#).unwrap()
    }

    #[test]
    fn what_is_absent_takes_its_default() {
        let settings = read_create(body()).unwrap().settings;
        assert_eq!((settings.mtu, settings.keepalive), (Mtu::default(), Keepalive::default()));
        assert_eq!(settings.tunnel, Tunnel::split(Vec::new()).unwrap());
    }

    #[test]
    fn every_field_at_fault_is_named() {
        let mut body = body();
        body.name = " ".into();
        body.ipv4_prefix = Some("10.20.0.7/24".into());
        body.ipv6_prefix = Some("fe80::/64".into());
        body.dns_servers = vec!["10.0.0.53".into(), "dns.example.org".into()];
        body.search_domains = vec!["a.example".into(); 2];
        body.tunnel = Some(v1::Tunnel::Split { routes: vec!["nowhere".into()] });
        body.mtu = Some(70_000);
        assert_eq!(
            refused(body),
            [
                ("name".into(), "invalid-empty"),
                ("ipv4_prefix".into(), "invalid-host-bits"),
                ("ipv6_prefix".into(), "invalid-reserved-range"),
                ("dns_servers.1".into(), "invalid-address"),
                ("search_domains".into(), "invalid-repeated"),
                ("tunnel.routes.0".into(), "invalid-prefix"),
                ("mtu".into(), "invalid-out-of-range"),
            ]
        );
    }

    #[test]
    fn a_network_needs_a_prefix() {
        assert_eq!(
            refused(v1::CreateNetwork { ipv4_prefix: None, ..body() }),
            [("ipv4_prefix".into(), "invalid-no-prefix")]
        );
    }

    #[test]
    fn an_empty_text_removes_a_prefix() {
        let change = read_change(v1::UpdateNetwork { ipv4_prefix: Some(String::new()), ..Default::default() }).unwrap();
        assert_eq!((change.ipv4, change.ipv6), (Some(None), None));
    }
}
