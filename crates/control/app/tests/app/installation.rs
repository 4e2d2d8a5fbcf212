//! The first use of an installation, and signing in.

use super::support::{Installation, PASSWORD, on_every_database, slug, token_of};
use rstest::rstest;
use rstest_reuse::apply;
use time::Duration;
use warren_app::{
    AppError, Contradiction, Thing, activity, installation, organisations,
    sessions::{self, Browser},
};
use warren_auth::{Password, SecretToken};
use warren_model::{audit::Action, page::PageRequest};
use warren_runtime::SystemRandom;
use warren_testkit::ground::Database;

fn input(token: SecretToken) -> installation::SetUp {
    installation::SetUp {
        token,
        name: "Eve".parse().unwrap(),
        email: "eve@example.org".parse().unwrap(),
        password: Password::to_set(PASSWORD.into()).unwrap(),
        organisation: organisations::Create { slug: slug("eve"), name: "Eve".parse().unwrap() },
    }
}

#[apply(on_every_database)]
#[tokio::test]
async fn the_set_up_link_works_once(database: Database) {
    let here = Installation::new(database).await;
    let link = installation::issue_set_up_link(&here.app).await.unwrap().unwrap().link;
    assert!(link.starts_with("https://vpn.example.org/set-up#"), "{link}");
    installation::set_up(&here.nobody(), input(token_of(&link)), Browser::default()).await.unwrap();
    let again = installation::set_up(&here.nobody(), input(token_of(&link)), Browser::default()).await;
    assert!(
        matches!(again, Err(AppError::LinkSpent | AppError::Contradiction(Contradiction::AlreadySetUp))),
        "{again:?}"
    );
    assert!(installation::issue_set_up_link(&here.app).await.unwrap().is_none());
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_set_up_link_expires_and_is_replaced_by_the_next(database: Database) {
    let here = Installation::new(database).await;
    let first = installation::issue_set_up_link(&here.app).await.unwrap().unwrap().link;
    let second = installation::issue_set_up_link(&here.app).await.unwrap().unwrap().link;
    let replaced = installation::set_up(&here.nobody(), input(token_of(&first)), Browser::default()).await;
    assert!(matches!(replaced, Err(AppError::LinkSpent)), "{replaced:?}");
    here.clock.advance(Duration::hours(25));
    let expired = installation::set_up(&here.nobody(), input(token_of(&second)), Browser::default()).await;
    assert!(matches!(expired, Err(AppError::LinkSpent)), "{expired:?}");
    let made_up =
        installation::set_up(&here.nobody(), input(SecretToken::generate(&SystemRandom)), Browser::default()).await;
    assert!(matches!(made_up, Err(AppError::LinkSpent)), "{made_up:?}");
}

#[apply(on_every_database)]
#[tokio::test]
async fn an_unknown_address_is_refused_like_a_wrong_password(database: Database) {
    let here = Installation::new(database).await;
    here.set_up().await;
    for (email, password) in [("anna@example.org", "not this one"), ("nobody@example.org", PASSWORD)] {
        let password = Password::to_check(password.into()).unwrap();
        let outcome = sessions::sign_in(&here.nobody(), email.parse().unwrap(), password, Browser::default()).await;
        assert!(matches!(outcome, Err(AppError::SignInRefused)), "{outcome:?}");
    }
    let password = Password::to_check(PASSWORD.into()).unwrap();
    let email = "Anna@Example.org".parse().unwrap();
    sessions::sign_in(&here.nobody(), email, password, Browser::default()).await.unwrap();
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_session_ends_by_sign_out_by_idleness_and_by_age(database: Database) {
    let here = Installation::new(database).await;
    here.set_up().await;
    let sign_in = async || {
        let password = Password::to_check(PASSWORD.into()).unwrap();
        let email = "anna@example.org".parse().unwrap();
        sessions::sign_in(&here.nobody(), email, password, Browser::default()).await.unwrap()
    };
    let first = sign_in().await;
    let current = sessions::resolve(&here.app, &first.token).await.unwrap().unwrap();
    sessions::sign_out(&here.cx(current.subject()), current.id).await.unwrap();
    assert!(sessions::resolve(&here.app, &first.token).await.unwrap().is_none());

    let idle = sign_in().await;
    here.clock.advance(Duration::hours(13));
    assert!(sessions::resolve(&here.app, &idle.token).await.unwrap().is_none());

    let left_open = sign_in().await;
    for _ in 0..12 {
        here.clock.advance(Duration::minutes(59));
        assert!(sessions::watch(&here.app, &left_open.token).await.unwrap().is_some());
    }
    here.clock.advance(Duration::minutes(59));
    assert!(sessions::watch(&here.app, &left_open.token).await.unwrap().is_none(), "looking on is not use");

    let old = sign_in().await;
    for _ in 0..28 {
        assert!(sessions::resolve(&here.app, &old.token).await.unwrap().is_some());
        here.clock.advance(Duration::hours(12) - Duration::seconds(1));
    }
    here.clock.advance(Duration::minutes(1));
    assert!(sessions::resolve(&here.app, &old.token).await.unwrap().is_none());
}

#[apply(on_every_database)]
#[tokio::test]
async fn set_up_is_the_first_thing_that_both_trails_tell(database: Database) {
    let here = Installation::new(database).await;
    let operator = here.set_up().await;
    let cx = here.cx(operator.subject());
    let system = activity::system_page(&cx, &PageRequest::first_of_most()).await.unwrap();
    assert!(system.items.iter().any(|entry| entry.action == Action::InstallationSetUp));
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let trail = activity::page(&inside, activity::Filter::default(), &PageRequest::first_of_most()).await.unwrap();
    let actions: Vec<Action> = trail.items.iter().map(|entry| entry.action).collect();
    assert_eq!(actions, [Action::PersonJoined, Action::OrganisationCreated]);
    assert!(trail.items.iter().all(|entry| !entry.request.uuid().is_nil()));
}

#[apply(on_every_database)]
#[tokio::test]
async fn an_organisation_that_does_not_exist_looks_like_one_of_others(database: Database) {
    let here = Installation::new(database).await;
    here.set_up().await;
    here.organisation("contoso").await;
    let ben = here.join("northwind", "Ben", warren_model::Role::Admin).await;
    let cx = here.cx(ben.subject());
    for name in ["contoso", "no-such-one"] {
        let outcome = cx.enter(&slug(name)).await;
        assert!(matches!(outcome, Err(AppError::NotFound(Thing::Organisation))), "{name}");
    }
}

#[tokio::test]
async fn a_lost_system_database_is_not_replaced_while_organisations_are_there() {
    let here = Installation::new(Database::Sqlite).await;
    here.set_up().await;
    let Installation { app, clock, ground } = here;
    app.close().await;
    std::fs::remove_file(ground.folder().join("system.sqlite")).unwrap();
    let config = warren_app::Config::new(ground.folder().to_owned(), "https://vpn.example.org".into());
    let refused = warren_app::App::build(config, clock, std::sync::Arc::new(SystemRandom)).await;
    assert!(matches!(refused, Err(warren_app::BuildError::SystemMissing { .. })), "{refused:?}");
    assert!(!ground.folder().join("system.sqlite").exists());
    assert_eq!(std::fs::read_dir(ground.folder().join("tenants")).unwrap().count(), 1);
}

#[tokio::test]
async fn an_organisation_whose_database_is_gone_is_told_to_the_operator_and_hinders_nobody_else() {
    let here = Installation::new(Database::Sqlite).await;
    let anna = here.set_up().await;
    let Installation { app, clock, ground } = here;
    app.close().await;
    let tenants = ground.folder().join("tenants");
    let lost = std::fs::read_dir(&tenants).unwrap().next().unwrap().unwrap().path();
    std::fs::rename(&lost, ground.folder().join("elsewhere")).unwrap();
    let here = Installation::on(ground, clock).await;
    here.organisation("other").await;
    let cx = here.cx(anna.subject());
    let refused = cx.enter(&slug("northwind")).await.map(drop);
    assert!(matches!(refused, Err(AppError::Unavailable(_))), "{refused:?}");
    assert!(cx.enter(&slug("other")).await.is_ok());
    let notices = installation::status(&cx).await.unwrap().notices;
    assert!(notices.iter().any(|notice| notice.contains("it is missing")), "{notices:?}");
    assert!(!lost.exists(), "an empty database in its place would hide the loss");
}
