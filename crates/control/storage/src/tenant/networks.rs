//! Networks of one organisation.

use ipnet::IpNet;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;
use warren_auth::{Authorized, permission::ManageNetworks};
use warren_model::{
    GatewayId, Network, NetworkId, PublicKey, Tunnel,
    address::{HostIndex, Prefixes},
    network::{DeviceTraffic, Dns, Keepalive, Mtu, NetworkSettings},
    page::{Page, PageRequest},
};
use warren_schema::tenant::{device, device_usage, network as table, released_address};

use crate::{
    Conflict, Source, StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::{Undecodable, bytes_32, list_of, listed, micros, moment, narrowed, padded, parsed},
};

/// Networks of one organisation.
#[derive(Debug)]
pub struct Networks<'a, C> {
    pub(crate) on: &'a C,
}

/// Devices whose usage is removed by one statement.
const REMOVED_AT_ONCE_MAX: u64 = 256;

impl<C: Source> Networks<'_, C> {
    /// How many there are.
    pub async fn count(&self) -> Result<u64, StorageError> {
        table::Entity::find().count(self.on.connection()).await.at(self.on)
    }

    /// All networks, in order; at most [`Network::PER_ORGANISATION_MAX`].
    pub async fn all(&self) -> Result<Vec<Network>, StorageError> {
        let rows = table::Entity::find().order_by_asc(table::Column::Id).all(self.on.connection()).await.at(self.on)?;
        rows.into_iter().map(decode).collect::<Result<_, _>>().at(self.on)
    }

    /// A page of the networks.
    pub async fn page(&self, request: &PageRequest) -> Result<Page<Network>, StorageError> {
        let mut query = table::Entity::find().order_by_asc(table::Column::Id).limit(u64::from(request.limit()) + 1);
        if let Some(after) = request.after() {
            query = query.filter(table::Column::Id.gt(after));
        }
        let rows = query.all(self.on.connection()).await.at(self.on)?;
        let items = rows.into_iter().map(decode).collect::<Result<Vec<_>, _>>().at(self.on)?;
        Ok(Page::from_rows(request, items, |network| network.id.uuid()))
    }

    /// The network.
    pub async fn by_id(&self, id: NetworkId) -> Result<Option<Network>, StorageError> {
        let found = table::Entity::find_by_id(id.uuid()).one(self.on.connection()).await.at(self.on)?;
        found.map(decode).transpose().at(self.on)
    }

    /// The network's private key as it was sealed.
    pub async fn private_key_sealed(&self, id: NetworkId) -> Result<Option<Vec<u8>>, StorageError> {
        let sealed: Option<Vec<u8>> = table::Entity::find_by_id(id.uuid())
            .select_only()
            .column(table::Column::PrivateKeySealed)
            .into_tuple()
            .one(self.on.connection())
            .await
            .at(self.on)?;
        Ok(sealed)
    }

    /// How many devices of the network are not revoked.
    pub async fn count_devices(&self, id: NetworkId) -> Result<u64, StorageError> {
        device::Entity::find()
            .filter(device::Column::NetworkId.eq(id.uuid()))
            .filter(device::Column::HostIndex.is_not_null())
            .count(self.on.connection())
            .await
            .at(self.on)
    }
}

