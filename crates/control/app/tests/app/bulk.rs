//! Bulk changes: each item as if alone, and what could not be done is told.

use super::support::{Installation, as_task, device, enrolment, network, on_every_database, random_key, slug};
use rstest::rstest;
use rstest_reuse::apply;
use time::Duration;
use warren_app::{
    AppError, Contradiction, Expected, Thing, activity,
    bulk::{self, DeviceChange, DeviceSelection, End, ItemOutcome, PersonChange, PersonFilter, PersonSelection},
    devices::{self, Filter},
    people,
    records::{LineProblem, Proceed, Progress, Unobserved},
};
use warren_model::{
    AccountId, Clock, DeviceId, DeviceState, Invalid, MembershipStanding, Role, audit::Action, page::PageRequest,
};
use warren_runtime::SystemRandom;
use warren_testkit::ground::Database;

#[apply(on_every_database)]
#[tokio::test]
async fn many_devices_are_changed_as_one_by_one(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let ben = here.join("northwind", "Ben", Role::Member).await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let office = network(&inside, "Office", "10.20.0.0/16").await;
    let lab = network(&inside, "Lab", "10.30.0.0/16").await;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(device(&inside, &office, &format!("device {number}")).await.view.device.id);
    }
    let other = device(&inside, &lab, "other").await.view.device.id;
    devices::revoke(&inside, ids[4], Expected::Any).await.unwrap();
    let in_office = || DeviceSelection::Matching(Filter { network: Some(office.network.id), ..Filter::default() });
    let run = async |selection, change| as_task(bulk::devices(&inside, selection, change, &Unobserved)).await.unwrap();
    let state = async |id| devices::show(&inside, id).await.unwrap().state;

    let nowhere = DeviceId::generate(here.clock.now(), &SystemRandom);
    let these = DeviceSelection::These(vec![ids[0], nowhere, ids[4], ids[0]]);
    let outcome = run(these, DeviceChange::Disable).await;
    assert_eq!(outcome.end, End::Done);
    assert_eq!(
        outcome.items,
        [
            (ids[0], ItemOutcome::Changed),
            (nowhere, ItemOutcome::Failed(LineProblem::NotFound(Thing::Device))),
            (ids[4], ItemOutcome::Failed(LineProblem::Contradiction(Contradiction::DeviceRevoked))),
        ]
    );
    assert_eq!(run(in_office(), DeviceChange::Disable).await.counts(), (3, 1, 0));
    assert_eq!(state(ids[2]).await, DeviceState::Disabled);
    assert_eq!(state(other).await, DeviceState::Active);
    assert_eq!(run(in_office(), DeviceChange::Enable).await.counts(), (4, 0, 0));

    let soon = here.clock.now() + Duration::days(1);
    assert_eq!(run(in_office(), DeviceChange::SetExpiry(Some(soon))).await.counts(), (4, 0, 0));
    assert_eq!(run(in_office(), DeviceChange::SetExpiry(Some(soon))).await.counts(), (0, 4, 0));
    let past =
        run(DeviceSelection::These(ids[..1].to_vec()), DeviceChange::SetExpiry(Some(soon - Duration::days(2)))).await;
    assert_eq!(past.items[0].1, ItemOutcome::Failed(LineProblem::Invalid(Invalid::Past)));

    let before = devices::show(&inside, ids[0]).await.unwrap().device;
    assert_eq!(run(in_office(), DeviceChange::GiveTo(ben.account.id)).await.counts(), (4, 0, 0));
    assert_eq!(run(in_office(), DeviceChange::GiveTo(ben.account.id)).await.counts(), (0, 4, 0));
    let given = devices::show(&inside, ids[0]).await.unwrap();
    assert_eq!((given.owner_name.as_str(), given.device.addresses), ("Ben", before.addresses));
    let filter = activity::Filter { action: Some("device.changed".into()), actor: None };
    let trail = activity::page(&inside, filter, &PageRequest::first_of_most()).await.unwrap().items;
    let change = &trail[0].changes[0];
    assert_eq!(
        (change.field.as_str(), change.before.as_deref(), change.after.as_deref()),
        ("owner", Some("Anna Berg"), Some("Ben"))
    );
    let stranger = AccountId::generate(here.clock.now(), &SystemRandom);
    let to_nobody = run(DeviceSelection::These(ids[..1].to_vec()), DeviceChange::GiveTo(stranger)).await;
    assert_eq!(to_nobody.items[0].1, ItemOutcome::Failed(LineProblem::NotFound(Thing::Person)));

    // Ben does with his own what he may, and gives nothing away.
    let as_ben = here.cx(ben.subject());
    let as_ben = as_ben.enter(&slug("northwind")).await.unwrap();
    let all = || DeviceSelection::Matching(Filter::default());
    let outcome = bulk::devices(&as_ben, all(), DeviceChange::GiveTo(anna.account.id), &Unobserved).await.unwrap();
    assert_eq!(outcome.items[0].1, ItemOutcome::Failed(LineProblem::Forbidden));
    let outcome = bulk::devices(&as_ben, all(), DeviceChange::Revoke, &Unobserved).await.unwrap();
    assert_eq!(outcome.counts(), (4, 0, 0));
    assert_eq!(state(other).await, DeviceState::Active);
    assert_eq!(run(DeviceSelection::These(ids.clone()), DeviceChange::Revoke).await.counts(), (0, 5, 0));
}

