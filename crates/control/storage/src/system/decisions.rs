//! The log of decisions to work on more or fewer jobs at once.

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use warren_model::{
    DecisionId, Timestamp,
    page::{Page, PageRequest},
};
use warren_schema::system::scaling_decision as table;

use crate::{
    Source, StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::{Undecodable, micros, moment, narrowed},
};

/// The log of scaling decisions.
#[derive(Debug)]
pub struct ScalingDecisions<'a, C> {
    pub(crate) on: &'a C,
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScalingDecision {
    pub id: DecisionId,
    pub at: Timestamp,
    /// The host that it was made on and for.
    pub host: String,
    /// What was measured.
    pub signal: String,
    /// The measured value and the limit that it passed, in thousandths of the signal's unit.
    pub value_thousandths: i64,
    pub limit_thousandths: i64,
    /// Places before and after.
    pub before: u32,
    pub after: u32,
    /// `grow`, `shrink` or `alert`.
    pub action: String,
    pub reason: String,
}

impl<C: Source> ScalingDecisions<'_, C> {
    /// A page of decisions, the newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn page(&self, request: &PageRequest) -> Result<Page<ScalingDecision>, StorageError> {
        let mut query = table::Entity::find().order_by_desc(table::Column::Id).limit(u64::from(request.limit()) + 1);
        if let Some(after) = request.after() {
            query = query.filter(table::Column::Id.lt(after));
        }
        let rows = query.all(self.on.connection()).await.at(self.on)?;
        let all = rows.into_iter().map(decode).collect::<Result<Vec<_>, Undecodable>>().at(self.on)?;
        Ok(Page::from_rows(request, all, |decision| decision.id.uuid()))
    }
}

impl ScalingDecisions<'_, Writer> {
    /// Adds a decision.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn append(&self, decision: &ScalingDecision) -> Result<(), StorageError> {
        let places = |places: u32| i32::try_from(places).unwrap_or(i32::MAX);
        let row = table::Model {
            id: decision.id.uuid(),
            at: micros(decision.at),
            host: decision.host.chars().take(120).collect(),
            signal: decision.signal.clone(),
            value_thousandths: decision.value_thousandths,
            limit_thousandths: decision.limit_thousandths,
            before: places(decision.before),
            after: places(decision.after),
            action: decision.action.clone(),
            reason: decision.reason.clone(),
        };
        let insert = table::Entity::insert(row.into_active_model());
        insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        Ok(())
    }

    /// Forgets decisions from before `moment`, and returns how many.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn forget_before(&self, moment: Timestamp) -> Result<u64, StorageError> {
        let old = table::Entity::delete_many().filter(table::Column::At.lt(micros(moment)));
        Ok(old.exec(self.on.connection()).await.at(self.on)?.rows_affected)
    }
}

fn decode(row: table::Model) -> Result<ScalingDecision, Undecodable> {
    Ok(ScalingDecision {
        id: DecisionId::from_uuid(row.id),
        at: moment(row.at, "at")?,
        host: row.host,
        signal: row.signal,
        value_thousandths: row.value_thousandths,
        limit_thousandths: row.limit_thousandths,
        before: narrowed(row.before, "before")?,
        after: narrowed(row.after, "after")?,
        action: row.action,
        reason: row.reason,
    })
}
