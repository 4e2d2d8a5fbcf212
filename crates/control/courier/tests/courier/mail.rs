//! What arrives, as a mail server takes it and Python's reader of mail understands it.

use std::{sync::Arc, time::Duration};

use time::macros::datetime;
use warren_courier::{
    Attachment, Language, Letter, Mail, MailError, Mailbox, Mailer, Receipt, Retry,
    mail::{MailConfig, SmtpConfig, TIME_LIMIT, Transport},
};
use warren_runtime::Secret;
use warren_testkit::mail::{Behaviour, ReceivedMail, SinkOptions, SinkTls, SmtpSink};

/// A mailer for this server, as an operator would set it up.
pub fn mailer(sink: &SmtpSink, password: Option<&str>) -> Mailer {
    mailer_within(sink, password, TIME_LIMIT)
}

pub fn mailer_within(sink: &SmtpSink, password: Option<&str>, time_limit: Duration) -> Mailer {
    let smtp = SmtpConfig {
        password: password.map(|password| Secret::new(password.to_owned())),
        ca_file: Some(sink.ca_file()),
        time_limit,
        ..SmtpConfig::new(sink.url().parse().unwrap())
    };
    Mailer::build(MailConfig { transport: Transport::Smtp(smtp), ..config() }).unwrap()
}

pub fn config() -> MailConfig {
    MailConfig {
        transport: Transport::Kept,
        from: "Warren, the VPN <warren@vpn.example.org>".parse().unwrap(),
        reply_to: Some("operator@example.org".parse().unwrap()),
        site: Some("https://vpn.example.org/".parse().unwrap()),
    }
}

pub fn mail(id: &str, to: &str) -> Mail {
    Mail {
        id: id.parse().unwrap(),
        to: to.parse().unwrap(),
        language: Language::English,
        letter: Letter::samples().remove(0),
        attachments: Vec::new(),
        written_at: datetime!(2026-11-27 23:39:21 UTC),
    }
}

async fn sent(sink: &SmtpSink, mailer: &Mailer, mail: &Mail) -> ReceivedMail {
    let before = sink.mails().unwrap().len();
    let receipt = mailer.send(mail).await.unwrap();
    assert!(matches!(&receipt, Receipt::Taken { reply, .. } if reply.text.starts_with("kept as")), "{receipt:?}");
    let mut mails = sink.wait_for(before + 1, Duration::from_secs(10)).unwrap();
    assert_eq!(mails.len(), before + 1);
    mails.pop().unwrap()
}

#[tokio::test]
async fn a_letter_arrives_in_both_forms_with_its_headers() {
    let sink = SmtpSink::start(SinkOptions::default()).unwrap();
    let mailer = mailer(&sink, None);
    let mail = mail("0192f3a4-1", "Jürgen Ångström <juergen@example.org>");
    let got = sent(&sink, &mailer, &mail).await;
    assert_eq!(got.defects, [""; 0]);
    assert_eq!(
        (got.sender.as_str(), got.recipients.as_slice()),
        ("warren@vpn.example.org", &["juergen@example.org".to_owned()][..])
    );
    assert_eq!((got.ehlo.as_str(), got.encrypted), ("vpn.example.org", false));
    for (name, value) in [
        ("From", "\"Warren, the VPN\" <warren@vpn.example.org>"),
        ("To", "Jürgen Ångström <juergen@example.org>"),
        ("Reply-To", "operator@example.org"),
        ("Subject", "Your invitation to Northwind Traders"),
        ("Message-ID", "<0192f3a4-1@vpn.example.org>"),
        ("Date", "Fri, 27 Nov 2026 23:39:21 +0000"),
        ("Auto-Submitted", "auto-generated"),
        ("Content-Language", "en"),
        ("MIME-Version", "1.0"),
    ] {
        assert_eq!(got.header(name), [value], "{name}");
    }
    let rendered = mailer.preview(&mail.letter, Language::English).unwrap();
    assert_eq!(got.text.unwrap().replace("\r\n", "\n"), rendered.text);
    assert_eq!(got.html.unwrap().replace("\r\n", "\n"), rendered.html);
    assert!(got.attachments.is_empty());
}

#[tokio::test]
async fn the_same_mail_is_the_same_to_the_byte_at_the_next_attempt() {
    let sink = SmtpSink::start(SinkOptions::default()).unwrap();
    let mailer = mailer(&sink, None);
    let mut mail = mail("same", "anna@example.org");
    mail.attachments = vec![Attachment::new("a.csv", "text/csv", b"a,b\r\n".to_vec()).unwrap()];
    let (first, second) = (sent(&sink, &mailer, &mail).await.raw(), sent(&sink, &mailer, &mail).await.raw());
    assert_eq!(String::from_utf8(first).unwrap(), String::from_utf8(second).unwrap());
}

