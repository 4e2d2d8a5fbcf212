//! What every page shows around its content: language, navigation, who is signed in.

use std::{fmt::Display, time::Duration};

use warren_app::{Inside, organisations, sessions::CurrentSession};
use warren_auth::permission::Reach;
use warren_model::{RequestId, Role, Timestamp, page::PageRequest};

use super::markup::{self, Markup, MomentStyle};
use crate::{caller::Caller, locale::Locale, problem::Rejection, request::RequestFacts};

/// The organisations that the menu lists before it leads to the whole list.
const PLACES_MAX: i64 = 8;

/// The frame of one page, and the words on it.
#[derive(Debug, Clone)]
pub struct Page {
    pub locale: Locale,
    /// The page's own address, to which a change of language returns.
    pub path: String,
    pub request: RequestId,
    pub person: String,
    pub email: String,
    pub operator: bool,
    /// Whether the reader is an admin of the organisation that is shown.
    pub admin: bool,
    /// The organisation's slug; empty outside of one.
    pub slug: String,
    place: Place,
    pub places: Vec<PlaceLink>,
    pub more_places: bool,
    pub ways: Vec<Way>,
}

/// Where a page stands.
#[derive(Debug, Clone)]
enum Place {
    Door,
    Nowhere,
    Organisation { name: String },
    Operation,
}

/// An organisation in the menu.
#[derive(Debug, Clone)]
pub struct PlaceLink {
    pub slug: String,
    pub name: String,
    pub current: bool,
}

/// An entry of the navigation.
#[derive(Debug, Clone)]
pub struct Way {
    pub key: &'static str,
    pub icon: &'static str,
    pub address: String,
    pub current: bool,
}

impl Page {
    /// A page for somebody who is not signed in.
    pub fn door(facts: &RequestFacts, path: impl Into<String>) -> Self {
        Self {
            locale: facts.locale,
            path: path.into(),
            request: facts.id,
            person: String::new(),
            email: String::new(),
            operator: false,
            admin: false,
            slug: String::new(),
            place: Place::Door,
            places: Vec::new(),
            more_places: false,
            ways: Vec::new(),
        }
    }

    /// A page outside of any organisation.
    pub async fn nowhere(
        caller: &Caller,
        session: &CurrentSession,
        facts: &RequestFacts,
        path: &str,
    ) -> Result<Self, Rejection> {
        Self { place: Place::Nowhere, ..Self::door(facts, path) }.signed_in(caller, session).await
    }

    /// A page inside of an organisation; `way` is the entry of the navigation that it belongs to.
    pub async fn inside(
        inside: &Inside<'_>,
        caller: &Caller,
        session: &CurrentSession,
        facts: &RequestFacts,
        path: &str,
        way: &'static str,
    ) -> Result<Self, Rejection> {
        let admin = inside.insider.role() == Role::Admin;
        let slug = inside.organisation.slug.to_string();
        let all = [
            ("overview", String::new(), false),
            ("devices", "/devices".to_owned(), false),
            ("networks", "/networks".to_owned(), false),
            ("people", "/people".to_owned(), true),
            ("webhooks", "/webhooks".to_owned(), true),
            ("records", "/records".to_owned(), true),
            ("activity", "/activity".to_owned(), true),
        ];
        let ways = all.into_iter().filter(|(_, _, admins)| admin || !admins).map(|(key, rest, _)| Way {
            key,
            icon: key,
            address: format!("/o/{slug}{rest}"),
            current: key == way,
        });
        let page = Self {
            admin,
            place: Place::Organisation { name: inside.organisation.name.to_string() },
            ways: ways.collect(),
            slug,
            ..Self::door(facts, path)
        };
        page.signed_in(caller, session).await
    }

    /// A page of the operator.
    pub async fn operation(
        caller: &Caller,
        session: &CurrentSession,
        facts: &RequestFacts,
        path: &str,
        way: &'static str,
    ) -> Result<Self, Rejection> {
        let all = [
            ("status", "/operator"),
            ("organisations", "/operator/organisations"),
            ("gateways", "/operator/gateways"),
            ("jobs", "/operator/jobs"),
            ("mail", "/operator/mail"),
            ("dependencies", "/operator/dependencies"),
            ("database", "/operator/database"),
            ("activity", "/operator/activity"),
        ];
        let ways = all.map(|(key, address)| Way { key, icon: key, address: address.to_owned(), current: key == way });
        let page = Self { place: Place::Operation, ways: ways.into(), ..Self::door(facts, path) };
        page.signed_in(caller, session).await
    }

