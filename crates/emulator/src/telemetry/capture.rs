//! Heads of requests to an app, while the owner or a user has switched that on for the app.
//!
//! Values that may be secrets are replaced before a head is stored. Bodies are not captured: the
//! gateway moves them without looking at them. While no app is captured, a request costs one relaxed
//! load.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ovhai_api_types::{AppId, CapturedApp, Timestamp};
use ovhai_core::ports::Clock;
use ovhai_wire::request::RequestHead;

/// Maximum heads of an app; the oldest are dropped.
const HEADS: usize = 100;
/// Maximum bytes of a head's texts.
const HEAD_MAX: usize = 16 * 1024;
/// Maximum apps that are captured, or have captured heads.
pub(crate) const APPS: usize = 8;
/// Time of a capture unless another is asked for.
pub(crate) const DEFAULT_TIME: Duration = Duration::from_mins(10);
/// Stands in the place of a value.
pub(crate) const REDACTED: &str = "REDACTED";

/// Parts of names whose values are secrets.
const SECRET_PARTS: [&str; 8] =
    ["key", "token", "secret", "password", "passwd", "credential", "signature", "session"];
/// Names of header fields whose values are secrets, beside those with such a part.
const SECRET_FIELDS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];
/// Header fields whose values are addresses.
const ADDRESS_FIELDS: [&str; 4] = ["referer", "x-original-url", "x-rewrite-url", "x-forwarded-uri"];

fn has_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_FIELDS.contains(&name.as_str())
        || matches!(name.as_str(), "auth" | "jwt" | "sig" | "code")
        || SECRET_PARTS.iter().any(|part| name.contains(part))
}

/// Whether the value looks like a token, or has parameters with secret names in it.
fn is_secret(value: &str) -> bool {
    value.contains("eyJ")
        || value
            .split(['?', '&', ';', ' ', ',', '#'])
            .any(|part| part.split_once('=').is_some_and(|(name, _)| has_secret_name(name.trim())))
}

fn decoded(text: &str) -> String {
    let whole = form_urlencoded::parse(text.as_bytes()).next();
    whole
        .map(|(name, value)| if value.is_empty() { name } else { value }.into_owned())
        .unwrap_or_default()
}

/// A path with its query, without the values of parameters that may be secrets.
pub(crate) fn redacted_target(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let mut out = format!("{path}?");
    for pair in query.split_inclusive(['&', ';']) {
        let end = pair.len() - usize::from(pair.ends_with(['&', ';']));
        let (pair, separator) = pair.split_at(end);
        match pair.split_once('=') {
            Some((name, value)) => {
                out += name;
                out.push('=');
                let name = decoded(name);
                // A value may be an address with parameters of its own.
                let hides = has_secret_name(&name) || is_secret(&twice(value)) || is_secret(&name);
                out += if hides && !value.is_empty() { REDACTED } else { value };
            }
            // A value without a name may be anything.
            None if pair.len() > 16 || is_secret(&twice(pair)) => out += REDACTED,
            None => out += pair,
        }
        out += separator;
    }
    out
}

/// Decodes the value of a parameter that may be encoded twice.
fn twice(value: &str) -> String {
    let once: String = decoded(&format!("x={value}"));
    let encoded: String = once.replace('=', "%3D").replace('&', "%26").replace('+', "%2B");
    decoded(&format!("x={encoded}"))
}

fn redacted_field(name: &str, value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    if has_secret_name(name) {
        return REDACTED.to_owned();
    }
    if ADDRESS_FIELDS.iter().any(|field| name.eq_ignore_ascii_case(field)) {
        // The user of an address may have a password.
        return if text.contains('@') { REDACTED.to_owned() } else { redacted_target(&text) };
    }
    if is_secret(&text) { REDACTED.to_owned() } else { text.into_owned() }
}

/// The head of a request, without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CapturedHead {
    /// The request's id.
    pub(crate) id: String,
    /// When it came, in milliseconds of Unix time.
    pub(crate) time: i64,
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// Names and values, in their order.
    pub(crate) fields: Vec<(String, String)>,
    /// Whether some fields were left out because the head is long.
    pub(crate) cut: bool,
}

impl CapturedHead {
    fn of(head: &RequestHead<'_>, id: &[u8]) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut target = redacted_target(head.target);
        let mut left = HEAD_MAX;
        let mut cut = target.len() > left;
        if cut {
            target.truncate((0..=left).rev().find(|at| target.is_char_boundary(*at)).unwrap_or(0));
        }
        left -= target.len();
        let mut fields = Vec::new();
        for field in head.fields {
            let value = redacted_field(field.name, field.value);
            let length = field.name.len() + value.len();
            if length > left {
                cut = true;
                break;
            }
            left -= length;
            fields.push((field.name.to_ascii_lowercase(), value));
        }
        Self {
            id: String::from_utf8_lossy(id).into_owned(),
            time: i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            method: head.method.to_owned(),
            target,
            fields,
            cut,
        }
    }
}

/// The capture of an app.
#[derive(Debug)]
struct Capture {
    /// In domain time.
    until: Timestamp,
    by: String,
    is_on: bool,
    heads: VecDeque<Arc<CapturedHead>>,
}

/// Which apps are captured, and what was.
#[derive(Debug, Default)]
pub(crate) struct Captures {
    /// Number of apps that are captured.
    on: AtomicUsize,
    apps: Mutex<HashMap<AppId, Capture>>,
}

