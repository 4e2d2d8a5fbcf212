//! From the TUN device to the socket: a batch of packets at a time.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use gotatun::{
    packet::{Ip, Packet},
    tun::MtuWatcher,
};

use super::{
    peer::{Peer, Standing},
    switch::Switch,
    tun::{Reader, Tun},
    udp::Socket,
};

/// How often time passes for sessions; WireGuard's shortest timer is one second.
const TICK: Duration = Duration::from_millis(250);

/// Carries until the device is gone or it is aborted.
pub(super) async fn carry(switch: Arc<Switch>, socket: Arc<Socket>, tun: Arc<Tun>, mtu: u16) {
    let mut reader = Reader::new(tun);
    let mut mtu = MtuWatcher::new(mtu);
    let mut packets = Vec::new();
    let mut encrypted = Vec::new();
    while let Ok(()) = reader.read(&mut packets).await {
        let mut last = None;
        for packet in packets.drain(..) {
            encrypt(&switch, packet, &mut mtu, &mut last, &mut encrypted);
        }
        socket.send(&mut encrypted).await;
    }
    // The device was deleted; the end of this task tells it.
}

/// Sends keepalives and handshakes when they are due, until it is aborted.
pub(super) async fn keep_time(switch: Arc<Switch>, socket: Arc<Socket>) {
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut due = Vec::new();
    loop {
        interval.tick().await;
        switch.tick(&mut due);
        socket.send(&mut due).await;
    }
}

fn encrypt(
    switch: &Switch,
    packet: Packet<Ip>,
    mtu: &mut MtuWatcher,
    last: &mut Option<(IpAddr, Arc<Peer>)>,
    encrypted: &mut Vec<(Packet, SocketAddr)>,
) {
    let Some(destination) = packet.destination() else { return };
    let peer = match last {
        Some((known, peer)) if *known == destination => peer.clone(),
        _ => {
            let Some(peer) = switch.owner_of(destination) else { return };
            *last = Some((destination, peer.clone()));
            peer
        }
    };
    let mut state = peer.0.lock();
    // A device that has not yet spoken cannot be spoken to.
    let (Some(endpoint), Standing::InForce) = (state.endpoint, state.standing) else { return };
    if let Some(packet) = state.tunn.handle_outgoing_packet(packet.into_bytes(), Some(mtu)) {
        switch.note_session(&packet, &peer);
        encrypted.push((packet.into(), endpoint));
    }
}
