//! Recent requests: `ovhai emulator requests` and `ovhai app requests`.

use std::borrow::Cow;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use ovhai_api_types::{
    AppId, Door, Region, RequestFilter, RequestRecord, RequestTotal, Token, TokenId,
};
use ovhai_client::Client;

use super::app::{Since, since};
use crate::args::global::Format;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::server::resolve::resolve;
use crate::term::describe::Description;
use crate::term::table::Fit;
use crate::term::text::{clean, cut, width};
use crate::ui::endless::while_read;
use crate::ui::output::Show;

/// Interval of polling.
const PERIOD: Duration = Duration::from_millis(500);
/// Maximum requests per poll.
const PAGE: u32 = 1000;

#[derive(Debug, Args)]
pub(crate) struct Filters {
    /// Only requests with this token (name or id)
    #[arg(id = "by_token", long = "token", value_name = "TOKEN")]
    token: Option<String>,
    /// Only requests that were denied
    #[arg(long)]
    denied: bool,
    /// Only requests that ended since this time, such as 10m ago (10m) or 2026-01-31T08:00:00Z
    #[arg(long, value_name = "DURATION|MOMENT", value_parser = since)]
    since: Option<Since>,
    /// Maximum number of requests, from the end
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=i64::from(PAGE)))]
    count: u32,
    /// Follow new requests until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// Show exact numbers of requests, by app, caller and decision, since the start or the last reset
    // Numbers have no moment, and are not limited.
    #[arg(long, conflicts_with_all = ["follow", "since", "count"])]
    totals: bool,
    /// Also show calls of the API and of the emulator itself
    #[arg(long)]
    all: bool,
    /// Authenticate with this application token instead of the login [env: OVHAI_TOKEN]
    // Replaces the global option, whose name is a filter's here.
    #[arg(id = "caller-token", long = "caller-token", value_name = "TOKEN")]
    caller: Option<String>,
}

impl Filters {
    /// Must be called before the caller is determined.
    pub(crate) fn apply(&self, context: &mut Context) -> Result<()> {
        if let Some(caller) = &self.caller {
            context.global.token = Some(caller.clone());
        }
        if self.token.as_ref().is_some_and(|token| token.starts_with("eyJ")) {
            return Err(Failure::usage("--token takes a token's name or id here, not its string")
                .because("it selects the requests to show")
                .hint("to authenticate with a token: --caller-token TOKEN or OVHAI_TOKEN"));
        }
        Ok(())
    }

    /// Shows them; `control` is the emulator's own API, `api` resolves the token.
    pub(crate) async fn run(
        self,
        context: &mut Context,
        control: &Client,
        api: &Client,
        app: Option<AppId>,
        region: Option<Region>,
    ) -> Result<()> {
        let token = match &self.token {
            None => None,
            // The object may have been deleted.
            Some(token) => Some(match token.parse::<TokenId>() {
                Ok(id) => id,
                Err(_) => resolve::<Token>(api, token).await?.id,
            }),
        };
        let mut filter = RequestFilter {
            app,
            token,
            region,
            denied: self.denied,
            all: self.all,
            since: self.since.map(|since| since.millis((context.now)())),
            count: Some(self.count),
            after: None,
        };
        if self.totals {
            return totals(context, control, &filter).await;
        }
        let first = control.requests(&filter).await?;
        if !self.follow {
            return context.show_all(&first.items);
        }
        filter.count = Some(PAGE);
        filter.after = Some(first.next);
        while_read(follow(context, control, filter, first.items)).await
    }
}

/// Shows numbers; programs get the sums with them.
async fn totals(context: &mut Context, control: &Client, filter: &RequestFilter) -> Result<()> {
    let totals = control.request_totals(filter).await?;
    if !context.show_data(&totals)? {
        context.show_all(&totals.items)?;
    }
    if totals.overflow > 0 {
        context.note(
            "warning: some requests are in no row: there are too many different ones. To begin anew: ovhai emulator requests --reset",
        );
    }
    Ok(())
}

async fn follow(
    context: &mut Context,
    control: &Client,
    mut filter: RequestFilter,
    mut items: Vec<RequestRecord>,
) -> Result<()> {
    let format = context.format().unwrap_or(Format::Table);
    let columns = context.columns.filter(|_| format == Format::Table);
    if matches!(format, Format::Table | Format::Wide) {
        context.line(row(COLUMNS.map(Cow::from), columns))?;
    }
    loop {
        for item in &items {
            let text = match format {
                Format::Table | Format::Wide => row(cells(item, (context.now)()), columns),
                Format::Json => {
                    serde_json::to_string(item).map_err(|e| Failure::new(e.to_string()))?
                }
                Format::Description | Format::Yaml | Format::Name => {
                    context.show(item)?;
                    continue;
                }
            };
            context.line(text)?;
        }
        context.out.flush()?;
        if items.len() < PAGE as usize {
            tokio::time::sleep(PERIOD).await;
        }
        let page = control.requests(&filter).await?;
        if page.lost > 0 {
            // For callers that may not see every request, 1 stands for any number.
            let lost = if page.lost == 1 { "some".to_owned() } else { page.lost.to_string() };
            context.note(format!(
                "warning: {lost} requests were dropped before they could be shown: they arrived too fast"
            ));
        }
        (items, filter.after) = (page.items, Some(page.next));
    }
}

