//! `/o/{organisation}/activity`: the audit trail in sentences.

use askama::Template;
use axum::response::Response;
use serde::Deserialize;
use warren_app::{
    activity::{self, Filter},
    people,
};
use warren_model::{
    Timestamp,
    audit::{Action, Actor, AuditEntry, Source},
    page::PageRequest,
};

use super::super::{
    form::label_key,
    page::Page,
    pager::{CursorGiven, Pager},
    reader::Reader,
    shown,
    views::Choice,
};
use crate::{
    fields::Fields,
    locale::Locale,
    paging::{Asked, Paging},
    path::Slug,
    problem::Rejection,
};

#[derive(Template)]
#[template(path = "organisation/activity.html")]
pub(in super::super) struct Diary {
    pub(in super::super) page: Page,
    pub(in super::super) entries: Vec<Entry>,
    /// Whether something was chosen.
    pub(in super::super) filtered: bool,
    /// What may be chosen; empty where nothing is to choose.
    pub(in super::super) actions: Vec<Choice>,
    pub(in super::super) actors: Vec<Choice>,
    pub(in super::super) pager: Pager,
}

/// One entry in words.
pub(in super::super) struct Entry {
    sentence: String,
    at: Timestamp,
    changes: Vec<Change>,
    source: String,
    request: String,
}

struct Change {
    field: String,
    before: Option<String>,
    after: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Query {
    action: Option<String>,
    actor: Option<String>,
}

pub(super) async fn show(
    reader: Reader,
    Slug(slug): Slug,
    Asked(query): Asked<Query>,
    Paging(request): Paging,
) -> Result<Response, Rejection> {
    let (action, actor) = (query.action.unwrap_or_default(), query.actor.unwrap_or_default());
    let mut fields = Fields::default();
    let wanted = fields.read_optional("actor", (!actor.is_empty()).then(|| actor.parse()));
    let Some(wanted) = wanted else { return Err(fields.refuse().into()) };
    let inside = reader.enter(&slug).await?;
    let filter = Filter { actor: wanted, action: Some(action.clone()).filter(|action| !action.is_empty()) };
    let found = activity::page(&inside, filter, &request).await?;
    let locale = reader.facts.locale;
    let people = people::page(&inside, &PageRequest::first_of_most()).await?.items;
    let people = people.into_iter().map(|person| (person.account.to_string(), person.name.to_string()));
    // What concerns the installation alone never stands in an organisation's trail.
    let is_here =
        |action: &&Action| !["installation", "session", "gateway"].iter().any(|kind| action.as_str().starts_with(kind));
    let actions = Action::ALL
        .iter()
        .filter(is_here)
        .map(|action| (action.as_str().to_owned(), locale.text(&key_of("kind", *action), &[])));
    let path = format!("/o/{slug}/activity");
    shown(&Diary {
        page: reader.page(&inside, "activity").await?,
        pager: Pager::of(&found, &path, &[("action", &action), ("actor", &actor)], CursorGiven::of(&request)),
        entries: found.items.iter().map(|entry| in_words(entry, &locale)).collect(),
        filtered: !action.is_empty() || !actor.is_empty(),
        actions: Choice::list(actions, &action),
        actors: Choice::list(people, &actor),
    })
}

/// The catalogue key that `family` has for an action.
fn key_of(family: &str, action: Action) -> String {
    format!("{family}-{}", action.as_str().replace('.', "-"))
}

/// An entry as a sentence in the reader's language.
pub(in super::super) fn in_words(entry: &AuditEntry, locale: &Locale) -> Entry {
    let actor = match &entry.actor {
        Actor::Account { name, .. } => name.clone(),
        Actor::LocalOperator { user } => locale.text("actor-local", &[("user", user.clone())]),
        Actor::LinkHolder => locale.text("actor-link-holder", &[]),
        Actor::System => locale.text("actor-system", &[]),
    };
    let source = match entry.source {
        Source::Address(address) => locale.text("source-address", &[("address", address.to_string())]),
        Source::Local => locale.text("source-local", &[]),
        Source::Internal => locale.text("source-internal", &[]),
    };
    let changes = entry.changes.iter().map(|change| Change {
        field: locale.text(&label_key(&change.field), &[]),
        before: change.before.as_deref().map(|value| value_in_words(&change.field, value, locale)),
        after: change.after.as_deref().map(|value| value_in_words(&change.field, value, locale)),
    });
    Entry {
        sentence: locale
            .text(&key_of("action", entry.action), &[("actor", actor), ("subject", entry.subject_name.clone())]),
        at: entry.at,
        changes: changes.collect(),
        source,
        request: entry.request.to_string(),
    }
}

/// A value that is a word of the API, in the reader's language; names, addresses and numbers stay as they are.
fn value_in_words(field: &str, value: &str, locale: &Locale) -> String {
    let family = match (field, value) {
        ("role", "member" | "admin") => "role",
        ("tunnel", "split" | "full") => "tunnel",
        ("device_traffic", "allowed" | "blocked") => "device-traffic",
        ("state", "active" | "suspended") => "organisation-state",
        ("calls", "left alone" | "called" | "released") => "calls",
        _ => return value.to_owned(),
    };
    locale.text(&format!("{family}-{}", value.replace(' ', "-")), &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_api_are_translated_and_names_are_not() {
        assert_eq!(value_in_words("role", "member", &Locale::German), "Mitglied");
        assert_eq!(value_in_words("name", "member", &Locale::German), "member");
    }
}
