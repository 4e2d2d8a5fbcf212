//! The pages of bulk work, as a browser without scripts uses them.

use std::time::Duration;

use axum::body::Body;
use http::{Method, Request, header};

use crate::harness::{Answer, Furnished, Person, Portal};

const BOUNDARY: &str = "----what-a-browser-makes-up";

fn page(person: &Person, method: Method, path: &str) -> http::request::Builder {
    let request = Request::builder().method(method).uri(path).header("sec-fetch-site", "same-origin");
    request.header(header::COOKIE, person.cookie.as_deref().unwrap()).header(header::ACCEPT_LANGUAGE, "en")
}

async fn show(portal: &Portal, person: &Person, path: &str) -> Answer {
    portal.send(page(person, Method::GET, path).body(Body::empty()).unwrap()).await
}

async fn press(portal: &Portal, person: &Person, path: &str, form: &str) -> Answer {
    let request = page(person, Method::POST, path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    portal.send(request.body(Body::from(form.to_owned())).unwrap()).await
}

/// Sends the form of the import with a file in it.
async fn upload(portal: &Portal, person: &Person, kind: &str, (name, text): (&str, &[u8])) -> Answer {
    let input = |name: &str, value: &str| {
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let mut body = (input("kind", kind) + &input("mode", "dry_run")).into_bytes();
    let opening = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/csv\r\n\r\n"
    );
    body.extend(opening.bytes().chain(text.iter().copied()).chain(format!("\r\n--{BOUNDARY}--\r\n").bytes()));
    let request = page(person, Method::POST, "/o/northwind/records")
        .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"));
    portal.send(request.body(Body::from(body)).unwrap()).await
}

/// The page of the job that `answer` leads to, once it has ended.
async fn ended(furnished: &Furnished, answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text);
    let path = answer.header("location").to_owned();
    assert!(path.starts_with("/o/northwind/records/jobs/"), "{path}");
    let end = async {
        loop {
            let shown = show(&furnished.portal, &furnished.operator, &path).await;
            assert_eq!(shown.status, 200, "{}", shown.text);
            if shown.text.contains("data-job-ended") {
                return shown.text;
            }
            assert!(shown.text.contains("http-equiv=\"refresh\""), "without scripts it is loaded again by itself");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), end).await.expect("the job ends")
}

/// The value of the hidden input of this name.
fn hidden<'t>(text: &'t str, name: &str) -> &'t str {
    let (_, rest) = text.split_once(&format!("name=\"{name}\" value=\"")).expect(name);
    rest.split('"').next().unwrap()
}

