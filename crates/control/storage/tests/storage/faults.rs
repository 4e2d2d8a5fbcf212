//! Broken files and disks: each gets its own error, and nothing that was there is lost.

use std::{
    fs::{self, File, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::Path,
    process::Command,
};

use tempfile::TempDir;
use warren_model::audit::{Action, Actor};
use warren_storage::{AuditFilter, Engine, Place, StorageError, TenantModels};

use crate::world::*;

/// A file system in memory of its own, so that it can be full or read-only.
struct Disk {
    folder: TempDir,
}

impl Disk {
    fn of_mebibytes(size: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}m,mode=0700"), "warren-test"])
            .arg(folder.path()));
        Self { folder }
    }
    fn path(&self) -> &Path {
        self.folder.path()
    }
    fn remount(&self, mode: &str) {
        run(Command::new("mount").args(["-o", &format!("remount,{mode}")]).arg(self.path()));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a connection may still be on its way out.
        let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
    }
}

fn run(command: &mut Command) {
    let done = command.status().expect("mount(8) from the package `mount` is installed");
    assert!(done.success(), "{command:?} failed: this test needs root (CAP_SYS_ADMIN) to mount a tmpfs");
}

fn system_file(folder: &Path) -> std::path::PathBuf {
    folder.join("system.sqlite")
}

async fn write(tenant: &TenantModels) -> Result<(), StorageError> {
    let entry = entry(Action::DeviceEnrolled, Actor::LocalOperator { user: "x".repeat(4000) });
    tenant.transaction(async |tx| tx.audit().append(&entry).await).await
}

