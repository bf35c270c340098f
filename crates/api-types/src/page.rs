//! Paging of list answers.

use serde::{Deserialize, Serialize};

/// The direction of a sorted list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Order {
    /// Smallest, or oldest, first.
    #[default]
    Asc,
    /// Largest, or newest, first.
    Desc,
}

/// Where this page stands among all pages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Metadata {
    /// This page; the first is 1.
    #[serde(default)]
    pub current_page: u64,
    /// Links to other pages.
    #[serde(default)]
    pub links: Links,
    /// How many pages there are.
    #[serde(default)]
    pub page_count: u64,
    /// How many items there are on all pages together.
    #[serde(default)]
    pub total: u64,
}

/// Links from one page to others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Links {
    /// Path and query of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
