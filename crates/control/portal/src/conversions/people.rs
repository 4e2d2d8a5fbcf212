//! People.

use warren_app::{
    AppError,
    people::{Invite, Invited},
};
use warren_model::{JobId, Person, Role};
use warren_wire::rest::v1;

use crate::fields::Fields;

/// # Errors
/// [`AppError::Invalid`] with every field that cannot be used.
pub fn read_invite(body: &v1::InvitePerson) -> Result<Invite, AppError> {
    let mut fields = Fields::default();
    let name = fields.read("name", body.name.parse());
    let email = fields.read("email", body.email.parse());
    let role = fields.read("role", body.role.parse());
    let (Some(name), Some(email), Some(role)) = (name, email, role) else { return Err(fields.refuse()) };
    Ok(Invite { name, email, role })
}

/// # Errors
/// [`AppError::Invalid`]
pub fn read_role(body: &v1::UpdatePerson) -> Result<Role, AppError> {
    body.role.parse().map_err(|invalid| AppError::field("role", invalid))
}

pub fn person(person: &Person) -> v1::Person {
    v1::Person {
        id: person.account.uuid(),
        name: person.name.to_string(),
        email: person.email.to_string(),
        role: person.role.as_str().to_owned(),
        standing: person.standing.as_str().to_owned(),
        created_at: person.created_at,
        revision: person.revision,
    }
}

pub fn invited(invited: Invited) -> v1::InvitedPerson {
    v1::InvitedPerson {
        person: person(&invited.person),
        invitation: v1::InvitationLink { link: invited.link, expires_at: invited.expires_at },
        letter_job_id: invited.letter.map(JobId::uuid),
    }
}
