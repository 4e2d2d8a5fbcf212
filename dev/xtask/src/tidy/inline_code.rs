//! Reads Markdown as far as tidy needs it: spans of code, lines of shell blocks, and where links lead.

/// Something in a page that names a thing outside of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mention<'a> {
    /// Between backquotes.
    Span(&'a str),
    /// A line of a shell block.
    ShellLine(&'a str),
    /// The target of a link or picture.
    Link(&'a str),
}

/// Languages whose blocks hold commands.
const SHELLS: [&str; 3] = ["sh", "bash", "console"];

/// Every mention in `page`, with its line from 1 on.
pub fn mentions(page: &str) -> Vec<(usize, Mention<'_>)> {
    let mut found = Vec::new();
    let mut block: Option<&str> = None;
    for (index, line) in page.lines().enumerate() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            block = if block.is_some() { None } else { Some(language.trim()) };
            continue;
        }
        match block {
            Some(language) if SHELLS.contains(&language) => found.push((index + 1, Mention::ShellLine(line))),
            Some(_) => {}
            None => found.extend(inline(line).into_iter().map(|mention| (index + 1, mention))),
        }
    }
    found
}

fn inline(line: &str) -> Vec<Mention<'_>> {
    let mut found = Vec::new();
    for (index, part) in line.split('`').enumerate() {
        if index % 2 == 1 {
            found.push(Mention::Span(part));
            continue;
        }
        let targets = part.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
        found.extend(targets.map(Mention::Link));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_links_and_shell_lines_are_mentions() {
        let page = "See `a/b.rs` and [c](d.md).\n```sh\ncargo xtask tidy\n```\n```rust\nlet x = 1;\n```\n[`e`](f.md)\n";
        assert_eq!(
            mentions(page),
            [
                (1, Mention::Span("a/b.rs")),
                (1, Mention::Link("d.md")),
                (3, Mention::ShellLine("cargo xtask tidy")),
                (8, Mention::Span("e")),
                (8, Mention::Link("f.md")),
            ]
        );
    }
}
