//! The letters that Warren writes, each with what it tells.

use serde::{Deserialize, Serialize};
use time::macros::datetime;
use warren_model::{Role, Timestamp};

use super::Link;

/// A letter. It is kept in jobs until it is sent, so what is written here is read by later versions: a released letter changes by
/// optional fields only.
///
/// Texts are put on one line and cut at [`VALUE_CHARACTERS_MAX`](super::VALUE_CHARACTERS_MAX) characters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "letter", rename_all = "snake_case")]
pub enum Letter {
    /// Somebody may join an organisation.
    Invitation {
        organisation: String,
        #[serde(with = "role")]
        role: Role,
        link: Link,
        #[serde(with = "time::serde::rfc3339")]
        expires: Timestamp,
        /// Who invites.
        from: Option<String>,
    },
    /// A report is behind a link, or goes with the mail.
    ReportReady { organisation: String, report: String, link: Option<Link> },
    /// An export can be fetched.
    ExportReady {
        organisation: String,
        /// The person that it is about; none when it is the whole organisation's.
        person: Option<String>,
        size_bytes: u64,
        link: Link,
        #[serde(with = "time::serde::rfc3339")]
        expires: Timestamp,
    },
    /// An import of people or devices has come to its end.
    ImportFinished { organisation: String, file: String, counts: ImportCounts, link: Link },
    /// Something of the installation needs its operator. `what` and `advice` are sentences in the reader's language.
    OperatorAlert {
        what: String,
        #[serde(with = "time::serde::rfc3339")]
        since: Timestamp,
        advice: String,
        link: Option<Link>,
    },
    /// Mail works.
    TestMail {
        #[serde(with = "time::serde::rfc3339")]
        sent: Timestamp,
    },
}

/// What became of an import's lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportCounts {
    pub created: u64,
    pub changed: u64,
    /// Lines that were left out because they were wrong.
    pub skipped: u64,
    /// Lines that were wrong in an import of which nothing was done.
    pub refused: u64,
}

impl Letter {
    /// The word for its kind, as it stands in jobs and records.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Invitation { .. } => "invitation",
            Self::ReportReady { .. } => "report_ready",
            Self::ExportReady { .. } => "export_ready",
            Self::ImportFinished { .. } => "import_finished",
            Self::OperatorAlert { .. } => "operator_alert",
            Self::TestMail { .. } => "test_mail",
        }
    }

    /// One of each kind with believable data, for an operator's preview.
    ///
    /// # Panics
    /// Never: its links are constants.
    pub fn samples() -> Vec<Self> {
        let link = |path: &str| format!("https://vpn.example.org{path}").parse().expect("a link");
        let (now, later) = (datetime!(2026-11-27 14:30 UTC), datetime!(2026-12-04 14:30 UTC));
        let organisation = || "Northwind Traders".to_owned();
        vec![
            Self::Invitation {
                organisation: organisation(),
                role: Role::Member,
                link: link("/invitation#H1o2u3s4e5O6f7T8h9e0Q1u2i3c4k5B6r7o8w9n0F1o"),
                expires: later,
                from: Some("Anna Lindqvist".to_owned()),
            },
            Self::ReportReady {
                organisation: organisation(),
                report: "Usage in November 2026".to_owned(),
                link: Some(link("/northwind/reports/2026-11")),
            },
            Self::ExportReady {
                organisation: organisation(),
                person: None,
                size_bytes: 12_400_000,
                link: link("/northwind/exports/17"),
                expires: later,
            },
            Self::ImportFinished {
                organisation: organisation(),
                file: "people.csv".to_owned(),
                counts: ImportCounts { created: 118, changed: 4, skipped: 3, refused: 0 },
                link: link("/northwind/imports/9"),
            },
            Self::OperatorAlert {
                what: "The gateway fra-1 has not answered for ten minutes.".to_owned(),
                since: now,
                advice: "Look whether its host runs, and at the log of “warren gateway run” there.".to_owned(),
                link: Some(link("/operator")),
            },
            Self::TestMail { sent: now },
        ]
    }
}

/// A role by its word.
mod role {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use warren_model::Role;

    pub fn serialize<S: Serializer>(role: &Role, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(role.as_str())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Role, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_letter_reads_back_as_it_was() {
        for letter in Letter::samples() {
            let text = serde_json::to_string(&letter).unwrap();
            assert_eq!(serde_json::from_str::<Letter>(&text).unwrap(), letter);
            assert!(text.starts_with(&format!(r#"{{"letter":"{}","#, letter.name())), "{text}");
        }
    }

    /// Jobs of released versions hold letters in this form.
    #[test]
    fn letters_are_kept_in_the_form_that_was_released() {
        let kept = |index: usize| serde_json::to_string(&Letter::samples()[index]).unwrap();
        assert_eq!(
            [kept(0), kept(2), kept(3)],
            [
                r#"{"letter":"invitation","organisation":"Northwind Traders","role":"member","link":"https://vpn.example.org/invitation#H1o2u3s4e5O6f7T8h9e0Q1u2i3c4k5B6r7o8w9n0F1o","expires":"2026-12-04T14:30:00Z","from":"Anna Lindqvist"}"#,
                r#"{"letter":"export_ready","organisation":"Northwind Traders","person":null,"size_bytes":12400000,"link":"https://vpn.example.org/northwind/exports/17","expires":"2026-12-04T14:30:00Z"}"#,
                r#"{"letter":"import_finished","organisation":"Northwind Traders","file":"people.csv","counts":{"created":118,"changed":4,"skipped":3,"refused":0},"link":"https://vpn.example.org/northwind/imports/9"}"#,
            ]
        );
    }

    #[test]
    fn a_kept_letter_whose_link_is_none_of_the_web_is_refused() {
        let bad = r#"{"letter":"report_ready","organisation":"a","report":"b","link":"javascript:alert(1)"}"#;
        serde_json::from_str::<Letter>(bad).unwrap_err();
    }
}
