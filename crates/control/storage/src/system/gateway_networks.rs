//! Which gateway carries which network, and on which UDP port.

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use warren_auth::{Authorized, permission::ManageNetworks};
use warren_model::{GatewayId, NetworkId, OrganisationId, gateway::Gateway};
use warren_schema::system::{gateway, gateway_network as table};

use crate::{
    Conflict, Source, StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::narrowed,
};

/// Which gateway carries which network.
#[derive(Debug)]
pub struct GatewayNetworks<'a, C> {
    pub(crate) on: &'a C,
}

impl<C: Source> GatewayNetworks<'_, C> {
    /// The networks that a gateway carries.
    pub async fn networks_of(&self, gateway: GatewayId) -> Result<Vec<(OrganisationId, NetworkId)>, StorageError> {
        let rows = table::Entity::find()
            .filter(table::Column::GatewayId.eq(gateway.uuid()))
            .order_by_asc(table::Column::Port)
            .all(self.on.connection())
            .await
            .at(self.on)?;
        let ids =
            |row: table::Model| (OrganisationId::from_uuid(row.organisation_id), NetworkId::from_uuid(row.network_id));
        Ok(rows.into_iter().map(ids).collect())
    }

    /// The gateway that carries a network.
    pub async fn gateway_of(&self, network: NetworkId) -> Result<Option<GatewayId>, StorageError> {
        let row = table::Entity::find_by_id(network.uuid()).one(self.on.connection()).await.at(self.on)?;
        Ok(row.map(|row| GatewayId::from_uuid(row.gateway_id)))
    }

    /// Every network of the installation with its gateway.
    pub async fn all(&self) -> Result<Vec<(GatewayId, OrganisationId, NetworkId)>, StorageError> {
        let rows = table::Entity::find()
            .order_by_asc(table::Column::GatewayId)
            .order_by_asc(table::Column::Port)
            .all(self.on.connection())
            .await
            .at(self.on)?;
        let ids = |row: table::Model| {
            (
                GatewayId::from_uuid(row.gateway_id),
                OrganisationId::from_uuid(row.organisation_id),
                NetworkId::from_uuid(row.network_id),
            )
        };
        Ok(rows.into_iter().map(ids).collect())
    }
}

impl GatewayNetworks<'_, Writer> {
    /// Gives a network the lowest free port of a gateway, from the gateway's first port on.
    ///
    /// # Errors
    /// [`Conflict::PortsExhausted`], [`StorageError::NotFound`] without such a gateway, [`StorageError::WrongTenant`],
    /// [`Conflict::Exists`] when a gateway carries it already.
    pub async fn reserve_port(
        &self,
        proof: &Authorized<ManageNetworks>,
        gateway: GatewayId,
        organisation: OrganisationId,
        network: NetworkId,
    ) -> Result<u16, StorageError> {
        if proof.organisation() != Some(organisation) {
            return Err(StorageError::WrongTenant);
        }
        let first: Option<i32> = gateway::Entity::find_by_id(gateway.uuid())
            .select_only()
            .column(gateway::Column::FirstPort)
            .into_tuple()
            .one(self.on.connection())
            .await
            .at(self.on)?;
        let first = first.ok_or(StorageError::NotFound)?;
        // At most `Gateway::NETWORKS_MAX` rows.
        let taken: Vec<i32> = table::Entity::find()
            .select_only()
            .column(table::Column::Port)
            .filter(table::Column::GatewayId.eq(gateway.uuid()))
            .order_by_asc(table::Column::Port)
            .into_tuple()
            .all(self.on.connection())
            .await
            .at(self.on)?;
        if taken.len() >= usize::from(Gateway::NETWORKS_MAX) {
            return Err(Conflict::PortsExhausted.into());
        }
        let port = taken.iter().filter(|port| **port >= first).fold(
            first,
            |free, port| {
                if *port == free { free + 1 } else { free }
            },
        );
        let free: u16 = port.try_into().map_err(|_| Conflict::PortsExhausted)?;
        let row = table::Model {
            network_id: network.uuid(),
            gateway_id: gateway.uuid(),
            organisation_id: organisation.uuid(),
            port,
        };
        let insert = table::Entity::insert(row.into_active_model());
        insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        Ok(free)
    }

    /// Frees the port of a network that is gone. Freeing it twice changes nothing.
    pub async fn release(&self, network: NetworkId) -> Result<(), StorageError> {
        table::Entity::delete_by_id(network.uuid()).exec(self.on.connection()).await.at(self.on)?;
        Ok(())
    }
}

impl<C: Source> GatewayNetworks<'_, C> {
    /// The port of a network on its gateway.
    pub async fn port_of(&self, network: NetworkId) -> Result<Option<u16>, StorageError> {
        let row = table::Entity::find_by_id(network.uuid()).one(self.on.connection()).await.at(self.on)?;
        row.map(|row| narrowed(row.port, "port")).transpose().at(self.on)
    }
}
