//! The form that creates an app, with the command that would do the same.

use std::fmt::Write;

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use ovhai_api_types::{AppSpec, Region};
use ovhai_core::Error;
use ovhai_core::catalog::{self, FLAVORS, Flavor, Kind};
use ovhai_core::platform::Draft;

use super::fields::{Problem, Problems, label};
use super::find;
use super::form::Form;
use super::pairs::{self, Pair, with_empty};
use super::tokens::{self, Opens};
use crate::api::command_line::command_line;
use crate::console::page::{Answer, Place, Refused};
use crate::console::session::Flash;
use crate::console::visit::{Sent, Visit};

/// The checks of a form.
struct Checked {
    region: Region,
    spec: AppSpec,
    problems: Problems,
    /// What is wrong with no single field.
    refused: Option<Refused>,
    draft: Option<Draft>,
}

/// Checks all fields. The domain reports one fault at a time, so that a field with a fault is put
/// right in a copy until no other has one.
fn check(visit: &Visit, form: &Form, default: &Region) -> Checked {
    let platform = &visit.console.platform;
    let mut problems = Problems::default();
    let spec = form.spec(&mut problems);
    let regions = &platform.settings().regions;
    let asked = form.get("region");
    let Some(region) = regions.iter().find(|of| of.as_str() == asked).cloned() else {
        problems.add("region", "there is no such region");
        let region = default.clone();
        return Checked { region, spec, problems, refused: None, draft: None };
    };
    let mut copy = form.clone();
    for problem in problems.all() {
        copy.put_right(&problem.id);
    }
    let (mut refused, mut draft) = (None, None);
    loop {
        match platform.check_new_app(&visit.who, &region, &copy.spec(&mut Problems::default())) {
            Ok(checked) => draft = Some(checked),
            Err(Error::Invalid { field, message }) => {
                if let Some(id) = copy.shows(&field).filter(|id| !problems.has(id)) {
                    copy.put_right(&id);
                    problems.add(id, message);
                    continue;
                }
                refused = Some(Refused::from(Error::Invalid { field, message }));
            }
            Err(error) => refused = Some(error.into()),
        }
        break;
    }
    // What was checked is not what was typed while fields have faults.
    refused = refused.filter(|_| problems.is_empty());
    draft =
        draft.filter(|_| !problems.all().iter().any(|problem| problem.id.starts_with("label-")));
    Checked { region, spec, problems, refused, draft }
}

/// A row of the table of flavors.
struct FlavorRow {
    flavor: &'static Flavor,
    memory: String,
    gpu: String,
    storage: String,
}

fn gibibytes(bytes: i64) -> String {
    const GIB: i64 = 1 << 30;
    let tenths = (bytes.saturating_mul(10) + GIB / 2) / GIB;
    match (tenths / 10, tenths % 10) {
        (whole, _) if whole >= 1024 && whole % 1024 == 0 => format!("{} TiB", whole / 1024),
        (whole, 0) => format!("{whole} GiB"),
        (whole, tenth) => format!("{whole}.{tenth} GiB"),
    }
}

fn flavors() -> Vec<FlavorRow> {
    let row = |flavor: &'static Flavor| {
        let gpu = flavor.gpu.map_or_else(String::new, |gpu| {
            let memory = gpu.memory.map_or_else(String::new, |it| format!(", {}", gibibytes(it)));
            format!("{} {}{memory}", gpu.brand, gpu.model)
        });
        let storage = flavor.ephemeral_storage.map_or_else(String::new, gibibytes);
        FlavorRow { flavor, memory: gibibytes(flavor.memory), gpu, storage }
    };
    let mut rows: Vec<_> = FLAVORS.iter().map(row).collect();
    // CPU first, as the cheaper one.
    rows.sort_by_key(|row| row.flavor.kind == Kind::Gpu);
    rows
}

/// The column beside the form.
#[derive(Template)]
#[template(path = "console/apps/summary.html")]
struct Summary {
    facts: Vec<(&'static str, String)>,
    problems: Vec<Problem>,
    refused: Option<String>,
    notes: Vec<String>,
    line: Option<String>,
    is_public: bool,
    region: Region,
    opens: Option<Result<Opens, String>>,
}

impl Summary {
    fn label(id: &str) -> &'static str {
        label(id)
    }
}

