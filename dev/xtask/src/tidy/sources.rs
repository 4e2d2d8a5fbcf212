//! Rust files: their length, their opening sentence, their names, and the attributes that hide something.

use super::Finding;
use crate::workspace::TextFile;

/// A file of more lines than this fails.
const LINES_MAX: usize = 800;
/// A file of more lines than this is mentioned.
const LINES_NOTED: usize = 500;
/// Names that say nothing.
const EMPTY_NAMES: [&str; 8] = ["utils", "util", "common", "helpers", "helper", "misc", "stuff", "shared"];

/// Checks each file by itself.
pub fn check(rust: &[TextFile]) -> Vec<Finding> {
    rust.iter()
        .flat_map(|file| [length(file), opening(file), name(file)].into_iter().flatten().chain(attributes(file)))
        .collect()
}

/// Files that are allowed but long, with their lines.
pub fn long_files(rust: &[TextFile]) -> Vec<(&str, usize)> {
    let lines = rust.iter().map(|file| (file.path.as_str(), file.text.lines().count()));
    lines.filter(|(_, lines)| (LINES_NOTED + 1..=LINES_MAX).contains(lines)).collect()
}

fn length(file: &TextFile) -> Option<Finding> {
    let lines = file.text.lines().count();
    (lines > LINES_MAX).then(|| Finding::new(&file.path, format!("{lines} lines, more than {LINES_MAX}: split it")))
}

fn opening(file: &TextFile) -> Option<Finding> {
    let opens = file.text.starts_with("//! ");
    (!opens).then(|| Finding::new(&file.path, "does not open with a `//!` sentence that says what it is for"))
}

fn name(file: &TextFile) -> Option<Finding> {
    let path = file.path.strip_suffix(".rs").unwrap_or(&file.path);
    let empty = path.split('/').find(|part| part.split(['_', '-']).any(|word| EMPTY_NAMES.contains(&word)))?;
    Some(Finding::new(&file.path, format!("`{empty}` names no idea; say what it holds")))
}

fn attributes(file: &TextFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let line = line.trim_start();
        let Some(attribute) = line.strip_prefix("#![").or_else(|| line.strip_prefix("#[")) else { continue };
        let place = || format!("{}:{}", file.path, index + 1);
        if attribute.starts_with("ignore]") {
            findings.push(Finding::new(place(), "a bare ignore: give its reason, or delete the test"));
        }
        let conditional = attribute.starts_with("cfg_attr(") && attribute.contains(", allow(");
        // Each program of a crate's tests compiles the modules they share, and uses its own part of them.
        let shared_by_tests =
            file.path.contains("/tests/") && line.starts_with("#![allow(dead_code, ") && line.contains("reason = ");
        if (attribute.starts_with("allow(") && !shared_by_tests) || conditional {
            findings.push(Finding::new(place(), "allow outlives its cause: write `#[expect(…, reason = \"…\")]`"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<Finding> {
        check(&[TextFile { path: path.to_owned(), text: text.to_owned() }])
    }

    fn lines(count: usize) -> String {
        format!("//! Says what it is for.\n{}", "\n".repeat(count - 1))
    }

    #[test]
    fn a_file_past_800_lines_fails_and_one_past_500_is_noted() {
        assert_eq!(problems("crates/a.rs", &lines(800)), []);
        assert_eq!(problems("crates/a.rs", &lines(801)).len(), 1);
        let noted = |count| !long_files(&[TextFile { path: "a.rs".to_owned(), text: lines(count) }]).is_empty();
        assert_eq!([noted(500), noted(501), noted(800), noted(801)], [false, true, true, false]);
    }

    #[test]
    fn a_module_opens_with_a_sentence() {
        assert_eq!(problems("crates/a.rs", "use std::fs;\n//! Too late.\n").len(), 1);
        assert_eq!(problems("crates/a.rs", "").len(), 1);
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        for path in ["crates/core/src/utils.rs", "crates/common/src/lib.rs", "crates/core/src/test_helpers/mod.rs"] {
            assert_eq!(problems(path, &lines(1)).len(), 1, "{path}");
        }
        assert_eq!(problems("crates/core/src/commonwealth.rs", &lines(1)), []);
    }

    #[test]
    fn attributes_that_hide_something_are_found() {
        for bad in ["#[ignore]", "    #[allow(dead_code)]", "#![allow(unused)]", "#[cfg_attr(test, allow(dead_code))]"]
        {
            assert_eq!(problems("crates/a.rs", &format!("//! A.\n{bad}\n")).len(), 1, "{bad}");
        }
        let shared =
            |path| problems(path, "//! A.\n#![allow(dead_code, reason = \"each test program uses its part\")]\n").len();
        assert_eq!([shared("crates/a/tests/lab/mod.rs"), shared("crates/a/src/lab.rs")], [0, 1]);
        for good in ["#[ignore = \"needs a kernel module\"]", "#[expect(dead_code, reason = \"x\")]", "let allow = 1;"]
        {
            assert_eq!(problems("crates/a.rs", &format!("//! A.\n{good}\n")), [], "{good}");
        }
    }
}
