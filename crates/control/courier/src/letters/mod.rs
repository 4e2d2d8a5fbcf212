//! Letters: what Warren writes to people, in their language, laid out for a screen and as plain text.

mod content;
mod language;
mod letter;
mod link;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, syntax::SyntaxConfig};

pub use language::Language;
pub use letter::{ImportCounts, Letter};
pub use link::Link;

use crate::mail::Unfit;

/// The most characters of a name or a sentence that a letter is given.
pub const VALUE_CHARACTERS_MAX: usize = 300;
const HTML: &str = "letter.html";
const TEXT: &str = "letter.txt";

/// A letter laid out in both ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    pub text: String,
    /// A whole page with its style at each element; it asks for nothing from anywhere.
    pub html: String,
}

/// The layouts.
#[derive(Debug)]
pub(crate) struct Letters {
    layouts: Environment<'static>,
    site: Option<Link>,
}

impl Letters {
    /// The layouts, with the portal's address at the foot.
    ///
    /// # Panics
    /// Never: the layouts are part of the program, and a test reads them.
    pub fn new(site: Option<Link>) -> Self {
        let mut layouts = Environment::new();
        layouts.set_undefined_behavior(UndefinedBehavior::Strict);
        let mut syntax = SyntaxConfig::builder();
        syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
        layouts.set_syntax(syntax.build().expect("the usual delimiters"));
        layouts.set_auto_escape_callback(|name| match name {
            TEXT => AutoEscape::None,
            _ => AutoEscape::Html,
        });
        for (name, source) in
            [(HTML, include_str!("../../templates/letter.html")), (TEXT, include_str!("../../templates/letter.txt"))]
        {
            layouts.add_template(name, source).expect("a layout of the program reads");
        }
        Self { layouts, site }
    }

    /// Lays a letter out.
    ///
    /// # Errors
    /// [`Unfit::Layout`] when a layout asks for something that no letter has.
    pub fn render(&self, letter: &Letter, language: Language, attachments: usize) -> Result<Rendered, Unfit> {
        let content = content::compose(letter, language, self.site.as_ref(), attachments);
        let values = minijinja::Value::from(minijinja::value::Serde(&content));
        let lay_out = |name| self.layouts.get_template(name)?.render(values.clone());
        Ok(Rendered {
            text: lay_out(TEXT).map_err(Unfit::Layout)?,
            html: lay_out(HTML).map_err(Unfit::Layout)?,
            subject: content.subject,
        })
    }
}

/// A value on one line: control characters and invisible marks become spaces, and what is too long is cut.
pub(crate) fn one_line(text: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
    };
    let visible: String = text.chars().map(|c| if is_hidden(c) { ' ' } else { c }).collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= VALUE_CHARACTERS_MAX {
        return line;
    }
    line.chars().take(VALUE_CHARACTERS_MAX - 1).chain(['…']).collect()
}

#[cfg(test)]
mod catalogue_tests;
#[cfg(test)]
mod tests;