fn resources(form: &Form) -> String {
    let (units, id) = (form.get("units"), form.get("flavor"));
    let Some(flavor) = catalog::flavor(id) else { return String::new() };
    let mut out = format!("{} × {id}", if units.is_empty() { "1" } else { units });
    if let Some(units) = units.parse::<i64>().ok().filter(|units| (1..=1024).contains(units)) {
        let memory = gibibytes(flavor.memory * units);
        let _ = write!(out, " ({} vCores, {memory})", flavor.cpu * units);
    }
    out
}

fn scaling(form: &Form) -> String {
    if !form.is("scaling", "automatic") {
        let replicas = form.get("replicas");
        return match replicas {
            "" | "1" => "1 replica".to_owned(),
            other => format!("{other} replicas"),
        };
    }
    format!("{} to {} replicas by {}", form.get("min"), form.get("max"), form.get("metric"))
}

fn facts(form: &Form) -> Vec<(&'static str, String)> {
    let or = |id: &str, default: &str| match form.get(id) {
        "" => default.to_owned(),
        value => value.to_owned(),
    };
    let mut facts = vec![
        ("Name", or("name", "generated")),
        ("Region", or("region", "–")),
        ("Resources", resources(form)),
        ("Image", or("image", "–")),
        ("Scaling", scaling(form)),
        ("HTTP port", or("http-port", "8080")),
    ];
    for (id, label) in [("grpc-port", "gRPC port"), ("command", "Command")] {
        if !form.get(id).is_empty() {
            facts.push((label, form.get(id).to_owned()));
        }
    }
    for (label, rows) in [("Variables", &form.env), ("Labels", &form.labels)] {
        let count = rows.iter().filter(|pair| !pair.is_empty()).count();
        if count > 0 {
            facts.push((label, count.to_string()));
        }
    }
    if form.is_set("probe-path") || form.is_set("probe-port") {
        facts.push((
            "Probe",
            format!("{}:{}", or("probe-path", "/"), or("probe-port", "HTTP port")),
        ));
    }
    facts
}

/// The line that makes the same app.
fn line(visit: &Visit, region: &Region, spec: &AppSpec) -> String {
    let line = command_line(spec);
    if visit.console.platform.default_region() == Some(region) {
        return line;
    }
    let run = "ovhai app run";
    let rest = line.strip_prefix(run).unwrap_or_default();
    format!("{run} --region {region}{rest}")
}

fn summary(visit: &Visit, form: &Form, checked: &Checked) -> Summary {
    let mut problems = checked.problems.clone();
    // A form that is not filled in yet has no fault.
    if form.get("image").is_empty() {
        problems.remove("image");
    }
    let is_complete = checked.problems.is_empty() && checked.refused.is_none();
    let labels = pairs::labels(&form.labels, &mut Problems::default());
    Summary {
        facts: facts(form),
        problems: problems.all().to_vec(),
        refused: checked.refused.as_ref().map(|Refused(_, text)| text.clone()),
        notes: pairs::notes(&labels),
        line: is_complete.then(|| line(visit, &checked.region, &checked.spec)),
        is_public: form.is("access", "public"),
        opens: checked
            .draft
            .as_ref()
            .map(|draft| tokens::opens(visit, &checked.region, &draft.labels)),
        region: checked.region.clone(),
    }
}

#[derive(Template)]
#[template(path = "console/apps/create.html")]
struct Page<'a> {
    base: String,
    token: String,
    form: &'a Form,
    labels: Vec<Pair>,
    env: Vec<Pair>,
    regions: &'a [Region],
    images: Vec<(String, String)>,
    flavors: Vec<FlavorRow>,
    problems: Problems,
    refused: Option<String>,
    summary: Summary,
}

impl Page<'_> {
    fn problem(&self, id: &str) -> Option<&str> {
        self.problems.of(id)
    }

    fn has_env(&self) -> bool {
        self.form.env.iter().any(|pair| !pair.is_empty())
    }

    /// Whether a part of the form is shown open.
    fn is_open(&self, ids: &[&str]) -> bool {
        ids.iter().any(|id| self.form.is_set(id) || self.problem(id).is_some())
    }
}

