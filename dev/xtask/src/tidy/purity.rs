//! Pure crates: their manifests name only crates known to do no I/O, and their sources leave the standard library's
//! I/O, threads and clocks alone.

use super::Finding;
use crate::workspace::{Package, TextFile};

/// The crates that are functions of their inputs.
const PURE: &[&str] = &["warren-model", "warren-resilience", "warren-tunnel"];
/// What a pure crate may depend on outside of its tests.
const KNOWN_PURE: &[&str] = &[
    "base64",
    "hex",
    "ipnet",
    // Without the features by which it reads the system's time zones and clock settings.
    "jiff",
    "serde",
    "serde_json",
    "thiserror",
    "time",
    "uuid",
    "zeroize",
    "warren-model",
    "warren-wire",
];
/// What a pure crate's source may not say.
const IMPURE: &[&str] = &[
    "async fn",
    "Instant::now",
    "std::env",
    "std::fs",
    "std::io",
    "std::process",
    "std::thread",
    "SystemTime::now",
    "TcpListener",
    "TcpStream",
    "UdpSocket",
    "UnixStream",
];

/// Checks the manifests of the pure crates and the sources under their folders.
pub fn check(packages: &[Package], rust: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages.iter().filter(|package| PURE.contains(&package.name.as_str())) {
        let declared = package.dependencies.iter().filter(|d| d.kind != cargo_metadata::DependencyKind::Development);
        for dependency in declared.filter(|dependency| !KNOWN_PURE.contains(&dependency.name.as_str())) {
            let problem = format!("is pure and may not depend on {}, which is not known to be pure", dependency.name);
            findings.push(Finding::new(&package.name, problem));
        }
        let sources = format!("{}/src/", package.folder);
        for file in rust.iter().filter(|file| file.path.starts_with(&sources)) {
            findings.extend(impure_lines(file));
        }
    }
    findings
}

fn impure_lines(file: &TextFile) -> impl Iterator<Item = Finding> + '_ {
    file.text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")).filter_map(
        |(index, line)| {
            let word = IMPURE.iter().find(|word| line.contains(*word))?;
            let place = format!("{}:{}", file.path, index + 1);
            Some(Finding::new(place, format!("{word} in a pure crate: pass in what it would have brought")))
        },
    )
}

#[cfg(test)]
mod tests {
    use cargo_metadata::DependencyKind;

    use super::*;
    use crate::workspace::Dependency;

    fn model(dependency: &str, kind: DependencyKind) -> Package {
        Package {
            name: "warren-model".to_owned(),
            folder: "crates/core/model".to_owned(),
            dependencies: vec![Dependency { name: dependency.to_owned(), kind }],
            has_library: true,
        }
    }

    #[test]
    fn a_pure_crate_declares_no_runtime() {
        assert!(check(&[model("time", DependencyKind::Normal)], &[]).is_empty());
        assert!(check(&[model("tokio", DependencyKind::Development)], &[]).is_empty());
        assert_eq!(check(&[model("tokio", DependencyKind::Normal)], &[]).len(), 1);
    }

    #[test]
    fn a_pure_crate_leaves_the_clock_and_the_disk_alone() {
        let file = |path: &str| TextFile {
            path: path.to_owned(),
            text: "// std::fs is out of bounds\nlet now = std::time::Instant::now();\n".to_owned(),
        };
        let rust = [file("crates/core/model/src/device.rs"), file("crates/core/runtime/src/lib.rs")];
        let found = check(&[model("time", DependencyKind::Normal)], &rust);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, "crates/core/model/src/device.rs:2");
    }
}
