//! Chooses the door of a request by its Host.
//!
//! | host | door |
//! | --- | --- |
//! | `127.0.0.1`, `localhost`, `[::1]` | [`Door::Local`] |
//! | `<region>.ai.localhost` | [`Door::Api`] |
//! | `<id>.app.<region>.ai.localhost`, `<id>-<port>.app.…` | [`Door::App`] |
//! | `<id>.app-grpc.<region>.ai.localhost` | [`Door::Grpc`] |
//!
//! A name may end in a dot, which makes it absolute and no other (RFC 1034 section 3.1).
//!
//! [`Domains`] adds names that take the place of `ai.localhost`, and of `localhost`.
//!
//! Any other host is refused: a page on the internet must not reach in by a name of its own
//! that resolves to this machine.

use std::str::FromStr;

use ovhai_api_types::{AppId, Region};
use ovhai_wire::authority::{is_well_formed, strip_port};

/// The domain that all names of the emulator end in.
pub const DOMAIN: &str = "ai.localhost";

/// A door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door<'a> {
    /// Console, control, and the API of every region.
    Local,
    /// The API of one region.
    Api {
        /// The region's part of the name, in any case.
        region: &'a str,
    },
    /// The gateway to an app.
    App {
        /// The app.
        id: AppId,
        /// Another port than its own.
        port: Option<u16>,
        /// The region's part of the name, in any case.
        region: &'a str,
    },
    /// The gateway to an app's gRPC port.
    Grpc {
        /// The app.
        id: AppId,
        /// The region's part of the name, in any case.
        region: &'a str,
    },
}

/// Why a host has no door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoDoor {
    /// It is not a host.
    Malformed,
    /// It is a host that is not served here.
    Misdirected,
}

/// Further names that the emulator answers under, such as the alias of a service container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Domains(Vec<Box<str>>);

impl Domains {
    /// These names: each is [`Door::Local`], and the names of regions and apps may end in it
    /// instead of [`DOMAIN`]. The error says which is no host name, or is one that has a meaning.
    pub fn new<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Result<Self, String> {
        let names = names.into_iter().map(|name| {
            let name = name.as_ref().to_ascii_lowercase();
            let is_host = name.split('.').all(|label| is_label(label) && label.len() <= 63);
            let is_number = name
                .rsplit('.')
                .next()
                .is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
            let is_taken = name == "localhost" || name.ends_with(".localhost");
            if !is_host || is_number || is_taken || name.len() > 200 {
                return Err(format!("{name:?} is not a name for this: use one such as ovhai.test"));
            }
            Ok(name.into())
        });
        names.collect::<Result<_, _>>().map(Self)
    }

    /// The door for the value of a Host header, or the authority of an absolute target.
    pub fn door<'h>(&self, host: &'h str) -> Result<Door<'h>, NoDoor> {
        let usual = door(host);
        if usual != Err(NoDoor::Misdirected) || self.0.is_empty() {
            return usual;
        }
        let name = strip_port(host).ok_or(NoDoor::Malformed)?;
        let name = name.strip_suffix('.').unwrap_or(name);
        if self.0.iter().any(|domain| name.eq_ignore_ascii_case(domain)) {
            return Ok(Door::Local);
        }
        let doors = self.0.iter().map(|domain| door_in(name, domain));
        doors.into_iter().find(Result::is_ok).unwrap_or(Err(NoDoor::Misdirected))
    }
}

/// The door for the value of a Host header, or the authority of an absolute target, without further
/// names.
pub fn door(host: &str) -> Result<Door<'_>, NoDoor> {
    let name = strip_port(host).ok_or(NoDoor::Malformed)?;
    if name == "127.0.0.1" || name == "[::1]" {
        return Ok(Door::Local);
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.eq_ignore_ascii_case("localhost") {
        return Ok(Door::Local);
    }
    door_in(name, DOMAIN)
}

/// The door for a name that ends in a domain.
fn door_in<'h>(name: &'h str, domain: &str) -> Result<Door<'h>, NoDoor> {
    let name = strip_suffix(name, domain)
        .and_then(|rest| rest.strip_suffix('.'))
        .ok_or(NoDoor::Misdirected)?;
    let mut rest = Some(name);
    let mut last_label = || {
        let name = rest?;
        let Some(dot) = memchr::memrchr(b'.', name.as_bytes()) else { return rest.take() };
        rest = Some(&name[..dot]);
        Some(&name[dot + 1..])
    };
    let region = last_label().filter(|label| is_label(label)).ok_or(NoDoor::Misdirected)?;
    let (kind, app, more) = (last_label(), last_label(), last_label());
    match (kind, app, more) {
        (None, None, None) => Ok(Door::Api { region }),
        (Some(kind), Some(app), None) if kind.eq_ignore_ascii_case("app") => {
            let (id, port) = app_label(app).ok_or(NoDoor::Misdirected)?;
            Ok(Door::App { id, port, region })
        }
        (Some(kind), Some(app), None) if kind.eq_ignore_ascii_case("app-grpc") => {
            AppId::from_str(app)
                .map(|id| Door::Grpc { id, region })
                .map_err(|_| NoDoor::Misdirected)
        }
        _ => Err(NoDoor::Misdirected),
    }
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// `<id>` or `<id>-<port>`.
fn app_label(label: &str) -> Option<(AppId, Option<u16>)> {
    const ID: usize = 36;
    let id = label.get(..ID)?.parse().ok()?;
    match &label[ID..] {
        "" => Some((id, None)),
        rest => {
            let digits = rest.strip_prefix('-')?;
            let canonical = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
            let port = digits.parse().ok().filter(|_| canonical)?;
            Some((id, Some(port)))
        }
    }
}