/// Images to choose from.
fn images(visit: &Visit) -> Vec<(String, String)> {
    let platform = &visit.console.platform;
    let builtin = platform.builtin_images().iter();
    let builtin = builtin.map(|image| (image.reference.to_owned(), image.description.to_owned()));
    // Only the owner sees mappings.
    let mapped = platform.list_mappings(&visit.who).unwrap_or_default();
    let mapped = mapped.iter().map(|mapping| {
        (mapping.image.clone(), format!("Runs {} on this machine", mapping.command.join(" ")))
    });
    builtin.chain(mapped).collect()
}

/// How a form is shown.
enum Shown {
    /// As it begins.
    New,
    /// With more rows, or with another summary.
    Again,
    /// With its faults.
    Refused,
}

fn show(visit: &Visit, form: &Form, checked: &Checked, shown: Shown) -> Answer {
    let is_refused = matches!(shown, Shown::Refused);
    let problems = if is_refused { checked.problems.clone() } else { Problems::default() };
    let refused = checked.refused.as_ref().filter(|_| is_refused);
    let status = match (shown, refused) {
        (Shown::New | Shown::Again, _) => StatusCode::OK,
        (Shown::Refused, Some(Refused(status, _))) if problems.is_empty() => *status,
        (Shown::Refused, _) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let page = Page {
        base: visit.link(""),
        token: visit.form(),
        form,
        labels: with_empty(form.labels.clone()),
        env: with_empty(form.env.clone()),
        regions: &visit.console.platform.settings().regions,
        images: images(visit),
        flavors: flavors(),
        problems,
        refused: refused.map(|Refused(_, text)| text.clone()),
        summary: summary(visit, form, checked),
    };
    Answer::view_with(visit, status, "New App", Place::Apps, &page)
}

fn default_region(visit: &Visit) -> Result<Region, Refused> {
    let platform = &visit.console.platform;
    let own = match &visit.who {
        ovhai_core::policy::Principal::Token(token) => Some(&token.region),
        _ => platform.default_region(),
    };
    own.cloned().ok_or_else(|| Error::Internal("no region".into()).into())
}

/// `GET apps/new`: with `from=ID` like that app, with `image=IMAGE` of that image.
pub(super) async fn page(visit: Visit) -> Response {
    let new = || {
        let region = default_region(&visit)?;
        visit.console.platform.may_create(&visit.who, &region)?;
        let mut form = match visit.query("from") {
            "" => Form::new(&region),
            from => Form::like(&find(&visit, from)?.0.record),
        };
        if !visit.query("image").is_empty() {
            form.set("image", visit.query("image"));
        }
        let checked = check(&visit, &form, &region);
        Ok(show(&visit, &form, &checked, Shown::New))
    };
    visit.answer(Place::Apps, new())
}

/// `POST apps/preview`: the summary, while one types.
pub(super) async fn preview(Sent { visit, fields }: Sent) -> Response {
    let form = Form::read(&fields);
    let previewed = || {
        let region = default_region(&visit)?;
        visit.console.platform.may_create(&visit.who, &region)?;
        let checked = check(&visit, &form, &region);
        Ok(Answer::part(&summary(&visit, &form, &checked)))
    };
    visit.answer(Place::Apps, previewed())
}

/// `POST apps/new`.
pub(super) async fn create(Sent { visit, fields }: Sent) -> Response {
    let mut form = Form::read(&fields);
    let attempt = async {
        let platform = &visit.console.platform;
        let region = default_region(&visit)?;
        platform.may_create(&visit.who, &region)?;
        let mut checked = check(&visit, &form, &region);
        match fields.get("do") {
            "add-label" => form.labels.push(Pair::default()),
            "add-env" => form.env.push(Pair::default()),
            "preview" => {}
            _ if checked.problems.is_empty() && checked.refused.is_none() => {
                match platform.create_app(&visit.who, &checked.region, &checked.spec).await {
                    Ok(app) => {
                        let name = &app.record.spec.name;
                        visit.session.leave(Flash::Done(format!("{name} was created and starts.")));
                        return Ok(Answer::Go(format!("apps/{}", app.record.id)));
                    }
                    Err(error) => checked.refused = Some(error.into()),
                }
                return Ok(show(&visit, &form, &checked, Shown::Refused));
            }
            _ => return Ok(show(&visit, &form, &checked, Shown::Refused)),
        }
        Ok(show(&visit, &form, &checked, Shown::Again))
    };
    let answer = attempt.await;
    visit.answer(Place::Apps, answer)
}