#[tokio::test]
async fn attachments_arrive_byte_by_byte_under_their_names() {
    let sink = SmtpSink::start(SinkOptions::default()).unwrap();
    let mut mail = mail("attached", "anna@example.org");
    mail.letter = Letter::samples().remove(1);
    mail.language = Language::German;
    let everything: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    // Lines that SMTP or MIME would read as their own.
    let tricky = b".\r\n..\r\nQUIT\r\n--=_mixed_attached\r\n--=_mixed_attached--\r\nFrom x\r\n".to_vec();
    mail.attachments = vec![
        Attachment::new("Nutzung im März.pdf", "application/pdf", everything.clone()).unwrap(),
        Attachment::new("usage.csv", "text/csv; charset=utf-8", tricky.clone()).unwrap(),
        Attachment::new("empty.txt", "text/plain", Vec::new()).unwrap(),
    ];
    let got = sent(&sink, &mailer(&sink, None), &mail).await;
    assert_eq!(got.defects, [""; 0]);
    assert!(got.text.unwrap().contains("in 3 Dateien"));
    let expected = [
        ("Nutzung im März.pdf", "application/pdf", everything),
        ("usage.csv", "text/csv", tricky),
        ("empty.txt", "text/plain", Vec::new()),
    ];
    assert_eq!(got.attachments.len(), expected.len());
    for (got, (name, media_type, bytes)) in got.attachments.iter().zip(expected) {
        assert_eq!((got.name.as_str(), got.media_type.as_str()), (name, media_type));
        assert!(got.bytes() == bytes, "{name}: {} bytes of {}", got.bytes().len(), bytes.len());
    }
}

#[tokio::test]
async fn nothing_that_somebody_chose_becomes_a_header_a_recipient_or_a_part() {
    let sink = SmtpSink::start(SinkOptions::default()).unwrap();
    let mailer = mailer(&sink, None);
    let plain = sent(&sink, &mailer, &mail("plain", "anna@example.org")).await;
    for (index, evil) in [
        "x\r\nBcc: eve@example.org",
        "x\nBcc: eve@example.org\n\nanother body",
        "x\r\n.\r\nMAIL FROM:<eve@example.org>",
        "x\u{2028}Bcc: eve@example.org\u{85}To: eve@example.org",
        "=?utf-8?q?x=0D=0ABcc:_eve@example.org?=",
        "x\r\n--=_alternative_evil--\r\n",
        "\"><img src=https://eve.example.org/pixel>",
        "x\0y\u{1b}]0;title\u{7}",
        &"=?utf-8?b?".repeat(2000),
    ]
    .into_iter()
    .enumerate()
    {
        let mut mail = mail(&format!("evil{index}"), "anna@example.org");
        let Letter::Invitation { organisation, from, .. } = &mut mail.letter else { unreachable!() };
        (*organisation, *from) = (evil.to_owned(), Some(evil.to_owned()));
        mail.attachments = vec![Attachment::new(evil, "text/plain", evil.as_bytes().to_vec()).unwrap()];
        let got = sent(&sink, &mailer, &mail).await;
        assert_eq!(got.defects, [""; 0], "{evil:?}");
        assert_eq!(got.recipients, ["anna@example.org"], "{evil:?}");
        let names = |mail: &ReceivedMail| mail.headers.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&got), names(&plain), "{evil:?}");
        assert_eq!(got.attachments.len(), 1);
        assert_eq!(got.attachments[0].bytes(), evil.as_bytes());
        let lines = |mail: &ReceivedMail| mail.text.as_ref().unwrap().lines().count();
        assert_eq!(lines(&got), lines(&plain), "{evil:?}");
        assert!(!got.html.unwrap().contains("<img"));
    }
}

#[tokio::test]
async fn the_name_and_address_of_a_recipient_add_nobody() {
    let sink = SmtpSink::start(SinkOptions::default()).unwrap();
    let mailer = mailer(&sink, None);
    for name in [
        "Anna\" <eve@example.org>, \"",
        "Anna, eve@example.org",
        "Anna <eve@example.org>",
        "(eve@example.org)",
        "=?utf-8?q?=3Ceve@example.org=3E?=",
    ] {
        let mut mail = mail("name", "anna@example.org");
        mail.to.name = Some(name.parse().unwrap());
        let got = sent(&sink, &mailer, &mail).await;
        assert_eq!(got.recipients, ["anna@example.org"], "{name}");
        assert_eq!(got.header("To").len(), 1);
    }
    for bad in ["anna@example.org>\r\nRCPT TO:<eve@example.org", "anna@example.org eve@example.org"] {
        assert!(bad.parse::<Mailbox>().is_err(), "{bad}");
    }
}

