//! The reader's language, and the catalogues from which every word comes that a person reads.

use std::{borrow::Cow, collections::HashMap};

use fluent_templates::{LanguageIdentifier, Loader, fluent_bundle::FluentValue, langid};
use http::{HeaderMap, HeaderValue, header};
use warren_app::Language;

fluent_templates::static_loader! {
    static CATALOGUES = {
        locales: "./locales",
        fallback_language: "en",
        // Direction marks around each value would end up in what readers copy.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// The cookie that remembers a language chosen on the page.
pub const COOKIE: &str = "warren-locale";

/// A language that Warren speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Locale {
    #[default]
    English,
    German,
}

impl Locale {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::English, Self::German];
    /// The most language ranges of `Accept-Language` that are looked at.
    const RANGES_MAX: usize = 16;

    /// The language chosen on the page, else the one the browser likes best of those we speak, else English.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        Self::chosen(headers).or_else(|| Self::accepted(headers)).unwrap_or_default()
    }
    /// The language that a tag such as `de` or `de-AT` means (RFC 5646).
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next()?;
        Self::ALL.iter().copied().find(|locale| locale.tag().eq_ignore_ascii_case(primary))
    }
    /// The language tag (RFC 5646).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }
    /// The language's name in itself.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }
    /// The mark between the whole and the fraction of a number.
    pub const fn decimal_mark(self) -> char {
        match self {
            Self::English => '.',
            Self::German => ',',
        }
    }
    /// The text of `key`. Values that read as whole numbers choose the plural. A key that no catalogue has stands for itself,
    /// which the catalogues' tests rule out.
    pub fn text(&self, key: &str, arguments: &[(&str, String)]) -> String {
        let values: HashMap<Cow<'static, str>, FluentValue<'_>> =
            arguments.iter().map(|(name, value)| (Cow::Owned((*name).to_owned()), fluent_value(value))).collect();
        let found = CATALOGUES.try_lookup_with_args(&self.identifier(), key, &values);
        // What the use cases say of files stands in their own catalogues.
        match found.or_else(|| self.of_files().find(key, arguments)) {
            Some(text) => text,
            None => {
                tracing::error!(key, "a text is missing from the catalogues");
                key.to_owned()
            }
        }
    }
    /// The header that makes the browser remember this language for a year.
    pub fn cookie(self) -> HeaderValue {
        let text = format!("{COOKIE}={}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly", self.tag());
        HeaderValue::from_str(&text).expect("a language tag is plain ASCII")
    }

    /// The same language, for what leaves Warren as a file.
    pub const fn of_files(self) -> Language {
        match self {
            Self::English => Language::English,
            Self::German => Language::German,
        }
    }

    const fn identifier(self) -> LanguageIdentifier {
        match self {
            Self::English => langid!("en"),
            Self::German => langid!("de"),
        }
    }
    fn chosen(headers: &HeaderMap) -> Option<Self> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let (_, tag) = cookies
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .find(|(name, _)| *name == COOKIE)?;
        Self::from_tag(tag)
    }
    /// The first of the most liked languages (RFC 9110 section 12.5.4).
    fn accepted(headers: &HeaderMap) -> Option<Self> {
        let ranges = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
        let liked = ranges.flat_map(|value| value.split(',')).take(Self::RANGES_MAX).filter_map(|range| {
            let (tag, parameter) = range.split_once(';').unwrap_or((range, "q=1"));
            let quality: f32 = parameter.trim().strip_prefix("q=")?.parse().ok()?;
            let locale = if tag.trim() == "*" { Self::default() } else { Self::from_tag(tag.trim())? };
            (quality > 0.0).then_some((quality, locale))
        });
        let best = liked.reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.map(|(_, locale)| locale)
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
mod tests {
    use super::*;

    fn locale(accept: &str, cookie: &str) -> Locale {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, accept.parse().unwrap());
        headers.insert(header::COOKIE, cookie.parse().unwrap());
        Locale::from_headers(&headers)
    }

    #[test]
    fn the_most_liked_language_that_we_speak_is_chosen() {
        assert_eq!(locale("de-AT, en;q=0.8", ""), Locale::German);
        assert_eq!(locale("fr, en;q=0.8, de;q=0.9", ""), Locale::German);
        assert_eq!(locale("fr", ""), Locale::English);
        assert_eq!(locale("de;q=0, *;q=0.1", ""), Locale::English);
        assert_eq!(locale(&"x,".repeat(5000), ""), Locale::English);
        assert_eq!(Locale::from_headers(&HeaderMap::new()), Locale::English);
    }

    #[test]
    fn a_choice_on_the_page_outweighs_the_browser() {
        assert_eq!(locale("de", "a=b; warren-locale=en"), Locale::English);
        assert_eq!(locale("de", "warren-locale=xx"), Locale::German);
    }

    #[test]
    fn plurals_follow_the_number() {
        let devices = |count: u64, locale: Locale| locale.text("count-devices", &[("count", count.to_string())]);
        assert_eq!(devices(1, Locale::English), "1 device");
        assert_eq!(devices(2, Locale::English), "2 devices");
        assert_eq!(devices(1, Locale::German), "1 Gerät");
        assert_eq!(devices(0, Locale::German), "0 Geräte");
    }
}
