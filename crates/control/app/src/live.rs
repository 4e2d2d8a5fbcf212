//! What is true now and not worth a database row each second: which gateways are connected, and what each device moved.
//!
//! Gateways report byte counters since their own start. [`Live`] turns them into totals since enrolment, keeps them in
//! memory, and hands those that changed to the worker, which stores them every few seconds together with the counters they
//! came from: a restart of either side neither loses nor counts twice.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures_util::{Stream, StreamExt};
use tokio::sync::broadcast;
use tokio_stream::wrappers::{BroadcastStream, errors::BroadcastStreamRecvError};
use uuid::Uuid;
use warren_model::{
    AccountId, DeviceId, GatewayId, NetworkId, OrganisationId, Role, Timestamp,
    device::{Usage, UsageRecord},
};

use crate::Inside;

/// Live events that a slow reader may fall behind before it is told to load the page again.
const EVENTS_BEHIND_MAX: usize = 1024;

/// What happened just now.
#[derive(Debug, Clone, PartialEq)]
pub enum LiveEvent {
    Device(DeviceLive),
    Gateway {
        id: GatewayId,
        online: bool,
    },
    /// Events were missed; what is shown should be loaded again.
    Lagged,
}

/// A device as its gateway sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceLive {
    pub device: DeviceId,
    pub owner: AccountId,
    pub online: bool,
    pub usage: Usage,
}

/// What one report says of one device, in counters since the gateway's start.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerObservation {
    pub network: NetworkId,
    pub device: DeviceId,
    pub last_handshake_at: Option<Timestamp>,
    pub endpoint: Option<SocketAddr>,
    pub received_bytes: u64,
    pub sent_bytes: u64,
}

/// A device's place in memory.
#[derive(Debug, Clone)]
struct Tracked {
    network: NetworkId,
    owner: AccountId,
    stored: UsageRecord,
}

/// The live state of the whole installation.
#[derive(Debug)]
pub(crate) struct Live {
    organisations: Mutex<HashMap<OrganisationId, OrganisationLive>>,
    events: broadcast::Sender<(Option<OrganisationId>, LiveEvent)>,
}

#[derive(Debug, Default)]
struct OrganisationLive {
    devices: HashMap<DeviceId, Tracked>,
    unsaved: HashSet<DeviceId>,
}

impl Live {
    pub(crate) fn new() -> Self {
        Self { organisations: Mutex::default(), events: broadcast::channel(EVENTS_BEHIND_MAX).0 }
    }

    fn organisations(&self) -> MutexGuard<'_, HashMap<OrganisationId, OrganisationLive>> {
        // Every change under this lock is complete when it panics could strike; the data stay usable.
        self.organisations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The devices among `devices` that are not in memory yet.
    pub(crate) fn unknown(
        &self,
        organisation: OrganisationId,
        devices: impl Iterator<Item = DeviceId>,
    ) -> Vec<DeviceId> {
        let organisations = self.organisations();
        let known = organisations.get(&organisation);
        devices.filter(|device| known.is_none_or(|known| !known.devices.contains_key(device))).collect()
    }

    /// Takes what is stored of a device into memory.
    pub(crate) fn remember(
        &self,
        organisation: OrganisationId,
        device: DeviceId,
        network: NetworkId,
        owner: AccountId,
        stored: UsageRecord,
    ) {
        self.organisations().entry(organisation).or_default().devices.entry(device).or_insert(Tracked {
            network,
            owner,
            stored,
        });
    }

