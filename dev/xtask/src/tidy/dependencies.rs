//! Dependencies that nothing uses: declared for the workspace and taken by no crate, or taken by a crate whose sources
//! never name them.

use super::Finding;
use crate::workspace::{Package, TextFile};

/// Dependencies that act without being named, each with its reason.
const UNNAMED: &[(&str, &str, &str)] = &[];

/// Every entry of `[workspace.dependencies]` is used by some crate.
pub fn check_workspace(manifest: &toml::Table, packages: &[Package]) -> Vec<Finding> {
    let declared =
        manifest.get("workspace").and_then(|table| table.get("dependencies")).and_then(toml::Value::as_table);
    declared
        .into_iter()
        .flatten()
        .map(|(key, value)| value.get("package").and_then(toml::Value::as_str).unwrap_or(key))
        .filter(|name| !packages.iter().any(|package| package.dependencies.iter().any(|d| d.name == *name)))
        .map(|name| Finding::new("Cargo.toml", format!("no crate uses the workspace dependency {name}; remove it")))
        .collect()
}

/// Every dependency of a crate is named somewhere under its folder.
pub fn check_named(packages: &[Package], rust: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        let folder = format!("{}/", package.folder);
        let sources: Vec<&TextFile> = rust.iter().filter(|file| file.path.starts_with(&folder)).collect();
        for dependency in &package.dependencies {
            let excepted = UNNAMED.iter().any(|(p, d, _)| *p == package.name && *d == dependency.name);
            let identifier = dependency.name.replace('-', "_");
            if !excepted && !sources.iter().any(|file| names(&file.text, &identifier)) {
                let problem = format!("declares {} and never names it; remove it", dependency.name);
                findings.push(Finding::new(&package.name, problem));
            }
        }
    }
    findings
}

/// Whether `identifier` stands in `text` as a whole word, outside of comment lines.
fn names(text: &str, identifier: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.lines().filter(|line| !line.trim_start().starts_with("//")).any(|line| {
        line.match_indices(identifier).any(|(at, _)| {
            !line[..at].chars().next_back().is_some_and(is_word)
                && !line[at + identifier.len()..].chars().next().is_some_and(is_word)
        })
    })
}

#[cfg(test)]
mod tests {
    use cargo_metadata::DependencyKind;

    use super::*;
    use crate::workspace::Dependency;

    fn package(dependency: &str) -> Package {
        Package {
            name: "user".to_owned(),
            folder: "crates/core/user".to_owned(),
            dependencies: vec![Dependency { name: dependency.to_owned(), kind: DependencyKind::Normal }],
            has_library: true,
        }
    }

    #[test]
    fn a_workspace_dependency_that_no_crate_uses_is_found() {
        let manifest = "[workspace.dependencies]\nserde = \"1\"\nother = { package = \"renamed\", version = \"1\" }\n";
        let manifest = manifest.parse().unwrap();
        let found = check_workspace(&manifest, &[package("serde")]);
        assert_eq!(found.len(), 1);
        assert!(found[0].problem.contains("renamed"), "{found:?}");
        assert_eq!(check_workspace(&manifest, &[package("serde"), package("renamed")]), []);
    }

    #[test]
    fn a_dependency_that_the_sources_never_name_is_found() {
        let file = |text: &str| TextFile { path: "crates/core/user/src/lib.rs".to_owned(), text: text.to_owned() };
        for used in ["use serde_json::Value;", "serde_json::to_string(x)", "#[serde_json(x)]"] {
            assert_eq!(check_named(&[package("serde-json")], &[file(used)]), [], "{used}");
        }
        for unused in ["", "// serde_json", "use serde_jsonb;"] {
            assert_eq!(check_named(&[package("serde-json")], &[file(unused)]).len(), 1, "{unused}");
        }
        let elsewhere =
            TextFile { path: "crates/core/other/src/lib.rs".to_owned(), text: "use serde_json;".to_owned() };
        assert_eq!(check_named(&[package("serde-json")], &[elsewhere]).len(), 1);
    }
}
