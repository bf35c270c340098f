//! Limits of new input. They do not apply to stored records, which may be older than a limit.

use std::ops::RangeInclusive;

use ovhai_api_types::{Labels, Selector, Term};

use crate::error::{Error, Result};

/// Maximum length of a new selector, in bytes.
pub const SELECTOR_MAX_BYTES: usize = 4096;
/// Maximum number of terms of a new selector; each value of `in` and `notin` counts as one.
pub const SELECTOR_MAX_TERMS: usize = 64;
/// Minimum and maximum length of a password, in characters.
pub const PASSWORD_LENGTH: RangeInclusive<usize> = 8..=256;
/// Maximum number of labels of an app, the platform's own not counted.
pub const LABELS_MAX: usize = 100;

fn terms(selector: &Selector) -> usize {
    let count = |term: &Term| match term {
        Term::In(_, values) | Term::NotIn(_, values) => values.len(),
        _ => 1,
    };
    selector.terms().iter().map(count).sum()
}

/// Parses a selector that a caller gives in `field`.
pub fn selector(field: &str, text: &str) -> Result<Selector> {
    if text.len() > SELECTOR_MAX_BYTES {
        return Err(Error::invalid(
            field,
            format!(
                "a selector has {SELECTOR_MAX_BYTES} bytes at most, this one has {}",
                text.len()
            ),
        ));
    }
    let selector: Selector = text.parse().map_err(|error: ovhai_api_types::InvalidSelector| {
        Error::invalid(field, error.to_string())
    })?;
    match terms(&selector) {
        0..=SELECTOR_MAX_TERMS => Ok(selector),
        count => Err(Error::invalid(
            field,
            format!(
                "a selector has {SELECTOR_MAX_TERMS} terms at most, this one has {count} (each value of in and notin counts)"
            ),
        )),
    }
}

fn own(labels: &Labels) -> usize {
    labels.iter().filter(|(key, _)| !key.is_platform()).count()
}

/// Refuses labels that exceed the limit, unless `before` had as many.
pub(crate) fn check_labels(field: &str, before: &Labels, after: &Labels) -> Result<()> {
    let count = own(after);
    if count <= LABELS_MAX || count <= own(before) {
        return Ok(());
    }
    Err(Error::invalid(
        field,
        format!("an app has {LABELS_MAX} labels at most, this one would have {count}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(count: usize) -> Labels {
        let platform = [("ovh/id", "x"), ("ovh/type", "app")]
            .map(|(key, value)| (key.parse().expect("a key"), value.parse().expect("a value")));
        let own = (0..count).map(|number| {
            (format!("l{number}").parse().expect("a key"), "v".parse().expect("a value"))
        });
        own.chain(platform).collect()
    }

    #[test]
    fn selectors_are_limited_in_terms_and_bytes() {
        let many = |count: usize| {
            let terms: Vec<String> = (0..count).map(|number| format!("k{number}!=v")).collect();
            terms.join(",")
        };
        let values = |word: &str, count: usize| {
            let values: Vec<String> = (0..count).map(|number| format!("v{number}")).collect();
            format!("k {word} ({})", values.join(","))
        };
        for good in
            [String::new(), many(64), values("in", 64), format!("a,{}", values("notin", 63))]
        {
            assert!(selector("s", &good).is_ok(), "{good}");
        }
        for (bad, why) in [
            (many(65), "s: a selector has 64 terms at most, this one has 65"),
            (values("in", 65), "this one has 65 (each value of in and notin counts)"),
            (format!("a,{}", values("notin", 64)), "this one has 65"),
            (" ".repeat(4097), "s: a selector has 4096 bytes at most, this one has 4097"),
            ("a=".repeat(9000), "4096 bytes"),
            ("=".into(), "s: invalid label selector"),
        ] {
            let said = selector("s", &bad).expect_err(&bad).to_string();
            assert!(said.contains(why), "{said}");
        }
        assert!(selector("s", &" ".repeat(4096)).expect("blanks").is_empty());
    }

    #[test]
    fn the_number_of_labels_is_limited() {
        let check = |before, after| check_labels("l", &labels(before), &labels(after));
        assert!(check(0, 100).is_ok());
        let said = check(100, 101).expect_err("too many").to_string();
        assert_eq!(said, "l: an app has 100 labels at most, this one would have 101");
        // From before the limit: it may have fewer, or others, and no more.
        assert!(check(150, 150).is_ok() && check(150, 149).is_ok());
        assert!(check(150, 151).is_err());
    }
}
