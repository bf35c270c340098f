//! Style, script and icons of the console: in the binary, compressed once, and cached by browsers
//! for as long as their names stay the same.

use std::io::Write;
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, StatusCode};

use crate::random;

/// htmx, its extension for server-sent events and our script. One file: scripts that are loaded
/// apart may run in either order.
const SCRIPT: &str = concat!(
    include_str!("../../assets/console/htmx-4.0.1.min.js"),
    "\n",
    include_str!("../../assets/console/hx-sse-4.0.1.min.js"),
    "\n",
    include_str!("../../assets/console/console.js"),
);
const STYLE: &str = include_str!("../../assets/console/console.css");
const FAVICON: &str = include_str!("../../assets/console/favicon.svg");
const ICONS: &str = include_str!("../../assets/console/icons.svg");

/// A file with its address.
pub(super) struct Asset {
    name: String,
    kind: &'static str,
    plain: &'static str,
    compressed: Bytes,
}

impl Asset {
    fn new(stem: &str, ending: &str, kind: &'static str, plain: &'static str) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, plain.as_bytes());
        let hash = random::hex(&digest.as_ref()[..6]);
        let compressed = gzip(plain.as_bytes(), Compression::best());
        Self { name: format!("{stem}-{hash}.{ending}"), kind, plain, compressed }
    }

    pub(super) fn address(&self) -> String {
        format!("/console/{}", self.name)
    }
}

/// The files.
pub(super) struct Assets {
    pub(super) script: Asset,
    pub(super) style: Asset,
    pub(super) icons: Asset,
    pub(super) favicon: Asset,
}

pub(super) static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets {
    script: Asset::new("console", "js", "text/javascript; charset=utf-8", SCRIPT),
    style: Asset::new("console", "css", "text/css; charset=utf-8", STYLE),
    favicon: Asset::new("favicon", "svg", "image/svg+xml", FAVICON),
    icons: Asset::new("icons", "svg", "image/svg+xml", ICONS),
});

/// Compresses; empty if that fails, which it does not in memory.
pub(super) fn gzip(plain: &[u8], how: Compression) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 3), how);
    let written = encoder.write_all(plain).and_then(|()| encoder.finish());
    written.unwrap_or_default().into()
}

/// Whether the browser takes compressed bodies.
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT_ENCODING);
    accepted.iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').any(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
            let is_off = weight.trim().trim_start_matches("q=").trim_matches(['0', '.']).is_empty()
                && weight.contains('0');
            name.trim().eq_ignore_ascii_case("gzip") && !is_off
        })
    })
}

/// `GET /console/{name}`.
pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let all = [&ASSETS.script, &ASSETS.style, &ASSETS.icons, &ASSETS.favicon];
    let Some(asset) = all.into_iter().find(|asset| asset.name == name) else {
        return (StatusCode::NOT_FOUND, "there is no such file of the console\n").into_response();
    };
    let is_compressed = takes_gzip(&headers) && !asset.compressed.is_empty();
    let body = if is_compressed {
        asset.compressed.clone()
    } else {
        Bytes::from_static(asset.plain.as_bytes())
    };
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if is_compressed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compression_is_used_where_it_is_accepted() {
        let takes = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
            takes_gzip(&headers)
        };
        for yes in ["gzip", "gzip, deflate, br", "br;q=1.0, GZIP;q=0.8", "gzip;q=0.05"] {
            assert!(takes(yes), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "gzip;q=0.000", "xgzip", "identity"] {
            assert!(!takes(no), "{no}");
        }
    }
}
