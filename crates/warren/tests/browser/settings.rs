//! What admins decide about their organisation, and the folds that leave room on a phone.

use warren_testkit::{
    browser::{Scheme, Viewport},
    installation::Installation,
};

use crate::reader::{PASSWORD, Reader};

#[tokio::test]
async fn an_admin_renames_the_organisation_and_a_member_cannot() -> anyhow::Result<()> {
    let installation = Installation::start()?;
    let anna = Reader::who_sets_up(&installation).await?;
    anna.press(".place summary").await?;
    anna.press(".place a[href='/o/northwind/settings']").await?;
    assert_eq!(anna.reads("h1").await?, "Settings");
    anna.fill("#name", " ").await?;
    anna.press("main button.first").await?;
    anna.sees("#name-wrong").await?;
    anna.fill("#name", "Northwind Traders").await?;
    anna.press("main button.first").await?;
    anna.arrives_at("/o/northwind").await?;
    assert_eq!(anna.reads("h1").await?, "Northwind Traders");
    anna.visit("/o/northwind/activity").await?;
    let diary = anna.reads(".diary").await?;
    assert!(diary.contains("Anna Berg changed the organisation Northwind Traders"), "{diary}");

    let link = anna.invites("Ben Carter", "ben@example.org").await?;
    let ben = Reader::of(&installation).await?;
    ben.visit_link(&link).await?;
    ben.fill("#password", PASSWORD).await?;
    ben.press("main button.first").await?;
    ben.arrives_at("/o/northwind").await?;
    let places = ben.content(".place").await?;
    assert!(!places.contains("Settings"), "{places}");
    ben.visit("/o/northwind/settings").await?;
    assert_eq!(ben.reads(".wrong-number").await?, "403");
    Ok(())
}

#[tokio::test]
async fn filters_are_folded_on_a_phone_until_one_is_set() -> anyhow::Result<()> {
    let installation = Installation::start()?;
    let reader = Reader::who_sets_up(&installation).await?;
    let activity = "/o/northwind/activity";
    reader.looks(Viewport::Phone, Scheme::Light).await?;
    reader.visit(activity).await?;
    assert!(!reader.shows("#action").await?, "the filters fill the phone");
    for (path, input) in [("activity?action=organisation.created", "#action"), ("devices?q=phone", "#q")] {
        reader.visit(&format!("/o/northwind/{path}")).await?;
        assert!(reader.shows(input).await?, "what is set at {path} is hidden");
    }
    reader.looks(Viewport::Desktop, Scheme::Light).await?;
    reader.visit(activity).await?;
    assert!(reader.shows("#action").await?, "the filters are folded on a desk");
    Ok(())
}
