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
            Block::Text(
                "Some are fixed. Of a request: 16 KiB of trailers, 16 KiB of chunk extensions in all, 64 KiB (API) or 256 KiB (login page) of a body that is not an app's; more: 400 or 413. Of an app's answer: 256 KiB of head, 16 KiB of trailers, 32 interim answers; more: 502, or the answer is broken off.",
            ),
            Block::Text(
                "A head in HTTP/2 is measured as it would be in HTTP/1, with all cookies in one line. One that is not whole in time ends the connection; one that is much larger gets 431 without a body, or ends it; one that is malformed, has a target of more than 65534 bytes, or comes while 128 requests of its connection are under way, is reset. The access log has a line for each.",
            ),
            Block::Lines(&["ovhai emulator start --limit headers=128KiB,body-time=5m"]),
        ],
    }
}
