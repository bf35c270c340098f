//! The findings as they are shown, and the exit codes.

use jiff::Timestamp;
use ovhai_containers::doctor::{Finding, Level};
use serde::Serialize;

use super::number;
use crate::context::Context;
use crate::error::{FAILED, Failure, Result, UNDECIDED};
use crate::term::describe::Description;
use crate::term::table::Fit;
use crate::term::terminal::{Paint, paint};
use crate::term::text::{clean, fold};
use crate::ui::output::Show;

/// Columns before a finding's text.
const INDENT: usize = 11;
/// Minimum width of a finding's text.
const NARROWEST: usize = 24;

/// A finding that is shown.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Shown<'a>(&'a Finding);

impl Show for Shown<'_> {
    const COLUMNS: &'static [&'static str] = &["LEVEL", "ID", "EVIDENCE", "FIX"];
    const FIT: &'static [Fit] = &[Fit::Fixed, Fit::Fixed, Fit::Shrink(30), Fit::Wrap(30)];

    fn row(&self, _now: Timestamp) -> Vec<String> {
        let Finding { id, level, evidence, fix } = self.0;
        vec![level.to_string(), (*id).to_owned(), evidence.clone(), fix.clone()]
    }

    fn describe(&self) -> Description {
        let Finding { id, level, evidence, fix } = self.0;
        Description::new()
            .field("ID", id)
            .field("Level", level)
            .field("Evidence", evidence)
            .field("Fix", fix)
    }

    fn name(&self) -> String {
        self.0.id.to_owned()
    }
}

fn of(findings: &[Finding], level: Level) -> Vec<&Finding> {
    findings.iter().filter(|finding| finding.level == level).collect()
}

/// Shows the findings; fails if the image would not run, or it is not decided.
pub(super) fn show(
    context: &mut Context,
    image: &str,
    findings: &[Finding],
    is_static: bool,
) -> Result<()> {
    if context.format().is_some() {
        let shown: Vec<Shown<'_>> = findings.iter().map(Shown).collect();
        context.show_all(&shown)?;
    } else {
        for finding in findings {
            for line in lines(context, finding) {
                context.line(line)?;
            }
        }
    }
    let errors = of(findings, Level::Error);
    if !errors.is_empty() {
        return Err(would_not_run(image, &errors));
    }
    let undecided = of(findings, Level::Undecided);
    if let Some(first) = undecided.first() {
        return Err(Failure::new(format!("whether {image} would run is not decided"))
            .because(&first.evidence)
            .hint(first.fix.clone())
            .exit_code(UNDECIDED));
    }
    if context.format().is_none() {
        let warnings = of(findings, Level::Warning);
        let ends = if warnings.is_empty() {
            String::new()
        } else {
            format!(", with {}", number(&warnings, "warning"))
        };
        context.line(if is_static {
            format!("No fault is visible in {}{ends}. It was not run.", clean(image))
        } else {
            format!("{} would run in AI Deploy{ends}.", clean(image))
        })?;
    }
    Ok(())
}

fn would_not_run(image: &str, errors: &[&Finding]) -> Failure {
    let ids: Vec<&str> = errors.iter().map(|finding| finding.id).collect();
    Failure::new(format!("{image} would not run in AI Deploy"))
        .because(format!("{}: {}", number(errors, "error"), ids.join(", ")))
        .hint("mend the image, build it, and check again")
        .exit_code(FAILED)
}

/// Refuses to run an image with faults.
pub(super) fn refuse(context: &mut Context, image: &str, findings: &[Finding]) -> Result<()> {
    let errors = of(findings, Level::Error);
    if errors.is_empty() {
        for warning in of(findings, Level::Warning) {
            context.note(format!("warning: {}: {}", warning.id, warning.evidence));
        }
        return Ok(());
    }
    let mut failure =
        Failure::new(format!("{image} would not run in AI Deploy, so it was not submitted"));
    let evidence = errors.iter().map(|finding| format!("{}: {}", finding.id, finding.evidence));
    failure = failure.because(evidence.collect::<Vec<_>>().join("; "));
    for error in &errors {
        failure = failure.hint(error.fix.clone());
    }
    Err(failure.hint("run it nevertheless: leave out --check"))
}

/// A finding for people: what was seen, and below it what mends it.
fn lines(context: &Context, finding: &Finding) -> Vec<String> {
    let layout = context.layout();
    let columns =
        layout.columns.map_or(usize::MAX, |columns| columns.saturating_sub(INDENT).max(NARROWEST));
    let how = match finding.level {
        Level::Error => Paint::Red,
        Level::Undecided | Level::Warning => Paint::Yellow,
        Level::Info => Paint::Dim,
    };
    let level = finding.level.to_string();
    let blanks = " ".repeat(INDENT.saturating_sub(level.len()));
    let head = format!("{}{blanks}", paint(how, &level, layout.color));
    let below = " ".repeat(INDENT);
    let seen = format!("{}: {}", finding.id, clean(&finding.evidence));
    let fix = format!("fix: {}", clean(&finding.fix));
    let mut shown = Vec::new();
    for (at, line) in fold(&seen, columns).into_iter().enumerate() {
        shown.push(if at == 0 { format!("{head}{line}") } else { format!("{below}{line}") });
    }
    shown.extend(fold(&fix, columns).into_iter().map(|line| format!("{below}{line}")));
    shown
}
