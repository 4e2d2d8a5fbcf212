//! What happened, and who did it.

use warren_auth::permission::Oversee;
use warren_model::{
    AccountId,
    audit::AuditEntry,
    page::{Page, PageRequest},
};
use warren_storage::{AuditFilter, Staleness};

use crate::{AppError, Inside, OpContext};

/// Which entries are asked for; none means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub actor: Option<AccountId>,
    /// An action such as `device.enrolled`, or the part before its dot.
    pub action: Option<String>,
}

/// The organisation's audit trail, newest first. Admins.
///
/// # Errors
/// [`AppError::Forbidden`]
pub async fn page(inside: &Inside<'_>, filter: Filter, request: &PageRequest) -> Result<Page<AuditEntry>, AppError> {
    inside.authorise(Oversee)?;
    // What the system's database still holds for this trail belongs on its first page.
    crate::worker::relay_audit(inside.app()).await;
    let filter = AuditFilter { actor: filter.actor, action_prefix: filter.action };
    let trail = inside.tenant.allowing(Staleness::Bounded);
    Ok(trail.audit().page(&filter, request).await?)
}

/// The installation's audit trail, newest first. Operators.
///
/// # Errors
/// [`AppError::Forbidden`]
pub async fn system_page(cx: &OpContext, request: &PageRequest) -> Result<Page<AuditEntry>, AppError> {
    cx.operate()?;
    let system = cx.system().allowing(Staleness::Bounded);
    Ok(system.audit().page(request).await?.map(|(entry, _)| entry))
}
