//! The variable parts of an address.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use warren_app::{AppError, Thing, imports::Kind};
use warren_model::{
    AccountId, DeliveryId, DeviceId, FileId, GatewayId, Invalid, JobId, MailId, NetworkId, OrganisationSlug, Queue,
    WebhookId,
};

use crate::{PortalState, conversions::jobs::read_queue, problem::Rejection};

/// `{organisation}`: its slug. What cannot be a slug names nothing: 404.
#[derive(Debug, Clone)]
pub struct Slug(pub OrganisationSlug);

/// The identifier of a thing. What is not a UUID is refused with 422.
#[derive(Debug, Clone, Copy)]
pub struct Id<T>(pub T);

/// `{queue}`: one of the queues by its word. What is none is refused with 422.
#[derive(Debug, Clone, Copy)]
pub struct QueueNamed(pub Queue);

/// `{dependency}`: a dependency by its name, which the use case looks up.
#[derive(Debug, Clone)]
pub struct DependencyNamed(pub String);

/// `{kind}`: what an import's lines are. What is no kind names nothing: 404.
#[derive(Debug, Clone, Copy)]
pub struct ImportKind(pub Kind);

/// An identifier with a name of its own in addresses.
pub trait Named: std::str::FromStr<Err = Invalid> {
    const NAME: &'static str;
}

impl Named for AccountId {
    const NAME: &'static str = "person";
}
impl Named for NetworkId {
    const NAME: &'static str = "network";
}
impl Named for DeviceId {
    const NAME: &'static str = "device";
}
impl Named for GatewayId {
    const NAME: &'static str = "gateway";
}
impl Named for WebhookId {
    const NAME: &'static str = "webhook";
}
impl Named for DeliveryId {
    const NAME: &'static str = "delivery";
}
impl Named for FileId {
    const NAME: &'static str = "file";
}
impl Named for JobId {
    const NAME: &'static str = "job";
}
impl Named for MailId {
    const NAME: &'static str = "mail";
}

impl FromRequestParts<PortalState> for Slug {
    type Rejection = Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &PortalState) -> Result<Self, Rejection> {
        let text = segment(parts, state, "organisation").await;
        text.parse().map(Self).map_err(|_| AppError::NotFound(Thing::Organisation).into())
    }
}

impl<T: Named> FromRequestParts<PortalState> for Id<T> {
    type Rejection = Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &PortalState) -> Result<Self, Rejection> {
        let text = segment(parts, state, T::NAME).await;
        text.parse().map(Self).map_err(|invalid| (T::NAME, invalid).into())
    }
}

impl FromRequestParts<PortalState> for QueueNamed {
    type Rejection = Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &PortalState) -> Result<Self, Rejection> {
        let text = segment(parts, state, "queue").await;
        read_queue(&text).map(Self).map_err(|invalid| ("queue", invalid).into())
    }
}

impl FromRequestParts<PortalState> for DependencyNamed {
    type Rejection = Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &PortalState) -> Result<Self, Rejection> {
        Ok(Self(segment(parts, state, "dependency").await))
    }
}

impl FromRequestParts<PortalState> for ImportKind {
    type Rejection = Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &PortalState) -> Result<Self, Rejection> {
        let text = segment(parts, state, "kind").await;
        Kind::from_text(&text).map(Self).ok_or_else(Rejection::no_such_page)
    }
}

/// A segment by its name in the route. Segments that are not UTF-8 are as good as empty: they name nothing.
async fn segment(parts: &mut Parts, state: &PortalState, name: &str) -> String {
    let Ok(params) = RawPathParams::from_request_parts(parts, state).await else { return String::new() };
    params.iter().find(|(param, _)| *param == name).map(|(_, value)| value.to_owned()).unwrap_or_default()
}
