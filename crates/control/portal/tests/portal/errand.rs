//! A job of the tests' own, which ends as it is told.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use warren_app::jobs::{Asked, Job, JobError, Outcome, Policy, Secrecy, Work};
use warren_model::{AccountId, JobId, JobPriority, OrganisationId, Queue};

use crate::harness::{Person, Portal};

/// What the payload holds and nobody may be shown.
pub const SECRET: &str = "what only the job is to know";

#[derive(Debug, Serialize, Deserialize)]
pub struct Errand {
    secret: String,
    fails: Option<String>,
}

impl Errand {
    pub fn done() -> Self {
        Self { secret: SECRET.to_owned(), fails: None }
    }
    pub fn failed(why: &str) -> Self {
        Self { fails: Some(why.to_owned()), ..Self::done() }
    }

    /// Asked for by `author` for an organisation.
    pub async fn asked(&self, portal: &Portal, author: &Person, organisation: &str) -> JobId {
        let id = |text: &serde_json::Value| text.as_str().unwrap().to_owned();
        let organisation = author.get(portal, &format!("/organisations/{organisation}")).await.expect(200);
        let account = author.get(portal, "/session").await.expect(200);
        let asked = Asked {
            organisation: Some(id(&organisation["id"]).parse::<OrganisationId>().unwrap()),
            author: Some(id(&account["account"]["id"]).parse::<AccountId>().unwrap()),
            ..Asked::default()
        };
        portal.app.ask(self, asked).await.unwrap()
    }
}

impl Job for Errand {
    const KIND: &'static str = "errand";
    const VERSION: u16 = 1;
    const POLICY: Policy = Policy {
        queue: Queue::Records,
        priority: JobPriority::Normal,
        time_limit: Duration::from_secs(10),
        attempts_max: 1,
        wait_first: Duration::from_secs(1),
        wait_cap: Duration::from_secs(1),
        deadline: None,
        secrecy: Secrecy::Plain,
    };

    async fn run(self, work: &Work) -> Result<Outcome, JobError> {
        work.progress(3, 4);
        match self.fails {
            None => Outcome::of(&serde_json::json!({"errands": 1})),
            Some(why) => Err(JobError::fatal(why)),
        }
    }
}
