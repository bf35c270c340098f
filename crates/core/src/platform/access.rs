//! What a token opens, and why: the decisions of the policy, laid out for people.

use std::sync::Arc;

use ovhai_api_types::{AppId, Region, TokenId};

use super::{Platform, check, resource};
use crate::directory::AppEntry;
use crate::error::{Error, Result};
use crate::model::TokenRecord;
use crate::policy::{self, Action, Decision, Effect, Principal, Reason, Resource};

/// Which token is asked about.
pub enum TokenQuestion {
    /// All tokens of the region.
    All,
    /// The one with this id, as its current string.
    Id(TokenId),
    /// The one that this string is of, in whatever state.
    Value(String),
}

/// What one token may do with one app.
#[derive(Debug, Clone)]
pub struct Access {
    /// The token; none when the string is of none that is here.
    pub token: Option<Arc<TokenRecord>>,
    /// The app.
    pub app: Arc<AppEntry>,
    /// Whether it may send requests to it.
    pub read: Decision,
    /// Whether it may manage it.
    pub operate: Decision,
}

impl Platform {
    /// What tokens may do with apps of a region: all pairs of the tokens and the apps that are
    /// asked about. The decisions are those of the gateway and the API.
    pub fn explain(
        &self,
        caller: &Principal,
        region: &Region,
        question: &TokenQuestion,
        app: Option<AppId>,
    ) -> Result<Vec<Access>> {
        check(policy::decide(caller, Action::Tokens, &Resource::Region(region)))?;
        let snapshot = self.snapshot();
        let apps = match app {
            Some(id) => {
                let missing = || Error::NotFound { kind: "app", id: id.to_string() };
                vec![
                    snapshot
                        .app(id)
                        .filter(|app| app.record.region == *region)
                        .cloned()
                        .ok_or_else(missing)?,
                ]
            }
            None => {
                let mut apps = snapshot.matching(region, &[]);
                apps.reverse();
                apps
            }
        };
        let tokens: Vec<(Option<Arc<TokenRecord>>, Option<Reason>)> = match question {
            TokenQuestion::All => {
                snapshot.tokens_of(region).into_iter().map(|token| (Some(token), None)).collect()
            }
            TokenQuestion::Id(id) => {
                let missing = || Error::NotFound { kind: "token", id: id.to_string() };
                let token = snapshot.token(*id).cloned().ok_or_else(missing)?;
                // Of another region it may be, which then decides; for those who may see it there.
                let there = Resource::Region(&token.region);
                let seen = policy::decide(caller, Action::Tokens, &there).is_allowed();
                vec![(Some(token).filter(|_| seen).ok_or_else(missing).map(Some)?, None)]
            }
            TokenQuestion::Value(value) => vec![match self.signer.verify(value) {
                None => (None, Some(Reason::NotIssuedHere)),
                Some(claims) => match snapshot.token(claims.id).cloned() {
                    None => (None, Some(Reason::Deleted)),
                    Some(token) if token.version != claims.version => {
                        let (string, current) = (claims.version, token.version);
                        (Some(token), Some(Reason::OldVersion { string, current }))
                    }
                    Some(token) => (Some(token), None),
                },
            }],
        };
        let mut all = Vec::with_capacity(apps.len() * tokens.len());
        for (token, void) in tokens {
            for app in &apps {
                let decide = |action| match (&void, &token) {
                    (None, Some(token)) => policy::decide(
                        &Principal::Token(Arc::clone(token)),
                        action,
                        &resource(&app.record),
                    ),
                    // Such a string is nobody's; where that is refused, the reason says why.
                    (void, _) => {
                        let nobody = &Principal::Anonymous;
                        let decision = policy::decide(nobody, action, &resource(&app.record));
                        match (decision.effect, void) {
                            (Effect::Unauthenticated, Some(why)) => {
                                Decision { reason: why.clone(), ..decision }
                            }
                            _ => decision,
                        }
                    }
                };
                all.push(Access {
                    token: token.clone(),
                    app: Arc::clone(app),
                    read: decide(Action::Query),
                    operate: decide(Action::Manage),
                });
            }
        }
        Ok(all)
    }
}
