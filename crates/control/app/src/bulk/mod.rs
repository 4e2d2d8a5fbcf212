//! Changing many devices or people at once. Each item goes through the same code as a single change, in a transaction of its own:
//! what cannot be done for one is told, and the others are done. Done again, it finds nothing to do.

use std::collections::HashSet;

use warren_auth::permission::ManagePeople;
use warren_model::{
    AccountId, DeviceId, Invalid, MembershipStanding, Person, Role, Timestamp, device::Standing, page::PageRequest,
};

use crate::{
    AppError, Expected, Inside,
    devices::{self, Change, Effect, Enablement, Filter},
    exports::next,
    people,
    records::{LineProblem, Proceed, Progress},
};

/// The most items of one bulk change.
pub const ITEMS_MAX: usize = 10_000;

/// What is done to each device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceChange {
    Enable,
    Disable,
    Revoke,
    /// None lets it never expire.
    SetExpiry(Option<Timestamp>),
    GiveTo(AccountId),
}

/// What is done to each person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonChange {
    SetRole(Role),
    Remove,
}

/// Which devices.
#[derive(Debug, Clone)]
pub enum DeviceSelection {
    These(Vec<DeviceId>),
    /// Those that pass the filter and are not revoked.
    Matching(Filter),
}

/// Which people.
#[derive(Debug, Clone)]
pub enum PersonSelection {
    These(Vec<AccountId>),
    Matching(PersonFilter),
}

/// Which people pass; none means all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PersonFilter {
    pub role: Option<Role>,
    pub standing: Option<MembershipStanding>,
}

/// What came of a bulk change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome<I> {
    pub end: End,
    /// Of each item that was come to, in the order in which they were.
    pub items: Vec<(I, ItemOutcome)>,
}

/// How a bulk change ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Every item was come to.
    Done,
    /// Stopped between items; those that were come to are done.
    Stopped,
}

/// What came of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemOutcome {
    Changed,
    /// It was as it should be already.
    Unchanged,
    Failed(LineProblem),
}

impl<I> Outcome<I> {
    /// How many items were changed, were right already, and could not be changed.
    pub fn counts(&self) -> (u64, u64, u64) {
        let count = |is: fn(&ItemOutcome) -> bool| self.items.iter().filter(|(_, outcome)| is(outcome)).count() as u64;
        (
            count(|outcome| *outcome == ItemOutcome::Changed),
            count(|outcome| *outcome == ItemOutcome::Unchanged),
            count(|outcome| matches!(outcome, ItemOutcome::Failed(_))),
        )
    }
}

/// Changes many devices. Admins, and owners theirs; to give one to somebody else takes an admin.
///
/// # Errors
/// [`AppError::Invalid`] for more than [`ITEMS_MAX`]; faults of the database, after which the same can be done again.
pub async fn devices(
    inside: &Inside<'_>,
    selection: DeviceSelection,
    change: DeviceChange,
    progress: &dyn Progress,
) -> Result<Outcome<DeviceId>, AppError> {
    let ids = match selection {
        DeviceSelection::These(ids) => without_repetition(ids)?,
        DeviceSelection::Matching(filter) => matching_devices(inside, &filter).await?,
    };
    let mut course = Course::of(&ids, progress);
    for id in ids {
        if course.note(id, change.make(inside, id).await)? == Proceed::Stop {
            break;
        }
    }
    Ok(course.outcome)
}

/// Changes many people. An organisation keeps an admin. Admins.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::Invalid`] for more than [`ITEMS_MAX`]; faults of the database, after which the same can be
/// done again.
pub async fn people(
    inside: &Inside<'_>,
    selection: PersonSelection,
    change: PersonChange,
    progress: &dyn Progress,
) -> Result<Outcome<AccountId>, AppError> {
    inside.authorise(ManagePeople)?;
    let ids = match selection {
        PersonSelection::These(ids) => without_repetition(ids)?,
        PersonSelection::Matching(filter) => matching_people(inside, filter).await?,
    };
    let mut course = Course::of(&ids, progress);
    for id in ids {
        if course.note(id, change.make(inside, id).await)? == Proceed::Stop {
            break;
        }
    }
    Ok(course.outcome)
}

