//! `--form`: a body of the type multipart/form-data (RFC 7578); files are not read into memory.

use std::hash::{BuildHasher, Hasher};
use std::path::Path;

use ovhai_client::RequestBody;

use super::source;
use crate::error::{Failure, Result};

/// One `--form`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    name: String,
    content: Content,
    kind: Option<String>,
    file_name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Text(String),
    /// `@FILE`: an upload.
    Upload(String),
    /// `<FILE`: the value of a field.
    FromFile(String),
}

/// The value of `Content-Type`, and the body.
pub(super) async fn body(forms: &[String], directory: &Path) -> Result<(String, RequestBody)> {
    let parts = forms.iter().map(|form| parse(form)).collect::<Result<Vec<_>>>()?;
    let boundary = boundary();
    let mut body = RequestBody::default();
    for part in &parts {
        body = body.then(part.head(&boundary));
        body = match &part.content {
            Content::Text(text) => body.then(text.clone()),
            Content::Upload(file) | Content::FromFile(file) => {
                source::stream(body, directory, file).await?
            }
        };
        body = body.then("\r\n");
    }
    let body = body.then(format!("--{boundary}--\r\n"));
    Ok((format!("multipart/form-data; boundary={boundary}"), body))
}

/// A boundary that does not occur in the content.
fn boundary() -> String {
    let random = || std::hash::RandomState::new().build_hasher().finish();
    format!("------------------------{:016x}{:016x}", random(), random())
}

fn parse(form: &str) -> Result<Part> {
    let wrong = |why: &str| {
        let name = form.split('=').next().unwrap_or_default();
        Failure::usage(format!("--form {name}: {why}"))
            .hint("use name=value, name=@FILE[;type=TYPE][;filename=NAME] or name=<FILE")
    };
    let (name, rest) = form.split_once('=').ok_or_else(|| wrong("the = is missing"))?;
    if name.is_empty() {
        return Err(wrong("the name is missing"));
    }
    let pieces = split(rest);
    // Only what begins a parameter ends the value: a value may have semicolons in it.
    let is_parameter = |piece: &&String| {
        let piece = piece.trim_start();
        piece.starts_with("type=") || piece.starts_with("filename=")
    };
    let end = pieces.iter().position(|piece| is_parameter(&piece)).unwrap_or(pieces.len());
    let (mut kind, mut file_name) = (None::<String>, None::<String>);
    for piece in &pieces[end..] {
        let piece = piece.trim_start();
        if let Some(value) = piece.strip_prefix("type=") {
            kind = Some(value.trim().to_owned());
        } else if let Some(value) = piece.strip_prefix("filename=") {
            file_name = Some(unquote(value));
        } else if let Some(kind) = kind.as_mut() {
            // A parameter of the type, such as its charset.
            *kind += &format!(";{piece}");
        } else {
            return Err(wrong("unknown parameter"));
        }
    }
    if kind.as_ref().is_some_and(|kind| kind.is_empty() || kind.chars().any(char::is_control)) {
        return Err(wrong("the type is malformed"));
    }
    let value = pieces[..end].join(";");
    let file = |name: &str| {
        let name = unquote(name);
        if name.is_empty() { Err(wrong("the file name is missing")) } else { Ok(name) }
    };
    let content = match value.chars().next() {
        Some('@') => Content::Upload(file(&value[1..])?),
        Some('<') => Content::FromFile(file(&value[1..])?),
        _ => Content::Text(value),
    };
    Ok(Part { name: name.to_owned(), content, kind, file_name })
}

/// The parts between semicolons outside of quotes.
fn split(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        if c == ';' && !quoted {
            pieces.push(String::new());
            continue;
        }
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            _ => {}
        }
        if let Some(last) = pieces.last_mut() {
            last.push(c);
        }
    }
    pieces
}

/// Without the quotes around it.
fn unquote(text: &str) -> String {
    let trimmed = text.trim();
    let Some(inner) = trimmed.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut plain = String::new();
    let mut escaped = false;
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
            continue;
        }
        escaped = false;
        plain.push(c);
    }
    plain
}

/// Escapes names as browsers do.
fn quote(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

impl Part {
    fn head(&self, boundary: &str) -> String {
        let mut head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"",
            quote(&self.name)
        );
        let upload = match &self.content {
            Content::Upload(file) => Some(file.rsplit('/').next().unwrap_or(file)),
            _ => None,
        };
        if let Some(name) = self.file_name.as_deref().or(upload) {
            head += &format!("; filename=\"{}\"", quote(name));
        }
        let guessed = upload.map(|name| guess(self.file_name.as_deref().unwrap_or(name)));
        if let Some(kind) = self.kind.as_deref().or(guessed) {
            head += &format!("\r\nContent-Type: {kind}");
        }
        head + "\r\n\r\n"
    }
}

/// The media type of a file, by its extension.
fn guess(name: &str) -> &'static str {
    let end = name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).unwrap_or_default();
    match end.as_str() {
        "csv" => "text/csv",
        "gif" => "image/gif",
        "htm" | "html" => "text/html",
        "jpg" | "jpeg" => "image/jpeg",
        "json" => "application/json",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain",
        "wav" => "audio/wav",
        "webp" => "image/webp",
        "xml" => "application/xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let part = |text: &str| parse(text).unwrap();
        assert_eq!(part("a=b;c").content, Content::Text("b;c".into()));
        let typed = part("a={\"x\":\"1;2\"};type=application/json; charset=utf-8");
        assert_eq!(typed.content, Content::Text("{\"x\":\"1;2\"}".into()));
        assert_eq!(typed.kind.as_deref(), Some("application/json;charset=utf-8"));
        let file = part("f=@\"d/x;y.png\";filename=\"a\\\"b\"");
        assert_eq!(file.content, Content::Upload("d/x;y.png".into()));
        let head = file.head("B");
        assert!(head.contains("filename=\"a%22b\"\r\n"), "{head}");
        let head = part("f=@d/x.PNG").head("B");
        assert!(head.ends_with("filename=\"x.PNG\"\r\nContent-Type: image/png\r\n\r\n"), "{head}");
        assert_eq!(
            part("a=<f").head("B"),
            "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"
        );
        for bad in ["a", "=b", "a=@", "a=@f;filename=x;y=z", "a=b;type="] {
            assert_eq!(parse(bad).unwrap_err().code(), crate::error::USAGE, "{bad}");
        }
    }
}
