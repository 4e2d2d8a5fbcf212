//! Files: what was uploaded, and what jobs made.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "files")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub media_type: String,
    pub purpose: String,
    pub standing: String,
    pub size_bytes: i64,
    pub sha256: Option<Vec<u8>>,
    pub owner_id: Option<Uuid>,
    pub job_id: Option<Uuid>,
    pub created_at: i64,
    pub expires_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
