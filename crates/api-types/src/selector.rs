//! Label selectors in the grammar of Kubernetes
//! (<https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors>):
//! `key=value`, `key==value`, `key!=value`, `key in (a,b)`, `key notin (a,b)`, `key`, `!key`,
//! `key>1`, `key<1`, with a comma for AND. As there, `!=` and `notin` match where the key is absent,
//! `>` and `<` match only labels that are 64-bit integers, and an empty selector matches everything.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::label::{InvalidLabel, LabelKey, LabelValue, Labels};

/// The string is not a selector; displays where and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidSelector {
    /// Byte offset of the fault.
    pub at: usize,
    /// The fault, without its place.
    pub why: String,
}

impl fmt::Display for InvalidSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "invalid label selector at character {}: {} (such as group=A, team!=b, tier in (x,y), key, !key, size>1; a comma is AND)",
            self.at + 1,
            self.why
        )
    }
}

impl std::error::Error for InvalidSelector {}

/// One requirement of a selector.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Term {
    /// `key=value` or `key==value`.
    Equals(LabelKey, LabelValue),
    /// `key!=value`; holds where the key is absent.
    NotEquals(LabelKey, LabelValue),
    /// `key in (a,b)`.
    In(LabelKey, BTreeSet<LabelValue>),
    /// `key notin (a,b)`; holds where the key is absent.
    NotIn(LabelKey, BTreeSet<LabelValue>),
    /// `key`.
    Exists(LabelKey),
    /// `!key`.
    Absent(LabelKey),
    /// `key>1`; does not match a label that is not a 64-bit integer.
    Greater(LabelKey, i64),
    /// `key<1`; likewise.
    Less(LabelKey, i64),
}

impl Term {
    /// The key that the term is about.
    pub fn key(&self) -> &LabelKey {
        match self {
            Self::Equals(key, _)
            | Self::NotEquals(key, _)
            | Self::In(key, _)
            | Self::NotIn(key, _)
            | Self::Exists(key)
            | Self::Absent(key)
            | Self::Greater(key, _)
            | Self::Less(key, _) => key,
        }
    }

    /// The shortest way to write it.
    fn normal(&self) -> String {
        match self {
            Self::In(key, values) if values.len() == 1 => {
                values.first().map_or_else(String::new, |value| format!("{key}={value}"))
            }
            Self::NotIn(key, values) if values.len() == 1 => {
                values.first().map_or_else(String::new, |value| format!("{key}!={value}"))
            }
            term => term.to_string(),
        }
    }

    /// Whether the labels satisfy the term.
    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(self.key().as_str());
        let number = || value.and_then(|value| value.as_str().parse::<i64>().ok());
        match self {
            Self::Equals(_, wanted) => value == Some(wanted),
            Self::NotEquals(_, unwanted) => value != Some(unwanted),
            Self::In(_, wanted) => value.is_some_and(|value| wanted.contains(value)),
            Self::NotIn(_, unwanted) => value.is_none_or(|value| !unwanted.contains(value)),
            Self::Exists(_) => value.is_some(),
            Self::Absent(_) => value.is_none(),
            Self::Greater(_, bound) => number().is_some_and(|number| number > *bound),
            Self::Less(_, bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

fn write_set(f: &mut fmt::Formatter<'_>, values: &BTreeSet<LabelValue>) -> fmt::Result {
    f.write_str("(")?;
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            f.write_str(",")?;
        }
        f.write_str(value.as_str())?;
    }
    f.write_str(")")
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(key, value) => write!(f, "{key}={value}"),
            Self::NotEquals(key, value) => write!(f, "{key}!={value}"),
            Self::In(key, values) => {
                write!(f, "{key} in ")?;
                write_set(f, values)
            }
            Self::NotIn(key, values) => {
                write!(f, "{key} notin ")?;
                write_set(f, values)
            }
            Self::Exists(key) => write!(f, "{key}"),
            Self::Absent(key) => write!(f, "!{key}"),
            Self::Greater(key, bound) => write!(f, "{key}>{bound}"),
            Self::Less(key, bound) => write!(f, "{key}<{bound}"),
        }
    }
}

/// The first term of a selector that an app's labels do not match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmetTerm {
    /// The term in its canonical form.
    pub term: String,
    /// The key of the term.
    pub key: LabelKey,
    /// The value that the labels have for the term's key.
    pub found: Option<String>,
}

