//! `/o/{organisation}/people/new`: an invitation, and the link that is shown once.

use askama::Template;
use axum::response::Response;
use warren_app::{
    AppError, Inside,
    mail::MailStanding,
    people::{self, Invited},
};
use warren_model::{AccountId, Timestamp};
use warren_wire::rest::v1;

use super::super::{
    form::{Refusal, Submitted, Values},
    page::Page,
    reader::Reader,
    shown, shown_as,
};
use crate::{
    conversions::people as convert,
    path::{Id, Slug},
    problem::Rejection,
};

#[derive(Template)]
#[template(path = "people/invite.html")]
struct Invite {
    page: Page,
    refusal: Refusal,
    values: Values,
}

#[derive(Template)]
#[template(path = "people/invited.html")]
struct Shown {
    page: Page,
    name: String,
    email: String,
    /// What to do with the link, by whether a letter brings it.
    lead: &'static str,
    link: String,
    expires_at: Timestamp,
}

pub(super) async fn show(reader: Reader, Slug(slug): Slug) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let values = Values::of([("role", "member".into())]).once(reader.app.random());
    form(&reader, &inside, values, Refusal::default()).await
}

pub(super) async fn submit(reader: Reader, Slug(slug): Slug, sent: Submitted) -> Result<Response, Rejection> {
    let cx = reader.creating(sent.idempotency);
    let inside = cx.enter(&slug).await?;
    let get = |name| sent.values.get(name).to_owned();
    let body = v1::InvitePerson { name: get("name"), email: get("email"), role: get("role") };
    let outcome = match convert::read_invite(&body) {
        Ok(input) => people::invite(&inside, input).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(invited) => link(&reader, &inside, invited).await,
        Err(error) => form(&reader, &inside, sent.values, Refusal::of(error.into(), &reader.facts.locale)?).await,
    }
}

/// A new link in place of one that was lost or has expired.
pub(super) async fn renew(reader: Reader, Slug(slug): Slug, Id(id): Id<AccountId>) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let invited = people::renew_invitation(&inside, id).await?;
    link(&reader, &inside, invited).await
}

async fn form(reader: &Reader, inside: &Inside<'_>, values: Values, refusal: Refusal) -> Result<Response, Rejection> {
    let page = reader.page(inside, "people").await?;
    if !page.admin {
        return Err(AppError::Forbidden.into());
    }
    let form = Invite { page, refusal, values };
    shown_as(form.refusal.status(), &form)
}

/// Shown at once: the link is kept nowhere to be shown later.
async fn link(reader: &Reader, inside: &Inside<'_>, invited: Invited) -> Result<Response, Rejection> {
    shown(&Shown {
        page: reader.page(inside, "people").await?,
        name: invited.person.name.to_string(),
        email: invited.person.email.to_string(),
        lead: match (invited.letter, reader.app.mail_standing()) {
            (None, _) | (_, MailStanding::Off) => "invited-lead",
            (Some(_), MailStanding::Kept) => "invited-letter-kept",
            (Some(_), MailStanding::Sent) => "invited-letter-sent",
        },
        link: invited.link,
        expires_at: invited.expires_at,
    })
}
