//! Webhooks of an organisation, and the events on their way to them.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use warren_auth::{Authorized, permission::ManageWebhooks};
use warren_model::{
    DeliveryId, Timestamp, WebhookId,
    page::{Page, PageRequest},
};
use warren_schema::tenant::{webhook as table, webhook_delivery as delivery};

use crate::{
    Source, StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::{Undecodable, list_of, listed, micros, moment, moment_or_none, narrowed, padded},
};

/// Webhooks of an organisation.
#[derive(Debug)]
pub struct Webhooks<'a, C> {
    pub(crate) on: &'a C,
}

/// Events on their way to webhooks, and what came of them.
#[derive(Debug)]
pub struct WebhookDeliveries<'a, C> {
    pub(crate) on: &'a C,
}

/// An address that events are sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    /// At most 60 characters.
    pub name: String,
    /// At most 500 characters.
    pub url: String,
    /// The events it is told of, by their names.
    pub events: Vec<String>,
    /// Sealed under the installation's key.
    pub secret_sealed: Vec<u8>,
    /// The secret before, and until when it signs too.
    pub former_secret_sealed: Option<(Vec<u8>, Timestamp)>,
    pub standing: WebhookStanding,
    /// Deliveries that failed for good, one after the other.
    pub failures_in_a_row: u32,
    pub created_at: Timestamp,
    pub revision: i64,
}

/// Whether events are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookStanding {
    Enabled,
    /// By an admin.
    Disabled,
    /// By Warren, because its address is gone or fails all the time.
    GivenUp,
}

impl WebhookStanding {
    const ALL: [Self; 3] = [Self::Enabled, Self::Disabled, Self::GivenUp];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::GivenUp => "given_up",
        }
    }

    /// What `text` names.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// One event on its way to one webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub webhook: WebhookId,
    pub event: String,
    /// What is sent, to the byte.
    pub body: String,
    pub state: DeliveryState,
    pub attempts: u32,
    pub answer: Option<DeliveryAnswer>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

/// What the last attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryAnswer {
    /// The HTTP status; none when there was no answer.
    pub status: Option<u16>,
    /// How the answer begins, or why there was none.
    pub text: String,
    pub took_ms: u64,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    Pending,
    Delivered,
    Failed,
}

impl DeliveryState {
    const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

impl<C: Source> Webhooks<'_, C> {
    /// Every webhook, the oldest first; at most `limit`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn all(&self, limit: u64) -> Result<Vec<Webhook>, StorageError> {
        let query = table::Entity::find().order_by_asc(table::Column::Id).limit(limit);
        let rows = query.all(self.on.connection()).await.at(self.on)?;
        rows.into_iter().map(decode).collect::<Result<_, Undecodable>>().at(self.on)
    }

    /// The webhook.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn by_id(&self, id: WebhookId) -> Result<Option<Webhook>, StorageError> {
        let row = table::Entity::find_by_id(id.uuid()).one(self.on.connection()).await.at(self.on)?;
        row.map(decode).transpose().at(self.on)
    }
}

