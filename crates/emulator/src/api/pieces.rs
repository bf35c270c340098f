//! Pages of lists in pieces: each is written when the client has taken the one before, so that the
//! memory of a response does not depend on the size of its records.

use std::io;
use std::vec::IntoIter;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use ovhai_api_types::Metadata;
use serde::Serialize;
use tokio::sync::mpsc;

use super::error::ApiError;

/// Length from which on a piece is not continued, in bytes: most pages are one.
const PIECE: usize = 64 * 1024;

/// The JSON of a page, piece by piece.
struct Pieces<T, F> {
    items: IntoIter<T>,
    show: F,
    /// Written last.
    metadata: Option<Metadata>,
    before: &'static [u8],
}

impl<T, S: Serialize, F: Fn(&T) -> S> Pieces<T, F> {
    fn new(items: Vec<T>, metadata: Metadata, show: F) -> Self {
        Self { items: items.into_iter(), show, metadata: Some(metadata), before: br#"{"items":["# }
    }

    fn write(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        while out.len() < PIECE {
            if let Some(item) = self.items.next() {
                out.extend_from_slice(std::mem::replace(&mut self.before, b","));
                serde_json::to_writer(&mut *out, &(self.show)(&item))?;
                continue;
            }
            if let Some(metadata) = self.metadata.take() {
                if self.before != b"," {
                    out.extend_from_slice(self.before);
                }
                out.extend_from_slice(br#"],"metadata":"#);
                serde_json::to_writer(&mut *out, &metadata)?;
                out.push(b'}');
            }
            return Ok(());
        }
        Ok(())
    }
}

impl<T, S: Serialize, F: Fn(&T) -> S> Iterator for Pieces<T, F> {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<io::Result<Bytes>> {
        self.metadata.as_ref()?;
        let mut out = Vec::new();
        Some(self.write(&mut out).map(|()| out.into()))
    }
}

/// The response with a page of a list.
pub(super) fn page<T, S, F>(
    items: Vec<T>,
    metadata: Metadata,
    show: F,
) -> Result<Response, ApiError>
where
    T: Send + 'static,
    S: Serialize,
    F: Fn(&T) -> S + Send + 'static,
{
    let mut pieces = Pieces::new(items, metadata, show);
    let first = pieces.next().transpose().map_err(ApiError::internal)?.unwrap_or_default();
    let body = if pieces.metadata.is_none() {
        Body::from(first)
    } else {
        // Written on the runtime of this call, not where the body is sent.
        let (send, rest) = mpsc::channel(1);
        tokio::spawn(async move {
            for piece in pieces {
                if send.send(piece).await.is_err() {
                    // The client has gone away.
                    return;
                }
                tokio::task::yield_now().await;
            }
        });
        Body::from_stream(stream::unfold((Some(first), rest), |(first, mut rest)| async move {
            match first {
                Some(first) => Some((Ok(first), (None, rest))),
                None => rest.recv().await.map(|piece| (piece, (None, rest))),
            }
        }))
    };
    let mut response = body.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use ovhai_api_types::Links;

    use super::*;

    async fn read(items: Vec<String>) -> (Option<u64>, serde_json::Value) {
        let total = items.len() as u64;
        let metadata =
            Metadata { current_page: 1, links: Links { next: None }, page_count: 1, total };
        let answer = page(items, metadata, String::clone).expect("an answer");
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/json");
        let body = answer.into_body();
        let length = http_body::Body::size_hint(&body).exact();
        let bytes = body.collect().await.expect("a body").to_bytes();
        (length, serde_json::from_slice(&bytes).expect("JSON"))
    }

    #[tokio::test]
    async fn a_page_of_any_length_is_one_list() {
        for (count, length) in
            [(0, 1), (1, 1), (3, 100), (1, PIECE + 1), (10, PIECE / 3), (3, PIECE)]
        {
            let items = vec!["x".repeat(length); count];
            let (known, json) = read(items.clone()).await;
            assert_eq!(json["items"], serde_json::json!(items), "{count} of {length}");
            assert_eq!(json["metadata"]["total"], count);
            assert_eq!(known.is_some(), count * length < PIECE, "{count} of {length}");
        }
    }

    #[test]
    fn no_piece_is_longer_than_its_last_record() {
        let metadata =
            Metadata { current_page: 1, links: Links { next: None }, page_count: 1, total: 9 };
        let pieces = Pieces::new(vec!["x".repeat(PIECE / 2); 9], metadata, String::clone);
        let lengths: Vec<usize> = pieces.map(|piece| piece.expect("a piece").len()).collect();
        assert!(
            lengths.len() > 3 && lengths.iter().all(|length| *length < 2 * PIECE),
            "{lengths:?}"
        );
    }
}
