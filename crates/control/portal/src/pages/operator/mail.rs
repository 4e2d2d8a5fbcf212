//! `/operator/mail`: letters on record, how each sort of letter looks, and a test.
//!
//! A letter is a page of its own with its styles at its elements, which our policy forbids. It is shown in a frame that runs
//! nothing, and served under a policy of its own that says the same once more ([`LETTER_POLICY`]).

use askama::Template;
use axum::{
    Router,
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use http::{HeaderValue, header};
use serde::Deserialize;
use warren_app::{
    AppError, Thing,
    mail::{self, Language, Letter, MailRecord, MailStanding, MailState, Rendered},
};
use warren_model::{MailId, Timestamp};
use warren_wire::rest::v1;

use super::{
    super::{
        form::{Refusal, Submitted, Values},
        page::Page,
        pager::{CursorGiven, Pager},
        reader::Reader,
        shown, shown_as, shown_with_frames,
    },
    owner::{OwnerShown, Owners},
};
use crate::{
    PortalState,
    conversions::mail as convert,
    locale::Locale,
    paging::{Asked, Paging},
    path::Id,
    problem::Rejection,
    security::LETTER_POLICY,
};

pub(super) fn router() -> Router<PortalState> {
    Router::new()
        .route("/operator/mail", get(list))
        .route("/operator/mail/test", get(show_test).post(submit_test))
        .route("/operator/mail/letters", get(previews))
        .route("/operator/mail/letters/{letter}", get(preview))
        .route("/operator/mail/{mail}", get(show))
        .route("/operator/mail/{mail}/letter", get(letter))
}

#[derive(Template)]
#[template(path = "operator/mail.html")]
struct List {
    page: Page,
    standing: &'static str,
    mails: Vec<MailShown>,
    pager: Pager,
}

struct MailShown {
    id: MailId,
    at: Timestamp,
    to: String,
    subject: String,
    letter: String,
    state: &'static str,
    tone: &'static str,
    error: Option<String>,
    owner: OwnerShown,
}

#[derive(Template)]
#[template(path = "operator/letter.html")]
struct Shown {
    page: Page,
    mail: MailShown,
    /// The plain text of one that was kept.
    text: Option<String>,
}

#[derive(Template)]
#[template(path = "operator/letters.html")]
struct Previews {
    page: Page,
    languages: Vec<LanguageShown>,
    language: &'static str,
    letters: Vec<PreviewShown>,
}

struct LanguageShown {
    tag: &'static str,
    name: &'static str,
    current: bool,
}

struct PreviewShown {
    name: &'static str,
    subject: String,
    text: String,
}

#[derive(Template)]
#[template(path = "operator/mail_test.html")]
struct Test {
    page: Page,
    refusal: Refusal,
    values: Values,
}

/// The language that is asked for; the reader's own where none is.
#[derive(Debug, Default, Deserialize)]
struct InLanguage {
    language: Option<String>,
}

async fn list(reader: Reader, Paging(request): Paging) -> Result<Response, Rejection> {
    let page = reader.operator_page("mail").await?;
    let found = mail::page(&reader, &request).await?;
    let owners = Owners::of(&reader, found.items.iter().map(|record| record.organisation).collect()).await?;
    let standing = match reader.app.mail_standing() {
        MailStanding::Off => "off",
        MailStanding::Kept => "kept",
        MailStanding::Sent => "sent",
    };
    shown(&List {
        mails: found.items.iter().map(|record| mail_shown(&page, record, &owners)).collect(),
        pager: Pager::of(&found, "/operator/mail", &[], CursorGiven::of(&request)),
        standing,
        page,
    })
}

async fn show(reader: Reader, Id(id): Id<MailId>) -> Result<Response, Rejection> {
    let page = reader.operator_page("mail").await?;
    let record = mail::show(&reader, id).await?;
    let owners = Owners::of(&reader, vec![record.organisation]).await?;
    let mail = mail_shown(&page, &record, &owners);
    shown_with_frames(&Shown { page, mail, text: record.content.map(|(_, text)| text) })
}

/// The letter itself, for the frame.
async fn letter(reader: Reader, Id(id): Id<MailId>) -> Result<Response, Rejection> {
    let (html, _) = mail::show(&reader, id).await?.content.ok_or(AppError::NotFound(Thing::Mail))?;
    Ok(framed(html))
}

async fn previews(reader: Reader, Asked(asked): Asked<InLanguage>) -> Result<Response, Rejection> {
    let page = reader.operator_page("mail").await?;
    let language = asked.language(reader.facts.locale);
    let letters = mail::previews(&reader, language)?;
    let preview = |(letter, rendered): (Letter, Rendered)| PreviewShown {
        name: letter.name(),
        subject: rendered.subject,
        text: rendered.text,
    };
    let languages = Locale::ALL.iter().map(|locale| LanguageShown {
        tag: locale.tag(),
        name: locale.own_name(),
        current: locale.tag() == language.tag(),
    });
    shown_with_frames(&Previews {
        page,
        languages: languages.collect(),
        language: language.tag(),
        letters: letters.into_iter().map(preview).collect(),
    })
}

/// One sort of letter, for the frame.
async fn preview(
    reader: Reader,
    axum::extract::Path(name): axum::extract::Path<String>,
    Asked(asked): Asked<InLanguage>,
) -> Result<Response, Rejection> {
    let letters = mail::previews(&reader, asked.language(reader.facts.locale))?;
    let found = letters.into_iter().find(|(letter, _)| letter.name() == name);
    let (_, rendered) = found.ok_or(AppError::NotFound(Thing::Mail))?;
    Ok(framed(rendered.html))
}

async fn show_test(reader: Reader) -> Result<Response, Rejection> {
    let values = Values::of([("to", reader.session.account.email.to_string())]);
    test_form(&reader, values, Refusal::default()).await
}

async fn submit_test(reader: Reader, sent: Submitted) -> Result<Response, Rejection> {
    let body = v1::SendTestMail { to: sent.values.get("to").trim().to_owned() };
    let outcome = match convert::read_test(&body) {
        Ok(to) => mail::send_test(&reader, &to).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(job) => Ok(Redirect::to(&format!("/operator/jobs/{job}")).into_response()),
        Err(error) => test_form(&reader, sent.values, Refusal::of(error.into(), &reader.facts.locale)?).await,
    }
}

async fn test_form(reader: &Reader, values: Values, refusal: Refusal) -> Result<Response, Rejection> {
    let form = Test { page: reader.operator_page("mail").await?, refusal, values };
    shown_as(form.refusal.status(), &form)
}

impl InLanguage {
    fn language(&self, otherwise: Locale) -> Language {
        let asked = self.language.as_deref().and_then(Language::from_tag);
        asked.or_else(|| Language::from_tag(otherwise.tag())).unwrap_or_default()
    }
}

fn framed(html: String) -> Response {
    let policy = HeaderValue::from_static(LETTER_POLICY);
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response()
}

fn mail_shown(page: &Page, record: &MailRecord, owners: &Owners) -> MailShown {
    MailShown {
        id: record.id,
        at: record.at,
        to: record.recipient.clone(),
        subject: record.subject.clone(),
        letter: record.letter.clone(),
        state: record.state.as_str(),
        tone: match record.state {
            MailState::Sent => "good",
            MailState::Refused => "bad",
            MailState::Kept => "warn",
        },
        error: record.error.clone(),
        owner: owners.show(page, record.organisation),
    }
}
