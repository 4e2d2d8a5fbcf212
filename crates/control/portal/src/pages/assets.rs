//! Style sheets, modules and pictures, which the binary holds in three codings.

use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::problem::Rejection;

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// A file in the binary.
#[derive(Debug)]
pub struct Asset {
    path: &'static str,
    media_type: &'static str,
    plain: &'static [u8],
    gzip: &'static [u8],
    brotli: &'static [u8],
}

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// `/assets/{version}/{path}`: an address whose content never changes.
pub(crate) async fn serve(
    Path((version, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Rejection> {
    // Another version's pages are still open somewhere; its assets are gone, and guessing would mix the two.
    if version != VERSION {
        return Err(Rejection::no_such_page());
    }
    let asset = find(&path).ok_or_else(Rejection::no_such_page)?;
    Ok(asset.answer(&headers))
}

/// `/favicon.ico`, which browsers ask for unbidden.
pub(crate) async fn favicon(headers: HeaderMap) -> Result<Response, Rejection> {
    let asset = find("favicon.svg").ok_or_else(Rejection::no_such_page)?;
    let mut response = asset.answer(&headers);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    Ok(response)
}

fn find(path: &str) -> Option<&'static Asset> {
    let at = ASSETS.binary_search_by(|asset| asset.path.cmp(path)).ok()?;
    Some(&ASSETS[at])
}

impl Asset {
    fn answer(&self, headers: &HeaderMap) -> Response {
        let (coding, bytes) = self.best_coding(headers);
        let mut response = (StatusCode::OK, bytes).into_response();
        let answer = response.headers_mut();
        answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        answer.insert(header::CACHE_CONTROL, FOR_EVER);
        answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Some(coding) = coding {
            answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        response
    }

    fn best_coding(&self, headers: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
        let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let accepts = |coding: &str| {
            accepted.split(',').any(|item| {
                let (name, quality) = item.split_once(';').unwrap_or((item, ""));
                name.trim().eq_ignore_ascii_case(coding)
                    && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
            })
        };
        if accepts("br") {
            (Some("br"), self.brotli)
        } else if accepts("gzip") {
            (Some("gzip"), self.gzip)
        } else {
            (None, self.plain)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_asset_is_found_and_compressed() {
        for asset in ASSETS {
            assert!(std::ptr::eq(find(asset.path).unwrap(), asset));
            assert!(asset.brotli.len() < asset.plain.len(), "{}", asset.path);
        }
        assert!(find("../Cargo.toml").is_none());
    }

    #[test]
    fn the_smallest_coding_that_is_accepted_is_sent() {
        let asset = find("warren.js").unwrap();
        let coding = |accepted: &str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, accepted.parse().unwrap())]);
            asset.best_coding(&headers).0
        };
        assert_eq!(coding("gzip, deflate, br"), Some("br"));
        assert_eq!(coding("gzip, br;q=0"), Some("gzip"));
        assert_eq!(coding("identity"), None);
    }

    #[test]
    fn modules_import_only_what_is_there() {
        for asset in ASSETS.iter().filter(|asset| asset.path.ends_with(".js")) {
            let text = std::str::from_utf8(asset.plain).unwrap();
            let folder = asset.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            for part in text.split("\"./").skip(1) {
                let name = part.split('"').next().unwrap();
                let path = format!("{folder}/{name}");
                assert!(find(path.trim_start_matches('/')).is_some(), "{} imports {name}", asset.path);
            }
        }
    }
}
