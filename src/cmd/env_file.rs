//! Environment variables of a file, as `.env` files are written.
//!
//! `NAME=VALUE` a line, `#` for comments, `export` before the name, single or double quotes, also over
//! several lines; CRLF and a byte order mark do no harm. A name alone takes the current value, as in
//! docker. `$` stays as it is, as in docker: crates for such files put values of this process there
//! (and tell no line numbers), so that a password with a `$` would silently become another one.

use std::path::Path;

use crate::error::{Failure, Result};

/// A name, and its value unless that is the current one.
pub(super) type Variable = (String, Option<String>);

/// Reads a file of variables, in their order.
pub(super) fn read(path: &Path, shown: &str) -> Result<Vec<Variable>> {
    let failure = || Failure::usage(format!("the variables of {shown} can't be read"));
    let bytes = std::fs::read(path).map_err(|error| {
        failure()
            .because(error.to_string())
            .hint("give a file with lines such as NAME=VALUE: --env-file FILE")
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.split(|byte| *byte == b'\n').count();
        failure()
            .because(format!("{shown}, line {line}: it is not UTF-8"))
            .hint("save the file as UTF-8")
    })?;
    parse(&text).map_err(|Malformed { line, why, todo }| {
        failure().because(format!("{shown}, line {line}: {why}")).hint(todo)
    })
}

/// A line that says nothing.
#[derive(Debug, PartialEq, Eq)]
struct Malformed {
    line: usize,
    why: String,
    todo: &'static str,
}

fn parse(text: &str) -> Result<Vec<Variable>, Malformed> {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut line = 1;
    let mut variables = Vec::new();
    while !rest.is_empty() {
        let begin = rest.trim_start_matches([' ', '\t']);
        let (first, after) = split_line(begin);
        let malformed = |why: String, todo| Malformed { line, why, todo };
        if first.trim().is_empty() || first.starts_with('#') {
            (rest, line) = (after, line + 1);
            continue;
        }
        let begin = begin
            .strip_prefix("export")
            .filter(|name| name.starts_with([' ', '\t']))
            .map_or(begin, |name| name.trim_start_matches([' ', '\t']));
        let (statement, _) = split_line(begin);
        let (name, has_value) = match statement.split_once('=') {
            Some((name, _)) => (name, true),
            None => (without_comment(statement), false),
        };
        let length = name.len();
        let name = name.trim_end();
        if name.is_empty() {
            return Err(malformed("a name is missing before '='".into(), "write NAME=VALUE"));
        }
        if name.contains(|c: char| c.is_whitespace() || c.is_control() || "'\"`#".contains(c)) {
            // The line may be part of a secret: the error names only its kind.
            let todo = "write NAME=VALUE; a value of several lines needs quotes";
            return Err(malformed("it does not begin with a name and '='".into(), todo));
        }
        if !has_value {
            variables.push((name.to_owned(), None));
            (rest, line) = (after, line + 1);
            continue;
        }
        let given = begin[length + 1..].trim_start_matches([' ', '\t']);
        let Some(quote) = given.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
            let (value, after) = split_line(given);
            variables.push((name.to_owned(), Some(without_comment(value).to_owned())));
            (rest, line) = (after, line + 1);
            continue;
        };
        let Some((value, after)) = quoted(&given[1..], quote) else {
            let why = format!("the quote {quote} before the value of {name} is not closed");
            return Err(malformed(why, "close it, or write a value of one line without quotes"));
        };
        let lines = given[..given.len() - after.len()].matches('\n').count();
        let (more, after) = split_line(after);
        if !without_comment(more).is_empty() {
            let why = format!("text follows the closing quote of {name}");
            return Err(Malformed {
                line: line + lines,
                why,
                todo: "remove it, or escape the quote inside of the value: \\\"",
            });
        }
        variables.push((name.to_owned(), Some(value)));
        (rest, line) = (after, line + lines + 1);
    }
    Ok(variables)
}

