//! Tells a person who opened a page from programs, by a request's headers.

use crate::origin::is_read;

/// Whether an `Accept` names HTML; `*/*`, which programs send, does not.
pub(super) fn names_html(accept: &[u8]) -> bool {
    accept.split(|byte| *byte == b',').any(|range| {
        let kind = range.split(|byte| *byte == b';').next().unwrap_or_default();
        kind.trim_ascii().eq_ignore_ascii_case(b"text/html")
    })
}

/// Whether a person opened a page: programs, and requests of pages, never get a page. `header`
/// gives the first value of a header, by its name in lower case.
///
/// `Sec-Fetch-Mode: navigate` proves it: pages can't set it, nor does their `fetch()`. With it, a
/// service worker may have passed the navigation on, which makes its destination `empty`, and an
/// `Authorization` is what the browser remembers of a login of the app's own.
pub(crate) fn is_navigation<'a>(
    method: &[u8],
    header: impl Fn(&'static str) -> Option<&'a [u8]>,
) -> bool {
    const OF_PROGRAMS: [&str; 3] = ["x-ovhai-token", "x-requested-with", "upgrade"];
    let comes_from = match (header("sec-fetch-mode"), header("sec-fetch-dest")) {
        (Some(b"navigate"), None | Some(b"document" | b"iframe" | b"frame" | b"empty")) => true,
        (None, None | Some(b"document" | b"iframe" | b"frame")) => {
            header("authorization").is_none()
        }
        _ => false,
    };
    comes_from
        && is_read(method)
        && header("accept").is_some_and(names_html)
        && OF_PROGRAMS.iter().all(|name| header(name).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Headers = &'static [(&'static str, &'static str)];

    fn first(headers: Headers) -> impl Fn(&'static str) -> Option<&'static [u8]> {
        move |name| headers.iter().find(|(of, _)| *of == name).map(|(_, value)| value.as_bytes())
    }

    const PAGE: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

    #[test]
    fn only_navigations_get_a_page() {
        let is = |method: &str, headers: Headers| is_navigation(method.as_bytes(), first(headers));
        for (method, headers) in [
            ("GET", &[PAGE][..]),
            ("HEAD", &[PAGE]),
            ("GET", &[("accept", "Text/HTML;q=0.9")]),
            ("GET", &[("accept", "image/png , text/html")]),
            ("GET", &[PAGE, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]),
            ("GET", &[PAGE, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")]),
            ("GET", &[PAGE, ("sec-fetch-site", "cross-site"), ("cookie", "a=1")]),
            ("GET", &[PAGE, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "empty")]),
            ("GET", &[PAGE, ("sec-fetch-mode", "navigate"), ("authorization", "Basic x")]),
        ] {
            assert!(is(method, headers), "{method} {headers:?}");
        }
        for (method, headers) in [
            ("GET", &[][..]),
            ("GET", &[("accept", "*/*")]),
            ("GET", &[("accept", "text/*")]),
            ("GET", &[("accept", "application/json")]),
            ("GET", &[("accept", "text/htmlx, x/text/html")]),
            ("POST", &[PAGE]),
            ("OPTIONS", &[PAGE]),
            ("get", &[PAGE]),
            ("GET", &[PAGE, ("authorization", "Basic x")]),
            ("GET", &[PAGE, ("authorization", "")]),
            ("GET", &[PAGE, ("x-ovhai-token", "x")]),
            ("GET", &[PAGE, ("x-requested-with", "XMLHttpRequest")]),
            ("GET", &[PAGE, ("upgrade", "websocket")]),
            ("GET", &[PAGE, ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")]),
            ("GET", &[PAGE, ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")]),
            ("GET", &[PAGE, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "object")]),
            ("GET", &[PAGE, ("sec-fetch-dest", "empty")]),
            ("GET", &[PAGE, ("sec-fetch-mode", "same-origin"), ("sec-fetch-dest", "empty")]),
            ("GET", &[PAGE, ("sec-fetch-mode", "navigate"), ("x-ovhai-token", "x")]),
        ] {
            assert!(!is(method, headers), "{method} {headers:?}");
        }
    }
}