/// A row of a table that is still growing.
fn row(cells: [Cow<'_, str>; 8], columns: Option<usize>) -> String {
    const WIDTHS: [usize; 7] = [9, 16, 16, 7, 6, 8, 24];
    let widths = WIDTHS.map(Some).into_iter().chain([None]);
    let mut line = String::new();
    for (cell, room) in cells.iter().zip(widths) {
        let cell = clean(cell);
        let Some(room) = room else {
            line += &cell;
            break;
        };
        // In a pipe nothing is cut.
        let cell = if columns.is_some() { cut(&cell, room) } else { cell };
        line += &cell;
        line.extend(std::iter::repeat_n(' ', room.saturating_sub(width(&cell)) + 2));
    }
    let line = line.trim_end();
    columns.map_or_else(|| line.to_owned(), |columns| cut(line, columns).into_owned())
}

const COLUMNS: [&str; 8] = ["TIME", "APP", "CALLER", "METHOD", "STATUS", "TOOK", "PATH", "BECAUSE"];

fn cells(request: &RequestRecord, now: Timestamp) -> [Cow<'_, str>; 8] {
    [
        moment(request.time, now).into(),
        app(request),
        caller(request).into(),
        request.method.as_str().into(),
        request.status.to_string().into(),
        took(request.micros).into(),
        request.path.as_str().into(),
        because(request),
    ]
}

impl Show for RequestRecord {
    const COLUMNS: &'static [&'static str] = &COLUMNS;

    const FIT: &'static [Fit] = &[
        Fit::Fixed,
        Fit::Shrink(6),
        Fit::Shrink(6),
        Fit::Fixed,
        Fit::Fixed,
        Fit::Fixed,
        Fit::Shrink(8),
        Fit::Wrap(16),
    ];

    fn row(&self, now: Timestamp) -> Vec<String> {
        cells(self, now).map(Cow::into_owned).into()
    }

    fn describe(&self) -> Description {
        let view = Description::new()
            .field("Time", self.time)
            .field("ID", &self.id)
            .maybe("Client", self.client.as_ref())
            .section("App", |view| match self.app {
                None => view,
                Some(id) => view
                    .field("ID", id)
                    .maybe("Name", self.app_name.as_ref())
                    .maybe("Region", self.region.as_ref())
                    .maybe("Port", self.port)
                    .maybe("Replica", self.replica),
            })
            .field("Caller", caller(self))
            .maybe("Token", self.token)
            .field("Method", &self.method)
            .field("Path", &self.path)
            .field("Protocol", &self.protocol)
            .field("TLS", self.tls)
            .field("Status", self.status);
        view.maybe("Decision", self.decision.as_ref())
            .maybe("Refused", self.refused.as_ref())
            .maybe("Reason", self.reason.as_ref())
            .maybe("Broken Off By", self.aborted.as_ref())
            .field("Bytes In", self.bytes_in)
            .field("Bytes Out", self.bytes_out)
            .field("Took", took(self.micros))
            .maybe("App Took", self.upstream_micros.map(took))
            .maybe("Wake-Up Took", self.held_micros.map(took))
    }

    fn name(&self) -> String {
        self.id.clone()
    }
}

impl Show for RequestTotal {
    const COLUMNS: &'static [&'static str] =
        &["APP", "CALLER", "DECISION", "REFUSED", "STATUS", "COUNT"];

    const FIT: &'static [Fit] = &[Fit::Shrink(6), Fit::Shrink(6)];

    fn row(&self, _: Timestamp) -> Vec<String> {
        let app = match (&self.app_name, self.app, self.door) {
            (Some(name), ..) => name.clone(),
            (None, Some(id), _) => id.to_string(),
            (None, None, Door::Api) => "(API)".into(),
            (None, None, Door::Local) => "(emulator)".into(),
            (None, None, Door::App | Door::None) => "~".into(),
        };
        let words = |text: &Option<String>| text.as_deref().unwrap_or("~").replace('_', " ");
        let (decision, refused) = (words(&self.decision), words(&self.refused));
        vec![app, who(self), decision, refused, self.status.to_string(), self.count.to_string()]
    }

    fn describe(&self) -> Description {
        Description::new()
            .maybe("App", self.app_name.as_ref())
            .maybe("App ID", self.app)
            .maybe("Region", self.region.as_ref())
            .field("Caller", who(self))
            .maybe("Token", self.token)
            .maybe("Decision", self.decision.as_ref())
            .maybe("Refused", self.refused.as_ref())
            .field("Status", self.status)
            .field("Count", self.count)
    }

    fn name(&self) -> String {
        self.count.to_string()
    }
}

