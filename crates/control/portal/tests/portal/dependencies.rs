//! What Warren depends on, over the API.

use serde_json::{Value, json};

use crate::harness::{Person, Portal};

async fn smtp(portal: &Portal, operator: &Person) -> Value {
    let all = operator.get(portal, "/dependencies").await.expect(200);
    all["dependencies"].as_array().unwrap().iter().find(|one| one["name"] == "smtp").unwrap().clone()
}

#[tokio::test]
async fn an_operator_sets_by_hand_whether_a_dependency_is_called() {
    let furnished = Portal::furnished().await;
    let (portal, operator) = (&furnished.portal, &furnished.operator);
    let before = smtp(portal, operator).await;
    assert_eq!((&before["state"], &before["changes"]), (&json!("closed"), &json!([])));
    let path = "/dependencies/smtp/force";
    let forced = operator.post(portal, path, &json!({"force": "open"})).await.expect(200);
    assert_eq!(forced["state"], "forced_open");
    assert_eq!(operator.post(portal, path, &json!({"force": "closed"})).await.expect(200)["state"], "forced_closed");
    assert_eq!(operator.post(portal, path, &json!({"force": "release"})).await.expect(200)["state"], "closed");
    let changes = smtp(portal, operator).await["changes"].clone();
    let told: Vec<_> =
        changes.as_array().unwrap().iter().map(|one| (&one["from"], &one["to"], &one["cause"])).collect();
    assert_eq!(told.len(), 3, "{changes}");
    assert_eq!(told[0], (&json!("forced_closed"), &json!("closed"), &json!("an operator left it to itself again")));

    let unknown = operator.post(portal, "/dependencies/oracle/force", &json!({"force": "open"})).await;
    assert_eq!(unknown.problem(404), "not-found");
    let refused = operator.post(portal, path, &json!({"force": "ajar"})).await;
    assert_eq!(refused.refused_fields(), [("force".to_owned(), "invalid-unknown".to_owned())]);
    let diary = operator.get(portal, "/activity").await.expect(200);
    assert_eq!(diary["items"][0]["action"], "dependency.forced");
}

#[tokio::test]
async fn the_tasks_of_the_process_are_listed() {
    let furnished = Portal::furnished().await;
    let (portal, operator) = (&furnished.portal, &furnished.operator);
    assert_eq!(operator.get(portal, "/dependencies").await.expect(200)["tasks"], json!([]));
    let worker = portal.app.spawn_worker(&portal.shutdown);
    let tasks = operator.get(portal, "/dependencies").await.expect(200)["tasks"].clone();
    let clean_up = tasks.as_array().unwrap().iter().find(|task| task["name"] == "clean up").expect("it is listed");
    assert_eq!((&clean_up["state"], &clean_up["restarts"]), (&json!("running"), &json!(0)));
    portal.shutdown.request();
    for task in worker {
        task.await.unwrap();
    }
}
