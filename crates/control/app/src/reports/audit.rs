//! What was done, by whom and when: an organisation's trail, or the installation's.

use std::{
    collections::{BTreeMap, HashMap},
    io::Write,
};

use uuid::Uuid;
use warren_auth::permission::Oversee;
use warren_model::{
    Period, Timestamp,
    audit::{Action, Actor, AuditEntry},
    page::{Page, PageRequest},
};
use warren_storage::{Staleness, SystemModels, TenantModels};

use super::{Lines, Request, TOP_MAX, page::ReportPage, shown, tops::Tops, unless_stopped};
use crate::{
    AppError, Inside, OpContext,
    exports::{
        lines::Cell,
        tables::{ACTIVITY, Sources, activity},
    },
    records::{Interrupted, Progress},
    worker,
};

/// An audit report; its table was written while it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditReport {
    pub request: Request,
    /// None for the installation's own trail.
    pub organisation: Option<String>,
    pub made_at: Timestamp,
    pub entries: u64,
    /// By action, the most first.
    pub actions: Vec<(Action, u64)>,
    /// Those who did most, and how many others did something.
    pub authors: (Vec<(String, u64)>, u64),
    /// By day of the zone, or by month where the period is longer than [`DAYS_LISTED_MAX`]: `2026-11-21`, or `2026-11`.
    pub days: Vec<(String, u64)>,
    /// Who was refused most, and how many others were: at sign-in, which is in the installation's trail only. Nameless where nobody
    /// has the address.
    pub refused: (Vec<(String, u64)>, u64),
    /// Refusals in all.
    pub refusals: u64,
}

/// Days that are listed one by one.
pub const DAYS_LISTED_MAX: i64 = 62;
/// Authors, and names that were refused, that are told apart; others are counted together.
const NAMES_MAX: usize = 100_000;

/// What takes access away from somebody or something.
const TAKEN_AWAY: [Action; 3] = [Action::PersonRemoved, Action::DeviceDisabled, Action::DeviceRevoked];

/// Reports what was done in the organisation, and writes a line for each entry into `table`. None when it was stopped. Admins.
///
/// # Errors
/// [`AppError::Forbidden`]
pub async fn audit(
    inside: &Inside<'_>,
    request: &Request,
    table: &mut (dyn Write + Send),
    progress: &dyn Progress,
) -> Result<Option<AuditReport>, AppError> {
    inside.authorise(Oversee)?;
    // What the system's database still holds for this trail belongs to it.
    worker::relay_audit(inside.app()).await;
    let trail = Trail::Organisation(inside.organisation.name.to_string(), inside.tenant.allowing(Staleness::Bounded));
    unless_stopped(collect(inside.cx, trail, request, table, progress).await)
}

/// Reports what was done to the installation, sign-ins among it. Operators.
///
/// # Errors
/// [`AppError::Forbidden`]
pub async fn audit_of_installation(
    cx: &OpContext,
    request: &Request,
    table: &mut (dyn Write + Send),
    progress: &dyn Progress,
) -> Result<Option<AuditReport>, AppError> {
    cx.operate()?;
    let trail = Trail::Installation(cx.system().allowing(Staleness::Bounded));
    unless_stopped(collect(cx, trail, request, table, progress).await)
}

/// Where entries are read.
enum Trail {
    Organisation(String, TenantModels),
    Installation(SystemModels),
}

impl Trail {
    async fn page(&self, period: Period, request: &PageRequest) -> Result<Page<AuditEntry>, AppError> {
        match self {
            Self::Organisation(_, tenant) => Ok(tenant.audit().page_of_period(period, request).await?),
            Self::Installation(system) => {
                Ok(system.audit().page_of_period(period, request).await?.map(|(entry, _)| entry))
            }
        }
    }
}

async fn collect(
    cx: &OpContext,
    trail: Trail,
    request: &Request,
    table: &mut (dyn Write + Send),
    progress: &dyn Progress,
) -> Result<AuditReport, Interrupted> {
    let columns: Vec<&str> = ["local_time"].iter().chain(ACTIVITY).copied().collect();
    let mut lines = Lines::begin(table, &columns)?;
    let mut sums = Sums::new(request);
    let mut at = PageRequest::first_of_most();
    loop {
        let page = trail.page(request.period, &at).await?;
        for entry in &page.items {
            sums.add(entry, request);
            let cells = activity(entry, Sources::Shown);
            lines.line([request.zone.show(entry.at)].into_iter().chain(cells.iter().map(Cell::in_csv)))?;
        }
        progress.say(sums.entries, 0)?;
        let Some(cursor) = page.next_cursor else { break };
        at = crate::exports::next(&cursor)?;
    }
    lines.end()?;
    let organisation = match trail {
        Trail::Organisation(name, _) => Some(name),
        Trail::Installation(_) => None,
    };
    Ok(sums.end(request.clone(), organisation, cx.app.clock().now()))
}

/// Somebody, told apart from others of the same name.
type Who = (Uuid, String);

/// What was summed up so far.
struct Sums {
    entries: u64,
    actions: HashMap<Action, u64>,
    authors: HashMap<Who, u64>,
    days: BTreeMap<String, u64>,
    refused: HashMap<Who, u64>,
    by_month: bool,
}

impl Sums {
    fn new(request: &Request) -> Self {
        let by_month = (request.period.to() - request.period.from()).whole_days() > DAYS_LISTED_MAX;
        let (actions, authors, refused) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { entries: 0, actions, authors, days: BTreeMap::new(), refused, by_month }
    }

