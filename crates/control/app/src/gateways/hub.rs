//! Which gateways hold a link, and what they are to be told.
//!
//! A use case that changed something *touches* it here after its commit. The link's task then reads the thing as it stands
//! and sends that: what reaches a gateway is derived from the committed state, never from the event, so that two
//! changes at the same time cannot arrive in the wrong order.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::mpsc;
use uuid::Uuid;
use warren_model::{DeviceId, GatewayId, NetworkId, OrganisationId, Timestamp};
use warren_storage::TenantTransaction;

use super::presence::{Hello, Presence};
use crate::App;

/// Touches that may wait for one link; past that the link is ended, and the gateway gets a whole snapshot on the next.
const TOUCHES_MAX: usize = 16_384;

/// Something that may differ from what a gateway was told last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Touched {
    Network { organisation: OrganisationId, network: NetworkId },
    Device { organisation: OrganisationId, network: NetworkId, device: DeviceId },
}

#[derive(Debug)]
struct Connection {
    link: Uuid,
    touches: Option<mpsc::Sender<Touched>>,
    presence: Presence,
}

impl App {
    /// Tells the gateway's link of the change once `transaction` has reached the disk, whether or not the caller still waits.
    pub(crate) fn touch_after(&self, transaction: &TenantTransaction, gateway: GatewayId, touched: Touched) {
        let app = self.clone();
        transaction.after_commit(move || app.hub().touch(gateway, touched));
    }
}

/// The links of this process.
#[derive(Debug, Default)]
pub(crate) struct Hub(Mutex<HashMap<GatewayId, Connection>>);

impl Hub {
    fn connections(&self) -> MutexGuard<'_, HashMap<GatewayId, Connection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a link; an earlier one of the same gateway hears nothing more and ends.
    pub(crate) fn connect(
        &self,
        gateway: GatewayId,
        link: Uuid,
        hello: Hello,
        now: Timestamp,
    ) -> mpsc::Receiver<Touched> {
        let (sender, receiver) = mpsc::channel(TOUCHES_MAX);
        let presence = Presence { hello, online: true, last_seen_at: now, applied_version: 0, faults: Vec::new() };
        self.connections().insert(gateway, Connection { link, touches: Some(sender), presence });
        receiver
    }

    /// Marks the gateway as gone, unless another link has taken its place. Says whether it went.
    pub(crate) fn disconnect(&self, gateway: GatewayId, link: Uuid, now: Timestamp) -> bool {
        let mut connections = self.connections();
        let Some(connection) = connections.get_mut(&gateway).filter(|connection| connection.link == link) else {
            return false;
        };
        connection.touches = None;
        connection.presence.online = false;
        connection.presence.last_seen_at = now;
        true
    }

    /// Ends the link of a gateway that was removed.
    pub(crate) fn forget(&self, gateway: GatewayId) {
        self.connections().remove(&gateway);
    }

    /// Tells the link of `gateway`, if there is one, that something changed.
    pub(crate) fn touch(&self, gateway: GatewayId, touched: Touched) {
        let mut connections = self.connections();
        let Some(connection) = connections.get_mut(&gateway) else { return };
        let Some(touches) = &connection.touches else { return };
        if touches.try_send(touched).is_err() {
            connection.touches = None;
            tracing::warn!(%gateway, "the gateway cannot keep up; its link is ended so that it gets a whole snapshot");
        }
    }

    /// Notes what a gateway said of itself.
    pub(crate) fn update(&self, gateway: GatewayId, link: Uuid, change: impl FnOnce(&mut Presence)) {
        if let Some(connection) = self.connections().get_mut(&gateway).filter(|connection| connection.link == link) {
            change(&mut connection.presence);
        }
    }

    /// What is known of `gateway`.
    pub(crate) fn presence(&self, gateway: GatewayId) -> Option<Presence> {
        self.connections().get(&gateway).map(|connection| connection.presence.clone())
    }

    /// How many gateways hold a link.
    pub(crate) fn online(&self) -> u64 {
        self.connections().values().filter(|connection| connection.presence.online).count() as u64
    }
}