impl Webhooks<'_, Writer> {
    /// Adds a webhook.
    ///
    /// # Errors
    /// [`StorageError::WrongTenant`] for another organisation's proof.
    pub async fn insert(&self, proof: &Authorized<ManageWebhooks>, webhook: &Webhook) -> Result<(), StorageError> {
        self.on.check(proof)?;
        let insert = table::Entity::insert(row(webhook).into_active_model());
        insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        Ok(())
    }

    /// Changes the webhook that stands at `revision`; its revision grows by one.
    ///
    /// # Errors
    /// [`StorageError::Stale`] when it stands at another one or is gone; [`StorageError::WrongTenant`].
    pub async fn update(
        &self,
        proof: &Authorized<ManageWebhooks>,
        webhook: &Webhook,
        revision: i64,
    ) -> Result<(), StorageError> {
        self.on.check(proof)?;
        let change = table::ActiveModel {
            revision: Set(revision + 1),
            id: sea_orm::ActiveValue::NotSet,
            ..sea_orm::ActiveModelTrait::reset_all(row(webhook).into_active_model())
        };
        let done = table::Entity::update_many()
            .set(change)
            .filter(table::Column::Id.eq(webhook.id.uuid()))
            .filter(table::Column::Revision.eq(revision))
            .exec(self.on.connection())
            .await
            .at(self.on)?;
        if done.rows_affected == 1 { Ok(()) } else { Err(StorageError::Stale) }
    }

    /// Notes how the last delivery to it ended: `standing` and the failures in a row. It is no change of an admin's.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn note(&self, id: WebhookId, standing: WebhookStanding, failures: u32) -> Result<(), StorageError> {
        let change = table::ActiveModel {
            standing: Set(standing.as_str().to_owned()),
            failures_in_a_row: Set(i32::try_from(failures).unwrap_or(i32::MAX)),
            ..table::ActiveModel::default()
        };
        let update = table::Entity::update_many().set(change).filter(table::Column::Id.eq(id.uuid()));
        update.exec(self.on.connection()).await.at(self.on)?;
        Ok(())
    }

    /// Removes a webhook with the record of its deliveries.
    ///
    /// # Errors
    /// [`StorageError::NotFound`] without it; [`StorageError::WrongTenant`].
    pub async fn remove(&self, proof: &Authorized<ManageWebhooks>, id: WebhookId) -> Result<(), StorageError> {
        self.on.check(proof)?;
        let connection = self.on.connection();
        let deliveries = delivery::Entity::delete_many().filter(delivery::Column::WebhookId.eq(id.uuid()));
        deliveries.exec(connection).await.at(self.on)?;
        let done = table::Entity::delete_by_id(id.uuid()).exec(connection).await.at(self.on)?;
        if done.rows_affected == 1 { Ok(()) } else { Err(StorageError::NotFound) }
    }
}

impl<C: Source> WebhookDeliveries<'_, C> {
    /// The delivery.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn by_id(&self, id: DeliveryId) -> Result<Option<Delivery>, StorageError> {
        let row = delivery::Entity::find_by_id(id.uuid()).one(self.on.connection()).await.at(self.on)?;
        row.map(decode_delivery).transpose().at(self.on)
    }

    /// A page of those to one webhook, the newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn page(&self, webhook: WebhookId, request: &PageRequest) -> Result<Page<Delivery>, StorageError> {
        let mut query = delivery::Entity::find().filter(delivery::Column::WebhookId.eq(webhook.uuid()));
        if let Some(after) = request.after() {
            query = query.filter(delivery::Column::Id.lt(after));
        }
        let newest_first = query.order_by_desc(delivery::Column::Id).limit(u64::from(request.limit()) + 1);
        let rows = newest_first.all(self.on.connection()).await.at(self.on)?;
        let all = rows.into_iter().map(decode_delivery).collect::<Result<Vec<_>, Undecodable>>().at(self.on)?;
        Ok(Page::from_rows(request, all, |one| one.id.uuid()))
    }
}

impl WebhookDeliveries<'_, Writer> {
    /// Adds a delivery.
    ///
    /// # Errors
    /// [`StorageError::Referenced`] without such a webhook.
    pub async fn insert(&self, one: &Delivery) -> Result<(), StorageError> {
        let insert = delivery::Entity::insert(delivery_row(one).into_active_model());
        insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        Ok(())
    }

    /// Writes down what an attempt came to; attempts grow by one.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn note(
        &self,
        id: DeliveryId,
        state: DeliveryState,
        answer: &DeliveryAnswer,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let ended = state != DeliveryState::Pending;
        let change = delivery::ActiveModel {
            state: Set(state.as_str().to_owned()),
            answer_status: Set(answer.status.map(Into::into)),
            answer: Set(Some(answer.text.clone())),
            took_ms: Set(Some(i64::try_from(answer.took_ms).unwrap_or(i64::MAX))),
            finished_at: Set(ended.then(|| micros(now))),
            ..delivery::ActiveModel::default()
        };
        delivery::Entity::update_many()
            .set(change)
            .col_expr(delivery::Column::Attempts, Expr::col(delivery::Column::Attempts).add(1))
            .filter(delivery::Column::Id.eq(id.uuid()))
            .exec(self.on.connection())
            .await
            .at(self.on)?;
        Ok(())
    }

    /// Has a delivery sent again: it is on its way as if for the first time, under its identifier.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn reopen(&self, id: DeliveryId) -> Result<(), StorageError> {
        let change = delivery::ActiveModel {
            state: Set(DeliveryState::Pending.as_str().to_owned()),
            finished_at: Set(None),
            ..delivery::ActiveModel::default()
        };
        let update = delivery::Entity::update_many().set(change).filter(delivery::Column::Id.eq(id.uuid()));
        update.exec(self.on.connection()).await.at(self.on)?;
        Ok(())
    }

    /// Forgets deliveries from before `moment`, at most `limit`, and returns how many.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn forget_before(&self, moment: Timestamp, limit: u64) -> Result<u64, StorageError> {
        let old = delivery::Entity::find()
            .select_only()
            .column(delivery::Column::Id)
            .filter(delivery::Column::CreatedAt.lt(micros(moment)))
            .order_by_asc(delivery::Column::CreatedAt)
            .limit(limit);
        let ids: Vec<uuid::Uuid> = old.into_tuple().all(self.on.connection()).await.at(self.on)?;
        if ids.is_empty() {
            return Ok(0);
        }
        let delete = delivery::Entity::delete_many().filter(delivery::Column::Id.is_in(padded(ids)));
        Ok(delete.exec(self.on.connection()).await.at(self.on)?.rows_affected)
    }
}