/// Whether a host, with or without a port, is this machine by a name that means no other:
/// `localhost`, `127.0.0.1` or `[::1]`.
pub fn is_this_machine(host: &str) -> bool {
    is_well_formed(host) && door(host) == Ok(Door::Local)
}

fn strip_suffix<'a>(name: &'a str, suffix: &str) -> Option<&'a str> {
    let at = name.len().checked_sub(suffix.len())?;
    let (head, tail) = name.split_at_checked(at)?;
    tail.eq_ignore_ascii_case(suffix).then_some(head)
}

/// Host and port of an app.
pub fn app_host(id: AppId, region: &Region, port: u16) -> String {
    format!("{id}{}", app_host_end(region, port))
}

/// What comes after an app's id in its host and port.
pub(crate) fn app_host_end(region: &Region, port: u16) -> String {
    format!(".app.{}.{DOMAIN}:{port}", region.host_label())
}

/// Host and port of an app's gRPC port.
pub fn grpc_host(id: AppId, region: &Region, port: u16) -> String {
    format!("{id}.app-grpc.{}.{DOMAIN}:{port}", region.host_label())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "6f7c2f0e-4d0c-4a57-9f0a-3c1b6a0d2f11";

    #[test]
    fn the_table() {
        let id: AppId = ID.parse().expect("an id");
        let app = |port| Ok(Door::App { id, port, region: "gra" });
        for (host, expected) in [
            ("127.0.0.1:4480".to_owned(), Ok(Door::Local)),
            ("LOCALHOST".into(), Ok(Door::Local)),
            ("[::1]:4480".into(), Ok(Door::Local)),
            ("gra.ai.localhost:4480".into(), Ok(Door::Api { region: "gra" })),
            ("US-EAST-VA.AI.localhost".into(), Ok(Door::Api { region: "US-EAST-VA" })),
            (format!("{ID}.app.gra.ai.localhost:4480"), app(None)),
            (format!("{ID}-8501.app.gra.ai.localhost"), app(Some(8501))),
            (format!("{ID}.app.gra.ai.localhost.:4480"), app(None)),
            ("localhost.:4480".into(), Ok(Door::Local)),
            ("gra.ai.localhost.".into(), Ok(Door::Api { region: "gra" })),
            (format!("{ID}.APP.gra.ai.localhost"), app(None)),
            (format!("{ID}.app-grpc.gra.ai.localhost"), Ok(Door::Grpc { id, region: "gra" })),
        ] {
            assert_eq!(door(&host), expected, "{host}");
        }
        for other in [
            "evil.example".to_owned(),
            "127.0.0.1.evil.example".into(),
            "ai.localhost".into(),
            ".ai.localhost".into(),
            "gra.xai.localhost".into(),
            "x.gra.ai.localhost".into(),
            "x.app.gra.ai.localhost".into(),
            format!("{ID}-0.app.gra.ai.localhost"),
            format!("{ID}-99999.app.gra.ai.localhost"),
            format!("{ID}-+80.app.gra.ai.localhost"),
            format!("{ID}x.app.gra.ai.localhost"),
            format!("a.{ID}.app.gra.ai.localhost"),
            "localhost..".into(),
            ".".into(),
            format!("{ID}.app.gra.ai.localhost.."),
            "127.0.0.1.".into(),
            "127.0.0.2".into(),
            "[::2]".into(),
        ] {
            assert_eq!(door(&other), Err(NoDoor::Misdirected), "{other}");
        }
        for bad in
            ["", ":80", "localhost:x", "localhost:", "[::1", "[::1]x", "a:1:2", "localhost:123456"]
        {
            let expected =
                if bad == "localhost:" { Ok(Door::Local) } else { Err(NoDoor::Malformed) };
            assert_eq!(door(bad), expected, "{bad}");
        }
    }

    #[test]
    fn further_domains() {
        let id: AppId = ID.parse().expect("an id");
        let domains = Domains::new(["ovhai", "Emulator.Test"]).expect("names");
        for (host, expected) in [
            ("ovhai:4480".to_owned(), Ok(Door::Local)),
            ("OVHAI.".into(), Ok(Door::Local)),
            ("emulator.test".into(), Ok(Door::Local)),
            ("localhost".into(), Ok(Door::Local)),
            ("gra.ovhai".into(), Ok(Door::Api { region: "gra" })),
            ("gra.emulator.test:80".into(), Ok(Door::Api { region: "gra" })),
            ("gra.ai.localhost".into(), Ok(Door::Api { region: "gra" })),
            (format!("{ID}.app.gra.ovhai:1"), Ok(Door::App { id, port: None, region: "gra" })),
            (format!("{ID}.app-grpc.gra.ovhai"), Ok(Door::Grpc { id, region: "gra" })),
            ("xovhai".into(), Err(NoDoor::Misdirected)),
            ("x.y.ovhai".into(), Err(NoDoor::Misdirected)),
            ("ovhai.evil.example".into(), Err(NoDoor::Misdirected)),
            ("test".into(), Err(NoDoor::Misdirected)),
            ("ovhai:x".into(), Err(NoDoor::Malformed)),
        ] {
            assert_eq!(domains.door(&host), expected, "{host}");
        }
        for wrong in ["", "a b", "localhost", "x.localhost", "10.0.0.1", "a..b", "a:1", "*"] {
            assert!(Domains::new([wrong]).is_err(), "{wrong}");
        }
        assert_eq!(Domains::default().door("ovhai"), Err(NoDoor::Misdirected));
    }

    proptest! {
        #[test]
        fn never_panics(host in "\\PC{0,80}") {
            let _ = door(&host);
        }

        #[test]
        fn near_misses_never_panic(host in "[\\[\\]:.a0-9é-]{0,60}(\\.ai\\.localhost)?(:[0-9x]{0,6})?") {
            let _ = door(&host);
        }
    }
}
