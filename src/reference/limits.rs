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
                "Some are fixed. Of a request: 16 KiB of trailers, 16 KiB of chunk extensions in all, 1 MiB (API) or 256 KiB (login page) of a body that is not an app's; more: 400 or 413. Of an app's answer: 256 KiB of head, 16 KiB of trailers, 32 interim answers; more: 502, or the answer is broken off.",
            ),
            Block::Text(
                "A head in HTTP/2 is measured as it would be in HTTP/1, with all cookies in one line. One that is not whole in time ends the connection; one that is much larger gets 431 without a body, or ends it; one that is malformed, has a target of more than 65534 bytes, or comes while 128 requests of its connection are under way, is reset. The access log has a line for each.",
            ),
            Block::Text(
                "Of new input to the API: a label selector has 4 KiB and 64 terms at most (each value of `in` and `notin` counts), an app 100 labels besides the platform's; more: 400. Apps and tokens that were stored with more keep working. A page of a list has 1000 entries at most.",
            ),
            Block::Lines(&["ovhai emulator start --limit headers=128KiB,body-time=5m"]),
        ],
    }
}

#[cfg(test)]
mod tests {
    use ovhai_emulator::{api, input};

    #[test]
    fn the_figures_are_those_of_the_code() {
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
