//! How far a server's log has come, as the servers themselves count it, and who has reached what.
//!
//! Sources: <https://mariadb.com/kb/en/gtid/>, <https://www.postgresql.org/docs/15/functions-admin.html>.

use std::collections::BTreeMap;

/// A place in the log of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Position {
    /// PostgreSQL: bytes of write-ahead log.
    Log(u64),
    /// MariaDB: by replication domain, the last transaction and the server that it was made on.
    Transactions(BTreeMap<u32, Transaction>),
}

/// A transaction of MariaDB within its domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Transaction {
    server: u32,
    sequence: u64,
}

impl Position {
    /// Reads `domain-server-sequence` and more of them with commas between, as in `0-1-270,5-2-9`. An empty text is the
    /// position of a log in which nothing stands; none is given for anything else.
    pub fn of_transactions(text: &str) -> Option<Self> {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        let each = items.map(|item| {
            let mut parts = item.splitn(3, '-');
            let domain = parts.next()?.parse().ok()?;
            let server = parts.next()?.parse().ok()?;
            Some((domain, Transaction { server, sequence: parts.next()?.parse().ok()? }))
        });
        each.collect::<Option<_>>().map(Self::Transactions)
    }

    /// Whether who stands here has everything up to `other`.
    pub fn has_reached(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Log(here), Self::Log(there)) => here >= there,
            (Self::Transactions(here), Self::Transactions(there)) => {
                there.iter().all(|(domain, there)| here.get(domain).is_some_and(|here| here.has_reached(*there)))
            }
            _ => false,
        }
    }
}

impl Transaction {
    /// The same number from another server is another transaction: then this is the log of somebody else.
    const fn has_reached(self, other: Self) -> bool {
        self.sequence > other.sequence || (self.sequence == other.sequence && self.server == other.server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transactions(text: &str) -> Position {
        Position::of_transactions(text).unwrap()
    }

    #[test]
    fn a_position_is_reached_when_every_domain_of_it_is() {
        for (here, there, reached) in [
            ("0-1-270", "0-1-270", true),
            ("0-1-271", "0-1-270", true),
            ("0-1-269", "0-1-270", false),
            ("0-1-270,5-2-9", "0-1-270", true),
            ("0-1-270", "0-1-270,5-2-9", false),
            ("0-1-300,5-2-8", "0-1-270,5-2-9", false),
            ("0-7-270", "0-1-270", false),
            ("0-7-271", "0-1-270", true),
            ("", "0-1-1", false),
            ("0-1-1", "", true),
            ("", "", true),
        ] {
            assert_eq!(transactions(here).has_reached(&transactions(there)), reached, "{here} after {there}");
        }
        assert!(Position::Log(7).has_reached(&Position::Log(7)));
        assert!(!Position::Log(6).has_reached(&Position::Log(7)));
        assert!(!Position::Log(7).has_reached(&transactions("0-1-1")), "of another kind of server");
    }

    #[test]
    fn what_is_no_position_is_not_taken_for_one() {
        for text in ["0-1", "x-1-2", "0-1-2,", "0-1--2", "3f2504e0-4f89-11d3-9a0c-0305e82c3301:1-5"] {
            let read = Position::of_transactions(text);
            assert_eq!(read.is_some(), text == "0-1-2,", "{text}: {read:?}");
        }
    }
}
