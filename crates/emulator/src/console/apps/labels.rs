//! The form that changes all labels of an app at once, with the tokens that gain and lose access.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use http::StatusCode;
use ovhai_api_types::{LabelKey, LabelUpdate, LabelValue, Labels};
use ovhai_core::Error;
use ovhai_core::directory::AppEntry;

use super::fields::{Problem, Problems, label};
use super::find;
use super::pairs::{self, Pair, with_empty};
use super::tokens::{self, Changes};
use crate::console::page::{Answer, Place, Refused};
use crate::console::session::Flash;
use crate::console::text::{self, Label};
use crate::console::visit::{Sent, Visit};
use crate::web::form::Fields;

type At = Path<(String, String)>;
type Own = BTreeMap<LabelKey, LabelValue>;

/// The labels that are not the platform's.
fn own(labels: &Labels) -> Own {
    let own = labels.iter().filter(|(key, _)| !key.is_platform());
    own.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Labels as one text: neither keys nor values have a comma or an equals sign.
fn written(labels: &Own) -> String {
    let pairs: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(",")
}

/// Reads what [`written`] wrote; a part that is not a label is left out.
fn read(text: &str) -> Own {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs.filter_map(|(key, value)| Some((key.parse().ok()?, value.parse().ok()?))).collect()
}

/// The updates that make one set of labels of another.
fn updates(before: &Own, after: &Own) -> Vec<LabelUpdate> {
    let update = |name: &LabelKey, value: Option<&LabelValue>| LabelUpdate {
        name: name.to_string(),
        value: value.map(LabelValue::to_string),
    };
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    let set = after.iter().filter(|(key, value)| before.get(*key) != Some(*value));
    let gone = gone.map(|key| update(key, None));
    gone.chain(set.map(|(key, value)| update(key, Some(value)))).collect()
}

/// The same changes to other labels.
fn rebased(was: &Own, after: &Own, now: &Own) -> Own {
    let mut out = now.clone();
    for key in was.keys().filter(|key| !after.contains_key(*key)) {
        out.remove(key);
    }
    let set = after.iter().filter(|(key, value)| was.get(*key) != Some(*value));
    out.extend(set.map(|(key, value)| (key.clone(), value.clone())));
    out
}

fn rows(labels: &Own) -> Vec<Pair> {
    labels.iter().map(|(key, value)| Pair::new(key.to_string(), value.to_string())).collect()
}

/// What a form has.
struct Edited {
    /// The labels that the form began with.
    was: Own,
    rows: Vec<Pair>,
    after: Own,
    problems: Problems,
}

impl Edited {
    fn read(fields: &Fields) -> Self {
        let rows = pairs::read(fields, "label-key", "label-value");
        let mut problems = Problems::default();
        let after = pairs::labels(&rows, &mut problems);
        Self { was: read(fields.get("was")), rows, after, problems }
    }
}

/// What a change would do.
#[derive(Template)]
#[template(path = "console/apps/label_changes.html")]
struct Preview {
    problems: Vec<Problem>,
    /// The labels that are set or removed.
    updates: Vec<LabelUpdate>,
    notes: Vec<String>,
    is_public: bool,
    changes: Option<Result<Changes, String>>,
}

impl Preview {
    fn new(visit: &Visit, app: &AppEntry, edited: &Edited) -> Self {
        let record = &app.record;
        let platform = record.labels.iter().filter(|(key, _)| key.is_platform());
        let all: Labels = platform
            .map(|(key, value)| (key.clone(), value.clone()))
            .chain(edited.after.iter().map(|(key, value)| (key.clone(), value.clone())))
            .collect();
        let is_valid = edited.problems.is_empty();
        let changes =
            is_valid.then(|| tokens::changes(visit, &record.region, &record.labels, &all));
        Self {
            problems: edited.problems.all().to_vec(),
            updates: updates(&own(&record.labels), &edited.after),
            notes: pairs::notes(&edited.after),
            is_public: record.spec.public,
            changes,
        }
    }

    fn label(id: &str) -> &'static str {
        label(id)
    }
}

#[derive(Template)]
#[template(path = "console/apps/labels.html")]
struct Page<'a> {
    base: String,
    token: String,
    id: &'a str,
    name: &'a str,
    was: String,
    labels: Vec<Pair>,
    platform: Vec<Label>,
    problems: Problems,
    refused: Option<&'a str>,
    preview: Preview,
}

impl Page<'_> {
    fn problem(&self, id: &str) -> Option<&str> {
        self.problems.of(id)
    }
}

/// What the page says about what was sent.
#[derive(Clone, Copy)]
enum Said<'a> {
    Nothing,
    Faults,
    Refused(&'a Refused),
}

