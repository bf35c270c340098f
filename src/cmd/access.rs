//! What tokens may do with apps, and why: `ovhai token explain` and `ovhai app access`.

use ovhai_api_types::{Access, AccessQuestion, Verdict};

use serde::Serialize;

use crate::context::Context;
use crate::error::Result;
use crate::server::target::Target;
use crate::term::describe::Description;
use crate::term::table::Fit;
use crate::ui::output::Show;

/// Asks the emulator, which decides as for a real request.
pub(super) async fn ask(
    context: &Context,
    target: &Target,
    question: AccessQuestion,
) -> Result<Vec<Access>> {
    Ok(target.control(context)?.explain(question).await?)
}

fn may(verdict: &Verdict) -> &'static str {
    if verdict.allowed { "yes" } else { "no" }
}

fn token_name(access: &Access) -> &str {
    access.token.as_ref().map_or("~", |token| token.name.as_str())
}

/// The reason for reading, and for operating if it differs.
fn because(access: &Access) -> String {
    let (read, operate) = (&access.read.reason, &access.operate.reason);
    if read == operate { read.clone() } else { format!("{read}; {operate}") }
}

impl Show for Access {
    const COLUMNS: &'static [&'static str] = &["APP", "TOKEN", "READ", "OPERATE", "BECAUSE"];

    const FIT: &'static [Fit] =
        &[Fit::Shrink(8), Fit::Shrink(8), Fit::Fixed, Fit::Fixed, Fit::Wrap(24)];

    fn row(&self, _now: jiff::Timestamp) -> Vec<String> {
        vec![
            self.app.name.clone(),
            token_name(self).to_owned(),
            may(&self.read).into(),
            may(&self.operate).into(),
            because(self),
        ]
    }

    fn describe(&self) -> Description {
        let view = Description::new().section("App", |view| {
            view.field("ID", self.app.id)
                .field("Name", &self.app.name)
                .field("State", self.app.state)
        });
        let view = view.section("Token", |view| match &self.token {
            Some(token) => view
                .field("ID", token.id)
                .field("Name", &token.name)
                .field("Role", &token.role)
                .maybe("Label selector", token.label_selector.as_ref())
                .field("Region", &token.region)
                .field("Version", token.version),
            None => view,
        });
        let verdict = |view: Description, name: &str, verdict: &Verdict| {
            view.section(name, |view| {
                view.field("Allowed", may(verdict)).field("Because", &verdict.reason)
            })
        };
        let view = verdict(view, "Read", &self.read);
        verdict(view, "Operate", &self.operate)
    }

    fn name(&self) -> String {
        self.app.name.clone()
    }
}

/// The same, with a row per token.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct OfToken(pub(super) Access);

impl Show for OfToken {
    const COLUMNS: &'static [&'static str] = &["TOKEN", "READ", "OPERATE", "BECAUSE"];

    const FIT: &'static [Fit] = &[Fit::Shrink(8), Fit::Fixed, Fit::Fixed, Fit::Wrap(24)];

    fn row(&self, now: jiff::Timestamp) -> Vec<String> {
        self.0.row(now).split_off(1)
    }

    fn describe(&self) -> Description {
        self.0.describe()
    }

    fn name(&self) -> String {
        token_name(&self.0).to_owned()
    }
}
