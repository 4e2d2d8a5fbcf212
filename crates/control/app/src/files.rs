//! Files of an organisation: what was uploaded, and what jobs made. They stand in its database in pieces, and go when their
//! time is over.

use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use warren_auth::permission::Oversee;
use warren_model::{
    AccountId, FileId, Invalid, JobId,
    audit::Action,
    page::{Page, PageRequest},
};
use warren_runtime::files::ensure_private_dir;
use warren_storage::{CHUNK_BYTES, TenantModels};
pub use warren_storage::{FilePurpose, StoredFile, WholeFile};

use crate::{App, AppError, Contradiction, Inside, Thing};

/// The largest file, in bytes.
pub const SIZE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Uploads are needed until their import is done.
const UPLOADS_LAST: time::Duration = time::Duration::days(1);
/// What jobs made is there for a while to be fetched.
const RESULTS_LAST: time::Duration = time::Duration::days(7);
const NAME_CHARACTERS_MAX: usize = 200;

/// A file that is about to be written.
#[derive(Debug, Clone)]
pub struct NewFile {
    pub name: String,
    pub media_type: String,
    pub purpose: FilePurpose,
    pub owner: Option<AccountId>,
    pub job: Option<JobId>,
}

/// A file that is being written. Dropped before it is finished, it is never seen and goes by itself.
#[derive(Debug)]
pub struct Sink<'t> {
    tenant: &'t TenantModels,
    file: StoredFile,
    buffer: Vec<u8>,
    number: u32,
    size_bytes: u64,
    hash: Sha256,
}

impl<'t> Sink<'t> {
    /// Begins a file.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn begin(app: &App, tenant: &'t TenantModels, new: NewFile) -> Result<Self, AppError> {
        let now = app.clock().now();
        let lasts = if new.purpose == FilePurpose::Upload { UPLOADS_LAST } else { RESULTS_LAST };
        let file = StoredFile {
            id: FileId::generate(now, app.random()),
            name: new.name,
            media_type: new.media_type,
            purpose: new.purpose,
            whole: None,
            owner: new.owner,
            job: new.job,
            created_at: now,
            expires_at: now + lasts,
        };
        tenant.transaction(async |tx| -> Result<(), AppError> { Ok(tx.files().begin(&file).await?) }).await?;
        let buffer = Vec::with_capacity(CHUNK_BYTES);
        Ok(Self { tenant, file, buffer, number: 0, size_bytes: 0, hash: Sha256::new() })
    }

    /// Adds bytes at the end.
    ///
    /// # Errors
    /// [`AppError::Invalid`] beyond [`SIZE_BYTES_MAX`]; those of the database.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), AppError> {
        self.size_bytes += bytes.len() as u64;
        if self.size_bytes > SIZE_BYTES_MAX {
            let max = usize::try_from(SIZE_BYTES_MAX).unwrap_or(usize::MAX);
            let length = usize::try_from(self.size_bytes).unwrap_or(usize::MAX);
            return Err(AppError::field("file", Invalid::TooLong { length, max }));
        }
        self.hash.update(bytes);
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK_BYTES - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == CHUNK_BYTES {
                self.flush().await?;
            }
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), AppError> {
        let (id, number, chunk) = (self.file.id, self.number, &self.buffer);
        self.tenant
            .transaction(async |tx| -> Result<(), AppError> { Ok(tx.files().append(id, number, chunk.clone()).await?) })
            .await?;
        self.number += 1;
        self.buffer.clear();
        Ok(())
    }

    /// Says that all of it is there.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn finish(mut self) -> Result<StoredFile, AppError> {
        if !self.buffer.is_empty() {
            self.flush().await?;
        }
        let whole = WholeFile { size_bytes: self.size_bytes, sha256: self.hash.finalize().into() };
        let id = self.file.id;
        self.tenant
            .transaction(async |tx| -> Result<(), AppError> { Ok(tx.files().finish(id, &whole).await?) })
            .await?;
        Ok(StoredFile { whole: Some(whole), ..self.file })
    }
}

/// A file's bytes, a piece at a time.
#[derive(Debug)]
pub struct Pieces {
    tenant: TenantModels,
    id: FileId,
    next: u32,
}

impl Pieces {
    /// The next piece; none after the last.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, AppError> {
        let piece = self.tenant.files().chunk(self.id, self.next).await?;
        self.next += 1;
        Ok(piece)
    }
}

