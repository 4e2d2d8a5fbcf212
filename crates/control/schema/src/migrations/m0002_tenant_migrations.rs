//! How far each organisation's database got with its migrations, noted where the whole installation is in view.

use super::{
    Migration, Phase, Step,
    table::{big_integer, create, index, integer, or_null, string_len, text, uuid},
};

/// A row for each organisation whose database was migrated, or is about to be.
pub const TENANT_MIGRATIONS: Migration = Migration { name: "m0002_tenant_migrations", phase: Phase::Expand, steps };

fn steps() -> Vec<Step> {
    let tenant_migrations = vec![
        uuid("organisation_id").primary_key().take(),
        string_len("version", 80),
        string_len("state", 8),
        or_null(text("error")),
        integer("attempts"),
        or_null(big_integer("started_at")),
        or_null(big_integer("finished_at")),
    ];
    // Names no organisation as a foreign key: what is found without an organisation is noted all the same.
    vec![
        create("tenant_migrations", tenant_migrations, |_| ()),
        index("tenant_migrations", &["state", "organisation_id"]),
        index("organisations", &["state", "created_at"]),
    ]
}
