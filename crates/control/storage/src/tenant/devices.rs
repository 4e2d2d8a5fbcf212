//! Devices of one organisation.

use std::net::IpAddr;

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, IntoActiveModel, JoinType,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, RelationDef, Select,
    sea_query::{Expr, ExprTrait, Func, LikeExpr},
};
use warren_auth::{Authorized, permission::ManageDevicesOf};
use warren_model::{
    AccountId, Device, DeviceId, NetworkId, PublicKey, Timestamp,
    address::HostIndex,
    device::{PresharedKeyUse, Standing, UsageRecord},
    page::{Page, PageRequest},
};
use warren_schema::tenant::{device as table, device_usage, network};

use super::{
    networks::{Networks, prefixes, stored_index},
    usage,
};
use crate::{
    Conflict, Source, StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::{Undecodable, bytes_32, micros, moment, moment_or_none, narrowed, padded, parsed},
};

/// Devices of one organisation.
#[derive(Debug)]
pub struct Devices<'a, C> {
    pub(crate) on: &'a C,
}

/// Which devices are asked for. The default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceFilter {
    pub network: Option<NetworkId>,
    pub owner: Option<AccountId>,
    /// Part of the name (ASCII letters of either case), or a whole address.
    pub text: Option<String>,
}

/// A device with what its gateway needs besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevicePeer {
    pub device: Device,
    /// The pre-shared key as it was sealed.
    pub sealed_psk: Option<Vec<u8>>,
}

/// How many devices are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeviceCounts {
    pub active: u64,
    pub disabled: u64,
    pub expired: u64,
    pub revoked: u64,
}

/// How many rows a loop over all devices reads at once.
const CHUNK_ROWS: u64 = 1000;

