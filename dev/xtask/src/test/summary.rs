//! Reads what nextest and cargo's own test runner say at their end, and says it in one plain line.

use std::{fmt, ops::Add};

/// How many tests ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 { write!(f, ", {} skipped", self.skipped) } else { Ok(()) }
    }
}

impl Add for Counts {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

/// The last line of nextest's output that sums up the run.
pub fn closing_line(output: &str) -> Option<&str> {
    output.lines().rev().find(|line| without_colours(line).trim_start().starts_with("Summary ["))
}

/// Reads `Summary [ 1.2s] 9 tests run: 6 passed (1 slow), 2 failed, 1 timed out, 3 skipped`; where a run was cut short
/// it says `9/12 tests run`, and the three that did not run count as failed.
pub fn of_nextest(line: &str) -> Option<Counts> {
    let line = without_colours(line);
    let (before, after) = line.split_once(" run: ")?;
    let run = before.rsplit(']').next()?.split_whitespace().next()?;
    let planned: u64 = run.rsplit('/').next()?.parse().ok()?;
    let (mut counts, mut depth) = (Counts::default(), 0_u32);
    // What stands in parentheses is told again: "6 passed (1 slow, 2 leaky)".
    let plain: String = after
        .chars()
        .filter(|c| {
            depth += u32::from(*c == '(');
            let outside = depth == 0;
            depth -= u32::from(*c == ')');
            outside
        })
        .collect();
    for part in plain.split(',') {
        let mut words = part.split_whitespace();
        let (Some(number), Some(word)) = (words.next().and_then(|word| word.parse::<u64>().ok()), words.next()) else {
            continue;
        };
        match word {
            "passed" => counts.passed += number,
            "skipped" => counts.skipped += number,
            _ => {}
        }
    }
    counts.failed = planned.checked_sub(counts.passed)?;
    Some(counts)
}

/// Adds up the `test result:` lines of `cargo test`.
pub fn of_libtest(output: &str) -> Counts {
    let mut counts = Counts::default();
    for line in output.lines() {
        let line = without_colours(line);
        let Some(result) = line.strip_prefix("test result: ") else { continue };
        for part in result.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(number), Some(word)) = (words.next().and_then(|word| word.parse::<u64>().ok()), words.next())
            else {
                continue;
            };
            match word {
                "passed" => counts.passed += number,
                "failed" => counts.failed += number,
                "ignored" => counts.skipped += number,
                _ => {}
            }
        }
    }
    counts
}

/// Without the escape sequences that colour a terminal (ECMA-48, `CSI … m`).
fn without_colours(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nextests_closing_line_is_read_in_all_its_forms() {
        for (line, passed, failed, skipped) in [
            ("     Summary [   0.123s] 10 tests run: 10 passed, 0 skipped", 10, 0, 0),
            ("     Summary [   1.000s] 1 test run: 0 passed, 1 failed, 3 skipped", 0, 1, 3),
            (
                "     Summary [  61.5s] 9 tests run: 5 passed (2 slow, 1 leaky), 2 failed, 1 exec failed, 1 timed out, 0 skipped",
                5,
                4,
                0,
            ),
            ("     Summary [   0.2s] 3/9 tests run: 2 passed, 1 failed, 4 skipped", 2, 7, 4),
            (
                "\u{1b}[32;1m     Summary\u{1b}[0m [   0.1s] \u{1b}[1m2\u{1b}[0m tests run: \u{1b}[1m2\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m, 0 skipped",
                2,
                0,
                0,
            ),
        ] {
            assert_eq!(of_nextest(line), Some(Counts { passed, failed, skipped }), "{line}");
        }
        assert_eq!(of_nextest("     Summary [ 0.1s] something else"), None);
    }

    #[test]
    fn the_last_summary_counts() {
        let output = "Summary is a word\n     Summary [ 1s] 1 test run: 1 passed, 0 skipped\nerror: test run failed\n";
        assert_eq!(closing_line(output), Some("     Summary [ 1s] 1 test run: 1 passed, 0 skipped"));
        assert_eq!(closing_line("error: could not compile"), None);
    }

    #[test]
    fn results_of_several_crates_add_up() {
        let output = "test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.01s\n\
                      test result: FAILED. 1 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s\n";
        assert_eq!(of_libtest(output), Counts { passed: 3, failed: 3, skipped: 1 });
    }

    #[test]
    fn the_plain_line_names_the_skipped_only_when_there_are_some() {
        assert_eq!(Counts { passed: 3, failed: 1, skipped: 0 }.to_string(), "3 passed, 1 failed");
        assert_eq!(Counts { passed: 3, failed: 0, skipped: 2 }.to_string(), "3 passed, 0 failed, 2 skipped");
    }
}