    fn add(&mut self, entry: &AuditEntry, request: &Request) {
        self.entries += 1;
        *self.actions.entry(entry.action).or_default() += 1;
        count(&mut self.authors, author(&entry.actor, request));
        let shown = request.zone.show(entry.at);
        let length = if self.by_month { "2026-11".len() } else { "2026-11-21".len() };
        *self.days.entry(shown.chars().take(length).collect()).or_default() += 1;
        if entry.action == Action::SessionRefused {
            count(&mut self.refused, (entry.subject, entry.subject_name.clone()));
        }
    }

    fn end(self, request: Request, organisation: Option<String>, made_at: Timestamp) -> AuditReport {
        let refusals = self.actions.get(&Action::SessionRefused).copied().unwrap_or_default();
        let mut actions = Tops::new(Action::ALL.len());
        let counted = Action::ALL.iter().filter_map(|action| Some((*action, *self.actions.get(action)?)));
        counted.for_each(|(action, count)| actions.add(count, (action, count)));
        AuditReport {
            request,
            organisation,
            made_at,
            entries: self.entries,
            actions: actions.end().0,
            authors: most(self.authors),
            days: self.days.into_iter().collect(),
            refused: most(self.refused),
            refusals,
        }
    }
}

/// Counts one for somebody, as long as there is room to tell people apart.
fn count(counts: &mut HashMap<Who, u64>, who: Who) {
    let is_told_apart = counts.len() < NAMES_MAX || counts.contains_key(&who);
    let who = if is_told_apart { who } else { (Uuid::nil(), "…".to_owned()) };
    *counts.entry(who).or_default() += 1;
}

/// Those with the most, and how many there are besides.
fn most(counts: HashMap<Who, u64>) -> (Vec<(String, u64)>, u64) {
    let mut all: Vec<(Who, u64)> = counts.into_iter().collect();
    all.sort_unstable();
    let mut tops = Tops::new(TOP_MAX);
    all.into_iter().for_each(|((_, name), count)| tops.add(count, (name, count)));
    tops.end()
}

fn author(actor: &Actor, request: &Request) -> Who {
    let text = |key, arguments: &[(&str, String)]| (Uuid::nil(), request.language.text(key, arguments));
    match actor {
        Actor::Account { id, name } => (id.uuid(), name.clone()),
        Actor::LocalOperator { user } => text("report-actor-local", &[("user", user.clone())]),
        Actor::LinkHolder => text("report-actor-link-holder", &[]),
        Actor::System => text("report-actor-system", &[]),
    }
}

/// The catalogue key of an action's name.
fn action_key(action: Action) -> String {
    format!("report-action-{}", action.as_str().replace('.', "-"))
}

impl AuditReport {
    /// How often this was done.
    pub fn count_of(&self, action: Action) -> u64 {
        self.actions.iter().find(|(of, _)| *of == action).map_or(0, |(_, count)| *count)
    }

    /// The report as a page.
    ///
    /// # Errors
    /// [`AppError::Internal`]
    pub fn html(&self) -> Result<String, AppError> {
        let language = self.request.language;
        let number = |count: u64| shown::number(count, language);
        let named = |(name, count): &(String, u64)| vec![name.clone(), number(*count)];
        let action = |action: Action, count| vec![language.text(&action_key(action), &[]), number(count)];
        let of = self.organisation.clone().unwrap_or_else(|| language.text("report-installation", &[]));
        let days =
            if self.days.first().is_some_and(|(day, _)| day.len() > 7) { "report-by-day" } else { "report-by-month" };
        let taken_away = TAKEN_AWAY.into_iter().filter(|action| self.count_of(*action) > 0);
        let taken_away: Vec<_> = taken_away.map(|of| action(of, self.count_of(of))).collect();
        let count = "report-count";
        let page = ReportPage::new(&self.request, "report-audit", of, self.made_at)
            .figure("report-entries", number(self.entries))
            .figure("report-authors", number(self.authors.0.len() as u64 + self.authors.1));
        let page = match self.organisation {
            None => page.figure("report-refusals", number(self.refusals)),
            Some(_) => page,
        };
        let actions = self.actions.iter().map(|(of, count)| action(*of, *count)).collect();
        let authors = self.authors.0.iter().map(named).collect();
        let page = page
            .list("report-by-action", &["report-action", count], 1, actions, 0)
            .list("report-by-author", &["report-author", count], 1, authors, self.authors.1)
            .list(days, &["report-day", count], 1, self.days.iter().map(named).collect(), 0);
        let page = match self.organisation {
            Some(_) => page
                .list("report-taken-away", &["report-action", count], 1, taken_away, 0)
                .note("report-refusals-elsewhere", &[]),
            None => {
                let nameless = |(name, count): &(String, u64)| {
                    let name = if name.is_empty() { language.text("report-nobody", &[]) } else { name.clone() };
                    vec![name, number(*count)]
                };
                let refused = self.refused.0.iter().map(nameless).collect();
                page.list("report-refused", &["report-person", count], 1, refused, self.refused.1)
            }
        };
        page.html()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Language, words};

    #[test]
    fn every_action_has_a_name_in_every_language() {
        for language in Language::ALL {
            let keys = words::tests::keys(*language);
            for action in Action::ALL {
                assert!(keys.contains(&action_key(*action)), "{action:?} in {language:?}");
            }
        }
    }
}
