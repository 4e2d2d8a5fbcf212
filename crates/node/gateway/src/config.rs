//! What a gateway is told at its start.

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr};

use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

/// The transit range when nothing else is asked for: within the shared address space of RFC 6598, which private networks
/// seldom use; room for 8192 networks.
pub const TRANSIT_IPV4_DEFAULT: &str = "100.127.192.0/18";

/// How a gateway is run.
#[derive(Debug, Clone)]
pub struct Config {
    /// The gateway's own folder: credential, desired state, lock. Made with mode 0700 if it is not there.
    pub state_dir: PathBuf,
    /// Where the control plane is.
    pub server: ServerAddress,
    /// PEM certificates that are trusted beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// What devices may reach on the gateway's own host; nothing by default but ICMP echo.
    pub host_ports: Vec<HostPort>,
    /// Each network's namespace is joined to the host by a /31 of this range. At least /30; two gateways on one host
    /// need two ranges.
    pub transit_ipv4: Ipv4Net,
    /// The same for IPv6, by a /127 each; without one, a range of RFC 4193 that is made at the gateway's first start.
    pub transit_ipv6: Option<Ipv6Net>,
    pub lifeline: Lifeline,
}

impl Config {
    /// The defaults for a gateway that keeps its things in `state_dir` and belongs to `server`.
    pub fn new(state_dir: PathBuf, server: ServerAddress) -> Self {
        Self {
            state_dir,
            server,
            ca_file: None,
            host_ports: Vec::new(),
            transit_ipv4: TRANSIT_IPV4_DEFAULT.parse().expect("the default is a prefix"),
            transit_ipv6: None,
            lifeline: Lifeline::Signals,
        }
    }
}

/// What a gateway lives by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifeline {
    /// It ends at SIGINT or SIGTERM.
    Signals,
    /// It ends also when its standard input closes: a parent holds the other end and so never leaves it behind.
    StandardInput,
}

/// A port of the host that devices may reach: `tcp/443`, `udp/53`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostPort {
    pub protocol: HostProtocol,
    pub port: u16,
}

/// The transport protocol of a [`HostPort`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostProtocol {
    Tcp,
    Udp,
}

/// Why a text is not a [`HostPort`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not a port such as tcp/443 or udp/53")]
pub struct HostPortError;

impl FromStr for HostPort {
    type Err = HostPortError;
    fn from_str(text: &str) -> Result<Self, HostPortError> {
        let (protocol, port) = text.split_once('/').ok_or(HostPortError)?;
        let protocol = match protocol {
            "tcp" => HostProtocol::Tcp,
            "udp" => HostProtocol::Udp,
            _ => return Err(HostPortError),
        };
        match port.parse() {
            Ok(port) if port > 0 => Ok(Self { protocol, port }),
            _ => Err(HostPortError),
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            HostProtocol::Tcp => "tcp",
            HostProtocol::Udp => "udp",
        };
        write!(f, "{protocol}/{}", self.port)
    }
}

/// Where the control plane listens: `https://vpn.example.org`, `http://127.0.0.1:8080`, `unix:/run/warren/node.sock`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerAddress {
    /// Without encryption: for the same machine.
    Http {
        host: String,
        port: u16,
    },
    Https {
        host: String,
        port: u16,
    },
    Unix(PathBuf),
}

/// Why a text is not a [`ServerAddress`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerAddressError {
    #[error("must begin with https://, http:// or unix:/")]
    Scheme,
    #[error("needs a host name or address after the scheme, and nothing after the port")]
    Host,
    #[error("has a port that is not a number from 1 to 65535")]
    Port,
}

impl ServerAddress {
    /// The `Host` header of requests to it.
    pub fn authority(&self) -> String {
        let (host, port, usual) = match self {
            Self::Http { host, port } => (host, *port, 80),
            Self::Https { host, port } => (host, *port, 443),
            Self::Unix(_) => return "localhost".into(),
        };
        let host = match host.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) => format!("[{address}]"),
            _ => host.clone(),
        };
        if port == usual { host } else { format!("{host}:{port}") }
    }
}

impl FromStr for ServerAddress {
    type Err = ServerAddressError;
    fn from_str(text: &str) -> Result<Self, ServerAddressError> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path);
            return if path.is_absolute() { Ok(Self::Unix(path)) } else { Err(ServerAddressError::Scheme) };
        }
        let (scheme, rest) = text.split_once("://").ok_or(ServerAddressError::Scheme)?;
        let usual = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return Err(ServerAddressError::Scheme),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let bracketed = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (host, port) = match bracketed {
            Some((host, port)) => {
                host.parse::<std::net::Ipv6Addr>().map_err(|_| ServerAddressError::Host)?;
                (host, port)
            }
            None => rest.split_at(rest.find(':').unwrap_or(rest.len())),
        };
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or(ServerAddressError::Port)?,
            None if port.is_empty() => usual,
            None => return Err(ServerAddressError::Host),
        };
        if host.is_empty() || host.contains(['/', '@', '?', '#', ' ']) {
            return Err(ServerAddressError::Host);
        }
        let host = host.to_owned();
        Ok(if scheme == "https" { Self::Https { host, port } } else { Self::Http { host, port } })
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { .. } => write!(f, "http://{}", self.authority()),
            Self::Https { .. } => write!(f, "https://{}", self.authority()),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_addresses_are_read_and_written_alike() {
        for text in
            ["https://vpn.example.org", "http://127.0.0.1:8080", "https://[fd00::1]:8443", "unix:/run/warren/node.sock"]
        {
            assert_eq!(text.parse::<ServerAddress>().unwrap().to_string(), text);
        }
        let slash = "https://vpn.example.org/".parse::<ServerAddress>().unwrap();
        assert_eq!(slash, ServerAddress::Https { host: "vpn.example.org".into(), port: 443 });
    }

    #[test]
    fn bad_server_addresses_are_refused() {
        for bad in [
            "",
            "vpn.example.org",
            "ftp://x",
            "unix:relative",
            "http://",
            "http://x:0",
            "http://x:99999",
            "https://x/path",
            "https://user@x",
            "https://[fd00::1",
            "https://[x]:1",
        ] {
            assert!(bad.parse::<ServerAddress>().is_err(), "{bad}");
        }
    }

    #[test]
    fn host_ports_are_read_and_written_alike() {
        assert_eq!("tcp/443".parse::<HostPort>().unwrap().to_string(), "tcp/443");
        for bad in ["", "tcp", "tcp/0", "tcp/65536", "sctp/1", "443"] {
            assert_eq!(bad.parse::<HostPort>(), Err(HostPortError), "{bad}");
        }
    }
}
