//! The layering: a crate depends only on crates of a strictly lower floor, and the wings meet only through `core`.

use std::collections::BTreeMap;

use cargo_metadata::DependencyKind;

use super::Finding;
use crate::workspace::Package;

/// Every crate of the workspace and the floor it stands on, as docs/ARCHITECTURE.md tells it.
pub const FLOORS: &[(&str, u8)] = &[
    ("warren-model", 0),
    ("warren-resilience", 0),
    ("warren-runtime", 1),
    ("warren-wire", 1),
    ("warren-schema", 1),
    ("warren-auth", 1),
    ("warren-tunnel", 2),
    ("warren-storage", 2),
    ("warren-courier", 2),
    ("warren-cache", 2),
    ("warren-dispatch", 2),
    ("warren-app", 3),
    ("warren-gateway", 4),
    ("warren-portal", 4),
    ("warren", 5),
    ("warren-testkit", 6),
    ("xtask", 6),
    ("warren-bench", 7),
];

/// Part of the house that a crate's folder puts it in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wing {
    Core,
    Control,
    Node,
    Ops,
    Door,
    Development,
}

impl Wing {
    fn of(folder: &str) -> Option<Self> {
        let mut parts = folder.split('/');
        match (parts.next()?, parts.next()?) {
            ("crates", "core") => Some(Self::Core),
            ("crates", "control") => Some(Self::Control),
            ("crates", "node") => Some(Self::Node),
            ("crates", "ops") => Some(Self::Ops),
            ("crates", "warren") => Some(Self::Door),
            ("dev", _) => Some(Self::Development),
            _ => None,
        }
    }

    const fn may_use(self, other: Self) -> bool {
        match self {
            Self::Core => matches!(other, Self::Core),
            Self::Control => matches!(other, Self::Core | Self::Control),
            Self::Node => matches!(other, Self::Core | Self::Node),
            Self::Ops => matches!(other, Self::Core | Self::Control | Self::Ops),
            Self::Door => !matches!(other, Self::Development),
            Self::Development => true,
        }
    }
}

/// Checks every edge between two crates of the workspace.
pub fn check(packages: &[Package], floors: &[(&str, u8)]) -> Vec<Finding> {
    let floor_of: BTreeMap<&str, u8> = floors.iter().copied().collect();
    let folder_of: BTreeMap<&str, &str> = packages.iter().map(|p| (p.name.as_str(), p.folder.as_str())).collect();
    let mut findings = Vec::new();
    for (name, _) in floors.iter().filter(|(name, _)| !folder_of.contains_key(name)) {
        findings.push(Finding::new(*name, "has a floor in dev/xtask/src/tidy/floors.rs but is not a crate"));
    }
    for package in packages {
        let Some(floor) = floor_of.get(package.name.as_str()) else {
            findings.push(Finding::new(&package.name, "has no floor; give it one in dev/xtask/src/tidy/floors.rs"));
            continue;
        };
        let Some(wing) = Wing::of(&package.folder) else {
            findings.push(Finding::new(&package.name, format!("stands in no wing: {}", package.folder)));
            continue;
        };
        for dependency in &package.dependencies {
            let Some(folder) = folder_of.get(dependency.name.as_str()) else { continue };
            let Some(other_wing) = Wing::of(folder) else { continue };
            // Tests may lean on what is made for tests, which stands above everything that ships.
            if dependency.kind == DependencyKind::Development && other_wing == Wing::Development {
                continue;
            }
            let other_floor = floor_of.get(dependency.name.as_str()).copied().unwrap_or(u8::MAX);
            if other_floor >= *floor {
                findings.push(Finding::new(
                    &package.name,
                    format!(
                        "floor {floor}, depends on {} of floor {other_floor}: depend downward only",
                        dependency.name
                    ),
                ));
            }
            if !wing.may_use(other_wing) {
                findings.push(Finding::new(
                    &package.name,
                    format!("{wing:?} may not use {} of {other_wing:?}: they meet through core", dependency.name),
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn package(name: &str, folder: &str, dependencies: &[(&str, DependencyKind)]) -> Package {
        let dependencies =
            dependencies.iter().map(|(name, kind)| Dependency { name: (*name).to_owned(), kind: *kind }).collect();
        Package { name: name.to_owned(), folder: folder.to_owned(), dependencies, has_library: true }
    }

    fn problems(packages: &[Package], floors: &[(&str, u8)]) -> Vec<String> {
        check(packages, floors).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_crate_may_use_a_lower_floor_only() {
        let base = package("base", "crates/core/base", &[]);
        let above = package("above", "crates/core/above", &[("base", DependencyKind::Normal)]);
        let packages = [base, above];
        assert_eq!(problems(&packages, &[("base", 0), ("above", 1)]), [""; 0]);
        for floor in [0, 1] {
            let found = problems(&packages, &[("base", 1), ("above", floor)]);
            assert_eq!(found, [format!("above: floor {floor}, depends on base of floor 1: depend downward only")]);
        }
    }

    #[test]
    fn node_and_control_never_meet() {
        let store = package("store", "crates/control/store", &[]);
        let gate = package("gate", "crates/node/gate", &[("store", DependencyKind::Normal)]);
        let found = problems(&[store, gate], &[("store", 1), ("gate", 2)]);
        assert_eq!(found, ["gate: Node may not use store of Control: they meet through core"]);
    }

    #[test]
    fn what_ships_uses_the_testkit_in_tests_only() {
        let kit = package("kit", "dev/kit", &[]);
        let floors = [("kit", 7), ("binary", 6)];
        let in_tests = package("binary", "crates/warren", &[("kit", DependencyKind::Development)]);
        assert_eq!(problems(&[kit.clone(), in_tests], &floors), [""; 0]);
        let shipped = package("binary", "crates/warren", &[("kit", DependencyKind::Normal)]);
        assert_eq!(problems(&[kit, shipped], &floors).len(), 2);
    }

    #[test]
    fn every_crate_has_a_floor_and_every_floor_a_crate() {
        let lonely = package("lonely", "crates/core/lonely", &[]);
        let found = problems(&[lonely], &[("gone", 3)]);
        assert!(found[0].starts_with("gone: has a floor"), "{found:?}");
        assert!(found[1].starts_with("lonely: has no floor"), "{found:?}");
    }

    #[test]
    fn a_crate_outside_of_the_wings_is_found() {
        let found = problems(&[package("stray", "stray", &[])], &[("stray", 0)]);
        assert_eq!(found, ["stray: stands in no wing: stray"]);
    }
}
