//! Importing people and devices: as if each line had been entered by hand, and never twice.

use std::sync::atomic::{AtomicU64, Ordering};

use super::support::{
    Installation, PASSWORD, as_task, network, on_every_database, random_key, settings, slug, token_of,
};
use rstest::rstest;
use rstest_reuse::apply;
use time::{Duration, macros::datetime};
use uuid::Uuid;
use warren_app::{
    AppError, Contradiction, Inside, Language, activity,
    devices::{self, Filter},
    gateways::{Backend, Hello, link::LinkSession},
    imports::{self, End, Import, Kind, Mode, Outcome, PendingInvitations},
    invitations, networks, people,
    records::{
        LineProblem, Proceed, Progress, Unobserved,
        csv::{Column, Encoding, FileProblem, Separator, Table},
    },
    sessions::Browser,
};
use warren_model::{Invalid, MembershipStanding, Role, audit::Action, page::PageRequest};
use warren_testkit::ground::Database;

fn import(kind: Kind, mode: Mode, text: &str) -> Import {
    let (pending, language) = (PendingInvitations::Keep, Language::English);
    Import { kind, content: text.into(), mode, pending, language }
}

/// Runs an import and reads its table of results: of each line the cells in `columns`.
async fn run(inside: &Inside<'_>, import: &Import, columns: &[&'static str]) -> (Outcome, Vec<Vec<String>>) {
    let mut results = Vec::new();
    let outcome = as_task(imports::carry_out(inside, import, &mut results, &Unobserved)).await.unwrap();
    (outcome, read(results, columns))
}

