//! The headers of a request: defaults, unless the user sets others.

use std::path::Path;

use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue};

use super::source;
use crate::error::{Failure, Result};

/// Headers as the user gives them.
#[derive(Debug, Default)]
pub(super) struct Given {
    sent: HeaderMap,
    removed: Vec<HeaderName>,
}

impl Given {
    /// `Name: value`, `Name;` for an empty value, `Name:` to remove a header, `@FILE` for a file of
    /// such lines.
    pub(super) async fn parse(texts: &[String], directory: &Path) -> Result<Self> {
        let mut given = Self::default();
        for text in texts {
            let Some(file) = text.strip_prefix('@') else {
                given.add(text)?;
                continue;
            };
            let lines = String::from_utf8(source::read(directory, file).await?)
                .map_err(|_| Failure::usage(format!("{file} is not text")))?;
            for line in lines.lines().filter(|line| !line.trim().is_empty()) {
                given.add(line)?;
            }
        }
        Ok(given)
    }

    fn add(&mut self, text: &str) -> Result<()> {
        // Values may be secret: none is shown.
        let form = || Failure::usage("a header is malformed").hint("use -H 'Name: value'");
        let (name, value) = match text.split_once(':') {
            Some((name, value)) => (name, Some(value.trim()).filter(|value| !value.is_empty())),
            None => (text.trim_end().strip_suffix(';').ok_or_else(form)?, Some("")),
        };
        let name: HeaderName = name.trim().parse().map_err(|_| form())?;
        let Some(value) = value else {
            if name == HOST {
                return Err(Failure::usage("a request needs a Host header")
                    .hint("change its value, or omit the option"));
            }
            self.removed.push(name);
            return Ok(());
        };
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
            Failure::usage(format!("the value of the header {name} has control characters"))
                .hint("write it on one line")
        })?;
        self.sent.append(name, value);
        Ok(())
    }

    /// Whether the user sets or removes this header.
    pub(super) fn mentions(&self, name: &HeaderName) -> bool {
        self.sent.contains_key(name) || self.removed.contains(name)
    }

    /// Prepends these headers, except those that the user sets or removes.
    pub(super) fn after(
        self,
        defaults: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    ) -> HeaderMap {
        let mut all: HeaderMap =
            defaults.into_iter().filter(|(name, _)| !self.mentions(name)).collect();
        all.extend(self.sent);
        all
    }
}
