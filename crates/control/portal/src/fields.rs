//! Reads the fields of a body into the domain's types and collects everything that is wrong, not only the first.

use std::borrow::Cow;

use warren_app::{AppError, FieldError};
use warren_model::Invalid;

/// What has been refused so far.
///
/// Each `read` gives `Some` exactly when it recorded no error, so that one `let … else` at the end takes everything
/// or refuses everything:
///
/// ```ignore
/// let mut fields = Fields::default();
/// let name = fields.read("name", body.name.parse());
/// let mtu = fields.read_optional("mtu", body.mtu.map(Mtu::new));
/// let (Some(name), Some(mtu)) = (name, mtu) else { return Err(fields.refuse()) };
/// ```
#[derive(Debug, Default)]
pub struct Fields(Vec<FieldError>);

impl Fields {
    /// One field: its value, or none when it was refused.
    pub fn read<T>(&mut self, field: impl Into<Cow<'static, str>>, result: Result<T, Invalid>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(invalid) => {
                self.0.push(FieldError { field: field.into(), invalid });
                None
            }
        }
    }
    /// A field that may be absent: `Some(None)` when it is, none when it was refused.
    pub fn read_optional<T>(
        &mut self,
        field: impl Into<Cow<'static, str>>,
        result: Option<Result<T, Invalid>>,
    ) -> Option<Option<T>> {
        match result {
            None => Some(None),
            Some(result) => self.read(field, result).map(Some),
        }
    }
    /// A list, each item of which is a field `field.0`, `field.1`, …
    pub fn read_list<T, I>(
        &mut self,
        field: &'static str,
        items: impl IntoIterator<Item = I>,
        read: impl Fn(I) -> Result<T, Invalid>,
    ) -> Option<Vec<T>> {
        let before = self.0.len();
        let values: Vec<T> = items
            .into_iter()
            .enumerate()
            .filter_map(|(at, item)| self.read(format!("{field}.{at}"), read(item)))
            .collect();
        (self.0.len() == before).then_some(values)
    }
    /// A body within the body: its fields stand as `field.name`.
    pub fn read_nested<T>(&mut self, field: &'static str, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let mut inner = Self::default();
        let value = read(&mut inner);
        self.0.extend(
            inner
                .0
                .into_iter()
                .map(|error| FieldError { field: format!("{field}.{}", error.field).into(), invalid: error.invalid }),
        );
        value
    }
    /// Everything that was refused.
    pub fn refuse(self) -> AppError {
        AppError::Invalid(self.0)
    }
    /// The errors so far, for pages that show a form again.
    pub fn errors(&self) -> &[FieldError] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_errors_are_collected_with_their_place() {
        let mut fields = Fields::default();
        assert_eq!(fields.read("good", Ok(1)), Some(1));
        assert_eq!(fields.read::<u8>("bad", Err(Invalid::Empty)), None);
        assert_eq!(fields.read_optional::<u8>("absent", None), Some(None));
        assert_eq!(fields.read_list("list", ["1", "x", "y"], |s| s.parse::<u8>().map_err(|_| Invalid::Key)), None);
        assert_eq!(fields.read_nested("inner", |inner| inner.read::<u8>("deep", Err(Invalid::Slug))), None);
        let places: Vec<_> = fields.errors().iter().map(|error| error.field.clone()).collect();
        assert_eq!(places, ["bad", "list.1", "list.2", "inner.deep"]);
    }
}
