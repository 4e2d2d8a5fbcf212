//! Slow statements get the database's plan, in the background and without anybody's data in it.

use std::time::Duration;

use rstest::rstest;
use rstest_reuse::apply;
use warren_storage::{Config, Engine, SlowStatement};

use crate::world::*;

/// A plan is there long before.
const WAIT_MAX: Duration = Duration::from_secs(20);

#[apply(on_every_database)]
#[tokio::test]
async fn a_slow_statement_gets_its_plan_without_values(#[case] engine: Engine) {
    let world = world_with(ground(engine), |config| Config { slow_from: Duration::ZERO, ..config }).await;
    let anna = world.account("anna.confidential@example.org").await;
    world.databases.system_models().accounts().by_email(&anna.email).await.unwrap();
    let slow = explained(&world, |slow| slow.text.contains("email")).await;
    let plan = slow.plan.unwrap();
    assert!(plan.contains("accounts"), "{plan}");
    assert!(!plan.contains("confidential") && !slow.text.contains("confidential"), "{plan}");
    assert!(slow.text.starts_with("SELECT"), "{}", slow.text);
}

#[apply(on_every_database)]
#[tokio::test]
async fn one_shape_is_explained_once_and_what_adds_rows_never(#[case] engine: Engine) {
    let world = world_with(ground(engine), |config| Config { slow_from: Duration::ZERO, ..config }).await;
    let anna = world.account("anna@example.org").await;
    let accounts = world.databases.system_models();
    for _ in 0..5 {
        accounts.accounts().by_email(&anna.email).await.unwrap();
    }
    explained(&world, |slow| slow.text.contains("email")).await;
    let other = world.account("bert@example.org").await;
    accounts.accounts().by_email(&other.email).await.unwrap();
    let slow = world.databases.status().system.slow;
    let of_shape = |slow: &&SlowStatement| slow.text.starts_with("SELECT") && slow.text.contains("email");
    assert!(slow.iter().filter(of_shape).count() >= 6, "{slow:?}");
    assert_eq!(slow.iter().filter(of_shape).filter(|slow| slow.plan.is_some()).count(), 1);
    assert!(slow.iter().all(|slow| slow.plan.is_none() || !slow.text.starts_with("INSERT")));
}

/// Waits until a slow statement of the system database has a plan.
async fn explained(world: &World, is_meant: impl Fn(&SlowStatement) -> bool) -> SlowStatement {
    let waiting = async {
        loop {
            let slow = world.databases.status().system.slow;
            if let Some(found) = slow.into_iter().find(|slow| slow.plan.is_some() && is_meant(slow)) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(WAIT_MAX, waiting).await.unwrap()
}