fn read(results: Vec<u8>, columns: &[&'static str]) -> Vec<Vec<String>> {
    let wanted: Vec<Column> = columns.iter().map(|name| Column::required(name, &[])).collect();
    let table = Table::open(&results.into(), &wanted).unwrap();
    let mut rows = table.rows().unwrap();
    std::iter::from_fn(|| rows.next().unwrap())
        .map(|row| (0..columns.len()).map(|at| table.columns.cell(row.as_ref().unwrap(), at).to_owned()).collect())
        .collect()
}

/// Stops after so many steps.
struct StopAfter(AtomicU64);

impl Progress for StopAfter {
    fn step(&self, done: u64, total: u64) -> Proceed {
        assert!(done <= total);
        if self.0.fetch_sub(1, Ordering::Relaxed) <= 1 { Proceed::Stop } else { Proceed::Continue }
    }
}

/// The names of all devices, in order of creation.
async fn names(inside: &Inside<'_>) -> Vec<String> {
    let mut names = Vec::new();
    let mut request = PageRequest::first_of_most();
    loop {
        let page = devices::page(inside, Filter::default(), &request).await.unwrap();
        names.extend(page.items.iter().map(|view| view.device.name.to_string()));
        let Some(cursor) = page.next_cursor else { return names };
        request = PageRequest::new(Some(200), Some(&cursor)).unwrap();
    }
}

async fn trail(inside: &Inside<'_>, action: Action) -> usize {
    let filter = activity::Filter { action: Some(action.as_str().into()), actor: None };
    activity::page(inside, filter, &PageRequest::first_of_most()).await.unwrap().items.len()
}

#[apply(on_every_database)]
#[tokio::test]
async fn devices_are_enrolled_as_if_one_by_one_and_never_twice(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    here.join("northwind", "Ben", Role::Member).await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let office = network(&inside, "Office", "10.20.0.0/24").await;
    let (first, second, third) = (random_key(), random_key(), random_key());
    let text = format!(
        "Name;Besitzer;Netz;Schlüssel;Ablauf;Raum\r\n\
         Laptop;ben@example.org;Office;{first};31.01.2027;12\r\n\
         Phone;Anna@Example.org;;{second};;\r\n\
         Tablet;carl@example.org;;{third};;\r\n\
         Copy;ben@example.org;Office;{first};;\r\n\
         Old;ben@example.org;Lab;{third};2020-01-01;\r\n\
         Late;ben@example.org;Office;{third};2020-01-01;\r\n\
         Keyless;ben@example.org;Office;;;\r\n"
    );
    let planned = imports::plan(&inside, Kind::Devices, text.as_str().into(), &Unobserved).await.unwrap();
    assert_eq!((planned.end, planned.lines, planned.created, planned.failed), (End::Planned, 7, 2, 5));
    assert_eq!((planned.encoding, planned.separator), (Encoding::Utf8, Separator::Semicolon));
    assert_eq!(planned.ignored_columns, ["Raum"]);
    let problems: Vec<_> = planned.errors.iter().map(|e| (e.line, e.column.as_deref().unwrap(), &e.problem)).collect();
    assert_eq!(problems[0], (4, "Besitzer", &LineProblem::UnknownOwner));
    assert_eq!(problems[1], (5, "Schlüssel", &LineProblem::Repeated { line: 2 }));
    assert_eq!(problems[2], (6, "Netz", &LineProblem::UnknownNetwork { known: "Office".into() }));
    assert_eq!(problems[3], (7, "Ablauf", &LineProblem::Invalid(Invalid::Past)));
    assert_eq!(problems[4], (8, "Schlüssel", &LineProblem::KeyMissing));
    assert!(names(&inside).await.is_empty());

    let gateway = warren_app::gateways::ensure_local(
        &here.local(),
        &"local".parse().unwrap(),
        &"vpn.example.org".parse().unwrap(),
        51820,
    )
    .await
    .unwrap();
    let gateway = warren_app::gateways::link::authenticate(&here.app, &gateway.credential).await.unwrap().unwrap();
    let hello = Hello { software: "0.1.0".into(), boot: Uuid::from_u128(1), backend: Backend::Userspace };
    let mut link = LinkSession::open(&here.app, gateway, hello);
    link.snapshot().await.unwrap();

    let skip = import(Kind::Devices, Mode::SkipBad, &text);
    let columns = ["line", "name", "outcome", "addresses", "problem"];
    let (outcome, results) = run(&inside, &skip, &columns).await;
    assert_eq!((outcome.end, outcome.created, outcome.there, outcome.failed), (End::Done, 2, 0, 5));
    assert_eq!(results[0], ["2", "Laptop", "added", "10.20.0.2", ""]);
    assert_eq!(results[1][..4], ["3", "Phone", "added", "10.20.0.3"]);
    assert!(results[6][4].starts_with("A public key is needed"), "{results:?}");
    assert_eq!(link.changes().await.unwrap().len(), 2, "the gateway hears of both");
    assert_eq!(trail(&inside, Action::DeviceEnrolled).await, 2);
    let page = devices::page(&inside, Filter::default(), &PageRequest::first_of_most()).await.unwrap();
    let laptop = &page.items[0];
    assert_eq!((laptop.owner_name.as_str(), laptop.device.network), ("Ben", office.network.id));
    assert_eq!(laptop.device.expires_at, Some(datetime!(2027-02-01 0:00 UTC)));

    let (outcome, results) = run(&inside, &skip, &columns).await;
    assert_eq!((outcome.created, outcome.there, outcome.failed), (0, 2, 5));
    assert_eq!(results[0][2], "is there already");
    assert_eq!(names(&inside).await, ["Laptop", "Phone"]);
    let renamed = text.replace("Laptop;ben", "Other;ben");
    let (outcome, _) = run(&inside, &import(Kind::Devices, Mode::DryRun, &renamed), &columns).await;
    let taken = LineProblem::Contradiction(Contradiction::PublicKeyTaken);
    assert_eq!((outcome.errors[0].line, &outcome.errors[0].problem), (2, &taken));
}

#[apply(on_every_database)]
#[tokio::test]
async fn all_or_nothing_is_all_or_nothing(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let tiny = network(&inside, "Tiny", "10.20.0.0/24").await;
    let line = |number: u32| format!("device {number},anna@example.org,{}\n", random_key());
    let text = format!("name,owner,public_key\n{}", (0..253).map(line).collect::<String>());
    let all = import(Kind::Devices, Mode::AllOrNothing, &text);

    let one_too_many = import(Kind::Devices, Mode::AllOrNothing, &(text.clone() + &line(253)));
    let (outcome, results) = run(&inside, &one_too_many, &["outcome", "problem"]).await;
    assert_eq!((outcome.end, outcome.created, outcome.failed), (End::NothingDone, 253, 1));
    let exhausted = LineProblem::Contradiction(Contradiction::AddressesExhausted);
    assert_eq!((outcome.errors[0].line, &outcome.errors[0].problem), (255, &exhausted));
    assert_eq!(results[0], ["would be added", ""]);
    assert_eq!(results[253][0], "not done");
    assert!(names(&inside).await.is_empty());

    // Two looks and one part of the transaction, then no more.
    let stop = StopAfter(AtomicU64::new(3));
    let outcome = imports::carry_out(&inside, &all, &mut std::io::sink(), &stop).await.unwrap();
    assert_eq!((outcome.end, outcome.lines), (End::Stopped, 0));
    assert!(names(&inside).await.is_empty());
    assert_eq!(trail(&inside, Action::DeviceEnrolled).await, 0);

    let (outcome, results) = run(&inside, &all, &["outcome", "addresses"]).await;
    assert_eq!((outcome.end, outcome.created), (End::Done, 253));
    assert_eq!(results[252], ["added", "10.20.0.254"]);
    assert_eq!(names(&inside).await.len(), 253);
    let (outcome, _) = run(&inside, &all, &["outcome"]).await;
    assert_eq!((outcome.end, outcome.created, outcome.there), (End::Done, 0, 253));
    let removed = networks::remove(&inside, tiny.network.id, warren_app::Expected::Any).await;
    assert!(matches!(removed, Err(AppError::Contradiction(Contradiction::NetworkInUse { devices: 253 }))));
}

#[apply(on_every_database)]
#[tokio::test]
async fn an_import_that_ended_in_the_middle_goes_on_where_it_was(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    network(&inside, "Office", "10.20.0.0/16").await;
    let line = |number: u32| format!("device {number},anna@example.org,{}\n", random_key());
    let text = format!("name,owner,public_key\n{}", (0..450).map(line).collect::<String>());
    let skip = import(Kind::Devices, Mode::SkipBad, &text);
    let mut results = Vec::new();
    let outcome = imports::carry_out(&inside, &skip, &mut results, &StopAfter(AtomicU64::new(1))).await.unwrap();
    assert_eq!((outcome.end, outcome.created), (End::Stopped, 200));
    assert_eq!(read(results, &["line"]).len(), 200, "what was done is written down");
    let (outcome, _) = run(&inside, &skip, &["line"]).await;
    assert_eq!((outcome.end, outcome.there, outcome.created, outcome.failed), (End::Done, 200, 250, 0));
    let names = names(&inside).await;
    assert_eq!(names.len(), 450);
    assert_eq!((names[0].as_str(), names[449].as_str()), ("device 0", "device 449"));
}

#[apply(on_every_database)]
#[tokio::test]
async fn people_are_invited_with_links_that_work(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    here.organisation("southwind").await;
    here.join("southwind", "Cleo", Role::Admin).await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let text = "E-Mail,Name,Rolle\n\
                ben@example.org,Ben Carter,Verwaltung\n\
                dora.klein@example.org,,\n\
                cleo@example.org,Somebody Else,member\n\
                anna@example.org,Anna,member\n\
                not an address,X,\n\
                BEN@example.org,Ben again,\n\
                emil@example.org,Emil,boss\n";
    let invite = import(Kind::People, Mode::SkipBad, text);
    let columns = ["line", "email", "outcome", "invitation", "problem"];
    let (outcome, results) = run(&inside, &invite, &columns).await;
    assert_eq!((outcome.end, outcome.created, outcome.there, outcome.failed), (End::Done, 3, 1, 3));
    assert_eq!(results[3][..3], ["5", "anna@example.org", "is here already"]);
    assert_eq!(outcome.errors[1].problem, LineProblem::Repeated { line: 2 });
    assert_eq!(outcome.errors[2].column.as_deref(), Some("Rolle"));
    assert_eq!(results[2][2], "invited", "who has an account elsewhere looks like everybody else");
    let info = invitations::inspect(&here.app, &token_of(&results[2][3])).await.unwrap();
    assert!(info.has_password);
    assert_eq!(info.name.as_str(), "Cleo", "keeps the name of the account");
    let ben = invitations::accept(&here.nobody(), token_of(&results[0][3]), PASSWORD.into(), Browser::default()).await;
    assert_eq!(ben.unwrap().session.account.name.as_str(), "Ben Carter");
    assert_eq!(trail(&inside, Action::PersonInvited).await, 3);

    let (outcome, results_again) = run(&inside, &invite, &columns).await;
    assert_eq!((outcome.created, outcome.there, outcome.failed), (0, 4, 3));
    assert_eq!(results_again[1][3], "", "a link is shown once");
    let renew = Import { pending: PendingInvitations::Renew, ..invite };
    here.clock.advance(Duration::hours(1));
    let (outcome, renewed) = run(&inside, &renew, &columns).await;
    assert_eq!((outcome.created, outcome.renewed, outcome.there), (0, 2, 2));
    let spent = invitations::inspect(&here.app, &token_of(&results[1][3])).await;
    assert!(matches!(spent, Err(AppError::LinkSpent)));
    let info = invitations::inspect(&here.app, &token_of(&renewed[1][3])).await.unwrap();
    assert_eq!(info.name.as_str(), "Dora Klein");

    let people = people::page(&inside, &PageRequest::first_of_most()).await.unwrap().items;
    let admins = people.iter().filter(|person| person.role == Role::Admin).count();
    let joined = people.iter().filter(|person| person.standing == MembershipStanding::Joined).count();
    assert_eq!((people.len(), admins, joined), (4, 2, 2));
}

#[apply(on_every_database)]
#[tokio::test]
async fn people_too_are_invited_all_or_none(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let lines: String = (0..210).map(|number| format!("person-{number}@example.org\n")).collect();
    let (outcome, _) =
        run(&inside, &import(Kind::People, Mode::AllOrNothing, &format!("email\n{lines}nobody\n")), &["line"]).await;
    assert_eq!((outcome.end, outcome.failed), (End::NothingDone, 1));
    let count = async || people::page(&inside, &PageRequest::first_of_most()).await.unwrap().items.len();
    assert_eq!(count().await, 1);
    let all = import(Kind::People, Mode::AllOrNothing, &format!("email\n{lines}"));
    let outcome = imports::carry_out(&inside, &all, &mut std::io::sink(), &StopAfter(AtomicU64::new(4))).await.unwrap();
    assert_eq!(outcome.end, End::Stopped);
    assert_eq!(count().await, 1);
    let (outcome, results) = run(&inside, &all, &["email", "invitation"]).await;
    assert_eq!((outcome.end, outcome.created), (End::Done, 210));
    assert!(invitations::inspect(&here.app, &token_of(&results[209][1])).await.is_ok());

    let many: String = (0..2001).map(|number| format!("x{number}@example.org\n")).collect();
    let many = import(Kind::People, Mode::AllOrNothing, &format!("email\n{many}"));
    let refused = imports::carry_out(&inside, &many, &mut std::io::sink(), &Unobserved).await;
    let problem = FileProblem::TooManyAtOnce { lines: 2001, max: imports::PEOPLE_TOGETHER_MAX };
    assert!(matches!(refused, Err(AppError::Unusable(found)) if found == problem));
}

#[apply(on_every_database)]
#[tokio::test]
async fn only_admins_import_and_a_table_of_results_can_be_put_right_and_imported(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let ben = here.join("northwind", "Ben", Role::Member).await;
    let cx = here.cx(ben.subject());
    let as_ben = cx.enter(&slug("northwind")).await.unwrap();
    for kind in [Kind::People, Kind::Devices] {
        let refused = imports::plan(&as_ben, kind, "email\nx@example.org".into(), &Unobserved).await;
        assert!(matches!(refused, Err(AppError::Forbidden)), "{kind:?}");
    }
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let create = networks::Create { settings: settings("+plus", "10.20.0.0/24"), gateway: None };
    networks::create(&inside, create).await.unwrap();
    let text = format!("name,owner,network,key\n=x,nobody@example.org,+plus,{}\n", random_key());
    let mut results = Vec::new();
    let bad = import(Kind::Devices, Mode::SkipBad, &text);
    imports::carry_out(&inside, &bad, &mut results, &Unobserved).await.unwrap();
    let results = String::from_utf8(results).unwrap();
    assert!(results.contains(",'=x,nobody@example.org,'+plus,"), "{results}");
    let right = results.replace("nobody@", "ben@");
    let (outcome, _) = run(&inside, &import(Kind::Devices, Mode::SkipBad, &right), &["line"]).await;
    assert_eq!((outcome.created, outcome.failed), (1, 0));
    assert_eq!(names(&inside).await, ["=x"]);
}

#[tokio::test]
async fn the_examples_of_the_book_can_be_imported() {
    let here = Installation::new(Database::Sqlite).await;
    let anna = here.set_up().await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    network(&inside, "Office", "10.20.0.0/24").await;
    let people = include_str!("../../../../../docs/book/src/admin/examples/people.csv");
    let (outcome, _) = run(&inside, &import(Kind::People, Mode::SkipBad, people), &["line"]).await;
    assert_eq!((outcome.created, outcome.failed), (3, 0), "{:?}", outcome.errors);
    let devices = include_str!("../../../../../docs/book/src/admin/examples/devices.csv");
    let (outcome, _) = run(&inside, &import(Kind::Devices, Mode::SkipBad, devices), &["line"]).await;
    assert_eq!((outcome.created, outcome.failed), (3, 0), "{:?}", outcome.errors);
    assert!(outcome.ignored_columns.is_empty());
}
