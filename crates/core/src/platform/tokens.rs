//! What the platform does with application tokens.

use std::sync::Arc;

use ovhai_api_types::{Region, Role, TokenId, TokenSpec};

use super::revocation::still_current;
use super::{Platform, check};
use crate::directory::Snapshot;
use crate::error::{Error, Result};
use crate::input;
use crate::model::{TokenClaims, TokenRecord};
use crate::policy::{self, Action, Principal, Resource};
use crate::records::Change;
use crate::spec;
use crate::subscriptions::Subject;

/// A token and its string, which exists only here.
pub struct IssuedToken {
    /// The record.
    pub record: Arc<TokenRecord>,
    /// The string. Hand it on and forget it.
    pub value: String,
}

impl std::fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedToken").field("record", &self.record).finish_non_exhaustive()
    }
}

impl Platform {
    /// Whether the caller may list and change tokens here.
    pub fn may_manage_tokens(&self, caller: &Principal, region: &Region) -> Result<()> {
        check(policy::decide(caller, Action::Tokens, &Resource::Region(region)))
    }

    fn issue(&self, record: &TokenRecord) -> Result<String> {
        let claims = TokenClaims {
            project: self.project,
            id: record.id,
            version: record.version,
            subject: self.project,
        };
        self.signer.sign(&claims).map_err(|error| Error::Internal(error.to_string()))
    }

    /// The tokens of a region, newest first.
    pub fn list_tokens(
        &self,
        caller: &Principal,
        region: &Region,
    ) -> Result<Vec<Arc<TokenRecord>>> {
        self.may_manage_tokens(caller, region)?;
        Ok(self.snapshot().tokens_of(region))
    }

    fn token_in(snapshot: &Snapshot, region: &Region, id: TokenId) -> Result<Arc<TokenRecord>> {
        snapshot
            .token(id)
            .filter(|token| token.region == *region)
            .cloned()
            .ok_or_else(|| Error::NotFound { kind: "token", id: id.to_string() })
    }

    /// One token.
    pub fn get_token(
        &self,
        caller: &Principal,
        region: &Region,
        id: TokenId,
    ) -> Result<Arc<TokenRecord>> {
        self.may_manage_tokens(caller, region)?;
        Self::token_in(&self.snapshot(), region, id)
    }

    /// Number of streams that end when a token is regenerated or deleted: tunnels, and requests that
    /// take longer than a moment.
    pub fn open_streams(&self, caller: &Principal, region: &Region, id: TokenId) -> Result<usize> {
        self.get_token(caller, region, id)?;
        Ok(self.ledger.subscribers(Subject::Token(id)))
    }

    /// Makes a token and its string.
    pub async fn create_token(
        &self,
        caller: &Principal,
        region: &Region,
        spec: &TokenSpec,
    ) -> Result<IssuedToken> {
        self.may_manage_tokens(caller, region)?;
        let name = spec::name("name", &spec.name)?;
        let role: Role =
            spec.role.parse().map_err(|why| Error::invalid("role", String::clone(&why)))?;
        let selector = spec
            .label_selector
            .as_deref()
            .map(|text| input::selector("labelSelector", text))
            .transpose()?
            .filter(|selector| !selector.is_empty());
        let now = self.clock.now();
        let record = TokenRecord {
            id: self.ids.token(),
            region: region.clone(),
            seq: 0,
            name,
            role,
            selector,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let value = self.issue(&record)?;
        let record = self
            .ledger
            .transact(|tx| {
                still_current(self, tx, caller)?;
                let seq = tx.next_seq();
                Ok(tx.put_token(TokenRecord { seq, ..record }))
            })
            .await?;
        Ok(IssuedToken { record, value })
    }

    /// Gives a token a new string. Once this is ready, the old one opens nothing.
    pub async fn renew_token(
        &self,
        caller: &Principal,
        region: &Region,
        id: TokenId,
    ) -> Result<IssuedToken> {
        self.may_manage_tokens(caller, region)?;
        let now = self.clock.now();
        let record = self
            .ledger
            .transact(|tx| {
                still_current(self, tx, caller)?;
                let mut record = TokenRecord::clone(&*Self::token_in(tx.state(), region, id)?);
                record.version += 1;
                record.updated_at = now;
                Ok(tx.put_token(record))
            })
            .await?;
        let value = self.issue(&record)?;
        Ok(IssuedToken { record, value })
    }

    /// Deletes a token. Once this is ready, its string opens nothing.
    pub async fn delete_token(
        &self,
        caller: &Principal,
        region: &Region,
        id: TokenId,
    ) -> Result<()> {
        self.may_manage_tokens(caller, region)?;
        self.ledger
            .transact(|tx| {
                still_current(self, tx, caller)?;
                Self::token_in(tx.state(), region, id)?;
                tx.apply(Change::RemoveToken(id));
                Ok(())
            })
            .await
    }
}
