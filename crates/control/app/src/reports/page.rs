//! The page of a report.

use askama::Template;
use warren_model::Timestamp;

use super::{Request, shown};
use crate::{AppError, Language};

/// A report as a page: figures, then lists.
#[derive(Debug, Template)]
#[template(path = "report.html")]
pub(super) struct ReportPage {
    language: Language,
    title: String,
    /// What it is about: an organisation, or the installation.
    of: String,
    period: String,
    made: String,
    nothing: String,
    notes: Vec<String>,
    figures: Vec<(String, String)>,
    tables: Vec<List>,
}

/// A list of a page.
#[derive(Debug)]
struct List {
    title: String,
    heads: Vec<String>,
    /// Columns of text, which come first; the others are numbers.
    texts: usize,
    rows: Vec<Vec<String>>,
    more: Option<String>,
}

impl ReportPage {
    /// A page without figures and lists yet; `title` is the key of its title.
    pub fn new(request: &Request, title: &str, of: String, made_at: Timestamp) -> Self {
        let language = request.language;
        let moment = |at| request.zone.show(at);
        let period = &request.period;
        let arguments =
            [("from", moment(period.from())), ("to", moment(period.to())), ("zone", request.zone.to_string())];
        let made = [("at", moment(made_at)), ("version", env!("CARGO_PKG_VERSION").to_owned())];
        Self {
            language,
            title: language.text(title, &[]),
            of,
            period: language.text("report-period", &arguments),
            made: language.text("report-made", &made),
            nothing: language.text("report-nothing", &[]),
            notes: Vec::new(),
            figures: Vec::new(),
            tables: Vec::new(),
        }
    }

    /// With a sentence above the figures.
    pub fn note(mut self, key: &str, arguments: &[(&str, String)]) -> Self {
        self.notes.push(self.language.text(key, arguments));
        self
    }

    /// With a figure.
    pub fn figure(mut self, key: &str, value: String) -> Self {
        self.figures.push((self.language.text(key, &[]), value));
        self
    }

    /// With a list; `texts` columns of text come first. `besides` more things are not in it.
    pub fn list(mut self, title: &str, heads: &[&str], texts: usize, rows: Vec<Vec<String>>, besides: u64) -> Self {
        let language = self.language;
        let heads = heads.iter().map(|key| language.text(key, &[])).collect();
        let count = shown::number(besides, language);
        let more = (besides > 0).then(|| language.text("report-more", &[("count", count)]));
        self.tables.push(List { title: language.text(title, &[]), heads, texts, rows, more });
        self
    }

    /// The page as HTML.
    pub fn html(&self) -> Result<String, AppError> {
        self.render().map_err(|error| AppError::Internal(Box::new(error)))
    }
}
