//! `ovhai app open`: an app in the browser.

use std::io;
use std::process::Stdio;

use clap::Args;
use tokio::process::Command;

use super::{resolve, view};
use crate::context::Context;
use crate::error::Result;
use crate::server::target::Target;

#[derive(Debug, Args)]
#[command(
    after_help = "Uses the browser of BROWSER, or the system's. Without a browser the address is printed."
)]
pub(super) struct Open {
    /// Id, name, or beginning of an id
    app: String,
    /// Print the address only
    #[arg(long, visible_alias = "print")]
    url: bool,
}

impl Open {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find(context).await?;
        // As in app curl: a caller that may query an app may open it.
        let app = resolve(&target.login, &self.app).await?;
        let url = app.status.url.as_str();
        if self.url {
            return context.line(url);
        }
        if !app.spec.unsecure_http {
            context.note(format!(
                "hint: the browser will ask you to log in with a user's password or a token; to avoid that: ovhai app port-forward {}",
                view::name(&app)
            ));
        }
        for command in commands(context.var("BROWSER"), url) {
            if run(command).await {
                context.note(format!("Opened {url}"));
                return Ok(());
            }
        }
        context.note("No browser was found. Open this address:");
        context.line(url)
    }
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
