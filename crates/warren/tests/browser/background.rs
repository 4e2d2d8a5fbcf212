//! What the operator sees of work outside of requests: jobs, letters, and what Warren depends on.

use std::time::Duration;

use warren_testkit::{
    browser::{Scheme, Viewport},
    installation::Installation,
};

use crate::reader::Reader;

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_test_letter_is_followed_to_its_end_and_read() -> anyhow::Result<()> {
    let installation = Installation::with(&["--no-gateway", "--keep-mail"])?;
    let reader = Reader::who_sets_up(&installation).await?;
    reader.visit("/operator/jobs").await?;
    reader.press("form[action='/operator/jobs/queues/mail/pause'] button").await?;
    assert!(reader.reads(".notice.warn").await?.contains("The queue Mail is paused; its jobs wait. Anna Berg"));

    reader.visit("/operator/mail/test").await?;
    reader.fill("#to", "ben@example.org").await?;
    reader.press("main button.first").await?;
    assert_eq!(reader.reads("[data-job-state]").await?, "Ready");
    let job = reader.path().await?;
    assert!(job.starts_with("/operator/jobs/"), "{job}");
    reader.finds_it_in_order("job-ready").await?;

    reader.visit("/operator/jobs").await?;
    reader.finds_it_in_order("jobs-paused").await?;
    reader.press("form[action='/operator/jobs/queues/mail/resume'] button").await?;
    reader.visit(&job).await?;
    if reader.reads("[data-job-state]").await? != "Done" {
        reader.waits_until_changed("[data-job-state]", "Ready", SOON).await?;
    }
    reader.sees("[data-job-ended]").await?;
    assert_eq!(reader.reads("[data-job-state]").await?, "Done");

    reader.visit("/operator/mail").await?;
    reader.press(".table .name").await?;
    assert_eq!(reader.reads("h1").await?, "A test mail from Warren");
    // The letter stands in its frame, with its styles and without any power.
    reader.sees("iframe.letter").await?;
    let (words, colour) = reader.in_frame("td[style*=border-top]").await?;
    assert!(words.contains("Warren"), "{words}");
    assert_eq!(colour, "rgba(194, 80, 15, 1)");
    reader.finds_it_in_order("letter").await?;
    Ok(())
}

#[tokio::test]
async fn a_dependency_is_left_alone_by_hand_until_it_is_released() -> anyhow::Result<()> {
    let installation = Installation::with(&["--no-gateway", "--keep-mail"])?;
    let reader = Reader::who_sets_up(&installation).await?;
    let badge = "section[aria-labelledby=dependency-smtp] .card-head .badge";
    reader.visit("/operator/dependencies").await?;
    assert_eq!(reader.reads(badge).await?, "Called");
    reader.press("a[href='/operator/dependencies/smtp/open']").await?;
    assert_eq!(reader.reads("h1").await?, "Leave smtp alone?");
    reader.finds_it_in_order("dependency-force").await?;
    reader.press("main button.first").await?;
    reader.arrives_at("/operator/dependencies").await?;
    assert_eq!(reader.reads(badge).await?, "Left alone by hand");
    reader.press("#changes-smtp summary").await?;
    reader.finds_it_in_order("dependency-forced").await?;
    reader.press("a[href='/operator/dependencies/smtp/release']").await?;
    reader.press("main button.first").await?;
    reader.arrives_at("/operator/dependencies").await?;
    // The next call is a careful one.
    assert_eq!(reader.reads(badge).await?, "Being tried");
    Ok(())
}

#[tokio::test]
async fn an_invitation_says_what_becomes_of_its_letter() -> anyhow::Result<()> {
    let installation = Installation::with(&["--no-gateway", "--keep-mail"])?;
    let reader = Reader::who_sets_up(&installation).await?;
    reader.invites("Ben Carter", "ben@example.org").await?;
    assert!(reader.reads("main .soft").await?.contains("the letter to ben@example.org is only kept"));
    for (viewport, scheme, way) in
        [(Viewport::Desktop, Scheme::Dark, "desktop-dark"), (Viewport::Phone, Scheme::Light, "phone-light")]
    {
        reader.looks(viewport, scheme).await?;
        for (name, path) in [
            ("jobs", "/operator/jobs"),
            ("mail", "/operator/mail"),
            ("mail-test", "/operator/mail/test"),
            ("letters", "/operator/mail/letters"),
            ("letters-german", "/operator/mail/letters?language=de"),
            ("dependencies", "/operator/dependencies"),
        ] {
            reader.visit(path).await?;
            reader.sees("h1").await?;
            reader.finds_it_in_order(&format!("{name}-{way}")).await?;
        }
    }
    Ok(())
}
