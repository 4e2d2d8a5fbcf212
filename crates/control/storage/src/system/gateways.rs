//! Gateways and the secrets by which they are known.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::ExprTrait,
};
use warren_auth::{Authorized, TokenHash, permission::Operate};
use warren_model::{
    GatewayId, GatewayName, Timestamp,
    gateway::{Enrolment, Gateway},
    page::{Page, PageRequest},
};
use warren_schema::system::gateway as table;

use crate::{
    Source, StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::{Undecodable, micros, moment, moment_or_none, narrowed, parsed},
};

/// Gateways.
#[derive(Debug)]
pub struct Gateways<'a, C> {
    pub(crate) on: &'a C,
}

/// The one-time token by which a gateway enrols, as it is kept.
pub type JoinToken<'a> = (&'a TokenHash, Timestamp);

impl<C: Source> Gateways<'_, C> {
    /// A page of the gateways.
    pub async fn page(&self, request: &PageRequest) -> Result<Page<Gateway>, StorageError> {
        let mut query = table::Entity::find().order_by_asc(table::Column::Id).limit(u64::from(request.limit()) + 1);
        if let Some(after) = request.after() {
            query = query.filter(table::Column::Id.gt(after));
        }
        let rows = query.all(self.on.connection()).await.at(self.on)?;
        let items = rows.into_iter().map(decode).collect::<Result<Vec<_>, _>>().at(self.on)?;
        Ok(Page::from_rows(request, items, |gateway| gateway.id.uuid()))
    }

    /// All gateways, in order.
    pub async fn all(&self) -> Result<Vec<Gateway>, StorageError> {
        let rows = table::Entity::find().order_by_asc(table::Column::Id).all(self.on.connection()).await.at(self.on)?;
        rows.into_iter().map(decode).collect::<Result<_, _>>().at(self.on)
    }

    /// The gateway.
    pub async fn by_id(&self, id: GatewayId) -> Result<Option<Gateway>, StorageError> {
        let found = table::Entity::find_by_id(id.uuid()).one(self.on.connection()).await.at(self.on)?;
        found.map(decode).transpose().at(self.on)
    }

    /// The gateway with this name.
    pub async fn by_name(&self, name: &GatewayName) -> Result<Option<Gateway>, StorageError> {
        let found = table::Entity::find().filter(table::Column::Name.eq(name.as_str()));
        found.one(self.on.connection()).await.at(self.on)?.map(decode).transpose().at(self.on)
    }

    /// How many there are.
    pub async fn count(&self) -> Result<u64, StorageError> {
        table::Entity::find().count(self.on.connection()).await.at(self.on)
    }

    /// The gateway that holds this credential.
    pub async fn by_credential_hash(&self, credential: &TokenHash) -> Result<Option<Gateway>, StorageError> {
        let found = table::Entity::find().filter(table::Column::CredentialHash.eq(credential.as_bytes().to_vec()));
        found.one(self.on.connection()).await.at(self.on)?.map(decode).transpose().at(self.on)
    }

    /// Until when the gateway may enrol with its one-time token; none when it has none.
    pub async fn join_expires_at(&self, id: GatewayId) -> Result<Option<Timestamp>, StorageError> {
        let found = table::Entity::find_by_id(id.uuid()).one(self.on.connection()).await.at(self.on)?;
        moment_or_none(found.and_then(|row| row.join_expires_at), "join_expires_at").at(self.on)
    }
}

