//! `ovhai app open`: an app in the browser.

use clap::Args;

use super::{resolve, view};
use crate::context::Context;
use crate::error::Result;
use crate::server::target::Target;
use crate::ui::browser;

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
        if browser::open(context, url).await {
            context.note(format!("Opened {url}"));
            return Ok(());
        }
        context.note("No browser was found. Open this address:");
        context.line(url)
    }
}
