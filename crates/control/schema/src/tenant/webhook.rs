//! Addresses that events are sent to.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhooks")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub url: String,
    pub events: String,
    pub secret_sealed: Vec<u8>,
    pub former_secret_sealed: Option<Vec<u8>>,
    pub former_until: Option<i64>,
    pub standing: String,
    pub failures_in_a_row: i32,
    pub created_at: i64,
    pub revision: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
