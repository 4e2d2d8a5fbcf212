//! `/o/{organisation}/records/files`: the files of one purpose; one of them to be kept; one of them removed.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use warren_app::files::{self, StoredFile};
use warren_model::{FileId, Timestamp};

use super::super::{
    page::Page,
    pager::{CursorGiven, Pager},
    reader::Reader,
    shown,
};
use crate::{
    attachment::attachment,
    conversions::records::read_purpose,
    paging::{Asked, Paging},
    path::{Id, Slug},
    problem::Rejection,
};

/// A file that is there to its last byte.
#[derive(Debug, Clone)]
pub(super) struct FileView {
    pub(super) id: FileId,
    pub(super) name: String,
    pub(super) size_bytes: u64,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

impl FileView {
    /// None while it is being written.
    pub(super) fn of(file: &StoredFile) -> Option<Self> {
        Some(Self {
            id: file.id,
            name: file.name.clone(),
            size_bytes: file.whole?.size_bytes,
            created_at: file.created_at,
            expires_at: file.expires_at,
        })
    }
}

#[derive(Template)]
#[template(path = "records/files.html")]
struct List {
    page: Page,
    purpose: &'static str,
    files: Vec<FileView>,
    pager: Pager,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Query {
    purpose: Option<String>,
}

pub(super) async fn list(
    reader: Reader,
    Slug(slug): Slug,
    Asked(query): Asked<Query>,
    Paging(request): Paging,
) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let purpose = read_purpose(query.purpose.as_deref())?;
    let found = files::page(&inside, purpose, &request).await?;
    let (path, kept) = (format!("/o/{slug}/records/files"), [("purpose", purpose.as_str())]);
    shown(&List {
        page: reader.page(&inside, "records").await?,
        purpose: purpose.as_str(),
        pager: Pager::of(&found, &path, &kept, CursorGiven::of(&request)),
        files: found.items.iter().filter_map(FileView::of).collect(),
    })
}

pub(super) async fn fetch(reader: Reader, Slug(slug): Slug, Id(id): Id<FileId>) -> Result<Response, Rejection> {
    Ok(attachment(files::fetch(&reader.enter(&slug).await?, id).await?))
}

pub(super) async fn remove(reader: Reader, Slug(slug): Slug, Id(id): Id<FileId>) -> Result<Response, Rejection> {
    files::remove(&reader.enter(&slug).await?, id).await?;
    Ok(Redirect::to(&format!("/o/{slug}/records")).into_response())
}