impl Networks<'_, Writer> {
    /// Adds a network with its sealed private key.
    ///
    /// # Errors
    /// [`Conflict::NetworkNameTaken`], [`Conflict::NetworksExhausted`], [`StorageError::WrongTenant`]
    pub async fn insert(
        &self,
        proof: &Authorized<ManageNetworks>,
        network: &Network,
        private_key_sealed: &[u8],
    ) -> Result<(), StorageError> {
        self.on.check(proof)?;
        let there = table::Entity::find().count(self.on.connection()).await.at(self.on)?;
        if there >= u64::from(Network::PER_ORGANISATION_MAX) {
            return Err(Conflict::NetworksExhausted.into());
        }
        let row = table::ActiveModel {
            id: Set(network.id.uuid()),
            gateway_id: Set(network.gateway.uuid()),
            listen_port: Set(network.listen_port.into()),
            public_key: Set(network.public_key.as_bytes().to_vec()),
            private_key_sealed: Set(private_key_sealed.to_vec()),
            lease_cursor: Set(stored_index(HostIndex::GATEWAY)),
            created_at: Set(micros(network.created_at)),
            revision: Set(network.revision),
            ..settings_columns(&network.settings)
        };
        table::Entity::insert(row).exec_without_returning(self.on.connection()).await.at(self.on)?;
        Ok(())
    }

    /// Replaces the settings if the network is still at `expected_revision`, and returns the new revision.
    ///
    /// # Errors
    /// [`StorageError::Stale`], [`StorageError::NotFound`], [`Conflict::NetworkNameTaken`],
    /// [`Conflict::AddressesOutside`] when a device holds an address that smaller prefixes no longer have,
    /// [`StorageError::WrongTenant`]
    pub async fn update(
        &self,
        proof: &Authorized<ManageNetworks>,
        settings: &NetworkSettings,
        id: NetworkId,
        expected_revision: i64,
    ) -> Result<i64, StorageError> {
        self.on.check(proof)?;
        if let Some(highest) = self.highest_index(id).await?
            && highest > stored_index(settings.prefixes.last_device())
        {
            return Err(Conflict::AddressesOutside.into());
        }
        let change = table::ActiveModel { revision: Set(expected_revision + 1), ..settings_columns(settings) };
        let done = table::Entity::update_many()
            .set(change)
            .filter(table::Column::Id.eq(id.uuid()))
            .filter(table::Column::Revision.eq(expected_revision))
            .exec(self.on.connection())
            .await
            .at(self.on)?;
        if done.rows_affected == 1 {
            return Ok(expected_revision + 1);
        }
        Err(if self.by_id(id).await?.is_some() { StorageError::Stale } else { StorageError::NotFound })
    }

    /// Removes a network with its revoked devices, if it is still at `expected_revision`.
    ///
    /// # Errors
    /// [`StorageError::Referenced`] while it has devices that are not revoked, [`StorageError::Stale`],
    /// [`StorageError::NotFound`], [`StorageError::WrongTenant`]
    pub async fn remove(
        &self,
        proof: &Authorized<ManageNetworks>,
        id: NetworkId,
        expected_revision: i64,
    ) -> Result<(), StorageError> {
        self.on.check(proof)?;
        let connection = self.on.connection();
        let network = self.by_id(id).await?.ok_or(StorageError::NotFound)?;
        if network.revision != expected_revision {
            return Err(StorageError::Stale);
        }
        if self.highest_index(id).await?.is_some() {
            return Err(StorageError::Referenced);
        }
        self.remove_usage(id).await?;
        let devices = device::Entity::delete_many().filter(device::Column::NetworkId.eq(id.uuid()));
        devices.exec(connection).await.at(self.on)?;
        let released =
            released_address::Entity::delete_many().filter(released_address::Column::NetworkId.eq(id.uuid()));
        released.exec(connection).await.at(self.on)?;
        table::Entity::delete_by_id(id.uuid()).exec(connection).await.at(self.on)?;
        Ok(())
    }

    /// Removes what its devices used, by their identifiers: given a subquery, MariaDB reads and locks the usage of every
    /// network.
    async fn remove_usage(&self, id: NetworkId) -> Result<(), StorageError> {
        let mut last = None;
        loop {
            let mut query = device::Entity::find()
                .select_only()
                .column(device::Column::Id)
                .filter(device::Column::NetworkId.eq(id.uuid()))
                .order_by_asc(device::Column::Id)
                .limit(REMOVED_AT_ONCE_MAX);
            if let Some(last) = last {
                query = query.filter(device::Column::Id.gt(last));
            }
            let ids: Vec<Uuid> = query.into_tuple().all(self.on.connection()).await.at(self.on)?;
            last = ids.last().copied();
            if last.is_none() {
                return Ok(());
            }
            device_usage::Entity::delete_many()
                .filter(device_usage::Column::DeviceId.is_in(padded(ids)))
                .exec(self.on.connection())
                .await
                .at(self.on)?;
        }
    }

    /// The highest place that a device of the network holds.
    async fn highest_index(&self, id: NetworkId) -> Result<Option<i32>, StorageError> {
        let highest: Option<i32> = device::Entity::find()
            .select_only()
            .column(device::Column::HostIndex)
            .filter(device::Column::NetworkId.eq(id.uuid()))
            .filter(device::Column::HostIndex.is_not_null())
            .order_by_desc(device::Column::HostIndex)
            .limit(1)
            .into_tuple()
            .one(self.on.connection())
            .await
            .at(self.on)?;
        Ok(highest)
    }
}

