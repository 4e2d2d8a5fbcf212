//! What a mailer makes of a server that is away, slow, strict, or not the one it should be.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use warren_courier::{
    MailError, Mailer, Receipt, Retry,
    mail::{MailConfig, SmtpConfig, Step, Transport, Trouble, dependency_settings},
};
use warren_resilience::BreakerState;
use warren_runtime::{
    SystemRandom,
    dependency::{Dependencies, DependencyName, Failure, Force},
};
use warren_testkit::{
    certificates::Authority,
    mail::{Behaviour, SinkOptions, SinkTls, SmtpSink},
};

use super::mail::{config, mail, mailer, mailer_within};

fn mailer_to(url: &str, ca_file: Option<std::path::PathBuf>, time_limit: Duration) -> Mailer {
    let smtp = SmtpConfig { ca_file, time_limit, ..SmtpConfig::new(url.parse().unwrap()) };
    Mailer::build(MailConfig { transport: Transport::Smtp(smtp), ..config() }).unwrap()
}

async fn refusal(mailer: &Mailer, to: &str) -> MailError {
    mailer.send(&mail("1", to)).await.unwrap_err()
}

/// The step at which it ended, and whether to try again.
fn outcome(error: &MailError) -> (Option<Step>, Retry) {
    let step = match error {
        MailError::Refused { step, .. } | MailError::TryLater { step, .. } | MailError::Misconfigured { step, .. } => {
            Some(*step)
        }
        MailError::Unfit(_) => None,
    };
    (step, error.retry())
}

#[tokio::test]
async fn a_server_that_is_away_is_tried_again_and_found_when_it_is_back() {
    let mut sink = SmtpSink::start(SinkOptions::default()).unwrap();
    let mailer = mailer(&sink, None);
    mailer.send(&mail("1", "anna@example.org")).await.unwrap();
    sink.stop().unwrap();
    for _ in 0..2 {
        assert_eq!(outcome(&refusal(&mailer, "anna@example.org").await), (Some(Step::Connecting), Retry::Soon));
    }
    sink.restart().unwrap();
    mailer.send(&mail("2", "anna@example.org")).await.unwrap();
    // A kept connection that has died in between is passed over.
    sink.restart().unwrap();
    mailer.send(&mail("3", "anna@example.org")).await.unwrap();
    assert_eq!(sink.mails().unwrap().len(), 3);
}

#[tokio::test]
async fn each_refusal_says_whether_to_try_again() {
    let sink = SmtpSink::start(SinkOptions::default()).unwrap();
    let mailer = mailer(&sink, None);
    let recipients = [
        ("nobody@example.org", "550 5.1.1 nobody of that name"),
        ("full@example.org", "452 4.2.2 mailbox full"),
        ("elsewhere@example.org", "554 5.7.1 <elsewhere@example.org>: Relay access denied"),
        ("leaving@example.org", "421 4.3.2 going down"),
    ];
    let recipients: BTreeMap<String, String> =
        recipients.into_iter().map(|(who, reply)| (who.to_owned(), reply.to_owned())).collect();
    sink.behave(&Behaviour { recipients, ..Behaviour::default() }).unwrap();
    for (who, retry) in [
        ("nobody@example.org", Retry::Never),
        ("full@example.org", Retry::Soon),
        ("elsewhere@example.org", Retry::Slowly),
        ("leaving@example.org", Retry::Soon),
    ] {
        let error = refusal(&mailer, who).await;
        assert_eq!(outcome(&error), (Some(Step::Recipient), retry), "{error:?}");
    }
    let MailError::Refused { reply, .. } = refusal(&mailer, "nobody@example.org").await else { panic!() };
    assert_eq!(reply.to_string(), "550 5.1.1 nobody of that name");
    // One that was refused does no harm to the next.
    mailer.send(&mail("2", "anna@example.org")).await.unwrap();
    for (step, reply, expected) in [
        ("mail", "451 4.3.0 try again", (Some(Step::Sender), Retry::Soon)),
        ("mail", "553 5.7.1 not your address", (Some(Step::Sender), Retry::Slowly)),
        ("data", "554 5.7.1 looks like spam", (Some(Step::Content), Retry::Never)),
        ("data", "452 4.3.1 disk full", (Some(Step::Content), Retry::Soon)),
    ] {
        let replies = BTreeMap::from([(step.to_owned(), reply.to_owned())]);
        sink.behave(&Behaviour { replies, ..Behaviour::default() }).unwrap();
        assert_eq!(outcome(&refusal(&mailer, "anna@example.org").await), expected, "{reply}");
    }
    assert_eq!(sink.mails().unwrap().len(), 1);
}

