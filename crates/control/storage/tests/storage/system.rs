//! The repositories of the system database.

use std::time::Duration;

use rstest::rstest;
use rstest_reuse::apply;
use warren_auth::{
    Password, PasswordHash,
    permission::{ManageNetworks, Reach},
};
use warren_model::{
    AccountId, LinkId, MembershipStanding, OrganisationState, Role, SessionId,
    audit::{Action, Actor},
    gateway::{Enrolment, Gateway},
    page::PageRequest,
};
use warren_runtime::SystemRandom;
use warren_storage::{Claim, Conflict, Engine, Link, LinkPurpose, Session, StorageError};

use crate::world::*;

fn page(limit: i64, cursor: Option<&str>) -> PageRequest {
    PageRequest::new(Some(limit), cursor).unwrap()
}

#[apply(on_every_database)]
#[tokio::test]
async fn an_organisation_reads_back_as_it_was_written(engine: Engine) {
    let world = world(engine).await;
    let (acme, _) = world.organisation("acme").await;
    let organisations = world.databases.system_models().organisations();
    assert_eq!(organisations.by_slug(&acme.slug).await.unwrap().as_ref(), Some(&acme));
    assert_eq!(organisations.by_id(acme.id).await.unwrap().as_ref(), Some(&acme));
    assert_eq!(organisations.by_id(organisation_id()).await.unwrap(), None);
    assert_eq!(organisations.all_ids().await.unwrap(), [acme.id]);
    assert_eq!(organisations.count().await.unwrap(), 1);
}

#[apply(on_every_database)]
#[tokio::test]
async fn two_organisations_never_share_a_slug(engine: Engine) {
    let world = world(engine).await;
    world.organisation("acme").await;
    let system = world.databases.system_models();
    let again = system.transaction(async |tx| tx.organisations().insert(&operate(), &organisation("acme")).await).await;
    assert!(matches!(again, Err(StorageError::Conflict(Conflict::SlugTaken))), "{again:?}");
}

#[apply(on_every_database)]
#[tokio::test]
async fn an_organisation_changes_only_from_the_revision_that_was_read(engine: Engine) {
    let world = world(engine).await;
    let (mut acme, _) = world.organisation("acme").await;
    let system = world.databases.system_models();
    acme.state = OrganisationState::Suspended;
    let first = system.transaction(async |tx| tx.organisations().update(&operate(), &acme, 1).await).await;
    assert_eq!(first.unwrap(), 2);
    let stale = system.transaction(async |tx| tx.organisations().update(&networks_of(acme.id), &acme, 1).await).await;
    assert!(matches!(stale, Err(StorageError::Stale)), "{stale:?}");
    let foreign = networks_of(organisation_id());
    let foreign = system.transaction(async |tx| tx.organisations().update(&foreign, &acme, 2).await).await;
    assert!(matches!(foreign, Err(StorageError::WrongTenant)), "{foreign:?}");
    acme.id = organisation_id();
    let unknown = system.transaction(async |tx| tx.organisations().update(&operate(), &acme, 1).await).await;
    assert!(matches!(unknown, Err(StorageError::NotFound)), "{unknown:?}");
}

#[apply(on_every_database)]
#[tokio::test]
async fn pages_of_organisations_follow_each_other_without_gap(engine: Engine) {
    let world = world(engine).await;
    let anna = world.account("anna@example.org").await;
    let system = world.databases.system_models();
    for slug in ["o1", "o2", "o3", "o4", "o5"] {
        let organisation = organisation(slug);
        system
            .transaction(async |tx| {
                tx.organisations().insert(&operate(), &organisation).await?;
                let membership = membership(anna.id, organisation.id, Role::Admin);
                tx.memberships().insert(&operate(), &membership).await
            })
            .await
            .unwrap();
    }
    let all = system.organisations().all_ids().await.unwrap();
    let first = system.organisations().page(&page(2, None)).await.unwrap();
    let second = system.organisations().page(&page(2, first.next_cursor.as_deref())).await.unwrap();
    let third = system.organisations().page(&page(2, second.next_cursor.as_deref())).await.unwrap();
    assert_eq!(third.next_cursor, None);
    let paged = [first.items, second.items, third.items].concat();
    assert_eq!(paged.iter().map(|o| o.id).collect::<Vec<_>>(), all);

    let first = system.organisations().page_of_account(anna.id, &page(3, None)).await.unwrap();
    let cursor = first.next_cursor.as_deref();
    let second = system.organisations().page_of_account(anna.id, &page(3, cursor)).await.unwrap();
    let mine = [first.items, second.items].concat();
    assert!(mine.iter().all(|(_, role)| *role == Role::Admin));
    assert_eq!(mine.iter().map(|(o, _)| o.id).collect::<Vec<_>>(), all);
}

