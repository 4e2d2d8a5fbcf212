//! Enrolling a device: a key, a pair of addresses, and its gateway lets it in.

use uuid::Uuid;
use warren_auth::permission::ManageDevicesOf;
use warren_model::{
    AccountId, Device, DeviceId, DeviceName, Invalid, NetworkId, PresharedKey, PrivateKey, PublicKey, Timestamp,
    audit::Action,
    device::{PresharedKeyUse, Standing, UsageRecord},
};

use super::{
    ConfigurationFile, DeviceView,
    configuration::{Secrets, render},
    expiry::check_expiry,
    keys::{generate_key_pair, generate_preshared_key, preshared_key_context},
    read::view_of,
};
use crate::{AppError, Contradiction, Inside, Thing, audit::Changes, gateways::Touched};

/// A device that is to be enrolled.
#[derive(Debug, Clone)]
pub struct Enrol {
    pub name: DeviceName,
    pub network: NetworkId,
    /// The caller, when nothing is said.
    pub owner: Option<AccountId>,
    pub key: Key,
    pub preshared_key: PresharedKeyUse,
    pub expires_at: Option<Timestamp>,
}

/// Where the key pair is made.
#[derive(Debug, Clone)]
pub enum Key {
    /// On the device or in the browser; only the public key came here.
    Device(PublicKey),
    /// Here, shown once and never stored.
    Server,
}

/// A device and its configuration. Secrets in it are shown this once.
#[derive(Debug)]
pub struct Enrolled {
    pub view: DeviceView,
    pub configuration: ConfigurationFile,
}

/// Enrols a device. Its owner, and admins for others.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::NotFound`] for the network or the owner, [`AppError::Invalid`] for the expiry, or a
/// [`Contradiction`] when the key is taken or no address is left.
pub async fn enrol(inside: &Inside<'_>, input: Enrol) -> Result<Enrolled, AppError> {
    let owner = input.owner.or(inside.insider.account()).ok_or(AppError::field("owner_id", Invalid::Empty))?;
    let proof = inside.authorise(ManageDevicesOf { owner })?;
    let (app, organisation) = (inside.app(), inside.organisation.id);
    let now = app.clock().now();
    check_expiry(input.expires_at, now)?;
    let person = inside.cx.system().memberships().person(organisation, owner).await?;
    let person = person.ok_or_else(|| match input.owner {
        Some(_) => AppError::NotFound(Thing::Person),
        // An operator who is no member: devices belong to people of the organisation.
        None => AppError::field("owner_id", Invalid::Empty),
    })?;

    let id = DeviceId::generate(now, app.random());
    let (private_key, public_key) = match input.key {
        Key::Device(public_key) => (None, public_key),
        Key::Server => {
            let (private_key, public_key) = generate_key_pair(app.random());
            (Some(private_key), public_key)
        }
    };
    let preshared_key = match input.preshared_key {
        PresharedKeyUse::Used => Some(generate_preshared_key(app.random())),
        PresharedKeyUse::Unused => None,
    };
    let context = preshared_key_context(organisation, id);
    let sealed = preshared_key.as_ref().map(|key| app.sealing().seal(&context, key.expose_bytes(), app.random()));
    let entry = inside.cx.entry(&proof, Action::DeviceEnrolled, id.uuid(), &input.name);

    let outcome = inside
        .tenant
        .in_turn(async |tx| -> Result<Outcome, AppError> {
            if let Some(earlier) = inside.cx.claim(&tx.idempotency(), id.uuid()).await? {
                return Ok(Outcome::Replayed(earlier));
            }
            let network = tx.networks().by_id(input.network).await?.ok_or(AppError::NotFound(Thing::Network))?;
            if public_key == network.public_key {
                return Err(Contradiction::PublicKeyTaken.into());
            }
            let host_index = tx.devices().lease(network.id).await?;
            let addresses = network.settings.prefixes.at(host_index);
            let device = Device {
                id,
                network: network.id,
                owner,
                name: input.name.clone(),
                public_key,
                preshared_key: input.preshared_key,
                host_index: Some(host_index),
                addresses: Some(addresses),
                standing: Standing::Enabled,
                expires_at: input.expires_at,
                created_at: now,
                revision: 1,
            };
            let changes = Changes::default()
                .first("network", &network.settings.name)
                .first("owner", &person.name)
                .first("addresses", addresses.iter().map(|a| a.to_string()).collect::<Vec<_>>().join(", "));
            tx.devices().insert(&proof, &device, sealed.as_deref()).await?;
            // Asked again in turn: who is being removed has left before their devices are listed a last time.
            if inside.cx.system().memberships().person(organisation, owner).await?.is_none() {
                return Err(AppError::NotFound(Thing::Person));
            }
            tx.audit().append(&changes.into_entry(entry.clone())).await?;
            let touched = Touched::Device { organisation, network: network.id, device: id };
            app.touch_after(tx, network.gateway, touched);
            Ok(Outcome::Enrolled(Box::new((network, device))))
        })
        .await?;
    match outcome {
        Outcome::Enrolled(enrolled) => {
            let (network, device) = *enrolled;
            app.live().remember(organisation, id, network.id, owner, UsageRecord::default());
            app.metrics().devices_enrolled.inc();
            let secrets = Secrets { private_key: private_key.as_ref(), preshared_key: preshared_key.as_ref() };
            let configuration = render(inside, &network, &device, secrets).await?;
            let view = view_of(app, organisation, device, network.settings.name, person.name);
            Ok(Enrolled { view, configuration })
        }
        Outcome::Replayed(earlier) => replay(inside, earlier, private_key, preshared_key).await,
    }
}

enum Outcome {
    Enrolled(Box<(warren_model::Network, Device)>),
    Replayed(Uuid),
}

/// The answer to a request that was carried out before. What was shown once is not shown again.
async fn replay(
    inside: &Inside<'_>,
    earlier: Uuid,
    private_key: Option<PrivateKey>,
    preshared_key: Option<PresharedKey>,
) -> Result<Enrolled, AppError> {
    if private_key.is_some() || preshared_key.is_some() {
        return Err(AppError::SecretGone);
    }
    let device = DeviceId::from_uuid(earlier);
    let view = super::show(inside, device).await?;
    let configuration = super::configuration(inside, device).await?;
    Ok(Enrolled { view, configuration })
}