/// The first line without its end, and what follows it.
fn split_line(text: &str) -> (&str, &str) {
    let (line, after) = text.split_once('\n').unwrap_or((text, ""));
    (line.strip_suffix('\r').unwrap_or(line), after)
}

/// Text before ` #`, without blanks around it.
fn without_comment(text: &str) -> &str {
    let comment = text.char_indices().find(|(at, c)| {
        *c == '#' && text[..*at].chars().next_back().is_none_or(char::is_whitespace)
    });
    text[..comment.map_or(text.len(), |(at, _)| at)].trim()
}

/// The value up to the closing quote, and what follows it. Between single quotes nothing is special.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Some((value, &text[at + c.len_utf8()..])),
            // A line's end is one character, whatever the editor writes.
            '\r' if chars.peek().is_some_and(|(_, next)| *next == '\n') => {}
            '\\' if quote == '"' => match chars.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                c @ ('"' | '\\' | '$' | '\'' | '`') => value.push(c),
                '\n' => {}
                c => value.extend(['\\', c]),
            },
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(text: &str) -> Vec<Variable> {
        parse(text).unwrap_or_else(|error| panic!("{text:?}: {error:?}"))
    }

    #[test]
    fn lines() {
        for (text, name, value) in [
            ("A=b", "A", "b"),
            ("A=b\r\n", "A", "b"),
            ("\u{feff}A=b\n", "A", "b"),
            ("export A=b", "A", "b"),
            ("  export\tA = b c  ", "A", "b c"),
            ("export=b", "export", "b"),
            ("A=", "A", ""),
            ("A=\"\"", "A", ""),
            ("A= # nothing", "A", ""),
            ("A=b # a comment", "A", "b"),
            ("A=b#c", "A", "b#c"),
            ("A=#b", "A", ""),
            ("A='b # c' # d", "A", "b # c"),
            ("A='b\\n$C'", "A", "b\\n$C"),
            ("A=\"b\\n\\\"c\\\" \\\\ \\$D \\x\"", "A", "b\n\"c\" \\ $D \\x"),
            ("A=pa$$word${X}", "A", "pa$$word${X}"),
            ("A=b'c\"d", "A", "b'c\"d"),
            ("A=x=y==", "A", "x=y=="),
            ("A=\"one\r\ntwo\"\r\n", "A", "one\ntwo"),
            ("A.b-c=d", "A.b-c", "d"),
            ("A=ü", "A", "ü"),
        ] {
            assert_eq!(pairs(text), [(name.into(), Some(value.into()))], "{text:?}");
        }
        let several = "# first\r\n\r\nA=1\n\n  # x=y\nB\nexport C # why\nA='2\n3'\nD=4";
        let value = |name: &str, value: Option<&str>| (name.to_owned(), value.map(str::to_owned));
        assert_eq!(
            pairs(several),
            [
                value("A", Some("1")),
                value("B", None),
                value("C", None),
                value("A", Some("2\n3")),
                value("D", Some("4")),
            ]
        );
        assert_eq!(pairs(""), []);
    }

    #[test]
    fn faults_have_their_line() {
        for (text, line, why) in [
            ("A=1\n=b", 2, "a name is missing"),
            ("A=1\n\nB C=2", 3, "does not begin with a name"),
            ("secret words", 1, "does not begin with a name"),
            ("A='1\n2'\nB=\"x", 3, "the quote \" before the value of B"),
            ("A='1\n2' x", 2, "text follows the closing quote of A"),
            ("A=\"b\\\"", 1, "is not closed"),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(error.line, line, "{text:?}: {error:?}");
            assert!(error.why.contains(why) && !error.why.contains("secret"), "{error:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[A-Z='\"\\\\# \r\n\u{feff}ü]{0,40}") {
            let _ = parse(&text);
        }

        #[test]
        fn quoted_values_come_back(value in "[^\\x00\r]{0,20}") {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
            let expected = [("A".to_owned(), Some(value.clone())), ("B".to_owned(), Some("c".into()))];
            prop_assert_eq!(pairs(&format!("A=\"{escaped}\"\nB=c")), expected);
        }
    }
}
