//! The list of dependencies.

use warren_resilience::BreakerState;

use super::*;
use crate::dependency::{Force, PastFailure};

#[tokio::test(start_paused = true)]
async fn a_name_stands_for_one_dependency() {
    let all = Dependencies::new(Arc::new(Longest));
    let name = DependencyName::of("database", "db.example.org");
    assert_eq!((name.kind(), name.instance()), ("database", Some("db.example.org")));
    assert_eq!(DependencyName::new("redis").instance(), None);
    let first = all.add(name.clone(), settings()).unwrap();
    let again = all.clone().add(name.clone(), DependencySettings::default()).unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    all.add(DependencyName::new("redis"), settings()).unwrap();
    let names: Vec<_> = all.status().into_iter().map(|status| status.name.to_string()).collect();
    assert_eq!(names, ["database:db.example.org", "redis"]);
    all.remove(&name);
    assert_eq!(all.status().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_operator_finds_it_by_its_name() {
    let all = Dependencies::new(Arc::new(Longest));
    all.add(DependencyName::of("database", "here"), settings()).unwrap();
    assert_eq!(all.force("database:here", Force::Open).unwrap().state, BreakerState::ForcedOpen);
    assert_eq!(all.force("database:here", Force::Release).unwrap().state, BreakerState::HalfOpen);
    assert_eq!(
        all.force("smtp", Force::Open).unwrap_err().to_string(),
        "there is no dependency smtp; the list of dependencies shows their names"
    );
}

#[tokio::test(start_paused = true)]
async fn wrong_settings_are_refused_with_the_name() {
    let all = Dependencies::new(Arc::new(Longest));
    let refused = |settings| all.add(DependencyName::new("smtp"), settings).unwrap_err().to_string();
    assert_eq!(
        refused(DependencySettings { time_limit: Duration::ZERO, ..settings() }),
        "smtp: dependency: time limit is 0ns; it must be between 1ms and 86400s"
    );
    assert_eq!(
        refused(DependencySettings { at_once: AtOnce::Fixed(0), ..settings() }),
        "smtp: bulkhead: calls at once is 0; it must be between 1 and 100000"
    );
    assert!(all.status().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_number_of_dependencies_is_bounded() {
    let all = Dependencies::new(Arc::new(Longest));
    for number in 0..1000 {
        all.add(DependencyName::of("webhook", number), settings()).unwrap();
    }
    assert!(all.add(DependencyName::of("webhook", 1000), settings()).is_err());
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_of_failures_is_bounded() {
    let dependency = dependency(settings());
    dependency.enter().await.unwrap().failed("é".repeat(10_000));
    for _ in 0..100 {
        dependency.force(Force::Open);
        dependency.force(Force::Release);
    }
    let status = dependency.status();
    assert_eq!(status.last_failure.unwrap().text.chars().count(), PastFailure::TEXT_CHARACTERS_MAX);
    assert_eq!(status.changes.len(), 64);
}
