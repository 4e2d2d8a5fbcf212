//! Jobs, from being asked for to their end.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub queue: String,
    pub lane: Uuid,
    pub priority: i32,
    pub kind: String,
    pub version: i32,
    pub payload: String,
    pub state: String,
    pub run_at: i64,
    pub created_at: i64,
    pub deadline_at: Option<i64>,
    pub started_at: Option<i64>,
    pub finished_at: Option<i64>,
    pub attempts: i32,
    pub attempts_max: i32,
    pub worker_id: Option<Uuid>,
    pub stop_asked_at: Option<i64>,
    pub progress_done: i64,
    pub progress_total: i64,
    pub result: Option<String>,
    pub error: Option<String>,
    pub author_id: Option<Uuid>,
    pub request_id: Option<Uuid>,
    pub schedule_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
