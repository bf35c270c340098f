//! The output of an app, live.

use std::convert::Infallible;
use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::Path;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use ovhai_api_types::Region;
use ovhai_core::directory::AppEntry;
use ovhai_core::logs::LogLine;
use ovhai_core::replica::ReplicaId;
use tokio::sync::mpsc;

use super::find;
use crate::console::live;
use crate::console::page::{Answer, Place, Refused};
use crate::console::response::render;
use crate::console::text;
use crate::console::visit::Visit;

/// Lines that the page begins with.
const LINES: usize = 500;

/// Which lines are shown.
#[derive(Clone)]
struct Filter {
    /// In lower case.
    part: String,
    replica: Option<u32>,
}

impl Filter {
    fn of(visit: &Visit) -> Self {
        Self { part: visit.query("q").to_lowercase(), replica: visit.query("replica").parse().ok() }
    }

    fn fits(&self, line: &LogLine) -> bool {
        self.fits_replica(line.replica)
            && (self.part.is_empty() || line.text.to_lowercase().contains(&self.part))
    }

    fn fits_replica(&self, replica: ReplicaId) -> bool {
        self.replica.is_none_or(|ordinal| ordinal == replica.ordinal)
    }
}

struct Row {
    at: String,
    replica: String,
    text: String,
}

impl Row {
    fn new(line: &LogLine) -> Self {
        Self {
            at: text::clock(line.at),
            replica: format!("{}.{}", line.replica.ordinal, line.replica.attempt),
            text: line.text.clone(),
        }
    }
}

/// The lines of the page.
#[derive(Template)]
#[template(path = "console/apps/lines.html")]
struct Lines {
    live: String,
    key: String,
    q: String,
    replicas: Vec<(u32, bool)>,
    rows: Vec<Row>,
    is_filtered: bool,
}

/// New lines, for a stream.
#[derive(Template)]
#[template(
    source = "{% for line in rows %}<span class=\"line\"><time>{{ line.at }}</time> <b>{{ line.replica }}</b> {{ line.text }}\n</span>{% endfor %}",
    ext = "html"
)]
struct More {
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "console/apps/logs.html")]
struct Page<'a> {
    base: String,
    id: &'a str,
    name: &'a str,
    lines: &'a Lines,
}

/// The app, if the caller may read its output.
fn find_logs(visit: &Visit, id: &str) -> Result<(Arc<AppEntry>, Region), Refused> {
    let (entry, region) = find(visit, id)?;
    let platform = &visit.console.platform;
    Ok((platform.app_logs(&visit.who, &region, entry.record.id)?, region))
}

/// `GET apps/{id}/logs`.
pub(super) async fn page(visit: Visit, Path((_, id)): Path<(String, String)>) -> Response {
    let answer = find_logs(&visit, &id).map(|(entry, _)| {
        let filter = Filter::of(&visit);
        let (read, end) = entry.logs.read_with_end(|replica| filter.fits_replica(replica));
        let fitting: Vec<_> = read.iter().filter(|line| filter.fits(line)).collect();
        let rows = fitting[fitting.len().saturating_sub(LINES)..].iter();
        let rows: Vec<_> = rows.map(|line| Row::new(line)).collect();
        let from = end.to_string();
        let query = visit.query_with(&[("from", &from)]);
        let most = entry.record.spec.scaling.most().max(entry.logs.last_ordinal().unwrap_or(1));
        let lines = Lines {
            live: format!("{}?{query}", visit.link(&format!("apps/{id}/logs/live"))),
            key: live::key(&query),
            q: visit.query("q").to_owned(),
            replicas: (1..=most).map(|of| (of, filter.replica == Some(of))).collect(),
            is_filtered: !filter.part.is_empty() || filter.replica.is_some(),
            rows,
        };
        if visit.wants_part {
            return Answer::part(&lines);
        }
        let name = &entry.record.spec.name;
        let page = Page { base: visit.link(""), id: &id, name, lines: &lines };
        Answer::view(&visit, format!("Logs of {name}"), Place::Apps, &page)
    });
    visit.answer(Place::Apps, answer)
}

/// `GET apps/{id}/logs/live`: the lines after the query's `from`.
pub(super) async fn live(visit: Visit, Path((_, id)): Path<(String, String)>) -> Response {
    let entry = match find_logs(&visit, &id) {
        Ok((entry, _)) => entry,
        Err(refused) => return visit.answer(Place::Apps, Err(refused)),
    };
    let filter = Filter::of(&visit);
    let mut from = visit.query("from").parse().unwrap_or(0);
    let (to, receive) = mpsc::channel::<Bytes>(1);
    tokio::spawn(async move {
        let session = Arc::clone(&visit.session);
        let open = session.streams.open();
        let mut written = entry.logs.watch();
        let mut access = visit.console.platform.watch_access(&visit.who, entry.record.id);
        loop {
            written.mark_unchanged();
            let lines = entry.logs.read(from, |_| true);
            from = lines.last().map_or(from, |line| line.index + 1);
            let rows: Vec<_> =
                lines.iter().filter(|line| filter.fits(line)).map(Row::new).collect();
            if !rows.is_empty() {
                let html = render(&More { rows });
                if to.send(live::html_event(&html)).await.is_err() {
                    return;
                }
            }
            tokio::select! {
                () = to.closed() => return,
                () = visit.console.stopping.cancelled() => return,
                () = open.replaced() => {
                    let _ = to.send(live::named_event("poll")).await;
                    return;
                }
                () = session.ended.cancelled() => {
                    let _ = to.send(live::named_event("ended")).await;
                    return;
                }
                () = access.changed() => {
                    let again = visit.again();
                    if again.is_none_or(|visit| find_logs(&visit, &id).is_err()) {
                        let _ = to.send(live::named_event("ended")).await;
                        return;
                    }
                }
                changed = written.changed() => if changed.is_err() { return },
            }
        }
    });
    let body = stream::unfold(receive, |mut receive| async {
        receive.recv().await.map(|bytes| (Ok::<_, Infallible>(bytes), receive))
    });
    live::events(Body::from_stream(body))
}
