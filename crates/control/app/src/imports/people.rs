//! People as lines of a table. Whoever does not belong to the organisation yet is invited, also those who have an account from
//! another one: joining is theirs to decide, and who has an account elsewhere is not for an admin to learn.

use std::{collections::HashMap, time::Duration};

use time::format_description::well_known::Rfc3339;
use warren_auth::{Authorized, permission::ManagePeople};
use warren_model::{AccountId, Email, Invalid, MembershipStanding, Person, PersonName, Role, audit::Action};
use warren_storage::{Account, Accounts, Memberships, Source, SystemTransaction, TransactionOptions};

use super::{
    PEOPLE_TOGETHER_MAX, PendingInvitations,
    course::{CHUNK_LINES, Halt, Imported, Scope, Verdict},
    result::Words,
    seen::Seen,
};
use crate::{
    AppError, Inside,
    people::{Invitation, InvitationLink, Invite},
    records::{
        LineError, LineProblem,
        csv::{Column, Columns, Row},
    },
    worker,
};

/// The columns of people.
pub(super) const COLUMNS: &[Column] = &[
    Column::required("email", &["mail", "email address", "E-Mail-Adresse"]),
    Column::optional("name", &["full name", "Vor- und Nachname"]),
    Column::optional("role", &["Rolle"]),
];
const EMAIL: usize = 0;
const NAME: usize = 1;
const ROLE: usize = 2;

/// How long all people together may take.
const TOGETHER_TAKES_MAX: Duration = Duration::from_secs(120);

/// What is known while people are imported.
pub(super) struct People {
    proof: Authorized<ManagePeople>,
    pending: PendingInvitations,
    seen: Seen,
}

impl People {
    /// Admins may.
    pub fn permit(inside: &Inside<'_>, pending: PendingInvitations) -> Result<Self, AppError> {
        Ok(Self { proof: inside.authorise(ManagePeople)?, pending, seen: Seen::default() })
    }

    fn line(&mut self, inside: &Inside<'_>, columns: &Columns, row: &Row) -> Result<Invitation, LineError> {
        let wrong = |column, problem: LineProblem| columns.error(row, column, problem);
        let email: Email = columns.cell(row, EMAIL).parse().map_err(|invalid: Invalid| wrong(EMAIL, invalid.into()))?;
        let name = match columns.cell(row, NAME) {
            "" => name_from(&email),
            name => name.parse(),
        };
        let name = name.map_err(|invalid| wrong(NAME, invalid.into()))?;
        let role = role_from(columns.cell(row, ROLE)).map_err(|invalid| wrong(ROLE, invalid.into()))?;
        if let Some(line) = self.seen.earlier(&[email.as_str().as_bytes()], row.line) {
            return Err(wrong(EMAIL, LineProblem::Repeated { line }));
        }
        let refused = |error| wrong(EMAIL, LineProblem::of(error).unwrap_or(LineProblem::Forbidden));
        Invitation::prepare(inside, Invite { name, email, role }).map_err(refused)
    }

    /// What it means that somebody is there already.
    fn there(&self, person: &Person) -> Verdict {
        match (person.standing, self.pending) {
            (MembershipStanding::Invited, PendingInvitations::Renew) => Verdict::Renewed(Default::default()),
            _ => Verdict::There(Default::default()),
        }
    }

    /// A new link for somebody who has not joined.
    async fn renew(&self, inside: &Inside<'_>, tx: &SystemTransaction, person: &Person) -> Result<Verdict, AppError> {
        let link = InvitationLink::new(inside.app(), person.account, inside.organisation.id);
        link.insert(tx, person.account).await?;
        let entry = inside.cx.entry(&self.proof, Action::PersonInvited, person.account.uuid(), &person.name);
        tx.audit_outbox().push(&entry, inside.organisation.id).await?;
        Ok(Verdict::Renewed(shown(inside, &link)))
    }

    async fn invite(
        &self,
        inside: &Inside<'_>,
        tx: &mut SystemTransaction,
        (invitation, known): (&Invitation, Option<Account>),
        scope: Scope<'_>,
    ) -> Result<Verdict, AppError> {
        match scope {
            Scope::EachAlone => {
                let known = &known;
                tx.nested(async |tx| invitation.carry_out(tx, known.clone()).await).await?
            }
            Scope::Together(_) => invitation.carry_out(tx, known).await?,
        };
        Ok(Verdict::Created(shown(inside, &invitation.link)))
    }
}

