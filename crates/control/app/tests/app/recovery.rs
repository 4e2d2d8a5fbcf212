//! A part that is gone, slow or failing does not take the rest down: devices are enrolled and people sign in all the same, and
//! what had to wait is done once the part is back.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use rstest::rstest;
use warren_app::{Config, mail, sessions};
use warren_auth::Password;
use warren_courier::{
    Mailer,
    mail::{MailConfig, SmtpConfig, Transport},
};
use warren_model::JobState;
use warren_runtime::{Shutdown, SystemClock, SystemRandom};
use warren_testkit::{
    ground::{Database, Ground},
    mail::{Behaviour, SinkOptions, SmtpSink},
};

use super::support::{Installation, PASSWORD, config, device, network, slug};

/// What a dependency may do instead of its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Down,
    Slow,
    Errors,
}

/// Nobody who signs in or adds a device would notice; far less than any time limit of a dependency.
const UNNOTICED: Duration = Duration::from_secs(5);

#[rstest]
#[case::down(Fault::Down)]
#[case::slow(Fault::Slow)]
#[case::errors(Fault::Errors)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_mail_server_letters_wait_and_nothing_else_does(#[case] fault: Fault) {
    let mut sink = SmtpSink::start(SinkOptions::default()).unwrap();
    let ground = Ground::of(Database::Sqlite).unwrap();
    let smtp = SmtpConfig { time_limit: Duration::from_secs(1), ..SmtpConfig::new(sink.url().parse().unwrap()) };
    let mailer = Mailer::build(MailConfig {
        transport: Transport::Smtp(smtp),
        from: "warren@vpn.example.org".parse().unwrap(),
        reply_to: None,
        site: None,
    });
    let app_config = Config { mailer: Some(Arc::new(mailer.unwrap())), ..config(&ground) };
    let app = warren_app::App::build(app_config, Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap();
    let clock = Arc::new(super::support::HandClock(std::sync::Mutex::new(warren_model::Clock::now(&SystemClock))));
    let here = Installation { app, clock, ground };
    let anna = here.set_up().await;
    let shutdown = Shutdown::new();
    let tasks = here.app.spawn_worker(&shutdown);
    match fault {
        Fault::Down => sink.stop().unwrap(),
        Fault::Slow => {
            sink.behave(&Behaviour { slow_step: Some("rcpt".into()), slow_ms: 4000, ..Behaviour::default() }).unwrap();
        }
        Fault::Errors => {
            let replies = BTreeMap::from([("rcpt".to_owned(), "451 4.3.0 come back later".to_owned())]);
            sink.behave(&Behaviour { replies, ..Behaviour::default() }).unwrap();
        }
    }
    let to = "ben@example.org".parse().unwrap();
    let letter = mail::send_test(&here.cx(anna.subject()), &to).await.unwrap();
    let tried = async || here.app.job(letter).await.unwrap().unwrap();
    while tried().await.error.is_none() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    // The main job, and sign-in, in the middle of it.
    let began = Instant::now();
    let password = Password::to_check(PASSWORD.into()).unwrap();
    let email = "anna@example.org".parse().unwrap();
    sessions::sign_in(&here.nobody(), email, password, sessions::Browser::default()).await.unwrap();
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let office = network(&inside, "Office", "10.20.0.0/24").await;
    device(&inside, &office, "laptop").await;
    assert!(began.elapsed() < UNNOTICED, "it took {:?}", began.elapsed());
    assert!(!tried().await.state.is_ended(), "the letter was given up");

    if fault == Fault::Down {
        sink.restart().unwrap();
    } else {
        sink.behave(&Behaviour::default()).unwrap();
    }
    // Its next attempt comes within the wait that doubles from five seconds on.
    let limit = Instant::now() + Duration::from_secs(90);
    while tried().await.state != JobState::Done {
        assert!(Instant::now() < limit, "the letter was not sent: {:?}", tried().await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let received = sink.wait_for(1, Duration::from_secs(10)).unwrap();
    assert_eq!(received.len(), 1);
    shutdown.request();
    for task in tasks {
        task.await.unwrap();
    }
    here.app.close().await;
}
