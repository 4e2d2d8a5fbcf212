//! What Warren sends to SQLite for a page of devices and for an enrolment, as its log at `sqlx=debug` shows it.

/// Who asks: the session and its account.
pub const SESSION: &str = r#"SELECT "sessions"."id" AS "A_id", "sessions"."token_hash" AS "A_token_hash", "sessions"."account_id" AS "A_account_id", "sessions"."created_at" AS "A_created_at", "sessions"."last_used_at" AS "A_last_used_at", "sessions"."expires_at" AS "A_expires_at", "sessions"."source_address" AS "A_source_address", "sessions"."user_agent" AS "A_user_agent", "accounts"."id" AS "B_id", "accounts"."email" AS "B_email", "accounts"."name" AS "B_name", "accounts"."password_hash" AS "B_password_hash", "accounts"."reach" AS "B_reach", "accounts"."created_at" AS "B_created_at", "accounts"."revision" AS "B_revision" FROM "sessions" INNER JOIN "accounts" ON "sessions"."account_id" = "accounts"."id" WHERE "sessions"."token_hash" = ? AND "sessions"."expires_at" > ? AND "sessions"."last_used_at" > ? LIMIT ?"#;

/// The organisation of the path.
pub const ORGANISATION: &str = r#"SELECT "organisations"."id", "organisations"."slug", "organisations"."name", "organisations"."state", "organisations"."created_at", "organisations"."revision" FROM "organisations" WHERE "organisations"."slug" = ? LIMIT ?"#;

/// What the account may do in it.
pub const MEMBERSHIP: &str = r#"SELECT "memberships"."role" FROM "memberships" WHERE "memberships"."account_id" = ? AND "memberships"."organisation_id" = ? AND "memberships"."standing" = ? LIMIT ?"#;

/// The owner of a new device.
pub const PERSON: &str = r#"SELECT "memberships"."account_id" AS "A_account_id", "memberships"."organisation_id" AS "A_organisation_id", "memberships"."role" AS "A_role", "memberships"."standing" AS "A_standing", "memberships"."created_at" AS "A_created_at", "memberships"."revision" AS "A_revision", "accounts"."id" AS "B_id", "accounts"."email" AS "B_email", "accounts"."name" AS "B_name", "accounts"."password_hash" AS "B_password_hash", "accounts"."reach" AS "B_reach", "accounts"."created_at" AS "B_created_at", "accounts"."revision" AS "B_revision" FROM "memberships" INNER JOIN "accounts" ON "memberships"."account_id" = "accounts"."id" WHERE "memberships"."account_id" = ? AND "memberships"."organisation_id" = ? LIMIT ?"#;

/// A page of devices with the prefixes that their addresses are in.
pub const DEVICES: &str = r#"SELECT "devices"."id", "devices"."network_id", "devices"."owner_id", "devices"."name", "devices"."public_key", "devices"."live_public_key", "devices"."preshared_key_sealed", "devices"."host_index", "devices"."standing", "devices"."expires_at", "devices"."created_at", "devices"."revision", "networks"."ipv4", "networks"."ipv6" FROM "devices" LEFT JOIN "networks" ON "devices"."network_id" = "networks"."id" ORDER BY "devices"."id" ASC LIMIT ?"#;

/// What the devices of a page carried.
pub fn usage(devices: usize) -> String {
    format!(
        r#"SELECT "device_usage"."device_id", "device_usage"."received_bytes", "device_usage"."sent_bytes", "device_usage"."last_handshake_at", "device_usage"."last_endpoint", "device_usage"."boot", "device_usage"."boot_received_bytes", "device_usage"."boot_sent_bytes" FROM "device_usage" WHERE "device_usage"."device_id" IN ({})"#,
        places(devices)
    )
}

/// The names of their owners.
pub fn names(owners: usize) -> String {
    format!(
        r#"SELECT "accounts"."id", "accounts"."name" FROM "accounts" WHERE "accounts"."id" IN ({})"#,
        places(owners)
    )
}

fn places(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// The networks, for their names.
pub const NETWORKS: &str = r#"SELECT "networks"."id", "networks"."name", "networks"."ipv4", "networks"."ipv6", "networks"."dns_servers", "networks"."search_domains", "networks"."tunnel", "networks"."routes", "networks"."device_traffic", "networks"."mtu_bytes", "networks"."keepalive_seconds", "networks"."gateway_id", "networks"."listen_port", "networks"."public_key", "networks"."private_key_sealed", "networks"."lease_cursor", "networks"."created_at", "networks"."revision" FROM "networks" ORDER BY "networks"."id" ASC"#;

/// One network.
pub const NETWORK: &str = r#"SELECT "networks"."id", "networks"."name", "networks"."ipv4", "networks"."ipv6", "networks"."dns_servers", "networks"."search_domains", "networks"."tunnel", "networks"."routes", "networks"."device_traffic", "networks"."mtu_bytes", "networks"."keepalive_seconds", "networks"."gateway_id", "networks"."listen_port", "networks"."public_key", "networks"."private_key_sealed", "networks"."lease_cursor", "networks"."created_at", "networks"."revision" FROM "networks" WHERE "networks"."id" = ? LIMIT ?"#;

/// The network's next free place.
pub const LEASE: &str = r#"SELECT "networks"."lease_cursor", "networks"."ipv4", "networks"."ipv6" FROM "networks" WHERE "networks"."id" = ? LIMIT ?"#;

/// Takes it.
pub const ADVANCE: &str = r#"UPDATE "networks" SET "lease_cursor" = ? WHERE "networks"."id" = ?"#;

pub const INSERT_DEVICE: &str = r#"INSERT INTO "devices" ("id", "network_id", "owner_id", "name", "public_key", "live_public_key", "preshared_key_sealed", "host_index", "standing", "expires_at", "created_at", "revision") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"#;

pub const INSERT_USAGE: &str = r#"INSERT INTO "device_usage" ("device_id", "received_bytes", "sent_bytes", "last_handshake_at", "last_endpoint", "boot", "boot_received_bytes", "boot_sent_bytes") VALUES (?, ?, ?, ?, ?, ?, ?, ?)"#;

pub const INSERT_AUDIT_ENTRY: &str = r#"INSERT INTO "audit_entries" ("id", "at", "actor_account_id", "action", "body") VALUES (?, ?, ?, ?, ?) ON CONFLICT ("id") DO NOTHING"#;

/// The gateway, for the host that stands in the configuration.
pub const GATEWAY: &str = r#"SELECT "gateways"."id", "gateways"."name", "gateways"."endpoint_host", "gateways"."first_port", "gateways"."join_token_hash", "gateways"."join_expires_at", "gateways"."credential_hash", "gateways"."enrolled_at", "gateways"."created_at", "gateways"."revision" FROM "gateways" WHERE "gateways"."id" = ? LIMIT ?"#;
