//! The fields of a form that a browser sent.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// The content type of forms.
pub(crate) const FORM_TYPE: &str = "application/x-www-form-urlencoded";

/// The fields of a form.
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a body; none if it is of another type.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let is_form = kind.eq_ignore_ascii_case(FORM_TYPE);
        is_form.then(|| Self(form_urlencoded::parse(body).into_owned().collect()))
    }

    /// The field's value; empty when it is missing or came twice.
    pub(crate) fn get(&self, name: &str) -> &str {
        let mut values = self.0.iter().filter(|(of, _)| of == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (Some(value), None) => value,
            _ => "",
        }
    }
    /// The values of a field that may be repeated.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(of, _)| of == name).map(|(_, value)| value.as_str())
    }
}
