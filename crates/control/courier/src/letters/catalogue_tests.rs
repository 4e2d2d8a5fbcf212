//! The catalogues against each other and against the code; and the layouts, which hold no words of their own.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use super::{Language, language::Said};

type Catalogue = BTreeMap<String, BTreeSet<String>>;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The files of one folder and ending.
fn texts(folder: &str, ending: &str) -> Vec<String> {
    let paths = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let found = paths.filter(|path| path.extension().is_some_and(|extension| extension == ending));
    found.map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// Each key with the values that its text speaks of. A key that stands twice in one language fails.
fn catalogue(language: Language) -> Catalogue {
    let mut keys = Catalogue::new();
    for text in texts(&format!("locales/{}", language.tag()), "ftl") {
        let mut current = String::new();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            if !line.starts_with(' ') {
                let (key, _) = line.split_once(" =").unwrap_or_else(|| panic!("{line:?} is no message"));
                key.clone_into(&mut current);
                assert!(keys.insert(current.clone(), BTreeSet::new()).is_none(), "{key} stands twice");
            }
            let said = line
                .split('$')
                .skip(1)
                .map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap().to_owned());
            keys.get_mut(&current).expect("a message comes first").extend(said);
        }
    }
    keys
}

/// Every literal of this module's code that could be a key, and the months, which are put together.
fn named() -> BTreeSet<String> {
    let code = texts("src/letters", "rs").into_iter().filter(|text| !text.contains("fn named()"));
    let code: Vec<String> = code.map(|text| text.split("#[cfg(test)]").next().unwrap().to_owned()).collect();
    let literals = code.iter().flat_map(|text| text.split('"').skip(1).step_by(2)).map(str::to_owned);
    literals.chain((1..=12).map(|month| format!("month-{month}"))).collect()
}

#[test]
fn both_languages_say_the_same_things() {
    let (english, german) = (catalogue(Language::English), catalogue(Language::German));
    assert!(english.len() > 40);
    let keys = |catalogue: &Catalogue| catalogue.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(&english).symmetric_difference(&keys(&german)).collect::<Vec<_>>(), Vec::<&String>::new());
    for (key, said) in &english {
        assert_eq!(said, &german[key], "{key} speaks of other values in German");
    }
}

#[test]
fn every_text_that_is_asked_for_exists_and_every_text_is_asked_for() {
    let (catalogue, named) = (catalogue(Language::English), named());
    let is_key = |literal: &&String| {
        literal.contains('-') && literal.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let missing: Vec<_> = named.iter().filter(is_key).filter(|key| !catalogue.contains_key(*key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let unused: Vec<_> = catalogue.keys().filter(|key| !named.contains(*key)).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn every_text_can_be_formatted_in_every_language() {
    for language in Language::ALL {
        for (key, said) in catalogue(*language) {
            for value in [Said::Number(1), Said::Number(2), Said::Text("text")] {
                let said: Vec<(&str, Said<'_>)> = said.iter().map(|name| (name.as_str(), value)).collect();
                let text = language.text(&key, &said);
                assert!(text != key && !text.contains("{$") && !text.contains("{ $"), "{key}: {text}");
            }
        }
    }
}

#[test]
fn layouts_hold_no_words_of_their_own_and_ask_for_nothing_from_elsewhere() {
    for (ending, text) in ["html", "txt"]
        .into_iter()
        .flat_map(|ending| texts("templates", ending).into_iter().map(move |text| (ending, text)))
    {
        let text = without(&without(&text, "{{", "}}"), "{%", "%}");
        let outside = if ending == "html" { without(&text, "<", ">") } else { text.clone() };
        assert!(!outside.chars().any(char::is_alphabetic), "{outside}");
        for forbidden in ["<img", "<link", "<style", "<script", "url(", "http:", "https:", "src=", "@import"] {
            assert!(!text.contains(forbidden), "{forbidden}");
        }
    }
}

/// `text` without what stands between `opening` and `closing`.
fn without(text: &str, opening: &str, closing: &str) -> String {
    let mut left = String::new();
    let mut rest = text;
    while let Some((before, inner)) = rest.split_once(opening) {
        left.push_str(before);
        rest = inner.split_once(closing).map_or("", |(_, after)| after);
    }
    left.push_str(rest);
    left
}
