//! Label selectors.

use super::page::{Block, Page};

/// The page.
pub fn page() -> Page {
    let terms = [
        ("key=value", "the label has this value; also `key==value`"),
        ("key!=value", "the label has another value, or the app does not have it"),
        ("key in (a,b)", "the label has one of these values"),
        ("key notin (a,b)", "the label has none of these values, or the app does not have it"),
        ("key", "the app has the label, with any value"),
        ("!key", "the app does not have the label"),
        ("key>1", "the label is a 64-bit integer above 1"),
        ("key<1", "the label is a 64-bit integer below 1"),
    ];
    Page {
        name: "selectors",
        title: "Label selectors",
        about: "Label selectors: which apps a token is for, or a list shows",
        blocks: vec![
            Block::Text(
                "A selector is one or more terms with commas between them, as in Kubernetes. An app satisfies it when it satisfies every term. A token with a selector is for every app that satisfies it, also for those submitted later; one without a selector is for every app of its region.",
            ),
            Block::Terms {
                name: "term",
                meaning: "satisfied when",
                terms: terms.map(|(term, text)| (term.to_owned(), text.to_owned())).to_vec(),
            },
            Block::Text(
                "A key may have a prefix and a slash before it. Keys that begin with `ovh/` are the platform's: every app has `ovh/id` (its id) and `ovh/type` (`app`), and nobody else can set them. So `ovh/id=<id>` is satisfied by exactly one app.",
            ),
            Block::Text(
                "What an operator token with a selector creates gets the `key=value` terms of the selector as labels; it can't take an app out of its own scope. A shell gives `!`, `(` and blanks a meaning of its own: put quotes around them.",
            ),
            Block::Lines(&[
                "ovhai token new reader --selector group=A --role read",
                "ovhai token new op --selector ovh/id=<app id> --role operator",
                "ovhai app list --selector 'tier in (web,api),!beta'",
            ]),
        ],
    }
}
