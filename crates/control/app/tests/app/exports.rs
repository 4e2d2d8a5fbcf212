//! Archives of organisations and of people: everything of theirs, nothing of others, no secret.

use std::{
    collections::BTreeMap,
    io::{self, Cursor, Read, Write},
    sync::{Arc, Mutex},
};

use super::support::{
    Installation, PASSWORD, as_task, device, enrolment, network, on_every_database, random_key, slug,
};
use rstest::rstest;
use rstest_reuse::apply;
use serde_json::Value;
use sha2::{Digest, Sha256};
use warren_app::{
    AppError, Expected, Language,
    devices::{self, Key},
    exports::{self, Exported},
    imports::{self, Kind},
    organisations, people,
    records::{Proceed, Progress, Unobserved},
};
use warren_model::{Role, device::PresharedKeyUse, organisation::OrganisationState};
use warren_testkit::ground::Database;

/// Takes what is written, and gives it out afterwards.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The files of an archive, each checked against the manifest.
fn read(sink: &Sink, exported: Exported) -> BTreeMap<String, String> {
    let Exported::Complete(manifest) = exported else { panic!("{exported:?}") };
    let mut archive = zip::ZipArchive::new(Cursor::new(sink.0.lock().unwrap().clone())).unwrap();
    let mut files = BTreeMap::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        files.insert(file.name().unwrap().into_owned(), text);
    }
    let written: Value = serde_json::from_str(&files["manifest.json"]).unwrap();
    assert_eq!((&written["format"], &written["format_version"]), (&"warren-export".into(), &1.into()));
    assert_eq!(written["files"].as_array().unwrap().len(), manifest.files.len());
    assert_eq!(manifest.files.len() + 1, files.len());
    for file in &manifest.files {
        let text = &files[&file.name];
        assert_eq!(file.bytes, text.len() as u64, "{}", file.name);
        assert_eq!(file.sha256[..], Sha256::digest(text)[..], "{}", file.name);
        if file.name.ends_with(".json") {
            assert_eq!(json(&files, &file.name).len() as u64, file.lines, "{}", file.name);
        }
        if file.name.ends_with(".csv") {
            assert_eq!(text.matches("\r\n").count() as u64, file.lines + 1, "{}", file.name);
        }
    }
    files
}

fn json(files: &BTreeMap<String, String>, name: &str) -> Vec<Value> {
    serde_json::from_str(&files[name]).unwrap_or_else(|error| panic!("{name}: {error}\n{}", files[name]))
}

/// The values of one column.
fn all<'a>(lines: &'a [Value], column: &str) -> Vec<&'a str> {
    lines.iter().map(|line| line[column].as_str().unwrap_or("")).collect()
}

