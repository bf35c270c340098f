//! The same-origin rule for credentials that are added to requests that a page may have caused: by
//! the gateway (a login cookie) and by `ovhai app port-forward` (a token).
//!
//! All apps are one site to a browser (`ai.localhost`), and so are all ports of `localhost`, so
//! that `SameSite` does not keep a page from sending requests with another app's credential.
//! `Sec-Fetch-…` and `Origin` tell them apart; pages can set neither.

/// The headers that tell where a request comes from. Missing ones are `None`.
#[derive(Debug, Clone, Copy)]
pub struct HowUsed<'a> {
    /// The method.
    pub method: &'a [u8],
    /// The host that was asked, with its port.
    pub host: Option<&'a [u8]>,
    /// `Origin`.
    pub origin: Option<&'a [u8]>,
    /// `Sec-Fetch-Site`.
    pub site: Option<&'a [u8]>,
    /// `Sec-Fetch-Mode`.
    pub mode: Option<&'a [u8]>,
    /// `Sec-Fetch-Dest`.
    pub dest: Option<&'a [u8]>,
    /// Whether it asks to leave HTTP, as a WebSocket does.
    pub is_upgrade: bool,
    /// Whether it came over TLS.
    pub secure: bool,
}

impl<'a> HowUsed<'a> {
    /// A request with these headers; `header` gives the first value of a header, by its name in lower case.
    pub fn new(
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
    pub fn is_from_elsewhere(&self) -> bool {
        let Some(origin) = self.origin else { return false };
        let scheme: &[u8] = if self.secure { b"https://" } else { b"http://" };
        let host = origin.strip_prefix(scheme);
        !host.zip(self.host).is_some_and(|(origin, host)| origin.eq_ignore_ascii_case(host))
    }

    /// Whether one of the host's own pages sent the request, or no page did, or a person followed a
    /// link: only then does a credential count that the page did not write itself.
    pub fn is_from_here(&self) -> bool {
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

    /// Whether a form of a page that hides its address may have been sent with it: browsers send
    /// `Origin: null` then, and `Sec-Fetch-Site` alone tells where it comes from.
    pub(crate) fn may_send_hidden_form(&self) -> bool {
        match (self.site, self.origin) {
            (Some(b"same-origin"), Some(b"null")) => true,
            _ => self.may_send_form(),
        }
    }

    /// Whether a form of the login page may have been sent with it.
    pub fn may_send_form(&self) -> bool {
        matches!(self.site, None | Some(b"same-origin" | b"none")) && !self.is_from_elsewhere()
    }
}

/// Whether a method only reads.
pub(crate) fn is_read(method: &[u8]) -> bool {
    matches!(method, b"GET" | b"HEAD")
}

#[cfg(test)]
mod tests {
    use super::*;

    type Headers = &'static [(&'static str, &'static str)];

    fn first(headers: Headers) -> impl Fn(&'static str) -> Option<&'static [u8]> {
        move |name| headers.iter().find(|(of, _)| *of == name).map(|(_, value)| value.as_bytes())
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
    fn the_cookie_counts_for_same_site_requests() {
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
    fn forms_are_accepted_from_the_own_origin() {
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
