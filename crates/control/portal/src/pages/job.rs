//! How far a job is, for any page: `parts/job.html` shows it and `modules/job.js` keeps it in step.
//!
//! A page that shows one holds a [`JobBar`] in its template's field `job` and says `{% include "parts/job.html" %}`. When the job
//! has ended, the parts of the page that are marked `data-refresh` are loaded again, or the whole page where there is none.

use warren_app::jobs::manage::StoredJob;
use warren_model::{JobState, OrganisationSlug};

/// What a bar shows.
#[derive(Debug, Clone)]
pub struct JobBar {
    /// Where the API tells of the job.
    pub address: String,
    /// `running` and so on; `stopping` once a running one was called off.
    pub state: &'static str,
    /// The colour of the state.
    pub tone: &'static str,
    pub done: u64,
    /// None as long as nobody knows.
    pub total: Option<u64>,
    /// Whether nothing more happens to it by itself.
    pub ended: bool,
}

/// The states that `modules/job.js` may find, each with its colour.
pub const STATES: [(&str, &str); 7] = [
    ("waiting", ""),
    ("ready", ""),
    ("running", "accent"),
    ("stopping", "warn"),
    ("done", "good"),
    ("dead", "bad"),
    ("cancelled", "warn"),
];

impl JobBar {
    /// Of a job that an organisation's people look at.
    pub fn of_organisation(slug: &OrganisationSlug, job: &StoredJob) -> Self {
        Self::at(format!("/api/v1/organisations/{slug}/jobs/{}", job.id), job)
    }

    /// Of a job that an operator looks at.
    pub fn of_installation(job: &StoredJob) -> Self {
        Self::at(format!("/api/v1/jobs/{}", job.id), job)
    }

    fn at(address: String, job: &StoredJob) -> Self {
        let state = state_of(job);
        let total = if job.state == JobState::Done { job.progress.total.max(1) } else { job.progress.total };
        Self {
            address,
            state,
            tone: tone_of(state),
            done: if job.state == JobState::Done { total } else { job.progress.done.min(total) },
            total: Some(total).filter(|total| *total > 0),
            ended: job.state.is_ended(),
        }
    }

    /// The states and their colours, for the words that the script shows.
    pub fn states(&self) -> [(&'static str, &'static str); 7] {
        STATES
    }
}

/// The word for where a job is.
pub fn state_of(job: &StoredJob) -> &'static str {
    match job.state {
        JobState::Running if job.stop_asked_at.is_some() => "stopping",
        state => state.as_str(),
    }
}

/// The colour of a state.
pub fn tone_of(state: &str) -> &'static str {
    STATES.iter().find(|(known, _)| *known == state).map_or("", |(_, tone)| tone)
}
