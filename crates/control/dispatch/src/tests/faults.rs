//! A server that is down, dies, comes back empty, hangs, or lets nobody in.

use warren_runtime::dependency::Force;

use super::*;

#[tokio::test]
async fn rings_go_again_after_a_start_without_a_server_and_after_its_death() {
    let server = NatsServer::down().unwrap();
    let (rings, works) =
        (Process::start("a", config(&server), &[]), Process::start("b", config(&server), &[Queue::Mail]));
    // Nobody who rings notices anything.
    rings.bells.ring(Queue::Mail);
    let status = rings.until(|status| status.last_error.is_some()).await;
    assert!(status.last_error.unwrap().contains("cannot be reached"));
    server.restart().unwrap();
    assert_eq!(works.hears().await, Queue::Mail, "what was rung for before");

    for _ in 0..2 {
        server.kill().unwrap();
        works.until(|status| status.connected_for.is_none()).await;
        rings.until(|status| status.connected_for.is_none()).await;
        rings.bells.ring(Queue::Mail);
        server.lose_disk().unwrap();
        server.restart().unwrap();
        assert_eq!(works.hears().await, Queue::Mail);
        works.connected().await;
        rings.bells.ring(Queue::Mail);
        assert_eq!(works.hears().await, Queue::Mail);
    }
    rings.end().await;
    works.end().await;
}

#[tokio::test]
async fn a_server_that_hangs_is_left_and_found_again() {
    let server = NatsServer::start().unwrap();
    let (rings, works) =
        (Process::start("a", config(&server), &[]), Process::start("b", config(&server), &[Queue::Mail]));
    rings.connected().await;
    works.connected().await;
    server.pause().unwrap();
    rings.bells.ring(Queue::Mail);
    pass().await;
    rings.until(|status| status.connected_for.is_none()).await;
    server.resume().unwrap();
    assert_eq!(works.hears().await, Queue::Mail);
    rings.end().await;
    works.end().await;
}

#[tokio::test]
async fn a_wrong_password_is_told_in_plain_words_and_never_shown() {
    let lines = tempfile::NamedTempFile::new().unwrap();
    let told = tracing_subscriber::fmt().with_max_level(tracing::Level::INFO);
    let _logged = tracing::subscriber::set_default(told.with_writer(Arc::new(lines.reopen().unwrap())).finish());
    let server = NatsServer::start().unwrap();
    let given = NatsConfig { url: server.url_with("guessed").parse().unwrap(), ..config(&server) };
    assert!(!format!("{given:?}").contains("guessed"));
    let process = Process::start("a", given, &[Queue::Mail]);
    process.bells.ring(Queue::Mail);
    let status = process.until(|status| status.last_error.is_some()).await;
    let told = status.last_error.unwrap();
    assert!(told.contains("does not accept the user and password") && !told.contains("guessed"), "{told}");
    // It is tried again, and the breaker sees to it that this is not often.
    let looking = async {
        while process.dependencies.status()[0].openings == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(SOON, looking).await.unwrap();
    assert_eq!(process.bells.status().last_error.as_deref(), Some(told.as_str()), "the cause stays in sight");
    let log = std::fs::read_to_string(lines.path()).unwrap();
    assert_eq!(log.matches("no rings go over NATS").count(), 1, "{log}");
    assert!(!log.contains("guessed"), "{log}");
    process.end().await;
}

#[tokio::test]
async fn an_operator_may_have_nats_left_alone() {
    let server = NatsServer::down().unwrap();
    let process = Process::start("a", config(&server), &[Queue::Mail]);
    process.dependencies.force("nats", Force::Open).unwrap();
    server.restart().unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(process.bells.status().connected_for.is_none());
    process.dependencies.force("nats", Force::Release).unwrap();
    process.connected().await;
    process.end().await;
}
