//! Debian's Chromium, driven by WebDriver: one browser with a fresh profile per value, gone when the value is dropped.
//!
//! ```no_run
//! # use warren_testkit::browser::{Browser, Scheme, Viewport};
//! # async fn test() -> anyhow::Result<()> {
//! let browser = Browser::start().await?;
//! browser.show(Viewport::Phone, Scheme::Dark).await?;
//! browser.page().goto("http://127.0.0.1:8080/sign-in").await?;
//! browser.screenshot("sign-in-phone-dark").await?;
//! assert_eq!(browser.serious_faults().await?, []);
//! assert_eq!(browser.console_errors().await?, [""; 0]);
//! # Ok(()) }
//! ```

mod axe;
mod command;
mod driver;

use std::path::{Path, PathBuf};

use anyhow::Context;
use base64::{Engine, prelude::BASE64_STANDARD};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

pub use axe::{Element, Fault, Impact};
use command::{DevTools, Log};
use driver::Driver;

/// Where screenshots are kept.
const OUTPUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../test-output");

/// How much of a page is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewport {
    /// 1280 × 900 pixels.
    Desktop,
    /// 390 × 844 pixels, touched rather than pointed at.
    Phone,
}

/// What the reader's system asks pages to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Light,
    Dark,
}

/// A Chromium without a window.
#[derive(Debug)]
pub struct Browser {
    // Dropped in this order: the session's handle, then the programs with their profile.
    page: Client,
    _driver: Driver,
}

impl Browser {
    /// Starts a browser that looks at pages as [`Viewport::Desktop`] in [`Scheme::Light`].
    ///
    /// # Errors
    /// When Chromium or its driver is missing (`cargo xtask test` installs both) or does not start.
    pub async fn start() -> anyhow::Result<Self> {
        let driver = Driver::start()?;
        let page = ClientBuilder::new(HttpConnector::new())
            .capabilities(driver.capabilities())
            .connect(driver.address())
            .await
            .context("chromedriver runs but starts no Chromium")?;
        let browser = Self { page, _driver: driver };
        browser.show(Viewport::Desktop, Scheme::Light).await?;
        Ok(browser)
    }

    /// The page, for everything that WebDriver can do: visit, find, click, fill in, wait.
    pub const fn page(&self) -> &Client {
        &self.page
    }

    /// Looks at this and the following pages as `viewport` in `scheme`.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn show(&self, viewport: Viewport, scheme: Scheme) -> anyhow::Result<()> {
        let (metrics, touch) = match viewport {
            Viewport::Desktop => {
                (json!({"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": false}), false)
            }
            Viewport::Phone => (json!({"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true}), true),
        };
        let scheme = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        self.tools("Emulation.setDeviceMetricsOverride", metrics).await?;
        self.tools("Emulation.setTouchEmulationEnabled", json!({"enabled": touch})).await?;
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.tools("Emulation.setEmulatedMedia", features).await?;
        Ok(())
    }

    /// Keeps a picture of the whole page, past the window's lower edge too, as `test-output/<name>.png`.
    ///
    /// # Errors
    /// When the browser is gone or the file cannot be written.
    pub async fn screenshot(&self, name: &str) -> anyhow::Result<PathBuf> {
        let size = self.tools("Page.getLayoutMetrics", json!({})).await?["cssContentSize"].take();
        let clip = json!({"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1});
        let options = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let answer = self.tools("Page.captureScreenshot", options).await?;
        let png = BASE64_STANDARD.decode(answer["data"].as_str().context("Chromium sent no picture")?)?;
        std::fs::create_dir_all(OUTPUT).with_context(|| format!("cannot make {OUTPUT}"))?;
        let path = Path::new(OUTPUT).join(format!("{name}.png"));
        std::fs::write(&path, png).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// What axe-core finds serious or critical in the page as it stands.
    ///
    /// # Errors
    /// When axe-core is not in its place (`cargo xtask test` puts it there) or does not run.
    pub async fn serious_faults(&self) -> anyhow::Result<Vec<Fault>> {
        axe::serious_faults(&self.page).await
    }

    /// Errors that the browser's console has shown since the last call: broken scripts, refused content, failed loads.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn console_errors(&self) -> anyhow::Result<Vec<String>> {
        let entries = self.page.issue_cmd(Log).await.context("cannot read the browser's console")?;
        let entries = entries.as_array().cloned().unwrap_or_default();
        let errors = entries.iter().filter(|entry| entry["level"] == "SEVERE");
        Ok(errors.filter_map(|entry| entry["message"].as_str()).map(str::to_owned).collect())
    }

    async fn tools(&self, name: &'static str, parameters: Value) -> anyhow::Result<Value> {
        self.page.issue_cmd(DevTools { name, parameters }).await.with_context(|| format!("Chromium refused {name}"))
    }
}

#[cfg(test)]
mod tests;
