//! The docs tell the truth: paths, crates and commands that they name exist, and the map shows every floor.

use std::path::Path;

use super::{
    Finding,
    inline_code::{Mention, mentions},
    known_commands::Commands,
};
use crate::workspace::{TextFile, Workspace};

/// A span that begins with one of these and a slash is a path of the repository.
const PATH_STARTS: [&str; 6] = [".cargo", ".ci", ".config", "crates", "dev", "docs"];
/// The page that shows every crate and its floor.
const MAP: &str = "docs/ARCHITECTURE.md";

/// What the docs may name.
pub struct Known<'a> {
    pub workspace: &'a Workspace,
    pub xtask: Commands,
    pub warren: Commands,
}

/// Checks every mention in every page.
pub fn check(pages: &[TextFile], known: &Known<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in pages {
        for (line, mention) in mentions(&page.text) {
            let problem = match mention {
                Mention::Span(text) => known.span(text, &page.path),
                Mention::ShellLine(text) => known.command(text),
                Mention::Link(target) => known.link(target, &page.path),
            };
            findings.extend(problem.map(|problem| Finding::new(format!("{}:{line}", page.path), problem)));
        }
    }
    findings
}

/// Every crate stands in the map's table with its floor.
pub fn check_floor_table(pages: &[TextFile], floors: &[(&str, u8)]) -> Vec<Finding> {
    let map = pages.iter().find(|page| page.path == MAP).map(|page| page.text.as_str()).unwrap_or_default();
    let rows = floors.iter().map(|(name, floor)| format!("| {floor} | `{name}` |"));
    rows.filter(|row| !map.contains(row)).map(|row| Finding::new(MAP, format!("lacks the row {row}"))).collect()
}

impl Known<'_> {
    fn span(&self, text: &str, page: &str) -> Option<String> {
        if text.contains(char::is_whitespace) {
            return self.command(text);
        }
        if let Some(problem) = self.crate_name(text) {
            return Some(problem);
        }
        let first = text.split('/').next().unwrap_or_default();
        if text.contains('/') && PATH_STARTS.contains(&first) {
            // Up to the first part that stands for any name.
            let fixed: Vec<&str> = text.split('/').take_while(|part| !part.contains(['*', '<', '…', '{'])).collect();
            return self.missing(&fixed.join("/"), "");
        }
        let bare = !text.contains(['/', '*', '<', ':', '(']) && text.len() > 3;
        if bare && (text.ends_with(".rs") || text.ends_with(".md")) && !self.exists_anywhere(text) {
            return self.missing(text, page).map(|_| format!("`{text}` is the name of no file here"));
        }
        None
    }

    fn crate_name(&self, text: &str) -> Option<String> {
        let name = text.split("::").next().unwrap_or_default().replace('_', "-");
        let is_crate =
            name.strip_prefix("warren-").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_lowercase() || c == '-'));
        let known = self.workspace.packages.iter().any(|package| package.name == name);
        (is_crate && !known).then(|| format!("`{text}` names a crate that does not exist"))
    }

    /// A line of shell, or a span that may be one.
    fn command(&self, line: &str) -> Option<String> {
        let line = line.trim_start_matches("$ ").split(" #").next().unwrap_or_default();
        line.split(['|', ';', '&']).find_map(|command| {
            let words = command.split_whitespace().skip_while(|word| *word == "sudo" || word.contains('='));
            let words: Vec<&str> = words.collect();
            let unknown = match words.as_slice() {
                [program, rest @ ..] if *program == "warren" || program.ends_with("/warren") => self.warren.check(rest),
                ["cargo", "xtask", rest @ ..] => self.xtask.check(rest),
                ["cargo", "run", rest @ ..] => match rest.iter().position(|word| *word == "--") {
                    Some(at) if !rest.contains(&"--package") && !rest.contains(&"-p") => {
                        self.warren.check(&rest[at + 1..])
                    }
                    _ => Ok(()),
                },
                _ => Ok(()),
            };
            unknown.err().map(|word| format!("`{}`: there is no `{word}`", command.trim()))
        })
    }

    fn link(&self, target: &str, page: &str) -> Option<String> {
        let path = target.split(['#', ' ']).next().unwrap_or_default();
        if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
            return None;
        }
        let folder = Path::new(page).parent().unwrap_or(Path::new(""));
        let there = self.workspace.root.join(folder).join(path).exists();
        (!there).then(|| format!("links to {path}, which does not exist"))
    }

    fn missing(&self, path: &str, page: &str) -> Option<String> {
        let folder = Path::new(page).parent().unwrap_or(Path::new(""));
        let there = self.workspace.root.join(path).exists() || self.workspace.root.join(folder).join(path).exists();
        (!there).then(|| format!("`{path}` does not exist"))
    }

    fn exists_anywhere(&self, name: &str) -> bool {
        let files = self.workspace.files(&["rs", "md"]).unwrap_or_default();
        files.iter().any(|file| Path::new(&file.path).file_name().is_some_and(|have| have == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::known_commands;

    fn problems(text: &str) -> Vec<Finding> {
        let workspace = Workspace::load().unwrap();
        let cli = "#[derive(Parser)] struct Cli { #[command(subcommand)] c: Command }
                   #[derive(Subcommand)] enum Command { Up { #[arg(long)] data: String } }";
        let main = TextFile { path: "crates/warren/src/main.rs".to_owned(), text: cli.to_owned() };
        let known = Known {
            workspace: &workspace,
            xtask: known_commands::xtask(),
            warren: known_commands::warren(&[main]).unwrap(),
        };
        check(&[TextFile { path: "docs/PAGE.md".to_owned(), text: text.to_owned() }], &known)
    }

    #[test]
    fn what_exists_may_be_named() {
        for good in [
            "`dev/xtask/src/main.rs`",
            "`crates/core/*/src`",
            "`main.rs`",
            "`warren-model`",
            "`warren_model::Clock`",
            "`warren up --data /srv/warren`",
            "`cargo xtask test`",
            "`cargo run --release -- up`",
            "`/api/v1/devices`",
            "[all](../Cargo.toml)",
            "[site](https://example.org/x)",
            "```sh\nsudo warren up | tee log # for ever\n```",
        ] {
            assert_eq!(problems(good), [], "{good}");
        }
    }

    #[test]
    fn what_does_not_exist_is_found() {
        for bad in [
            "`dev/xtask/src/gone.rs`",
            "`crates/gone/*/src`",
            "`gone_for_good.rs`",
            "`warren-burrow`",
            "`warren_burrow::Dig`",
            "`warren down`",
            "`warren up --speed 9`",
            "`cargo xtask fly`",
            "`cargo run --release -- down`",
            "[gone](gone.md)",
            "```sh\nsudo warren down\n```",
        ] {
            assert_eq!(problems(bad).len(), 1, "{bad}");
        }
    }

    #[test]
    fn a_crate_that_the_map_lacks_is_found() {
        let map = TextFile { path: MAP.to_owned(), text: "| 0 | `a` | x |\n| 1 | `b` | y |\n".to_owned() };
        assert_eq!(check_floor_table(std::slice::from_ref(&map), &[("a", 0), ("b", 1)]), []);
        assert_eq!(check_floor_table(&[map], &[("a", 0), ("b", 2), ("c", 1)]).len(), 2);
    }
}
