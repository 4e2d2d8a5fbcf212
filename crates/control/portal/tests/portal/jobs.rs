//! Jobs and their queues over the API.

use std::time::Duration;

use serde_json::{Value, json};
use warren_model::JobId;

use crate::{
    errand::{Errand, SECRET},
    harness::{Person, Portal},
};

/// The job, once it is in `state`.
async fn once(portal: &Portal, operator: &Person, job: JobId, state: &str) -> Value {
    let reached = async {
        loop {
            let now = operator.get(portal, &format!("/jobs/{job}")).await.expect(200);
            if now["state"] == state {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reached).await.unwrap_or_else(|_| panic!("never {state}"))
}

fn queue(status: &Value, name: &str) -> Value {
    status["queues"].as_array().unwrap().iter().find(|queue| queue["queue"] == name).unwrap().clone()
}

#[tokio::test]
async fn an_operator_finds_jobs_and_calls_them_off_and_lets_them_run_again() {
    let furnished = Portal::furnished().await;
    let (portal, operator, job) = (&furnished.portal, &furnished.operator, furnished.job);
    let found = operator.get(portal, "/jobs?queue=records&state=ready").await.expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!((&found["items"][0]["id"], &found["items"][0]["kind"]), (&json!(job.to_string()), &json!("errand")));
    assert_eq!(operator.get(portal, "/jobs?state=dead").await.expect(200)["items"], json!([]));
    let refused = operator.get(portal, "/jobs?queue=post&state=odd&organisation=x").await;
    assert_eq!(refused.problem(422), "invalid");
    assert_eq!(refused.refused_fields().len(), 3, "{}", refused.text);

    let not_ended = operator.post(portal, &format!("/jobs/{job}/replay"), &json!({})).await;
    assert_eq!(not_ended.problem(409), "conflict");
    let cancelled = operator.post(portal, &format!("/jobs/{job}/cancel"), &json!({})).await.expect(200);
    assert_eq!(cancelled["state"], "cancelled");
    let twice = operator.post(portal, &format!("/jobs/{job}/cancel"), &json!({})).await;
    assert_eq!(twice.problem(409), "conflict");
    let again = operator.post(portal, &format!("/jobs/{job}/replay"), &json!({})).await.expect(200);
    assert_eq!(again["state"], "ready");
    let diary = operator.get(portal, "/activity").await.expect(200);
    let actions: Vec<&Value> = diary["items"].as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
    assert_eq!(actions[..2], ["job.replayed", "job.cancelled"]);
}

#[tokio::test]
async fn a_paused_queue_keeps_its_jobs_until_it_goes_on() {
    let furnished = Portal::furnished().await;
    let (portal, operator, job) = (&furnished.portal, &furnished.operator, furnished.job);
    operator.post(portal, "/jobs/queues/records/pause", &json!({})).await.expect(204);
    let unknown = operator.post(portal, "/jobs/queues/post/pause", &json!({})).await;
    assert_eq!(unknown.refused_fields(), [("queue".to_owned(), "invalid-unknown".to_owned())]);
    let status = operator.get(portal, "/jobs/queues").await.expect(200);
    assert_eq!(queue(&status, "records")["paused"]["by"], "Anna Berg");
    assert_eq!(queue(&status, "mail")["paused"], Value::Null);

    let worker = portal.app.spawn_worker(&portal.shutdown);
    let broken = Errand::failed("the key does not fit").asked(portal, operator, "northwind").await;
    let still = operator.get(portal, &format!("/jobs/{job}")).await.expect(200);
    assert_eq!(still["state"], "ready");
    operator.post(portal, "/jobs/queues/records/resume", &json!({})).await.expect(204);
    let done = once(portal, operator, job, "done").await;
    assert_eq!((&done["result"], &done["attempts"]), (&json!({"errands": 1}), &json!(1)));
    assert_eq!(done["progress"], json!({"done": 3, "total": 4}));
    let dead = once(portal, operator, broken, "dead").await;
    assert_eq!(dead["error"], "the key does not fit");

    let status = operator.get(portal, "/jobs/queues").await.expect(200);
    let records = queue(&status, "records");
    assert_eq!((&records["dead"], &records["tally"]["done"]), (&json!(1), &json!(1)), "{records}");
    assert_eq!(status["workers"].as_array().unwrap().len(), 1);
    let replayed = operator.post(portal, "/jobs/queues/records/replay", &json!({})).await.expect(200);
    assert_eq!(replayed, json!({"replayed": 1}));
    portal.shutdown.request();
    for task in worker {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn what_a_job_was_given_is_shown_to_nobody() {
    let furnished = Portal::furnished().await;
    let (portal, operator, job) = (&furnished.portal, &furnished.operator, furnished.job);
    for path in ["/jobs".to_owned(), format!("/jobs/{job}"), format!("/organisations/northwind/jobs/{job}")] {
        let answer = operator.get(portal, &path).await;
        answer.expect(200);
        assert!(answer.text.contains("errand") && !answer.text.contains(SECRET), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn inside_an_organisation_its_admins_and_who_asked_see_a_job() {
    let furnished = Portal::furnished().await;
    let (portal, operator, mia) = (&furnished.portal, &furnished.operator, &furnished.mia);
    let path = |job: JobId| format!("/organisations/northwind/jobs/{job}");
    let own = Errand::done().asked(portal, mia, "northwind").await;
    assert_eq!(mia.get(portal, &path(own)).await.expect(200)["state"], "ready");
    assert_eq!(operator.get(portal, &path(own)).await.expect(200)["state"], "ready");
    assert_eq!(mia.get(portal, &path(furnished.job)).await.problem(404), "not-found");
    let cancel = format!("{}/cancel", path(furnished.job));
    assert_eq!(mia.post(portal, &cancel, &json!({})).await.problem(404), "not-found");
    let cancelled = mia.post(portal, &format!("{}/cancel", path(own)), &json!({})).await.expect(200);
    assert_eq!(cancelled["state"], "cancelled");
    // A job of the installation's own belongs to no organisation.
    let none = portal.app.ask(&Errand::done(), warren_app::jobs::Asked::default()).await.unwrap();
    assert_eq!(operator.get(portal, &path(none)).await.problem(404), "not-found");
}
