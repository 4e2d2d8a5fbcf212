//! The organisations: a few that were thought up with care, and as many more as are wanted.

use warren_model::{Organisation, OrganisationId, OrganisationState, Timestamp};

use super::{Profile, draw::Draw, words};

/// What an organisation is called, where it works and with what.
#[derive(Debug, Clone)]
pub(super) struct Company {
    pub slug: String,
    pub name: String,
    /// Its places; each becomes a network.
    pub places: Vec<String>,
    /// What stands there and belongs to nobody in particular.
    pub things: Vec<String>,
}

/// Slug, name, places, things.
type Known = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const KNOWN: [Known; 8] = [
    (
        "northwind-coffee",
        "Northwind Coffee Roasters",
        &["Roastery Bergen", "Café Oslo", "Warehouse Trondheim", "On the road"],
        &[
            "Roaster no. 1",
            "Roaster no. 2",
            "Till by the window",
            "Green bean scale",
            "Label printer",
            "Cupping room screen",
        ],
    ),
    (
        "lindqvist-boatyard",
        "Lindqvist & Daughters Boatyard",
        &["Boatyard Malmö", "Sail loft", "Winter storage", "Harbour office"],
        &["Crane controller", "Slipway camera", "Varnish room sensor", "Plotter in the loft", "Workshop tablet"],
    ),
    (
        "harbour-street-dental",
        "Harbour Street Dental",
        &["Practice Galway", "Laboratory", "X-ray room", "Practice Cork"],
        &["Reception desk", "X-ray viewer", "Chair 1", "Chair 2", "Milling machine", "Waiting room screen"],
    ),
    (
        "alpenglow-rescue",
        "Alpenglow Mountain Rescue",
        &["Base Innsbruck", "Hut at the saddle", "Vehicles", "Weather stations"],
        &["Radio bridge", "Ridge weather station", "Helipad camera", "Truck 4 tablet", "Avalanche beacon logger"],
    ),
    (
        "fenwick-library",
        "Fenwick Public Library",
        &["Main library", "Children's wing", "Bookmobile", "Archive"],
        &["Lending desk", "Catalogue terminal", "Microfilm scanner", "Bookmobile router", "Archive climate logger"],
    ),
    (
        "studio-marigold",
        "Studio Marigold",
        &["Studio Porto", "Print room", "Render farm", "Exhibition"],
        &["Large format printer", "Render node 1", "Render node 2", "Colour proof station", "Exhibition wall"],
    ),
    (
        "copper-kettle-brewery",
        "Copper Kettle Brewery",
        &["Brewhouse Ghent", "Taproom", "Bottling line", "Hop farm"],
        &["Mash tun control", "Fermenter 3", "Fermenter 4", "Taproom till", "Cold store sensor"],
    ),
    (
        "saint-brendan-school",
        "Saint Brendan's School of Music",
        &["Conservatoire", "Recording studio", "Practice rooms", "Concert hall"],
        &["Mixing desk", "Box office", "Organ console", "Stage camera", "Sheet music scanner"],
    ),
];

/// The company of this number.
pub(super) fn of(profile: Profile, number: u32, draw: &Draw) -> Company {
    let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    if profile == Profile::Demo
        && let Some((slug, name, places, things)) = KNOWN.get(number as usize)
    {
        return Company {
            slug: (*slug).to_owned(),
            name: (*name).to_owned(),
            places: owned(places),
            things: owned(things),
        };
    }
    let name = [&words::COLOURS[..], &words::THINGS, &words::TRADES].map(|list| *draw.one_of(list)).join(" ");
    let slug = words::plain(&name).replace('.', "-");
    Company { slug, name, places: Vec::new(), things: owned(&words::SHARED) }
}

impl Company {
    /// The end of its e-mail addresses, under the name that is kept for examples (RFC 2606 section 2).
    pub fn domain(&self) -> String {
        format!("{}.example", self.slug)
    }

    pub fn organisation(&self, founded: Timestamp, draw: &Draw) -> Organisation {
        Organisation {
            id: OrganisationId::generate(founded, draw),
            slug: self.slug.parse().expect("the words make a slug"),
            name: self.name.parse().expect("the words make a name"),
            state: OrganisationState::Active,
            created_at: founded,
            revision: 1,
        }
    }
}