#[tokio::test]
async fn encryption_and_sign_in_work_as_the_url_says() {
    let account = || Some(("warren@example.org".to_owned(), "correct horse".to_owned()));
    for tls in [SinkTls::StartTls, SinkTls::Implicit, SinkTls::None] {
        let sink = SmtpSink::start(SinkOptions { tls, account: account(), ..SinkOptions::default() }).unwrap();
        let mailer = mailer(&sink, Some("correct horse"));
        mailer.check().await.unwrap();
        let got = sent(&sink, &mailer, &mail("1", "anna@example.org")).await;
        assert_eq!(got.encrypted, tls != SinkTls::None);
        assert_eq!(got.user.as_deref(), Some("warren@example.org"));
    }
}

#[tokio::test]
async fn opportunistic_encryption_is_used_where_it_is_offered() {
    for tls in [SinkTls::StartTls, SinkTls::None] {
        let sink = SmtpSink::start(SinkOptions { tls, ..SinkOptions::default() }).unwrap();
        let url = format!("smtp://localhost:{}?tls=opportunistic", sink.port());
        let smtp = SmtpConfig { ca_file: Some(sink.ca_file()), ..SmtpConfig::new(url.parse().unwrap()) };
        let mailer = Mailer::build(MailConfig { transport: Transport::Smtp(smtp), ..config() }).unwrap();
        let got = sent(&sink, &mailer, &mail("1", "anna@example.org")).await;
        assert_eq!(got.encrypted, tls == SinkTls::StartTls);
    }
}

#[tokio::test]
async fn addresses_beyond_ascii_go_where_the_server_takes_them() {
    let mail = mail("1", "jürgen@example.org");
    let sink = SmtpSink::start(SinkOptions { smtputf8: true, ..SinkOptions::default() }).unwrap();
    let got = sent(&sink, &mailer(&sink, None), &mail).await;
    assert_eq!(got.recipients, ["jürgen@example.org"]);
    let sink = SmtpSink::start(SinkOptions::default()).unwrap();
    let refused = mailer(&sink, None).send(&mail).await.unwrap_err();
    assert!(matches!(refused, MailError::Unfit(_)), "{refused}");
    assert_eq!(refused.retry(), Retry::Never);
}

#[tokio::test]
async fn mails_share_a_few_connections() {
    let sink = SmtpSink::start(SinkOptions::default()).unwrap();
    let mailer = Arc::new(mailer(&sink, None));
    for index in 0..3 {
        sent(&sink, &mailer, &mail(&format!("a{index}"), "anna@example.org")).await;
    }
    assert!(sink.mails().unwrap().iter().all(|mail| mail.connection == 1));
    sink.behave(&Behaviour { slow_step: Some("data".into()), slow_ms: 20, ..Behaviour::default() }).unwrap();
    let sends = (0..40).map(|index| {
        let mailer = mailer.clone();
        tokio::spawn(async move { mailer.send(&mail(&format!("b{index}"), "anna@example.org")).await.map(drop) })
    });
    for send in sends.collect::<Vec<_>>() {
        send.await.unwrap().unwrap();
    }
    let mails = sink.wait_for(43, Duration::from_secs(10)).unwrap();
    assert_eq!(mails.iter().map(|mail| mail.connection).max(), Some(4));
}

#[tokio::test]
async fn a_connection_is_closed_after_fifty_mails() {
    let sink = SmtpSink::start(SinkOptions::default()).unwrap();
    let mailer = mailer(&sink, None);
    for index in 0..51 {
        mailer.send(&mail(&format!("c{index}"), "anna@example.org")).await.unwrap();
    }
    let connections: Vec<u32> = sink.mails().unwrap().iter().map(|mail| mail.connection).collect();
    assert_eq!((connections[49], connections[50]), (1, 2));
}

#[tokio::test]
async fn without_a_server_a_mail_is_handed_back_whole() {
    let mailer = Mailer::build(config()).unwrap();
    mailer.check().await.unwrap();
    assert!(!mailer.sends());
    let mut mail = mail("kept", "anna@example.org");
    mail.attachments = vec![Attachment::new("a.csv", "text/csv", b"a,b".to_vec()).unwrap()];
    let Receipt::Kept(kept) = mailer.send(&mail).await.unwrap() else { panic!("somebody took it") };
    assert_eq!(kept.to, mail.to);
    assert_eq!(kept.rendered, mailer.preview(&mail.letter, Language::English).unwrap());
    assert_eq!(kept.attachments, mail.attachments);
    let raw = String::from_utf8(kept.raw).unwrap();
    assert!(raw.contains("Message-ID: <kept@vpn.example.org>\r\n"), "{raw}");
}
