//! Letters over the API, where they are kept instead of sent.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use warren_courier::{
    Mailer,
    mail::{MailConfig, Transport},
};
use warren_testkit::ground::Database;

use crate::harness::{Person, Portal, post};

/// A portal that keeps letters to be looked at.
async fn keeping() -> Portal {
    let config = MailConfig {
        transport: Transport::Kept,
        from: "Warren <warren@example.org>".parse().unwrap(),
        reply_to: None,
        site: None,
    };
    let mailer = Arc::new(Mailer::build(config).unwrap());
    Portal::with(Database::Sqlite, |config| warren_app::Config { mailer: Some(mailer), ..config }).await
}

/// The latest letter on record, once there are `count`.
async fn latest(portal: &Portal, operator: &Person, count: usize) -> Value {
    let reached = async {
        loop {
            let all = operator.get(portal, "/mails").await.expect(200)["items"].clone();
            if all.as_array().unwrap().len() == count {
                return all[0].clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reached).await.expect("the letters are on record")
}

#[tokio::test]
async fn without_mail_a_test_letter_is_refused_and_an_invitation_is_not() {
    let portal = Portal::new().await;
    let operator = portal.set_up().await;
    let refused = operator.post(&portal, "/mails/test", &json!({"to": "anna@example.org"})).await;
    assert_eq!(refused.problem(409), "conflict");
    assert!(refused.text.contains("--smtp-url"), "{}", refused.text);
    let invite = json!({"name": "Ben Carter", "email": "ben@example.org", "role": "member"});
    let invited = operator.post(&portal, "/organisations/northwind/people", &invite).await.expect(201);
    assert_eq!(invited["letter_job_id"], Value::Null);
}

#[tokio::test]
async fn a_kept_letter_holds_the_invitation_that_works() {
    let portal = keeping().await;
    let operator = portal.set_up().await;
    let worker = portal.app.spawn_worker(&portal.shutdown);
    let sent = operator.post(&portal, "/mails/test", &json!({"to": "anna@example.org"})).await.expect(202);
    let first = latest(&portal, &operator, 1).await;
    assert_eq!(
        (&first["id"], &first["letter"], &first["state"]),
        (&sent["job_id"], &json!("test_mail"), &json!("kept"))
    );
    assert_eq!(first["content"], Value::Null, "a list holds no letters");

    let invite = json!({"name": "Ben Carter", "email": "ben@example.org", "role": "member"});
    let invited = operator.post(&portal, "/organisations/northwind/people", &invite).await.expect(201);
    let second = latest(&portal, &operator, 2).await;
    assert_eq!((&second["id"], &second["to"]), (&invited["letter_job_id"], &json!("ben@example.org")));
    let letter = operator.get(&portal, &format!("/mails/{}", second["id"].as_str().unwrap())).await.expect(200);
    let token = |link: &Value| link.as_str().unwrap().split_once('#').unwrap().1.to_owned();
    for part in ["html", "text"] {
        let content = letter["content"][part].as_str().unwrap();
        assert!(content.contains(&token(&invited["invitation"]["link"])), "{letter}");
    }
    let job = operator.get(&portal, &format!("/jobs/{}", second["id"].as_str().unwrap())).await;
    job.expect(200);
    assert!(!job.text.contains("/invitation#"), "{}", job.text);

    // A new link is a new letter; the first one's works no longer.
    let person = invited["person"]["id"].as_str().unwrap();
    let path = format!("/organisations/northwind/people/{person}/invitation");
    let renewed = operator.post(&portal, &path, &json!({})).await.expect(201);
    let third = latest(&portal, &operator, 3).await;
    assert_eq!(third["id"], renewed["letter_job_id"]);
    let inspect = async |link: &Value| {
        portal.send(post("/api/v1/invitations/inspect", &json!({"token": token(link)}))).await.status.as_u16()
    };
    assert_eq!(inspect(&invited["invitation"]["link"]).await, 410);
    assert_eq!(inspect(&renewed["invitation"]["link"]).await, 200);
    portal.shutdown.request();
    for task in worker {
        task.await.unwrap();
    }
}