/// A place as the column has it. [`Prefixes::last_device`] keeps places within 31 bits.
pub(super) fn stored_index(index: HostIndex) -> i32 {
    i32::try_from(index.0).unwrap_or(i32::MAX)
}

/// The prefixes that stand in two columns.
pub(super) fn prefixes(ipv4: Option<&str>, ipv6: Option<&str>) -> Result<Prefixes, Undecodable> {
    let ipv4 = ipv4.map(|text| parsed(text, "ipv4")).transpose()?;
    let ipv6 = ipv6.map(|text| parsed(text, "ipv6")).transpose()?;
    Prefixes::new(ipv4, ipv6).map_err(|_| Undecodable { column: "ipv4" })
}

const FULL: &str = "full";
const SPLIT: &str = "split";
const ALLOWED: &str = "allowed";
const BLOCKED: &str = "blocked";

fn settings_columns(settings: &NetworkSettings) -> table::ActiveModel {
    let (tunnel, routes): (_, &[IpNet]) = match &settings.tunnel {
        Tunnel::Full => (FULL, &[]),
        Tunnel::Split { routes } => (SPLIT, routes),
    };
    let device_traffic = match settings.device_traffic {
        DeviceTraffic::Allowed => ALLOWED,
        DeviceTraffic::Blocked => BLOCKED,
    };
    table::ActiveModel {
        name: Set(settings.name.as_str().to_owned()),
        ipv4: Set(settings.prefixes.ipv4().map(|net| net.to_string())),
        ipv6: Set(settings.prefixes.ipv6().map(|net| net.to_string())),
        dns_servers: Set(list_of(settings.dns.servers())),
        search_domains: Set(list_of(settings.dns.search_domains())),
        tunnel: Set(tunnel.to_owned()),
        routes: Set(list_of(routes)),
        device_traffic: Set(device_traffic.to_owned()),
        mtu_bytes: Set(settings.mtu.bytes().into()),
        keepalive_seconds: Set(settings.keepalive.seconds().into()),
        ..table::ActiveModel::default()
    }
}

fn decode(row: table::Model) -> Result<Network, Undecodable> {
    let dns = Dns::new(listed(&row.dns_servers, "dns_servers")?, listed(&row.search_domains, "search_domains")?);
    let settings = NetworkSettings {
        name: parsed(&row.name, "name")?,
        prefixes: prefixes(row.ipv4.as_deref(), row.ipv6.as_deref())?,
        dns: dns.map_err(|_| Undecodable { column: "dns_servers" })?,
        tunnel: match row.tunnel.as_str() {
            FULL => Tunnel::Full,
            SPLIT => Tunnel::split(listed(&row.routes, "routes")?).map_err(|_| Undecodable { column: "routes" })?,
            _ => return Err(Undecodable { column: "tunnel" }),
        },
        device_traffic: match row.device_traffic.as_str() {
            ALLOWED => DeviceTraffic::Allowed,
            BLOCKED => DeviceTraffic::Blocked,
            _ => return Err(Undecodable { column: "device_traffic" }),
        },
        mtu: Mtu::new(row.mtu_bytes.into()).map_err(|_| Undecodable { column: "mtu_bytes" })?,
        keepalive: Keepalive::new(row.keepalive_seconds.into())
            .map_err(|_| Undecodable { column: "keepalive_seconds" })?,
    };
    Ok(Network {
        id: NetworkId::from_uuid(row.id),
        settings,
        gateway: GatewayId::from_uuid(row.gateway_id),
        listen_port: narrowed(row.listen_port, "listen_port")?,
        public_key: PublicKey::from_bytes(bytes_32(&row.public_key, "public_key")?)
            .map_err(|_| Undecodable { column: "public_key" })?,
        created_at: moment(row.created_at, "created_at")?,
        revision: row.revision,
    })
}