fn show(visit: &Visit, id: &str, app: &AppEntry, edited: &Edited, said: Said<'_>) -> Answer {
    let record = &app.record;
    let name = &record.spec.name;
    let (status, refused) = match said {
        Said::Nothing => (StatusCode::OK, None),
        Said::Faults => (StatusCode::UNPROCESSABLE_ENTITY, None),
        Said::Refused(Refused(status, text)) => (*status, Some(text.as_str())),
    };
    let shows_faults = matches!(said, Said::Faults);
    let page = Page {
        base: visit.link(""),
        token: visit.form(),
        id,
        name,
        was: written(&edited.was),
        labels: with_empty(edited.rows.clone()),
        platform: text::labels(&record.labels).into_iter().filter(|it| it.is_platform).collect(),
        problems: if shows_faults { edited.problems.clone() } else { Problems::default() },
        refused,
        preview: Preview::new(visit, app, edited),
    };
    Answer::view_with(visit, status, format!("Labels of {name}"), Place::Apps, &page)
}

/// `GET apps/{id}/labels`.
pub(super) async fn page(visit: Visit, Path((_, id)): At) -> Response {
    let answer = find(&visit, &id).map(|(app, _)| {
        let was = own(&app.record.labels);
        let edited =
            Edited { rows: rows(&was), after: was.clone(), was, problems: Problems::default() };
        show(&visit, &id, &app, &edited, Said::Nothing)
    });
    visit.answer(Place::Apps, answer)
}

/// `POST apps/{id}/labels/preview`: what the change would do, while one types.
pub(super) async fn preview(Path((_, id)): At, Sent { visit, fields }: Sent) -> Response {
    let answer = find(&visit, &id)
        .map(|(app, _)| Answer::part(&Preview::new(&visit, &app, &Edited::read(&fields))));
    visit.answer(Place::Apps, answer)
}

/// `POST apps/{id}/labels`.
pub(super) async fn save(Path((_, id)): At, Sent { visit, fields }: Sent) -> Response {
    let mut edited = Edited::read(&fields);
    let attempt = async {
        let (app, region) = find(&visit, &id)?;
        match fields.get("do") {
            "preview" => return Ok(show(&visit, &id, &app, &edited, Said::Nothing)),
            "add-label" => {
                edited.rows.push(Pair::default());
                return Ok(show(&visit, &id, &app, &edited, Said::Nothing));
            }
            _ => {}
        }
        if !edited.problems.is_empty() {
            return Ok(show(&visit, &id, &app, &edited, Said::Faults));
        }
        let updates = updates(&edited.was, &edited.after);
        let platform = &visit.console.platform;
        let expected: Labels = edited.was.clone().into_iter().collect();
        let app_id = app.record.id;
        match platform.label_app_if(&visit.who, &region, app_id, &expected, &updates).await {
            Ok(()) => {
                let name = &app.record.spec.name;
                visit.session.leave(Flash::Done(match updates.len() {
                    0 => format!("The labels of {name} are as they were."),
                    1 => format!("1 label of {name} was changed."),
                    count => format!("{count} labels of {name} were changed."),
                }));
                Ok(Answer::Go(format!("apps/{id}")))
            }
            Err(Error::Outdated { .. }) => {
                let (app, _) = find(&visit, &id)?;
                let now = own(&app.record.labels);
                edited.after = rebased(&edited.was, &edited.after, &now);
                edited.rows = rows(&edited.after);
                let now_text = if now.is_empty() { "none".to_owned() } else { written(&now) };
                edited.was = now;
                let text = format!(
                    "The labels were changed meanwhile; they are now: {now_text}. Below, your changes are applied to these. Check them and save again."
                );
                let refused = Refused(StatusCode::CONFLICT, text);
                Ok(show(&visit, &id, &app, &edited, Said::Refused(&refused)))
            }
            Err(error) => {
                let refused = Refused::from(error);
                Ok(show(&visit, &id, &app, &edited, Said::Refused(&refused)))
            }
        }
    };
    let answer = attempt.await;
    visit.answer(Place::Apps, answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_survive_the_form() {
        let labels = read("a=1,b.c/d=,e=_x_");
        assert_eq!(labels.len(), 3);
        assert_eq!(written(&labels), "a=1,b.c/d=,e=_x_");
        assert_eq!(read("x,=,a=1,b=&"), read("a=1"));
        assert_eq!(written(&read("")), "");
    }

    #[test]
    fn changes_apply_to_what_others_changed() {
        let (was, now) = (read("a=1,b=2,c=3"), read("a=1,b=9,d=4"));
        let after = read("a=5,c=3,e=6");
        assert_eq!(written(&rebased(&was, &after, &now)), "a=5,d=4,e=6");
        let updates = updates(&was, &after);
        let said: Vec<_> =
            updates.iter().map(|it| (it.name.as_str(), it.value.as_deref())).collect();
        assert_eq!(said, [("b", None), ("a", Some("5")), ("e", Some("6"))]);
        assert!(super::updates(&was, &was).is_empty());
    }
}
