//! The place that most end-to-end tests play in: clients outside, a host that runs Warren, a server inside.
//!
//! ```text
//! client ─┐
//!         ├─ outside ─ host ─ inside ─ server
//! client ─┘
//! ```

use anyhow::Context;

use super::Namespace;

/// One host between a network that clients are on and one that they are to reach.
///
/// Nobody has a route to a network that is not their own: a client reaches the server through the host's tunnel only, and
/// the server's answer comes back only when the host translates addresses.
#[derive(Debug)]
pub struct Site {
    /// Where Warren runs; `outside` and `inside` are its interfaces.
    pub host: Namespace,
    /// A machine behind it.
    pub server: Namespace,
    /// Machines before it.
    pub clients: Vec<Namespace>,
}

impl Site {
    /// The host's address as clients dial it (RFC 5737's TEST-NET-1).
    pub const HOST_IPV4: &str = "192.0.2.1";
    /// The same by IPv6 (RFC 3849).
    pub const HOST_IPV6: &str = "2001:db8:0:1::1";
    /// The network inside (TEST-NET-2).
    pub const INSIDE_IPV4: &str = "198.51.100.0/24";
    pub const INSIDE_IPV6: &str = "2001:db8:0:2::/64";
    /// The server's addresses in it.
    pub const SERVER_IPV4: &str = "198.51.100.10";
    pub const SERVER_IPV6: &str = "2001:db8:0:2::10";
    /// The most clients that one site has addresses for.
    pub const CLIENTS_MAX: usize = 200;

    /// Makes the site with this many clients, each with the interface `eth0`.
    ///
    /// # Errors
    /// As [`Namespace::create`], or with more than [`Site::CLIENTS_MAX`] clients.
    pub fn with_clients(count: usize) -> anyhow::Result<Self> {
        anyhow::ensure!(count <= Self::CLIENTS_MAX, "a site has addresses for {} clients", Self::CLIENTS_MAX);
        let mut site =
            Self { host: Namespace::create("host")?, server: Namespace::create("server")?, clients: Vec::new() };
        site.host.run("ip link add outside type bridge").context("the kernel makes no bridge")?;
        site.host.run("ip link set outside up")?;
        site.host.add_address("outside", &format!("{}/24", Self::HOST_IPV4))?;
        site.host.add_address("outside", &format!("{}/64", Self::HOST_IPV6))?;

        site.host.connect("inside", &site.server, "eth0")?;
        site.host.add_address("inside", "198.51.100.1/24")?;
        site.host.add_address("inside", "2001:db8:0:2::1/64")?;
        site.server.add_address("eth0", &format!("{}/24", Self::SERVER_IPV4))?;
        site.server.add_address("eth0", &format!("{}/64", Self::SERVER_IPV6))?;

        for number in 0..count {
            let client = Namespace::create("client")?;
            let port = format!("client{number}");
            site.host.connect(&port, &client, "eth0")?;
            site.host.run(&format!("ip link set {port} master outside"))?;
            client.add_address("eth0", &format!("192.0.2.{}/24", 10 + number))?;
            client.add_address("eth0", &format!("2001:db8:0:1::{:x}/64", 0x10 + number))?;
            site.clients.push(client);
        }
        Ok(site)
    }
}