async fn count(tenant: &TenantModels) -> usize {
    let (mut count, mut cursor) = (0, None::<String>);
    loop {
        let request = warren_model::page::PageRequest::new(Some(200), cursor.as_deref()).unwrap();
        let page = tenant.audit().page(&AuditFilter::default(), &request).await.unwrap();
        count += page.items.len();
        cursor = page.next_cursor;
        if cursor.is_none() {
            return count;
        }
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_called_damaged_and_left_as_it_is() {
    let World { databases, ground } = world(Engine::Sqlite).await;
    let folder = ground.folder();
    databases.close().await;
    let nonsense = vec![b'?'; 100_000];
    fs::write(system_file(folder), &nonsense).unwrap();
    let error = open(folder).await.unwrap_err();
    assert!(
        matches!(&error, StorageError::Corrupt { place, .. } if *place == Place::file(&system_file(folder))),
        "{error:?}"
    );
    assert!(error.to_string().contains("restore the last backup"), "{error}");
    assert_eq!(fs::read(system_file(folder)).unwrap(), nonsense);
}

#[tokio::test]
async fn an_empty_file_in_place_of_a_database_is_called_damaged_and_not_filled_anew() {
    let world = world(Engine::Sqlite).await;
    let (acme, tenant) = world.organisation("acme").await;
    drop(tenant);
    let World { databases, ground } = world;
    let folder = ground.folder();
    databases.close().await;
    let file = folder.join(format!("tenants/{}.sqlite", acme.id));
    fs::write(&file, []).unwrap();
    let databases = open(folder).await.unwrap();
    let error = databases.tenant_models(acme.id).await.unwrap_err();
    assert!(matches!(&error, StorageError::Corrupt { place, .. } if *place == Place::file(&file)), "{error:?}");
    databases.close().await;
    fs::write(system_file(folder), []).unwrap();
    let error = open(folder).await.unwrap_err();
    assert!(matches!(&error, StorageError::Corrupt { .. }), "{error:?}");
}

#[tokio::test]
async fn damage_inside_is_found_at_the_start_after_an_unclean_end() {
    let world = world(Engine::Sqlite).await;
    let (acme, tenant) = world.organisation("acme").await;
    for _ in 0..50 {
        write(&tenant).await.unwrap();
    }
    drop(tenant);
    let World { databases, ground } = world;
    let folder = ground.folder();
    databases.close().await;
    let file = folder.join(format!("tenants/{}.sqlite", acme.id));
    let mut damaged = OpenOptions::new().write(true).open(&file).unwrap();
    let length = damaged.metadata().unwrap().len();
    damaged.seek(SeekFrom::Start(length / 2 / 4096 * 4096)).unwrap();
    damaged.write_all(&[0xff; 8192]).unwrap();
    fs::write(folder.join(format!("tenants/{}.sqlite-wal", acme.id)), [0; 64]).unwrap();
    let databases = open(folder).await.unwrap();
    let error = databases.tenant_models(acme.id).await.unwrap_err();
    assert!(matches!(&error, StorageError::Corrupt { place, .. } if *place == Place::file(&file)), "{error:?}");
    // The rest of the installation goes on.
    assert_eq!(databases.system_models().organisations().count().await.unwrap(), 1);
    assert_eq!(databases.open_tenants(), 0);
}

#[tokio::test]
async fn a_database_of_a_later_version_is_refused_and_untouched() {
    let world = world(Engine::Sqlite).await;
    let (acme, tenant) = world.organisation("acme").await;
    drop(tenant);
    let World { databases, ground } = world;
    let folder = ground.folder();
    databases.close().await;
    let pretend = async |file: &Path| {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
        let insert = "INSERT INTO schema_migrations VALUES ('m9999_future', '', 1, 1, 0, 0, 'exact')";
        sqlx::query(insert).execute(&pool).await.unwrap();
        pool.close().await;
    };
    let of_acme = folder.join(format!("tenants/{}.sqlite", acme.id));
    pretend(&of_acme).await;
    let databases = open(folder).await.unwrap();
    let error = databases.tenant_models(acme.id).await.unwrap_err();
    assert!(
        matches!(&error, StorageError::NewerSchema { found, known, .. } if found == "m9999_future" && known == "m0002_records"),
        "{error:?}"
    );
    databases.close().await;
    pretend(&system_file(folder)).await;
    let before = fs::read(system_file(folder)).unwrap();
    let error = open(folder).await.unwrap_err();
    assert!(
        matches!(&error, StorageError::NewerSchema { place, .. } if *place == Place::file(&system_file(folder))),
        "{error:?}"
    );
    assert_eq!(fs::read(system_file(folder)).unwrap(), before);
}

#[tokio::test]
async fn a_full_disk_is_said_and_what_was_acknowledged_stays() {
    let disk = Disk::of_mebibytes(8);
    let databases = open(disk.path()).await.unwrap();
    let id = organisation_id();
    databases.create_tenant(id).await.unwrap();
    let tenant = databases.tenant_models(id).await.unwrap();
    write(&tenant).await.unwrap();
    let filler = disk.path().join("filler");
    let mut file = File::create(&filler).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    let mut acknowledged = 1;
    let error = loop {
        match write(&tenant).await {
            Ok(()) => acknowledged += 1,
            Err(error) => break error,
        }
        assert!(acknowledged < 10_000, "the disk never became full");
    };
    assert!(matches!(&error, StorageError::DiskFull { .. }), "{error:?}");
    assert!(error.to_string().contains("nothing was lost"), "{error}");
    for _ in 0..5 {
        assert!(matches!(write(&tenant).await, Err(StorageError::DiskFull { .. })));
    }
    assert!(matches!(databases.create_tenant(organisation_id()).await, Err(StorageError::DiskFull { .. })));
    assert_eq!(count(&tenant).await, acknowledged);
    // Space again: it goes on without a restart.
    drop(file);
    fs::remove_file(filler).unwrap();
    for _ in 0..5 {
        write(&tenant).await.unwrap();
    }
    assert_eq!(count(&tenant).await, acknowledged + 5);
    drop(tenant);
    databases.close().await;
    let databases = open(disk.path()).await.unwrap();
    assert_eq!(count(&databases.tenant_models(id).await.unwrap()).await, acknowledged + 5);
    databases.close().await;
}

#[tokio::test]
async fn a_statement_after_the_disk_was_full_is_refused_rather_than_done_alone() {
    let disk = Disk::of_mebibytes(4);
    let databases = open(disk.path()).await.unwrap();
    let id = organisation_id();
    databases.create_tenant(id).await.unwrap();
    let tenant = databases.tenant_models(id).await.unwrap();
    // More than the page cache holds, so that it is written before the commit; the error is passed over.
    let outcome = tenant
        .transaction(async |tx| {
            for _ in 0..3000 {
                let entry = entry(Action::DeviceEnrolled, Actor::LocalOperator { user: "x".repeat(4000) });
                let _ = tx.audit().append(&entry).await;
            }
            Ok::<_, StorageError>(())
        })
        .await;
    assert!(matches!(outcome, Err(StorageError::DiskFull { .. })), "{outcome:?}");
    assert_eq!(count(&tenant).await, 0);
    write(&tenant).await.unwrap();
    drop(tenant);
    databases.close().await;
}

#[tokio::test]
async fn a_read_only_disk_is_said() {
    let disk = Disk::of_mebibytes(8);
    let databases = open(disk.path()).await.unwrap();
    databases.close().await;
    disk.remount("ro");
    let error = open(disk.path()).await.unwrap_err();
    assert!(matches!(&error, StorageError::ReadOnly { .. }), "{error:?}");
    assert!(error.to_string().contains("how the disk is mounted"), "{error}");
    disk.remount("rw");
    open(disk.path()).await.unwrap().close().await;
}

#[tokio::test]
async fn a_folder_that_others_can_enter_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let World { databases, ground } = world(Engine::Sqlite).await;
    let folder = ground.folder();
    databases.close().await;
    fs::set_permissions(folder.join("tenants"), fs::Permissions::from_mode(0o755)).unwrap();
    let error = open(folder).await.unwrap_err();
    assert!(error.to_string().contains("chmod 0700"), "{error}");
}
