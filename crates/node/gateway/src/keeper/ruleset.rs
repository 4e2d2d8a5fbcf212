//! The rules of nftables, as text: who may reach whom inside a network, and what passes between networks and the host.

use std::fmt::Write;

use ipnet::IpNet;
use warren_wire::node::v1::DeviceTraffic;

use super::message::{Begin, Surroundings};
use crate::config::HostProtocol;

/// The TUN device inside a namespace.
pub(crate) const TUNNEL: &str = "tunnel";
/// The namespace's end of its way to the host.
pub(crate) const UPLINK: &str = "uplink";

/// By their numbers (IANA): nft knows the names only where /etc/protocols has them.
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

/// The table inside a network's namespace, replacing what was there.
pub(crate) fn inside(surroundings: &Surroundings) -> String {
    let devices = match surroundings.device_traffic {
        DeviceTraffic::Allowed => "accept",
        DeviceTraffic::Blocked => "reject with icmpx admin-prohibited",
    };
    let routes = routes(&surroundings.routes);
    format!(
        r#"table inet warren
delete table inet warren
table inet warren {{
{sets}	chain forward {{
		type filter hook forward priority filter; policy drop;
		tcp flags syn tcp option maxseg size set rt mtu
		iifname "{TUNNEL}" oifname "{TUNNEL}" {devices}
		ct state invalid drop
{rules}		iifname "{UPLINK}" oifname "{TUNNEL}" ct state established,related accept
		iifname "{TUNNEL}" reject with icmpx admin-prohibited
	}}
	chain input {{
		type filter hook input priority filter; policy drop;
		iif lo accept
		ct state established,related accept
		meta l4proto {{ {ICMP}, {ICMPV6} }} accept
		iifname "{TUNNEL}" reject with icmpx port-unreachable
	}}
	chain postrouting {{
		type nat hook postrouting priority srcnat; policy accept;
		oifname "{UPLINK}" masquerade
	}}
}}
"#,
        sets = routes.sets,
        rules = routes.rules,
    )
}

struct Routes {
    sets: String,
    rules: String,
}

/// A set for each family that has routes, and the rule that lets devices there.
fn routes(routes: &[IpNet]) -> Routes {
    let mut text = Routes { sets: String::new(), rules: String::new() };
    let families: [(&str, &str, &str, Vec<&IpNet>); 2] = [
        ("ipv4", "ip", "ipv4_addr", routes.iter().filter(|net| net.addr().is_ipv4()).collect()),
        ("ipv6", "ip6", "ipv6_addr", routes.iter().filter(|net| net.addr().is_ipv6()).collect()),
    ];
    for (family, header, kind, nets) in families {
        let way = format!("\t\tiifname \"{TUNNEL}\" oifname \"{UPLINK}\"");
        if nets.iter().any(|net| net.prefix_len() == 0) {
            let _ = writeln!(text.rules, "{way} meta nfproto {family} accept");
        } else if !nets.is_empty() {
            let elements = nets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let _ = writeln!(
                text.sets,
                "\tset {family}_routes {{ type {kind}; flags interval; auto-merge; elements = {{ {elements} }}; }}"
            );
            let _ = writeln!(text.rules, "{way} {header} daddr @{family}_routes accept");
        }
    }
    text
}

/// The host's table, replacing what an earlier run left.
pub(crate) fn host(begin: &Begin) -> String {
    let table = format!("inet warren_{}", begin.instance);
    let links = format!("\"{}*\"", begin.instance.link_prefix());
    let mut ports = String::new();
    for allowed in &begin.host_ports {
        let protocol = match allowed.protocol {
            HostProtocol::Tcp => "tcp",
            HostProtocol::Udp => "udp",
        };
        let _ = writeln!(ports, "\t\tiifname {links} {protocol} dport {} accept", allowed.port);
    }
    format!(
        r#"table {table}
delete table {table}
table {table} {{
	chain forward {{
		type filter hook forward priority filter; policy accept;
		iifname {links} oifname {links} drop
		iifname {links} tcp flags syn tcp option maxseg size set rt mtu
		iifname {links} accept
		oifname {links} ct state established,related accept
		oifname {links} drop
	}}
	chain input {{
		type filter hook input priority filter; policy accept;
		iifname {links} ct state established,related accept
		iifname {links} icmp type {{ echo-request, destination-unreachable, time-exceeded, parameter-problem }} accept
		iifname {links} icmpv6 type {{ echo-request, destination-unreachable, packet-too-big, time-exceeded, parameter-problem, nd-neighbor-solicit, nd-neighbor-advert }} accept
{ports}		iifname {links} drop
	}}
	chain postrouting {{
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr {ipv4} oifname != {links} masquerade
		ip6 saddr {ipv6} oifname != {links} masquerade
	}}
}}
"#,
        ipv4 = begin.transit_ipv4,
        ipv6 = begin.transit_ipv6,
    )
}

/// Takes the host's table away.
pub(crate) fn without_host(begin: &Begin) -> String {
    let table = format!("inet warren_{}", begin.instance);
    format!("table {table}\ndelete table {table}\n")
}
