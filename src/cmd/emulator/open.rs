//! `ovhai emulator open`: the console in the browser.

use std::path::Path;

use clap::Args;

use crate::calls::address::root;
use crate::context::Context;
use crate::error::Result;
use crate::private_file;
use crate::server::target::{find_or_start, owner};
use crate::settings::readable_state_dir;
use crate::ui::browser;

#[derive(Debug, Args)]
#[command(
    after_help = "The link logs one browser in as the emulator's owner. It works once, within a minute. Uses the browser of BROWSER, or the system's."
)]
pub(super) struct Open {
    /// Print the link only
    #[arg(long, visible_alias = "print")]
    url: bool,
}

impl Open {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let control = owner(context).await?;
        let base = root(&find_or_start(context).await?);
        let link = control.console_link().await?;
        let url = format!("{base}{}", link.path);
        if self.url {
            return context.line(&url);
        }
        // Arguments of a program are visible to other users of the machine, a file is not.
        let page = Path::new(&readable_state_dir(context)?).join("open-console.html");
        private_file::write_text(&page, &redirect(&url))
            .map_err(|failure| failure.hint("print the link: ovhai emulator open --url"))?;
        if browser::open(context, &format!("file://{}", page.display())).await {
            context.note(format!("Opened the console at {base}"));
            return Ok(());
        }
        context.note("No browser was found. Open this address within a minute:");
        context.line(&url)
    }
}

/// A page that leads to the link.
fn redirect(url: &str) -> String {
    let url = url.replace('&', "&amp;").replace('"', "&quot;");
    format!(
        "<!doctype html>\n<meta charset=\"utf-8\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<meta http-equiv=\"refresh\" content=\"0; url={url}\">\n<title>AI Deploy on this machine</title>\n<p><a href=\"{url}\">Open the console</a></p>\n"
    )
}
