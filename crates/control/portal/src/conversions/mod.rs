//! Between `warren-wire` and the domain. Reading collects every field that cannot be used; writing never fails.

pub mod access;
pub mod activity;
pub mod analysis;
pub mod database;
pub mod dependencies;
pub mod devices;
pub mod gateways;
pub mod jobs;
pub mod mail;
pub mod networks;
pub mod organisations;
pub mod people;
pub mod records;
pub mod webhooks;

/// A text that stands for nothing when it is empty, as forms send it.
fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}
