//! The first schema of the system database.

use super::{
    Migration, Phase, Step,
    table::{
        audit_columns, big_integer, bytes_32, create, create_idempotency_keys, id, index, integer, or_null,
        primary_key, references, string_len, unique, uuid,
    },
};

/// Every table of the first version.
pub const INITIAL: Migration = Migration { name: "m0001_system", phase: Phase::Expand, steps };

fn steps() -> Vec<Step> {
    let mut steps = Vec::new();
    create_identities(&mut steps);
    create_gateways(&mut steps);
    create_trail(&mut steps);
    steps.extend(create_idempotency_keys());
    steps
}

fn create_identities(steps: &mut Vec<Step>) {
    let organisations = vec![
        id(),
        string_len("slug", 40),
        string_len("name", 80),
        string_len("state", 16),
        big_integer("created_at"),
        big_integer("revision"),
    ];
    steps.push(create("organisations", organisations, |_| ()));
    steps.push(unique("organisations", &["slug"]));

    let accounts = vec![
        id(),
        string_len("email", 254),
        string_len("name", 80),
        or_null(string_len("password_hash", 255)),
        string_len("reach", 16),
        big_integer("created_at"),
        big_integer("revision"),
    ];
    steps.push(create("accounts", accounts, |_| ()));
    steps.push(unique("accounts", &["email"]));
    steps.push(index("accounts", &["reach"]));

    let memberships = vec![
        uuid("account_id"),
        uuid("organisation_id"),
        string_len("role", 16),
        string_len("standing", 16),
        big_integer("created_at"),
        big_integer("revision"),
    ];
    steps.push(create("memberships", memberships, |table| {
        primary_key(table, &["account_id", "organisation_id"]);
        references(table, "account_id", "accounts");
        references(table, "organisation_id", "organisations");
    }));
    steps.push(index("memberships", &["organisation_id", "account_id"]));
    steps.push(index("memberships", &["organisation_id", "role", "standing"]));

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
    steps.push(create("sessions", sessions, |table| references(table, "account_id", "accounts")));
    steps.push(unique("sessions", &["token_hash"]));
    steps.push(index("sessions", &["account_id"]));
    steps.push(index("sessions", &["expires_at"]));
    steps.push(index("sessions", &["last_used_at"]));

    let links = vec![
        id(),
        bytes_32("token_hash"),
        string_len("purpose", 16),
        or_null(uuid("account_id")),
        or_null(uuid("organisation_id")),
        big_integer("created_at"),
        big_integer("expires_at"),
        or_null(big_integer("used_at")),
    ];
    steps.push(create("links", links, |table| {
        references(table, "account_id", "accounts");
        references(table, "organisation_id", "organisations");
    }));
    steps.push(unique("links", &["token_hash"]));
    steps.push(index("links", &["account_id", "organisation_id", "purpose"]));
    steps.push(index("links", &["organisation_id"]));
    steps.push(index("links", &["expires_at"]));
}

fn create_gateways(steps: &mut Vec<Step>) {
    let gateways = vec![
        id(),
        string_len("name", 60),
        string_len("endpoint_host", 253),
        integer("first_port"),
        or_null(bytes_32("join_token_hash")),
        or_null(big_integer("join_expires_at")),
        or_null(bytes_32("credential_hash")),
        or_null(big_integer("enrolled_at")),
        big_integer("created_at"),
        big_integer("revision"),
    ];
    steps.push(create("gateways", gateways, |_| ()));
    steps.push(unique("gateways", &["name"]));
    steps.push(unique("gateways", &["join_token_hash"]));
    steps.push(unique("gateways", &["credential_hash"]));

    let gateway_networks =
        vec![uuid("network_id").primary_key().take(), uuid("gateway_id"), uuid("organisation_id"), integer("port")];
    steps.push(create("gateway_networks", gateway_networks, |table| {
        references(table, "gateway_id", "gateways");
        references(table, "organisation_id", "organisations");
    }));
    steps.push(unique("gateway_networks", &["gateway_id", "port"]));
    steps.push(index("gateway_networks", &["organisation_id"]));
}

fn create_trail(steps: &mut Vec<Step>) {
    let mut entries = audit_columns();
    entries.push(or_null(uuid("organisation_id")));
    steps.push(create("system_audit", entries, |_| ()));

    let mut outbox = audit_columns();
    outbox.push(uuid("organisation_id"));
    steps.push(create("audit_outbox", outbox, |_| ()));
}
