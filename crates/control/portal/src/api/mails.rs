//! Letters on record. Operators.

use axum::Json;
use http::StatusCode;
use utoipa_axum::{router::OpenApiRouter, routes};
use warren_app::mail;
use warren_model::MailId;
use warren_wire::rest::v1;

use super::{
    parameters::{OneMail, PageParameters},
    problems::{Creating, Finding, Reading},
};
use crate::{
    PortalState,
    body::Body,
    caller::Caller,
    conversions::mail as convert,
    paging::{self, Paging},
    path::Id,
    problem::Rejection,
};

pub(super) fn router() -> OpenApiRouter<PortalState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show)).routes(routes!(send_test))
}

/// List letters
///
/// Those that were sent, refused or kept in the last 30 days, the newest first. What still waits is a job of the queue `mail`.
/// Operators.
#[utoipa::path(
    get, path = "/mails", operation_id = "listMails", tag = "Mail",
    params(PageParameters),
    responses((status = 200, description = "A page of letters.", body = v1::Page<v1::Mail>), Reading),
)]
async fn list(caller: Caller, Paging(page): Paging) -> Result<Json<v1::Page<v1::Mail>>, Rejection> {
    let page = mail::page(&caller, &page).await?;
    Ok(Json(paging::on_the_wire(page, |record| convert::mail(&record))))
}

/// Show a letter
///
/// With what stands in it where it was kept. Operators.
#[utoipa::path(
    get, path = "/mails/{mail}", operation_id = "showMail", tag = "Mail",
    params(OneMail),
    responses((status = 200, description = "The letter.", body = v1::Mail), Finding),
)]
async fn show(caller: Caller, Id(id): Id<MailId>) -> Result<Json<v1::Mail>, Rejection> {
    Ok(Json(convert::mail_in_full(mail::show(&caller, id).await?)))
}

/// Send a test letter
///
/// Says that mail works. Operators.
#[utoipa::path(
    post, path = "/mails/test", operation_id = "sendTestMail", tag = "Mail",
    request_body = v1::SendTestMail,
    responses((status = 202, description = "On its way.", body = v1::TestMailOnItsWay), Creating),
)]
async fn send_test(
    caller: Caller,
    Body(body): Body<v1::SendTestMail>,
) -> Result<(StatusCode, Json<v1::TestMailOnItsWay>), Rejection> {
    let job = mail::send_test(&caller, &convert::read_test(&body)?).await?;
    Ok((StatusCode::ACCEPTED, Json(v1::TestMailOnItsWay { job_id: job.uuid() })))
}
