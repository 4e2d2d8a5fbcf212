//! What keys on Redis are called.

use crate::{
    CacheError, Scope,
    key::{CacheKey, KeyDigest},
};

const PREFIX_CHARACTERS_MAX: usize = 40;

/// The names of one installation's keys.
#[derive(Debug, Clone)]
pub(super) struct Names {
    prefix: String,
    /// State, marks, log and nodes: the first four keys of every script.
    pub common: [String; 4],
}

/// A value, and the lease on loading it.
#[derive(Debug, Clone)]
pub(crate) struct ValueName {
    pub value: String,
    pub lease: String,
}

impl Names {
    pub fn new(prefix: &str) -> Result<Self, CacheError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if prefix.is_empty() || prefix.len() > PREFIX_CHARACTERS_MAX || !prefix.chars().all(fits) {
            return Err(CacheError::RedisPrefix { prefix: prefix.to_owned() });
        }
        let common = ["state", "marks", "log", "nodes"].map(|name| format!("{prefix}:{name}"));
        Ok(Self { prefix: prefix.to_owned(), common })
    }

    pub fn log(&self) -> &str {
        &self.common[2]
    }

    pub fn nodes(&self) -> &str {
        &self.common[3]
    }

    /// The organisation stands in the name for who looks with the server's client; the key itself as its digest.
    pub fn value<K: CacheKey>(&self, cache: &str, version: u32, scope: Scope, key: &K) -> ValueName {
        let mut digest = KeyDigest::new();
        scope.describe(&mut digest);
        key.describe(&mut digest);
        let digest: String = digest.finish().iter().map(|byte| format!("{byte:02x}")).collect();
        let scope = match scope {
            Scope::Installation => "installation".to_owned(),
            Scope::Organisation(id) => id.to_string(),
        };
        let value = format!("{}:value:{cache}:{version}:{scope}:{digest}", self.prefix);
        let lease = format!("{}:lease:{cache}:{version}:{scope}:{digest}", self.prefix);
        ValueName { value, lease }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_installation_cache_version_and_scope_and_hides_the_rest() {
        let names = Names::new("warren").unwrap();
        let ValueName { value, lease } = names.value("sessions", 3, Scope::Installation, &[7_u8; 4]);
        let digest = value.strip_prefix("warren:value:sessions:3:installation:").unwrap();
        assert_eq!((digest.len(), lease), (64, format!("warren:lease:sessions:3:installation:{digest}")));
    }

    #[test]
    fn a_prefix_that_could_run_into_others_is_refused() {
        for bad in ["", "a:b", "a*", "a b", &"x".repeat(41)] {
            Names::new(bad).unwrap_err();
        }
    }
}
