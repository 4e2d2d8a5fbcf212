//! axe-core, which judges a page's accessibility by the rules of WCAG (<https://github.com/dequelabs/axe-core>).

use std::fmt;

use anyhow::{Context, bail};
use fantoccini::Client;
use serde::Deserialize;
use serde_json::Value;

/// Where `cargo xtask test` puts it.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/axe/node_modules/axe-core/axe.min.js");
const RUN: &str = "
    const done = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ['violations'] }).then(
        result => done({ violations: result.violations }),
        error => done({ error: String(error) }));";

/// How much a fault keeps people from using the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    Minor,
    Moderate,
    Serious,
    Critical,
}

/// A rule that the page breaks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Fault {
    /// The rule's name, as `color-contrast`.
    #[serde(rename = "id")]
    pub rule: String,
    pub impact: Option<Impact>,
    /// What the rule asks for.
    pub help: String,
    #[serde(rename = "helpUrl")]
    pub help_url: String,
    #[serde(rename = "nodes")]
    pub elements: Vec<Element>,
}

/// An element that breaks it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Element {
    pub html: String,
    #[serde(rename = "failureSummary", default)]
    pub summary: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} ({})", self.rule, self.help, self.help_url)?;
        self.elements.iter().try_for_each(|element| {
            writeln!(f, "  {}", element.html)?;
            element.summary.lines().filter(|line| !line.is_empty()).try_for_each(|line| writeln!(f, "    {line}"))
        })
    }
}

/// Runs axe-core in the page. Scripts that WebDriver brings are not subject to the page's content security policy.
pub async fn serious_faults(page: &Client) -> anyhow::Result<Vec<Fault>> {
    let script = std::fs::read_to_string(SCRIPT)
        .with_context(|| format!("cannot read {SCRIPT}; `cargo xtask test` puts axe-core there"))?;
    page.execute(&script, Vec::new()).await.context("axe-core does not load in this page")?;
    let mut answer: Value = page.execute_async(RUN, Vec::new()).await.context("axe-core does not run in this page")?;
    if let Some(error) = answer["error"].as_str() {
        bail!("axe-core failed: {error}");
    }
    let faults: Vec<Fault> = serde_json::from_value(answer["violations"].take()).context("axe-core's answer is new")?;
    Ok(faults.into_iter().filter(|fault| matches!(fault.impact, Some(Impact::Serious | Impact::Critical))).collect())
}
