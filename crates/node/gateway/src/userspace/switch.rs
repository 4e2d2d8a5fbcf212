//! The peers of a tunnel and the ways to find them: by key, by address, by session.
//!
//! Each lock is held for one lookup or one change, never while a packet is worked on and never across an await.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use gotatun::{
    noise::{Tunn, handshake::parse_handshake_anon, index_table::IndexTable, rate_limiter::RateLimiter},
    packet::{Packet, WgHandshakeInit, WgKind},
    x25519,
};
use ipnet::IpNet;
use parking_lot::{Mutex, RwLock};
use warren_model::PublicKey;

use super::{
    peer::{Peer, PeerState, Standing},
    routes::Routes,
};
use crate::carrier::{PeerSettings, ledger::Bytes};

/// Handshakes a second from one address before it has to prove that it can receive there (WireGuard's cookies).
const HANDSHAKES_PER_SECOND: u64 = 100;

/// Everything that packets are looked up in.
pub(super) struct Switch {
    private_key: x25519::StaticSecret,
    public_key: x25519::PublicKey,
    pub(super) limiter: Arc<RateLimiter>,
    sessions: IndexTable,
    by_key: RwLock<HashMap<[u8; 32], Arc<Peer>>>,
    by_address: RwLock<Routes<Arc<Peer>>>,
    by_session: RwLock<HashMap<u32, Arc<Peer>>>,
}

impl Switch {
    pub(super) fn new(private_key: x25519::StaticSecret) -> Self {
        let public_key = x25519::PublicKey::from(&private_key);
        Self {
            private_key,
            public_key,
            limiter: Arc::new(RateLimiter::new(&public_key, HANDSHAKES_PER_SECOND)),
            sessions: IndexTable::from_os_rng(),
            by_key: RwLock::default(),
            by_address: RwLock::default(),
            by_session: RwLock::default(),
        }
    }

    /// Adds a peer; the agreement on Curve25519 that it costs is made before anything is locked.
    pub(super) fn add(&self, settings: PeerSettings) {
        let key = *settings.public_key.as_bytes();
        let tunn = Tunn::new(
            self.private_key.clone(),
            key.into(),
            settings.preshared_key.as_ref().map(|key| *key.expose_bytes()),
            None,
            self.sessions.clone(),
            self.limiter.clone(),
        );
        let allowed = settings.allowed;
        let state = PeerState { tunn, endpoint: None, allowed: allowed.clone(), standing: Standing::InForce };
        let peer = Arc::new(Peer(Mutex::new(state)));
        self.by_key.write().insert(key, peer.clone());
        let mut routes = self.by_address.write();
        for net in allowed {
            routes.insert(net, peer.clone());
        }
    }

    /// Gives a peer other prefixes; its session stays, and so does all traffic of the prefixes that it keeps.
    pub(super) fn allow(&self, key: &PublicKey, allowed: Vec<IpNet>) {
        let Some(peer) = self.by_key.read().get(key.as_bytes()).cloned() else { return };
        let before = std::mem::replace(&mut peer.0.lock().allowed, allowed.clone());
        let mut routes = self.by_address.write();
        for net in before.into_iter().filter(|net| !allowed.contains(net)) {
            routes.remove(net, |owner| Arc::ptr_eq(owner, &peer));
        }
        for net in allowed {
            routes.insert(net, peer.clone());
        }
    }

    /// Removes a peer and tells the bytes that passed through it.
    pub(super) fn remove(&self, key: &PublicKey) -> Bytes {
        let Some(peer) = self.by_key.write().remove(key.as_bytes()) else { return Bytes::default() };
        let allowed = std::mem::take(&mut peer.0.lock().allowed);
        let mut routes = self.by_address.write();
        for net in allowed {
            routes.remove(net, |owner| Arc::ptr_eq(owner, &peer));
        }
        drop(routes);
        let mut state = peer.0.lock();
        state.standing = Standing::Removed;
        // Its sessions leave `by_session` with the next tick, as those that expire do.
        let bytes = state.bytes();
        state.tunn.reset();
        bytes
    }

    /// The packet that begins a handshake with a peer that has not spoken yet; one that has is where it spoke from.
    pub(super) fn call(&self, key: &PublicKey, endpoint: SocketAddr) -> Option<(Packet, SocketAddr)> {
        let peer = self.by_key.read().get(key.as_bytes()).cloned()?;
        let mut state = peer.0.lock();
        if state.endpoint.is_some() {
            return None;
        }
        state.endpoint = Some(endpoint);
        let packet = WgKind::from(state.tunn.format_handshake_initiation(false)?);
        self.note_session(&packet, &peer);
        Some((packet.into(), endpoint))
    }

    /// Every peer with its key.
    pub(super) fn peers(&self) -> Vec<([u8; 32], Arc<Peer>)> {
        self.by_key.read().iter().map(|(key, peer)| (*key, peer.clone())).collect()
    }

    /// Whose address it is.
    pub(super) fn owner_of(&self, address: IpAddr) -> Option<Arc<Peer>> {
        self.by_address.read().find(address).cloned()
    }

    /// Who sent a handshake initiation.
    pub(super) fn initiator(&self, packet: &WgHandshakeInit) -> Option<Arc<Peer>> {
        let opened = parse_handshake_anon(&self.private_key, &self.public_key, packet).ok()?;
        self.by_key.read().get(&opened.peer_static_public).cloned()
    }

    /// Whose session it is.
    pub(super) fn holder_of(&self, session: u32) -> Option<Arc<Peer>> {
        self.by_session.read().get(&session).cloned()
    }

    /// Notes the session that a packet about to be sent to `peer` begins, if it begins one.
    pub(super) fn note_session(&self, packet: &WgKind, peer: &Arc<Peer>) {
        let session = match packet {
            WgKind::HandshakeInit(packet) => packet.sender_idx.get(),
            WgKind::HandshakeResp(packet) => packet.sender_idx.get(),
            WgKind::CookieReply(_) | WgKind::Data(_) => return,
        };
        self.by_session.write().insert(session, peer.clone());
    }

    /// Lets time pass: forgets sessions that ended, and appends the keepalives and handshakes that are due.
    pub(super) fn tick(&self, due: &mut Vec<(Packet, SocketAddr)>) {
        self.limiter.try_reset_count();
        self.by_session.write().retain(|session, _| self.sessions.in_use(*session));
        for (_, peer) in self.peers() {
            let mut state = peer.0.lock();
            let (Some(endpoint), Standing::InForce) = (state.endpoint, state.standing) else { continue };
            // An error says that the connection expired, which ends nothing that still stands.
            if let Ok(Some(packet)) = state.tunn.update_timers() {
                self.note_session(&packet, &peer);
                due.push((packet.into(), endpoint));
            }
        }
    }
}
