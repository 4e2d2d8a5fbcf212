//! The words that names are made of.

use warren_model::{Random, ambient::random_bytes};

pub(super) const GIVEN_NAMES: [&str; 64] = [
    "Ingrid", "Mateo", "Amara", "Jonas", "Leila", "Tomás", "Saoirse", "Kenji", "Zofia", "Elias", "Noor", "Håkon",
    "Beatriz", "Oskar", "Priya", "Luca", "Freya", "Samuel", "Anaïs", "Malik", "Greta", "Dimitri", "Hana", "Rafael",
    "Marit", "Caleb", "Yara", "Emil", "Chiara", "Idris", "Linnea", "Hugo", "Aiko", "Milan", "Ruth", "Theo", "Nadia",
    "Anders", "Pilar", "Felix", "Sunniva", "Omar", "Clara", "Bastian", "Meera", "Ivan", "Astrid", "Diego", "Imogen",
    "Ravi", "Solveig", "Arthur", "Lucía", "Nils", "Thandi", "Marek", "Esther", "Jun", "Paloma", "Sven", "Odile",
    "Kofi", "Ida", "Florian",
];

pub(super) const FAMILY_NAMES: [&str; 64] = [
    "Lindqvist",
    "Okafor",
    "Moreau",
    "Tanaka",
    "Bergström",
    "Alvarez",
    "Novak",
    "Whitaker",
    "Haugen",
    "Fontaine",
    "Mbeki",
    "Castellano",
    "Eriksen",
    "Marsh",
    "Petrov",
    "Ferreira",
    "Holloway",
    "Sato",
    "Brandt",
    "O'Connell",
    "Vasquez",
    "Kowalski",
    "Aasen",
    "Rahman",
    "Thorne",
    "Delacroix",
    "Nakamura",
    "Winter",
    "Salazar",
    "Iversen",
    "Bloom",
    "Karimi",
    "Foster",
    "Romano",
    "Dahl",
    "Mensah",
    "Clarke",
    "Lehmann",
    "Sandoval",
    "Sharma",
    "Quist",
    "Barlow",
    "Yilmaz",
    "Nyström",
    "Pereira",
    "Hartley",
    "Baptiste",
    "Vogel",
    "Marchetti",
    "Abara",
    "Strand",
    "Ellison",
    "Hoang",
    "Richter",
    "Silva",
    "Tveit",
    "Carmichael",
    "Osei",
    "Larsen",
    "Rossi",
    "Finch",
    "Jansen",
    "Adeyemi",
    "Kaur",
];

/// What belongs to one person.
pub(super) const PERSONAL: [&str; 8] =
    ["laptop", "phone", "tablet", "desktop at home", "work laptop", "travel laptop", "old phone", "workstation"];

/// What stands in most offices.
pub(super) const SHARED: [&str; 12] = [
    "Reception desk",
    "Label printer",
    "Meeting room screen",
    "File server",
    "Door camera",
    "Backup drive",
    "Stock scanner",
    "Wall dashboard",
    "Heating control",
    "Post room printer",
    "Telephone bridge",
    "Test bench",
];

pub(super) const COLOURS: [&str; 16] = [
    "Amber", "Silver", "Cedar", "Juniper", "Copper", "Harbour", "Meadow", "Granite", "Willow", "Northern", "Saffron",
    "Coral", "Winter", "Linden", "Indigo", "Sparrow",
];

pub(super) const THINGS: [&str; 16] = [
    "Ridge", "Lantern", "Anchor", "Orchard", "Compass", "Bridge", "Kiln", "Atlas", "Field", "Beacon", "Mill", "Garden",
    "Quarry", "Pine", "Bell", "Harvest",
];

pub(super) const TRADES: [&str; 16] = [
    "Logistics",
    "Dental Care",
    "Architects",
    "Bakery",
    "Engineering",
    "Publishing",
    "Veterinary",
    "Surveyors",
    "Textiles",
    "Optics",
    "Foods",
    "Energy",
    "Robotics",
    "Law",
    "Film",
    "Nurseries",
];

pub(super) const TOWNS: [&str; 24] = [
    "Bergen", "Lisbon", "Galway", "Turin", "Uppsala", "Ghent", "Kraków", "Leipzig", "Porto", "Aarhus", "Basel",
    "Nantes", "Tartu", "Split", "Graz", "Delft", "Malmö", "Bilbao", "Cork", "Trieste", "Turku", "Brno", "Lyon",
    "Dundee",
];

pub(super) const PLACES: [&str; 6] = ["Office", "Warehouse", "Workshop", "Branch", "Laboratory", "Data room"];

/// A password of four words and a number, of 2^39 possible ones.
pub(super) fn password(random: &dyn Random) -> String {
    let [a, b, c, d, e, high, low, _] = random_bytes::<8>(random);
    let word = |words: &[&str], byte: u8| words[usize::from(byte) % words.len()].to_lowercase();
    let number = u16::from_be_bytes([high, low]);
    let words = [
        word(&COLOURS, a),
        word(&THINGS, b),
        plain(word(&GIVEN_NAMES, c).as_str()),
        word(&TRADES, d).replace(' ', "-"),
    ];
    format!("{}-{}{:05}", words.join("-"), plain(&word(&TOWNS, e)), number)
}

/// `text` in ASCII letters, as it stands in addresses: `Håkon O'Connell` is `hakon.oconnell`.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.to_lowercase().chars() {
        match letter {
            'å' | 'ä' | 'á' | 'à' | 'â' => plain.push('a'),
            'é' | 'è' | 'ê' | 'ë' => plain.push('e'),
            'í' | 'ï' | 'î' => plain.push('i'),
            'ö' | 'ø' | 'ó' | 'ô' => plain.push('o'),
            'ü' | 'ú' => plain.push('u'),
            ' ' => plain.push('.'),
            letter if letter.is_ascii_alphanumeric() || letter == '-' => plain.push(letter),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_addresses() {
        assert_eq!(plain("Håkon O'Connell"), "hakon.oconnell");
        assert_eq!(plain("Anaïs Bergström"), "anais.bergstrom");
        for name in GIVEN_NAMES.iter().chain(&FAMILY_NAMES) {
            assert!(plain(name).len() >= 2 && plain(name).is_ascii(), "{name}");
        }
    }
}
