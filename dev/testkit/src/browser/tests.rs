//! The browser against pages of this file's own, served from loopback.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener},
    thread,
};

use fantoccini::Locator;

use super::*;

const GOOD: &str = "<!doctype html><html lang=en><title>Good</title><meta name=viewport content='width=device-width'>
    <style>@media (prefers-color-scheme: dark) { body { background: #000; color: #fff } }</style>
    <main><h1>Good</h1><p id=width></p><label>Name <input id=name></label></main><script src=/script.js></script>";
const SCRIPT: &str = "document.getElementById('width').textContent = innerWidth;";
const BAD: &str = "<!doctype html><html lang=en><title>Bad</title><main><h1>Bad</h1><img src=/none.png>
    <p style='color:#ccc;background:#fff'>Hard to read</p></main><script>document.title = 'Worse'</script>";

/// Serves the pages until the process ends.
fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = String::new();
            let _ = BufReader::new(&stream).read_line(&mut request);
            let (kind, body) = match request.split(' ').nth(1) {
                Some("/good") => ("text/html", GOOD),
                Some("/bad") => ("text/html", BAD),
                Some("/script.js") => ("text/javascript", SCRIPT),
                _ => ("text/plain", ""),
            };
            let policy = "default-src 'self'; style-src 'self' 'unsafe-inline'";
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: {kind}; charset=utf-8\r\ncontent-security-policy: {policy}\r\n\
                 content-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    address
}

fn png_width(path: &Path) -> u32 {
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    u32::from_be_bytes(bytes[16..20].try_into().unwrap())
}

#[tokio::test]
async fn a_page_is_seen_at_desktop_and_phone_width_in_light_and_dark() {
    let address = serve();
    let browser = Browser::start().await.unwrap();
    for (viewport, scheme, width, pixels, background) in [
        (Viewport::Desktop, Scheme::Light, "1280", 1280, "rgba(0, 0, 0, 0)"),
        (Viewport::Phone, Scheme::Dark, "390", 780, "rgb(0, 0, 0)"),
    ] {
        browser.show(viewport, scheme).await.unwrap();
        browser.page().goto(&format!("http://{address}/good")).await.unwrap();
        let shown = browser.page().find(Locator::Id("width")).await.unwrap().text().await.unwrap();
        assert_eq!(shown, width);
        let colour = "return getComputedStyle(document.body).backgroundColor";
        assert_eq!(browser.page().execute(colour, Vec::new()).await.unwrap(), background);
        let picture = browser.screenshot(&format!("testkit-{width}")).await.unwrap();
        assert_eq!(png_width(&picture), pixels);
    }
    assert_eq!(browser.serious_faults().await.unwrap(), []);
    assert_eq!(browser.console_errors().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_page_with_faults_is_found_out() {
    let address = serve();
    let browser = Browser::start().await.unwrap();
    browser.page().goto(&format!("http://{address}/bad")).await.unwrap();
    let faults = browser.serious_faults().await.unwrap();
    let mut rules: Vec<&str> = faults.iter().map(|fault| fault.rule.as_str()).collect();
    rules.sort_unstable();
    assert_eq!(rules, ["color-contrast", "image-alt"]);
    let text = faults[0].to_string();
    assert!(text.contains("https://") && text.contains(&faults[0].elements[0].html), "{text}");
    // The inline script, which the page's policy forbids.
    let errors = browser.console_errors().await.unwrap();
    assert!(errors.iter().any(|error| error.contains("Content Security Policy")), "{errors:?}");
}

#[tokio::test]
async fn nothing_of_the_browser_is_left_when_a_test_panics() {
    let (told, profile) = std::sync::mpsc::channel();
    let test = tokio::spawn(async move {
        let browser = Browser::start().await.unwrap();
        told.send(browser._driver.profile().to_owned()).unwrap();
        panic!("on purpose");
    });
    assert!(test.await.unwrap_err().is_panic());
    let profile: PathBuf = profile.recv().unwrap();
    assert!(!profile.exists());
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&words).contains(&*profile.to_string_lossy()), "{:?}", entry.path());
    }
}
