//! From a name that a person typed to the one thing it stands for.

use serde::de::DeserializeOwned;
use uuid::Uuid;
use warren_wire::rest::v1::{Device, Gateway, Network, Person, Webhook};

use super::console::Console;
use crate::Failure;

/// A thing that has a name and an identifier.
pub trait Named: DeserializeOwned {
    /// What it is called in messages.
    const THING: &'static str;
    /// The command that lists them.
    const LIST: &'static str;
    fn id(&self) -> Uuid;
    /// Everything that it answers to.
    fn names(&self) -> Vec<&str>;
}

/// The identifier of the thing under `path` that `given` names: an identifier, a name, or a name in another case.
///
/// # Errors
/// [`Failure::NotFound`], or [`Failure::Ambiguous`] with the identifiers to choose from.
pub async fn find<T: Named>(
    console: &Console,
    path: &str,
    query: &[(&str, String)],
    given: &str,
) -> Result<Uuid, Failure> {
    if let Ok(id) = Uuid::try_parse(given) {
        return Ok(id);
    }
    pick(&console.all::<T>(path, query).await?, given)
}

/// The identifier of the only thing under `path`.
///
/// # Errors
/// [`Failure::Unnamed`] when there is none or more than one; it names `option`.
pub async fn only<T: Named>(console: &Console, path: &str, option: &str) -> Result<Uuid, Failure> {
    match console.all::<T>(path, &[]).await?.as_slice() {
        [only] => Ok(only.id()),
        [] => Err(Failure::Unnamed(format!("there is no {} yet; create one first", T::THING))),
        _ => Err(Failure::Unnamed(format!("say which {} with {option}; see: warren {}", T::THING, T::LIST))),
    }
}

fn pick<T: Named>(items: &[T], given: &str) -> Result<Uuid, Failure> {
    let matching = |same: &dyn Fn(&str) -> bool| -> Vec<Uuid> {
        items.iter().filter(|item| item.names().into_iter().any(same)).map(Named::id).collect()
    };
    let exact = matching(&|name| name == given);
    let wanted = given.to_lowercase();
    let found = if exact.is_empty() { matching(&|name| name.to_lowercase() == wanted) } else { exact };
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(Failure::NotFound { thing: T::THING, name: given.to_owned(), list: T::LIST }),
        several => Err(Failure::Ambiguous {
            thing: T::THING,
            name: given.to_owned(),
            ids: several.iter().map(Uuid::to_string).collect(),
        }),
    }
}

macro_rules! named {
    ($($type:ty, $thing:literal, $list:literal, [$($field:ident),+]);+ $(;)?) => {$(
        impl Named for $type {
            const THING: &'static str = $thing;
            const LIST: &'static str = $list;
            fn id(&self) -> Uuid { self.id }
            fn names(&self) -> Vec<&str> { vec![$(&self.$field),+] }
        }
    )+};
}

named!(
    Device, "device", "devices list", [name];
    Gateway, "gateway", "gateways list", [name];
    Network, "network", "networks list", [name];
    Person, "person", "people list", [name, email];
    Webhook, "webhook", "webhooks list", [name];
);

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Thing(u128, String);

    impl Named for Thing {
        const THING: &'static str = "thing";
        const LIST: &'static str = "things list";
        fn id(&self) -> Uuid {
            Uuid::from_u128(self.0)
        }
        fn names(&self) -> Vec<&str> {
            vec![&self.1]
        }
    }

    #[test]
    fn an_exact_name_goes_before_one_in_another_case() {
        let things = [(1, "Office"), (2, "office"), (3, "Lab"), (4, "Twin"), (5, "Twin")]
            .map(|(id, name)| Thing(id, name.into()));
        assert_eq!(pick(&things, "office").unwrap(), Uuid::from_u128(2));
        assert_eq!(pick(&things, "LAB").unwrap(), Uuid::from_u128(3));
        assert!(matches!(pick(&things, "Twin"), Err(Failure::Ambiguous { ids, .. }) if ids.len() == 2));
        assert!(matches!(pick(&things, "Attic"), Err(Failure::NotFound { .. })));
    }
}
