//! Enrolling a device: a key, a pair of addresses, and its gateway lets it in.

use std::collections::HashSet;

use uuid::Uuid;
use warren_auth::{Authorized, permission::ManageDevicesOf};
use warren_model::{
    AccountId, Device, DeviceId, DeviceName, Invalid, Network, NetworkId, Person, PersonName, PresharedKey, PrivateKey,
    PublicKey, Timestamp,
    audit::{Action, AuditEntry},
    device::{PresharedKeyUse, Standing, UsageRecord},
};
use warren_storage::TenantTransaction;

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
    inside.authorise(ManageDevicesOf { owner })?;
    let app = inside.app();
    let person = inside.cx.system().memberships().person(inside.organisation.id, owner).await?;
    let person = person.ok_or_else(|| match input.owner {
        Some(_) => AppError::NotFound(Thing::Person),
        // An operator who is no member: devices belong to people of the organisation.
        None => AppError::field("owner_id", Invalid::Empty),
    })?;
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
    let wanted = Wanted { name: input.name, network: input.network, public_key, expires_at: input.expires_at };
    let enrolment = Enrolment::prepare(inside, &person, wanted, preshared_key.as_ref())?;

    let outcome = inside
        .tenant
        .in_turn(async |tx| -> Result<Outcome, AppError> {
            if let Some(earlier) = inside.cx.claim(&tx.idempotency(), enrolment.id.uuid()).await? {
                return Ok(Outcome::Replayed(earlier));
            }
            let present = Present::of(inside, tx, &[owner]).await?;
            Ok(Outcome::Enrolled(Box::new(enrolment.carry_out(inside, tx, &present).await?)))
        })
        .await?;
    match outcome {
        Outcome::Enrolled(enrolled) => {
            let (network, device) = *enrolled;
            let secrets = Secrets { private_key: private_key.as_ref(), preshared_key: preshared_key.as_ref() };
            let configuration = render(inside, &network, &device, secrets).await?;
            let view = view_of(app, inside.organisation.id, device, network.settings.name, person.name);
            Ok(Enrolled { view, configuration })
        }
        Outcome::Replayed(earlier) => replay(inside, earlier, private_key, preshared_key).await,
    }
}

/// What is wanted of a device whose owner and keys are known.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub name: DeviceName,
    pub network: NetworkId,
    pub public_key: PublicKey,
    pub expires_at: Option<Timestamp>,
}

/// An enrolment that is allowed and settled, but for what the database decides. Carried out in a transaction in turn, alone or
/// with others.
#[derive(Debug)]
pub(crate) struct Enrolment {
    pub id: DeviceId,
    pub wanted: Wanted,
    owner: AccountId,
    owner_name: PersonName,
    sealed_psk: Option<Vec<u8>>,
    created_at: Timestamp,
    proof: Authorized<ManageDevicesOf>,
    entry: AuditEntry,
}

impl Enrolment {
    /// Settles everything that needs no transaction.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], or [`AppError::Invalid`] for the expiry.
    pub(crate) fn prepare(
        inside: &Inside<'_>,
        owner: &Person,
        wanted: Wanted,
        preshared_key: Option<&PresharedKey>,
    ) -> Result<Self, AppError> {
        let proof = inside.authorise(ManageDevicesOf { owner: owner.account })?;
        let (app, created_at) = (inside.app(), inside.app().clock().now());
        check_expiry(wanted.expires_at, created_at)?;
        let id = DeviceId::generate(created_at, app.random());
        let context = preshared_key_context(inside.organisation.id, id);
        let sealed_psk = preshared_key.map(|key| app.sealing().seal(&context, key.expose_bytes(), app.random()));
        let entry = inside.cx.entry(&proof, Action::DeviceEnrolled, id.uuid(), &wanted.name);
        let (owner, owner_name) = (owner.account, owner.name.clone());
        Ok(Self { id, wanted, owner, owner_name, sealed_psk, created_at, proof, entry })
    }

    pub(crate) const fn owner(&self) -> AccountId {
        self.owner
    }

    /// Leases a place, adds the device and leaves the audit entry; once that is on disk the gateway is told.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for the network or the owner, or a [`Contradiction`]. What was done stays to be undone.
    pub(crate) async fn carry_out(
        &self,
        inside: &Inside<'_>,
        tx: &TenantTransaction,
        present: &Present,
    ) -> Result<(Network, Device), AppError> {
        let (app, organisation, wanted) = (inside.app(), inside.organisation.id, &self.wanted);
        present.require(self.owner)?;
        let network = tx.networks().by_id(wanted.network).await?.ok_or(AppError::NotFound(Thing::Network))?;
        if wanted.public_key == network.public_key {
            return Err(Contradiction::PublicKeyTaken.into());
        }
        let host_index = tx.devices().lease(network.id).await?;
        let addresses = network.settings.prefixes.at(host_index);
        let device = Device {
            id: self.id,
            network: network.id,
            owner: self.owner,
            name: wanted.name.clone(),
            public_key: wanted.public_key,
            preshared_key: if self.sealed_psk.is_some() { PresharedKeyUse::Used } else { PresharedKeyUse::Unused },
            host_index: Some(host_index),
            addresses: Some(addresses),
            standing: Standing::Enabled,
            expires_at: wanted.expires_at,
            created_at: self.created_at,
            revision: 1,
        };
        let changes = Changes::default()
            .first("network", &network.settings.name)
            .first("owner", &self.owner_name)
            .first("addresses", addresses.iter().map(|a| a.to_string()).collect::<Vec<_>>().join(", "));
        tx.devices().insert(&self.proof, &device, self.sealed_psk.as_deref()).await?;
        inside.record(tx, &changes.into_entry(self.entry.clone())).await?;
        let (id, owner, known) = (self.id, self.owner, app.clone());
        tx.after_commit(move || {
            known.live().remember(organisation, id, network.id, owner, UsageRecord::default());
            known.metrics().devices_enrolled.inc();
        });
        app.touch_after(tx, network.gateway, Touched::Device { organisation, network: network.id, device: id });
        Ok((network, device))
    }
}

/// Who belonged to the organisation when it was asked in turn: who is being removed has left before their devices are listed a last
/// time, so nobody is left with a device that is enrolled in the same turn.
#[derive(Debug)]
pub(crate) struct Present(HashSet<AccountId>);

impl Present {
    /// Those of `owners` who belong to the organisation during the turn of `_tx`.
    pub(crate) async fn of(
        inside: &Inside<'_>,
        _tx: &TenantTransaction,
        owners: &[AccountId],
    ) -> Result<Self, AppError> {
        let people = inside.cx.system().memberships().people(inside.organisation.id, owners).await?;
        Ok(Self(people.into_iter().map(|person| person.account).collect()))
    }

    /// # Errors
    /// [`AppError::NotFound`] unless `owner` is among them.
    pub(crate) fn require(&self, owner: AccountId) -> Result<(), AppError> {
        if self.0.contains(&owner) { Ok(()) } else { Err(AppError::NotFound(Thing::Person)) }
    }
}

enum Outcome {
    Enrolled(Box<(Network, Device)>),
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
