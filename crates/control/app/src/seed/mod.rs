//! Believable data for a new installation: organisations, people, networks, devices and their history.
//!
//! Everything that people see follows from the seed, the sizes and the moment that the history ends at: the same ones give the
//! same data, identifiers and keys of networks included. So a seeded installation is one to try things on, and its networks
//! are not for traffic that matters. Devices have public keys only, of which nobody holds the private half.

mod company;
mod devices;
mod draw;
mod history;
mod networks;
mod people;
mod store;
mod words;

use std::collections::HashSet;

use time::Duration;
use warren_auth::{Password, PasswordHash};
use warren_model::{Device, Email, Network, Organisation, Random, Timestamp, audit::AuditEntry, device::UsageRecord};
use warren_storage::{Account, Membership, ReleasedPlace, StorageError};

use self::{company::Company, draw::Draw};
use crate::{App, AppError};

/// What the data are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Small and pleasant to look at.
    Demo,
    /// Large, to put load on an installation.
    Load,
}

/// How much there is to be. People, networks and devices are counted in each organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    pub organisations: u32,
    pub people: u32,
    pub networks: u32,
    pub devices: u32,
    /// How far back the history goes.
    pub days: u32,
}

impl Sizes {
    /// The most of each.
    pub const MAX: Self = Self { organisations: 5000, people: 10_000, networks: 1000, devices: 100_000, days: 3650 };

    /// The sizes of a profile where nothing else is said.
    pub const fn of(profile: Profile) -> Self {
        match profile {
            Profile::Demo => Self { organisations: 6, people: 9, networks: 3, devices: 17, days: 60 },
            Profile::Load => Self { organisations: 20, people: 50, networks: 4, devices: 1500, days: 90 },
        }
    }

    fn check(self) -> Result<(), SeedError> {
        let max = Self::MAX;
        for (what, asked, most, least) in [
            ("organisations", self.organisations, max.organisations, 1),
            ("people", self.people, max.people, 1),
            ("networks", self.networks, max.networks, 0),
            ("devices", self.devices, max.devices, 0),
            ("days", self.days, max.days, 1),
        ] {
            if asked < least || asked > most {
                return Err(SeedError::Size { what, asked, least, most });
            }
        }
        if self.networks == 0 && self.devices > 0 {
            return Err(SeedError::NoNetwork);
        }
        Ok(())
    }
}

/// Whether data may be there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// Refuse an installation that has organisations.
    Fresh,
    /// Add to whatever is there.
    Used,
}

/// What is to be made.
#[derive(Debug, Clone)]
pub struct Request {
    pub profile: Profile,
    pub sizes: Sizes,
    pub seed: u64,
    /// The moment that the history ends at.
    pub until: Timestamp,
    pub ground: Ground,
}

/// What was made.
#[derive(Debug)]
pub struct Planted {
    pub organisations: u64,
    pub people: u64,
    pub networks: u64,
    pub devices: u64,
    /// Entries of all trails.
    pub entries: u64,
    /// The operator's address; none when the installation had one.
    pub operator: Option<Email>,
    /// An admin of each of the first few organisations.
    pub admins: Vec<(String, Email)>,
    /// The password of everybody who has joined, made at random; told here and nowhere else.
    pub password: String,
}

/// Why nothing was made, or not all.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    #[error(
        "this installation has {organisations} organisations already; seed an empty data folder, or add to this one with --add"
    )]
    Used { organisations: u64 },
    #[error("there can be {least} to {most} {what}, not {asked}")]
    Size { what: &'static str, asked: u32, least: u32, most: u32 },
    #[error("devices need a network; ask for at least one with --networks")]
    NoNetwork,
    #[error("so many devices in so many networks do not fit into 10.0.0.0/8; ask for fewer")]
    NoRoom,
    #[error("the seeding stopped half-way: {0}; remove the databases and seed again")]
    App(#[from] AppError),
    #[error("the seeding stopped half-way: {0}; remove the databases and seed again")]
    Storage(#[from] StorageError),
}

/// The admins whose addresses are told.
const ADMINS_TOLD_MAX: usize = 8;

/// One organisation with all that belongs to it, before it is stored.
#[derive(Debug)]
struct Made {
    organisation: Organisation,
    people: Vec<(Account, Membership)>,
    networks: Vec<MadeNetwork>,
    trail: Vec<AuditEntry>,
}

#[derive(Debug)]
struct MadeNetwork {
    network: Network,
    private_key: warren_model::PrivateKey,
    devices: Vec<(Device, UsageRecord)>,
    released: Vec<ReleasedPlace>,
}

/// Makes what `request` asks for and stores it. The password comes from `random`, so that no seed tells it.
///
/// # Errors
/// [`SeedError`]
pub async fn plant(app: &App, request: &Request, random: &dyn Random) -> Result<Planted, SeedError> {
    request.sizes.check()?;
    let there = app.system().organisations().count().await?;
    if there > 0 && request.ground == Ground::Fresh {
        return Err(SeedError::Used { organisations: there });
    }
    let password = words::password(random);
    let hash = Password::to_set(password.clone()).map_err(|invalid| AppError::field("password", invalid))?;
    let hash = PasswordHash::of(&hash, random);
    // What is there already changes what comes next, so that adding twice does not make the same things twice.
    let draw = |part: &str, number: u64| Draw::new(request.seed, &format!("{part}-{there}-{number}"));
    let begin = request.until - Duration::days(request.sizes.days.into());

    let mut planted = store::begin(app, request, &draw("installation", 0), begin, &hash).await?;
    planted.password = password;
    let mut taken = HashSet::new();
    for number in 0..request.sizes.organisations {
        let draw = draw("organisation", number.into());
        let company = free_company(app, request.profile, number, &draw, &mut taken).await?;
        let made = make(request, &company, number, &draw, begin)?;
        if planted.admins.len() < ADMINS_TOLD_MAX
            && let Some((admin, _)) = made.people.first()
        {
            planted.admins.push((made.organisation.name.to_string(), admin.email.clone()));
        }
        store::organisation(app, made, &draw, &hash, &mut planted).await?;
    }
    Ok(planted)
}

/// The company of this number, under a slug that nobody has yet.
async fn free_company(
    app: &App,
    profile: Profile,
    number: u32,
    draw: &Draw,
    taken: &mut HashSet<String>,
) -> Result<Company, SeedError> {
    let mut company = company::of(profile, number, draw);
    let plain = company.slug.clone();
    let mut tries = 1;
    loop {
        let slug = company.slug.parse().map_err(|invalid| AppError::field("slug", invalid))?;
        if taken.insert(company.slug.clone()) && app.system().organisations().by_slug(&slug).await?.is_none() {
            return Ok(company);
        }
        tries += 1;
        company.slug = format!("{plain}-{tries}");
    }
}

fn make(request: &Request, company: &Company, number: u32, draw: &Draw, begin: Timestamp) -> Result<Made, SeedError> {
    let (sizes, until) = (request.sizes, request.until);
    // Customers come during the first quarter of the time.
    let founded = draw.between(begin, begin + (until - begin) / 4);
    let organisation = company.organisation(founded, draw);
    let people = people::of(company, &organisation, sizes.people, draw, until);
    let mut networks = networks::of(company, &organisation, number, sizes, draw, until)?;
    devices::fill(&mut networks, company, &people, sizes.devices, draw, until);
    let trail = history::of(&organisation, &people, &networks, draw, until);
    Ok(Made { organisation, people, networks, trail })
}
