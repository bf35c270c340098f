//! The limits of the edge.

use ovhai_emulator::{LIMITS, Limits};

use super::page::{Block, Page};

/// The page.
pub fn page() -> Page {
    Page {
        name: "limits",
        title: "Limits",
        about: "What clients may ask of the gateway",
        blocks: vec![
            Block::Text(
                "What a request or a connection may ask of the gateway before it is refused. They are this emulator's own: the cloud publishes none.",
            ),
            Block::Terms {
                name: "limit and default",
                meaning: "meaning",
                terms: LIMITS
                    .iter()
                    .map(|limit| {
                        let default = limit.shown(Limits::default());
                        (format!("{}={default}", limit.name), limit.meaning.to_owned())
                    })
                    .collect(),
            },
            Block::Text(
                "They are set when an emulator starts, by `--limit` or `OVHAI_LIMITS`; what is not named keeps its default.",
            ),
            Block::Lines(&["ovhai emulator start --limit headers=128KiB,body-time=5m"]),
        ],
    }
}
