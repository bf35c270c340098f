//! Other ports of an app, each with a host of its own: `<id>-<port>` instead of `<id>`.

use ovhai_api_types::{App, AppId};

use crate::error::{Failure, Result};

/// The default port of an app.
const DEFAULT_PORT: u16 = 8080;

/// The app's own port.
pub(super) fn own_port(app: &App) -> u16 {
    app.spec.default_http_port.and_then(|port| u16::try_from(port).ok()).unwrap_or(DEFAULT_PORT)
}

/// The address of a port of the app. Its own port has the app's address, whatever port the process
/// really listens on.
pub(super) fn address(app: &App, port: u16) -> Result<String> {
    let url = &app.status.url;
    if port == own_port(app) { Ok(url.clone()) } else { other(url, port) }
}

fn other(url: &str, port: u16) -> Result<String> {
    let at = label_end(url).ok_or_else(|| {
        Failure::new(format!("{url:?} has no host name for another port"))
            .because("other ports have their own hosts, <id>-<port> instead of <id>")
            .hint("use the app's own port: omit the port")
    })?;
    let (before, after) = url.split_at(at);
    Ok(format!("{before}-{port}{after}"))
}

/// The other port of the app at `url` that an address without a path names.
pub(super) fn port_of(address: &str, url: &str) -> Option<u16> {
    let (before, after) = url.split_at(label_end(url)?);
    let digits = address.strip_prefix(before)?.strip_suffix(after)?.strip_prefix('-')?;
    digits.parse().ok().filter(|port: &u16| *port != 0 && port.to_string() == digits)
}

/// Length of an id.
const ID: usize = 36;

/// The app argument of `app curl`: a word, an address, or `<id>-<port>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AppArgument<'a> {
    /// The word to resolve.
    pub(super) app: &'a str,
    /// Another port than its own.
    pub(super) port: Option<u16>,
    /// The address, with or without a scheme.
    pub(super) address: Option<&'a str>,
}

impl<'a> AppArgument<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self> {
        let after_scheme = text.strip_prefix("http://").or(text.strip_prefix("https://"));
        let host = after_scheme.unwrap_or(text);
        let end = host.find(['.', ':', '/', '?']).unwrap_or(host.len());
        let (label, rest) = host.split_at(end);
        let Some((id, port)) =
            label.split_at_checked(ID).filter(|(id, _)| id.parse::<AppId>().is_ok())
        else {
            return match after_scheme {
                Some(_) => Err(Failure::usage(format!("{text:?} is not the address of an app"))
                    .because("an app's address begins with its id")
                    .hint("give the app's id, name or address (ovhai app list), then the path: ovhai app curl APP /path")),
                None => Ok(Self { app: text, port: None, address: None }),
            };
        };
        if after_scheme.is_some() || rest.starts_with('.') {
            return Ok(Self { app: id, port: None, address: Some(text) });
        }
        match port.strip_prefix('-').and_then(|digits| digits.parse().ok()) {
            Some(port) if port != 0 => Ok(Self { app: id, port: Some(port), address: None }),
            // Possibly a name.
            _ => Ok(Self { app: text, port: None, address: None }),
        }
    }
}

/// The end of the first label of its host.
fn label_end(url: &str) -> Option<usize> {
    let host = url.find("://")? + 3;
    let end = url[host..].find(['.', ':', '/']).map(|at| host + at)?;
    // An all-digit label belongs to an IP address.
    let label = &url[host..end];
    (url[end..].starts_with('.') && label.bytes().any(|byte| !byte.is_ascii_digit())).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        let app = "http://some-id.app.gra.ai.localhost:4480";
        let of_8081 = "http://some-id-8081.app.gra.ai.localhost:4480";
        assert_eq!(other(app, 8081).as_deref(), Ok(of_8081));
        assert_eq!(port_of(of_8081, app), Some(8081));
        for foreign in [
            "http://some-id-.app.gra.ai.localhost:4480",
            "http://some-id-0.app.gra.ai.localhost:4480",
            "http://some-id-08.app.gra.ai.localhost:4480",
            "http://some-id-8081.app.gra.ai.localhost:4481",
            "http://other-8081.app.gra.ai.localhost:4480",
            "https://some-id-8081.app.gra.ai.localhost:4480",
        ] {
            assert_eq!(port_of(foreign, app), None, "{foreign}");
        }
        let id = "6f7c2f0e-4d0c-4a57-9f0a-3c1b6a0d2f11";
        let with = |more: &str| format!("{id}{more}");
        for (text, port, is_address) in [
            (id.to_owned(), None, false),
            (with("-8081"), Some(8081), false),
            (with(".app.gra.ai.localhost:4480/x?y"), None, true),
            (format!("https://{id}-8081.app.gra/"), None, true),
            (format!("http://{id}"), None, true),
        ] {
            let address = is_address.then_some(text.as_str());
            assert_eq!(
                AppArgument::parse(&text),
                Ok(AppArgument { app: id, port, address }),
                "{text}"
            );
        }
        for word in ["hello", "hello.world/x?y", &with("-0"), &with("-x"), &with("x")] {
            let named = AppArgument { app: word, port: None, address: None };
            assert_eq!(AppArgument::parse(word), Ok(named), "{word}");
        }
        assert!(AppArgument::parse("http://127.0.0.1:4480/").is_err());
        for nameless in ["http://127.0.0.1:80", "http://localhost:80", "http://[::1]:80"] {
            assert!(other(nameless, 1).is_err(), "{nameless}");
        }
    }
}
