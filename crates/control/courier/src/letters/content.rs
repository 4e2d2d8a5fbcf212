//! What a letter says, before it is laid out: its sentences, the facts of it, and the one thing to do.

use serde::Serialize;
use warren_model::Timestamp;

use super::{Language, Letter, Link, language::Said, letter::ImportCounts, one_line};

/// A letter's words in order. Both layouts show all of them.
#[derive(Debug, Serialize)]
pub(super) struct Content {
    pub language: &'static str,
    pub subject: String,
    /// In whose name it is written, at the head.
    pub brand: String,
    pub paragraphs: Vec<String>,
    pub facts: Vec<Fact>,
    pub action: Option<Action>,
    /// Below the action, in small letters.
    pub notes: Vec<String>,
    pub foot: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Fact {
    pub label: String,
    pub value: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Action {
    pub label: String,
    pub link: String,
    /// What to do when the button does nothing.
    pub otherwise: String,
}

/// What `letter` says in `language`, with so many files attached.
pub(super) fn compose(letter: &Letter, language: Language, site: Option<&Link>, attachments: usize) -> Content {
    let writer = Writer { language };
    let mut content = match letter {
        Letter::Invitation { organisation, role, link, expires, from } => {
            writer.invitation(organisation, role.as_str(), link, *expires, from.as_deref())
        }
        Letter::ReportReady { organisation, report, link } => {
            writer.report(organisation, report, link.as_ref(), attachments)
        }
        Letter::ExportReady { organisation, person, size_bytes, link, expires } => {
            writer.export(organisation, person.as_deref(), *size_bytes, link, *expires)
        }
        Letter::ImportFinished { organisation, file, counts, link } => writer.import(organisation, file, *counts, link),
        Letter::OperatorAlert { what, since, advice, link } => writer.alert(what, *since, advice, link.as_ref()),
        Letter::TestMail { sent } => writer.test(*sent),
    };
    content.foot = match site {
        Some(site) => language.text("foot-site", &[("site", Said::Text(site.short()))]),
        None => language.text("foot", &[]),
    };
    content
}

struct Writer {
    language: Language,
}

impl Writer {
    fn text(&self, key: &str, said: &[(&str, Said<'_>)]) -> String {
        self.language.text(key, said)
    }

    fn action(&self, key: &str, link: &Link) -> Option<Action> {
        Some(Action { label: self.text(key, &[]), link: link.to_string(), otherwise: self.text("otherwise", &[]) })
    }

    fn fact(&self, key: &str, value: String) -> Fact {
        Fact { label: self.text(key, &[]), value }
    }

    fn content(&self, subject: String, brand: &str, paragraphs: Vec<String>) -> Content {
        Content {
            language: self.language.tag(),
            subject: one_line(&subject),
            brand: one_line(brand),
            paragraphs,
            facts: Vec::new(),
            action: None,
            notes: Vec::new(),
            foot: String::new(),
        }
    }

    fn invitation(
        &self,
        organisation: &str,
        role: &str,
        link: &Link,
        expires: Timestamp,
        from: Option<&str>,
    ) -> Content {
        let (brand, from) = (one_line(organisation), from.map(one_line));
        let organisation = ("organisation", Said::Text(&brand));
        let role = ("role", Said::Text(role));
        let lead = match &from {
            Some(from) => self.text("invitation-lead-from", &[organisation, role, ("from", Said::Text(from))]),
            None => self.text("invitation-lead", &[organisation, role]),
        };
        let expires = self.language.moment(expires);
        Content {
            action: self.action("invitation-do", link),
            notes: vec![
                self.text("invitation-expires", &[("moment", Said::Text(&expires))]),
                self.text("invitation-unexpected", &[]),
            ],
            ..self.content(self.text("invitation-subject", &[organisation]), &brand, vec![lead])
        }
    }

    fn report(&self, organisation: &str, report: &str, link: Option<&Link>, attachments: usize) -> Content {
        let (brand, report) = (one_line(organisation), one_line(report));
        let said = [("organisation", Said::Text(&brand)), ("report", Said::Text(&report))];
        let mut paragraphs = vec![self.text("report-lead", &said)];
        if attachments > 0 {
            let count = Said::Number(attachments.try_into().unwrap_or(u64::MAX));
            paragraphs.push(self.text("report-attached", &[("count", count)]));
        }
        Content {
            action: link.and_then(|link| self.action("report-do", link)),
            ..self.content(self.text("report-subject", &said), &brand, paragraphs)
        }
    }

    fn export(
        &self,
        organisation: &str,
        person: Option<&str>,
        size_bytes: u64,
        link: &Link,
        expires: Timestamp,
    ) -> Content {
        let (brand, person) = (one_line(organisation), person.map(one_line));
        let organisation = ("organisation", Said::Text(&brand));
        let lead = match &person {
            Some(person) => self.text("export-lead-person", &[organisation, ("person", Said::Text(person))]),
            None => self.text("export-lead", &[organisation]),
        };
        let expires = self.language.moment(expires);
        Content {
            facts: vec![self.fact("export-size", self.language.size(size_bytes))],
            action: self.action("export-do", link),
            notes: vec![
                self.text("export-expires", &[("moment", Said::Text(&expires))]),
                self.text("export-care", &[]),
            ],
            ..self.content(self.text("export-subject", &[organisation]), &brand, vec![lead])
        }
    }

    fn import(&self, organisation: &str, file: &str, counts: ImportCounts, link: &Link) -> Content {
        let (brand, file) = (one_line(organisation), one_line(file));
        let said = [("organisation", Said::Text(&brand)), ("file", Said::Text(&file))];
        let (subject, lead) = match counts {
            ImportCounts { refused: 1.., .. } => ("import-subject-refused", "import-lead-refused"),
            ImportCounts { skipped: 1.., .. } => ("import-subject-skipped", "import-lead-skipped"),
            _ => ("import-subject", "import-lead"),
        };
        let lines = [
            ("import-created", counts.created),
            ("import-changed", counts.changed),
            ("import-skipped", counts.skipped),
            ("import-refused", counts.refused),
        ];
        let told = lines.into_iter().filter(|(key, count)| *count > 0 || *key == "import-created");
        Content {
            facts: told.map(|(key, count)| self.fact(key, count.to_string())).collect(),
            action: self.action("import-do", link),
            ..self.content(self.text(subject, &said), &brand, vec![self.text(lead, &said)])
        }
    }

    fn alert(&self, what: &str, since: Timestamp, advice: &str, link: Option<&Link>) -> Content {
        let (what, advice) = (one_line(what), one_line(advice));
        let subject = self.text("alert-subject", &[("what", Said::Text(what.trim_end_matches('.')))]);
        Content {
            facts: vec![self.fact("alert-since", self.language.moment(since)), self.fact("alert-advice", advice)],
            action: link.and_then(|link| self.action("alert-do", link)),
            ..self.content(subject, "Warren", vec![what.clone()])
        }
    }

    fn test(&self, sent: Timestamp) -> Content {
        let sent = self.language.moment(sent);
        let lead = self.text("test-lead", &[("moment", Said::Text(&sent))]);
        self.content(self.text("test-subject", &[]), "Warren", vec![lead])
    }
}
