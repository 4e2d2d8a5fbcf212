//! One network's WireGuard interface in the kernel.

use std::{
    io,
    net::SocketAddr,
    os::fd::{AsRawFd, BorrowedFd},
};

use gotatun::x25519;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_generic::GenlMessage;
use netlink_packet_wireguard::{WireguardAttribute, WireguardCmd, WireguardMessage, WireguardPeer};
use netlink_sys::protocols::{NETLINK_GENERIC, NETLINK_ROUTE};
use rtnetlink::{LinkMessageBuilder, LinkUnspec, LinkWireguard, packet_route::RouteNetlinkMessage};
use warren_model::{DeviceId, PrivateKey, PublicKey};

use super::{
    peer::{self, Known, told},
    socket::Socket,
};
use crate::carrier::{
    CarrierError, PeerSettings, PeerStats,
    ledger::{Ledger, Step},
};

/// Peers in one message. With two prefixes each they take about 10 KiB of the 64 KiB that an attribute may have.
const PEERS_PER_MESSAGE_MAX: usize = 64;

/// What an interface is made of.
#[derive(Debug)]
pub struct Parts<'a> {
    /// Its name, at most 15 bytes, free in the namespace `inside`.
    pub name: &'a str,
    /// The network's namespace, which the interface is to be in.
    pub inside: BorrowedFd<'a>,
    /// In bytes, of the packets inside the tunnel.
    pub mtu: u16,
    /// The UDP port in the calling thread's namespace.
    pub listen_port: u16,
    pub private_key: PrivateKey,
}

/// Whether this kernel has WireGuard; asking loads the module where it is one.
pub fn is_available() -> bool {
    Socket::open(NETLINK_GENERIC).and_then(|mut socket| socket.family::<WireguardMessage>()).is_ok()
}

/// An interface that this process made. It goes with its namespace, or by [`Interface::remove`].
#[derive(Debug)]
pub struct Interface {
    name: String,
    listen_port: u16,
    family: u16,
    /// Both in the network's namespace.
    wireguard: Socket,
    links: Socket,
    ledger: Ledger,
}

impl Interface {
    /// Makes the interface in its namespace, as yet down and for nobody. The calling thread's namespace becomes that of
    /// its UDP socket.
    ///
    /// # Errors
    /// [`CarrierError::NoKernelWireGuard`], [`CarrierError::NotPermitted`], [`CarrierError::WeakKey`], or what the
    /// kernel refuses, such as a name in use. Nothing is left then.
    pub fn create(parts: &Parts<'_>) -> Result<Self, CarrierError> {
        let private_key = x25519::StaticSecret::from(*parts.private_key.expose_bytes());
        let own_key = PublicKey::from_bytes(x25519::PublicKey::from(&private_key).to_bytes());
        let ledger = own_key.map(Ledger::new).map_err(|_| CarrierError::WeakKey)?;
        let in_namespace = |error| CarrierError::from_io("open netlink in the network's namespace", error);
        let mut wireguard = Socket::open_inside(NETLINK_GENERIC, parts.inside).map_err(in_namespace)?;
        let links = Socket::open_inside(NETLINK_ROUTE, parts.inside).map_err(in_namespace)?;
        let family = wireguard.family::<WireguardMessage>().map_err(|_| CarrierError::NoKernelWireGuard)?;
        let link = LinkMessageBuilder::<LinkWireguard>::new(parts.name)
            .mtu(parts.mtu.into())
            .setns_by_fd(parts.inside.as_raw_fd())
            .build();
        // One message makes it there with its socket here: WireGuard keeps the namespace that the request came from.
        Socket::open(NETLINK_ROUTE)
            .and_then(|mut here| here.request(RouteNetlinkMessage::NewLink(link), NLM_F_CREATE | NLM_F_EXCL))
            .map_err(|error| CarrierError::from_io("make a WireGuard interface", error))?;
        let mut made =
            Self { name: parts.name.to_owned(), listen_port: parts.listen_port, family, wireguard, links, ledger };
        let configured = made.tell(vec![
            WireguardAttribute::PrivateKey(*parts.private_key.expose_bytes()),
            WireguardAttribute::ListenPort(parts.listen_port),
        ]);
        match configured {
            Ok(()) => Ok(made),
            Err(error) => {
                // The error that counts is the first.
                let _ = made.remove();
                Err(error)
            }
        }
    }

