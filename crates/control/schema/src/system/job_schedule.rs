//! Schedules, by which jobs come again and again.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job_schedules")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub lane: Uuid,
    pub name: String,
    pub queue: String,
    pub kind: String,
    pub version: i32,
    pub payload: String,
    pub cadence: String,
    pub standing: String,
    pub next_at: i64,
    pub last_at: Option<i64>,
    pub last_job_id: Option<Uuid>,
    pub author_id: Option<Uuid>,
    pub created_at: i64,
    pub revision: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
