//! Reports: what was used and done in a period, as a table and as a page.

use super::support::{Installation, as_task, device, network, on_every_database, slug};
use rstest::rstest;
use rstest_reuse::apply;
use time::{
    Duration,
    macros::{date, datetime},
};
use uuid::Uuid;
use warren_app::{
    AppError, Expected, Language, devices,
    gateways::{Backend, Hello, link::LinkSession},
    live::PeerObservation,
    people,
    records::{
        Proceed, Progress, Unobserved,
        csv::{Column, Content, Table},
    },
    reports::{self, Basis, EarlierReport, Request},
    sessions,
};
use warren_auth::Password;
use warren_model::{Period, Role, audit::Action};
use warren_testkit::ground::Database;

fn request(period: Period, language: Language) -> Request {
    Request { period, zone: "Europe/Berlin".parse().unwrap(), language }
}

/// 21 November in Berlin, when the clock of the tests begins.
fn that_day(language: Language) -> Request {
    let zone = "Europe/Berlin".parse().unwrap();
    request(Period::of_days(date!(2026 - 11 - 21), date!(2026 - 11 - 21), &zone).unwrap(), language)
}

fn read(table: &[u8], columns: &[&'static str]) -> Vec<Vec<String>> {
    let wanted: Vec<Column> = columns.iter().map(|name| Column::required(name, &[])).collect();
    let table = Table::open(&table.to_vec().into(), &wanted).unwrap();
    let mut rows = table.rows().unwrap();
    std::iter::from_fn(|| rows.next().unwrap())
        .map(|row| (0..columns.len()).map(|at| table.columns.cell(row.as_ref().unwrap(), at).to_owned()).collect())
        .collect()
}

/// Markup that closes what it opens, holds no script, and loads nothing.
fn is_sound(html: &str) {
    let tags = |start: &str| html.matches(&format!("<{start}")).count();
    for tag in ["table>", "tr>", "h2>", "dl>", "div>"] {
        assert_eq!(tags(tag), tags(&format!("/{tag}")), "{tag}");
    }
    for forbidden in ["<script", "src=", "href=", "url(", "javascript:"] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
}

#[apply(on_every_database)]
#[tokio::test]
async fn usage_counts_on_from_the_report_before(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let office = network(&inside, "Office", "10.20.0.0/24").await;
    let laptop = device(&inside, &office, "<b>laptop</b>").await.view.device;
    device(&inside, &office, "unused").await;

    let local = warren_app::gateways::ensure_local(
        &here.local(),
        &"local".parse().unwrap(),
        &"vpn.example.org".parse().unwrap(),
        51820,
    )
    .await
    .unwrap();
    let gateway = warren_app::gateways::link::authenticate(&here.app, &local.credential).await.unwrap().unwrap();
    let hello = Hello { software: "0.1.0".into(), boot: Uuid::from_u128(1), backend: Backend::Userspace };
    let mut link = LinkSession::open(&here.app, gateway, hello);
    link.snapshot().await.unwrap();
    let moved = async |device, bytes, at| {
        let seen = PeerObservation {
            network: office.network.id,
            device,
            last_handshake_at: Some(at),
            endpoint: None,
            received_bytes: bytes,
            sent_bytes: 2 * bytes,
        };
        link.report(vec![seen]).await.unwrap();
    };
    moved(laptop.id, 1_000_000, datetime!(2026-11-21 12:00 UTC)).await;

    let first = that_day(Language::English);
    let mut table = Vec::new();
    let report = as_task(reports::usage(&inside, &first, None, &mut table, &Unobserved)).await.unwrap().unwrap();
    assert_eq!(report.basis, Basis::SinceEnrolment);
    assert_eq!((report.total.devices, report.active_devices, report.enrolled_devices), (2, 1, 2));
    assert_eq!((report.total.received_bytes, report.total.sent_bytes), (1_000_000, 2_000_000));
    let columns = ["device", "owner", "received_bytes", "total_sent_bytes"];
    assert_eq!(read(&table, &columns)[0], ["<b>laptop</b>", "anna@example.org", "1000000", "2000000"]);
    let html = report.html().unwrap();
    is_sound(&html);
    assert!(html.contains("&#60;b&#62;laptop") && html.contains("<dd>3.0 MB</dd>"), "{html}");
    assert!(html.contains("There is no earlier report"));
    assert!(html.contains("2026-11-21 00:00 to 2026-11-22 00:00 (Europe/Berlin)"), "{html}");

    here.clock.advance(Duration::days(1));
    let late = device(&inside, &office, "late").await.view.device;
    moved(laptop.id, 1_500_000, datetime!(2026-11-22 12:00 UTC)).await;
    moved(late.id, 2_000_000, datetime!(2026-11-22 12:00 UTC)).await;
    let earlier = EarlierReport { made_at: report.made_at, table: table.into() };
    let second = Period::of_days(date!(2026 - 11 - 22), date!(2026 - 11 - 22), &first.zone).unwrap();
    let second = request(second, Language::German);
    let mut table = Vec::new();
    let report = reports::usage(&inside, &second, Some(earlier), &mut table, &Unobserved).await.unwrap().unwrap();
    assert!(matches!(report.basis, Basis::SinceReport(_)));
    assert_eq!((report.total.received_bytes, report.total.sent_bytes), (2_500_000, 5_000_000));
    assert_eq!((report.total.devices, report.active_devices, report.enrolled_devices), (3, 2, 1));
    assert_eq!(
        report.devices.0.iter().map(|(names, _)| names[0].as_str()).collect::<Vec<_>>(),
        ["late", "<b>laptop</b>", "unused"]
    );
    assert_eq!(report.networks[0].1, report.total);
    let columns = ["device", "received_bytes", "total_received_bytes"];
    assert_eq!(read(&table, &columns)[0], ["<b>laptop</b>", "500000", "1500000"]);
    let html = report.html().unwrap();
    is_sound(&html);
    assert!(html.contains("lang=\"de\"") && html.contains("<dd>7,5 MB</dd>"), "{html}");
    let wrong = EarlierReport { made_at: report.made_at, table: Content::from("name\nx") };
    let refused = reports::usage(&inside, &second, Some(wrong), &mut Vec::new(), &Unobserved).await;
    assert!(matches!(refused, Err(AppError::Unusable(_))));
}

#[apply(on_every_database)]
#[tokio::test]
async fn the_trail_of_a_period_is_reported_to_the_moment(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let ben = here.join("northwind", "Ben", Role::Admin).await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let office = network(&inside, "Office", "10.20.0.0/16").await;
    // To 21 November 23:59:59.9 in Berlin, and over midnight.
    let midnight = datetime!(2026-11-21 23:00 UTC);
    let reach = |at| *here.clock.0.lock().unwrap() = at;
    reach(midnight - Duration::milliseconds(100));
    let as_ben = here.cx(ben.subject());
    let as_ben = as_ben.enter(&slug("northwind")).await.unwrap();
    let last = device(&as_ben, &office, "last").await.view.device;
    reach(midnight);
    for number in 0..205 {
        device(&inside, &office, &format!("device {number}")).await;
    }
    devices::revoke(&inside, last.id, Expected::Any).await.unwrap();

    let mut table = Vec::new();
    let day = that_day(Language::English);
    let report = as_task(reports::audit(&inside, &day, &mut table, &Unobserved)).await.unwrap().unwrap();
    let lines = read(&table, &["local_time", "action", "subject"]);
    assert_eq!(lines[0], ["2026-11-21 23:59", "device.enrolled", "last"]);
    assert_eq!(report.entries, lines.len() as u64);
    assert_eq!((report.count_of(Action::DeviceEnrolled), report.count_of(Action::DeviceRevoked)), (1, 0));
    assert_eq!(report.days, [("2026-11-21".to_owned(), report.entries)]);

    let next = Period::of_days(date!(2026 - 11 - 22), date!(2027 - 11 - 22), &day.zone).unwrap();
    let mut table = Vec::new();
    let report =
        reports::audit(&inside, &request(next, Language::German), &mut table, &Unobserved).await.unwrap().unwrap();
    assert_eq!((report.entries, report.count_of(Action::DeviceEnrolled)), (206, 205));
    assert_eq!(report.authors, (vec![("Anna Berg".to_owned(), 206)], 0));
    assert_eq!(report.days, [("2026-11".to_owned(), 206)], "by month, where it is long");
    assert_eq!(read(&table, &["action"]).len(), 206);
    let html = report.html().unwrap();
    is_sound(&html);
    for said in ["Gerät widerrufen", "Nach Monat", "Northwind Ltd", "Bericht des Betreibers"] {
        assert!(html.contains(said), "{said}\n{html}");
    }
}

#[apply(on_every_database)]
#[tokio::test]
async fn refused_sign_ins_are_for_operators_and_reports_for_admins(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let ben = here.join("northwind", "Ben", Role::Member).await;
    for email in ["ben@example.org", "ben@example.org", "nobody@example.org"] {
        let wrong = Password::to_check("not that one".into()).unwrap();
        let refused = sessions::sign_in(&here.nobody(), email.parse().unwrap(), wrong, Default::default()).await;
        assert!(matches!(refused, Err(AppError::SignInRefused)));
    }
    let day = that_day(Language::English);
    let (local, mut table) = (here.local(), Vec::new());
    let report = as_task(reports::audit_of_installation(&local, &day, &mut table, &Unobserved)).await;
    let report = report.unwrap().unwrap();
    assert_eq!(report.refusals, 3);
    assert_eq!(report.refused.0, [("Ben".to_owned(), 2), (String::new(), 1)]);
    let html = report.html().unwrap();
    is_sound(&html);
    assert!(html.contains("An address that nobody has") && html.contains("<dd>3</dd>"), "{html}");

    let as_ben = here.cx(ben.subject());
    let refused = reports::audit_of_installation(&as_ben, &day, &mut Vec::new(), &Unobserved).await;
    assert!(matches!(refused, Err(AppError::Forbidden)));
    let inside = as_ben.enter(&slug("northwind")).await.unwrap();
    assert!(matches!(reports::audit(&inside, &day, &mut Vec::new(), &Unobserved).await, Err(AppError::Forbidden)));
    assert!(matches!(
        reports::usage(&inside, &day, None, &mut Vec::new(), &Unobserved).await,
        Err(AppError::Forbidden)
    ));

    struct Impatient;
    impl Progress for Impatient {
        fn step(&self, _: u64, _: u64) -> Proceed {
            Proceed::Stop
        }
    }
    let admin = here.cx(anna.subject());
    let inside = admin.enter(&slug("northwind")).await.unwrap();
    people::remove(&inside, ben.account.id, Expected::Any).await.unwrap();
    assert_eq!(reports::audit(&inside, &day, &mut Vec::new(), &Impatient).await.unwrap(), None);
    let report = reports::audit(&inside, &day, &mut Vec::new(), &Unobserved).await.unwrap().unwrap();
    assert!(report.html().unwrap().contains("Person removed"));
}