#[apply(on_every_database)]
#[tokio::test]
async fn many_people_are_changed_and_an_admin_stays(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let ben = here.join("northwind", "Ben", Role::Member).await;
    let cleo = here.join("northwind", "Cleo", Role::Member).await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let office = network(&inside, "Office", "10.20.0.0/24").await;
    let bens = devices::Enrol { owner: Some(ben.account.id), ..enrolment(&office, "Ben's", random_key()) };
    let bens = devices::enrol(&inside, bens).await.unwrap().view.device.id;
    let invite = people::Invite {
        name: "Dora".parse().unwrap(),
        email: "dora@example.org".parse().unwrap(),
        role: Role::Member,
    };
    let dora = people::invite(&inside, invite).await.unwrap().person.account;
    let matching = |role, standing| PersonSelection::Matching(PersonFilter { role, standing });
    let run = async |selection, change| as_task(bulk::people(&inside, selection, change, &Unobserved)).await.unwrap();

    let as_ben = here.cx(ben.subject());
    let as_ben = as_ben.enter(&slug("northwind")).await.unwrap();
    let refused = bulk::people(&as_ben, matching(None, None), PersonChange::Remove, &Unobserved).await;
    assert!(matches!(refused, Err(AppError::Forbidden)));

    let admins = vec![cleo.account.id, anna.account.id];
    assert_eq!(run(PersonSelection::These(admins), PersonChange::SetRole(Role::Admin)).await.counts(), (1, 1, 0));
    let everybody = run(matching(Some(Role::Admin), None), PersonChange::SetRole(Role::Member)).await;
    assert_eq!(everybody.counts(), (1, 0, 1), "the last admin stays one");
    assert_eq!(everybody.items[1].1, ItemOutcome::Failed(LineProblem::Contradiction(Contradiction::LastAdmin)));
    // Whoever is left as the admin goes on; operators enter anyway.
    let operator = here.local();
    let operator = operator.enter(&slug("northwind")).await.unwrap();
    let gone =
        bulk::people(&operator, matching(None, Some(MembershipStanding::Invited)), PersonChange::Remove, &Unobserved)
            .await;
    assert_eq!(gone.unwrap().items, [(dora, ItemOutcome::Changed)]);
    let these = PersonSelection::These(vec![ben.account.id, dora]);
    let outcome = bulk::people(&operator, these, PersonChange::Remove, &Unobserved).await.unwrap();
    assert_eq!(outcome.items[1].1, ItemOutcome::Failed(LineProblem::NotFound(Thing::Person)));
    assert_eq!(devices::show(&operator, bens).await.unwrap().state, DeviceState::Revoked);
    let filter = activity::Filter { action: Some(Action::PersonRemoved.as_str().into()), actor: None };
    assert_eq!(activity::page(&operator, filter, &PageRequest::first_of_most()).await.unwrap().items.len(), 2);
}

#[tokio::test]
async fn bulk_changes_are_bounded_and_can_be_stopped() {
    let here = Installation::new(Database::Sqlite).await;
    let anna = here.set_up().await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let ids: Vec<DeviceId> = (0..10_001).map(|_| DeviceId::generate(here.clock.now(), &SystemRandom)).collect();
    let many = bulk::devices(&inside, DeviceSelection::These(ids.clone()), DeviceChange::Revoke, &Unobserved).await;
    let Err(AppError::Invalid(fields)) = many else { panic!("{many:?}") };
    assert_eq!(fields[0].invalid, Invalid::TooMany { length: 10_001, max: bulk::ITEMS_MAX });

    struct AfterTwo;
    impl Progress for AfterTwo {
        fn step(&self, done: u64, total: u64) -> Proceed {
            assert_eq!(total, 4);
            if done == 2 { Proceed::Stop } else { Proceed::Continue }
        }
    }
    let four = DeviceSelection::These(ids[..4].to_vec());
    let stopped = bulk::devices(&inside, four, DeviceChange::Revoke, &AfterTwo).await.unwrap();
    assert_eq!((stopped.end, stopped.items.len()), (End::Stopped, 2));
}