/// Today's dates are shown as times.
fn moment(at: Timestamp, now: Timestamp) -> String {
    let day = |at: Timestamp| at.as_second().div_euclid(86_400);
    let format = if day(at) == day(now) { "%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%SZ" };
    at.strftime(format).to_string()
}

fn app(request: &RequestRecord) -> Cow<'_, str> {
    match (&request.app_name, request.app, request.door) {
        (Some(name), ..) => name.as_str().into(),
        (None, Some(id), _) => id.to_string().into(),
        (None, None, Door::Api) => "(API)".into(),
        (None, None, Door::Local) => "(emulator)".into(),
        (None, None, Door::App | Door::None) => "~".into(),
    }
}

/// The caller of counted requests.
fn who(total: &RequestTotal) -> String {
    match (&total.token_name, total.token) {
        (Some(name), _) => name.clone(),
        (None, Some(id)) => id.to_string(),
        (None, None) if total.caller == "anonymous" => "~".into(),
        (None, None) => format!("({})", total.caller),
    }
}

fn caller(request: &RequestRecord) -> String {
    match (&request.token_name, request.token, &request.user) {
        (Some(name), ..) => name.clone(),
        (None, Some(id), _) => id.to_string(),
        (None, None, Some(user)) => user.clone(),
        (None, None, None) if request.withheld => "(withheld)".into(),
        (None, None, None) => "~".into(),
    }
}

/// The reason of the decision, or the error.
fn because(request: &RequestRecord) -> Cow<'_, str> {
    let aborted = request.aborted.as_deref().map(|by| match by {
        "client" => "aborted by the client",
        "app" => "aborted by the app",
        _ => "ended: the caller lost access",
    });
    let words = |text: &str| text.replace('_', " ");
    if let (None, None, None, Some(held)) =
        (&request.reason, aborted, &request.refused, request.held_micros)
    {
        return format!("waited {} for the app to wake up", took(held)).into();
    }
    match (&request.reason, aborted, &request.refused, &request.decision) {
        (Some(reason), ..) => reason.as_str().into(),
        (None, Some(aborted), ..) => aborted.into(),
        (None, None, Some(refused), _) => words(refused).into(),
        (None, None, None, Some(decision)) => words(decision).into(),
        (None, None, None, None) => "".into(),
    }
}

#[allow(clippy::cast_precision_loss, reason = "one digit is shown")]
fn took(micros: u64) -> String {
    match micros as f64 / 1000.0 {
        millis if millis < 1000.0 => format!("{millis:.1} ms"),
        millis => format!("{:.1} s", millis / 1000.0),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(more: &[(&str, serde_json::Value)]) -> RequestRecord {
        let mut json = json!({
            "time": "2026-11-29T11:55:53.123Z", "id": "x", "door": "app",
            "app": "caa6077e-2b0d-4e65-8e33-423b3a9d2498", "protocol": "HTTP/1.1",
            "method": "GET", "path": "/", "status": 200, "bytesIn": 0, "bytesOut": 1, "micros": 700,
        });
        for (name, value) in more {
            json[name] = value.clone();
        }
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn rows() {
        let now: Timestamp = "2026-11-29T23:00:00Z".parse().unwrap();
        let request = record(&[
            ("appName", json!("fa")),
            ("token", json!("8b765154-51ba-4651-a1ed-55a34d9c7f47")),
            ("tokenName", json!("reader")),
            ("decision", json!("out_of_scope")),
        ]);
        assert_eq!(
            row(cells(&request, now), None),
            "11:55:53Z  fa                reader            GET      200     0.7 ms    /                         out of scope"
        );
        assert_eq!(width(&row(cells(&request, now), Some(40))), 40);
        let tomorrow: Timestamp = "2026-11-30T00:00:00Z".parse().unwrap();
        assert_eq!(cells(&request, tomorrow)[0], "2026-11-29T11:55:53Z");
        let cell = |more: &[(&str, serde_json::Value)], at: usize| {
            cells(&record(more), now)[at].clone().into_owned()
        };
        assert_eq!(cell(&[("withheld", json!(true))], 2), "(withheld)");
        assert_eq!(cell(&[("user", json!("ann"))], 2), "ann");
        assert_eq!(cell(&[], 1), "caa6077e-2b0d-4e65-8e33-423b3a9d2498");
        assert_eq!(cell(&[("door", json!("api")), ("app", json!(null))], 1), "(API)");
        assert_eq!(cell(&[("micros", json!(2_345_678))], 5), "2.3 s");
        assert_eq!(
            cell(&[("heldMicros", json!(1_500_000)), ("decision", json!("allowed"))], 7),
            "waited 1.5 s for the app to wake up"
        );
        assert_eq!(cell(&[("aborted", json!("client"))], 7), "aborted by the client");
        assert_eq!(cell(&[("reason", json!("group=B does not hold"))], 7), "group=B does not hold");
    }
}
