//! Foreign text, made safe for a terminal: it can't move the cursor, its width is counted as
//! terminals show it, and it is cut or folded at readable places.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

/// Marks the place of a cut.
const ELLIPSIS: char = '…';

/// Whether a terminal would act on this character instead of showing it: control characters, and
/// those that change the direction of writing.
fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escaped(text: &str, keep: &[char]) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_active(c) && !keep.contains(&c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether every byte is a printable character of one column, the usual case, for which the
/// functions below have a shortcut.
fn is_plain(text: &str) -> bool {
    // Not `all`: without an early exit the loop is vectorised.
    text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'))
}

/// One line in which every active character is escaped: `\n`, `\u{1b}`.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if is_plain(text) || !text.chars().any(is_active) {
        text.into()
    } else {
        escaped(text, &[]).into()
    }
}

/// The same for text that has lines of its own.
pub(crate) fn clean_lines(text: &str) -> Cow<'_, str> {
    let keep = ['\n', '\t'];
    if text.chars().any(|c| is_active(c) && !keep.contains(&c)) {
        escaped(text, &keep).into()
    } else {
        text.into()
    }
}

/// One word, quoted for a shell.
pub(crate) fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+@:,=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.into()
    } else {
        format!("'{}'", word.replace('\'', "'\\''")).into()
    }
}

/// Width on a terminal, in columns.
pub(crate) fn width(text: &str) -> usize {
    if is_plain(text) { text.len() } else { UnicodeWidthStr::width(text) }
}

/// Cuts to this width, with an ellipsis at the cut.
pub(crate) fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return text.into();
    }
    let mut out = String::new();
    for c in text.chars() {
        out.push(c);
        // The width of the whole: a character may change the width of the one before it.
        if width(&out) + 1 > columns {
            out.pop();
            break;
        }
    }
    out.push(ELLIPSIS);
    out.into()
}

/// Folds at blanks into lines of at most this width. A longer word, such as an address or a token,
/// stays whole on its own line.
pub(crate) fn fold(text: &str, columns: usize) -> Vec<String> {
    if width(text) <= columns {
        return vec![text.to_owned()];
    }
    let mut lines = Vec::new();
    let mut line: Option<String> = None;
    for word in text.split(' ') {
        line = Some(match line.take() {
            None => word.to_owned(),
            Some(line) if width(&line) + 1 + width(word) <= columns => line + " " + word,
            Some(line) => {
                lines.push(line);
                word.to_owned()
            }
        });
    }
    lines.extend(line);
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(clean("a\x1b[31mb\nc\td\u{9b}e"), "a\\u{1b}[31mb\\nc\\td\\u{9b}e");
        assert_eq!(clean("\u{202e}live"), "\\u{202e}live");
        assert_eq!(clean("naïve 日本 🚀"), "naïve 日本 🚀");
        assert_eq!(clean_lines("a\n\tb\r"), "a\n\tb\\r");
    }

    #[test]
    fn words_for_a_shell() {
        let quoted = ["/tmp/a-b", "a b", "it's", "", "$HOME"].map(quoted);
        assert_eq!(quoted, ["/tmp/a-b", "'a b'", r"'it'\''s'", "''", "'$HOME'"]);
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(width("日本"), 4);
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("abc", 3), "abc");
    }

    #[test]
    fn text_wraps_only_at_blanks() {
        assert_eq!(fold("one two three", 7), ["one two", "three"]);
        let address = "http://0123456789.example/";
        assert_eq!(fold(&format!("see {address} now"), 10), ["see", address, "now"]);
    }

    proptest! {
        #[test]
        fn plain_text_is_no_special_case(text in "[ -~]{0,40}|\\PC{0,40}") {
            prop_assert_eq!(width(&text), UnicodeWidthStr::width(&*text));
            let active = text.chars().any(is_active);
            prop_assert_eq!(matches!(clean(&text), Cow::Owned(_)), active);
        }

        #[test]
        fn cut_text_fits_and_begins_the_same(text in "\\PC{0,40}", columns in 1usize..30) {
            let shown = cut(&text, columns);
            prop_assert!(width(&shown) <= columns, "{shown:?}");
            let kept = shown.strip_suffix(ELLIPSIS).unwrap_or(&shown);
            prop_assert!(text.starts_with(kept));
        }

        #[test]
        fn wrapping_loses_nothing(text in "[a-z日 ]{0,60}", columns in 1usize..30) {
            let lines = fold(&text, columns);
            prop_assert_eq!(lines.join(" "), text);
            prop_assert!(lines.iter().all(|l| width(l) <= columns || !l.trim().contains(' ')));
        }
    }
}