impl Captures {
    fn lock(&self) -> MutexGuard<'_, HashMap<AppId, Capture>> {
        self.apps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recount(&self, apps: &HashMap<AppId, Capture>) {
        let on = apps.values().filter(|capture| capture.is_on).count();
        self.on.store(on, Ordering::Relaxed);
    }

    /// Ends captures whose time is over.
    fn expire(&self, apps: &mut HashMap<AppId, Capture>, now: Timestamp) {
        for capture in apps.values_mut() {
            capture.is_on &= now < capture.until;
        }
        self.recount(apps);
    }

    /// Captures requests to an app from now on; none if too many apps are captured.
    pub(crate) fn start(
        &self,
        app: AppId,
        by: &str,
        time: Duration,
        clock: &dyn Clock,
    ) -> Option<CapturedApp> {
        let now = clock.now();
        let mut apps = self.lock();
        self.expire(&mut apps, now);
        if apps.len() >= APPS && !apps.contains_key(&app) {
            // What was captured before makes room.
            let over = apps.iter().filter(|(_, capture)| !capture.is_on);
            let oldest = over.min_by_key(|(_, capture)| capture.until).map(|(id, _)| *id)?;
            apps.remove(&oldest);
        }
        let until = now.checked_add(time).unwrap_or(now);
        let new = || Capture { until, by: String::new(), is_on: true, heads: VecDeque::new() };
        let capture = apps.entry(app).or_insert_with(new);
        (capture.until, capture.is_on) = (until, true);
        by.clone_into(&mut capture.by);
        self.recount(&apps);
        Some(CapturedApp { app, name: None, until, by: by.to_owned() })
    }

    /// Stops, and forgets what was captured.
    pub(crate) fn stop(&self, app: AppId) {
        let mut apps = self.lock();
        apps.remove(&app);
        self.recount(&apps);
    }

    /// Forgets apps that do not exist any more.
    pub(crate) fn purge(&self, exists: impl Fn(AppId) -> bool) {
        let mut apps = self.lock();
        apps.retain(|id, _| exists(*id));
        self.recount(&apps);
    }

    /// Stores a head if its app is captured.
    pub(crate) fn take(&self, app: AppId, head: &RequestHead<'_>, id: &[u8], clock: &dyn Clock) {
        if self.on.load(Ordering::Relaxed) > 0 {
            self.store(app, head, id, clock);
        }
    }

    #[cold]
    fn store(&self, app: AppId, head: &RequestHead<'_>, id: &[u8], clock: &dyn Clock) {
        let mut apps = self.lock();
        self.expire(&mut apps, clock.now());
        if let Some(capture) = apps.get_mut(&app).filter(|capture| capture.is_on) {
            if capture.heads.len() == HEADS {
                capture.heads.pop_front();
            }
            capture.heads.push_back(Arc::new(CapturedHead::of(head, id)));
        }
    }

    /// The apps that are captured now.
    pub(crate) fn list(&self, clock: &dyn Clock) -> Vec<CapturedApp> {
        let mut apps = self.lock();
        self.expire(&mut apps, clock.now());
        let mut all: Vec<_> = apps
            .iter()
            .filter(|(_, capture)| capture.is_on)
            .map(|(id, capture)| CapturedApp {
                app: *id,
                name: None,
                until: capture.until,
                by: capture.by.clone(),
            })
            .collect();
        all.sort_by_key(|captured| (captured.until, captured.app));
        all
    }

    /// The head of the request with this id, of several the last that came until this moment, in
    /// milliseconds of Unix time.
    pub(crate) fn find(&self, app: AppId, id: &str, until: i64) -> Option<Arc<CapturedHead>> {
        let apps = self.lock();
        let mut heads = apps.get(&app)?.heads.iter().rev();
        heads.find(|head| head.id == id && head.time <= until).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_queries_are_replaced() {
        for (target, stored) in [
            ("/a", "/a"),
            ("/a?b=c&d", "/a?b=c&d"),
            ("/a?api_key=x&b=1", "/a?api_key=REDACTED&b=1"),
            ("/a?b=1;Access-Token=x;c=", "/a?b=1;Access-Token=REDACTED;c="),
            ("/a?p%61ssword=x", "/a?p%61ssword=REDACTED"),
            ("/a?x=eyJhbGciOi", "/a?x=REDACTED"),
            ("/a?next=%2Fb%3Ftoken%3Dx", "/a?next=REDACTED"),
            ("/a?next=%252Fb%253Fsecret%253Dx", "/a?next=REDACTED"),
            ("/a?0123456789abcdefg", "/a?REDACTED"),
            ("/a?token=", "/a?token="),
            ("/a?b=?token=x", "/a?b=REDACTED"),
        ] {
            assert_eq!(redacted_target(target), stored, "{target}");
        }
    }

    #[test]
    fn secrets_of_fields_are_replaced() {
        for (name, value) in [
            ("Authorization", "Basic abc"),
            ("cookie", "a=b"),
            ("X-OVHAI-Token", "x"),
            ("x-api-key", "x"),
            ("My-Password", "x"),
            ("x-other", "Bearer eyJabc.def"),
            ("link", "<https://a/?secret=x>"),
            ("referer", "https://ann:pw@host/"),
        ] {
            assert_eq!(redacted_field(name, value.as_bytes()), REDACTED, "{name}");
        }
        assert_eq!(redacted_field("accept", b"text/html;q=0.9"), "text/html;q=0.9");
        assert_eq!(redacted_field("referer", b"http://a/?key=x&b=1"), "http://a/?key=REDACTED&b=1");
    }
}
