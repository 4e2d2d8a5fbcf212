//! The first schema of a tenant database.

use sea_orm_migration::{
    MigrationName, MigrationTrait, SchemaManager, async_trait,
    prelude::*,
    schema::{
        big_integer, big_integer_null, integer, integer_null, string_len, string_len_null, text, uuid, uuid_null,
    },
    sea_orm::DbErr,
};

use super::table::{
    audit_columns, bytes_32, create, create_idempotency_keys, drop, id, index, primary_key, references, unique,
};

pub struct Initial;

impl MigrationName for Initial {
    fn name(&self) -> &str {
        "m0001_tenant"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Initial {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_networks(manager).await?;
        create_devices(manager).await?;
        create(manager, "audit_entries", audit_columns(), |_| ()).await?;
        index(manager, "audit_entries", &["actor_account_id", "id"]).await?;
        index(manager, "audit_entries", &["action", "id"]).await?;
        create_idempotency_keys(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let newest_first =
            ["idempotency_keys", "audit_entries", "device_usage", "devices", "released_addresses", "networks"];
        drop(manager, &newest_first).await
    }
}

async fn create_networks(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let networks = vec![
        id(),
        string_len("name", 60),
        string_len_null("ipv4", 18),
        string_len_null("ipv6", 43),
        text("dns_servers"),
        text("search_domains"),
        string_len("tunnel", 8),
        text("routes"),
        string_len("device_traffic", 8),
        integer("mtu_bytes"),
        integer("keepalive_seconds"),
        uuid("gateway_id"),
        integer("listen_port"),
        bytes_32("public_key"),
        ColumnDef::new("private_key_sealed").var_binary(255).not_null().take(),
        integer("lease_cursor"),
        big_integer("created_at"),
        big_integer("revision"),
    ];
    create(manager, "networks", networks, |_| ()).await?;
    unique(manager, "networks", &["name"]).await?;

    let released = vec![uuid("network_id"), integer("host_index"), big_integer("released_at")];
    create(manager, "released_addresses", released, |table| {
        primary_key(table, &["network_id", "host_index"]);
        references(table, "network_id", "networks");
    })
    .await?;
    index(manager, "released_addresses", &["network_id", "released_at", "host_index"]).await
}

async fn create_devices(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let devices = vec![
        id(),
        uuid("network_id"),
        uuid("owner_id"),
        string_len("name", 60),
        bytes_32("public_key"),
        bytes_32("live_public_key").null().take(),
        ColumnDef::new("preshared_key_sealed").var_binary(255).null().take(),
        integer_null("host_index"),
        string_len("standing", 8),
        big_integer_null("expires_at"),
        big_integer("created_at"),
        big_integer("revision"),
    ];
    create(manager, "devices", devices, |table| references(table, "network_id", "networks")).await?;
    unique(manager, "devices", &["network_id", "live_public_key"]).await?;
    unique(manager, "devices", &["network_id", "host_index"]).await?;
    index(manager, "devices", &["network_id", "id"]).await?;
    index(manager, "devices", &["owner_id", "id"]).await?;
    index(manager, "devices", &["network_id", "owner_id", "id"]).await?;
    index(manager, "devices", &["standing", "expires_at"]).await?;

    let usage = vec![
        uuid("device_id").primary_key().take(),
        big_integer("received_bytes"),
        big_integer("sent_bytes"),
        big_integer_null("last_handshake_at"),
        string_len_null("last_endpoint", 56),
        uuid_null("boot"),
        big_integer("boot_received_bytes"),
        big_integer("boot_sent_bytes"),
    ];
    create(manager, "device_usage", usage, |table| references(table, "device_id", "devices")).await
}
