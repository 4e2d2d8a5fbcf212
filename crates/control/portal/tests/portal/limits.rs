//! What every answer carries, and what happens at the limits.

use axum::body::Body;
use http::{Request, header};

use crate::harness::{Answer, Portal, get};

#[tokio::test]
async fn every_answer_carries_the_headers_that_protect_it() {
    let portal = Portal::new().await;
    for path in ["/api/v1/session", "/api/openapi.json", "/health", "/nowhere", "/api/docs/"] {
        let answer = portal.send(get(path)).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("strict-transport-security", "max-age=63072000"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        assert!(answer.header("permissions-policy").contains("camera=()"), "{path}");
        assert!(
            uuid::Uuid::parse_str(answer.header("x-request-id")).is_ok_and(|id| id.get_version_num() == 7),
            "{path}"
        );
    }
    assert_eq!(portal.send(get("/api/v1/session")).await.header("cache-control"), "no-store");
}

#[tokio::test]
async fn the_callers_own_request_identifier_is_not_taken() {
    let portal = Portal::new().await;
    let mut request = get("/health");
    request.headers_mut().insert("x-request-id", "0192f3a4-7c1e-7b1a-9c7e-0d2f4a6b8c01".parse().unwrap());
    assert_ne!(portal.send(request).await.header("x-request-id"), "0192f3a4-7c1e-7b1a-9c7e-0d2f4a6b8c01");
}

#[tokio::test]
async fn health_and_readiness_differ_at_shutdown() {
    let portal = Portal::new().await;
    assert_eq!(portal.send(get("/ready")).await.status, 200);
    portal.shutdown.request();
    assert_eq!(portal.send(get("/health")).await.status, 200);
    assert_eq!(portal.send(get("/ready")).await.problem(503), "busy");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_beyond_the_limit_are_turned_away() {
    let portal = Portal::new().await;
    // Each of these has its place and waits for a body that never ends.
    let sign_ins = warren_portal::PortalState::REQUESTS_AT_ONCE_MAX * 95 / 100;
    let waiting: Vec<_> = (0..sign_ins)
        .map(|_| {
            let body = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
            let request = Request::post("/api/v1/session").header(header::CONTENT_TYPE, "application/json").body(body);
            let mut request = request.unwrap();
            let address: std::net::SocketAddr = "192.0.2.1:1".parse().unwrap();
            request.extensions_mut().insert(axum::extract::ConnectInfo(address));
            let mut answer = Box::pin(tower::ServiceExt::oneshot(portal.router.clone(), request));
            assert!(futures_util::FutureExt::now_or_never(&mut answer).is_none());
            answer
        })
        .collect();
    let answer = portal.send(get("/api/v1/organisations")).await;
    assert_eq!(answer.problem(503), "busy");
    assert_eq!(answer.header("retry-after"), "1");
    // What would be ended if it did not answer, and what keeps packets flowing, still finds a place.
    assert_eq!(portal.send(get("/health")).await.status, 200);
    drop(waiting);
    assert_eq!(portal.send(get("/api/v1/organisations")).await.problem(401), "not-signed-in");
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_ended() {
    let portal = Portal::new().await;
    tokio::time::pause();
    let body = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let request = Request::post("/api/v1/session").header(header::CONTENT_TYPE, "application/json").body(body).unwrap();
    let began = tokio::time::Instant::now();
    assert_eq!(portal.send(request).await.problem(503), "time-limit");
    assert_eq!(began.elapsed().as_secs(), 15);
}

#[tokio::test]
async fn the_reference_works_without_any_other_server() {
    let portal = Portal::new().await;
    let page = portal.send(get("/api/docs/")).await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    // The policy lets nothing inline run, so there must be nothing inline.
    assert!(!page.text.contains("<style") && !page.text.contains("style=") && !page.text.contains("onload="));
    for script in page.text.split("<script").skip(1) {
        assert!(script.trim_start().starts_with("src=\"./"), "{script}");
    }
    let initializer: Answer = portal.send(get("/api/docs/swagger-initializer.js")).await;
    assert!(
        initializer.text.contains("/api/openapi.json") && !initializer.text.contains("http"),
        "{}",
        initializer.text
    );
    assert_eq!(portal.send(get("/api/docs/swagger-ui-bundle.js")).await.status, 200);
    assert_eq!(portal.send(get("/api/docs/../secret")).await.problem(404), "not-found");
    assert_eq!(portal.send(get("/api/openapi.json")).await.text, warren_portal::openapi_json());
}
