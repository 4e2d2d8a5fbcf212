//! What an organisation's jobs need beside them: the outbox, files, and webhooks.

use sea_orm::sea_query::ColumnDef;

use super::{
    Migration, Phase, Step,
    table::{
        big_integer, bytes_32, create, id, index, integer, or_null, primary_key, references, string_len, text, uuid,
    },
};

/// Jobs on their way out, files, and webhooks with their deliveries.
pub const RECORDS: Migration = Migration { name: "m0002_records", phase: Phase::Expand, steps };

fn steps() -> Vec<Step> {
    let mut steps = vec![create("job_outbox", vec![id(), text("body")], |_| ())];
    create_files(&mut steps);
    create_webhooks(&mut steps);
    steps
}

fn create_files(steps: &mut Vec<Step>) {
    let files = vec![
        id(),
        string_len("name", 200),
        string_len("media_type", 100),
        string_len("purpose", 16),
        string_len("standing", 8),
        big_integer("size_bytes"),
        or_null(bytes_32("sha256")),
        or_null(uuid("owner_id")),
        or_null(uuid("job_id")),
        big_integer("created_at"),
        big_integer("expires_at"),
    ];
    steps.push(create("files", files, |_| ()));
    steps.push(index("files", &["purpose", "id"]));
    steps.push(index("files", &["job_id"]));
    steps.push(index("files", &["expires_at"]));

    let chunks = vec![uuid("file_id"), integer("number"), ColumnDef::new("bytes").blob().not_null().take()];
    steps.push(create("file_chunks", chunks, |table| {
        primary_key(table, &["file_id", "number"]);
        references(table, "file_id", "files");
    }));
}

fn create_webhooks(steps: &mut Vec<Step>) {
    let secret = |column: &'static str| ColumnDef::new(column).var_binary(255).null().take();
    let webhooks = vec![
        id(),
        string_len("name", 60),
        string_len("url", 500),
        text("events"),
        ColumnDef::new("secret_sealed").var_binary(255).not_null().take(),
        secret("former_secret_sealed"),
        or_null(big_integer("former_until")),
        string_len("standing", 10),
        integer("failures_in_a_row"),
        big_integer("created_at"),
        big_integer("revision"),
    ];
    steps.push(create("webhooks", webhooks, |_| ()));

    let deliveries = vec![
        id(),
        uuid("webhook_id"),
        string_len("event", 60),
        text("body"),
        string_len("state", 10),
        integer("attempts"),
        or_null(integer("answer_status")),
        or_null(text("answer")),
        or_null(big_integer("took_ms")),
        big_integer("created_at"),
        or_null(big_integer("finished_at")),
    ];
    steps.push(create("webhook_deliveries", deliveries, |table| references(table, "webhook_id", "webhooks")));
    steps.push(index("webhook_deliveries", &["webhook_id", "id"]));
    steps.push(index("webhook_deliveries", &["created_at"]));
}