#[apply(on_every_database)]
#[tokio::test]
async fn an_account_signs_in_with_the_password_that_was_set_last(engine: Engine) {
    let world = world(engine).await;
    let anna = world.account("anna@example.org").await;
    let system = world.databases.system_models();
    let (found, hash) = system.accounts().for_sign_in(&anna.email).await.unwrap().unwrap();
    assert_eq!((found, hash), (anna.clone(), None));
    let hash = PasswordHash::of(&Password::to_set("correct horse battery".into()).unwrap(), &SystemRandom);
    let name = "Anna Changed".parse().unwrap();
    system.transaction(async |tx| tx.accounts().set_password(anna.id, &hash, &name).await).await.unwrap();
    let (found, stored) = system.accounts().for_sign_in(&anna.email).await.unwrap().unwrap();
    assert_eq!(stored, Some(hash.clone()));
    assert_eq!((found.name, found.revision), (name.clone(), 2));
    let nobody = system.transaction(async |tx| tx.accounts().set_password(account_id(), &hash, &name).await).await;
    assert!(matches!(nobody, Err(StorageError::NotFound)), "{nobody:?}");
}

#[apply(on_every_database)]
#[tokio::test]
async fn two_accounts_never_share_an_address(engine: Engine) {
    let world = world(engine).await;
    world.account("anna@example.org").await;
    let system = world.databases.system_models();
    let twin = account("Anna@Example.org");
    let again = system.transaction(async |tx| tx.accounts().insert(&operate(), &twin, None).await).await;
    assert!(matches!(again, Err(StorageError::Conflict(Conflict::EmailTaken))), "{again:?}");
}

#[apply(on_every_database)]
#[tokio::test]
async fn only_an_operator_makes_operators_and_the_first_one_sets_the_installation_up(engine: Engine) {
    let world = world(engine).await;
    let system = world.databases.system_models();
    world.account("anna@example.org").await;
    assert!(!system.accounts().is_set_up().await.unwrap());
    let mut operator = account("operator@example.org");
    operator.reach = Reach::Installation;
    let by_admin = people_of(organisation_id());
    let refused = system.transaction(async |tx| tx.accounts().insert(&by_admin, &operator, None).await).await;
    assert!(matches!(refused, Err(StorageError::WrongTenant)), "{refused:?}");
    system.transaction(async |tx| tx.accounts().insert(&operate(), &operator, None).await).await.unwrap();
    assert!(system.accounts().is_set_up().await.unwrap());
}

#[apply(on_every_database)]
#[tokio::test]
async fn names_are_found_for_any_number_of_accounts(engine: Engine) {
    let world = world(engine).await;
    let system = world.databases.system_models();
    let mut ids = vec![account_id()];
    for n in 0..5 {
        ids.push(world.account(&format!("person{n}@example.org")).await.id);
    }
    assert!(system.accounts().names(&[]).await.unwrap().is_empty());
    let names = system.accounts().names(&ids).await.unwrap();
    assert_eq!(names.len(), 5);
    assert!(!names.contains_key(&ids[0]));
    assert_eq!(system.accounts().by_id(ids[1]).await.unwrap().unwrap().email.as_str(), "person0@example.org");
    assert!(system.accounts().by_email(&"nobody@example.org".parse().unwrap()).await.unwrap().is_none());
}

