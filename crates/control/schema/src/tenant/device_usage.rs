//! What has passed through each device's tunnel.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "device_usage")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub device_id: Uuid,
    pub received_bytes: i64,
    pub sent_bytes: i64,
    pub last_handshake_at: Option<i64>,
    pub last_endpoint: Option<String>,
    pub boot: Option<Uuid>,
    pub boot_received_bytes: i64,
    pub boot_sent_bytes: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
