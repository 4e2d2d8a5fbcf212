//! Files of an organisation: what was uploaded, and what jobs made. They stand in its database, in pieces, so that every
//! process that reaches the database reaches them, and they move and go with it.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use warren_model::{
    AccountId, FileId, JobId, Timestamp,
    page::{Page, PageRequest},
};
use warren_schema::tenant::{file as table, file_chunk as chunk};

use crate::{
    Source, StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::{Undecodable, bytes_32, micros, moment, narrowed, padded},
};

/// Files of an organisation.
#[derive(Debug)]
pub struct Files<'a, C> {
    pub(crate) on: &'a C,
}

/// The bytes of one piece; the last may be shorter.
pub const CHUNK_BYTES: usize = 60 * 1024;

/// A file, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    pub id: FileId,
    /// At most 200 characters.
    pub name: String,
    pub media_type: String,
    pub purpose: FilePurpose,
    /// None until all of it is there.
    pub whole: Option<WholeFile>,
    pub owner: Option<AccountId>,
    /// The job that made it.
    pub job: Option<JobId>,
    pub created_at: Timestamp,
    /// It is removed then.
    pub expires_at: Timestamp,
}

/// What is known of a file that is there to its last byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WholeFile {
    pub size_bytes: u64,
    pub sha256: [u8; 32],
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilePurpose {
    /// What somebody uploaded to be imported.
    Upload,
    /// What came of an import or a bulk change, line by line.
    Outcome,
    Export,
    Report,
}

impl FilePurpose {
    const ALL: [Self; 4] = [Self::Upload, Self::Outcome, Self::Export, Self::Report];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Outcome => "outcome",
            Self::Export => "export",
            Self::Report => "report",
        }
    }

    /// What `text` names.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// Whether all pieces are there.
const WRITING: &str = "writing";
const WHOLE: &str = "whole";

impl<C: Source> Files<'_, C> {
    /// The file, also while it is being written.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn by_id(&self, id: FileId) -> Result<Option<StoredFile>, StorageError> {
        let row = table::Entity::find_by_id(id.uuid()).one(self.on.connection()).await.at(self.on)?;
        row.map(decode).transpose().at(self.on)
    }

    /// What a job made, the oldest first; a handful at most.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn of_job(&self, job: JobId) -> Result<Vec<StoredFile>, StorageError> {
        let query = table::Entity::find().filter(table::Column::JobId.eq(job.uuid()));
        let mut rows = query.all(self.on.connection()).await.at(self.on)?;
        rows.sort_by_key(|row| row.id);
        rows.into_iter().map(decode).collect::<Result<_, Undecodable>>().at(self.on)
    }

    /// A page of those with this purpose that are there to their last byte, the newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn page(&self, purpose: FilePurpose, request: &PageRequest) -> Result<Page<StoredFile>, StorageError> {
        let of_purpose = table::Entity::find().filter(table::Column::Purpose.eq(purpose.as_str()));
        let mut query = of_purpose.filter(table::Column::Standing.eq(WHOLE));
        if let Some(after) = request.after() {
            query = query.filter(table::Column::Id.lt(after));
        }
        let newest_first = query.order_by_desc(table::Column::Id).limit(u64::from(request.limit()) + 1);
        let rows = newest_first.all(self.on.connection()).await.at(self.on)?;
        let files = rows.into_iter().map(decode).collect::<Result<Vec<_>, Undecodable>>().at(self.on)?;
        Ok(Page::from_rows(request, files, |file| file.id.uuid()))
    }

    /// The piece with this number, counted from 0; none after the last.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn chunk(&self, id: FileId, number: u32) -> Result<Option<Vec<u8>>, StorageError> {
        let key = (id.uuid(), i32::try_from(number).unwrap_or(i32::MAX));
        let row = chunk::Entity::find_by_id(key).one(self.on.connection()).await.at(self.on)?;
        Ok(row.map(|row| row.bytes))
    }
}