    /// Binds the port and begins to carry packets.
    ///
    /// # Errors
    /// [`CarrierError::PortInUse`], or what the kernel refuses.
    pub fn set_up(&mut self) -> Result<(), CarrierError> {
        let link = LinkMessageBuilder::<LinkUnspec>::new().name(self.name.clone()).up().build();
        self.links.request(RouteNetlinkMessage::SetLink(link), 0).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => CarrierError::PortInUse { port: self.listen_port },
            _ => CarrierError::from_io("set the WireGuard interface up", error),
        })
    }

    /// Adds the peers that are new and changes those that differ; all others stay as they are.
    ///
    /// # Errors
    /// [`CarrierError::OwnKey`] when a device has the network's key; the others are in force all the same.
    /// [`CarrierError::System`] when the kernel refuses, after which the interface is of no further use.
    pub fn set_peers(&mut self, peers: Vec<PeerSettings>) -> Result<(), CarrierError> {
        let plan = self.ledger.plan_set(peers);
        self.carry_out(plan.steps)?;
        match plan.refused {
            Some(device) => Err(CarrierError::OwnKey { device }),
            None => Ok(()),
        }
    }

    /// Begins a handshake with each of `peers` that is in force, where it was heard from last. The interface has to be up.
    ///
    /// # Errors
    /// [`CarrierError::System`] when the kernel refuses, after which the interface is of no further use.
    pub fn call_peers(&mut self, peers: Vec<(DeviceId, SocketAddr)>) -> Result<(), CarrierError> {
        let peers = peers.into_iter().filter_map(|(device, endpoint)| Some((self.ledger.key(device)?, endpoint)));
        let peers: Vec<_> = peers.collect();
        for some in peers.chunks(PEERS_PER_MESSAGE_MAX) {
            let calling = some.iter().map(|(key, endpoint)| peer::calling(key, *endpoint)).collect();
            self.tell(vec![WireguardAttribute::Peers(calling)])?;
            let called = some.iter().map(|(key, _)| peer::called(key)).collect();
            self.tell(vec![WireguardAttribute::Peers(called)])?;
        }
        Ok(())
    }

    /// Shuts `devices` out; those that are not in force need nothing.
    ///
    /// # Errors
    /// [`CarrierError::System`] when the kernel refuses, after which the interface is of no further use.
    pub fn remove_peers(&mut self, devices: Vec<DeviceId>) -> Result<(), CarrierError> {
        let steps = self.ledger.plan_remove(devices);
        self.carry_out(steps)
    }

    /// What is known of each device in force, in no order.
    ///
    /// # Errors
    /// [`CarrierError::System`] when the kernel refuses.
    pub fn stats(&mut self) -> Result<Vec<PeerStats>, CarrierError> {
        let known = self.read()?;
        let stats = known.into_iter().filter_map(|known| {
            let device = self.ledger.owner(&known.public_key)?;
            let total = self.ledger.total(device, known.bytes);
            Some(PeerStats {
                device,
                last_handshake_at: known.last_handshake_at,
                endpoint: known.endpoint,
                received_bytes: total.received,
                sent_bytes: total.sent,
            })
        });
        Ok(stats.collect())
    }

    /// Ends all sessions and takes the interface away; its port is free again.
    ///
    /// # Errors
    /// [`CarrierError::System`] when the kernel refuses.
    pub fn remove(mut self) -> Result<(), CarrierError> {
        let link = LinkMessageBuilder::<LinkUnspec>::new().name(self.name.clone()).build();
        self.links
            .request(RouteNetlinkMessage::DelLink(link), 0)
            .map_err(|error| CarrierError::from_io("remove the WireGuard interface", error))
    }

    fn carry_out(&mut self, steps: Vec<Step>) -> Result<(), CarrierError> {
        self.keep_bytes(&steps)?;
        let mut peers: Vec<WireguardPeer> = steps.into_iter().map(told).collect();
        while !peers.is_empty() {
            let later = peers.split_off(peers.len().min(PEERS_PER_MESSAGE_MAX));
            self.tell(vec![WireguardAttribute::Peers(std::mem::replace(&mut peers, later))])?;
        }
        Ok(())
    }

    /// The kernel forgets the bytes of a peer with the peer.
    fn keep_bytes(&mut self, steps: &[Step]) -> Result<(), CarrierError> {
        if !steps.iter().any(|step| matches!(step, Step::Remove(..))) {
            return Ok(());
        }
        let known = self.read()?;
        for step in steps {
            if let Step::Remove(device, key) = step
                && let Some(known) = known.iter().find(|known| known.public_key == *key)
            {
                self.ledger.carry(*device, known.bytes);
            }
        }
        Ok(())
    }

    fn tell(&mut self, mut attributes: Vec<WireguardAttribute>) -> Result<(), CarrierError> {
        attributes.insert(0, WireguardAttribute::IfName(self.name.clone()));
        let message = self.message(WireguardCmd::SetDevice, attributes);
        self.wireguard
            .request(message, 0)
            .map_err(|error| CarrierError::from_io("change the WireGuard interface", error))
    }

    fn read(&mut self) -> Result<Vec<Known>, CarrierError> {
        let message = self.message(WireguardCmd::GetDevice, vec![WireguardAttribute::IfName(self.name.clone())]);
        let mut known = Vec::new();
        self.wireguard
            .dump(message, |part: GenlMessage<WireguardMessage>| {
                for attribute in &part.payload.attributes {
                    if let WireguardAttribute::Peers(peers) = attribute {
                        known.extend(peers.iter().filter_map(Known::from_kernel));
                    }
                }
            })
            .map_err(|error| CarrierError::from_io("read the WireGuard interface", error))?;
        Ok(known)
    }

    fn message(&self, cmd: WireguardCmd, attributes: Vec<WireguardAttribute>) -> GenlMessage<WireguardMessage> {
        let mut message = GenlMessage::from_payload(WireguardMessage { cmd, attributes });
        message.set_resolved_family_id(self.family);
        message
    }
}