#[tokio::test]
async fn a_greylisted_mail_arrives_at_the_second_attempt_under_its_identifier() {
    let sink = SmtpSink::start(SinkOptions::default()).unwrap();
    sink.behave(&Behaviour { greylist: true, ..Behaviour::default() }).unwrap();
    let mailer = mailer(&sink, None);
    assert_eq!(refusal(&mailer, "anna@example.org").await.retry(), Retry::Soon);
    mailer.send(&mail("1", "anna@example.org")).await.unwrap();
    assert_eq!(sink.mails().unwrap()[0].header("Message-ID"), ["<1@vpn.example.org>"]);
}

#[tokio::test]
async fn a_wrong_password_is_for_the_operator() {
    let account = Some(("warren".to_owned(), "right".to_owned()));
    let sink = SmtpSink::start(SinkOptions { tls: SinkTls::Implicit, account, ..SinkOptions::default() }).unwrap();
    let error = refusal(&mailer(&sink, Some("wrong")), "anna@example.org").await;
    assert_eq!(outcome(&error), (Some(Step::SignIn), Retry::Slowly));
    assert!(!format!("{error:?}").contains("wrong"), "{error:?}");
    // Without signing in at all, the server says so when the sender is named.
    let url = format!("smtps://localhost:{}", sink.port());
    let error = refusal(&mailer_to(&url, Some(sink.ca_file()), Duration::from_secs(10)), "anna@example.org").await;
    assert_eq!(outcome(&error), (Some(Step::Sender), Retry::Slowly));
}

#[tokio::test]
async fn a_server_that_offers_no_encryption_or_no_sign_in_is_for_the_operator() {
    let sink = SmtpSink::start(SinkOptions::default()).unwrap();
    let url = format!("smtp://localhost:{}?tls=required", sink.port());
    let error = refusal(&mailer_to(&url, None, Duration::from_secs(10)), "anna@example.org").await;
    assert!(matches!(error, MailError::Misconfigured { source: Trouble::NoStartTls, .. }), "{error:?}");
    let smtp = SmtpConfig {
        password: Some(warren_runtime::Secret::new("secret".to_owned())),
        ..SmtpConfig::new(format!("smtp://warren@localhost:{}?tls=none", sink.port()).parse().unwrap())
    };
    let mailer = Mailer::build(MailConfig { transport: Transport::Smtp(smtp), ..config() }).unwrap();
    assert_eq!(outcome(&refusal(&mailer, "anna@example.org").await), (Some(Step::SignIn), Retry::Slowly));
    assert!(sink.mails().unwrap().is_empty());
}

#[tokio::test]
async fn a_certificate_of_somebody_else_is_for_the_operator() {
    let limit = Duration::from_secs(10);
    for tls in [SinkTls::StartTls, SinkTls::Implicit] {
        let sink = SmtpSink::start(SinkOptions { tls, ..SinkOptions::default() }).unwrap();
        let stranger = Authority::new().unwrap();
        let error = refusal(&mailer_to(&sink.url(), Some(stranger.ca_file()), limit), "anna@example.org").await;
        assert_eq!(outcome(&error), (Some(Step::Encryption), Retry::Slowly), "{error:?}");
        // The certificate is for localhost, and not for the address.
        let url = sink.url().replace("localhost", "127.0.0.1");
        let error = refusal(&mailer_to(&url, Some(sink.ca_file()), limit), "anna@example.org").await;
        assert_eq!(outcome(&error), (Some(Step::Encryption), Retry::Slowly), "{error:?}");
    }
}

#[tokio::test]
async fn plain_words_at_a_port_for_tls_are_for_the_operator() {
    let sink = SmtpSink::start(SinkOptions::default()).unwrap();
    let url = format!("smtps://localhost:{}", sink.port());
    let error = refusal(&mailer_to(&url, Some(sink.ca_file()), Duration::from_secs(10)), "anna@example.org").await;
    assert_eq!(outcome(&error), (Some(Step::Encryption), Retry::Slowly), "{error:?}");
}

#[tokio::test]
async fn a_slow_server_is_left_after_the_time_limit_and_its_connection_with_it() {
    let sink = SmtpSink::start(SinkOptions::default()).unwrap();
    let mailer = mailer_within(&sink, None, Duration::from_millis(300));
    for (step, expected) in [("rcpt", Step::Recipient), ("data", Step::Content)] {
        mailer.send(&mail("1", "anna@example.org")).await.unwrap();
        sink.behave(&Behaviour { slow_step: Some(step.into()), slow_ms: 3000, ..Behaviour::default() }).unwrap();
        let error = refusal(&mailer, "anna@example.org").await;
        assert_eq!(outcome(&error), (Some(expected), Retry::Soon), "{error:?}");
        assert!(matches!(error, MailError::TryLater { source: Trouble::TimedOut(_), .. }));
        sink.behave(&Behaviour::default()).unwrap();
        // The connection in the middle of the mail was not kept: this is a new one.
        let receipt = mailer.send(&mail("2", "anna@example.org")).await.unwrap();
        assert!(matches!(receipt, Receipt::Taken { .. }));
    }
    let connections: Vec<u32> = sink.mails().unwrap().iter().map(|mail| mail.connection).collect();
    assert_eq!(connections, [1, 2, 2, 3]);
}

