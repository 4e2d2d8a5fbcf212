//! One row per gateway of the installation.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "gateways")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub endpoint_host: String,
    pub first_port: i32,
    pub join_token_hash: Option<Vec<u8>>,
    pub join_expires_at: Option<i64>,
    pub credential_hash: Option<Vec<u8>>,
    pub enrolled_at: Option<i64>,
    pub created_at: i64,
    pub revision: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