    /// Takes one report in. Devices that are not remembered, or are in another network than the report says, are passed over:
    /// their own gateway speaks for them.
    pub(crate) fn observe(&self, organisation: OrganisationId, boot: Uuid, seen: &[PeerObservation], now: Timestamp) {
        let mut organisations = self.organisations();
        let Some(here) = organisations.get_mut(&organisation) else { return };
        for observation in seen {
            let Some(tracked) = here.devices.get_mut(&observation.device) else { continue };
            if tracked.network != observation.network {
                continue;
            }
            tracked.stored.count(boot, observation.received_bytes, observation.sent_bytes);
            let usage = &mut tracked.stored.usage;
            usage.last_handshake_at = observation.last_handshake_at.or(usage.last_handshake_at);
            usage.last_endpoint = observation.endpoint.or(usage.last_endpoint);
            here.unsaved.insert(observation.device);
            let usage = tracked.stored.usage.clone();
            let event =
                DeviceLive { device: observation.device, owner: tracked.owner, online: usage.is_online(now), usage };
            // Nobody listening is the usual case.
            let _ = self.events.send((Some(organisation), LiveEvent::Device(event)));
        }
    }

    /// The freshest usage of a device, where it is fresher than the database's.
    pub(crate) fn usage(&self, organisation: OrganisationId, device: DeviceId) -> Option<Usage> {
        self.organisations().get(&organisation)?.devices.get(&device).map(|tracked| tracked.stored.usage.clone())
    }

    /// How many devices of an organisation hold a session now, as far as they reported.
    pub(crate) fn online(&self, organisation: OrganisationId, now: Timestamp) -> u64 {
        let organisations = self.organisations();
        let Some(here) = organisations.get(&organisation) else { return 0 };
        here.devices.values().filter(|tracked| tracked.stored.usage.is_online(now)).count() as u64
    }

    /// How many devices of all organisations hold a session now, as far as they reported.
    pub(crate) fn online_of_all(&self, now: Timestamp) -> u64 {
        let organisations = self.organisations();
        let devices = organisations.values().flat_map(|here| here.devices.values());
        devices.filter(|tracked| tracked.stored.usage.is_online(now)).count() as u64
    }

    /// A device that was revoked or kept out holds no session any more, whatever its last handshake.
    pub(crate) fn forget_session(&self, organisation: OrganisationId, device: DeviceId) {
        let mut organisations = self.organisations();
        let Some(here) = organisations.get_mut(&organisation) else { return };
        let Some(tracked) = here.devices.get_mut(&device) else { return };
        tracked.stored.usage.last_handshake_at = None;
        here.unsaved.insert(device);
        let event = DeviceLive { device, owner: tracked.owner, online: false, usage: tracked.stored.usage.clone() };
        let _ = self.events.send((Some(organisation), LiveEvent::Device(event)));
    }

    /// A device belongs to somebody else from now on.
    pub(crate) fn change_owner(&self, organisation: OrganisationId, device: DeviceId, owner: AccountId) {
        let mut organisations = self.organisations();
        let tracked = organisations.get_mut(&organisation).and_then(|here| here.devices.get_mut(&device));
        if let Some(tracked) = tracked {
            tracked.owner = owner;
        }
    }

    /// Tells everybody that a gateway came or went.
    pub(crate) fn gateway(&self, id: GatewayId, online: bool) {
        let _ = self.events.send((None, LiveEvent::Gateway { id, online }));
    }

    /// Takes what has not been stored yet, by organisation.
    pub(crate) fn take_unsaved(&self) -> Vec<(OrganisationId, Vec<(DeviceId, UsageRecord)>)> {
        let mut organisations = self.organisations();
        let mut all = Vec::new();
        for (organisation, here) in organisations.iter_mut().filter(|(_, here)| !here.unsaved.is_empty()) {
            let rows = here
                .unsaved
                .drain()
                .filter_map(|device| here.devices.get(&device).map(|tracked| (device, tracked.stored.clone())));
            all.push((*organisation, rows.collect()));
        }
        all
    }

    /// Puts back what could not be stored.
    pub(crate) fn put_back(&self, organisation: OrganisationId, devices: impl Iterator<Item = DeviceId>) {
        if let Some(here) = self.organisations().get_mut(&organisation) {
            here.unsaved.extend(devices);
        }
    }
}

