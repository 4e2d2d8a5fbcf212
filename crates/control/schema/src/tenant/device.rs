//! One row per device, also after it was revoked.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "devices")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub network_id: Uuid,
    pub owner_id: Uuid,
    pub name: String,
    pub public_key: Vec<u8>,
    pub live_public_key: Option<Vec<u8>>,
    pub preshared_key_sealed: Option<Vec<u8>>,
    pub host_index: Option<i32>,
    pub standing: String,
    pub expires_at: Option<i64>,
    pub created_at: i64,
    pub revision: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