impl<C: Source> Devices<'_, C> {
    /// The device.
    pub async fn by_id(&self, id: DeviceId) -> Result<Option<Device>, StorageError> {
        Ok(self.peer(id).await?.map(|peer| peer.device))
    }

    /// The device with its sealed pre-shared key.
    pub async fn peer(&self, id: DeviceId) -> Result<Option<DevicePeer>, StorageError> {
        let mut found = self.rows(table::Entity::find_by_id(id.uuid())).await?;
        Ok(found.pop())
    }

    /// A page of the devices that pass `filter`.
    pub async fn page(&self, filter: &DeviceFilter, request: &PageRequest) -> Result<Page<Device>, StorageError> {
        let mut query = table::Entity::find().order_by_asc(table::Column::Id).limit(u64::from(request.limit()) + 1);
        if let Some(network) = filter.network {
            query = query.filter(table::Column::NetworkId.eq(network.uuid()));
        }
        if let Some(owner) = filter.owner {
            query = query.filter(table::Column::OwnerId.eq(owner.uuid()));
        }
        if let Some(text) = filter.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            query = query.filter(match text.parse() {
                Ok(address) => self.at_address(address).await?,
                Err(_) => named_like(text, self.on.connection().get_database_backend()),
            });
        }
        if let Some(after) = request.after() {
            query = query.filter(table::Column::Id.gt(after));
        }
        let devices = self.rows(query).await?.into_iter().map(|peer| peer.device).collect();
        Ok(Page::from_rows(request, devices, |device| device.id.uuid()))
    }

    /// The devices of a network that hold one of these keys and are not revoked.
    pub async fn holding(&self, network: NetworkId, keys: &[PublicKey]) -> Result<Vec<Device>, StorageError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let query = table::Entity::find()
            .filter(table::Column::NetworkId.eq(network.uuid()))
            .filter(table::Column::LivePublicKey.is_in(padded(keys.iter().map(|key| key.as_bytes().to_vec()))));
        Ok(self.rows(query).await?.into_iter().map(|peer| peer.device).collect())
    }

    /// The devices of a person that are not revoked.
    pub async fn of_owner(&self, owner: AccountId) -> Result<Vec<Device>, StorageError> {
        let query = table::Entity::find()
            .filter(table::Column::OwnerId.eq(owner.uuid()))
            .filter(table::Column::HostIndex.is_not_null())
            .order_by_asc(table::Column::Id);
        Ok(self.rows(query).await?.into_iter().map(|peer| peer.device).collect())
    }

    /// The devices of a network that are not revoked, also those disabled or expired, in the order of their addresses.
    pub async fn all_live_of_network(&self, network: NetworkId) -> Result<Vec<DevicePeer>, StorageError> {
        let mut all: Vec<DevicePeer> = Vec::new();
        loop {
            let chunk = self.live_of_network(network, all.last().and_then(|peer| peer.device.host_index)).await?;
            if chunk.is_empty() {
                return Ok(all);
            }
            all.extend(chunk);
        }
    }

    /// The devices of a network that hold an address after `after`, in the order of their addresses, at most 1,000.
    pub async fn live_of_network(
        &self,
        network: NetworkId,
        after: Option<HostIndex>,
    ) -> Result<Vec<DevicePeer>, StorageError> {
        let query = table::Entity::find()
            .filter(table::Column::NetworkId.eq(network.uuid()))
            .filter(table::Column::HostIndex.gt(after.map_or(0, stored_index)))
            .order_by_asc(table::Column::HostIndex)
            .limit(CHUNK_ROWS);
        self.rows(query).await
    }

    /// The next moment after `after` at which an enabled device expires.
    pub async fn next_expiry(&self, after: Timestamp) -> Result<Option<Timestamp>, StorageError> {
        let next: Option<i64> = table::Entity::find()
            .select_only()
            .column(table::Column::ExpiresAt)
            .filter(table::Column::Standing.eq(standing_word(Standing::Enabled)))
            .filter(table::Column::ExpiresAt.gt(micros(after)))
            .order_by_asc(table::Column::ExpiresAt)
            .limit(1)
            .into_tuple()
            .one(self.on.connection())
            .await
            .at(self.on)?;
        next.map(|next| moment(next, "expires_at")).transpose().at(self.on)
    }

    /// The enabled devices that expire later than `after` and not later than `until`, at most 1,000, the earliest first.
    pub async fn expiring(&self, after: Timestamp, until: Timestamp) -> Result<Vec<Device>, StorageError> {
        let query = table::Entity::find()
            .filter(table::Column::Standing.eq(standing_word(Standing::Enabled)))
            .filter(table::Column::ExpiresAt.gt(micros(after)))
            .filter(table::Column::ExpiresAt.lte(micros(until)))
            .order_by_asc(table::Column::ExpiresAt)
            .limit(CHUNK_ROWS);
        Ok(self.rows(query).await?.into_iter().map(|peer| peer.device).collect())
    }

    /// How many devices are in each state at the moment `now`.
    pub async fn counts(&self, now: Timestamp) -> Result<DeviceCounts, StorageError> {
        let standing = |standing| table::Column::Standing.eq(standing_word(standing));
        let count = async |condition: Condition| {
            table::Entity::find().filter(condition).count(self.on.connection()).await.at(self.on)
        };
        let enabled = count(Condition::all().add(standing(Standing::Enabled))).await?;
        let expired = Condition::all().add(standing(Standing::Enabled)).add(table::Column::ExpiresAt.lte(micros(now)));
        let expired = count(expired).await?;
        Ok(DeviceCounts {
            active: enabled.saturating_sub(expired),
            disabled: count(Condition::all().add(standing(Standing::Disabled))).await?,
            expired,
            revoked: count(Condition::all().add(standing(Standing::Revoked))).await?,
        })
    }

    async fn rows(&self, query: Select<table::Entity>) -> Result<Vec<DevicePeer>, StorageError> {
        let rows = query
            // Every device has a network; an outer join fixes the order in which the tables are read.
            .join(JoinType::LeftJoin, to_network())
            .column(network::Column::Ipv4)
            .column(network::Column::Ipv6)
            .into_model::<Row>()
            .all(self.on.connection())
            .await
            .at(self.on)?;
        rows.into_iter().map(decode).collect::<Result<_, _>>().at(self.on)
    }

    /// The places at which `address` stands: organisations may use one range in several networks.
    async fn at_address(&self, address: IpAddr) -> Result<Condition, StorageError> {
        let networks = Networks { on: self.on }.all().await?;
        let mut any = Condition::any();
        for network in networks {
            let Some(prefix) = network.settings.prefixes.iter().find(|prefix| prefix.contains(&address)) else {
                continue;
            };
            if let Some(index) = distance(prefix.network(), address) {
                let place = Condition::all()
                    .add(table::Column::NetworkId.eq(network.id.uuid()))
                    .add(table::Column::HostIndex.eq(index));
                any = any.add(place);
            }
        }
        // An address of no network is found nowhere, rather than everywhere.
        Ok(if any.is_empty() { any.add(table::Column::Id.is_null()) } else { any })
    }
}

