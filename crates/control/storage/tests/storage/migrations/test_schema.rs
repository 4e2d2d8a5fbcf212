//! Migrations beyond those of this build, as the next versions might bring them.

use sea_orm::sea_query::{ColumnDef, ForeignKey, Index, Table};
use warren_schema::migrations::{Migration, Phase, Step};
use warren_storage::Schema;

/// Adds a table, a column that may be null and one with a default, and an index.
pub const EXPAND: Migration = Migration { name: "m8001_stickers", phase: Phase::Expand, steps: expand };
/// Removes an index, and what [`EXPAND`] added.
pub const CONTRACT: Migration = Migration { name: "m8002_no_stickers", phase: Phase::Contract, steps: contract };
/// Takes long.
pub const LONG: Migration = Migration { name: "m8003_long", phase: Phase::Expand, steps: long };

const TABLES: usize = 40;

/// The schema of this build, with `more` for the organisations' databases.
pub fn with(more: &[Migration]) -> Schema {
    Schema { tenant: [Schema::OF_THIS_BUILD.tenant, more].concat().leak(), ..Schema::OF_THIS_BUILD }
}

fn expand() -> Vec<Step> {
    let stickers = Table::create()
        .table("stickers")
        .col(ColumnDef::new("device_id").uuid().not_null().primary_key())
        .col(ColumnDef::new("text").string_len(40).not_null())
        .foreign_key(ForeignKey::create().from_col("device_id").to("devices", "id"))
        .take();
    vec![
        Step::CreateTable { table: "stickers", statement: stickers },
        index("stickers", "stickers_text", "text"),
        Step::AddColumn { table: "devices", column: note() },
        Step::AddColumn {
            table: "networks",
            column: ColumnDef::new("colour").string_len(20).not_null().default("green").take(),
        },
        index("networks", "networks_colour", "colour"),
    ]
}

fn contract() -> Vec<Step> {
    let Step::CreateTable { statement: stickers, .. } = expand().remove(0) else {
        unreachable!("the table comes first")
    };
    let again = Index::create().name("networks_colour").table("networks").col("colour").take();
    let sticker_text = Index::create().name("stickers_text").table("stickers").col("text").take();
    vec![
        Step::DropIndex { table: "networks", name: "networks_colour".into(), again },
        Step::DropColumn { table: "devices", column: note() },
        Step::DropIndex { table: "stickers", name: "stickers_text".into(), again: sticker_text },
        Step::DropTable { table: "stickers", again: stickers },
    ]
}

fn long() -> Vec<Step> {
    let table = |at: usize| {
        let name: &'static str = format!("long_{at:03}").leak();
        let columns =
            Table::create().table(name).col(ColumnDef::new("number").integer().not_null().primary_key()).take();
        let column = ColumnDef::new("other").integer().null().take();
        [Step::CreateTable { table: name, statement: columns }, Step::AddColumn { table: name, column }]
    };
    (0..TABLES).flat_map(table).collect()
}

fn note() -> ColumnDef {
    ColumnDef::new("note").string_len(40).null().take()
}

fn index(table: &'static str, name: &'static str, column: &'static str) -> Step {
    let statement = Index::create().name(name).table(table).col(column).take();
    Step::CreateIndex { table, name: name.to_owned(), statement }
}
