//! The words of what leaves Warren as a file: results of imports, reports, archives. Faces have catalogues of their own and
//! find the texts of these codes here.

use std::{borrow::Cow, collections::HashMap};

use fluent_templates::{LanguageIdentifier, Loader, fluent_bundle::FluentValue, langid};

fluent_templates::static_loader! {
    static CATALOGUES = {
        locales: "./locales",
        fallback_language: "en",
        // Direction marks around each value would end up in what readers copy.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// A language that files are written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    English,
    German,
}

impl Language {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::English, Self::German];

    /// The language that a tag such as `de` or `de-AT` means (RFC 5646).
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next()?;
        Self::ALL.iter().copied().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }
    /// The language tag (RFC 5646).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }
    /// The text of `key`, if these catalogues have it. Values that read as whole numbers choose the plural.
    pub fn find(self, key: &str, arguments: &[(&str, String)]) -> Option<String> {
        let values: HashMap<Cow<'static, str>, FluentValue<'_>> =
            arguments.iter().map(|(name, value)| (Cow::Owned((*name).to_owned()), fluent_value(value))).collect();
        CATALOGUES.try_lookup_with_args(&self.identifier(), key, &values)
    }
    /// The text of `key`. One that no catalogue has stands for itself, which the catalogues' test rules out.
    pub fn text(self, key: &str, arguments: &[(&str, String)]) -> String {
        self.find(key, arguments).unwrap_or_else(|| {
            tracing::error!(key, "a text is missing from the catalogues");
            key.to_owned()
        })
    }

    const fn identifier(self) -> LanguageIdentifier {
        match self {
            Self::English => langid!("en"),
            Self::German => langid!("de"),
        }
    }
}

/// Whole numbers become numbers, so that plurals can be chosen; everything else stays text.
fn fluent_value(text: &str) -> FluentValue<'_> {
    let reads_back = |number: &i64| number.to_string() == text;
    match text.parse::<i64>().ok().filter(reads_back) {
        Some(number) => FluentValue::from(number),
        None => FluentValue::from(text),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The keys of one language's catalogues.
    pub(crate) fn keys(language: Language) -> BTreeSet<String> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("locales").join(language.tag());
        let files =
            std::fs::read_dir(folder).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        let keys_of = |text: String| {
            let keys = text.lines().filter_map(|line| line.split_once(" =")).map(|(key, _)| key.to_owned());
            keys.filter(|key| !key.starts_with([' ', '#', '[', '*'])).collect::<Vec<_>>()
        };
        files.flat_map(keys_of).collect()
    }

    #[test]
    fn both_languages_have_the_same_texts() {
        let (english, german) = (keys(Language::English), keys(Language::German));
        assert!(english.len() > 20);
        assert_eq!(english.symmetric_difference(&german).collect::<Vec<_>>(), Vec::<&String>::new());
    }

    #[test]
    fn a_region_is_no_other_language() {
        assert_eq!(Language::from_tag("de-AT"), Some(Language::German));
        assert_eq!(Language::from_tag("fr"), None);
    }
}
