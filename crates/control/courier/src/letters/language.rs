//! The reader's language, and the catalogues from which every word of a letter comes.

use std::{borrow::Cow, collections::HashMap};

use fluent_templates::{LanguageIdentifier, Loader, fluent_bundle::FluentValue, langid};
use serde::{Deserialize, Serialize};
use warren_model::Timestamp;

fluent_templates::static_loader! {
    static CATALOGUES = {
        locales: "./locales",
        fallback_language: "en",
        // Direction marks around each value would end up in what readers copy.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// A language that letters are written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    #[default]
    #[serde(rename = "en")]
    English,
    #[serde(rename = "de")]
    German,
}

/// A value that a text speaks of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Said<'a> {
    Text(&'a str),
    /// Chooses the plural.
    Number(u64),
}

impl Language {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::English, Self::German];

    /// The language tag (RFC 5646).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The language that a tag such as `de` or `de-AT` means; none for one that no letter is written in.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next()?;
        Self::ALL.iter().copied().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The text of `key`. A key that no catalogue has stands for itself, which the catalogues' tests rule out.
    pub(super) fn text(self, key: &str, said: &[(&str, Said<'_>)]) -> String {
        let values: HashMap<Cow<'static, str>, FluentValue<'_>> =
            said.iter().map(|(name, said)| (Cow::Owned((*name).to_owned()), said.value())).collect();
        match CATALOGUES.try_lookup_with_args(&self.identifier(), key, &values) {
            Some(text) => text,
            None => {
                tracing::error!(key, "a text is missing from the catalogues");
                key.to_owned()
            }
        }
    }

    /// A moment as it is read: `27 November 2026, 23:39 UTC`.
    pub(super) fn moment(self, moment: Timestamp) -> String {
        let moment = moment.to_offset(time::UtcOffset::UTC);
        let month = self.text(&format!("month-{}", u8::from(moment.month())), &[]);
        let (day, year) = (moment.day().to_string(), moment.year().to_string());
        let clock = format!("{:02}:{:02}", moment.hour(), moment.minute());
        self.text(
            "moment",
            &[
                ("day", Said::Text(&day)),
                ("month", Said::Text(&month)),
                ("year", Said::Text(&year)),
                ("clock", Said::Text(&clock)),
            ],
        )
    }

    /// A size as it is read: `12.4 MB`, of 1000 bytes a step.
    pub(super) fn size(self, bytes: u64) -> String {
        const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
        if bytes < 1000 {
            return format!("{bytes} B");
        }
        let mut tenths = bytes / 100;
        let mut unit = 0;
        while tenths >= 10_000 && unit + 1 < UNITS.len() {
            tenths /= 1000;
            unit += 1;
        }
        let mark = match self {
            Self::English => '.',
            Self::German => ',',
        };
        format!("{}{mark}{} {}", tenths / 10, tenths % 10, UNITS[unit])
    }

    const fn identifier(self) -> LanguageIdentifier {
        match self {
            Self::English => langid!("en"),
            Self::German => langid!("de"),
        }
    }
}

impl Said<'_> {
    fn value(&self) -> FluentValue<'_> {
        match self {
            Self::Text(text) => FluentValue::from(*text),
            Self::Number(number) => FluentValue::from(*number),
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_moment_is_told_in_utc_with_the_months_name() {
        let moment = datetime!(2026-03-01 00:05 +02:00);
        assert_eq!(Language::English.moment(moment), "28 February 2026, 22:05 UTC");
        assert_eq!(Language::German.moment(moment), "28. Februar 2026, 22:05 Uhr UTC");
    }

    #[test]
    fn a_size_has_one_digit_after_the_mark() {
        for (bytes, text) in
            [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_449_999, "12.4 MB"), (3_000_000_000, "3.0 GB")]
        {
            assert_eq!(Language::English.size(bytes), text);
        }
        assert_eq!(Language::German.size(12_400_000), "12,4 MB");
        assert_eq!(Language::English.size(u64::MAX), "18446744.0 TB");
    }

    #[test]
    fn a_tag_finds_its_language() {
        assert_eq!(Language::from_tag("de-AT"), Some(Language::German));
        assert_eq!(Language::from_tag("fr"), None);
    }
}
