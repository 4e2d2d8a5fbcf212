//! Numbers as a reader's language writes them.

use crate::Language;

impl Language {
    const fn thousands_mark(self) -> char {
        match self {
            Self::English => ',',
            Self::German => '.',
        }
    }
    const fn decimal_mark(self) -> char {
        match self {
            Self::English => '.',
            Self::German => ',',
        }
    }
}

/// A whole number, in groups of three digits.
pub(super) fn number(number: u64, language: Language) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(language.thousands_mark());
        }
        shown.push(digit);
    }
    shown
}

/// A number of bytes in the largest unit that it has one of (decimal, IEC 80000-13), with a fraction of one digit.
pub(super) fn bytes(bytes: u64, language: Language) -> String {
    const UNITS: [(&str, u64); 6] = [
        ("EB", 1_000_000_000_000_000_000),
        ("PB", 1_000_000_000_000_000),
        ("TB", 1_000_000_000_000),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1_000),
    ];
    match UNITS.into_iter().find(|(_, size)| bytes >= *size) {
        None => format!("{bytes} B"),
        Some((unit, size)) => {
            let (whole, tenths) = (bytes / size, bytes % size / (size / 10));
            format!("{whole}{}{tenths} {unit}", language.decimal_mark())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_language() {
        assert_eq!(number(0, Language::English), "0");
        assert_eq!(number(1_234_567, Language::English), "1,234,567");
        assert_eq!(number(123_456, Language::German), "123.456");
        assert_eq!(bytes(999, Language::German), "999 B");
        assert_eq!(bytes(1_999, Language::English), "1.9 kB");
        assert_eq!(bytes(12_345_678_901, Language::German), "12,3 GB");
        assert_eq!(bytes(u64::MAX, Language::English), "18.4 EB");
    }
}
