//! From the socket to the TUN device: a batch of datagrams at a time.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use gotatun::{
    noise::TunnResult,
    packet::{Packet, WgKind},
    tun::MtuWatcher,
};

use super::{
    coalesce::Coalescer,
    peer::{Peer, Standing},
    switch::Switch,
    tun::Tun,
    udp::{ReceiveBuffer, Socket},
};

/// Carries until it is aborted.
pub(super) async fn carry(switch: Arc<Switch>, socket: Arc<Socket>, tun: Arc<Tun>, mtu: u16) {
    let mut inbound =
        Inbound { switch, mtu: MtuWatcher::new(mtu), replies: Vec::new(), accepted: Coalescer::default() };
    let mut buffer = ReceiveBuffer::default();
    let mut datagrams = Vec::new();
    loop {
        socket.receive(&mut buffer, &mut datagrams).await;
        // Datagrams of one session come in rows, and so do packets of one source.
        let mut last = Last::default();
        for (datagram, from) in datagrams.drain(..) {
            inbound.take(datagram, from, &mut last);
        }
        tun.write(&mut inbound.accepted);
        socket.send(&mut inbound.replies).await;
    }
}

struct Inbound {
    switch: Arc<Switch>,
    mtu: MtuWatcher,
    replies: Vec<(Packet, SocketAddr)>,
    accepted: Coalescer,
}

/// What the last lookups of this batch found.
#[derive(Default)]
struct Last {
    holder: Option<(u32, Arc<Peer>)>,
    owner: Option<(IpAddr, Arc<Peer>)>,
}

impl Inbound {
    fn take(&mut self, datagram: Packet, from: SocketAddr, last: &mut Last) {
        let packet = match self.switch.limiter.verify_packet(from, datagram) {
            Ok(packet) => packet,
            Err(TunnResult::WriteToNetwork(cookie)) => return self.replies.push((cookie.into(), from)),
            Err(_) => return,
        };
        let Some(peer) = self.sender(&packet, last) else { return };
        let mut state = peer.0.lock();
        if state.standing == Standing::Removed {
            return;
        }
        match state.tunn.handle_incoming_packet(packet) {
            TunnResult::Done | TunnResult::Err(_) => return,
            TunnResult::WriteToNetwork(reply) => {
                state.endpoint = Some(from);
                self.reply(reply, &peer, from);
            }
            TunnResult::WriteToTunnel(packet) => {
                state.endpoint = Some(from);
                self.accept(packet, &peer, last);
            }
        }
        // The packet may have opened the session that earlier packets to this peer waited for.
        let waiting: Vec<_> = state.tunn.get_queued_packets(&mut self.mtu).collect();
        for packet in waiting {
            self.reply(packet, &peer, from);
        }
    }

    fn sender(&self, packet: &WgKind, last: &mut Last) -> Option<Arc<Peer>> {
        let session = match packet {
            WgKind::HandshakeInit(packet) => return self.switch.initiator(packet),
            WgKind::HandshakeResp(packet) => packet.receiver_idx.get(),
            WgKind::CookieReply(packet) => packet.receiver_idx.get(),
            WgKind::Data(packet) => packet.header.receiver_idx.get(),
        };
        if let Some((known, peer)) = &last.holder
            && *known == session
        {
            return Some(peer.clone());
        }
        let peer = self.switch.holder_of(session)?;
        last.holder = Some((session, peer.clone()));
        Some(peer)
    }

    fn reply(&mut self, packet: WgKind, peer: &Arc<Peer>, to: SocketAddr) {
        self.switch.note_session(&packet, peer);
        self.replies.push((packet.into(), to));
    }

    /// Lets a decrypted packet through when what would be sent to its source would go to the same peer.
    fn accept(&mut self, packet: Packet, peer: &Arc<Peer>, last: &mut Last) {
        // Empty ones are keepalives; the rest is cut to the length that its header gives.
        let Some((source, packet)) =
            (!packet.is_empty()).then(|| packet.try_into_ipvx().ok()).flatten().map(|packet| {
                packet.either::<_, _, (IpAddr, Packet)>(
                    |ipv4| (ipv4.header.source().into(), ipv4.into()),
                    |ipv6| (ipv6.header.source().into(), ipv6.into()),
                )
            })
        else {
            return;
        };
        let is_known = last.owner.as_ref().is_some_and(|(known, owner)| *known == source && Arc::ptr_eq(owner, peer));
        if !is_known {
            match self.switch.owner_of(source) {
                Some(owner) if Arc::ptr_eq(&owner, peer) => last.owner = Some((source, owner)),
                _ => return,
            }
        }
        self.accepted.push(packet);
    }
}
