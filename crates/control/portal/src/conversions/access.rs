//! Signing in, setting up, and accepting an invitation.

use warren_app::{
    AppError, installation::SetUp, invitations::InvitationInfo, organisations::Membership, sessions::CurrentSession,
};
use warren_auth::{Password, SecretToken, permission::Reach};
use warren_model::Email;
use warren_wire::rest::v1;

use super::organisations;
use crate::fields::Fields;

/// # Errors
/// [`AppError::Invalid`] with every field that cannot be used; [`AppError::LinkSpent`] for what cannot be a token.
pub fn read_set_up(body: v1::SetUp) -> Result<SetUp, AppError> {
    let mut fields = Fields::default();
    let name = fields.read("name", body.name.parse());
    let email = fields.read("email", body.email.parse());
    let password = fields.read("password", Password::to_set(body.password));
    let organisation =
        fields.read_nested("organisation", |inner| organisations::read_create_fields(&body.organisation, inner));
    let (Some(name), Some(email), Some(password), Some(organisation)) = (name, email, password, organisation) else {
        return Err(fields.refuse());
    };
    Ok(SetUp { token: read_token(&body.token)?, name, email, password, organisation })
}

/// # Errors
/// [`AppError::Invalid`] with every field that cannot be used.
pub fn read_sign_in(body: v1::SignIn) -> Result<(Email, Password), AppError> {
    let mut fields = Fields::default();
    let email = fields.read("email", body.email.parse());
    let password = fields.read("password", Password::to_check(body.password));
    let (Some(email), Some(password)) = (email, password) else { return Err(fields.refuse()) };
    Ok((email, password))
}

/// # Errors
/// [`AppError::LinkSpent`] for what cannot be a token: it is worth as much as one that was used.
pub fn read_token(text: &str) -> Result<SecretToken, AppError> {
    SecretToken::parse(text.trim()).ok_or(AppError::LinkSpent)
}

pub fn session(session: &CurrentSession, memberships: &[Membership]) -> v1::Session {
    let account = &session.account;
    v1::Session {
        account: v1::Account {
            id: account.id.uuid(),
            name: account.name.to_string(),
            email: account.email.to_string(),
            operator: account.reach == Reach::Installation,
        },
        expires_at: session.expires_at,
        organisations: memberships.iter().map(organisations::membership).collect(),
    }
}

pub fn invitation(info: &InvitationInfo) -> v1::Invitation {
    v1::Invitation {
        organisation_name: info.organisation_name.to_string(),
        email: info.email.to_string(),
        name: info.name.to_string(),
        has_password: info.has_password,
        expires_at: info.expires_at,
    }
}