#[apply(on_every_database)]
#[tokio::test]
async fn an_organisation_s_archive_holds_all_of_it_and_no_secret(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    here.organisation("southwind").await;
    here.join("southwind", "Cleo", Role::Admin).await;
    let ben = here.join("northwind", "Ben", Role::Member).await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let office = network(&inside, "Office", "10.20.0.0/16").await;
    for number in 0..205 {
        device(&inside, &office, &format!("device {number}")).await;
    }
    let secret = devices::Enrol {
        key: Key::Server,
        preshared_key: PresharedKeyUse::Used,
        owner: Some(ben.account.id),
        ..enrolment(&office, "=cmd", random_key())
    };
    let secret = devices::enrol(&inside, secret).await.unwrap();
    let gone = device(&inside, &office, "gone").await.view.device;
    devices::revoke(&inside, gone.id, Expected::Any).await.unwrap();

    let sink = Sink::default();
    let work = exports::organisation(&inside, sink.clone(), Language::German, &Unobserved);
    let exported = as_task(work).await.unwrap();
    let files = read(&sink, exported);
    assert!(files["README.txt"].starts_with("Dieses Archiv"), "{}", files["README.txt"]);
    assert_eq!(all(&json(&files, "organisation.json"), "slug"), ["northwind"]);
    assert_eq!(all(&json(&files, "people.json"), "email"), ["anna@example.org", "ben@example.org"]);
    assert_eq!(all(&json(&files, "networks.json"), "endpoint"), [office.endpoint.as_str()]);
    let exported_devices = json(&files, "devices.json");
    assert_eq!(exported_devices.len(), 207);
    assert_eq!(exported_devices[205]["name"], "=cmd");
    assert_eq!(exported_devices[205]["owner"], "ben@example.org");
    assert_eq!(exported_devices[206]["state"], "revoked");
    assert_eq!(json(&files, "usage.json").len(), 207);
    let trail = json(&files, "activity.json");
    assert_eq!(all(&trail, "action")[0], "device.revoked");
    assert!(all(&trail, "action").contains(&"person.joined"), "what was written with the system's changes is there");
    assert_eq!(trail[1]["changes"][0]["field"], "network");

    let everything: String = files.values().map(String::as_str).collect();
    assert!(everything.contains("'=cmd"), "no formula in the tables");
    let configuration = secret.configuration.text;
    let keys = configuration.lines().filter(|line| line.starts_with("PrivateKey") || line.starts_with("PresharedKey"));
    let keys: Vec<&str> = keys.filter_map(|line| line.split_once(" = ")).map(|(_, key)| key).collect();
    assert_eq!(keys.len(), 2, "{configuration}");
    for hidden in keys.into_iter().chain(["argon2", "cleo@example.org", "southwind"]) {
        assert!(!everything.contains(hidden), "{hidden}");
    }
    // What was exported can be imported: it is all there, but for the device that was revoked.
    let plan = imports::plan(&inside, Kind::Devices, files["devices.csv"].as_str().into(), &Unobserved).await.unwrap();
    assert_eq!((plan.there, plan.created, plan.failed), (206, 1, 0), "{:?}", plan.errors);
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_person_s_archive_holds_what_is_theirs_in_every_organisation(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    here.organisation("southwind").await;
    here.organisation("eastwind").await;
    let ben = here.join("northwind", "Ben", Role::Member).await;
    here.join("southwind", "Ben", Role::Admin).await;
    here.join("eastwind", "Ben", Role::Member).await;
    let admin = here.cx(anna.subject());
    let inside = admin.enter(&slug("northwind")).await.unwrap();
    let office = network(&inside, "Office", "10.20.0.0/24").await;
    device(&inside, &office, "Anna's laptop").await;
    let bens = devices::Enrol { owner: Some(ben.account.id), ..enrolment(&office, "Ben's laptop", random_key()) };
    devices::enrol(&inside, bens).await.unwrap();
    let eastwind = here.local();
    let eastwind = eastwind.enter(&slug("eastwind")).await.unwrap();
    let suspend = organisations::Change { state: Some(OrganisationState::Suspended), ..Default::default() };
    organisations::change(&eastwind, Expected::Any, suspend).await.unwrap();

    let as_ben = here.cx(ben.subject());
    let sink = Sink::default();
    let exported = as_task(exports::own(&as_ben, sink.clone(), Language::English, &Unobserved)).await.unwrap();
    let Exported::Complete(manifest) = &exported else { panic!("{exported:?}") };
    assert_eq!(manifest.left_out, ["eastwind"]);
    let files = read(&sink, exported);
    assert!(files["README.txt"].contains("could not be opened: eastwind"), "{}", files["README.txt"]);
    assert_eq!(all(&json(&files, "account.json"), "email"), ["ben@example.org"]);
    assert_eq!(all(&json(&files, "memberships.json"), "organisation"), ["northwind", "southwind", "eastwind"]);
    assert_eq!(json(&files, "sessions.json").len(), 3);
    assert_eq!(all(&json(&files, "activity.json"), "action"), ["session.started"; 3]);
    assert_eq!(all(&json(&files, "northwind/devices.json"), "name"), ["Ben's laptop"]);
    let trail = json(&files, "northwind/activity.json");
    assert_eq!(all(&trail, "action"), ["device.enrolled", "person.joined", "person.invited"]);
    assert_eq!(trail[0]["source"], Value::Null, "from where others act is not for Ben to know");
    assert_eq!(trail[1]["source"], "203.0.113.9");
    assert!(json(&files, "southwind/devices.json").is_empty());
    let everything: String = files.values().map(String::as_str).collect();
    for hidden in ["Anna's laptop", "anna@example.org", "argon2", PASSWORD] {
        assert!(!everything.contains(hidden), "{hidden}");
    }

    // An admin gets the organisation's own part.
    let sink = Sink::default();
    let work = exports::person(&inside, ben.account.id, sink.clone(), Language::English, &Unobserved);
    let files = read(&sink, as_task(work).await.unwrap());
    assert_eq!(all(&json(&files, "person.json"), "email"), ["ben@example.org"]);
    assert_eq!(all(&json(&files, "devices.json"), "name"), ["Ben's laptop"]);
    assert_eq!(json(&files, "activity.json").len(), 3);
    assert!(!files.values().any(|text| text.contains("southwind")));
}

#[apply(on_every_database)]
#[tokio::test]
async fn nobody_gets_another_s_archive_and_a_stopped_one_is_none(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let ben = here.join("northwind", "Ben", Role::Member).await;
    let cleo = here.join("northwind", "Cleo", Role::Member).await;
    let cx = here.cx(ben.subject());
    let as_ben = cx.enter(&slug("northwind")).await.unwrap();
    let refused = exports::organisation(&as_ben, Sink::default(), Language::English, &Unobserved).await;
    assert!(matches!(refused, Err(AppError::Forbidden)));
    let of_cleo = exports::person(&as_ben, cleo.account.id, Sink::default(), Language::English, &Unobserved).await;
    assert!(matches!(of_cleo, Err(AppError::Forbidden)));
    let own = exports::person(&as_ben, ben.account.id, Sink::default(), Language::English, &Unobserved).await;
    assert!(matches!(own, Ok(Exported::Complete(_))));
    let nobody = exports::own(&here.local(), Sink::default(), Language::English, &Unobserved).await;
    assert!(matches!(nobody, Err(AppError::NotSignedIn)));

    struct Impatient;
    impl Progress for Impatient {
        fn step(&self, done: u64, _: u64) -> Proceed {
            if done > 2 { Proceed::Stop } else { Proceed::Continue }
        }
    }
    let admin = here.cx(anna.subject());
    let inside = admin.enter(&slug("northwind")).await.unwrap();
    let sink = Sink::default();
    let stopped = exports::organisation(&inside, sink.clone(), Language::English, &Impatient).await.unwrap();
    assert_eq!(stopped, Exported::Stopped);
    assert!(zip::ZipArchive::new(Cursor::new(sink.0.lock().unwrap().clone())).is_err());
    people::remove(&inside, cleo.account.id, Expected::Any).await.unwrap();
    let gone = exports::person(&inside, cleo.account.id, Sink::default(), Language::English, &Unobserved).await;
    assert!(matches!(gone, Err(AppError::NotFound(_))));

    /// A disk that is full.
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let full = exports::organisation(&inside, Full, Language::English, &Unobserved).await;
    assert!(matches!(full, Err(AppError::Internal(_))));
}
