//! One row per private network.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "networks")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub ipv4: Option<String>,
    pub ipv6: Option<String>,
    pub dns_servers: String,
    pub search_domains: String,
    pub tunnel: String,
    pub routes: String,
    pub device_traffic: String,
    pub mtu_bytes: i32,
    pub keepalive_seconds: i32,
    pub gateway_id: Uuid,
    pub listen_port: i32,
    pub public_key: Vec<u8>,
    pub private_key_sealed: Vec<u8>,
    pub lease_cursor: i32,
    pub created_at: i64,
    pub revision: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