#[apply(on_every_database)]
#[tokio::test]
async fn an_invited_person_has_no_role_before_joining(engine: Engine) {
    let world = world(engine).await;
    let (acme, _) = world.organisation("acme").await;
    let anna = world.account("anna@example.org").await;
    let system = world.databases.system_models();
    let mut invited = membership(anna.id, acme.id, Role::Admin);
    invited.standing = MembershipStanding::Invited;
    system.transaction(async |tx| tx.memberships().insert(&people_of(acme.id), &invited).await).await.unwrap();
    assert_eq!(system.memberships().role_of(anna.id, acme.id).await.unwrap(), None);
    assert_eq!(system.memberships().joined_admins(acme.id).await.unwrap(), 0);
    assert!(system.organisations().page_of_account(anna.id, &page(9, None)).await.unwrap().items.is_empty());
    for _ in 0..2 {
        system.transaction(async |tx| tx.memberships().join(anna.id, acme.id).await).await.unwrap();
    }
    assert_eq!(system.memberships().role_of(anna.id, acme.id).await.unwrap(), Some(Role::Admin));
    assert_eq!(system.memberships().joined_admins(acme.id).await.unwrap(), 1);
    assert_eq!(system.memberships().count(acme.id).await.unwrap(), 1);
    let stranger = system.transaction(async |tx| tx.memberships().join(account_id(), acme.id).await).await;
    assert!(matches!(stranger, Err(StorageError::NotFound)), "{stranger:?}");
}

#[apply(on_every_database)]
#[tokio::test]
async fn memberships_change_with_the_right_proof_and_revision_only(engine: Engine) {
    let world = world(engine).await;
    let (acme, _) = world.organisation("acme").await;
    let anna = world.account("anna@example.org").await;
    let system = world.databases.system_models();
    let (here, elsewhere) = (people_of(acme.id), people_of(organisation_id()));
    let joined = membership(anna.id, acme.id, Role::Member);
    let foreign = system.transaction(async |tx| tx.memberships().insert(&elsewhere, &joined).await).await;
    assert!(matches!(foreign, Err(StorageError::WrongTenant)), "{foreign:?}");
    system.transaction(async |tx| tx.memberships().insert(&here, &joined).await).await.unwrap();
    let twice = system.transaction(async |tx| tx.memberships().insert(&here, &joined).await).await;
    assert!(matches!(twice, Err(StorageError::Conflict(Conflict::MembershipExists))), "{twice:?}");
    let nobody = membership(account_id(), acme.id, Role::Member);
    let nobody = system.transaction(async |tx| tx.memberships().insert(&here, &nobody).await).await;
    assert!(matches!(nobody, Err(StorageError::Referenced)), "{nobody:?}");

    let admin = system.transaction(async |tx| tx.memberships().set_role(&here, anna.id, Role::Admin, 1).await).await;
    assert_eq!(admin.unwrap(), 2);
    let stale = system.transaction(async |tx| tx.memberships().set_role(&here, anna.id, Role::Member, 1).await).await;
    assert!(matches!(stale, Err(StorageError::Stale)), "{stale:?}");
    let foreign =
        system.transaction(async |tx| tx.memberships().set_role(&elsewhere, anna.id, Role::Member, 2).await).await;
    assert!(matches!(foreign, Err(StorageError::NotFound)), "{foreign:?}");
    let person = system.memberships().person(acme.id, anna.id).await.unwrap().unwrap();
    assert_eq!((person.role, person.revision, person.email), (Role::Admin, 2, anna.email));
    let people = system.memberships().page_of_people(acme.id, &page(5, None)).await.unwrap();
    assert_eq!(people.items.len(), 1);

    system.transaction(async |tx| tx.memberships().remove(&here, anna.id).await).await.unwrap();
    let gone = system.transaction(async |tx| tx.memberships().remove(&here, anna.id).await).await;
    assert!(matches!(gone, Err(StorageError::NotFound)), "{gone:?}");
}

