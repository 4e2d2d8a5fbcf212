//! The first schema of a tenant database.

use sea_orm::sea_query::ColumnDef;

use super::{
    Migration, Phase, Step,
    table::{
        audit_columns, big_integer, bytes_32, create, create_idempotency_keys, id, index, integer, or_null,
        primary_key, references, string_len, text, unique, uuid,
    },
};

/// Every table of the first version.
pub const INITIAL: Migration = Migration { name: "m0001_tenant", phase: Phase::Expand, steps };

fn steps() -> Vec<Step> {
    let mut steps = Vec::new();
    create_networks(&mut steps);
    create_devices(&mut steps);
    steps.push(create("audit_entries", audit_columns(), |_| ()));
    steps.push(index("audit_entries", &["actor_account_id", "id"]));
    steps.push(index("audit_entries", &["action", "id"]));
    steps.extend(create_idempotency_keys());
    steps
}

fn create_networks(steps: &mut Vec<Step>) {
    let networks = vec![
        id(),
        string_len("name", 60),
        or_null(string_len("ipv4", 18)),
        or_null(string_len("ipv6", 43)),
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
    steps.push(create("networks", networks, |_| ()));
    steps.push(unique("networks", &["name"]));

    let released = vec![uuid("network_id"), integer("host_index"), big_integer("released_at")];
    steps.push(create("released_addresses", released, |table| {
        primary_key(table, &["network_id", "host_index"]);
        references(table, "network_id", "networks");
    }));
    steps.push(index("released_addresses", &["network_id", "released_at", "host_index"]));
}

fn create_devices(steps: &mut Vec<Step>) {
    let devices = vec![
        id(),
        uuid("network_id"),
        uuid("owner_id"),
        string_len("name", 60),
        bytes_32("public_key"),
        or_null(bytes_32("live_public_key")),
        ColumnDef::new("preshared_key_sealed").var_binary(255).null().take(),
        or_null(integer("host_index")),
        string_len("standing", 8),
        or_null(big_integer("expires_at")),
        big_integer("created_at"),
        big_integer("revision"),
    ];
    steps.push(create("devices", devices, |table| references(table, "network_id", "networks")));
    steps.push(unique("devices", &["network_id", "live_public_key"]));
    steps.push(unique("devices", &["network_id", "host_index"]));
    steps.push(index("devices", &["network_id", "id"]));
    steps.push(index("devices", &["owner_id", "id"]));
    steps.push(index("devices", &["network_id", "owner_id", "id"]));
    steps.push(index("devices", &["standing", "expires_at"]));

    let usage = vec![
        uuid("device_id").primary_key().take(),
        big_integer("received_bytes"),
        big_integer("sent_bytes"),
        or_null(big_integer("last_handshake_at")),
        or_null(string_len("last_endpoint", 56)),
        or_null(uuid("boot")),
        big_integer("boot_received_bytes"),
        big_integer("boot_sent_bytes"),
    ];
    steps.push(create("device_usage", usage, |table| references(table, "device_id", "devices")));
}
