//! What a caller may see of the last requests: the policy decides for each app, and whether other
//! callers are named. The API reads requests through this only.

use std::collections::HashMap;

use ovhai_api_types::{AppId, Door, Region, RequestRecord, RequestTotal, TokenId};
use ovhai_core::directory::Snapshot;
use ovhai_core::platform::resource;
use ovhai_core::policy::{self, Action, Principal, Resource};

use super::recent::SeenRequest;
use super::tally::{CallerKind, Key};

/// A filter of requests; see `RequestFilter` of the API types.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) app: Option<AppId>,
    pub(crate) token: Option<TokenId>,
    pub(crate) region: Option<Region>,
    pub(crate) denied: bool,
    pub(crate) all: bool,
    /// In milliseconds of Unix time.
    pub(crate) since: Option<i64>,
    /// That ended until then.
    pub(crate) until: Option<i64>,
    /// With this text in the path.
    pub(crate) path: Option<String>,
    /// With this id.
    pub(crate) id: Option<String>,
}

/// An app that the caller may see requests of.
#[derive(Debug, Clone)]
struct VisibleApp {
    name: String,
    region: Region,
    names_callers: bool,
}

/// One caller's view.
pub(crate) struct Visible<'a> {
    caller: &'a Principal,
    snapshot: &'a Snapshot,
    wanted: Wanted,
    apps: HashMap<AppId, Option<VisibleApp>>,
    others: bool,
}

impl<'a> Visible<'a> {
    /// `region` is any region: requests that went to no app belong to none.
    pub(crate) fn new(
        caller: &'a Principal,
        snapshot: &'a Snapshot,
        region: &Region,
        wanted: Wanted,
    ) -> Self {
        let others =
            policy::decide(caller, Action::OtherRequests, &Resource::Region(region)).is_allowed();
        Self { caller, snapshot, wanted, apps: HashMap::new(), others }
    }

    /// Whether the caller may see every request.
    pub(crate) fn shows_all(&self) -> bool {
        self.others
    }

    /// The request as the caller sees it, if it is wanted and visible.
    pub(crate) fn show(&mut self, request: SeenRequest<'_>) -> Option<RequestRecord> {
        let wanted = &self.wanted;
        let is_call = matches!(request.door(), Door::Api | Door::Local);
        if (is_call && !wanted.all)
            || (wanted.denied && !request.is_denied())
            || wanted.since.is_some_and(|since| request.time() < since)
            || wanted.until.is_some_and(|until| request.time() > until)
            || wanted.path.as_ref().is_some_and(|part| !request.path().contains(part.as_str()))
            || wanted.id.as_ref().is_some_and(|id| request.id() != id.as_bytes())
            || wanted.app.is_some_and(|app| request.app() != Some(app))
            || wanted.token.is_some_and(|token| request.token() != Some(token))
        {
            return None;
        }
        let app = request.app().and_then(|id| self.app(id));
        let wanted = &self.wanted;
        if wanted.region.is_some() && wanted.region != app.as_ref().map(|app| app.region.clone()) {
            return None;
        }
        let Some(app) = app else {
            // It is not known who could see a deleted app.
            return self.others.then(|| request.record());
        };
        let is_own = match self.caller {
            Principal::Token(token) => request.token() == Some(token.id),
            _ => false,
        };
        let withheld = !app.names_callers && !is_own;
        // Else the response would tell whose request it was.
        if withheld && wanted.token.is_some() {
            return None;
        }
        let mut record = request.record();
        if withheld {
            let is_known = record.token.is_some() || record.user.is_some();
            (record.client, record.token, record.token_name, record.user) =
                (None, None, None, None);
            record.withheld = is_known;
            record.reason = record.reason.filter(|_| !request.tells_scope());
        }
        record.app_name = Some(app.name);
        record.region = Some(app.region);
        Some(record)
    }

    /// The number of requests as the caller sees it, if they are wanted and visible; and whether they
    /// were denied.
    pub(crate) fn show_total(&mut self, key: &Key, count: u64) -> Option<(RequestTotal, bool)> {
        let token = match key.caller {
            CallerKind::Token(id) => Some(id),
            CallerKind::Anonymous | CallerKind::User => None,
        };
        let is_denied = key.decision.is_denial(key.door == Door::App, key.status);
        let wanted = &self.wanted;
        if (matches!(key.door, Door::Api | Door::Local) && !wanted.all)
            || (wanted.denied && !is_denied)
            || wanted.app.is_some_and(|app| key.app != Some(app))
            || wanted.token.is_some_and(|wanted| token != Some(wanted))
        {
            return None;
        }
        let app = key.app.and_then(|id| self.app(id));
        let wanted = &self.wanted;
        if wanted.region.is_some() && wanted.region != app.as_ref().map(|app| app.region.clone()) {
            return None;
        }
        if app.is_none() && !self.others {
            return None;
        }
        let is_own = matches!(self.caller, Principal::Token(own) if token == Some(own.id));
        let withheld = !is_own && app.as_ref().is_some_and(|app| !app.names_callers);
        if withheld && wanted.token.is_some() {
            return None;
        }
        let shown = token.filter(|_| !withheld);
        let caller = match key.caller {
            CallerKind::Anonymous => "anonymous",
            CallerKind::User if !withheld => "user",
            CallerKind::Token(_) if !withheld => "token",
            CallerKind::User | CallerKind::Token(_) => "withheld",
        };
        let (app_name, region) = app.map(|app| (app.name, app.region)).unzip();
        let total = RequestTotal {
            door: key.door,
            app: key.app,
            app_name,
            region,
            caller: caller.into(),
            token: shown,
            token_name: shown.and_then(|id| Some(self.snapshot.token(id)?.name.clone())),
            decision: key.decision.as_str().map(str::to_owned),
            refused: key.refused.map(|kind| kind.label().to_owned()),
            status: key.status,
            count,
        };
        Some((total, is_denied))
    }

    /// The app, unless it does not exist or its requests are not visible to the caller: a caller
    /// that may see requests to no app may see those to every app.
    fn app(&mut self, id: AppId) -> Option<VisibleApp> {
        let (caller, snapshot) = (self.caller, self.snapshot);
        let look = || {
            let app = &snapshot.app(id)?.record;
            let may = |action, on: &Resource<'_>| policy::decide(caller, action, on).is_allowed();
            may(Action::Requests, &resource(app)).then(|| VisibleApp {
                name: app.spec.name.clone(),
                region: app.region.clone(),
                names_callers: may(Action::Callers, &Resource::Region(&app.region)),
            })
        };
        self.apps.entry(id).or_insert_with(look).clone()
    }
}