/// What happens in one organisation from now on. Members hear of their own devices only.
pub fn subscribe(inside: &Inside<'_>) -> impl Stream<Item = LiveEvent> + Send + use<> {
    let organisation = inside.organisation.id;
    let only = (inside.insider.role() == Role::Member).then(|| inside.insider.account());
    let events = BroadcastStream::new(inside.cx.app.live().events.subscribe());
    events.filter_map(move |event| {
        let event = match event {
            Err(BroadcastStreamRecvError::Lagged(_)) => Some(LiveEvent::Lagged),
            Ok((Some(elsewhere), _)) if elsewhere != organisation => None,
            Ok((_, LiveEvent::Device(device))) if only.is_some_and(|only| only != Some(device.owner)) => None,
            Ok((_, event)) => Some(event),
        };
        std::future::ready(event)
    })
}

#[cfg(test)]
mod tests {
    use time::{Duration, OffsetDateTime};

    use super::*;

    const HERE: OrganisationId = OrganisationId::from_uuid(Uuid::from_u128(1));
    const DEVICE: DeviceId = DeviceId::from_uuid(Uuid::from_u128(2));
    const NETWORK: NetworkId = NetworkId::from_uuid(Uuid::from_u128(4));
    const OWNER: AccountId = AccountId::from_uuid(Uuid::from_u128(3));
    const NOW: Timestamp = OffsetDateTime::UNIX_EPOCH;

    fn seen(received_bytes: u64) -> [PeerObservation; 1] {
        let last_handshake_at = Some(NOW);
        [PeerObservation {
            network: NETWORK,
            device: DEVICE,
            last_handshake_at,
            endpoint: None,
            received_bytes,
            sent_bytes: 0,
        }]
    }

    #[test]
    fn totals_grow_across_restarts_of_the_gateway_and_of_the_control_plane() {
        let (first_boot, second_boot) = (Uuid::from_u128(10), Uuid::from_u128(11));
        let live = Live::new();
        live.remember(HERE, DEVICE, NETWORK, OWNER, UsageRecord::default());
        live.observe(HERE, first_boot, &seen(100), NOW);
        live.observe(HERE, first_boot, &seen(150), NOW);
        live.observe(HERE, second_boot, &seen(30), NOW);
        assert_eq!(live.usage(HERE, DEVICE).unwrap().received_bytes, 180);

        let (_, saved) = live.take_unsaved().pop().unwrap();
        let after_restart = Live::new();
        after_restart.remember(HERE, DEVICE, NETWORK, OWNER, saved[0].1.clone());
        after_restart.observe(HERE, second_boot, &seen(40), NOW);
        assert_eq!(after_restart.usage(HERE, DEVICE).unwrap().received_bytes, 190);
    }

    #[test]
    fn a_report_from_another_network_than_the_device_s_own_counts_for_nothing() {
        let live = Live::new();
        live.remember(HERE, DEVICE, NetworkId::from_uuid(Uuid::from_u128(5)), OWNER, UsageRecord::default());
        live.observe(HERE, Uuid::nil(), &seen(100), NOW);
        assert_eq!(live.usage(HERE, DEVICE).unwrap(), Usage::default());
        assert!(live.take_unsaved().is_empty());
    }

    #[test]
    fn what_was_stored_is_not_stored_again_until_it_changes() {
        let live = Live::new();
        live.remember(HERE, DEVICE, NETWORK, OWNER, UsageRecord::default());
        live.observe(HERE, Uuid::nil(), &seen(1), NOW);
        assert_eq!(live.take_unsaved().len(), 1);
        assert!(live.take_unsaved().is_empty());
        live.put_back(HERE, std::iter::once(DEVICE));
        assert_eq!(live.take_unsaved().len(), 1);
    }

    #[test]
    fn a_session_ends_with_time_and_with_revocation() {
        let live = Live::new();
        live.remember(HERE, DEVICE, NETWORK, OWNER, UsageRecord::default());
        live.observe(HERE, Uuid::nil(), &seen(1), NOW);
        assert_eq!(live.online(HERE, NOW), 1);
        assert_eq!(live.online(HERE, NOW + Duration::seconds(180)), 0);
        live.forget_session(HERE, DEVICE);
        assert_eq!(live.online(HERE, NOW), 0);
    }
}