impl fmt::Display for UnmetTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            Some(value) => {
                write!(f, "{} does not match (the app has {}={value:?})", self.term, self.key)
            }
            None => write!(f, "{} does not match (the app has no label {})", self.term, self.key),
        }
    }
}

/// A parsed label selector: all its terms must hold. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Selector(Arc<[Term]>);

impl Selector {
    /// A selector of these terms.
    pub fn new(terms: Vec<Term>) -> Self {
        Self(terms.into())
    }

    /// The terms in the order in which they were written.
    pub fn terms(&self) -> &[Term] {
        &self.0
    }

    /// Whether it has no term, and so matches everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the labels satisfy every term.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|term| term.matches(labels))
    }

    /// The first term that does not match, for an explanation.
    pub fn first_unmet(&self, labels: &Labels) -> Option<UnmetTerm> {
        self.0.iter().find(|term| !term.matches(labels)).map(|term| UnmetTerm {
            term: term.to_string(),
            key: term.key().clone(),
            found: labels.get(term.key().as_str()).map(ToString::to_string),
        })
    }

    /// Whether both have the same terms, in whatever order and form: `a in (b)` is `a=b`.
    pub fn means_the_same_as(&self, other: &Self) -> bool {
        let normal = |selector: &Self| -> BTreeSet<String> {
            selector.terms().iter().map(Term::normal).collect()
        };
        normal(self) == normal(other)
    }

    /// The labels that `key=value` terms ask for: they are set on an app that is created under
    /// this selector.
    pub fn equalities(&self) -> impl Iterator<Item = (&LabelKey, &LabelValue)> {
        self.0.iter().filter_map(|term| match term {
            Term::Equals(key, value) => Some((key, value)),
            _ => None,
        })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, term) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            term.fmt(f)?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Selector {
    type Error = InvalidSelector;

    fn try_from(s: String) -> Result<Self, InvalidSelector> {
        s.parse()
    }
}

impl From<Selector> for String {
    fn from(selector: Selector) -> Self {
        selector.to_string()
    }
}

impl FromStr for Selector {
    type Err = InvalidSelector;

    fn from_str(s: &str) -> Result<Self, InvalidSelector> {
        Parser { lexer: Lexer { text: s, at: 0 } }.selector()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lexeme<'a> {
    Word(&'a str),
    Comma,
    Open,
    Close,
    Not,
    Equal,
    NotEqual,
    Greater,
    Less,
    End,
}

impl Lexeme<'_> {
    fn name(self) -> String {
        match self {
            Self::Word(word) => format!("{:?}", word.chars().take(80).collect::<String>()),
            Self::Comma => "','".into(),
            Self::Open => "'('".into(),
            Self::Close => "')'".into(),
            Self::Not => "'!'".into(),
            Self::Equal => "'='".into(),
            Self::NotEqual => "'!='".into(),
            Self::Greater => "'>'".into(),
            Self::Less => "'<'".into(),
            Self::End => "the end".into(),
        }
    }
}

#[derive(Clone, Copy)]
struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    /// The next lexeme and where it begins.
    fn next(&mut self) -> (Lexeme<'a>, usize) {
        let rest = &self.text[self.at..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        let start = self.at + blank;
        let rest = &self.text[start..];
        let (lexeme, len) = match rest.as_bytes() {
            [] => (Lexeme::End, 0),
            [b',', ..] => (Lexeme::Comma, 1),
            [b'(', ..] => (Lexeme::Open, 1),
            [b')', ..] => (Lexeme::Close, 1),
            [b'!', b'=', ..] => (Lexeme::NotEqual, 2),
            [b'!', ..] => (Lexeme::Not, 1),
            [b'=', b'=', ..] => (Lexeme::Equal, 2),
            [b'=', ..] => (Lexeme::Equal, 1),
            [b'>', ..] => (Lexeme::Greater, 1),
            [b'<', ..] => (Lexeme::Less, 1),
            _ => {
                let ends: &[char] = &[',', '(', ')', '!', '=', '>', '<', ' ', '\t', '\r', '\n'];
                let len = rest.find(ends).unwrap_or(rest.len());
                (Lexeme::Word(&rest[..len]), len)
            }
        };
        self.at = start + len;
        (lexeme, start)
    }

    fn peek(&self) -> Lexeme<'a> {
        let mut ahead = *self;
        ahead.next().0
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
}

impl Parser<'_> {
    fn selector(mut self) -> Result<Selector, InvalidSelector> {
        let mut terms = Vec::new();
        if self.lexer.peek() == Lexeme::End {
            return Ok(Selector::new(terms));
        }
        loop {
            terms.push(self.term()?);
            match self.lexer.next() {
                (Lexeme::End, _) => return Ok(Selector::new(terms)),
                (Lexeme::Comma, _) => {}
                (other, at) => return Err(unexpected(other, at, "',' or the end")),
            }
        }
    }

