//! The page that asks before something cannot be undone.

use askama::Template;

use super::{form::Refusal, page::Page};

/// One question, its consequence, and two ways on.
#[derive(Template)]
#[template(path = "parts/confirm.html")]
pub(super) struct Confirm {
    pub(super) page: Page,
    pub(super) refusal: Refusal,
    pub(super) heading: String,
    pub(super) consequence: String,
    pub(super) action: String,
    pub(super) back: String,
    pub(super) back_name: String,
    pub(super) revision: i64,
}
