//! The archive of a person.

use std::{collections::HashSet, io::Write};

use serde_json::json;
use warren_auth::permission::Enter;
use warren_model::{AccountId, MembershipStanding, page::PageRequest};

use super::{
    archive::{Archive, Manifest, next},
    lines::Cell,
    pages::{Concern, Pages},
    tables::{self, Sources},
};
use crate::{
    AppError, Inside, Language, OpContext, Thing,
    devices::{self, Filter},
    people,
    records::{Interrupted, Progress},
    worker,
};

/// Organisations that one person belongs to, and sessions that one person has, at most.
const LISTED_MAX: u64 = 10_000;

/// What one organisation holds of a person.
pub(super) async fn write_of<W: Write + Send + 'static>(
    inside: &Inside<'_>,
    account: AccountId,
    out: W,
    language: Language,
    progress: &dyn Progress,
) -> Result<Manifest, Interrupted> {
    let person = people::show(inside, account).await?;
    let sources = sources_for(inside, account);
    let mut archive = Archive::begin(out, inside.app().clock().now(), progress);
    archive.table("person", tables::PEOPLE, Pages::Known(&[tables::person(&person)])).await?;
    part(&mut archive, inside, account, "", sources).await?;
    let about = json!({
        "kind": "person in an organisation",
        "account_id": account.to_string(),
        "organisation": inside.organisation.slug.as_str(),
    });
    archive.finish(about, "export-readme-person", language).await
}

/// What the installation holds of the caller.
pub(super) async fn write_own<W: Write + Send + 'static>(
    cx: &OpContext,
    out: W,
    language: Language,
    progress: &dyn Progress,
) -> Result<Manifest, Interrupted> {
    let id = cx.subject.account().ok_or(AppError::NotSignedIn)?;
    let system = cx.system();
    let account = system.accounts().by_id(id).await?.ok_or(AppError::NotFound(Thing::Person))?;
    let mut archive = Archive::begin(out, cx.app.clock().now(), progress);
    let line =
        vec![Cell::text(id), Cell::text(&account.email), Cell::text(&account.name), Cell::Moment(account.created_at)];
    archive.table("account", &["account_id", "email", "name", "created_at"], Pages::Known(&[line])).await?;

    let memberships = system.memberships().of_account(id, LISTED_MAX).await?;
    let lines = memberships.iter().map(|(organisation, membership)| {
        vec![
            Cell::text(&organisation.slug),
            Cell::text(&organisation.name),
            Cell::text(membership.role.as_str()),
            Cell::text(membership.standing.as_str()),
            Cell::Moment(membership.created_at),
        ]
    });
    let lines: Vec<_> = lines.collect();
    let columns = ["organisation", "name", "role", "standing", "member_since"];
    archive.table("memberships", &columns, Pages::Known(&lines)).await?;

    let sessions = system.sessions().of_account(id, LISTED_MAX).await?.into_iter().map(|session| {
        vec![
            Cell::Moment(session.created_at),
            Cell::Moment(session.last_used_at),
            Cell::Moment(session.expires_at),
            Cell::text(session.source_address),
            Cell::Text(session.user_agent),
        ]
    });
    let sessions: Vec<_> = sessions.collect();
    let columns = ["began_at", "last_used_at", "ends_at", "source", "browser"];
    archive.table("sessions", &columns, Pages::Known(&sessions)).await?;

    let concern = Concern { account: id, devices: HashSet::new(), sources: Sources::Of(id) };
    archive.table("activity", tables::ACTIVITY, Pages::InstallationActivityOf(&system, &concern)).await?;
    for (organisation, membership) in memberships {
        // Who has not joined reaches nothing there, and has left nothing there.
        if membership.standing == MembershipStanding::Invited {
            continue;
        }
        match cx.enter(&organisation.slug).await {
            Ok(inside) => part(&mut archive, &inside, id, &format!("{}/", organisation.slug), Sources::Of(id)).await?,
            Err(AppError::Suspended | AppError::NotFound(_)) => archive.leave_out(&organisation.slug),
            Err(AppError::Unavailable(cause)) => {
                tracing::warn!(%cause, organisation = %organisation.id, "an organisation's part of an export is left out");
                archive.leave_out(&organisation.slug);
            }
            Err(other) => return Err(other.into()),
        }
    }
    let about = json!({ "kind": "person", "account_id": id.to_string() });
    archive.finish(about, "export-readme-own", language).await
}

/// People see of themselves what concerns them; admins see what they see anyway.
fn sources_for(inside: &Inside<'_>, account: AccountId) -> Sources {
    if inside.insider.account() == Some(account) { Sources::Of(account) } else { Sources::Shown }
}

/// The tables that one organisation has of a person, whom the caller may see.
async fn part<W: Write + Send + 'static>(
    archive: &mut Archive<'_, W>,
    inside: &Inside<'_>,
    account: AccountId,
    folder: &str,
    sources: Sources,
) -> Result<(), Interrupted> {
    inside.authorise(Enter)?;
    let own = Filter { owner: Some(account), ..Filter::default() };
    let mut devices = HashSet::new();
    let mut request = PageRequest::first_of_most();
    loop {
        let page = devices::page(inside, own.clone(), &request).await?;
        devices.extend(page.items.iter().map(|view| view.device.id.uuid()));
        let Some(cursor) = page.next_cursor else { break };
        request = next(&cursor)?;
    }
    archive.table(&format!("{folder}devices"), tables::DEVICES, Pages::Devices(inside, own.clone())).await?;
    archive.table(&format!("{folder}usage"), tables::USAGE, Pages::Usage(inside, own)).await?;
    // What waits to be carried into this trail belongs to it.
    worker::relay_audit(inside.app()).await;
    let concern = Concern { account, devices, sources };
    archive.table(&format!("{folder}activity"), tables::ACTIVITY, Pages::ActivityOf(inside, &concern)).await
}
