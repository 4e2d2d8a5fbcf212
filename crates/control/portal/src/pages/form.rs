//! Forms: what was sent, and what was wrong with it.

use std::collections::BTreeMap;

use axum::{
    Form,
    body::{Body, Bytes},
    extract::{FromRequest, Request},
};
use http::StatusCode;
use sha2::{Digest, Sha256};
use warren_app::{AppError, IdempotencyKey};
use warren_auth::SecretToken;
use warren_model::{Invalid, Random};

use super::page::input_id;
use crate::{
    PortalState,
    locale::Locale,
    problem::{MEDIA_TYPE, Rejection},
};

/// The values of a form, as they stand in its inputs.
#[derive(Debug, Clone, Default)]
pub struct Values(BTreeMap<String, String>);

/// A form that was sent, and the name by which sending it again is recognised.
#[derive(Debug)]
pub struct Submitted {
    pub values: Values,
    pub idempotency: Option<IdempotencyKey>,
}

/// Why a form is shown again; empty when it is shown for the first time.
#[derive(Debug, Clone, Default)]
pub struct Refusal {
    status: Option<StatusCode>,
    pub title: String,
    pub detail: String,
    pub fields: Vec<RefusedField>,
}

/// A field to be corrected.
#[derive(Debug, Clone)]
pub struct RefusedField {
    name: String,
    pub id: String,
    pub label: String,
    pub message: String,
}

impl Values {
    /// The input that makes a form's second sending harmless.
    pub const ONCE: &str = "once";

    /// The values of a form that is shown for the first time.
    pub fn of<const N: usize>(values: [(&str, String); N]) -> Self {
        Self(values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
    /// With a fresh name by which sending it twice is recognised.
    pub fn once(self, random: &dyn Random) -> Self {
        self.with(Self::ONCE, SecretToken::generate(random).expose())
    }
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.0.insert(name.to_owned(), value.to_string());
        self
    }
    /// Takes up the value of an input of a form that is read bit by bit.
    pub fn put(&mut self, name: String, value: String) {
        self.0.insert(name, value);
    }
    /// The value of an input; empty when it is absent, as unticked boxes are.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
    /// The value, unless it is empty.
    pub fn present(&self, name: &str) -> Option<String> {
        Some(self.get(name).trim()).filter(|value| !value.is_empty()).map(str::to_owned)
    }
    /// The lines, or what stands between commas or blanks, without the empty ones.
    pub fn lines(&self, name: &str) -> Vec<String> {
        let parts = self.get(name).split([',', '\n', '\r', ' ', '\t']).map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }
    /// A whole number. What is none is refused with the limits that the field has.
    ///
    /// # Errors
    /// [`AppError::Invalid`]
    pub fn number(&self, name: &'static str, (min, max): (i64, i64)) -> Result<Option<i64>, AppError> {
        let refuse = |_| AppError::field(name, Invalid::OutOfRange { value: 0, min, max });
        self.present(name).map(|text| text.parse().map_err(refuse)).transpose()
    }
    /// The revision that the form was made from. A form without one matches nothing.
    pub fn expected(&self) -> warren_app::Expected {
        warren_app::Expected::Revision(self.get("revision").parse().unwrap_or(-1))
    }
}

impl FromRequest<PortalState> for Submitted {
    type Rejection = Rejection;
    async fn from_request(request: Request, state: &PortalState) -> Result<Self, Rejection> {
        let (parts, body) = request.into_parts();
        let whole = Request::from_parts(parts.clone(), body);
        let bytes = Bytes::from_request(whole, state).await?;
        let fingerprint = Sha256::new()
            .chain_update(parts.method.as_str())
            .chain_update([0])
            .chain_update(parts.uri.path())
            .chain_update([0])
            .chain_update(&bytes)
            .finalize();
        let again = Request::from_parts(parts, Body::from(bytes));
        let form = Form::<Vec<(String, String)>>::from_request(again, state).await;
        let expected = "application/x-www-form-urlencoded";
        let Form(pairs) = form
            .map_err(|_| Rejection::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, MEDIA_TYPE).with("expected", expected))?;
        let values = Values(pairs.into_iter().collect());
        let idempotency =
            values.present(Values::ONCE).and_then(|key| IdempotencyKey::new(&key, fingerprint.into()).ok());
        Ok(Self { values, idempotency })
    }
}

