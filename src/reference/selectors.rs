//! Label selectors.

use super::page::{Block, Page};

/// The page.
pub fn page() -> Page {
    let terms = [
        ("key=value", "the label has this value; also `key==value`"),
        ("key!=value", "the label has another value, or the app does not have the label"),
        ("key in (a,b)", "the label has one of these values"),
        (
            "key notin (a,b)",
            "the label has none of these values, or the app does not have the label",
        ),
        ("key", "the app has the label, with any value"),
        ("!key", "the app does not have the label"),
        ("key>1", "the label is a 64-bit integer above 1"),
        ("key<1", "the label is a 64-bit integer below 1"),
    ];
    Page {
        name: "selectors",
        title: "Label selectors",
        about: "Label selectors: how tokens and lists choose apps",
        blocks: vec![
            Block::Text(
                "A selector consists of terms separated by commas, as in Kubernetes. An app satisfies it if it satisfies every term. The scope of a token is every app that satisfies its selector, including apps submitted later; without a selector, every app of its region.",
            ),
            Block::Terms {
                name: "term",
                meaning: "satisfied when",
                terms: terms.map(|(term, text)| (term.to_owned(), text.to_owned())).to_vec(),
            },
            Block::Text(
                "A key may have a prefix and a slash before it. Keys that begin with `ovh/` are set by the platform only: every app has `ovh/id` (its id) and `ovh/type` (`app`). So exactly one app satisfies `ovh/id=<id>`.",
            ),
            Block::Text(
                "An app that an operator token creates gets the `key=value` terms of the token's selector as labels. An operator can't move an app out of its own scope. In a shell, quote selectors with `!`, parentheses or spaces.",
            ),
            Block::Lines(&[
                "ovhai token new reader --selector group=A --role read",
                "ovhai token new op --selector ovh/id=<app id> --role operator",
                "ovhai app list --selector 'tier in (web,api),!beta'",
            ]),
        ],
    }
}
