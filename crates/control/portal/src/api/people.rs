//! People: accounts as one organisation sees them.

use axum::{Json, response::IntoResponse};
use http::{StatusCode, header};
use utoipa_axum::{router::OpenApiRouter, routes};
use warren_app::people;
use warren_model::AccountId;
use warren_wire::rest::v1;

use super::{
    parameters::{ChangeHeaders, CreationHeaders, InOrganisation, OnePerson, PageParameters},
    problems::{Changing, Creating, Finding, Removing},
};
use crate::{
    PortalState,
    body::{Body, Creation},
    caller::Caller,
    conversions::people as convert,
    paging::{self, Paging},
    path::{Id, Slug},
    precondition::{IfMatch, etag},
    problem::Rejection,
};

pub(super) fn router() -> OpenApiRouter<PortalState> {
    OpenApiRouter::new()
        .routes(routes!(list, invite))
        .routes(routes!(show, change, remove))
        .routes(routes!(renew_invitation))
}

/// List people
///
/// Admins.
#[utoipa::path(
    get, path = "/organisations/{organisation}/people", operation_id = "listPeople", tag = "People",
    params(InOrganisation, PageParameters),
    responses((status = 200, description = "A page of people.", body = v1::Page<v1::Person>), Finding),
)]
async fn list(caller: Caller, Slug(slug): Slug, Paging(page): Paging) -> Result<Json<v1::Page<v1::Person>>, Rejection> {
    let page = people::page(&caller.enter(&slug).await?, &page).await?;
    Ok(Json(paging::on_the_wire(page, |person| convert::person(&person))))
}

/// Invite a person
///
/// The answer holds the link to hand over, this once; a request that is sent again gets 409, and a new link can be made.
/// Admins.
#[utoipa::path(
    post, path = "/organisations/{organisation}/people", operation_id = "invitePerson", tag = "People",
    params(InOrganisation, CreationHeaders), request_body = v1::InvitePerson,
    responses(
        (status = 201, description = "Invited.", body = v1::InvitedPerson, headers(("ETag" = String), ("Location" = String))),
        Creating,
    ),
)]
async fn invite(
    caller: Caller,
    Slug(slug): Slug,
    creation: Creation<v1::InvitePerson>,
) -> Result<impl IntoResponse, Rejection> {
    let cx = caller.creating(creation.idempotency);
    let inside = cx.enter(&slug).await?;
    let invited = people::invite(&inside, convert::read_invite(&creation.body)?).await?;
    let location = [(header::LOCATION, format!("/api/v1/organisations/{slug}/people/{}", invited.person.account))];
    Ok((StatusCode::CREATED, etag(invited.person.revision), location, Json(convert::invited(invited))))
}

/// Show a person
///
/// Admins, and everybody themselves.
#[utoipa::path(
    get, path = "/organisations/{organisation}/people/{person}", operation_id = "showPerson", tag = "People",
    params(InOrganisation, OnePerson),
    responses((status = 200, description = "The person.", body = v1::Person, headers(("ETag" = String))), Finding),
)]
async fn show(caller: Caller, Slug(slug): Slug, Id(id): Id<AccountId>) -> Result<impl IntoResponse, Rejection> {
    let person = people::show(&caller.enter(&slug).await?, id).await?;
    Ok((etag(person.revision), Json(convert::person(&person))))
}

/// Change a person's role
///
/// The last admin stays one. Admins.
#[utoipa::path(
    patch, path = "/organisations/{organisation}/people/{person}", operation_id = "changePerson", tag = "People",
    params(InOrganisation, OnePerson, ChangeHeaders), request_body = v1::UpdatePerson,
    responses((status = 200, description = "As the person is now.", body = v1::Person, headers(("ETag" = String))), Changing),
)]
async fn change(
    caller: Caller,
    Slug(slug): Slug,
    Id(id): Id<AccountId>,
    IfMatch(expected): IfMatch,
    Body(body): Body<v1::UpdatePerson>,
) -> Result<impl IntoResponse, Rejection> {
    let role = convert::read_role(&body)?;
    let person = people::change_role(&caller.enter(&slug).await?, id, expected, role).await?;
    Ok((etag(person.revision), Json(convert::person(&person))))
}

/// Remove a person
///
/// Ends the membership and revokes the person's devices in this organisation. The last admin stays. Admins.
#[utoipa::path(
    delete, path = "/organisations/{organisation}/people/{person}", operation_id = "removePerson", tag = "People",
    params(InOrganisation, OnePerson, ChangeHeaders),
    responses((status = 204, description = "Removed."), Removing),
)]
async fn remove(
    caller: Caller,
    Slug(slug): Slug,
    Id(id): Id<AccountId>,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, Rejection> {
    people::remove(&caller.enter(&slug).await?, id, expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Renew a person's invitation
///
/// Makes a new link, shown this once; the earlier one stops working. Admins.
#[utoipa::path(
    post, path = "/organisations/{organisation}/people/{person}/invitation", operation_id = "renewInvitation", tag = "People",
    params(InOrganisation, OnePerson),
    responses((status = 201, description = "The new link.", body = v1::InvitedPerson), Creating),
)]
async fn renew_invitation(
    caller: Caller,
    Slug(slug): Slug,
    Id(id): Id<AccountId>,
) -> Result<impl IntoResponse, Rejection> {
    let invited = people::renew_invitation(&caller.enter(&slug).await?, id).await?;
    Ok((StatusCode::CREATED, Json(convert::invited(invited))))
}