impl Gateways<'_, Writer> {
    /// Adds a gateway, which enrols with the join token if it is given one.
    ///
    /// # Errors
    /// [`crate::Conflict::GatewayNameTaken`]
    pub async fn insert(
        &self,
        _: &Authorized<Operate>,
        gateway: &Gateway,
        join: Option<JoinToken<'_>>,
    ) -> Result<(), StorageError> {
        let row = table::Model {
            id: gateway.id.uuid(),
            name: gateway.name.as_str().to_owned(),
            endpoint_host: gateway.endpoint.to_string(),
            first_port: gateway.first_port.into(),
            join_token_hash: join.map(|(token, _)| token.as_bytes().to_vec()),
            join_expires_at: join.map(|(_, expires_at)| micros(expires_at)),
            credential_hash: None,
            enrolled_at: enrolled_at(gateway.enrolment).map(micros),
            created_at: micros(gateway.created_at),
            revision: gateway.revision,
        };
        let insert = table::Entity::insert(row.into_active_model());
        insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        Ok(())
    }

    /// Replaces name, endpoint and first port if the gateway is still at `expected_revision`, and returns the new revision.
    ///
    /// # Errors
    /// [`StorageError::Stale`], [`StorageError::NotFound`], [`crate::Conflict::GatewayNameTaken`]
    pub async fn update(
        &self,
        _: &Authorized<Operate>,
        gateway: &Gateway,
        expected_revision: i64,
    ) -> Result<i64, StorageError> {
        let change = table::ActiveModel {
            name: Set(gateway.name.as_str().to_owned()),
            endpoint_host: Set(gateway.endpoint.to_string()),
            first_port: Set(gateway.first_port.into()),
            revision: Set(expected_revision + 1),
            ..table::ActiveModel::default()
        };
        let done = table::Entity::update_many()
            .set(change)
            .filter(table::Column::Id.eq(gateway.id.uuid()))
            .filter(table::Column::Revision.eq(expected_revision))
            .exec(self.on.connection())
            .await
            .at(self.on)?;
        if done.rows_affected == 1 {
            return Ok(expected_revision + 1);
        }
        Err(if self.by_id(gateway.id).await?.is_some() { StorageError::Stale } else { StorageError::NotFound })
    }

    /// Removes a gateway.
    ///
    /// # Errors
    /// [`StorageError::Referenced`] while it carries networks, [`StorageError::NotFound`]
    pub async fn remove(&self, _: &Authorized<Operate>, id: GatewayId) -> Result<(), StorageError> {
        let done = table::Entity::delete_by_id(id.uuid()).exec(self.on.connection()).await.at(self.on)?;
        if done.rows_affected == 1 { Ok(()) } else { Err(StorageError::NotFound) }
    }

    /// Gives the gateway another one-time token. Its earlier token and its credential are worth nothing from then on.
    ///
    /// # Errors
    /// [`StorageError::NotFound`]
    pub async fn renew_join_token(
        &self,
        _: &Authorized<Operate>,
        id: GatewayId,
        (token, expires_at): JoinToken<'_>,
    ) -> Result<(), StorageError> {
        let change = table::ActiveModel {
            join_token_hash: Set(Some(token.as_bytes().to_vec())),
            join_expires_at: Set(Some(micros(expires_at))),
            credential_hash: Set(None),
            enrolled_at: Set(None),
            ..table::ActiveModel::default()
        };
        self.change(change, table::Column::Id.eq(id.uuid())).await
    }

    /// Uses the join token up and makes `credential` the gateway's own. Of several who try at once, one succeeds. The token is
    /// itself the proof.
    ///
    /// # Errors
    /// [`StorageError::NotFound`] when the token was used, has expired, or never was.
    pub async fn enrol(
        &self,
        join: &TokenHash,
        credential: &TokenHash,
        now: Timestamp,
    ) -> Result<Gateway, StorageError> {
        let open =
            table::Column::JoinTokenHash.eq(join.as_bytes().to_vec()).and(table::Column::JoinExpiresAt.gt(micros(now)));
        self.change(enrolled(credential, now), open).await?;
        self.by_credential_hash(credential).await?.ok_or(StorageError::NotFound)
    }

    /// Makes `credential` the gateway's own without a token; for the one that Warren starts itself.
    ///
    /// # Errors
    /// [`StorageError::NotFound`]
    pub async fn set_credential(
        &self,
        _: &Authorized<Operate>,
        id: GatewayId,
        credential: &TokenHash,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        self.change(enrolled(credential, now), table::Column::Id.eq(id.uuid())).await
    }

    async fn change(
        &self,
        change: table::ActiveModel,
        of: impl sea_orm::sea_query::IntoCondition,
    ) -> Result<(), StorageError> {
        let done = table::Entity::update_many()
            .set(change)
            .col_expr(table::Column::Revision, table::Column::Revision.into_expr().add(1))
            .filter(of)
            .exec(self.on.connection())
            .await
            .at(self.on)?;
        if done.rows_affected == 1 { Ok(()) } else { Err(StorageError::NotFound) }
    }
}

fn enrolled(credential: &TokenHash, now: Timestamp) -> table::ActiveModel {
    table::ActiveModel {
        join_token_hash: Set(None),
        join_expires_at: Set(None),
        credential_hash: Set(Some(credential.as_bytes().to_vec())),
        enrolled_at: Set(Some(micros(now))),
        ..table::ActiveModel::default()
    }
}

const fn enrolled_at(enrolment: Enrolment) -> Option<Timestamp> {
    match enrolment {
        Enrolment::Pending => None,
        Enrolment::Enrolled { at } => Some(at),
    }
}

fn decode(row: table::Model) -> Result<Gateway, Undecodable> {
    Ok(Gateway {
        id: GatewayId::from_uuid(row.id),
        name: parsed(&row.name, "name")?,
        endpoint: parsed(&row.endpoint_host, "endpoint_host")?,
        first_port: narrowed(row.first_port, "first_port")?,
        enrolment: match moment_or_none(row.enrolled_at, "enrolled_at")? {
            Some(at) => Enrolment::Enrolled { at },
            None => Enrolment::Pending,
        },
        created_at: moment(row.created_at, "created_at")?,
        revision: row.revision,
    })
}