#[tokio::test]
async fn a_server_that_never_greets_is_left_after_the_time_limit() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    for (url, step) in [
        (format!("smtp://127.0.0.1:{port}?tls=none"), Step::Greeting),
        (format!("smtp://127.0.0.1:{port}"), Step::Greeting),
        (format!("smtps://127.0.0.1:{port}"), Step::Encryption),
    ] {
        let started = Instant::now();
        let error = refusal(&mailer_to(&url, None, Duration::from_millis(200)), "anna@example.org").await;
        assert_eq!(outcome(&error), (Some(step), Retry::Soon), "{error:?}");
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}

/// A server that says each of `words` after a command, the first at once.
async fn server_of_words(words: &'static [&'static str]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = [0; 1024];
        for words in words {
            stream.write_all(words.as_bytes()).await.unwrap();
            if stream.read(&mut heard).await.unwrap() == 0 {
                return;
            }
        }
    });
    port
}

#[tokio::test]
async fn words_that_were_put_before_the_encryption_end_the_attempt() {
    let words = &["220 a\r\n", "250-a\r\n250 STARTTLS\r\n", "220 go\r\n250 injected\r\n"];
    let url = format!("smtp://localhost:{}", server_of_words(words).await);
    let error = refusal(&mailer_to(&url, None, Duration::from_secs(10)), "anna@example.org").await;
    assert!(matches!(error, MailError::Misconfigured { source: Trouble::Injected, .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_no_smtp_at_all_ends_the_attempt() {
    for words in
        [&["HTTP/1.1 400 Bad Request\r\n\r\n"][..], &["220 a\r\n", "999999\r\n"], &["\u{0}\u{ff}\r\n"], &["220"]]
    {
        for tls in ["none", "required"] {
            let url = format!("smtp://localhost:{}?tls={tls}", server_of_words(words).await);
            let error = refusal(&mailer_to(&url, None, Duration::from_millis(500)), "anna@example.org").await;
            assert_eq!(outcome(&error), (Some(Step::Greeting), Retry::Soon), "{words:?}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_talks_without_end_is_left() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move { while stream.write_all(&[b'2'; 4096]).await.is_ok() {} });
        }
    });
    for tls in ["none", "required"] {
        let url = format!("smtp://127.0.0.1:{port}?tls={tls}");
        let mailer = mailer_to(&url, None, Duration::from_secs(2));
        assert_eq!(refusal(&mailer, "anna@example.org").await.retry(), Retry::Soon);
    }
}

#[tokio::test]
async fn a_server_that_goes_on_failing_is_left_alone_and_one_that_refuses_somebody_is_not() {
    let mut sink = SmtpSink::start(SinkOptions::default()).unwrap();
    let dependencies = Dependencies::new(Arc::new(SystemRandom));
    let limit = Duration::from_secs(10);
    let dependency = dependencies.add(DependencyName::new("smtp"), dependency_settings(limit)).unwrap();
    let mailer = mailer_within(&sink, None, limit);
    let send = async |who: &str| dependency.call(|_| async { mailer.send(&mail("1", who)).await }).await;
    let recipients = BTreeMap::from([
        ("nobody@example.org".to_owned(), "550 5.1.1 nobody of that name".to_owned()),
        ("grey@example.org".to_owned(), "451 4.7.1 come back later".to_owned()),
    ]);
    sink.behave(&Behaviour { recipients, ..Behaviour::default() }).unwrap();
    for who in ["nobody@example.org", "grey@example.org"].repeat(10) {
        let Err(Failure::Failed(error)) = send(who).await else { panic!("{who} was taken, or nobody was asked") };
        assert_eq!(outcome(&error).0, Some(Step::Recipient));
    }
    send("anna@example.org").await.unwrap();
    assert_eq!(dependency.status().state, BreakerState::Closed);
    sink.stop().unwrap();
    let mut attempts = 0;
    let refused = loop {
        attempts += 1;
        assert!(attempts <= 21, "it goes on");
        match send("anna@example.org").await.unwrap_err() {
            Failure::Refused(refused) => break refused,
            failure => assert!(matches!(failure, Failure::Failed(MailError::TryLater { .. })), "{failure:?}"),
        }
    };
    assert!(refused.retry_after().is_some_and(|wait| wait <= Duration::from_secs(10)), "{refused}");
    sink.restart().unwrap();
    dependency.force(Force::Closed);
    send("anna@example.org").await.unwrap();
}
