//! Every operation of the API's document is tried by somebody who is not signed in and by another organisation's admin.
//!
//! What they should be told is 401 and 404. Operations for which something else is right stand, each with its reason, in
//! `exceptions.txt`; one that stands there without need fails too.

use std::collections::BTreeMap;

use axum::body::Body;
use http::{Method, Request, header};
use rstest::rstest;
use rstest_reuse::apply;
use serde_json::Value;
use warren_testkit::ground::Database;

use crate::{
    harness::{Answer, Furnished, Person, Portal, on_every_database},
    sample,
};

/// One operation of the document.
struct Operation {
    name: String,
    method: Method,
    path: String,
    described: Value,
}

fn document() -> Value {
    serde_json::from_str(&warren_portal::openapi_json()).unwrap()
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, described) in methods.as_object().unwrap() {
            operations.push(Operation {
                name: described["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                described: described.clone(),
            });
        }
    }
    operations
}

impl Operation {
    /// The operation on Northwind's things, reached through `organisation`.
    fn request(&self, document: &Value, furnished: &Furnished, organisation: &str, person: &Person) -> Request<Body> {
        let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
        let person_id = id(&furnished.device["owner"]);
        let path = self
            .path
            .strip_prefix("/api/v1")
            .unwrap()
            .replace("{organisation}", organisation)
            .replace("{person}", &person_id)
            .replace("{network}", &id(&furnished.network))
            .replace("{device}", &id(&furnished.device))
            .replace("{webhook}", &id(&furnished.webhook))
            .replace("{delivery}", &id(&furnished.delivery))
            .replace("{gateway}", &id(&furnished.gateway["gateway"]))
            .replace("{file}", &id(&furnished.file))
            .replace("{job}", &furnished.job.to_string())
            .replace("{queue}", "records")
            .replace("{mail}", &furnished.job.to_string())
            .replace("{dependency}", "smtp");
        assert!(!path.contains('{'), "{path} has a part that this test does not know");
        let identifier = |field: &str| match field {
            "network_id" => Some(furnished.network["id"].clone()),
            "person_id" => Some(furnished.device["owner"]["id"].clone()),
            "owner_id" => Some(furnished.device["owner"]["id"].clone()),
            "file_id" => Some(furnished.file["id"].clone()),
            "gateway_id" => Some(furnished.gateway["gateway"]["id"].clone()),
            "slug" => Some("eastwind".into()),
            _ => None,
        };
        let body = sample::body_of(document, &self.described, &identifier);
        // What has to stand in the query.
        let query = match self.name.as_str() {
            "listFiles" => "?purpose=upload",
            "uploadFile" => "?name=people.csv",
            _ => "",
        };
        let mut request = person.request(self.method.clone(), &format!("{path}{query}"), body.as_ref());
        if let Some(example) = self.described["requestBody"]["content"]["text/csv"]["example"].as_str() {
            *request.body_mut() = example.to_owned().into();
        }
        request.headers_mut().insert(header::IF_MATCH, "*".parse().unwrap());
        request
    }
}

/// `operation who status reason`, as far as `who` is concerned.
fn exceptions(who: &str) -> BTreeMap<String, u16> {
    let lines = include_str!("exceptions.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut exceptions = BTreeMap::new();
    for line in lines {
        let [operation, to, status, reason] = line.splitn(4, char::is_whitespace).collect::<Vec<_>>()[..] else {
            panic!("not an exception: {line}")
        };
        assert!(reason.trim().len() > 10, "{line} gives no reason");
        if to == who {
            exceptions.insert(operation.to_owned(), status.parse().unwrap());
        }
    }
    exceptions
}

/// Compares every answer with what is right, and every exception with what it excepts.
fn check(who: &str, usual: u16, answers: &[(String, Answer)]) {
    let mut exceptions = exceptions(who);
    let mut wrong = Vec::new();
    for (operation, answer) in answers {
        let expected = exceptions.remove(operation).unwrap_or(usual);
        if answer.status.as_u16() != expected {
            wrong.push(format!("{operation}: {} instead of {expected}: {}", answer.status, answer.text));
        }
    }
    assert!(wrong.is_empty(), "{who}\n{}", wrong.join("\n"));
    assert!(exceptions.is_empty(), "{who}: no such operation: {exceptions:?}");
}

#[apply(on_every_database)]
#[tokio::test]
async fn nobody_reaches_anything_without_a_session(database: Database) {
    let furnished = Portal::furnished_on(database).await;
    let document = document();
    let mut answers = Vec::new();
    for (at, operation) in operations(&document).into_iter().enumerate() {
        let request = operation.request(&document, &furnished, "northwind", &Person::default());
        // Each from an address of its own, so that the limit on failed attempts stays out of it.
        let answer = furnished.portal.send_from(&format!("198.51.100.{at}:1"), request).await;
        answers.push((operation.name, answer));
    }
    check("anonymous", 401, &answers);
}

#[apply(on_every_database)]
#[tokio::test]
async fn another_organisations_admin_sees_nothing(database: Database) {
    let furnished = Portal::furnished_on(database).await;
    let document = document();
    let mut answers = Vec::new();
    // What ends the session comes last.
    let (ending, others): (Vec<_>, Vec<_>) =
        operations(&document).into_iter().partition(|operation| operation.name == "signOut");
    for (at, operation) in others.into_iter().chain(ending).enumerate() {
        let request = operation.request(&document, &furnished, "northwind", &furnished.sam);
        let answer = furnished.portal.send_from(&format!("198.51.100.{at}:1"), request).await;
        assert!(!answer.text.contains("Northwind"), "{} tells of Northwind: {}", operation.name, answer.text);
        answers.push((operation.name, answer));
    }
    check("outsider", 404, &answers);
}

#[apply(on_every_database)]
#[tokio::test]
async fn things_of_another_organisation_are_not_reached_through_ones_own(database: Database) {
    let furnished = Portal::furnished_on(database).await;
    let document = document();
    let mut answers = Vec::new();
    for operation in operations(&document) {
        let names_a_thing = [
            "{person}",
            "{network}",
            "{device}",
            "{webhook}",
            "{file}",
            "/imports",
            "/organisations/{organisation}/jobs/{job}",
        ]
        .iter()
        .any(|part| operation.path.contains(part));
        if names_a_thing {
            let request = operation.request(&document, &furnished, "southwind", &furnished.sam);
            answers.push((operation.name, furnished.portal.send(request).await));
        }
    }
    assert!(answers.len() >= 10, "only {} operations name a thing", answers.len());
    check("through-own", 404, &answers);
}

#[apply(on_every_database)]
#[tokio::test]
async fn the_documents_examples_are_accepted(database: Database) {
    let furnished = Portal::furnished_on(database).await;
    let document = document();
    for (at, operation) in operations(&document).into_iter().enumerate() {
        let request = operation.request(&document, &furnished, "northwind", &furnished.operator);
        if operation.name == "followLive" || request.method() == Method::DELETE {
            continue;
        }
        let answer = furnished.portal.send_from(&format!("198.51.100.{at}:1"), request).await;
        let status = answer.status.as_u16();
        assert!(!matches!(status, 400 | 415 | 422 | 500..), "{}: {status} {}", operation.name, answer.text);
        let answers = operation.described["responses"].as_object().unwrap();
        assert!(answers.contains_key(&status.to_string()), "{} does not document {status}", operation.name);
    }
}
