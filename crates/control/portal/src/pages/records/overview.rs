//! `/o/{organisation}/records`: what can be done in bulk, and what came of it lately.

use askama::Template;
use axum::response::Response;
use warren_app::{
    Inside,
    files::{self, FilePurpose},
};
use warren_model::page::PageRequest;

use super::{
    super::{
        form::{Refusal, Values},
        page::Page,
        reader::Reader,
        shown_as,
    },
    files::FileView,
};
use crate::{path::Slug, problem::Rejection};

/// Files of each purpose that are shown before a link leads to all of them.
const FILES_SHOWN: i64 = 5;

#[derive(Template)]
#[template(path = "records/overview.html")]
struct Overview {
    page: Page,
    refusal: Refusal,
    values: Values,
    outcomes: Files,
}

/// The newest files of one purpose.
struct Files {
    purpose: &'static str,
    files: Vec<FileView>,
    more: bool,
}

pub(super) async fn show(reader: Reader, Slug(slug): Slug) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let values = Values::of([("kind", "people".into()), ("mode", "dry_run".into())]);
    page(&reader, &inside, values, Refusal::default()).await
}

pub(super) async fn page(
    reader: &Reader,
    inside: &Inside<'_>,
    values: Values,
    refusal: Refusal,
) -> Result<Response, Rejection> {
    let shown = Overview {
        outcomes: newest(inside, FilePurpose::Outcome).await?,
        page: reader.page(inside, "records").await?,
        refusal,
        values,
    };
    shown_as(shown.refusal.status(), &shown)
}

async fn newest(inside: &Inside<'_>, purpose: FilePurpose) -> Result<Files, Rejection> {
    let request = PageRequest::new(Some(FILES_SHOWN), None).expect("within the limits of a page");
    let found = files::page(inside, purpose, &request).await?;
    let files = found.items.iter().filter_map(FileView::of).collect();
    Ok(Files { purpose: purpose.as_str(), files, more: found.next_cursor.is_some() })
}
