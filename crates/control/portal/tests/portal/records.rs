//! Files and imports over the API: what is uploaded is tried, then done, and what is wrong is told line by line.

use std::time::Duration;

use axum::body::Body;
use futures_util::stream;
use http::{Method, header};
use serde_json::{Value, json};

use crate::harness::{Furnished, Person, Portal};

/// The job of an import of `file`, once it has come to its end.
async fn import(furnished: &Furnished, file: &Value, mode: &str) -> Value {
    let (portal, operator) = (&furnished.portal, &furnished.operator);
    let body = json!({"file_id": file["id"], "kind": "people", "mode": mode});
    let started = operator.post(portal, "/organisations/northwind/imports", &body).await;
    let job = started.expect(202)["job_id"].as_str().unwrap().to_owned();
    let location = format!("/api/v1/organisations/northwind/jobs/{job}");
    assert_eq!(started.header("location"), location);
    ended(portal, operator, location.strip_prefix("/api/v1").unwrap()).await
}

/// The job at `path`, once it has come to its end.
async fn ended(portal: &Portal, person: &Person, path: &str) -> Value {
    let end = async {
        loop {
            // Found from the first moment on, though it may still be in the organisation's outbox.
            let job = person.get(portal, path).await.expect(200);
            if ["done", "dead", "cancelled"].contains(&job["state"].as_str().unwrap()) {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), end).await.expect("the job ends")
}

async fn people(furnished: &Furnished) -> Vec<String> {
    let page = furnished.operator.get(&furnished.portal, "/organisations/northwind/people").await.expect(200);
    page["items"].as_array().unwrap().iter().map(|person| person["email"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_import_is_tried_and_then_done_and_errors_are_told_by_line() {
    let furnished = Portal::furnished().await;
    let (portal, operator) = (&furnished.portal, &furnished.operator);
    let worker = portal.app.spawn_worker(&portal.shutdown);
    let text = "E-Mail;Name;Team\r\nben@example.org;Ben Carter;a\r\ncleo@;Cleo;b\r\nmia@example.org;Mia;c\r\n";
    let file = operator.upload(portal, "northwind", "K%C3%B6pfe.csv", text).await;
    assert_eq!(
        file.header("location"),
        format!("/api/v1/organisations/northwind/files/{}", file.json()["id"].as_str().unwrap())
    );
    let file = file.expect(201);
    assert_eq!(
        (&file["name"], &file["purpose"], &file["size_bytes"]),
        (&json!("Köpfe.csv"), &json!("upload"), &json!(text.len()))
    );

    let dry = import(&furnished, &file, "dry_run").await;
    assert_eq!((&dry["state"], &dry["kind"]), (&json!("done"), &json!("import")), "{dry}");
    let result = &dry["result"];
    let counts = |result: &Value| ["lines", "created", "there", "failed"].map(|name| result[name].as_u64().unwrap());
    assert_eq!((result["end"].as_str().unwrap(), counts(result)), ("planned", [3, 1, 1, 1]));
    assert_eq!(result["source"], file["id"]);
    assert_eq!(result["ignored_columns"], json!(["Team"]));
    let problem = "Not an e-mail address such as name@example.org.";
    assert_eq!(result["errors"], json!([{"line": 3, "column": "E-Mail", "value": "cleo@", "problem": problem}]));
    assert!(!people(&furnished).await.contains(&"ben@example.org".to_owned()), "a dry run changes nothing");

    assert_eq!(import(&furnished, &file, "all_or_nothing").await["result"]["end"], "nothing_done");
    assert!(!people(&furnished).await.contains(&"ben@example.org".to_owned()));
    let done = import(&furnished, &file, "skip_bad").await;
    assert_eq!((done["result"]["end"].as_str().unwrap(), counts(&done["result"])), ("done", [3, 1, 1, 1]));
    assert!(people(&furnished).await.contains(&"ben@example.org".to_owned()));

    let table = format!("/organisations/northwind/files/{}/content", done["result"]["file"].as_str().unwrap());
    let table = operator.get(portal, &table).await;
    assert_eq!(table.status, 200);
    assert_eq!(
        table.header("content-disposition"),
        "attachment; filename=\"K_pfe.results.csv\"; filename*=UTF-8''K%C3%B6pfe.results.csv"
    );
    assert_eq!(table.header("content-length"), table.text.len().to_string());
    assert_eq!(table.header("x-content-type-options"), "nosniff");
    assert!(table.text.contains("https://vpn.example.org/invitation#"), "{}", table.text);
    let outcomes = operator.get(portal, "/organisations/northwind/files?purpose=outcome").await.expect(200);
    assert_eq!(outcomes["items"].as_array().unwrap().len(), 3);
    portal.shutdown.request();
    for task in worker {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_read_as_a_whole_says_why_in_the_readers_language() {
    let furnished = Portal::furnished().await;
    let (portal, operator) = (&furnished.portal, &furnished.operator);
    let worker = portal.app.spawn_worker(&portal.shutdown);
    for (bytes, language, words) in [
        (b"email,name\nb@example.org,J\xc3\xb6rg\nc@example.org,J\xf6rg\n".to_vec(), "en", "another encoding"),
        (b"PK\x03\x04and so on".to_vec(), "de", "Tabelle"),
        (b"Vorname,Nachname\nA,B\n".to_vec(), "en", "names none of the columns"),
    ] {
        let file = operator.upload(portal, "northwind", "people.csv", bytes).await.expect(201);
        let body = json!({"file_id": file["id"], "kind": "people", "mode": "dry_run", "language": language});
        let started = operator.post(portal, "/organisations/northwind/imports", &body).await.expect(202);
        let path = format!("/organisations/northwind/jobs/{}", started["job_id"].as_str().unwrap());
        let job = ended(portal, operator, &path).await;
        assert_eq!((&job["state"], &job["result"]["end"]), (&json!("done"), &json!("unusable")), "{job}");
        let problem = job["result"]["problem"].as_str().unwrap();
        assert!(problem.contains(words), "{problem}");
    }
    portal.shutdown.request();
    for task in worker {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn members_and_other_organisations_reach_no_file_and_start_nothing() {
    let furnished = Portal::furnished().await;
    let (portal, mia, sam) = (&furnished.portal, &furnished.mia, &furnished.sam);
    let file = furnished.file["id"].as_str().unwrap();
    assert_eq!(mia.upload(portal, "northwind", "x.csv", "email\n").await.problem(403), "forbidden");
    assert_eq!(sam.upload(portal, "northwind", "x.csv", "email\n").await.problem(404), "not-found");
    assert_eq!(mia.get(portal, "/organisations/northwind/files?purpose=upload").await.problem(403), "forbidden");
    let start = json!({"file_id": file, "kind": "people", "mode": "dry_run"});
    assert_eq!(mia.post(portal, "/organisations/northwind/imports", &start).await.problem(403), "forbidden");
    assert_eq!(sam.post(portal, "/organisations/southwind/imports", &start).await.problem(404), "not-found");
    for (person, organisation) in [(mia, "northwind"), (sam, "northwind"), (sam, "southwind")] {
        for end in ["", "/content"] {
            let path = format!("/organisations/{organisation}/files/{file}{end}");
            assert_eq!(person.get(portal, &path).await.problem(404), "not-found", "{path}");
        }
        let request = person.request(Method::DELETE, &format!("/organisations/{organisation}/files/{file}"), None);
        assert_eq!(portal.send(request).await.problem(404), "not-found");
    }
    let path = format!("/organisations/northwind/files/{file}");
    portal.send(furnished.operator.request(Method::DELETE, &path, None)).await.expect(204);
    assert_eq!(furnished.operator.get(portal, &path).await.problem(404), "not-found");
}

#[tokio::test]
async fn what_is_wrong_with_an_upload_or_an_import_is_said_at_once() {
    let furnished = Portal::furnished().await;
    let (portal, operator) = (&furnished.portal, &furnished.operator);
    let refused = operator.upload(portal, "northwind", "", "email\n").await;
    assert_eq!(
        (refused.problem(422).as_str(), refused.refused_fields()),
        ("invalid", vec![("name".into(), "invalid-empty".into())])
    );
    let empty = operator.upload(portal, "northwind", "x.csv", "").await;
    assert_eq!(
        (empty.problem(422).as_str(), empty.refused_fields()),
        ("invalid", vec![("file".into(), "invalid-empty".into())])
    );
    let body = json!({"file_id": furnished.file["id"], "kind": "cats", "mode": "now", "language": "tlh"});
    let refused = operator.post(portal, "/organisations/northwind/imports", &body).await;
    assert_eq!(refused.problem(422), "invalid");
    assert_eq!(refused.refused_fields().len(), 3, "{}", refused.text);
    let refused = operator.get(portal, "/organisations/northwind/files").await;
    assert_eq!(refused.refused_fields(), [("purpose".to_owned(), "invalid-unknown".to_owned())]);
    let gone = json!({"file_id": uuid::Uuid::nil(), "kind": "people", "mode": "dry_run"});
    assert_eq!(operator.post(portal, "/organisations/northwind/imports", &gone).await.problem(404), "not-found");
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_before_it_is_read() {
    let furnished = Portal::furnished().await;
    let (portal, operator) = (&furnished.portal, &furnished.operator);
    let mut request = operator.request(Method::POST, "/organisations/northwind/files?name=x.csv", None);
    request.headers_mut().insert(header::CONTENT_LENGTH, "300000000".parse().unwrap());
    let refused = portal.send(request).await;
    assert_eq!(refused.problem(413), "file-too-large");
    assert!(refused.text.contains("256 MiB"), "{}", refused.text);
}

#[tokio::test]
async fn a_file_larger_than_other_bodies_arrives_piece_by_piece() {
    let furnished = Portal::furnished().await;
    let (portal, operator) = (&furnished.portal, &furnished.operator);
    let pieces = (0..40).map(|at| Ok::<_, std::io::Error>(vec![b'a' + at % 26; 50_000]));
    let file =
        operator.upload(portal, "northwind", "long.csv", Body::from_stream(stream::iter(pieces))).await.expect(201);
    assert_eq!(file["size_bytes"], 2_000_000);
    let path = format!("/organisations/northwind/files/{}/content", file["id"].as_str().unwrap());
    let back = operator.get(portal, &path).await;
    let expected: Vec<u8> = (0..40u8).flat_map(|at| vec![b'a' + at % 26; 50_000]).collect();
    assert!(back.text.as_bytes() == expected, "it comes back as it went in");
}

#[tokio::test]
async fn a_file_that_breaks_off_is_never_seen() {
    let furnished = Portal::furnished().await;
    let (portal, operator) = (&furnished.portal, &furnished.operator);
    let pieces = [Ok("email\n"), Err(std::io::Error::other("the line broke"))];
    let answer = operator.upload(portal, "northwind", "half.csv", Body::from_stream(stream::iter(pieces))).await;
    assert_eq!(answer.problem(408), "upload-broken");
    let files = operator.get(portal, "/organisations/northwind/files?purpose=upload").await.expect(200);
    assert_eq!(files["items"].as_array().unwrap().len(), 1, "only the one that was there: {files}");
}

#[tokio::test]
async fn exports_and_reports_are_made_as_jobs_and_fetched_as_files() {
    let furnished = Portal::furnished().await;
    let (portal, operator) = (&furnished.portal, &furnished.operator);
    let worker = portal.app.spawn_worker(&portal.shutdown);
    let made = async |person: &Person, of: &str, body: Value| {
        let started = person.post(portal, &format!("/organisations/northwind/{of}"), &body).await.expect(202);
        let path = format!("/organisations/northwind/jobs/{}", started["job_id"].as_str().unwrap());
        let job = ended(portal, person, &path).await;
        assert_eq!(job["state"], "done", "{job}");
        job["result"]["files"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let content = async |person: &Person, file: &str| {
        person.get(portal, &format!("/organisations/northwind/files/{file}/content")).await
    };

    let archive = made(operator, "exports", json!({})).await;
    let answer = content(operator, &archive[0]).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/zip"));
    assert!(answer.text.starts_with("PK"), "it is no archive");

    // Of themselves everybody may have it, and of nobody else.
    let mia = operator.get(portal, "/organisations/northwind/people").await.expect(200);
    let mia = mia["items"].as_array().unwrap().iter().find(|one| one["email"] == "mia@example.org").unwrap().clone();
    let own = made(&furnished.mia, "exports", json!({"person_id": mia["id"]})).await;
    assert_eq!(content(&furnished.mia, &own[0]).await.status, 200);
    assert_eq!(content(&furnished.mia, &archive[0]).await.problem(404), "not-found");
    let all = furnished.mia.post(portal, "/organisations/northwind/exports", &json!({})).await;
    assert_eq!(all.problem(403), "forbidden");

    for kind in ["usage", "audit"] {
        let body = json!({"kind": kind, "first_day": "2026-01-01", "last_day": "2026-12-31", "zone": "Europe/Berlin"});
        let files = made(operator, "reports", body).await;
        assert_eq!(files.len(), 2);
        let page = content(operator, &files[1]).await;
        assert!(page.text.contains("Northwind Ltd") && !page.text.contains("<script"), "{}", page.text);
    }
    let wrong = json!({"kind": "weather", "first_day": "tomorrow", "last_day": "2026-12-31", "zone": "Mars/Base"});
    let refused = operator.post(portal, "/organisations/northwind/reports", &wrong).await;
    assert_eq!(refused.problem(422), "invalid");
    for field in ["kind", "first_day", "zone"] {
        assert!(refused.text.contains(field), "{}", refused.text);
    }
    portal.shutdown.request();
    for task in worker {
        task.await.unwrap();
    }
}
