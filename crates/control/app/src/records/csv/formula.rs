//! Cells that a spreadsheet would take for formulas (OWASP, "CSV Injection"), made harmless and back.
//!
//! A `'` goes before a character that begins a formula: at the start of a cell, and behind a separator or line break within it,
//! because a spreadsheet may be set to another separator than the file has. Where such a `'` stands already one more is added, so
//! that what was written is read back as it was.

use std::borrow::Cow;

/// Whether a spreadsheet takes what begins with it for a formula. Full-width forms are read as the plain ones.
const fn begins_formula(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠')
}

/// Whether a new cell may begin behind it.
const fn ends_cell(c: char) -> bool {
    matches!(c, ',' | ';' | '\t' | '\r' | '\n')
}

/// Whether quotes and then the beginning of a formula stand here.
fn is_risky(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(begins_formula)
}

/// The places in `text` where a cell may begin.
fn starts(text: &str) -> impl Iterator<Item = usize> {
    let behind = text.char_indices().filter(|(_, c)| ends_cell(*c)).map(|(at, c)| at + c.len_utf8());
    std::iter::once(0).chain(behind)
}

/// `cell` as no spreadsheet takes it for a formula.
pub(super) fn disarm(cell: &str) -> Cow<'_, str> {
    rewrite(cell, |out, part| {
        if is_risky(part) {
            out.push('\'');
        }
        part
    })
}

/// What [`disarm`] made `cell` from.
pub(super) fn rearm(cell: &str) -> Cow<'_, str> {
    rewrite(cell, |_, part| match part.strip_prefix('\'') {
        Some(rest) if is_risky(part) => rest,
        _ => part,
    })
}

/// Hands each part of `cell` that may begin a cell of its own to `each`, which may put something before it or cut its beginning.
fn rewrite<'a>(cell: &'a str, each: impl Fn(&mut String, &'a str) -> &'a str) -> Cow<'a, str> {
    // Most cells have neither a separator nor the beginning of a formula.
    if !cell.contains(begins_formula) {
        return Cow::Borrowed(cell);
    }
    let mut out = String::with_capacity(cell.len() + 2);
    let mut from = 0;
    for next in starts(cell).skip(1).chain([cell.len()]) {
        let kept = each(&mut out, &cell[from..]);
        out.push_str(&cell[cell.len() - kept.len()..next]);
        from = next;
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_begins_a_formula_gets_a_quote_before_it() {
        for (plain, safe) in [
            ("=1+1", "'=1+1"),
            ("+49 30", "'+49 30"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("'=1", "''=1"),
            ("a;=1", "a;'=1"),
            ("a,b", "a,b"),
            ("anna-lena", "anna-lena"),
            ("'tis", "'tis"),
            ("", ""),
        ] {
            assert_eq!(disarm(plain), safe);
            assert_eq!(rearm(safe), plain);
        }
    }

    proptest! {
        #[test]
        fn whatever_a_cell_holds_comes_back_and_begins_no_formula(cell in "[-a'=+@,;\t\r\n＝]{0,12}") {
            let safe = disarm(&cell).into_owned();
            prop_assert_eq!(rearm(&safe), cell.as_str());
            for at in starts(&safe) {
                prop_assert!(!safe[at..].starts_with(begins_formula), "{safe:?}");
            }
        }
    }
}