impl Imported for People {
    type Line = Invitation;
    const COLUMNS: &'static [Column] = COLUMNS;
    const MORE: [&'static str; 2] = ["invitation", "invitation_expires"];
    const TOGETHER_MAX: u64 = PEOPLE_TOGETHER_MAX;
    const PLANNED: Words = Words {
        created: "result-would-invite",
        renewed: "result-would-renew",
        there: "result-person-there",
        bad: "result-bad",
    };
    const DONE: Words =
        Words { created: "result-invited", renewed: "result-renewed", there: "result-person-there", bad: "result-bad" };

    async fn resolve(
        &mut self,
        inside: &Inside<'_>,
        columns: &Columns,
        rows: &[Row],
    ) -> Result<Vec<Result<Invitation, LineError>>, AppError> {
        Ok(rows.iter().map(|row| self.line(inside, columns, row)).collect())
    }

    async fn look(
        &mut self,
        inside: &Inside<'_>,
        _: &Columns,
        lines: &[(&Row, &Invitation)],
    ) -> Result<Vec<Verdict>, AppError> {
        let system = inside.cx.system();
        let known = Known::of(inside, (&system.accounts(), &system.memberships()), lines).await?;
        let verdict = |(_, invitation): &(&Row, &Invitation)| {
            let there = known.person(&invitation.account.email);
            there.map_or(Verdict::Created(Default::default()), |person| self.there(person))
        };
        Ok(lines.iter().map(verdict).collect())
    }

    async fn carry_out(
        &self,
        inside: &Inside<'_>,
        columns: &Columns,
        lines: &[(&Row, &Invitation)],
        scope: Scope<'_>,
    ) -> Result<Vec<Verdict>, Halt> {
        let options = match scope {
            Scope::EachAlone => TransactionOptions::default(),
            Scope::Together(_) => {
                TransactionOptions { time_limit: TOGETHER_TAKES_MAX, ..TransactionOptions::default() }
            }
        };
        let (system, work) = (inside.cx.system(), inside.cx.work());
        let carried = system.with_transaction(&work, options, async |tx| -> Result<Vec<Verdict>, Halt> {
            let mut verdicts = Vec::with_capacity(lines.len());
            for some in lines.chunks(CHUNK_LINES) {
                scope.step(verdicts.len())?;
                let known = Known::of(inside, (&tx.accounts(), &tx.memberships()), some).await?;
                for (row, invitation) in some {
                    let email = &invitation.account.email;
                    let done = match known.person(email) {
                        None => {
                            let account = known.accounts.get(email).cloned();
                            self.invite(inside, tx, (invitation, account), scope).await
                        }
                        Some(person) => match self.there(person) {
                            Verdict::Renewed(_) => self.renew(inside, tx, person).await,
                            verdict => Ok(verdict),
                        },
                    };
                    let refused = |error| Ok::<_, AppError>(columns.error(row, EMAIL, LineProblem::of(error)?));
                    match (done, scope) {
                        (Ok(verdict), _) => verdicts.push(verdict),
                        (Err(error), Scope::EachAlone) => verdicts.push(Verdict::Bad(refused(error)?)),
                        (Err(error), Scope::Together(_)) => return Err(Halt::Bad(vec![refused(error)?])),
                    }
                }
            }
            Ok(verdicts)
        });
        let verdicts = carried.await?;
        // One after the other, so that what waits to be carried over stays bounded.
        worker::relay_audit(inside.app()).await;
        Ok(verdicts)
    }
}

/// Who of some lines is known.
struct Known {
    accounts: HashMap<Email, Account>,
    people: HashMap<AccountId, Person>,
}

impl Known {
    async fn of<C: Source>(
        inside: &Inside<'_>,
        (accounts, memberships): (&Accounts<'_, C>, &Memberships<'_, C>),
        lines: &[(&Row, &Invitation)],
    ) -> Result<Self, AppError> {
        let emails: Vec<Email> = lines.iter().map(|(_, invitation)| invitation.account.email.clone()).collect();
        Self::with(inside, (accounts, memberships), &emails).await
    }

    async fn with<C: Source>(
        inside: &Inside<'_>,
        (accounts, memberships): (&Accounts<'_, C>, &Memberships<'_, C>),
        emails: &[Email],
    ) -> Result<Self, AppError> {
        let accounts = accounts.by_emails(emails).await?;
        let ids: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
        let people = memberships.people(inside.organisation.id, &ids).await?;
        Ok(Self {
            accounts: accounts.into_iter().map(|account| (account.email.clone(), account)).collect(),
            people: people.into_iter().map(|person| (person.account, person)).collect(),
        })
    }

    /// The person with this address, if they belong to the organisation.
    fn person(&self, email: &Email) -> Option<&Person> {
        self.people.get(&self.accounts.get(email)?.id)
    }
}

/// The people of the organisation who have one of these addresses.
pub(super) async fn people_by_email(
    inside: &Inside<'_>,
    emails: Vec<Email>,
) -> Result<HashMap<Email, Person>, AppError> {
    let system = inside.cx.system();
    let known = Known::with(inside, (&system.accounts(), &system.memberships()), &emails).await?;
    Ok(known.people.into_values().map(|person| (person.email.clone(), person)).collect())
}

/// The two cells of somebody who has a new link.
fn shown(inside: &Inside<'_>, link: &InvitationLink) -> [String; 2] {
    [link.address(inside.app()), link.expires_at().format(&Rfc3339).unwrap_or_default()]
}

/// A name for somebody of whom only the address is known: `ben.carter@…` is called Ben Carter until he joins.
fn name_from(email: &Email) -> Result<PersonName, Invalid> {
    let local = email.as_str().split('@').next().unwrap_or_default();
    let words = local.split(['.', '_', '-', '+']).filter(|word| !word.is_empty()).map(|word| {
        let mut rest = word.chars();
        rest.next().map_or(String::new(), |first| first.to_uppercase().chain(rest).collect::<String>())
    });
    let name = words.collect::<Vec<_>>().join(" ");
    if name.is_empty() { local.parse() } else { name.parse() }
}

/// The role that a cell names; members where it is empty.
fn role_from(text: &str) -> Result<Role, Invalid> {
    match text.to_lowercase().as_str() {
        "" | "mitglied" => Ok(Role::Member),
        "verwaltung" | "administrator" | "administratorin" => Ok(Role::Admin),
        other => other.parse(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_without_a_name_is_called_by_the_address() {
        for (email, name) in [("ben.carter@example.org", "Ben Carter"), ("x@example.org", "X"), ("+@example.org", "+")]
        {
            assert_eq!(name_from(&email.parse().unwrap()).unwrap().as_str(), name);
        }
    }

    #[test]
    fn roles_are_understood_in_both_languages() {
        for (text, role) in
            [("", Role::Member), ("Member", Role::Member), ("ADMIN", Role::Admin), ("Verwaltung", Role::Admin)]
        {
            assert_eq!(role_from(text), Ok(role), "{text}");
        }
        assert!(role_from("owner").is_err());
    }
}