fn row(webhook: &Webhook) -> table::Model {
    let (former, until) = webhook.former_secret_sealed.clone().unzip();
    table::Model {
        id: webhook.id.uuid(),
        name: webhook.name.clone(),
        url: webhook.url.clone(),
        events: list_of(&webhook.events),
        secret_sealed: webhook.secret_sealed.clone(),
        former_secret_sealed: former,
        former_until: until.map(micros),
        standing: webhook.standing.as_str().to_owned(),
        failures_in_a_row: i32::try_from(webhook.failures_in_a_row).unwrap_or(i32::MAX),
        created_at: micros(webhook.created_at),
        revision: webhook.revision,
    }
}

fn decode(row: table::Model) -> Result<Webhook, Undecodable> {
    let until = moment_or_none(row.former_until, "former_until")?;
    Ok(Webhook {
        id: WebhookId::from_uuid(row.id),
        name: row.name,
        url: row.url,
        events: listed(&row.events, "events")?,
        secret_sealed: row.secret_sealed,
        former_secret_sealed: row.former_secret_sealed.zip(until),
        standing: WebhookStanding::from_text(&row.standing).ok_or(Undecodable { column: "standing" })?,
        failures_in_a_row: narrowed(row.failures_in_a_row, "failures_in_a_row")?,
        created_at: moment(row.created_at, "created_at")?,
        revision: row.revision,
    })
}

fn delivery_row(one: &Delivery) -> delivery::Model {
    let answer = one.answer.as_ref();
    delivery::Model {
        id: one.id.uuid(),
        webhook_id: one.webhook.uuid(),
        event: one.event.clone(),
        body: one.body.clone(),
        state: one.state.as_str().to_owned(),
        attempts: i32::try_from(one.attempts).unwrap_or(i32::MAX),
        answer_status: answer.and_then(|answer| answer.status.map(Into::into)),
        answer: answer.map(|answer| answer.text.clone()),
        took_ms: answer.map(|answer| i64::try_from(answer.took_ms).unwrap_or(i64::MAX)),
        created_at: micros(one.created_at),
        finished_at: one.finished_at.map(micros),
    }
}

fn decode_delivery(row: delivery::Model) -> Result<Delivery, Undecodable> {
    let state = DeliveryState::ALL.into_iter().find(|state| state.as_str() == row.state);
    let status = row.answer_status.map(|status| narrowed(status, "answer_status")).transpose()?;
    let took_ms = row.took_ms.map(|took| narrowed(took, "took_ms")).transpose()?;
    let answer = row.answer.map(|text| DeliveryAnswer { status, text, took_ms: took_ms.unwrap_or(0) });
    Ok(Delivery {
        id: DeliveryId::from_uuid(row.id),
        webhook: WebhookId::from_uuid(row.webhook_id),
        event: row.event,
        body: row.body,
        state: state.ok_or(Undecodable { column: "state" })?,
        attempts: narrowed(row.attempts, "attempts")?,
        answer,
        created_at: moment(row.created_at, "created_at")?,
        finished_at: moment_or_none(row.finished_at, "finished_at")?,
    })
}
