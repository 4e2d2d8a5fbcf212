//! Compares two databases row by row and column by column.

use std::sync::Arc;

use super::{
    MoveError, MoveProgress,
    copy::End,
    page::{ContentHash, Pages},
    sql,
    table::{Row, Table},
};
use crate::{Place, StorageError};

/// Reads both ends in the same order, and gives the hash of what they both hold.
///
/// # Errors
/// [`MoveError::Different`] for the first row that is not the same in every column, or is on one side only.
pub(super) async fn verify(
    source: &mut End,
    target: &mut End,
    tables: &[Table],
    progress: &MoveProgress,
) -> Result<String, MoveError> {
    let mut hash = ContentHash::default();
    for table in tables {
        hash.table(table);
        let (mut sent, mut arrived, mut rows) = (Pages::of(table), Pages::of(table), 0);
        loop {
            let expected = sent.next(&mut source.connection, &source.place).await?;
            let found = arrived.next(&mut target.connection, &target.place).await?;
            if let Some(detail) = difference(table, &expected, &found) {
                return Err(different(&target.place, table, detail));
            }
            if expected.is_empty() {
                break;
            }
            rows += expected.len();
            hash.rows(&expected);
            progress.compared(expected.len());
        }
        // Counted apart from the pages, so that an error in them shows.
        let counted = (count(source, table).await?, count(target, table).await?);
        if counted != (rows, rows) {
            let detail = format!("where {} and {} rows were counted and {rows} compared", counted.0, counted.1);
            return Err(different(&target.place, table, detail));
        }
    }
    Ok(hash.finish())
}

async fn count(end: &mut End, table: &Table) -> Result<usize, StorageError> {
    let counted = end.connection.ask_one::<i64>(&sql::count(table, end.connection.engine()), Vec::new()).await;
    let counted = counted.map_err(|error| StorageError::from_driver(&Arc::new(error), &end.place))?;
    Ok(counted.and_then(|rows| usize::try_from(rows).ok()).unwrap_or(0))
}

fn different(place: &Place, table: &Table, detail: String) -> MoveError {
    MoveError::Different { place: place.clone(), table: table.name.clone(), detail }
}

/// Where two pages differ first, if they do; values are not told, for some are secret.
fn difference(table: &Table, expected: &[Row], found: &[Row]) -> Option<String> {
    let differing = expected.iter().zip(found).find(|(expected, found)| expected != found);
    match differing {
        Some((expected, found)) if table.key_of(expected) == table.key_of(found) => {
            let column = expected.iter().zip(found).position(|(expected, found)| expected != found)?;
            Some(format!("column `{}` of the row {}", table.columns[column].name, table.named(expected)))
        }
        Some((expected, found)) => {
            Some(format!("where the row {} is expected and {} is found", table.named(expected), table.named(found)))
        }
        None if expected.len() > found.len() => {
            Some(format!("where the row {} is missing", table.named(&expected[found.len()])))
        }
        None if found.len() > expected.len() => {
            Some(format!("where the row {} is too much", table.named(&found[expected.len()])))
        }
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use warren_model::{Clock, OrganisationId};
    use warren_runtime::{SystemClock, SystemRandom};
    use warren_testkit::servers::{FreshDatabases, ServerKind};

    use super::*;
    use crate::{
        Config, DatabaseUrl, Databases,
        engine::{Role, Site},
        moving::database::{Family, connect, relocate_tenant, writing},
    };

    const KEY: &str = "00112233445566778899aabbccddeeff";

    /// A tenant database of two pages of audit entries, and the site it stands on.
    async fn source(folder: &Path) -> (Site, OrganisationId) {
        let databases = Databases::open(Config::new(folder.to_owned()), Arc::new(SystemClock), Arc::new(SystemRandom));
        let (databases, id) = (databases.await.unwrap(), OrganisationId::generate(SystemClock.now(), &SystemRandom));
        databases.create_tenant(id).await.unwrap();
        databases.close().await;
        let site = Site::Folder(folder.to_owned());
        let mut end = connect(&site.tenant(id), Role::Writer, site.tenant(id).place()).await.unwrap();
        let rows = format!(
            "INSERT INTO audit_entries (id, at, action, body) VALUES (x'{KEY}', 7, 'device.enrolled', '{{}}');
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
             INSERT INTO audit_entries (id, at, action, body) SELECT randomblob(16), i, 'device.enrolled', '{{}}' FROM n"
        );
        end.connection.run(&rows).await.unwrap();
        (site, id)
    }

    /// Compares after `damage` was done to the copy.
    async fn compared_after(damage: &str, from: (&Site, OrganisationId), to: &Site) -> Result<String, MoveError> {
        let (family, progress) = (Family::tenant(), MoveProgress::default());
        let (source, target) = (from.0.tenant(from.1), to.tenant(from.1));
        relocate_tenant(&source, &target, &family, &SystemClock, &progress).await.unwrap();
        let mut sent = connect(&source, Role::Reader, source.place()).await.unwrap();
        let mut arrived = connect(&target, writing(&target), target.place()).await.unwrap();
        arrived.connection.run(damage).await.unwrap();
        verify(&mut sent, &mut arrived, &family.tables, &progress).await
    }

    async fn damage_is_found(to: &Site, literal: &str) {
        let folder = tempfile::tempdir().unwrap();
        let (site, id) = source(folder.path()).await;
        compared_after("SELECT 1", (&site, id), to).await.unwrap();
        for (damage, said) in [
            (format!("UPDATE audit_entries SET at = 8 WHERE id = {literal}"), "column `at` of the row id 00112233"),
            (format!("UPDATE audit_entries SET body = '{{ }}' WHERE id = {literal}"), "column `body`"),
            (format!("DELETE FROM audit_entries WHERE id = {literal}"), "where the row id 00112233"),
            ("INSERT INTO audit_entries SELECT resource, 1, NULL, 'x', 'y' FROM idempotency_keys".to_owned(), ""),
        ] {
            match compared_after(&damage, (&site, id), to).await {
                Err(MoveError::Different { table, detail, .. }) if !said.is_empty() => {
                    assert_eq!(table, "audit_entries");
                    assert!(detail.contains(said), "{damage}: {detail}");
                }
                // The control: it inserts nothing.
                Ok(_) if said.is_empty() => {}
                other => panic!("{damage}: {other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_row_damaged_after_it_was_copied_is_found_on_sqlite() {
        let folder = tempfile::tempdir().unwrap();
        let to = Site::Folder(folder.path().to_owned());
        to.prepare().unwrap();
        damage_is_found(&to, &format!("x'{KEY}'")).await;
    }

    #[tokio::test]
    async fn a_row_damaged_after_it_was_copied_is_found_on_mariadb() {
        let fresh = FreshDatabases::of_this_run(ServerKind::MariaDb).unwrap();
        let url: DatabaseUrl = fresh.url().parse().unwrap();
        damage_is_found(&Site::Server(url), &format!("x'{KEY}'")).await;
    }

    #[tokio::test]
    async fn a_row_damaged_after_it_was_copied_is_found_on_postgresql() {
        let fresh = FreshDatabases::of_this_run(ServerKind::PostgreSql).unwrap();
        let url: DatabaseUrl = fresh.url().parse().unwrap();
        damage_is_found(&Site::Server(url), &format!("'{KEY}'")).await;
    }
}
