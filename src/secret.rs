//! Secrets as they appear in files and variables.

/// Removes a byte order mark and line ends around a secret. A file from Windows leaves a carriage
/// return in a variable.
pub(crate) fn bare(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text).trim_end_matches(['\r', '\n'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_byte_order_marks_are_removed() {
        for (text, secret) in [
            ("correct horse\r", "correct horse"),
            ("correct horse\r\n", "correct horse"),
            ("\u{feff}correct horse\n", "correct horse"),
            (" a b ", " a b "),
            ("a\rb", "a\rb"),
            ("\r\n", ""),
        ] {
            assert_eq!(bare(text), secret, "{text:?}");
        }
    }
}
