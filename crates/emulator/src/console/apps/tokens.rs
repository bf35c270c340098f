//! Which tokens have access to an app with certain labels.

use std::sync::Arc;

use ovhai_api_types::{Labels, Region, TokenId};
use ovhai_core::model::TokenRecord;
use ovhai_core::platform::LabelVerdict;

use crate::console::visit::Visit;

/// Tokens that a list names.
const NAMED: usize = 20;

/// A token in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) id: TokenId,
    pub(super) name: String,
    pub(super) role: &'static str,
    pub(super) why: String,
}

impl Row {
    fn new(token: &Arc<TokenRecord>, why: &impl ToString) -> Self {
        let (name, role) = (token.name.clone(), token.role.short());
        Self { id: token.id, name, role, why: why.to_string() }
    }
}

/// The first tokens, and how many more there are.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) rows: Vec<Row>,
    pub(super) more: usize,
}

impl Named {
    fn new(mut rows: Vec<Row>) -> Self {
        let more = rows.len().saturating_sub(NAMED);
        rows.truncate(NAMED);
        Self { rows, more }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// The tokens that may send requests to an app with these labels.
pub(super) struct Opens {
    pub(super) tokens: Named,
    /// The tokens of the region.
    pub(super) of: usize,
}

fn verdicts(visit: &Visit, region: &Region, labels: &Labels) -> Result<Vec<LabelVerdict>, String> {
    let platform = &visit.console.platform;
    // Who has access by a token, also to an app that needs none.
    platform
        .explain_labels(&visit.who, region, labels, false)
        .map_err(|error| format!("The tokens are not shown: {error}."))
}

/// The tokens that open an app with these labels.
pub(super) fn opens(visit: &Visit, region: &Region, labels: &Labels) -> Result<Opens, String> {
    let verdicts = verdicts(visit, region, labels)?;
    let allowed = verdicts.iter().filter(|verdict| verdict.read.is_allowed());
    let rows = allowed.map(|verdict| Row::new(&verdict.token, &verdict.read.reason)).collect();
    Ok(Opens { tokens: Named::new(rows), of: verdicts.len() })
}

/// What other labels change.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) gain: Named,
    pub(super) lose: Named,
    /// The tokens that have access before and after.
    pub(super) keep: usize,
}

/// The tokens that gain and lose access when labels change.
pub(super) fn changes(
    visit: &Visit,
    region: &Region,
    before: &Labels,
    after: &Labels,
) -> Result<Changes, String> {
    let (before, after) = (verdicts(visit, region, before)?, verdicts(visit, region, after)?);
    let (mut gain, mut lose, mut keep) = (Vec::new(), Vec::new(), 0);
    for (before, after) in before.iter().zip(&after) {
        // A token that was made in between is in one of the lists only.
        if before.token.id != after.token.id {
            return Err("The tokens change right now. Reload the page.".to_owned());
        }
        let row = || Row::new(&after.token, &after.read.reason);
        match (before.read.is_allowed(), after.read.is_allowed()) {
            (false, true) => gain.push(row()),
            (true, false) => lose.push(row()),
            (true, true) => keep += 1,
            (false, false) => {}
        }
    }
    Ok(Changes { gain: Named::new(gain), lose: Named::new(lose), keep })
}
