//! Setting up, signing in and out, and invitations.

use http::{Method, header};
use serde_json::json;

use crate::harness::{PASSWORD, Person, Portal, get, post};

#[tokio::test]
async fn the_set_up_link_works_once_and_signs_in() {
    let portal = Portal::new().await;
    let token = portal.set_up_token().await;
    let body = json!({
        "token": token, "name": "Anna Berg", "email": "Anna@Example.org", "password": PASSWORD,
        "organisation": {"slug": "northwind", "name": "Northwind Ltd"},
    });
    let answer = portal.send(post("/api/v1/set-up", &body)).await;
    let session = answer.expect(201);
    assert_eq!(session["account"]["operator"], true);
    assert_eq!(session["account"]["email"], "anna@example.org");
    assert_eq!(session["organisations"][0]["slug"], "northwind");
    assert_eq!(session["organisations"][0]["role"], "admin");
    assert_eq!(portal.send(post("/api/v1/set-up", &body)).await.problem(410), "link-spent");
}

#[tokio::test]
async fn a_refused_set_up_names_every_field_and_leaves_the_link_working() {
    let portal = Portal::new().await;
    let token = portal.set_up_token().await;
    let mut body = json!({
        "token": token, "name": "", "email": "anna", "password": "short",
        "organisation": {"slug": "North Wind", "name": "x".repeat(10_000)},
    });
    let answer = portal.send(post("/api/v1/set-up", &body)).await;
    assert_eq!(answer.problem(422), "invalid");
    let fields = [
        ("name", "invalid-empty"),
        ("email", "invalid-email"),
        ("password", "invalid-too-short"),
        ("organisation.slug", "invalid-slug"),
        ("organisation.name", "invalid-too-long"),
    ];
    assert_eq!(answer.refused_fields(), fields.map(|(field, code)| (field.to_owned(), code.to_owned())));
    body = json!({
        "token": token, "name": "Anna", "email": "anna@example.org", "password": PASSWORD,
        "organisation": {"slug": "northwind", "name": "Northwind"},
    });
    portal.send(post("/api/v1/set-up", &body)).await.expect(201);
}

#[tokio::test]
async fn the_session_cookie_is_hardened() {
    let portal = Portal::new().await;
    portal.set_up().await;
    let answer =
        portal.send(post("/api/v1/session", &json!({"email": "anna@example.org", "password": PASSWORD}))).await;
    answer.expect(201);
    let cookie = answer.header("set-cookie");
    let attributes: Vec<_> =
        cookie.split("; ").skip(1).filter(|attribute| !attribute.starts_with("Max-Age=")).collect();
    assert_eq!(attributes, ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"]);
    assert!(cookie.starts_with("__Host-warren="));
}

#[tokio::test]
async fn signing_out_ends_the_session_at_once() {
    let portal = Portal::new().await;
    let anna = portal.set_up().await;
    assert_eq!(anna.get(&portal, "/session").await.expect(200)["account"]["name"], "Anna Berg");
    let answer = portal.send(anna.request(Method::DELETE, "/session", None)).await;
    answer.expect(204);
    assert!(answer.header("set-cookie").starts_with("__Host-warren=; Path=/; Max-Age=0"));
    assert_eq!(anna.get(&portal, "/session").await.problem(401), "not-signed-in");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_the_same() {
    let portal = Portal::new().await;
    portal.set_up().await;
    for email in ["anna@example.org", "nobody@example.org"] {
        let body = json!({"email": email, "password": "not the password"});
        let answer = portal.send(post("/api/v1/session", &body)).await;
        assert_eq!(answer.problem(401), "sign-in-refused");
        assert!(answer.headers.contains_key(header::WWW_AUTHENTICATE));
        assert!(!answer.headers.contains_key(header::SET_COOKIE));
    }
}

#[tokio::test]
async fn failed_sign_ins_are_limited_by_address() {
    let portal = Portal::new().await;
    portal.set_up().await;
    let wrong = json!({"email": "anna@example.org", "password": "not the password"});
    for _ in 0..warren_portal::FAILED_ATTEMPTS_AT_ONCE_MAX {
        portal.send(post("/api/v1/session", &wrong)).await.problem(401);
    }
    let right = json!({"email": "anna@example.org", "password": PASSWORD});
    for body in [&wrong, &right] {
        let answer = portal.send(post("/api/v1/session", body)).await;
        assert_eq!(answer.problem(429), "too-many-attempts");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    }
    portal.send_from("198.51.100.7:1", post("/api/v1/session", &right)).await.expect(201);
}

#[tokio::test]
async fn an_invitation_is_inspected_and_accepted_once() {
    let portal = Portal::new().await;
    let anna = portal.set_up().await;
    let invite = json!({"name": "Ben Carter", "email": "ben@example.org", "role": "member"});
    let invited = anna.post(&portal, "/organisations/northwind/people", &invite).await.expect(201);
    let token = invited["invitation"]["link"].as_str().unwrap().split_once('#').unwrap().1;
    let info = portal.send(post("/api/v1/invitations/inspect", &json!({"token": token}))).await.expect(200);
    assert_eq!((&info["organisation_name"], &info["has_password"]), (&json!("Northwind Ltd"), &json!(false)));
    let accept = json!({"token": token, "password": PASSWORD});
    let ben = portal.send(post("/api/v1/invitations/accept", &accept)).await.person();
    assert_eq!(ben.get(&portal, "/session").await.expect(200)["organisations"][0]["role"], "member");
    assert_eq!(portal.send(post("/api/v1/invitations/accept", &accept)).await.problem(410), "link-spent");
    assert_eq!(
        portal.send(post("/api/v1/invitations/inspect", &json!({"token": "x"}))).await.problem(410),
        "link-spent"
    );
}

#[tokio::test]
async fn a_cookie_that_is_no_session_counts_for_nothing() {
    let portal = Portal::new().await;
    portal.set_up().await;
    for cookie in ["__Host-warren=x", &format!("__Host-warren={}", "A".repeat(43)), "__Host-warren="] {
        let somebody = Person { cookie: Some(cookie.to_owned()) };
        assert_eq!(somebody.get(&portal, "/session").await.problem(401), "not-signed-in");
    }
    assert_eq!(portal.send(get("/api/v1/session")).await.problem(401), "not-signed-in");
}
