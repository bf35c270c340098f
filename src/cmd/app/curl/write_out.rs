//! `--write-out`: a format for the facts of a finished transfer.

use std::time::Duration;

/// The facts of a transfer.
#[derive(Debug, Default)]
pub(super) struct Transfer {
    /// 0 without a response.
    pub(super) status: u16,
    pub(super) size: u64,
    pub(super) content_type: String,
    pub(super) time: Duration,
}

const NAMES: [&str; 5] =
    ["http_code", "response_code", "time_total", "size_download", "content_type"];

/// A format, checked.
#[derive(Debug, Clone)]
pub(super) struct WriteOut(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable(&'static str),
}

impl std::str::FromStr for WriteOut {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("%{") {
                let known = after.split_once('}').and_then(|(name, after)| {
                    NAMES.iter().find(|known| **known == name).map(|known| (*known, after))
                });
                let (name, after) = known
                    .ok_or_else(|| format!("use %{{…}} with {}; %% for a %", NAMES.join(", ")))?;
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
                pieces.push(Piece::Variable(name));
                rest = after;
                continue;
            }
            let escapes =
                [("%%", '%'), ("\\n", '\n'), ("\\r", '\r'), ("\\t", '\t'), ("\\\\", '\\')];
            let escape = escapes.iter().find(|(escape, _)| rest.starts_with(escape));
            let (taken, c) = escape.map_or((c.len_utf8(), c), |(escape, c)| (escape.len(), *c));
            plain.push(c);
            rest = &rest[taken..];
        }
        pieces.push(Piece::Text(plain));
        Ok(Self(pieces))
    }
}

impl WriteOut {
    pub(super) fn render(&self, transfer: &Transfer) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Variable("http_code" | "response_code") => format!("{:03}", transfer.status),
            Piece::Variable("time_total") => format!("{:.6}", transfer.time.as_secs_f64()),
            Piece::Variable("size_download") => transfer.size.to_string(),
            Piece::Variable(_) => transfer.content_type.clone(),
        };
        self.0.iter().map(piece).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        let transfer = Transfer {
            status: 0,
            size: 12,
            content_type: "text/plain".into(),
            time: Duration::from_millis(1500),
        };
        let show = |text: &str| text.parse::<WriteOut>().unwrap().render(&transfer);
        assert_eq!(
            show("%{http_code} %{time_total}\\n%{size_download}|%{content_type}%%é\\\\n"),
            "000 1.500000\n12|text/plain%é\\n"
        );
        for bad in ["%{nothing}", "%{http_code"] {
            assert!(bad.parse::<WriteOut>().unwrap_err().contains("http_code"), "{bad}");
        }
    }
}
