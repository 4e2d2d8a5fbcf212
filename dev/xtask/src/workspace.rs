//! The workspace as cargo and the file system show it, loaded once and handed to every command.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use cargo_metadata::{DependencyKind, MetadataCommand};

/// Folders whose files belong to the project.
const SOURCE_FOLDERS: [&str; 3] = ["crates", "dev", "docs"];
/// Folders that hold what tools made.
const FOLDERS_MADE_BY_TOOLS: [&str; 2] = ["target", "node_modules"];

/// The packages and where they stand.
#[derive(Debug)]
pub struct Workspace {
    pub root: PathBuf,
    pub packages: Vec<Package>,
}

/// One package of the workspace.
#[derive(Debug, Clone)]
pub struct Package {
    pub name: String,
    /// Relative to the workspace's root, as `crates/core/model`.
    pub folder: String,
    pub dependencies: Vec<Dependency>,
    /// Whether others can depend on it; a program alone cannot be.
    pub has_library: bool,
}

/// A dependency as the manifest declares it.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// The name in the registry.
    pub name: String,
    pub kind: DependencyKind,
}

/// A text file of the project.
#[derive(Debug, Clone)]
pub struct TextFile {
    /// Relative to the workspace's root.
    pub path: String,
    pub text: String,
}

impl Workspace {
    /// Asks cargo about the workspace that this program was built in.
    ///
    /// # Errors
    /// When cargo cannot read the manifests.
    pub fn load() -> anyhow::Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
        let metadata = MetadataCommand::new()
            .manifest_path(&manifest)
            .no_deps()
            .exec()
            .with_context(|| format!("cargo cannot read {}", manifest.display()))?;
        let root = metadata.workspace_root.into_std_path_buf();
        let packages = metadata
            .packages
            .into_iter()
            .map(|package| Package {
                has_library: package.targets.iter().any(cargo_metadata::Target::is_lib),
                name: package.name.to_string(),
                folder: package
                    .manifest_path
                    .parent()
                    .and_then(|folder| folder.as_std_path().strip_prefix(&root).ok())
                    .map(|folder| folder.display().to_string())
                    .unwrap_or_default(),
                dependencies: package
                    .dependencies
                    .into_iter()
                    .map(|dependency| Dependency { name: dependency.name, kind: dependency.kind })
                    .collect(),
            })
            .collect();
        Ok(Self { root, packages })
    }

    /// Every file of the project with one of the `extensions`, sorted by path.
    ///
    /// # Errors
    /// When a folder or file cannot be read, or a file is not UTF-8.
    pub fn files(&self, extensions: &[&str]) -> anyhow::Result<Vec<TextFile>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let path = entry?.path();
            if path.is_file() {
                paths.push(path);
            }
        }
        for folder in SOURCE_FOLDERS {
            collect(&self.root.join(folder), &mut paths)?;
        }
        paths.retain(|path| path.extension().is_some_and(|have| extensions.iter().any(|want| have == *want)));
        paths.sort();
        paths.iter().map(|path| self.read(path)).collect()
    }

    fn read(&self, path: &Path) -> anyhow::Result<TextFile> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let path = path.strip_prefix(&self.root).unwrap_or(path).display().to_string();
        Ok(TextFile { path, text })
    }
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_file() {
            paths.push(entry.path());
        } else if entry.file_type()?.is_dir() && !FOLDERS_MADE_BY_TOOLS.iter().any(|made| name == *made) {
            collect(&entry.path(), paths)?;
        }
    }
    Ok(())
}
