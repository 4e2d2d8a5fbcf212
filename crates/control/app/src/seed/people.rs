//! Who belongs to an organisation.

use std::collections::HashSet;

use time::Duration;
use warren_auth::permission::Reach;
use warren_model::{AccountId, MembershipStanding, Organisation, Role, Timestamp};
use warren_storage::{Account, Membership};

use super::{company::Company, draw::Draw, words};

/// One in so many is an admin, the first always.
const PEOPLE_PER_ADMIN: u32 = 12;
/// So many in a hundred have not taken up their invitation.
const INVITED_PERCENT: u64 = 8;

/// `count` people, the first an admin who was there from the beginning.
pub(super) fn of(
    company: &Company,
    organisation: &Organisation,
    count: u32,
    draw: &Draw,
    until: Timestamp,
) -> Vec<(Account, Membership)> {
    let mut taken = HashSet::new();
    let founded = organisation.created_at;
    // Most come soon after the organisation.
    let settled = founded + Duration::MICROSECOND + (until - founded) / 3;
    let mut people: Vec<_> = (0..count)
        .map(|number| {
            let name = format!("{} {}", draw.one_of(&words::GIVEN_NAMES), draw.one_of(&words::FAMILY_NAMES));
            let address = free_address(&name, company, &mut taken);
            let came = if number == 0 { founded } else { draw.at_work(founded, settled) };
            let role = if number % PEOPLE_PER_ADMIN == 0 { Role::Admin } else { Role::Member };
            let is_invited = role == Role::Member && draw.happens(INVITED_PERCENT);
            let account = Account {
                id: AccountId::generate(came, draw),
                email: address.parse().expect("the words make an address"),
                name: name.parse().expect("the words make a name"),
                reach: Reach::OwnOrganisations,
                created_at: came,
                revision: 1,
            };
            let membership = Membership {
                account: account.id,
                organisation: organisation.id,
                role,
                standing: if is_invited { MembershipStanding::Invited } else { MembershipStanding::Joined },
                created_at: came,
            };
            (account, membership)
        })
        .collect();
    people.sort_by_key(|(account, _)| account.created_at);
    people
}

fn free_address(name: &str, company: &Company, taken: &mut HashSet<String>) -> String {
    let local = words::plain(name);
    let mut address = format!("{local}@{}", company.domain());
    let mut number = 1;
    while !taken.insert(address.clone()) {
        number += 1;
        address = format!("{local}{number}@{}", company.domain());
    }
    address
}