impl Devices<'_, Writer> {
    /// Adds a device at the place that was leased for it.
    ///
    /// # Errors
    /// [`Conflict::PublicKeyTaken`], [`Conflict::AddressTaken`], [`StorageError::Referenced`] without such a network,
    /// [`StorageError::WrongTenant`] for a proof of another organisation or another owner.
    pub async fn insert(
        &self,
        proof: &Authorized<ManageDevicesOf>,
        device: &Device,
        sealed_psk: Option<&[u8]>,
    ) -> Result<(), StorageError> {
        self.on.check(proof)?;
        if proof.permission().owner != device.owner {
            return Err(StorageError::WrongTenant);
        }
        let insert = table::Entity::insert(row(device, sealed_psk).into_active_model());
        insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        let nothing_yet = usage::row(device.id, &UsageRecord::default());
        let insert = device_usage::Entity::insert(nothing_yet.into_active_model());
        insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        Ok(())
    }

    /// Replaces name, public key, standing (enabled or disabled) and expiry if the device is still at `expected_revision`, and
    /// returns the new revision. Network, owner and addresses stay; revoking is [`Devices::revoke`].
    ///
    /// # Errors
    /// [`StorageError::Stale`], [`StorageError::NotFound`] (also when the proof is for another owner), [`Conflict::Revoked`],
    /// [`Conflict::PublicKeyTaken`], [`StorageError::WrongTenant`]
    pub async fn update(
        &self,
        proof: &Authorized<ManageDevicesOf>,
        device: &Device,
        expected_revision: i64,
    ) -> Result<i64, StorageError> {
        if device.standing == Standing::Revoked {
            return self.revoke(proof, device.id, expected_revision).await;
        }
        let public_key = device.public_key.as_bytes().to_vec();
        let change = table::ActiveModel {
            name: Set(device.name.as_str().to_owned()),
            public_key: Set(public_key.clone()),
            live_public_key: Set(Some(public_key)),
            standing: Set(standing_word(device.standing).to_owned()),
            expires_at: Set(device.expires_at.map(micros)),
            ..table::ActiveModel::default()
        };
        self.change(proof, device.id, expected_revision, change).await
    }

    /// Keeps the device out for ever, frees its address and its key, and returns the new revision.
    ///
    /// # Errors
    /// [`StorageError::Stale`], [`StorageError::NotFound`] (also when the proof is for another owner), [`Conflict::Revoked`],
    /// [`StorageError::WrongTenant`]
    pub async fn revoke(
        &self,
        proof: &Authorized<ManageDevicesOf>,
        id: DeviceId,
        expected_revision: i64,
    ) -> Result<i64, StorageError> {
        let held: Option<(uuid::Uuid, Option<i32>)> = table::Entity::find_by_id(id.uuid())
            .select_only()
            .columns([table::Column::NetworkId, table::Column::HostIndex])
            .into_tuple()
            .one(self.on.connection())
            .await
            .at(self.on)?;
        let change = table::ActiveModel {
            live_public_key: Set(None),
            preshared_key_sealed: Set(None),
            host_index: Set(None),
            standing: Set(standing_word(Standing::Revoked).to_owned()),
            ..table::ActiveModel::default()
        };
        let revision = self.change(proof, id, expected_revision, change).await?;
        if let Some((network, Some(index))) = held {
            self.release(network, index).await?;
        }
        Ok(revision)
    }

    /// Gives the device of the owner that `from` is for to the one that `to` is for, and returns the new revision. Everything else
    /// stays.
    ///
    /// # Errors
    /// [`StorageError::Stale`], [`StorageError::NotFound`] (also when `from` is for another owner), [`Conflict::Revoked`],
    /// [`StorageError::WrongTenant`]
    pub async fn give(
        &self,
        from: &Authorized<ManageDevicesOf>,
        to: &Authorized<ManageDevicesOf>,
        id: DeviceId,
        expected_revision: i64,
    ) -> Result<i64, StorageError> {
        self.on.check(to)?;
        let change =
            table::ActiveModel { owner_id: Set(to.permission().owner.uuid()), ..table::ActiveModel::default() };
        self.change(from, id, expected_revision, change).await
    }

    async fn change(
        &self,
        proof: &Authorized<ManageDevicesOf>,
        id: DeviceId,
        expected_revision: i64,
        change: table::ActiveModel,
    ) -> Result<i64, StorageError> {
        self.on.check(proof)?;
        let owner = proof.permission().owner;
        let revoked = standing_word(Standing::Revoked);
        let done = table::Entity::update_many()
            .set(table::ActiveModel { revision: Set(expected_revision + 1), ..change })
            .filter(table::Column::Id.eq(id.uuid()))
            .filter(table::Column::OwnerId.eq(owner.uuid()))
            .filter(table::Column::Standing.ne(revoked))
            .filter(table::Column::Revision.eq(expected_revision))
            .exec(self.on.connection())
            .await
            .at(self.on)?;
        if done.rows_affected == 1 {
            return Ok(expected_revision + 1);
        }
        Err(match self.by_id(id).await?.filter(|device| device.owner == owner) {
            None => StorageError::NotFound,
            Some(device) if device.standing == Standing::Revoked => Conflict::Revoked.into(),
            Some(_) => StorageError::Stale,
        })
    }
}