impl Refusal {
    /// Why the form is to be shown again.
    ///
    /// # Errors
    /// The rejection itself when no form could mend it: what is missing, forbidden, or a fault of ours.
    pub fn of(rejection: Rejection, locale: &Locale) -> Result<Self, Rejection> {
        let hopeless = matches!(
            rejection.status,
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN | StatusCode::INTERNAL_SERVER_ERROR
        );
        // A thing that the form names, and that is gone since, is no reason to lose what was typed.
        if hopeless && rejection.fields.is_empty() {
            return Err(rejection);
        }
        let fields = rejection.fields.iter().map(|field| {
            let base = base_name(&field.field);
            RefusedField {
                id: input_id(base),
                label: locale.text(&label_key(base), &[]),
                message: field.message(locale),
                name: base.to_owned(),
            }
        });
        Ok(Self {
            status: Some(rejection.status),
            title: rejection.title(locale),
            detail: rejection.detail(locale),
            fields: fields.collect(),
        })
    }
    pub fn is_some(&self) -> bool {
        self.status.is_some()
    }
    /// What is wrong with the input called `name`.
    pub fn at(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.name == name).map(|field| field.message.as_str())
    }
    /// Says what is wrong with the input called `name`, if anything is, in better words than the rule's own.
    pub fn say(&mut self, name: &str, message: &str) {
        for field in self.fields.iter_mut().filter(|field| field.name == name) {
            field.message = message.to_owned();
        }
    }
    /// The status of the page that shows the form again; 200 for a form shown for the first time.
    pub fn status(&self) -> StatusCode {
        self.status.unwrap_or(StatusCode::OK)
    }
}

/// `dns_servers.1` stands in the input `dns_servers`.
fn base_name(field: &str) -> &str {
    match field.rsplit_once('.') {
        Some((base, last)) if last.chars().all(|c| c.is_ascii_digit()) => base,
        _ => field,
    }
}

/// The catalogue key of a field's name.
pub fn label_key(field: &str) -> String {
    format!("field-{}", field.replace(['.', '_'], "-"))
}

/// The values of two readings, both of which may have been refused: everything that was wrong in both.
///
/// # Errors
/// [`AppError::Invalid`] with all fields, or the first other error.
pub fn both<A, B>(first: Result<A, AppError>, second: Result<B, AppError>) -> Result<(A, B), AppError> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (Err(AppError::Invalid(mut fields)), Err(AppError::Invalid(more))) => {
            fields.extend(more);
            Err(AppError::Invalid(fields))
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_of_a_list_belongs_to_the_input_of_the_list() {
        let fields = vec![warren_app::FieldError { field: "dns_servers.1".into(), invalid: Invalid::Address }];
        let refusal = Refusal::of(AppError::Invalid(fields).into(), &Locale::English).unwrap();
        assert!(refusal.at("dns_servers").is_some());
        assert_eq!(refusal.fields[0].label, "Name servers");
        assert_eq!(refusal.status(), StatusCode::UNPROCESSABLE_ENTITY);
    }

    #[test]
    fn what_no_form_can_mend_is_passed_on() {
        assert!(Refusal::of(AppError::Forbidden.into(), &Locale::English).is_err());
        assert!(Refusal::of(AppError::Stale.into(), &Locale::English).is_ok());
    }

    #[test]
    fn lists_may_be_separated_as_people_like() {
        let values = Values::of([("x", "10.0.0.1, 10.0.0.2\r\n\r\n10.0.0.3 ".into())]);
        assert_eq!(values.lines("x"), ["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    }
}