impl DeviceChange {
    async fn make(self, inside: &Inside<'_>, id: DeviceId) -> Result<Effect, AppError> {
        let change = match self {
            Self::Enable => Change { standing: Some(Enablement::Enabled), ..Change::default() },
            Self::Disable => Change { standing: Some(Enablement::Disabled), ..Change::default() },
            Self::SetExpiry(at) => Change { expires_at: Some(at), ..Change::default() },
            Self::Revoke => return devices::make_revocation(inside, id, Expected::Any).await,
            Self::GiveTo(owner) => return devices::make_gift(inside, id, Expected::Any, owner).await,
        };
        devices::make_change(inside, id, Expected::Any, change).await
    }
}

impl PersonChange {
    async fn make(self, inside: &Inside<'_>, id: AccountId) -> Result<Effect, AppError> {
        match self {
            Self::SetRole(role) => people::make_role_change(inside, id, Expected::Any, role).await,
            Self::Remove => people::remove(inside, id, Expected::Any).await.map(|()| Effect::Changed),
        }
    }
}

impl PersonFilter {
    fn passes(&self, person: &Person) -> bool {
        self.role.is_none_or(|role| role == person.role)
            && self.standing.is_none_or(|standing| standing == person.standing)
    }
}

/// A bulk change under way.
struct Course<'a, I> {
    outcome: Outcome<I>,
    total: u64,
    progress: &'a dyn Progress,
}

impl<'a, I> Course<'a, I> {
    fn of(ids: &[I], progress: &'a dyn Progress) -> Self {
        let items = Vec::with_capacity(ids.len());
        Self { outcome: Outcome { end: End::Done, items }, total: ids.len() as u64, progress }
    }

    /// Notes what came of an item, and says whether another one is come to. A fault that is not the item's own comes back.
    fn note(&mut self, id: I, done: Result<Effect, AppError>) -> Result<Proceed, AppError> {
        let item = match done {
            Ok(Effect::Changed) => ItemOutcome::Changed,
            Ok(Effect::None) => ItemOutcome::Unchanged,
            Err(error) => ItemOutcome::Failed(LineProblem::of(error)?),
        };
        self.outcome.items.push((id, item));
        let done = self.outcome.items.len() as u64;
        let proceed = self.progress.step(done, self.total);
        if proceed == Proceed::Stop && done < self.total {
            self.outcome.end = End::Stopped;
        }
        Ok(proceed)
    }
}

/// The items as they were named, each once.
fn without_repetition<I: Copy + Eq + std::hash::Hash>(mut ids: Vec<I>) -> Result<Vec<I>, AppError> {
    check(ids.len())?;
    let mut seen = HashSet::with_capacity(ids.len());
    ids.retain(|id| seen.insert(*id));
    Ok(ids)
}

/// All that pass, known before anything is changed: what is changed may pass no more.
async fn matching_devices(inside: &Inside<'_>, filter: &Filter) -> Result<Vec<DeviceId>, AppError> {
    let mut ids = Vec::new();
    let mut request = PageRequest::first_of_most();
    loop {
        let page = devices::page(inside, filter.clone(), &request).await?;
        let left = page.items.iter().filter(|view| view.device.standing != Standing::Revoked);
        ids.extend(left.map(|view| view.device.id));
        check(ids.len())?;
        let Some(cursor) = page.next_cursor else { return Ok(ids) };
        request = next(&cursor)?;
    }
}

/// The same of people.
async fn matching_people(inside: &Inside<'_>, filter: PersonFilter) -> Result<Vec<AccountId>, AppError> {
    let mut ids = Vec::new();
    let mut request = PageRequest::first_of_most();
    loop {
        let page = people::page(inside, &request).await?;
        ids.extend(page.items.iter().filter(|person| filter.passes(person)).map(|person| person.account));
        check(ids.len())?;
        let Some(cursor) = page.next_cursor else { return Ok(ids) };
        request = next(&cursor)?;
    }
}

fn check(length: usize) -> Result<(), AppError> {
    if length > ITEMS_MAX {
        return Err(AppError::field("ids", Invalid::TooMany { length, max: ITEMS_MAX }));
    }
    Ok(())
}
