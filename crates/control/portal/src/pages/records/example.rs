//! `/o/{organisation}/records/examples/{kind}`: a table to begin with.

use axum::response::{IntoResponse, Response};
use http::header;

use super::super::reader::Reader;
use crate::{
    path::{ImportKind, Slug},
    problem::Rejection,
};

/// A spreadsheet program takes a file for UTF-8 that begins with this mark.
const PEOPLE: &str = "\u{feff}email,name,role\r\n\
     ben@example.org,Ben Carter,member\r\n\
     dana@example.org,Dana Hill,admin\r\n";
const DEVICES: &str = "\u{feff}name,owner,network,public_key,expires\r\n\
     Ben's laptop,ben@example.org,Office,CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=,2027-12-31\r\n\
     Dana's phone,dana@example.org,,CgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgo=,\r\n";

pub(super) async fn show(
    reader: Reader,
    Slug(slug): Slug,
    ImportKind(kind): ImportKind,
) -> Result<Response, Rejection> {
    reader.enter(&slug).await?;
    let text = match kind {
        warren_app::imports::Kind::People => PEOPLE,
        warren_app::imports::Kind::Devices => DEVICES,
    };
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}.csv\"", kind.as_str())),
    ];
    Ok((headers, text).into_response())
}