pub(super) fn row(device: &Device, sealed_psk: Option<&[u8]>) -> table::Model {
    let public_key = device.public_key.as_bytes().to_vec();
    table::Model {
        id: device.id.uuid(),
        network_id: device.network.uuid(),
        owner_id: device.owner.uuid(),
        name: device.name.as_str().to_owned(),
        live_public_key: (device.standing != Standing::Revoked).then(|| public_key.clone()),
        public_key,
        preshared_key_sealed: sealed_psk.map(<[u8]>::to_vec),
        host_index: device.host_index.map(stored_index),
        standing: standing_word(device.standing).to_owned(),
        expires_at: device.expires_at.map(micros),
        created_at: micros(device.created_at),
        revision: device.revision,
    }
}

#[derive(FromQueryResult)]
struct Row {
    #[sea_orm(nested)]
    device: table::Model,
    ipv4: Option<String>,
    ipv6: Option<String>,
}

fn to_network() -> RelationDef {
    table::Entity::belongs_to(network::Entity).from(table::Column::NetworkId).to(network::Column::Id).into()
}

fn named_like(text: &str, backend: DbBackend) -> Condition {
    // As LOWER of each engine does it: SQLite's, and PostgreSQL's in our databases, change ASCII letters alone.
    let text = match backend {
        DbBackend::MySql => text.to_lowercase(),
        _ => text.to_ascii_lowercase(),
    };
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    Condition::all()
        .add(Expr::expr(Func::lower(table::Column::Name.into_expr())).like(LikeExpr::new(pattern).escape('\\')))
}

/// How far `address` stands above `first`, if a device may stand there.
fn distance(first: IpAddr, address: IpAddr) -> Option<i32> {
    let above = match (first, address) {
        (IpAddr::V4(first), IpAddr::V4(address)) => u128::from(u32::from(address).checked_sub(u32::from(first))?),
        (IpAddr::V6(first), IpAddr::V6(address)) => u128::from(address).checked_sub(u128::from(first))?,
        _ => return None,
    };
    i32::try_from(above).ok()
}

const fn standing_word(standing: Standing) -> &'static str {
    match standing {
        Standing::Enabled => "enabled",
        Standing::Disabled => "disabled",
        Standing::Revoked => "revoked",
    }
}

fn decode(Row { device: row, ipv4, ipv6 }: Row) -> Result<DevicePeer, Undecodable> {
    let host_index = row.host_index.map(|index| narrowed(index, "host_index").map(HostIndex)).transpose()?;
    let prefixes = prefixes(ipv4.as_deref(), ipv6.as_deref())?;
    let standing = [Standing::Enabled, Standing::Disabled, Standing::Revoked]
        .into_iter()
        .find(|standing| standing_word(*standing) == row.standing)
        .ok_or(Undecodable { column: "standing" })?;
    let device = Device {
        id: DeviceId::from_uuid(row.id),
        network: NetworkId::from_uuid(row.network_id),
        owner: AccountId::from_uuid(row.owner_id),
        name: parsed(&row.name, "name")?,
        public_key: PublicKey::from_bytes(bytes_32(&row.public_key, "public_key")?)
            .map_err(|_| Undecodable { column: "public_key" })?,
        preshared_key: match &row.preshared_key_sealed {
            Some(_) => PresharedKeyUse::Used,
            None => PresharedKeyUse::Unused,
        },
        host_index,
        addresses: host_index.map(|index| prefixes.at(index)),
        standing,
        expires_at: moment_or_none(row.expires_at, "expires_at")?,
        created_at: moment(row.created_at, "created_at")?,
        revision: row.revision,
    };
    Ok(DevicePeer { device, sealed_psk: row.preshared_key_sealed })
}
