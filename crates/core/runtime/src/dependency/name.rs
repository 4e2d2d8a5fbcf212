//! What a dependency is called in logs, metrics and pages.

use std::{fmt, sync::Arc};

/// A kind of part, and which one of its kind: `redis`, or `database:db.example.org`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DependencyName {
    kind: &'static str,
    whole: Arc<str>,
}

impl DependencyName {
    /// The only one of its kind.
    pub fn new(kind: &'static str) -> Self {
        Self { kind, whole: kind.into() }
    }

    /// One of several; `instance` says which, and holds no secret.
    pub fn of(kind: &'static str, instance: impl fmt::Display) -> Self {
        Self { kind, whole: format!("{kind}:{instance}").into() }
    }

    /// The kind, such as `database`.
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// Which one of its kind, where there are several.
    pub fn instance(&self) -> Option<&str> {
        self.whole.strip_prefix(self.kind)?.strip_prefix(':')
    }

    /// The whole name, `database:db.example.org`.
    pub fn as_str(&self) -> &str {
        &self.whole
    }
}

impl fmt::Display for DependencyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.whole)
    }
}
