//! The limits of the edge.

use ovhai_emulator::{LIMITS, Limits};

use super::page::{Block, Page};

/// The page.
pub fn page() -> Page {
    Page {
        name: "limits",
        title: "Limits",
        about: "Limits of the gateway",
        blocks: vec![
            Block::Text(
                "Limits of requests, responses and connections. They are the emulator's own: the cloud publishes none.",
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
                "`--limit` or `OVHAI_LIMITS` set them at the emulator's start; the others keep their defaults.",
            ),
            Block::Text(
                "Some limits are fixed. A request: 16 KiB of trailers, 16 KiB of chunk extensions in total, a body of 1 MiB (API) or 256 KiB (login page); more: 400 or 413. An app's response: 16 KiB of trailers; more: 502, or the response is cut off.",
            ),
            Block::Text(
                "The size of a request head in HTTP/2 is counted as in HTTP/1, with all cookies in one line. A head that is not complete in time ends the connection. A head that is much too large gets 431 without a body, or ends the connection. A request is reset if its head is malformed, if its target has more than 65534 bytes, or while 128 requests of its connection are in flight. The access log has a line for each.",
            ),
            Block::Text(
                "New input to the API: a label selector has 4 KiB and 64 terms at most (each value of `in` and `notin` counts), an app 100 labels besides the platform's; more: 400. Apps and tokens that were stored with more keep working. A page of a list has 1000 entries at most.",
            ),
            Block::Lines(&["ovhai emulator start --limit headers=128KiB,body-time=5m"]),
        ],
    }
}

#[cfg(test)]
mod tests {
    use ovhai_emulator::{api, input};

    #[test]
    fn figures_match_the_code() {
        let page = super::page().terminal(usize::MAX);
        for (figure, says) in [
            (api::BODY_MAX / 1024 / 1024, "MiB (API)"),
            (input::SELECTOR_MAX_BYTES / 1024, "KiB and 64 terms"),
            (input::SELECTOR_MAX_TERMS, "terms at most"),
            (input::LABELS_MAX, "labels besides the platform's"),
        ] {
            assert!(page.contains(&format!(" {figure} {says}")), "{figure} {says}: {page}");
        }
    }
}
