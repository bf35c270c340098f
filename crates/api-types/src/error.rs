//! The body of every error answer.

use serde::{Deserialize, Serialize};

/// `{"message": "…"}`: the one envelope of all errors, 4xx and 5xx alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = Error))]
pub struct ErrorBody {
    /// What happened, for a person.
    pub message: String,
}
