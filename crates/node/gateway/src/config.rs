//! What a gateway is told at its start.

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr};

use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use warren_wire::node::v1::Backend;

use crate::kernel;

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
    /// What carries the packets.
    pub backend: BackendChoice,
    /// Whether the link may go without encryption to another machine.
    pub plain_http: PlainHttp,
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
            backend: BackendChoice::Auto,
            plain_http: PlainHttp::WithinThisMachine,
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

/// What is to carry a gateway's packets: `auto`, `userspace` or `kernel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BackendChoice {
    /// The kernel where it has WireGuard, the gateway itself elsewhere.
    #[default]
    Auto,
    Userspace,
    Kernel,
}

/// Why a text is not a [`BackendChoice`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not auto, userspace or kernel")]
pub struct BackendChoiceError;

impl BackendChoice {
    /// What will carry on this host, given that what was asked for is there. Asking loads the kernel's module.
    pub(crate) fn choose(self) -> Backend {
        match self {
            Self::Userspace => Backend::Userspace,
            Self::Kernel => Backend::Kernel,
            Self::Auto if kernel::is_available() => Backend::Kernel,
            Self::Auto => Backend::Userspace,
        }
    }
}

impl FromStr for BackendChoice {
    type Err = BackendChoiceError;
    fn from_str(text: &str) -> Result<Self, BackendChoiceError> {
        match text {
            "auto" => Ok(Self::Auto),
            "userspace" => Ok(Self::Userspace),
            "kernel" => Ok(Self::Kernel),
            _ => Err(BackendChoiceError),
        }
    }
}

impl fmt::Display for BackendChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Userspace => "userspace",
            Self::Kernel => "kernel",
        })
    }
}

/// How far the link to the control plane, which carries private keys, may go without encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlainHttp {
    #[default]
    WithinThisMachine,
    /// Also to other machines: for those who encrypt the way between them otherwise.
    Anywhere,
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
    /// Whether what goes there could be read on the way.
    pub fn is_readable_by_others(&self) -> bool {
        let Self::Http { host, .. } = self else { return false };
        let is_loopback = host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
        !is_loopback && host != "localhost"
    }

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
    fn only_plain_http_beyond_this_machine_is_readable() {
        let is_readable = |text: &str| text.parse::<ServerAddress>().unwrap().is_readable_by_others();
        for safe in ["https://vpn.example.org", "http://127.3.2.1:80", "http://[::1]:80", "http://localhost", "unix:/x"]
        {
            assert!(!is_readable(safe), "{safe}");
        }
        for readable in
            ["http://vpn.example.org", "http://10.0.0.1:8080", "http://[fd00::1]", "http://localhost.evil.org"]
        {
            assert!(is_readable(readable), "{readable}");
        }
    }

    #[test]
    fn backends_are_read_and_written_alike() {
        for choice in [BackendChoice::Auto, BackendChoice::Userspace, BackendChoice::Kernel] {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        assert_eq!("Kernel".parse::<BackendChoice>(), Err(BackendChoiceError));
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
