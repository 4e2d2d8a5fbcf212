//! What is wrong with one line of a file, said so that somebody can put it right.

use warren_model::Invalid;

use crate::{AppError, Contradiction, Language, Thing};

/// One line that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineError {
    /// Counted from 1 as an editor shows it; the header is line 1 of most files.
    pub line: u64,
    /// The column as the file names it; none where the line as a whole is meant.
    pub column: Option<String>,
    /// What stands there, shortened to [`LineError::VALUE_CHARACTERS_MAX`].
    pub value: String,
    pub problem: LineProblem,
}

/// Why a line, or one item of a bulk change, cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineProblem {
    /// A quotation mark opens and none closes; the rest of the file cannot be told apart.
    QuoteNotClosed,
    LineTooLong {
        max: usize,
    },
    CellTooLong {
        max: usize,
    },
    MoreCellsThanColumns {
        cells: usize,
        columns: usize,
    },
    /// A character that the file's encoding does not have.
    Unreadable,
    Invalid(Invalid),
    /// An earlier line of the file says the same.
    Repeated {
        line: u64,
    },
    /// No day and no moment that can be understood.
    Moment,
    /// No public key is given, and private keys cannot be handed out in bulk.
    KeyMissing,
    /// No network is called so.
    UnknownNetwork {
        known: String,
    },
    /// Nobody of the organisation has this address.
    UnknownOwner,
    Contradiction(Contradiction),
    NotFound(Thing),
    Forbidden,
    /// Somebody changed it meanwhile.
    Stale,
}

impl LineError {
    /// The longest value that is shown, in characters.
    pub const VALUE_CHARACTERS_MAX: usize = 60;

    /// The error in the column that the file calls `column`, where `value` stands.
    pub fn new(line: u64, column: Option<&str>, value: &str, problem: LineProblem) -> Self {
        Self { line, column: column.map(shorten), value: shorten(value), problem }
    }

    /// What is wrong and what to do, in a sentence or two.
    pub fn text(&self, language: Language) -> String {
        self.problem.text(language)
    }
}

impl LineProblem {
    /// The catalogue key of its sentence.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::QuoteNotClosed => "line-quote-not-closed",
            Self::LineTooLong { .. } => "line-too-long",
            Self::CellTooLong { .. } => "line-cell-too-long",
            Self::MoreCellsThanColumns { .. } => "line-more-cells",
            Self::Unreadable => "line-unreadable",
            Self::Repeated { .. } => "line-repeated",
            Self::Moment => "line-moment",
            Self::KeyMissing => "line-key-missing",
            Self::UnknownNetwork { .. } => "line-unknown-network",
            Self::UnknownOwner => "line-unknown-owner",
            Self::NotFound(_) => "line-not-found",
            Self::Forbidden => "line-forbidden",
            Self::Stale => "line-stale",
            Self::Invalid(invalid) => match invalid {
                Invalid::Empty => "line-empty",
                Invalid::TooLong { .. } => "line-value-too-long",
                Invalid::ControlCharacter => "line-control-character",
                Invalid::Email => "line-email",
                Invalid::Key => "line-key",
                Invalid::WeakKey => "line-weak-key",
                Invalid::Past => "line-past",
                Invalid::OutOfRange { .. } => "line-out-of-range",
                Invalid::Unknown { .. } => "line-unknown",
                _ => "line-unusable",
            },
            Self::Contradiction(contradiction) => match contradiction {
                Contradiction::PublicKeyTaken => "line-key-taken",
                Contradiction::AddressesExhausted => "line-addresses-exhausted",
                Contradiction::PersonAlreadyThere => "line-person-there",
                Contradiction::LastAdmin => "line-last-admin",
                Contradiction::DeviceRevoked => "line-device-revoked",
                _ => "line-unusable",
            },
        }
    }

    /// Every code, for the catalogues' completeness test.
    pub const CODES: &'static [&'static str] = &[
        "line-quote-not-closed",
        "line-too-long",
        "line-cell-too-long",
        "line-more-cells",
        "line-unreadable",
        "line-repeated",
        "line-moment",
        "line-key-missing",
        "line-unknown-network",
        "line-unknown-owner",
        "line-not-found",
        "line-forbidden",
        "line-stale",
        "line-empty",
        "line-value-too-long",
        "line-control-character",
        "line-email",
        "line-key",
        "line-weak-key",
        "line-past",
        "line-out-of-range",
        "line-unknown",
        "line-unusable",
        "line-key-taken",
        "line-addresses-exhausted",
        "line-person-there",
        "line-last-admin",
        "line-device-revoked",
    ];

    /// The values that its sentence speaks of.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::LineTooLong { max } | Self::CellTooLong { max } => vec![("max", max.to_string())],
            Self::MoreCellsThanColumns { cells, columns } => {
                vec![("cells", cells.to_string()), ("columns", columns.to_string())]
            }
            Self::Repeated { line } => vec![("line", line.to_string())],
            Self::UnknownNetwork { known } => vec![("known", known.clone())],
            Self::Invalid(invalid) => invalid.arguments(),
            Self::Contradiction(contradiction) => contradiction.arguments(),
            _ => Vec::new(),
        }
    }

    /// What is wrong and what to do, in a sentence or two.
    pub fn text(&self, language: Language) -> String {
        language.text(self.code(), &self.arguments())
    }

    /// What a refusal means for one line; faults that are not the line's own come back.
    pub(crate) fn of(error: AppError) -> Result<Self, AppError> {
        match error {
            AppError::Invalid(fields) => {
                Ok(Self::Invalid(fields.into_iter().next().map_or(Invalid::Empty, |field| field.invalid)))
            }
            AppError::Contradiction(contradiction) => Ok(Self::Contradiction(contradiction)),
            AppError::NotFound(thing) => Ok(Self::NotFound(thing)),
            AppError::Forbidden => Ok(Self::Forbidden),
            AppError::Stale => Ok(Self::Stale),
            other => Err(other),
        }
    }
}

impl From<Invalid> for LineProblem {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

/// `text` on one line, cut where it is longer than what is shown.
fn shorten(text: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    let mut shown: String = text.chars().take(LineError::VALUE_CHARACTERS_MAX).map(visible).collect();
    if text.chars().nth(LineError::VALUE_CHARACTERS_MAX).is_some() {
        shown.pop();
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_sentence_in_every_language() {
        for language in Language::ALL {
            let keys = crate::words::tests::keys(*language);
            for code in LineProblem::CODES {
                assert!(keys.contains(*code), "{code} in {language:?}");
            }
        }
    }

    #[test]
    fn a_value_is_shown_short_and_on_one_line() {
        let error = LineError::new(2, Some("name"), &"x\n".repeat(1000), Invalid::ControlCharacter.into());
        assert_eq!(error.value.chars().count(), LineError::VALUE_CHARACTERS_MAX);
        assert!(error.value.starts_with("x x ") && error.value.ends_with('…'));
        assert!(error.text(Language::English).contains("line break"));
    }
}
