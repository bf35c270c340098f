//! What a request's headers say of how it came about: whether a person opened a page, and whether
//! a cookie counts that the browser sent along.
//!
//! All apps are one site to a browser (`ai.localhost`), so that `SameSite` keeps no app's page from
//! sending requests with another app's cookie. `Sec-Fetch-…` and `Origin` tell them apart; pages
//! can set neither.

/// How a request came about. Headers that are not there are `None`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HowUsed<'a> {
    /// The method.
    pub(crate) method: &'a [u8],
    /// The host that was asked, with its port.
    pub(crate) host: Option<&'a [u8]>,
    /// `Origin`.
    pub(crate) origin: Option<&'a [u8]>,
    /// `Sec-Fetch-Site`.
    pub(crate) site: Option<&'a [u8]>,
    /// `Sec-Fetch-Mode`.
    pub(crate) mode: Option<&'a [u8]>,
    /// `Sec-Fetch-Dest`.
    pub(crate) dest: Option<&'a [u8]>,
    /// Whether it asks to leave HTTP, as a WebSocket does.
    pub(crate) is_upgrade: bool,
    /// Whether it came over TLS.
    pub(crate) secure: bool,
}

impl<'a> HowUsed<'a> {
    /// `header` gives the first value of a header, by its name in lower case.
    pub(crate) fn new(
        method: &'a [u8],
        header: impl Fn(&'static str) -> Option<&'a [u8]>,
        is_upgrade: bool,
        secure: bool,
    ) -> Self {
        Self {
            method,
            host: header("host"),
            origin: header("origin"),
            site: header("sec-fetch-site"),
            mode: header("sec-fetch-mode"),
            dest: header("sec-fetch-dest"),
            is_upgrade,
            secure,
        }
    }

    /// Whether `Origin` names another origin than the one that was asked.
    fn is_from_elsewhere(&self) -> bool {
        let Some(origin) = self.origin else { return false };
        let scheme: &[u8] = if self.secure { b"https://" } else { b"http://" };
        let host = origin.strip_prefix(scheme);
        !host.zip(self.host).is_some_and(|(origin, host)| origin.eq_ignore_ascii_case(host))
    }

    /// Whether the host's own pages sent the request, or no page did, or somebody followed a link to
    /// here: only then does a login cookie count.
    pub(crate) fn is_from_here(&self) -> bool {
        if self.is_upgrade && self.is_from_elsewhere() {
            return false;
        }
        match self.site {
            Some(b"same-origin" | b"none") => true,
            // An old browser, or no browser.
            None => !self.is_from_elsewhere(),
            Some(_) => {
                !self.is_upgrade
                    && is_read(self.method)
                    && self.mode == Some(b"navigate")
                    && matches!(self.dest, None | Some(b"document"))
            }
        }
    }

    /// Whether a form of ours may have been sent with it.
    pub(super) fn may_send_form(&self) -> bool {
        matches!(self.site, None | Some(b"same-origin" | b"none")) && !self.is_from_elsewhere()
    }
}

fn is_read(method: &[u8]) -> bool {
    matches!(method, b"GET" | b"HEAD")
}

/// Whether an `Accept` names HTML; `*/*`, which programs send, does not.
pub(super) fn names_html(accept: &[u8]) -> bool {
    accept.split(|byte| *byte == b',').any(|range| {
        let kind = range.split(|byte| *byte == b';').next().unwrap_or_default();
        kind.trim_ascii().eq_ignore_ascii_case(b"text/html")
    })
}

/// Whether a person opened a page: programs, and requests of pages, never get a page for an answer.
/// `header` gives the first value of a header, by its name in lower case.
pub(crate) fn is_navigation<'a>(
    method: &[u8],
    header: impl Fn(&'static str) -> Option<&'a [u8]>,
) -> bool {
    const OF_PROGRAMS: [&str; 4] =
        ["authorization", "x-ovhai-token", "x-requested-with", "upgrade"];
    is_read(method)
        && header("accept").is_some_and(names_html)
        && OF_PROGRAMS.iter().all(|name| header(name).is_none())
        && matches!(header("sec-fetch-mode"), None | Some(b"navigate"))
        && matches!(header("sec-fetch-dest"), None | Some(b"document" | b"iframe" | b"frame"))
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
    fn who_gets_a_page() {
        let is = |method: &str, headers: Headers| is_navigation(method.as_bytes(), first(headers));
        for (method, headers) in [
            ("GET", &[PAGE][..]),
            ("HEAD", &[PAGE]),
            ("GET", &[("accept", "Text/HTML;q=0.9")]),
            ("GET", &[("accept", "image/png , text/html")]),
            ("GET", &[PAGE, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]),
            ("GET", &[PAGE, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")]),
            ("GET", &[PAGE, ("sec-fetch-site", "cross-site"), ("cookie", "a=1")]),
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
        ] {
            assert!(!is(method, headers), "{method} {headers:?}");
        }
    }

    const HOST: (&str, &str) = ("host", "a.app.gra.ai.localhost:4480");
    const OWN: (&str, &str) = ("origin", "http://A.app.gra.ai.localhost:4480");
    const OTHER: (&str, &str) = ("origin", "http://b.app.gra.ai.localhost:4480");
    const NULL: (&str, &str) = ("origin", "null");
    const SAME_ORIGIN: (&str, &str) = ("sec-fetch-site", "same-origin");
    const SAME_SITE: (&str, &str) = ("sec-fetch-site", "same-site");
    const CROSS_SITE: (&str, &str) = ("sec-fetch-site", "cross-site");
    const NONE: (&str, &str) = ("sec-fetch-site", "none");
    const NAVIGATE: (&str, &str) = ("sec-fetch-mode", "navigate");
    const DOCUMENT: (&str, &str) = ("sec-fetch-dest", "document");

    #[test]
    fn when_the_cookie_counts() {
        let counts = |method: &'static str, is_upgrade, headers: Headers| {
            HowUsed::new(method.as_bytes(), first(headers), is_upgrade, false).is_from_here()
        };
        for (method, upgrade, headers) in [
            ("GET", false, &[HOST][..]),
            ("POST", false, &[HOST]),
            ("POST", false, &[HOST, OWN]),
            ("POST", false, &[HOST, OWN, SAME_ORIGIN]),
            ("POST", false, &[HOST, NULL, SAME_ORIGIN]),
            ("GET", false, &[HOST, NONE]),
            ("GET", false, &[HOST, SAME_SITE, NAVIGATE, DOCUMENT]),
            ("GET", false, &[HOST, CROSS_SITE, NAVIGATE, DOCUMENT]),
            ("HEAD", false, &[HOST, CROSS_SITE, NAVIGATE]),
            ("GET", true, &[HOST]),
            ("GET", true, &[HOST, OWN]),
            ("GET", true, &[HOST, OWN, SAME_ORIGIN]),
        ] {
            assert!(counts(method, upgrade, headers), "{method} {upgrade} {headers:?}");
        }
        for (method, upgrade, headers) in [
            ("POST", false, &[HOST, OTHER][..]),
            ("GET", false, &[HOST, NULL]),
            ("GET", false, &[HOST, OTHER, SAME_SITE]),
            ("GET", false, &[HOST, SAME_SITE]),
            ("GET", false, &[HOST, CROSS_SITE, ("sec-fetch-mode", "no-cors")]),
            ("POST", false, &[HOST, SAME_SITE, NAVIGATE, DOCUMENT]),
            ("GET", false, &[HOST, SAME_SITE, NAVIGATE, ("sec-fetch-dest", "iframe")]),
            ("GET", false, &[HOST, SAME_SITE, NAVIGATE, ("sec-fetch-dest", "object")]),
            ("GET", true, &[HOST, OTHER]),
            ("GET", true, &[HOST, NULL, SAME_ORIGIN]),
            ("GET", true, &[HOST, OWN, SAME_SITE]),
            ("GET", true, &[HOST, SAME_SITE, NAVIGATE, DOCUMENT]),
            ("GET", true, &[HOST, ("origin", "https://a.app.gra.ai.localhost:4480")]),
            ("GET", true, &[HOST, ("origin", "http://a.app.gra.ai.localhost")]),
            ("GET", true, &[OWN]),
            ("GET", false, &[HOST, ("sec-fetch-site", "rubbish")]),
        ] {
            assert!(!counts(method, upgrade, headers), "{method} {upgrade} {headers:?}");
        }
    }

    #[test]
    fn who_may_send_forms() {
        let may =
            |headers: Headers| HowUsed::new(b"POST", first(headers), false, false).may_send_form();
        assert!(may(&[HOST]) && may(&[HOST, OWN]) && may(&[HOST, OWN, SAME_ORIGIN]));
        for headers in [
            &[HOST, OTHER][..],
            &[HOST, NULL],
            &[HOST, OTHER, SAME_ORIGIN],
            &[HOST, SAME_SITE],
            &[HOST, OWN, SAME_SITE],
            &[HOST, CROSS_SITE],
        ] {
            assert!(!may(headers), "{headers:?}");
        }
    }
}