impl Files<'_, Writer> {
    /// Begins a file.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn begin(&self, file: &StoredFile) -> Result<(), StorageError> {
        let row = table::Model {
            id: file.id.uuid(),
            name: file.name.chars().take(200).collect(),
            media_type: file.media_type.clone(),
            purpose: file.purpose.as_str().to_owned(),
            standing: WRITING.to_owned(),
            size_bytes: 0,
            sha256: None,
            owner_id: file.owner.map(AccountId::uuid),
            job_id: file.job.map(JobId::uuid),
            created_at: micros(file.created_at),
            expires_at: micros(file.expires_at),
        };
        let insert = table::Entity::insert(row.into_active_model());
        insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        Ok(())
    }

    /// Adds the piece with this number, of at most [`CHUNK_BYTES`].
    ///
    /// # Errors
    /// [`StorageError::TooLarge`]
    pub async fn append(&self, id: FileId, number: u32, bytes: Vec<u8>) -> Result<(), StorageError> {
        if bytes.len() > CHUNK_BYTES {
            return Err(StorageError::TooLarge { bytes: bytes.len(), bytes_max: CHUNK_BYTES });
        }
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        let row = chunk::Model { file_id: id.uuid(), number, bytes };
        let insert = chunk::Entity::insert(row.into_active_model());
        insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        Ok(())
    }

    /// Says that all pieces are there.
    ///
    /// # Errors
    /// [`StorageError::NotFound`] without the file.
    pub async fn finish(&self, id: FileId, whole: &WholeFile) -> Result<(), StorageError> {
        let change = table::ActiveModel {
            standing: Set(WHOLE.to_owned()),
            size_bytes: Set(i64::try_from(whole.size_bytes).unwrap_or(i64::MAX)),
            sha256: Set(Some(whole.sha256.to_vec())),
            ..table::ActiveModel::default()
        };
        let update = table::Entity::update_many().set(change).filter(table::Column::Id.eq(id.uuid()));
        let done = update.exec(self.on.connection()).await.at(self.on)?;
        if done.rows_affected == 1 { Ok(()) } else { Err(StorageError::NotFound) }
    }

    /// Removes a file with its pieces. Removing it again changes nothing.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remove(&self, id: FileId) -> Result<(), StorageError> {
        self.remove_all(&[id.uuid()]).await
    }

    /// Removes files whose time is over by `now`, at most `limit`, and returns how many.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remove_expired(&self, now: Timestamp, limit: u64) -> Result<u64, StorageError> {
        let expired = table::Entity::find()
            .select_only()
            .column(table::Column::Id)
            .filter(table::Column::ExpiresAt.lte(micros(now)))
            .order_by_asc(table::Column::ExpiresAt)
            .limit(limit);
        let ids: Vec<uuid::Uuid> = expired.into_tuple().all(self.on.connection()).await.at(self.on)?;
        self.remove_all(&ids).await?;
        Ok(ids.len() as u64)
    }

    async fn remove_all(&self, ids: &[uuid::Uuid]) -> Result<(), StorageError> {
        if ids.is_empty() {
            return Ok(());
        }
        let ids = padded(ids.iter().copied());
        let chunks = chunk::Entity::delete_many().filter(chunk::Column::FileId.is_in(ids.clone()));
        chunks.exec(self.on.connection()).await.at(self.on)?;
        let files = table::Entity::delete_many().filter(table::Column::Id.is_in(ids));
        files.exec(self.on.connection()).await.at(self.on)?;
        Ok(())
    }
}

fn decode(row: table::Model) -> Result<StoredFile, Undecodable> {
    let whole = match row.sha256 {
        Some(sha256) if row.standing == WHOLE => Some(WholeFile {
            size_bytes: narrowed(row.size_bytes, "size_bytes")?,
            sha256: bytes_32(&sha256, "sha256")?,
        }),
        _ => None,
    };
    Ok(StoredFile {
        id: FileId::from_uuid(row.id),
        name: row.name,
        media_type: row.media_type,
        purpose: FilePurpose::from_text(&row.purpose).ok_or(Undecodable { column: "purpose" })?,
        whole,
        owner: row.owner_id.map(AccountId::from_uuid),
        job: row.job_id.map(JobId::from_uuid),
        created_at: moment(row.created_at, "created_at")?,
        expires_at: moment(row.expires_at, "expires_at")?,
    })
}
