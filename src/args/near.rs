//! The known words nearest to an unknown one.

/// The known words within a small edit distance, nearest first.
pub(crate) fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let letters = word.chars().count();
    let mut found: Vec<(usize, &str)> = known
        .into_iter()
        .filter(|known| *known != word)
        .map(|known| (distance(word, known), known))
        .filter(|(distance, known)| {
            // An abbreviation is as near as a typing error.
            let shortest = letters.min(known.chars().count());
            *distance * 3 <= shortest + 1 || (letters >= 3 && known.starts_with(word))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|(_, known)| known).collect()
}

/// The edit distance: insertions, deletions, substitutions and swaps of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // Three rows of the table: the one before the last, the last, and the current one.
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut this = vec![i + 1; b.len() + 1];
        for (j, y) in b.iter().enumerate() {
            let changed = last[j] + usize::from(x != y);
            this[j + 1] = changed.min(last[j + 1] + 1).min(this[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                this[j + 1] = this[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut last, this);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first() {
        let commands = ["list", "ls", "stop", "start", "logs", "delete"];
        assert_eq!(near("lisst", commands), ["list"]);
        assert_eq!(near("lst", commands), ["list", "ls"], "not stop");
        assert_eq!(near("ap", ["app", "me"]), ["app"]);
        assert_eq!(near("strat", commands), ["start"]);
        assert_eq!(near("del", commands), ["delete"]);
        assert!(near("previous", ["region", "quiet", "verbose"]).is_empty());
        assert!(near("x", commands).is_empty());
        assert_eq!((distance("", "abc"), distance("abc", "abc"), distance("ab", "ba")), (3, 0, 1));
    }
}