fn session(account: AccountId) -> Session {
    Session {
        id: SessionId::generate(NOW, &SystemRandom),
        account,
        created_at: NOW,
        last_used_at: NOW,
        expires_at: NOW + hours(24),
        source_address: "192.0.2.7".parse().unwrap(),
        user_agent: "Firefox".into(),
    }
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_session_is_found_by_its_token_until_it_expires_or_lies_idle(engine: Engine) {
    let world = world(engine).await;
    let anna = world.account("anna@example.org").await;
    let system = world.databases.system_models();
    let (session, token) = (session(anna.id), token_hash());
    system.transaction(async |tx| tx.sessions().insert(&session, &token).await).await.unwrap();
    let sessions = system.sessions();
    let found = sessions.by_token_hash(&token, NOW, IDLE).await.unwrap();
    assert_eq!(found, Some((session.clone(), anna.clone())));
    assert_eq!(sessions.by_token_hash(&token_hash(), NOW, IDLE).await.unwrap(), None);
    let later = NOW + hours(1);
    assert_eq!(sessions.by_token_hash(&token, later, IDLE).await.unwrap(), None);
    system.transaction(async |tx| tx.sessions().touch(session.id, later).await).await.unwrap();
    assert!(sessions.by_token_hash(&token, later, IDLE).await.unwrap().is_some());
    // A clock gone backwards does not make the session older than it is.
    system.transaction(async |tx| tx.sessions().touch(session.id, NOW).await).await.unwrap();
    assert!(sessions.by_token_hash(&token, later, IDLE).await.unwrap().is_some());
    let long_idle = Duration::from_secs(7 * 24 * 3600);
    assert_eq!(sessions.by_token_hash(&token, NOW + hours(24), long_idle).await.unwrap(), None);
}

#[apply(on_every_database)]
#[tokio::test]
async fn ended_sessions_are_cleared_away_at_most_so_many_at_once(engine: Engine) {
    let world = world(engine).await;
    let anna = world.account("anna@example.org").await;
    let system = world.databases.system_models();
    for _ in 0..5 {
        system.transaction(async |tx| tx.sessions().insert(&session(anna.id), &token_hash()).await).await.unwrap();
    }
    let clear = async |at, limit| {
        system.transaction(async |tx| tx.sessions().remove_ended(at, IDLE, limit).await).await.unwrap()
    };
    assert_eq!(clear(NOW, 3).await, 0);
    assert_eq!(clear(NOW + hours(2), 3).await, 3);
    assert_eq!(clear(NOW + hours(2), 3).await, 2);
    let (one, token) = (session(anna.id), token_hash());
    system.transaction(async |tx| tx.sessions().insert(&one, &token).await).await.unwrap();
    for _ in 0..2 {
        system.transaction(async |tx| tx.sessions().remove(one.id).await).await.unwrap();
    }
    assert_eq!(system.sessions().by_token_hash(&token, NOW, IDLE).await.unwrap(), None);
    system.transaction(async |tx| tx.sessions().insert(&session(anna.id), &token).await).await.unwrap();
    let ended = system.transaction(async |tx| tx.sessions().remove_of_account(anna.id).await).await;
    assert_eq!(ended.unwrap(), 1);
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_browser_that_talks_too_much_is_cut_short(engine: Engine) {
    let world = world(engine).await;
    let anna = world.account("anna@example.org").await;
    let system = world.databases.system_models();
    let (mut session, token) = (session(anna.id), token_hash());
    session.user_agent = "ü".repeat(10_000);
    system.transaction(async |tx| tx.sessions().insert(&session, &token).await).await.unwrap();
    let (found, _) = system.sessions().by_token_hash(&token, NOW, IDLE).await.unwrap().unwrap();
    assert_eq!(found.user_agent.chars().count(), Session::USER_AGENT_CHARACTERS_MAX);
}

fn link(purpose: LinkPurpose) -> Link {
    Link {
        id: LinkId::generate(NOW, &SystemRandom),
        purpose,
        account: None,
        organisation: None,
        created_at: NOW,
        expires_at: NOW + hours(1),
        used_at: None,
    }
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_link_works_once_and_only_before_it_expires(engine: Engine) {
    let world = world(engine).await;
    let system = world.databases.system_models();
    let (link, token) = (link(LinkPurpose::SetUp), token_hash());
    system.transaction(async |tx| tx.links().insert(&link, &token).await).await.unwrap();
    assert_eq!(system.links().by_token_hash(&token).await.unwrap(), Some(link));
    let late = system.transaction(async |tx| tx.links().consume(link.id, NOW + hours(1)).await).await;
    assert!(matches!(late, Err(StorageError::NotFound)), "{late:?}");
    system.transaction(async |tx| tx.links().consume(link.id, NOW).await).await.unwrap();
    let again = system.transaction(async |tx| tx.links().consume(link.id, NOW).await).await;
    assert!(matches!(again, Err(StorageError::NotFound)), "{again:?}");
    assert!(!system.links().by_token_hash(&token).await.unwrap().unwrap().is_open(NOW));
    let cleared = system.transaction(async |tx| tx.links().remove_ended(NOW + hours(2)).await).await;
    assert_eq!(cleared.unwrap(), 1);
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_new_link_takes_the_place_of_the_earlier_one_for_the_same(engine: Engine) {
    let world = world(engine).await;
    let (acme, _) = world.organisation("acme").await;
    let anna = world.account("anna@example.org").await;
    let system = world.databases.system_models();
    let (set_up, invitation, newer) = (token_hash(), token_hash(), token_hash());
    let invite = Link { account: Some(anna.id), organisation: Some(acme.id), ..link(LinkPurpose::Invitation) };
    let again = Link { id: LinkId::generate(NOW, &SystemRandom), ..invite };
    system
        .transaction(async |tx| {
            tx.links().insert(&link(LinkPurpose::SetUp), &set_up).await?;
            tx.links().insert(&invite, &invitation).await?;
            tx.links().insert(&again, &newer).await
        })
        .await
        .unwrap();
    assert!(system.links().by_token_hash(&set_up).await.unwrap().is_some());
    assert!(system.links().by_token_hash(&invitation).await.unwrap().is_none());
    assert_eq!(system.links().by_token_hash(&newer).await.unwrap(), Some(again));
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_gateway_enrols_once_with_its_token(engine: Engine) {
    let world = world(engine).await;
    let system = world.databases.system_models();
    let (east, join, credential) = (gateway("east"), token_hash(), token_hash());
    let expiry = NOW + hours(1);
    system.transaction(async |tx| tx.gateways().insert(&operate(), &east, Some((&join, expiry))).await).await.unwrap();
    assert_eq!(system.gateways().by_id(east.id).await.unwrap(), Some(east.clone()));
    assert_eq!(system.gateways().by_name(&east.name).await.unwrap(), Some(east.clone()));
    assert_eq!(system.gateways().join_expires_at(east.id).await.unwrap(), Some(expiry));
    let late = system.transaction(async |tx| tx.gateways().enrol(&join, &credential, expiry).await).await;
    assert!(matches!(late, Err(StorageError::NotFound)), "{late:?}");
    let enrolled = system.transaction(async |tx| tx.gateways().enrol(&join, &credential, NOW).await).await.unwrap();
    assert_eq!((enrolled.id, enrolled.enrolment), (east.id, Enrolment::Enrolled { at: NOW }));
    let again = system.transaction(async |tx| tx.gateways().enrol(&join, &token_hash(), NOW).await).await;
    assert!(matches!(again, Err(StorageError::NotFound)), "{again:?}");
    assert_eq!(system.gateways().by_credential_hash(&credential).await.unwrap(), Some(enrolled));

    let renewed = token_hash();
    system
        .transaction(async |tx| tx.gateways().renew_join_token(&operate(), east.id, (&renewed, expiry)).await)
        .await
        .unwrap();
    // What it held is worth nothing from then on: a stolen credential ends with the renewal.
    assert!(system.gateways().by_credential_hash(&credential).await.unwrap().is_none());
    assert_eq!(system.gateways().by_id(east.id).await.unwrap().unwrap().enrolment, Enrolment::Pending);
    let other = token_hash();
    system.transaction(async |tx| tx.gateways().enrol(&renewed, &other, NOW).await).await.unwrap();
    assert!(system.gateways().by_credential_hash(&credential).await.unwrap().is_none());
    let own = token_hash();
    system.transaction(async |tx| tx.gateways().set_credential(&operate(), east.id, &own, NOW).await).await.unwrap();
    assert!(system.gateways().by_credential_hash(&own).await.unwrap().is_some());
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_gateway_with_networks_cannot_be_removed(engine: Engine) {
    let world = world(engine).await;
    let (acme, _) = world.organisation("acme").await;
    let system = world.databases.system_models();
    let (mut east, network) = (gateway("east"), network_id());
    system.transaction(async |tx| tx.gateways().insert(&operate(), &east, None).await).await.unwrap();
    let twin = system.transaction(async |tx| tx.gateways().insert(&operate(), &gateway("east"), None).await).await;
    assert!(matches!(twin, Err(StorageError::Conflict(Conflict::GatewayNameTaken))), "{twin:?}");
    east.endpoint = "192.0.2.9".parse().unwrap();
    let revision = system.transaction(async |tx| tx.gateways().update(&operate(), &east, 1).await).await;
    assert_eq!(revision.unwrap(), 2);
    let stale = system.transaction(async |tx| tx.gateways().update(&operate(), &east, 1).await).await;
    assert!(matches!(stale, Err(StorageError::Stale)), "{stale:?}");

    let proof = networks_of(acme.id);
    let port = async |network| {
        system.transaction(async |tx| tx.gateway_networks().reserve_port(&proof, east.id, acme.id, network).await).await
    };
    assert_eq!(port(network).await.unwrap(), 51820);
    let removed = system.transaction(async |tx| tx.gateways().remove(&operate(), east.id).await).await;
    assert!(matches!(removed, Err(StorageError::Referenced)), "{removed:?}");
    assert_eq!(system.gateway_networks().gateway_of(network).await.unwrap(), Some(east.id));
    assert_eq!(system.gateway_networks().port_of(network).await.unwrap(), Some(51820));
    system.transaction(async |tx| tx.gateway_networks().release(network).await).await.unwrap();
    system.transaction(async |tx| tx.gateways().remove(&operate(), east.id).await).await.unwrap();
    assert_eq!(system.gateways().count().await.unwrap(), 0);
    let gone = system.transaction(async |tx| tx.gateways().remove(&operate(), east.id).await).await;
    assert!(matches!(gone, Err(StorageError::NotFound)), "{gone:?}");
}

#[apply(on_every_database)]
#[tokio::test]
async fn networks_get_the_lowest_free_port_until_there_is_none(engine: Engine) {
    let world = world(engine).await;
    let (acme, _) = world.organisation("acme").await;
    let system = world.databases.system_models();
    let east = Gateway { first_port: 65533, ..gateway("east") };
    system.transaction(async |tx| tx.gateways().insert(&operate(), &east, None).await).await.unwrap();
    let proof = networks_of(acme.id);
    let reserve = async |proof: &warren_auth::Authorized<ManageNetworks>, network| {
        system.transaction(async |tx| tx.gateway_networks().reserve_port(proof, east.id, acme.id, network).await).await
    };
    let networks = [network_id(), network_id(), network_id()];
    for (at, network) in networks.iter().enumerate() {
        assert_eq!(usize::from(reserve(&proof, *network).await.unwrap()), 65533 + at);
    }
    let full = reserve(&proof, network_id()).await;
    assert!(matches!(full, Err(StorageError::Conflict(Conflict::PortsExhausted))), "{full:?}");
    let foreign = reserve(&networks_of(organisation_id()), network_id()).await;
    assert!(matches!(foreign, Err(StorageError::WrongTenant)), "{foreign:?}");
    system.transaction(async |tx| tx.gateway_networks().release(networks[1]).await).await.unwrap();
    let last = network_id();
    assert_eq!(reserve(&proof, last).await.unwrap(), 65534);
    let carried = system.gateway_networks().networks_of(east.id).await.unwrap();
    assert_eq!(carried, [networks[0], last, networks[2]].map(|network| (acme.id, network)));
    assert_eq!(system.gateway_networks().all().await.unwrap().len(), 3);
}

#[apply(on_every_database)]
#[tokio::test]
async fn the_installations_trail_reads_newest_first(engine: Engine) {
    let world = world(engine).await;
    let (acme, _) = world.organisation("acme").await;
    let system = world.databases.system_models();
    let entries =
        [Actor::System, Actor::LinkHolder, Actor::LocalOperator { user: "root".into() }, by_account(account_id())]
            .map(|actor| entry(Action::OrganisationCreated, actor));
    for entry in &entries {
        tokio::time::sleep(Duration::from_millis(2)).await;
        let entry = warren_model::audit::AuditEntry {
            id: crate::world::entry(Action::OrganisationCreated, Actor::System).id,
            ..entry.clone()
        };
        system.transaction(async |tx| tx.audit().append(&entry, Some(acme.id)).await).await.unwrap();
    }
    let first = system.audit().page(&page(3, None)).await.unwrap();
    let second = system.audit().page(&page(3, first.next_cursor.as_deref())).await.unwrap();
    let read = [first.items, second.items].concat();
    assert!(read.iter().all(|(_, about)| *about == Some(acme.id)));
    let actors: Vec<_> = read.into_iter().map(|(entry, _)| entry.actor).rev().collect();
    assert_eq!(actors, entries.map(|entry| entry.actor));
}

#[apply(on_every_database)]
#[tokio::test]
async fn entries_wait_in_the_outbox_until_they_are_removed(engine: Engine) {
    let world = world(engine).await;
    let (acme, _) = world.organisation("acme").await;
    let system = world.databases.system_models();
    let waiting = entry(Action::PersonInvited, by_account(account_id()));
    system.transaction(async |tx| tx.audit_outbox().push(&waiting, acme.id).await).await.unwrap();
    assert_eq!(system.audit_outbox().take(10).await.unwrap(), [(acme.id, waiting.clone())]);
    system
        .transaction(async |tx| {
            tx.audit_outbox().remove(&[]).await?;
            tx.audit_outbox().remove(&[waiting.id]).await
        })
        .await
        .unwrap();
    assert!(system.audit_outbox().take(10).await.unwrap().is_empty());
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_request_with_a_key_is_done_once(engine: Engine) {
    let world = world(engine).await;
    let system = world.databases.system_models();
    let made = uuid::Uuid::from_u128(9);
    let claim = async |key: &str, print: [u8; 32], at| {
        system.transaction(async |tx| tx.idempotency().claim("scope", key, &print, made, at).await).await.unwrap()
    };
    assert_eq!(claim("k", [1; 32], NOW).await, Claim::Fresh);
    assert_eq!(claim("k", [1; 32], NOW).await, Claim::Replay(made));
    assert_eq!(claim("k", [2; 32], NOW).await, Claim::Mismatch);
    assert_eq!(claim("other", [2; 32], NOW + hours(2)).await, Claim::Fresh);
    assert_eq!(system.idempotency().look_up("scope", "k", &[1; 32]).await.unwrap(), Claim::Replay(made));
    let forgotten = system.transaction(async |tx| tx.idempotency().forget_before(NOW + hours(1)).await).await;
    assert_eq!(forgotten.unwrap(), 1);
    assert_eq!(system.idempotency().look_up("scope", "k", &[1; 32]).await.unwrap(), Claim::Fresh);
}
