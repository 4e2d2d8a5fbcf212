//! The ways to the other parts of a long list.

use warren_model::page::Page;

/// Links to the first and to the next page of a list.
#[derive(Debug, Clone, Default)]
pub struct Pager {
    pub first: Option<String>,
    pub next: Option<String>,
}

impl Pager {
    /// The ways from a page of the list at `path`; `kept` are the parameters that stay.
    pub fn of<T>(page: &Page<T>, path: &str, kept: &[(&str, &str)], has_cursor: CursorGiven) -> Self {
        let kept = kept
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", encoded(value)));
        let kept: Vec<String> = kept.collect();
        let address = |cursor: Option<&String>| {
            let all: Vec<String> =
                kept.iter().cloned().chain(cursor.map(|cursor| format!("cursor={cursor}"))).collect();
            if all.is_empty() { path.to_owned() } else { format!("{path}?{}", all.join("&")) }
        };
        Self {
            first: matches!(has_cursor, CursorGiven::Yes).then(|| address(None)),
            next: page.next_cursor.as_ref().map(|cursor| address(Some(cursor))),
        }
    }
}

/// Whether the page shown is a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CursorGiven {
    Yes,
    No,
}

impl CursorGiven {
    /// Later pages are those asked for by a cursor.
    pub fn of(request: &warren_model::page::PageRequest) -> Self {
        if request.after().is_some() { Self::Yes } else { Self::No }
    }
}

/// A value as part of an address.
pub fn encoded(value: &str) -> String {
    value
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).into() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_stay_on_later_pages() {
        let page = Page { items: vec![1], next_cursor: Some("abc".into()) };
        let pager = Pager::of(&page, "/o/x/devices", &[("q", "a b&c"), ("owner", "")], CursorGiven::Yes);
        assert_eq!(pager.next.unwrap(), "/o/x/devices?q=a%20b%26c&cursor=abc");
        assert_eq!(pager.first.unwrap(), "/o/x/devices?q=a%20b%26c");
    }
}