    async fn signed_in(mut self, caller: &Caller, session: &CurrentSession) -> Result<Self, Rejection> {
        let request = PageRequest::new(Some(PLACES_MAX), None).expect("within the limits of a page");
        let first = organisations::page(caller, &request).await?;
        self.more_places = first.next_cursor.is_some();
        self.places = first
            .items
            .into_iter()
            .map(|membership| PlaceLink {
                current: membership.organisation.slug.as_str() == self.slug,
                slug: membership.organisation.slug.to_string(),
                name: membership.organisation.name.to_string(),
            })
            .collect();
        self.person = session.account.name.to_string();
        self.email = session.account.email.to_string();
        self.operator = session.account.reach == Reach::Installation;
        Ok(self)
    }

    /// The text of `key`.
    pub fn text(&self, key: &str) -> String {
        self.locale.text(key, &[])
    }
    /// The text of `key`, which speaks of one value.
    pub fn text_with(&self, key: &str, name: &str, value: impl Display) -> String {
        self.locale.text(key, &[(name, value.to_string())])
    }
    /// The text of `key` for a number.
    pub fn count(&self, key: &str, count: impl Display) -> String {
        self.text_with(key, "count", count)
    }
    /// The word for `value` among those of `family`.
    pub fn text_of(&self, family: &str, value: &str) -> String {
        self.locale.text(&format!("{family}-{value}"), &[])
    }
    /// The `id` of the input called `name`.
    pub fn id(&self, name: &str) -> String {
        input_id(name)
    }
    pub fn locales(&self) -> &'static [Locale] {
        Locale::ALL
    }
    pub fn asset(&self, path: &str) -> String {
        markup::asset(path)
    }
    pub fn icon(&self, name: &str) -> Markup {
        markup::icon(name)
    }
    pub fn art(&self) -> Markup {
        markup::art()
    }
    pub fn time(&self, at: &Timestamp) -> Markup {
        markup::moment(*at, MomentStyle::Whole)
    }
    pub fn day(&self, at: &Timestamp) -> Markup {
        markup::moment(*at, MomentStyle::Day)
    }
    pub fn ago(&self, at: &Timestamp) -> Markup {
        markup::moment(*at, MomentStyle::Ago)
    }
    pub fn copyable(&self, value: impl Display) -> Markup {
        markup::copyable(self.locale, &value.to_string())
    }
    pub fn bytes(&self, bytes: &u64) -> String {
        markup::bytes(self.locale, *bytes)
    }
    pub fn span(&self, span: &Duration) -> String {
        markup::span(self.locale, *span)
    }
    /// Whether the menu of places has anything to offer: another place, or the settings of this one.
    pub fn has_menu(&self) -> bool {
        self.operator || self.has_settings() || self.places.iter().any(|place| !place.current)
    }
    /// Whether the reader may change the organisation that is shown.
    pub fn has_settings(&self) -> bool {
        self.admin && matches!(self.place, Place::Organisation { .. })
    }
    pub fn in_settings(&self) -> bool {
        self.has_settings() && self.path == format!("/o/{}/settings", self.slug)
    }
    /// What the reader's present place is called.
    pub fn place_name(&self) -> String {
        match &self.place {
            Place::Organisation { name } => name.clone(),
            Place::Operation => self.text("place-installation"),
            Place::Door | Place::Nowhere => self.text("brand"),
        }
    }
    pub fn in_operation(&self) -> bool {
        matches!(self.place, Place::Operation)
    }
    /// The reader's initials: the first letters of the first and the last name.
    pub fn initials(&self) -> String {
        let mut words = self.person.split_whitespace().filter_map(|word| word.chars().next());
        let first = words.next();
        first.into_iter().chain(words.next_back()).flat_map(char::to_uppercase).collect()
    }
}

/// The `id` of the input called `name`: dots, which have a meaning in style sheets, become hyphens.
pub fn input_id(name: &str) -> String {
    name.replace('.', "-")
}
