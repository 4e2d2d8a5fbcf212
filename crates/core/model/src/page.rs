//! One page of a list. Lists are ordered by identifier, which is the order of creation.

use std::num::NonZeroU16;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use crate::Invalid;

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    limit: NonZeroU16,
    after: Option<Uuid>,
}

impl PageRequest {
    /// The most items on one page.
    pub const LIMIT_MAX: u16 = 200;
    /// The items on a page when nothing is said.
    pub const LIMIT_DEFAULT: u16 = 50;

    /// The page of at most `limit` items that follows `cursor`.
    ///
    /// # Errors
    /// [`Invalid::OutOfRange`] for a limit outside 1 to 200, [`Invalid::Cursor`] for a cursor that this server did not give out.
    pub fn new(limit: Option<i64>, cursor: Option<&str>) -> Result<Self, Invalid> {
        let value = limit.unwrap_or(Self::LIMIT_DEFAULT.into());
        let out_of_range = Invalid::OutOfRange { value, min: 1, max: Self::LIMIT_MAX.into() };
        let limit = u16::try_from(value)
            .ok()
            .filter(|n| *n <= Self::LIMIT_MAX)
            .and_then(NonZeroU16::new)
            .ok_or(out_of_range)?;
        let after = cursor.map(decode).transpose()?;
        Ok(Self { limit, after })
    }
    /// The first page of the greatest length.
    pub const fn first_of_most() -> Self {
        Self { limit: NonZeroU16::new(Self::LIMIT_MAX).expect("not zero"), after: None }
    }
    pub const fn limit(&self) -> u16 {
        self.limit.get()
    }
    /// The identifier that the page follows.
    pub const fn after(&self) -> Option<Uuid> {
        self.after
    }
}

/// A page of a list and where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// None on the last page.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of `rows`, of which the database was asked for one more than the limit.
    pub fn from_rows(request: &PageRequest, mut rows: Vec<T>, id: impl Fn(&T) -> Uuid) -> Self {
        let limit = usize::from(request.limit());
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = if more { rows.last().map(|row| URL_SAFE_NO_PAD.encode(id(row).as_bytes())) } else { None };
        Self { items: rows, next_cursor }
    }
    /// The same page of other things.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(each).collect(), next_cursor: self.next_cursor }
    }
}

fn decode(cursor: &str) -> Result<Uuid, Invalid> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| Invalid::Cursor)?;
    Uuid::from_slice(&bytes).map_err(|_| Invalid::Cursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_gap() {
        let rows: Vec<Uuid> = (1..=5).map(Uuid::from_u128).collect();
        let first = PageRequest::new(Some(2), None).unwrap();
        let page = Page::from_rows(&first, rows[..3].to_vec(), |id| *id);
        assert_eq!(page.items, rows[..2]);
        let second = PageRequest::new(Some(2), page.next_cursor.as_deref()).unwrap();
        assert_eq!(second.after(), Some(rows[1]));
        let last = Page::from_rows(&second, rows[4..].to_vec(), |id| *id);
        assert_eq!(last.next_cursor, None);
    }

    #[test]
    fn limits_and_cursors_are_checked() {
        for bad in [0, -1, 201, i64::MAX] {
            assert!(matches!(PageRequest::new(Some(bad), None), Err(Invalid::OutOfRange { .. })));
        }
        assert_eq!(PageRequest::new(None, Some("not a cursor")), Err(Invalid::Cursor));
    }
}
