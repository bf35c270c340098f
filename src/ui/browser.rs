//! Opens addresses in the browser of `BROWSER`, or the system's.

use std::io;
use std::process::Stdio;

use tokio::process::Command;

use crate::context::Context;

/// Opens an address; returns whether a browser accepted it.
pub(crate) async fn open(context: &Context, url: &str) -> bool {
    for command in commands(context.var("BROWSER"), url) {
        if run(command).await {
            return true;
        }
    }
    false
}

/// The programs to try, in order: `BROWSER` is a colon-separated list in which `%s` stands for the
/// address.
fn commands(browser: Option<&str>, url: &str) -> Vec<Vec<String>> {
    let system = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    browser
        .unwrap_or(system)
        .split(':')
        .map(|one| {
            let words = one.split_whitespace().map(|word| word.replace("%s", url));
            let mut words: Vec<String> = words.collect();
            if !words.is_empty() && !one.contains("%s") {
                words.push(url.to_owned());
            }
            words
        })
        .filter(|words| !words.is_empty())
        .collect()
}

/// Runs a browser until it has accepted the address; returns whether it has.
async fn run(words: Vec<String>) -> bool {
    let Some((program, arguments)) = words.split_first() else { return false };
    // A browser in the terminal needs the terminal; its output is not a result of this command. Its
    // complaints (xdg-open names each missing browser) say less than the message below.
    let out = io::stderr();
    let status = Command::new(program)
        .args(arguments)
        .env_remove("OVHAI_TOKEN")
        .stdout(if io::IsTerminal::is_terminal(&out) { Stdio::inherit() } else { Stdio::null() })
        .stderr(Stdio::null())
        .status()
        .await;
    status.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers() {
        let url = "http://a:1/";
        assert_eq!(
            commands(Some("one --new %s:two"), url),
            [vec!["one", "--new", url], vec!["two", url]]
        );
        assert_eq!(commands(None, url).len(), 1);
        assert!(commands(Some("  : "), url).is_empty());
    }
}