#[tokio::test]
async fn a_table_is_sent_tried_and_done_without_scripts() {
    let furnished = Portal::furnished().await;
    let (portal, operator) = (&furnished.portal, &furnished.operator);
    let worker = portal.app.spawn_worker(&portal.shutdown);
    let overview = show(portal, operator, "/o/northwind/records").await;
    assert_eq!(overview.status, 200);
    assert!(overview.text.contains("enctype=\"multipart/form-data\""));

    let table = "email;name\r\nben@example.org;Ben <b>Carter</b>\r\ncleo@;<script>\r\n".as_bytes();
    let tried = ended(&furnished, &upload(portal, operator, "people", ("people.csv", table)).await).await;
    assert!(tried.contains("Nothing was changed yet"), "{tried}");
    assert!(tried.contains("Not an e-mail address such as name@example.org."));
    assert!(!tried.contains("<script>\r\n"), "values of the file are escaped");
    let form = format!("file_id={}&kind={}&mode=skip_bad", hidden(&tried, "file_id"), hidden(&tried, "kind"));
    let done = ended(&furnished, &press(portal, operator, "/o/northwind/records/imports", &form).await).await;
    assert!(done.contains("Every good line is done."), "{done}");

    let (_, rest) = done.split_once("href=\"/o/northwind/records/files/").unwrap();
    let file = format!("/o/northwind/records/files/{}", rest.split('"').next().unwrap());
    let results = show(portal, operator, &file).await;
    assert!(results.header("content-disposition").starts_with("attachment; filename=\"people.results.csv\""));
    assert!(results.text.contains("/invitation#"), "{}", results.text);
    let overview = show(portal, operator, "/o/northwind/records").await;
    assert!(overview.text.contains("people.results.csv"));
    let all = show(portal, operator, "/o/northwind/records/files?purpose=outcome").await;
    assert_eq!(all.text.matches("people.results.csv</a>").count(), 2, "{}", all.text);
    assert_eq!(press(portal, operator, &format!("{file}/remove"), "").await.status, 303);
    assert_eq!(show(portal, operator, &file).await.status, 404);
    portal.shutdown.request();
    for task in worker {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn the_examples_can_be_imported_as_they_are() {
    let furnished = Portal::furnished().await;
    let (portal, operator) = (&furnished.portal, &furnished.operator);
    let worker = portal.app.spawn_worker(&portal.shutdown);
    for (kind, expected) in [("people", "<strong>2</strong><span>new"), ("devices", "Invite the person first.")] {
        let example = show(portal, operator, &format!("/o/northwind/records/examples/{kind}")).await;
        assert_eq!(example.header("content-disposition"), format!("attachment; filename=\"{kind}.csv\""));
        let shown = ended(&furnished, &upload(portal, operator, kind, ("x.csv", example.text.as_bytes())).await).await;
        assert!(shown.contains("Nothing was changed yet") && shown.contains(expected), "{shown}");
    }
    assert_eq!(show(portal, operator, "/o/northwind/records/examples/cats").await.status, 404);
    portal.shutdown.request();
    for task in worker {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_form_is_said_on_the_form() {
    let furnished = Portal::furnished().await;
    let (portal, operator) = (&furnished.portal, &furnished.operator);
    let none = upload(portal, operator, "devices", ("", b"")).await;
    assert_eq!(none.status, 422, "{}", none.text);
    assert!(none.text.contains("Choose a file that is not empty."));
    assert!(none.text.contains("value=\"devices\" checked"), "what was chosen stays chosen");
    let other = upload(portal, operator, "cats", ("cats.csv", b"name\nTom\n")).await;
    assert_eq!(other.status, 422, "{}", other.text);
    let plain = press(portal, operator, "/o/northwind/records", "kind=people").await;
    assert_eq!(plain.status, 415, "{}", plain.text);
}

#[tokio::test]
async fn the_pages_are_for_admins_of_the_organisation() {
    let furnished = Portal::furnished().await;
    let (portal, file) = (&furnished.portal, furnished.file["id"].as_str().unwrap());
    for (person, status) in [(&furnished.mia, 403), (&furnished.sam, 404)] {
        assert_eq!(show(portal, person, "/o/northwind/records").await.status.as_u16(), status);
        assert_eq!(upload(portal, person, "people", ("x.csv", b"email\n")).await.status.as_u16(), status);
        assert_eq!(show(portal, person, &format!("/o/northwind/records/files/{file}")).await.status, 404);
        assert_eq!(press(portal, person, &format!("/o/northwind/records/files/{file}/remove"), "").await.status, 404);
        let job = format!("/o/northwind/records/jobs/{}", furnished.job);
        assert_eq!(show(portal, person, &job).await.status, 404);
        assert_eq!(press(portal, person, &format!("{job}/cancel"), "").await.status, 404);
    }
    let devices = show(portal, &furnished.mia, "/o/northwind/devices").await;
    assert!(!devices.text.contains("/o/northwind/records"), "members have no way there");
}

#[tokio::test]
async fn a_job_is_called_off_on_its_page() {
    let furnished = Portal::furnished().await;
    let (portal, operator) = (&furnished.portal, &furnished.operator);
    let path = format!("/o/northwind/records/jobs/{}", furnished.job);
    let before = show(portal, operator, &path).await;
    assert!(before.text.contains(&format!("action=\"{path}/cancel\"")), "{}", before.text);
    assert_eq!(press(portal, operator, &format!("{path}/cancel"), "").await.header("location"), path);
    let after = show(portal, operator, &path).await;
    assert!(after.text.contains("data-job-at=\"cancelled\"") && !after.text.contains("/cancel\""), "{}", after.text);
}
