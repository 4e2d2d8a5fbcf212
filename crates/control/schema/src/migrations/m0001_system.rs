//! The first schema of the system database.

use sea_orm_migration::{
    MigrationName, MigrationTrait, SchemaManager, async_trait,
    schema::{big_integer, big_integer_null, integer, string_len, string_len_null, uuid, uuid_null},
    sea_orm::DbErr,
};

use super::table::{
    audit_columns, bytes_32, create, create_idempotency_keys, drop, id, index, primary_key, references, unique,
};

pub struct Initial;

impl MigrationName for Initial {
    fn name(&self) -> &str {
        "m0001_system"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Initial {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_identities(manager).await?;
        create_gateways(manager).await?;
        create_trail(manager).await?;
        create_idempotency_keys(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let newest_first = [
            "idempotency_keys",
            "audit_outbox",
            "system_audit",
            "gateway_networks",
            "gateways",
            "links",
            "sessions",
            "memberships",
            "accounts",
            "organisations",
        ];
        drop(manager, &newest_first).await
    }
}

async fn create_identities(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let organisations = vec![
        id(),
        string_len("slug", 40),
        string_len("name", 80),
        string_len("state", 16),
        big_integer("created_at"),
        big_integer("revision"),
    ];
    create(manager, "organisations", organisations, |_| ()).await?;
    unique(manager, "organisations", &["slug"]).await?;

    let accounts = vec![
        id(),
        string_len("email", 254),
        string_len("name", 80),
        string_len_null("password_hash", 255),
        string_len("reach", 16),
        big_integer("created_at"),
        big_integer("revision"),
    ];
    create(manager, "accounts", accounts, |_| ()).await?;
    unique(manager, "accounts", &["email"]).await?;
    index(manager, "accounts", &["reach"]).await?;

    let memberships = vec![
        uuid("account_id"),
        uuid("organisation_id"),
        string_len("role", 16),
        string_len("standing", 16),
        big_integer("created_at"),
        big_integer("revision"),
    ];
    create(manager, "memberships", memberships, |table| {
        primary_key(table, &["account_id", "organisation_id"]);
        references(table, "account_id", "accounts");
        references(table, "organisation_id", "organisations");
    })
    .await?;
    index(manager, "memberships", &["organisation_id", "account_id"]).await?;
    index(manager, "memberships", &["organisation_id", "role", "standing"]).await?;

    let sessions = vec![
        id(),
        bytes_32("token_hash"),
        uuid("account_id"),
        big_integer("created_at"),
        big_integer("last_used_at"),
        big_integer("expires_at"),
        string_len("source_address", 45),
        string_len("user_agent", 256),
    ];
    create(manager, "sessions", sessions, |table| references(table, "account_id", "accounts")).await?;
    unique(manager, "sessions", &["token_hash"]).await?;
    index(manager, "sessions", &["account_id"]).await?;
    index(manager, "sessions", &["expires_at"]).await?;
    index(manager, "sessions", &["last_used_at"]).await?;

    let links = vec![
        id(),
        bytes_32("token_hash"),
        string_len("purpose", 16),
        uuid_null("account_id"),
        uuid_null("organisation_id"),
        big_integer("created_at"),
        big_integer("expires_at"),
        big_integer_null("used_at"),
    ];
    create(manager, "links", links, |table| {
        references(table, "account_id", "accounts");
        references(table, "organisation_id", "organisations");
    })
    .await?;
    unique(manager, "links", &["token_hash"]).await?;
    index(manager, "links", &["account_id", "organisation_id", "purpose"]).await?;
    index(manager, "links", &["organisation_id"]).await?;
    index(manager, "links", &["expires_at"]).await
}

async fn create_gateways(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let gateways = vec![
        id(),
        string_len("name", 60),
        string_len("endpoint_host", 253),
        integer("first_port"),
        bytes_32("join_token_hash").null().take(),
        big_integer_null("join_expires_at"),
        bytes_32("credential_hash").null().take(),
        big_integer_null("enrolled_at"),
        big_integer("created_at"),
        big_integer("revision"),
    ];
    create(manager, "gateways", gateways, |_| ()).await?;
    unique(manager, "gateways", &["name"]).await?;
    unique(manager, "gateways", &["join_token_hash"]).await?;
    unique(manager, "gateways", &["credential_hash"]).await?;

    let gateway_networks =
        vec![uuid("network_id").primary_key().take(), uuid("gateway_id"), uuid("organisation_id"), integer("port")];
    create(manager, "gateway_networks", gateway_networks, |table| {
        references(table, "gateway_id", "gateways");
        references(table, "organisation_id", "organisations");
    })
    .await?;
    unique(manager, "gateway_networks", &["gateway_id", "port"]).await?;
    index(manager, "gateway_networks", &["organisation_id"]).await
}

async fn create_trail(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut entries = audit_columns();
    entries.push(uuid_null("organisation_id"));
    create(manager, "system_audit", entries, |_| ()).await?;

    let mut outbox = audit_columns();
    outbox.push(uuid("organisation_id"));
    create(manager, "audit_outbox", outbox, |_| ()).await
}
