//! A person at a browser: what they press, fill in and see.

use std::time::Duration;

use anyhow::Context;
use fantoccini::{Locator, elements::Element};
use serde_json::Value;
use warren_testkit::{
    browser::{Browser, Scheme, Viewport},
    installation::Installation,
};

pub const PASSWORD: &str = "a long and quiet river";
const WAIT: Duration = Duration::from_secs(10);

pub struct Reader {
    browser: Browser,
    portal: String,
}

impl Reader {
    /// Somebody who is not signed in.
    pub async fn of(installation: &Installation) -> anyhow::Result<Self> {
        Ok(Self { browser: Browser::start().await?, portal: installation.portal().to_owned() })
    }

    /// Anna, who follows the set-up link and makes the organisation `northwind`.
    pub async fn who_sets_up(installation: &Installation) -> anyhow::Result<Self> {
        let reader = Self::of(installation).await?;
        reader.browser.page().goto(&installation.set_up_link()?).await?;
        reader.fill("#name", "Anna Berg").await?;
        reader.fill("#email", "anna@example.org").await?;
        reader.fill("#password", PASSWORD).await?;
        reader.fill("#organisation-name", "Northwind").await?;
        reader.press("main button.first").await?;
        reader.arrives_at("/o/northwind").await?;
        Ok(reader)
    }

    /// Adds a gateway that never joins, which is enough to make networks on.
    pub async fn adds_a_gateway(&self) -> anyhow::Result<()> {
        self.adds_a_gateway_at("vpn.example.org").await
    }

    /// The same with the address that devices are told.
    pub async fn adds_a_gateway_at(&self, host: &str) -> anyhow::Result<()> {
        self.visit("/operator/gateways/new").await?;
        self.fill("#name", "fra-1").await?;
        self.fill("#endpoint_host", host).await?;
        self.press("main button.first").await?;
        self.sees(".secret code").await?;
        Ok(())
    }

    /// Makes a network from nothing but a name.
    pub async fn makes_a_network(&self, name: &str) -> anyhow::Result<()> {
        self.visit("/o/northwind/networks/new").await?;
        self.fill("#name", name).await?;
        self.press("main button.first").await?;
        self.sees(".facts").await?;
        Ok(())
    }

    /// Invites somebody as a member, and returns the link to hand over.
    pub async fn invites(&self, name: &str, email: &str) -> anyhow::Result<String> {
        self.visit("/o/northwind/people/new").await?;
        self.fill("#name", name).await?;
        self.fill("#email", email).await?;
        self.press("main button.first").await?;
        self.reads(".secret code").await
    }

    pub async fn looks(&self, viewport: Viewport, scheme: Scheme) -> anyhow::Result<()> {
        self.browser.show(viewport, scheme).await
    }
    pub async fn visit(&self, path: &str) -> anyhow::Result<()> {
        Ok(self.browser.page().goto(&format!("{}{path}", self.portal)).await?)
    }
    pub async fn visit_link(&self, link: &str) -> anyhow::Result<()> {
        Ok(self.browser.page().goto(link).await?)
    }
    /// The element, once it is there.
    pub async fn sees(&self, css: &str) -> anyhow::Result<Element> {
        let page = self.browser.page();
        let found = page.wait().at_most(WAIT).for_element(Locator::Css(css)).await;
        found.with_context(|| format!("{css} is not on the page"))
    }
    pub async fn reads(&self, css: &str) -> anyhow::Result<String> {
        Ok(self.sees(css).await?.text().await?)
    }
    /// Whether the element is there now.
    pub async fn has(&self, css: &str) -> anyhow::Result<bool> {
        Ok(!self.browser.page().find_all(Locator::Css(css)).await?.is_empty())
    }
    /// Whether the element, once it is there, can be seen. The browser's own answer: WebDriver's takes whatever stands in a
    /// closed `<details>` for hidden, also where the style sheet shows it.
    pub async fn shows(&self, css: &str) -> anyhow::Result<bool> {
        self.sees(css).await?;
        let visible = format!("return document.querySelector('{css}').checkVisibility({{ visibilityProperty: true }})");
        Ok(self.script(&visible).await? == Value::Bool(true))
    }
    /// Waits until an element no longer says `before`.
    pub async fn waits_until_changed(&self, css: &str, before: &str, limit: Duration) -> anyhow::Result<()> {
        let changed = async {
            while self.reads(css).await? == before {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            anyhow::Ok(())
        };
        let waited = tokio::time::timeout(limit, changed).await;
        waited.with_context(|| format!("{css} still says {before}"))?
    }
    /// What an element holds, folded away or not.
    pub async fn content(&self, css: &str) -> anyhow::Result<String> {
        let content = self.sees(css).await?.prop("textContent").await?;
        content.with_context(|| format!("{css} holds no text"))
    }
    /// What an element within the page's frame says, and the colour of its upper border.
    pub async fn in_frame(&self, css: &str) -> anyhow::Result<(String, String)> {
        let page = self.browser.page();
        page.enter_frame(0).await?;
        let found = self.sees(css).await?;
        let said = (found.text().await?, found.css_value("border-top-color").await?);
        page.enter_parent_frame().await?;
        Ok(said)
    }
    pub async fn fill(&self, css: &str, text: &str) -> anyhow::Result<()> {
        let input = self.sees(css).await?;
        input.clear().await?;
        Ok(input.send_keys(text).await?)
    }
    pub async fn press(&self, css: &str) -> anyhow::Result<()> {
        Ok(self.sees(css).await?.click().await?)
    }
    /// Waits until the page's path is `path`.
    pub async fn arrives_at(&self, path: &str) -> anyhow::Result<()> {
        let url = format!("{}{path}", self.portal).parse()?;
        let waited = self.browser.page().wait().at_most(WAIT).for_url(&url).await;
        if waited.is_err() {
            let (here, shown) = (self.browser.page().current_url().await?, self.reads("main").await?);
            anyhow::bail!("waited for {path}, but stands at {here}, which says: {shown}");
        }
        Ok(())
    }
    pub async fn path(&self) -> anyhow::Result<String> {
        Ok(self.browser.page().current_url().await?.path().to_owned())
    }
    pub async fn script(&self, script: &str) -> anyhow::Result<Value> {
        Ok(self.browser.page().execute(script, Vec::new()).await?)
    }

    /// Keeps a picture, and fails when the page cannot be used by everybody: faults that axe-core calls serious, content
    /// wider than the screen, or errors in the console.
    pub async fn finds_it_in_order(&self, name: &str) -> anyhow::Result<()> {
        self.browser.screenshot(&format!("portal-{name}")).await?;
        let faults = self.browser.serious_faults().await?;
        anyhow::ensure!(faults.is_empty(), "{name}: {faults:#?}");
        let beyond =
            self.script("return document.documentElement.scrollWidth - document.documentElement.clientWidth").await?;
        anyhow::ensure!(beyond.as_i64() == Some(0), "{name} is {beyond} pixels wider than the screen");
        let errors = self.browser.console_errors().await?;
        anyhow::ensure!(errors.is_empty(), "{name}: {errors:#?}");
        Ok(())
    }
}