/// Begins an upload; the caller writes it and finishes it. Admins.
///
/// # Errors
/// [`AppError::Forbidden`], or [`AppError::Invalid`] for the name.
pub async fn upload<'i>(inside: &'i Inside<'_>, name: &str, media_type: &str) -> Result<Sink<'i>, AppError> {
    inside.authorise(Oversee)?;
    let length = name.chars().count();
    let refuse = |invalid| Err(AppError::field("name", invalid));
    match length {
        0 => return refuse(Invalid::Empty),
        1..=NAME_CHARACTERS_MAX if name.chars().any(char::is_control) => return refuse(Invalid::ControlCharacter),
        1..=NAME_CHARACTERS_MAX => {}
        _ => return refuse(Invalid::TooLong { length, max: NAME_CHARACTERS_MAX }),
    }
    let media_type = media_type.chars().filter(char::is_ascii_graphic).take(100).collect();
    let owner = inside.insider.account();
    let new = NewFile { name: name.to_owned(), media_type, purpose: FilePurpose::Upload, owner, job: None };
    Sink::begin(inside.app(), &inside.tenant, new).await
}

/// Files of one purpose that are there to their last byte, the newest first. Admins.
///
/// # Errors
/// [`AppError::Forbidden`]
pub async fn page(
    inside: &Inside<'_>,
    purpose: FilePurpose,
    request: &PageRequest,
) -> Result<Page<StoredFile>, AppError> {
    inside.authorise(Oversee)?;
    Ok(inside.tenant.files().page(purpose, request).await?)
}

/// One file: admins, and whoever it belongs to.
///
/// # Errors
/// [`AppError::NotFound`] for everybody else.
pub async fn show(inside: &Inside<'_>, id: FileId) -> Result<StoredFile, AppError> {
    let missing = || AppError::NotFound(Thing::File);
    let file = inside.tenant.files().by_id(id).await?.ok_or_else(missing)?;
    let own = file.owner.is_some() && file.owner == inside.insider.account();
    if !own && inside.authorise(Oversee).is_err() {
        return Err(missing());
    }
    Ok(file)
}

/// Opens a file to be downloaded, which is written into the trail: what is in it leaves the installation.
///
/// # Errors
/// As [`show`]; [`Contradiction::FileNotWhole`] while it is being written.
pub async fn fetch(inside: &Inside<'_>, id: FileId) -> Result<(StoredFile, Pieces), AppError> {
    let file = show(inside, id).await?;
    if file.whole.is_none() {
        return Err(Contradiction::FileNotWhole.into());
    }
    let entry = inside.cx.entry_by(inside.cx.subject.actor(), Action::FileFetched, id.uuid(), &file.name);
    inside.tenant.transaction(async |tx| -> Result<(), AppError> { inside.record(tx, &entry).await }).await?;
    Ok((file, Pieces { tenant: inside.tenant.clone(), id, next: 0 }))
}

/// Removes a file before its time: admins, and whoever it belongs to.
///
/// # Errors
/// As [`show`].
pub async fn remove(inside: &Inside<'_>, id: FileId) -> Result<(), AppError> {
    let file = show(inside, id).await?;
    let entry = inside.cx.entry_by(inside.cx.subject.actor(), Action::FileRemoved, id.uuid(), &file.name);
    inside
        .tenant
        .transaction(async |tx| -> Result<(), AppError> {
            tx.files().remove(id).await?;
            inside.record(tx, &entry).await?;
            Ok(())
        })
        .await
}

/// A file of this process's own on its disk, for work that reads or writes from end to end; it goes with the value.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// An empty one for `job`.
    ///
    /// # Errors
    /// When the data folder cannot be written.
    pub fn new(app: &App, job: JobId, what: &str) -> Result<Self, AppError> {
        let folder = app.config().data_folder.join("work");
        ensure_private_dir(&folder).map_err(|error| AppError::Internal(Box::new(error)))?;
        let scratch = Self(folder.join(format!("{job}.{what}")));
        scratch.create()?;
        Ok(scratch)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Opens it for writing, empty.
    pub fn create(&self) -> Result<std::fs::File, AppError> {
        std::fs::File::create(&self.0).map_err(|error| AppError::Internal(Box::new(error)))
    }

    /// Copies a stored file into it.
    pub async fn fill(&self, tenant: &TenantModels, id: FileId) -> Result<(), AppError> {
        let mut out = self.create()?;
        let mut pieces = Pieces { tenant: tenant.clone(), id, next: 0 };
        while let Some(piece) = pieces.next().await? {
            out.write_all(&piece).map_err(|error| AppError::Internal(Box::new(error)))?;
        }
        Ok(())
    }

    /// Stores what is in it as a file of the organisation's.
    pub async fn store(&self, app: &App, tenant: &TenantModels, new: NewFile) -> Result<StoredFile, AppError> {
        let fault = |error: std::io::Error| AppError::Internal(Box::new(error));
        let mut from = std::fs::File::open(&self.0).map_err(fault)?;
        let mut sink = Sink::begin(app, tenant, new).await?;
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            let read = from.read(&mut buffer).map_err(fault)?;
            if read == 0 {
                return sink.finish().await;
            }
            sink.write(&buffer[..read]).await?;
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
