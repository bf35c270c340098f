//! The access of tokens, and the reasons: the policy's decisions, laid out for people.

use std::sync::Arc;

use ovhai_api_types::{AppId, Labels, Region, TokenId};

use super::{Platform, check, resource};
use crate::directory::{AppEntry, Snapshot};
use crate::error::{Error, Result};
use crate::model::TokenRecord;
use crate::policy::{self, Action, Decision, Effect, Principal, Reason, Resource};

/// Which tokens and apps are asked about.
#[derive(Debug)]
pub enum AccessQuery {
    /// One token and all apps of the region, the newest first.
    Token(TokenQuestion),
    /// All tokens of the region, the newest first, and one app.
    App(AppId),
    /// One token and one app.
    Both(TokenQuestion, AppId),
}

/// Which token is asked about.
pub enum TokenQuestion {
    /// The one with this id, as its current string.
    Id(TokenId),
    /// The one of this token string, in any state.
    Value(String),
}

impl std::fmt::Debug for TokenQuestion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => f.debug_tuple("Id").field(id).finish(),
            // A secret.
            Self::Value(_) => f.debug_tuple("Value").finish_non_exhaustive(),
        }
    }
}

/// What one token may do with one app.
#[derive(Debug, Clone)]
pub struct AccessVerdict {
    /// The token; none when the string is of none that is here.
    pub token: Option<Arc<TokenRecord>>,
    /// The app.
    pub app: Arc<AppEntry>,
    /// Whether it may send requests to it.
    pub read: Decision,
    /// Whether it may manage it.
    pub operate: Decision,
}

/// What one token may do with an app that has certain labels.
#[derive(Debug, Clone)]
pub struct LabelVerdict {
    /// The token.
    pub token: Arc<TokenRecord>,
    /// Whether it may send requests to such an app.
    pub read: Decision,
    /// Whether it may manage it.
    pub operate: Decision,
}

/// A token that is asked about, and why its string is not valid here, if so.
struct Asked {
    token: Option<Arc<TokenRecord>>,
    void: Option<Reason>,
}

impl Asked {
    fn of(&self, app: &Arc<AppEntry>) -> AccessVerdict {
        let decide = |action| match (&self.void, &self.token) {
            (None, Some(token)) => {
                policy::decide(&Principal::Token(Arc::clone(token)), action, &resource(&app.record))
            }
            // The caller with such a string is anonymous; a refusal says why.
            (void, _) => {
                let decision =
                    policy::decide(&Principal::Anonymous, action, &resource(&app.record));
                match (decision.effect, void) {
                    (Effect::Unauthenticated, Some(why)) => {
                        Decision { reason: why.clone(), ..decision }
                    }
                    _ => decision,
                }
            }
        };
        AccessVerdict {
            token: self.token.clone(),
            app: Arc::clone(app),
            read: decide(Action::Query),
            operate: decide(Action::Manage),
        }
    }
}

impl Platform {
    /// What tokens may do with apps of a region: the pairs of the tokens and the apps that are
    /// asked about, of which it leaves out the first `skip` and gives `take` at most. The decisions
    /// are those of the gateway and the API.
    pub fn explain(
        &self,
        caller: &Principal,
        region: &Region,
        query: &AccessQuery,
        skip: usize,
        take: usize,
    ) -> Result<Vec<AccessVerdict>> {
        check(policy::decide(caller, Action::Tokens, &Resource::Region(region)))?;
        let snapshot = self.snapshot();
        let app = |id: AppId| {
            let here = snapshot.app(id).filter(|app| app.record.region == *region);
            here.ok_or_else(|| Error::NotFound { kind: "app", id: id.to_string() })
        };
        Ok(match query {
            AccessQuery::Both(token, id) => {
                let asked = self.asked(&snapshot, caller, region, token)?;
                [asked.of(app(*id)?)].into_iter().skip(skip).take(take).collect()
            }
            AccessQuery::Token(token) => {
                let asked = self.asked(&snapshot, caller, region, token)?;
                let apps = snapshot.matching(region, &[]);
                apps.iter().rev().skip(skip).take(take).map(|app| asked.of(app)).collect()
            }
            AccessQuery::App(id) => {
                let app = app(*id)?;
                let tokens = snapshot.tokens_of(region).into_iter().skip(skip).take(take);
                tokens.map(|token| Asked { token: Some(token), void: None }.of(app)).collect()
            }
        })
    }

    /// The token of a string, and why the string is not valid here, if so.
    pub fn look_up_string(
        &self,
        caller: &Principal,
        region: &Region,
        value: String,
    ) -> Result<(Option<Arc<TokenRecord>>, Option<Reason>)> {
        self.may_manage_tokens(caller, region)?;
        let question = TokenQuestion::Value(value);
        let Asked { token, void } = self.asked(&self.snapshot(), caller, region, &question)?;
        Ok((token, void))
    }

    /// What the tokens of a region, the newest first, may do with an app that has these labels.
    pub fn explain_labels(
        &self,
        caller: &Principal,
        region: &Region,
        labels: &Labels,
        public: bool,
    ) -> Result<Vec<LabelVerdict>> {
        check(policy::decide(caller, Action::Tokens, &Resource::Region(region)))?;
        let verdict = |token: Arc<TokenRecord>| {
            let principal = Principal::Token(Arc::clone(&token));
            let resource = Resource::App { region, labels, public };
            let read = policy::decide(&principal, Action::Query, &resource);
            let operate = policy::decide(&principal, Action::Manage, &resource);
            LabelVerdict { token, read, operate }
        };
        Ok(self.snapshot().tokens_of(region).into_iter().map(verdict).collect())
    }

    fn asked(
        &self,
        snapshot: &Snapshot,
        caller: &Principal,
        region: &Region,
        question: &TokenQuestion,
    ) -> Result<Asked> {
        // A token of another region is shown to a caller that may see it there.
        let may_see = |token: &TokenRecord| {
            policy::decide(caller, Action::Tokens, &Resource::Region(&token.region)).is_allowed()
        };
        match question {
            TokenQuestion::Id(id) => snapshot
                .token(*id)
                .filter(|token| may_see(token))
                .map(|token| Asked { token: Some(Arc::clone(token)), void: None })
                .ok_or_else(|| Error::NotFound { kind: "token", id: id.to_string() }),
            TokenQuestion::Value(value) => {
                let Some(claims) = self.signer.verify(value) else {
                    return Ok(Asked { token: None, void: Some(Reason::NotIssuedHere) });
                };
                let Some(token) = snapshot.token(claims.id) else {
                    return Ok(Asked { token: None, void: Some(Reason::Deleted) });
                };
                if !may_see(token) {
                    // Then it is of another region, which decides, whatever its version.
                    let (token, asked) = (token.region.clone(), region.clone());
                    let void = Some(Reason::OtherRegion { token, asked });
                    return Ok(Asked { token: None, void });
                }
                let (string, current) = (claims.version, token.version);
                let void = (string != current).then_some(Reason::OldVersion { string, current });
                Ok(Asked { token: Some(Arc::clone(token)), void })
            }
        }
    }
}
