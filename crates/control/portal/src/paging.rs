//! `?limit=&cursor=` of a list.

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
use serde::Deserialize;
use warren_model::{
    Invalid,
    page::{Page, PageRequest},
};
use warren_wire::rest::v1;

use crate::{
    PortalState,
    problem::{FieldRefusal, Rejection, TYPE},
};

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Paging(pub PageRequest);

#[derive(Debug, Default, Deserialize)]
struct Raw {
    limit: Option<String>,
    cursor: Option<String>,
}

impl FromRequestParts<PortalState> for Paging {
    type Rejection = Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &PortalState) -> Result<Self, Rejection> {
        let Asked(raw) = Asked::<Raw>::from_request_parts(parts, state).await?;
        let limit = raw.limit.map(|limit| limit.parse::<i64>()).transpose();
        let limit = limit.map_err(|_| not_understood("limit", "a whole number"))?;
        let request = PageRequest::new(limit, raw.cursor.as_deref());
        request.map(Self).map_err(|invalid| {
            let field = if invalid == Invalid::Cursor { "cursor" } else { "limit" };
            (field, invalid).into()
        })
    }
}

/// The query of the address, as texts that the endpoint reads itself.
#[derive(Debug)]
pub struct Asked<T>(pub T);

impl<T: serde::de::DeserializeOwned> FromRequestParts<PortalState> for Asked<T> {
    type Rejection = Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &PortalState) -> Result<Self, Rejection> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|query| Self(query.0)).map_err(|_| not_understood("query", "each parameter once, percent-encoded"))
    }
}

/// A page as it goes out.
pub fn on_the_wire<T, U>(page: Page<T>, each: impl FnMut(T) -> U) -> v1::Page<U> {
    let page = page.map(each);
    v1::Page { items: page.items, next_cursor: page.next_cursor }
}

fn not_understood(field: &'static str, expected: &str) -> Rejection {
    let arguments = vec![("expected", expected.to_owned())];
    Rejection::of_fields(vec![FieldRefusal { field: field.into(), code: TYPE, arguments }])
}