    fn term(&mut self) -> Result<Term, InvalidSelector> {
        if self.lexer.peek() == Lexeme::Not {
            self.lexer.next();
            return Ok(Term::Absent(self.key()?));
        }
        let key = self.key()?;
        match self.lexer.peek() {
            Lexeme::Comma | Lexeme::End => Ok(Term::Exists(key)),
            Lexeme::Equal => {
                self.lexer.next();
                Ok(Term::Equals(key, self.value()?))
            }
            Lexeme::NotEqual => {
                self.lexer.next();
                Ok(Term::NotEquals(key, self.value()?))
            }
            Lexeme::Greater => {
                self.lexer.next();
                Ok(Term::Greater(key, self.bound()?))
            }
            Lexeme::Less => {
                self.lexer.next();
                Ok(Term::Less(key, self.bound()?))
            }
            Lexeme::Word("in") => {
                self.lexer.next();
                Ok(Term::In(key, self.set()?))
            }
            Lexeme::Word("notin") => {
                self.lexer.next();
                Ok(Term::NotIn(key, self.set()?))
            }
            _ => {
                let (other, at) = self.lexer.next();
                Err(unexpected(other, at, "'=', '!=', '>', '<', 'in', 'notin', ',' or the end"))
            }
        }
    }

    fn key(&mut self) -> Result<LabelKey, InvalidSelector> {
        match self.lexer.next() {
            (Lexeme::Word(word), at) => word.parse().map_err(|why| invalid(at, &why)),
            (other, at) => Err(unexpected(other, at, "a label key")),
        }
    }

    /// A value after `=` or `!=`; nothing there means the empty value.
    fn value(&mut self) -> Result<LabelValue, InvalidSelector> {
        if matches!(self.lexer.peek(), Lexeme::Comma | Lexeme::End) {
            return "".parse().map_err(|why| invalid(self.lexer.at, &why));
        }
        match self.lexer.next() {
            (Lexeme::Word(word), at) => word.parse().map_err(|why| invalid(at, &why)),
            (other, at) => Err(unexpected(other, at, "a label value")),
        }
    }

    /// The integer after `>` or `<`. As in Kubernetes it is a label value too, so it has no sign.
    fn bound(&mut self) -> Result<i64, InvalidSelector> {
        match self.lexer.next() {
            (Lexeme::Word(word), at) => word
                .parse::<LabelValue>()
                .ok()
                .and_then(|value| value.as_str().parse().ok())
                .ok_or_else(|| InvalidSelector {
                    at,
                    why: format!(
                        "{} is not an integer from 0 to {}",
                        Lexeme::Word(word).name(),
                        i64::MAX
                    ),
                }),
            (other, at) => Err(unexpected(other, at, "an integer")),
        }
    }

    /// `(a,b)`; as in Kubernetes an empty place stands for the empty value.
    fn set(&mut self) -> Result<BTreeSet<LabelValue>, InvalidSelector> {
        match self.lexer.next() {
            (Lexeme::Open, _) => {}
            (other, at) => return Err(unexpected(other, at, "'('")),
        }
        let mut values = BTreeSet::new();
        loop {
            let (word, at) = match self.lexer.peek() {
                Lexeme::Comma | Lexeme::Close => ("", self.lexer.at),
                Lexeme::Word(_) => match self.lexer.next() {
                    (Lexeme::Word(word), at) => (word, at),
                    (other, at) => return Err(unexpected(other, at, "a label value")),
                },
                _ => {
                    let (other, at) = self.lexer.next();
                    return Err(unexpected(other, at, "a label value, ',' or ')'"));
                }
            };
            values.insert(word.parse().map_err(|why| invalid(at, &why))?);
            match self.lexer.next() {
                (Lexeme::Comma, _) => {}
                (Lexeme::Close, _) => return Ok(values),
                (other, at) => return Err(unexpected(other, at, "',' or ')'")),
            }
        }
    }
}

fn unexpected(found: Lexeme<'_>, at: usize, wanted: &str) -> InvalidSelector {
    InvalidSelector { at, why: format!("found {} where {wanted} was expected", found.name()) }
}

fn invalid(at: usize, why: &InvalidLabel) -> InvalidSelector {
    InvalidSelector { at, why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(k, v)| (k.parse().expect("key"), v.parse().expect("value"))).collect()
    }

    fn matches(selector: &str, pairs: &[(&str, &str)]) -> bool {
        selector.parse::<Selector>().expect(selector).matches(&labels(pairs))
    }

    #[test]
    fn the_grammar() {
        let a = &[("group", "A"), ("ovh/type", "app")];
        for yes in [
            "",
            "  ",
            "group=A",
            "group==A",
            " group = A ",
            "group in (A)",
            "group in (B, A)",
            "group",
            "!team",
            "team!=A",
            "team notin (A,B)",
            "group=A,ovh/type=app",
            "in!=x",
            "!in",
            "team!=",
        ] {
            assert!(matches(yes, a), "{yes:?}");
        }
        for no in [
            "group=B",
            "group!=A",
            "!group",
            "team",
            "team=",
            "group=A,team",
            "group in ()",
            "group notin (A)",
            "group=A,group=B",
        ] {
            assert!(!matches(no, a), "{no:?}");
        }
        assert!(matches("team=", &[("team", "")]));
        assert!(matches("team in ()", &[("team", "")]));
        assert!(matches("team in (x,)", &[("team", "")]));
        assert!(matches("in in (in)", &[("in", "in")]));
    }

    #[test]
    fn integers_compare_as_in_kubernetes() {
        let of = |value: &'static str| [("size", value)];
        for (selector, value, expected) in [
            ("size>1", "2", true),
            ("size>1", "1", false),
            ("size<1", "0", true),
            ("size<1", "1", false),
            (" size > 9 ", "10", true),
            ("size>1,size<3", "2", true),
            ("size<10", "007", true),
            ("size>9223372036854775806", "9223372036854775807", true),
            ("size<9223372036854775807", "9223372036854775808", false),
            ("size>1", "2x", false),
            ("size<1", "", false),
            ("size>1", "1.5", false),
            ("size<5", "_1", false),
        ] {
            assert_eq!(matches(selector, &of(value)), expected, "{selector:?} on {value:?}");
        }
        assert!(!matches("size>1", &[]) && !matches("size<1", &[]));
        let unmet = "size>01".parse::<Selector>().expect("valid").first_unmet(&labels(&of("1")));
        assert_eq!(
            unmet.map(|unmet| unmet.to_string()).as_deref(),
            Some("size>1 does not match (the app has size=\"1\")")
        );
    }

    #[test]
    fn errors_name_the_position() {
        for (bad, at) in [
            (",", 1),
            ("a,", 3),
            ("=a", 1),
            ("a=b c", 5),
            ("a in b", 6),
            ("a in (b", 8),
            ("a in (b c)", 9),
            ("a notin", 8),
            ("!!a", 2),
            ("a==!b", 4),
            ("é=a", 1),
            ("a=b/c", 3),
            ("a b", 3),
            ("(a)", 1),
            ("a>", 3),
            ("a>b", 3),
            ("a>=1", 3),
            ("a>-1", 3),
            ("a<1<2", 4),
            ("a>9223372036854775808", 3),
            (">1", 1),
        ] {
            let error = bad.parse::<Selector>().expect_err(bad).to_string();
            assert!(error.contains(&format!("at character {at}:")), "{bad:?}: {error}");
        }
    }

    #[test]
    fn the_first_unmet_term_is_named() {
        let selector: Selector = "ovh/type=app,group in (A,B),!x".parse().expect("valid");
        let unmet = selector.first_unmet(&labels(&[("ovh/type", "app"), ("group", "C")]));
        assert_eq!(
            unmet.map(|unmet| unmet.to_string()).as_deref(),
            Some("group in (A,B) does not match (the app has group=\"C\")")
        );
    }

    fn key() -> impl Strategy<Value = LabelKey> {
        prop_oneof![
            "[ab]",
            "(in|notin|ovh/id|a\\.b/c)",
            "[A-Za-z0-9]([-_.A-Za-z0-9]{0,8}[A-Za-z0-9])?"
        ]
        .prop_map(|s| s.parse().expect("key"))
    }

    fn value() -> impl Strategy<Value = LabelValue> {
        prop_oneof!["[xy]?", "[0-5]", "(in|notin)", "[A-Za-z0-9]([-_.A-Za-z0-9]{0,8}[A-Za-z0-9])?"]
            .prop_map(|s| s.parse().expect("value"))
    }

    fn term() -> impl Strategy<Value = Term> {
        let set = || prop::collection::btree_set(value(), 1..4);
        prop_oneof![
            (key(), value()).prop_map(|(k, v)| Term::Equals(k, v)),
            (key(), value()).prop_map(|(k, v)| Term::NotEquals(k, v)),
            (key(), set()).prop_map(|(k, v)| Term::In(k, v)),
            (key(), set()).prop_map(|(k, v)| Term::NotIn(k, v)),
            key().prop_map(Term::Exists),
            key().prop_map(Term::Absent),
            (key(), 0..=i64::MAX).prop_map(|(k, n)| Term::Greater(k, n)),
            (key(), 0..4_i64).prop_map(|(k, n)| Term::Less(k, n)),
        ]
    }

    /// An evaluator on plain strings that shares no code with the real one.
    fn naive(text: &str, labels: &[(String, String)]) -> bool {
        let number = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok());
        let find = |key: &str| labels.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
        let mut rest = text;
        while !rest.is_empty() {
            let mut depth = 0;
            let end = rest
                .char_indices()
                .find(|(_, c)| {
                    depth += i32::from(*c == '(') - i32::from(*c == ')');
                    *c == ',' && depth == 0
                })
                .map_or(rest.len(), |(i, _)| i);
            let term = &rest[..end];
            rest = rest.get(end + 1..).unwrap_or("");
            let values = |set: &str| {
                set.trim_matches(['(', ')']).split(',').map(str::to_owned).collect::<Vec<_>>()
            };
            let holds = if let Some((key, set)) = term.split_once(" notin ") {
                find(key).is_none_or(|v| !values(set).contains(&v.to_owned()))
            } else if let Some((key, set)) = term.split_once(" in ") {
                find(key).is_some_and(|v| values(set).contains(&v.to_owned()))
            } else if let Some((key, value)) = term.split_once("!=") {
                find(key) != Some(value)
            } else if let Some((key, value)) = term.split_once('=') {
                find(key) == Some(value)
            } else if let Some((key, bound)) = term.split_once('>') {
                number(find(key)).is_some_and(|n| n > number(Some(bound)).expect("a bound"))
            } else if let Some((key, bound)) = term.split_once('<') {
                number(find(key)).is_some_and(|n| n < number(Some(bound)).expect("a bound"))
            } else if let Some(key) = term.strip_prefix('!') {
                find(key).is_none()
            } else {
                find(term).is_some()
            };
            if !holds {
                return false;
            }
        }
        true
    }

    proptest! {
        #[test]
        fn parsing_undoes_displaying(terms in prop::collection::vec(term(), 0..5)) {
            let selector = Selector::new(terms);
            prop_assert_eq!(selector.to_string().parse::<Selector>(), Ok(selector));
        }

        #[test]
        fn never_panics(text in "\\PC{0,64}") {
            if let Ok(selector) = text.parse::<Selector>() {
                prop_assert_eq!(selector.to_string().parse::<Selector>(), Ok(selector));
            }
        }

        #[test]
        fn near_misses_never_panic(text in "[ab =!<>1,()in\\t]{0,24}") {
            if let Ok(selector) = text.parse::<Selector>() {
                prop_assert_eq!(selector.to_string().parse::<Selector>(), Ok(selector));
            }
        }

        #[test]
        fn agrees_with_the_naive_evaluator(
            terms in prop::collection::vec(term(), 0..4),
            pairs in prop::collection::vec((key(), value()), 0..5),
        ) {
            let selector = Selector::new(terms);
            let plain: Vec<_> =
                pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
            let labels: Labels = pairs.into_iter().collect();
            let expected = naive(&selector.to_string(), &plain);
            prop_assert_eq!(selector.matches(&labels), expected);
            prop_assert_eq!(selector.first_unmet(&labels).is_none(), expected);
        }
    }
}
