//! `ovhai app curl`: a request to an app, with a stored token. Its options have curl's names and
//! meanings.

mod data;
mod decode;
mod form;
mod headers;
mod output;
mod source;
mod write_out;

use std::convert::Infallible;
use std::io::Write;
use std::time::{Duration, Instant};

use clap::{Args, ValueHint};
use hyper::Method;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE,
    HeaderName, HeaderValue,
};
use ovhai_api_types::App;
use ovhai_client::{AppClient, AppResponse, Error as ClientError, RequestBody, bearer, user_agent};

use self::data::Data;
use self::decode::Decoder;
use self::headers::Given;
use self::output::Output;
use self::write_out::Transfer;
use super::credential::{Credential, Lent};
use super::ports::{AppArgument, address, port_of};
use super::resolve;
use crate::args::global::OWN;
use crate::context::Context;
use crate::error::{Failure, HTTP_ERROR, Result, TIMEOUT};
use crate::server::target::Target;

#[derive(Debug, Args)]
#[command(
    after_help = "The token is the one of --token or OVHAI_TOKEN, else the stored one whose scope matches the app. If no token is stored for this server and region, your own access to the local emulator is used. Redirects are not followed."
)]
pub(super) struct Curl {
    /// Id, name, beginning of an id, or the app's address with a path
    app: String,
    /// Path and query, sent byte for byte [default: /]
    path: Option<String>,
    /// Another port that the app listens on
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Method [default: GET; POST with a body, PUT with --upload-file, HEAD with --head]
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    method: Option<String>,
    /// Header, may be repeated; 'Name;' sends an empty one, 'Name:' removes one
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE|@FILE")]
    headers: Vec<String>,
    #[command(flatten)]
    data: Data,
    /// Send the data in the query of a GET
    #[arg(short = 'G', long)]
    get: bool,
    /// JSON body; sends POST and accepts JSON (@FILE or @- read the body)
    #[arg(id = "json", long = "json", value_name = "DATA", value_parser = own, conflicts_with_all = BODIES)]
    json: Option<String>,
    /// Field of a multipart form, may be repeated
    #[arg(short = 'F', long, value_name = "NAME=VALUE|NAME=@FILE|NAME=<FILE", conflicts_with_all = BODIES)]
    form: Vec<String>,
    /// Send this file (- for standard input) with PUT; its name is appended to a path that ends in
    /// /
    #[arg(short = 'T', long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = BODIES, conflicts_with = "form")]
    upload_file: Option<String>,
    /// Show the response's status and headers before its body
    #[arg(short, long)]
    include: bool,
    /// Request and show only the headers
    #[arg(short = 'I', long, conflicts_with_all = ["form", "upload_file"])]
    head: bool,
    /// Write the complete response to this file (- for standard output)
    #[arg(id = "output", short = 'o', long = "output", value_name = "FILE", value_parser = own, value_hint = ValueHint::FilePath)]
    output: Option<String>,
    /// Write the response to a file in the current directory, named like the end of the path
    #[arg(short = 'O', long)]
    remote_name: bool,
    /// Exit with code 22, without the body, if the response is an error
    #[arg(short, long)]
    fail: bool,
    /// Exit with code 22 if the response is an error, after its body
    #[arg(long, conflicts_with = "fail")]
    fail_with_body: bool,
    /// Request a compressed response (gzip, deflate), and decode it
    #[arg(long)]
    compressed: bool,
    /// No effect, for compatibility with curl: output is never buffered
    #[arg(short = 'N', long)]
    no_buffer: bool,
    /// No effect, for compatibility with curl
    #[arg(long, hide = true, short_aliases = ['g', '#'], aliases = ["globoff", "http1.1", "progress-bar", "no-progress-meter", "tcp-nodelay"])]
    path_as_is: bool,
    /// Print no hints
    #[arg(short, long)]
    silent: bool,
    /// No effect, for compatibility with curl: errors are always shown
    #[arg(short = 'S', long)]
    show_error: bool,
    /// Maximum time for the whole request in seconds, such as 2.5; then exit code 5
    #[arg(short, long, value_name = "SECONDS", value_parser = seconds)]
    max_time: Option<Duration>,
    /// Print this at the end, with variables of the transfer
    #[arg(short, long, value_name = "FORMAT", help = WRITE_OUT)]
    write_out: Option<write_out::WriteOut>,
    #[command(flatten)]
    credential: Credential,
}

const WRITE_OUT: &str =
    "Print this at the end; %{http_code}, %{time_total}, %{size_download}, %{content_type}, \\n";
const BODIES: [&str; 4] = ["data", "data-raw", "data-binary", "data-urlencode"];

#[allow(clippy::unnecessary_wraps, reason = "what clap's value parsers are")]
fn own(text: &str) -> Result<String, Infallible> {
    Ok(format!("{OWN}{text}"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let parsed = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    parsed.filter(|time| !time.is_zero()).ok_or_else(|| "use seconds, such as 2.5".into())
}

/// The URL parts of the request.
struct Asked {
    method: Method,
    target: String,
    headers: hyper::HeaderMap,
    body: RequestBody,
    lent: Lent,
}

impl Curl {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        if self.silent {
            context.global.quiet = true;
        }
        let named = AppArgument::parse(&self.app)?;
        let target = Target::find(context).await?;
        // The app is looked up with the login: a read token may query an app, but not see it in the
        // API.
        let app = resolve(&target.login, named.app).await?;
        let (url, path) = self.place(&app, named)?;
        let client = AppClient::new(&url, target.address)?;
        let given = Given::parse(&self.headers, &context.directory).await?;
        let lent = if given.mentions(&AUTHORIZATION) {
            Lent::Nothing
        } else {
            self.credential.lend(context, &app, &target).await?
        };
        let asked = self.asked(context, path, given, lent).await?;
        if !asked.method.is_safe() {
            target.announce_change_of(context, &app.status.url)?;
        }
        let output = self.output(context, &asked.target)?;
        let mut transfer = Transfer::default();
        let begun = Instant::now();
        let outcome = {
            let exchange = self.exchange(context, &client, asked, output, &mut transfer);
            match self.max_time {
                None => exchange.await,
                Some(most) => tokio::time::timeout(most, exchange).await.unwrap_or_else(|_| {
                    Err(Failure::new(format!(
                        "no complete response within {} s",
                        most.as_secs_f64()
                    ))
                    .because("--max-time expired")
                    .hint("raise --max-time, or see what the app does: ovhai app logs")
                    .exit_code(TIMEOUT))
                }),
            }
        };
        transfer.time = begun.elapsed();
        if let Some(format) = &self.write_out {
            context.out.write_all(format.render(&transfer).as_bytes())?;
        }
        outcome
    }

    /// The address of the port, and path and query.
    fn place(&self, app: &App, named: AppArgument) -> Result<(String, String)> {
        let own = &app.status.url;
        let at = |asked: &str| path(asked, own);
        let (by_address, path) = match (named.address, &self.path) {
            (None, path) => at(path.as_deref().unwrap_or("/"))?,
            (Some(address), path) => {
                let scheme = own.split_once("://").map_or("http", |(scheme, _)| scheme);
                let has_scheme = address.contains("://");
                let address =
                    if has_scheme { address.to_owned() } else { format!("{scheme}://{address}") };
                match (at(&address)?, path) {
                    (all, None) => all,
                    ((port, root), Some(path)) if root == "/" => {
                        let (other, path) = at(path)?;
                        (other.or(port), path)
                    }
                    (_, Some(path)) => {
                        return Err(Failure::usage(format!(
                            "the app's address already has a path, and {path:?} is another one"
                        ))
                        .hint("omit one of them"));
                    }
                }
            }
        };
        let mut ports = [self.port, named.port, by_address].into_iter().flatten();
        let Some(port) = ports.next() else { return Ok((own.clone(), path)) };
        if let Some(other) = ports.find(|other| *other != port) {
            return Err(Failure::usage(format!("two ports were given: {port} and {other}"))
                .because("--port gives one, and the address or <id>-<port> another")
                .hint("omit one of them"));
        }
        Ok((address(app, port)?, path))
    }

    async fn asked(
        &self,
        context: &Context,
        mut target: String,
        given: Given,
        lent: Lent,
    ) -> Result<Asked> {
        let directory = &context.directory;
        let mut content_type = None;
        let mut accept = "*/*";
        let mut body = RequestBody::default();
        let mut method = Method::GET;
        if self.get {
            let data = String::from_utf8(self.data.bytes(directory).await?)
                .map_err(|_| Failure::usage("a query must be text").hint("use --data-urlencode"))?;
            if !data.is_empty() {
                target.push(if target.contains('?') { '&' } else { '?' });
                target += &data;
            }
        } else if self.data.is_given() {
            if self.head {
                return Err(Failure::usage("--head has no body")
                    .hint("omit --data, or send it in the query: --get"));
            }
            method = Method::POST;
            body = self.data.body(directory).await?;
            content_type = Some("application/x-www-form-urlencoded".to_owned());
        } else if let Some(json) = self.json.as_deref().and_then(|json| json.strip_prefix(OWN)) {
            method = Method::POST;
            body = source::text_or_file(directory, json).await?;
            content_type = Some("application/json".to_owned());
            accept = "application/json";
        } else if !self.form.is_empty() {
            method = Method::POST;
            let (kind, form) = form::body(&self.form, directory).await?;
            (content_type, body) = (Some(kind), form);
        } else if let Some(file) = &self.upload_file {
            method = Method::PUT;
            body = source::stream(body, directory, file).await?;
            if target.ends_with('/') && file != "-" {
                let name = file.rsplit('/').next().unwrap_or_default();
                target += &data::percent(name.as_bytes());
            }
        }
        if self.head {
            method = Method::HEAD;
        }
        if let Some(named) = &self.method {
            method = Method::from_bytes(named.as_bytes()).map_err(|_| {
                Failure::usage(format!("{named:?} is not an HTTP method"))
                    .hint("use one such as PUT")
            })?;
        }
        let mut defaults: Vec<(HeaderName, HeaderValue)> = Vec::new();
        if let Some(string) = lent.bearer() {
            defaults.push((AUTHORIZATION, bearer(string)?));
        }
        defaults.push(user_agent());
        defaults.push((ACCEPT, HeaderValue::from_static(accept)));
        if self.compressed {
            defaults.push((ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate")));
        }
        if let Some(kind) = content_type {
            let kind = HeaderValue::try_from(kind).map_err(|e| Failure::new(e.to_string()))?;
            defaults.push((CONTENT_TYPE, kind));
        }
        Ok(Asked { method, target, headers: given.after(defaults), body, lent })
    }

    fn output(&self, context: &Context, target: &str) -> Result<Output> {
        let own = self.output.as_deref().and_then(|output| output.strip_prefix(OWN));
        match own {
            Some(_) if self.remote_name => {
                Err(Failure::usage("-o and -O both choose the output").hint("omit one of them"))
            }
            Some(file) => Output::to(&context.directory, file),
            None if self.remote_name => Output::named_by(&context.directory, target),
            None => Ok(Output::Screen),
        }
    }

    /// Sends the request and writes the response; records the progress in `transfer`.
    async fn exchange(
        &self,
        context: &mut Context,
        client: &AppClient,
        asked: Asked,
        mut output: Output,
        transfer: &mut Transfer,
    ) -> Result<()> {
        let Asked { method, target, headers, body, lent } = asked;
        let mut answer = client.send(method, &target, headers, body).await?;
        transfer.status = answer.status;
        transfer.content_type = text(&answer, &CONTENT_TYPE).unwrap_or_default();
        let failed = (answer.status >= 400 && (self.fail || self.fail_with_body)).then(|| {
            let said = format!("the app answered {} {}", answer.status, answer.reason);
            Failure::new(said.trim_end()).exit_code(HTTP_ERROR)
        });
        if let Some(failed) = failed.clone().filter(|_| self.fail) {
            return Err(failed);
        }
        let to = output.writer(context.out.as_mut());
        if self.include || self.head {
            to.write_all(head(&answer).as_bytes())?;
        }
        let mut ends_line = true;
        let passed = self.pass(&mut answer, to, transfer, &mut ends_line).await;
        if !ends_line && output.is_screen() {
            context.end_line()?;
        }
        passed?;
        output.finish()?;
        if let Some(failed) = failed {
            return Err(failed);
        }
        if answer.status == 401 && lent.bearer().is_some() {
            context.note(self.credential.hint_when_refused(context, &lent));
        }
        Ok(())
    }

    /// Passes the body on as it arrives; returns whether it ended with a line end.
    async fn pass(
        &self,
        answer: &mut AppResponse,
        to: &mut dyn Write,
        transfer: &mut Transfer,
        ends_line: &mut bool,
    ) -> Result<()> {
        let length = text(answer, &CONTENT_LENGTH);
        let broken = |received: u64, error: &dyn std::fmt::Display| {
            let of = length.as_ref().map(|length| format!(" of {length}")).unwrap_or_default();
            Failure::new(format!("the response ended early, after {received}{of} bytes"))
                .because(error)
                .hint(format!("see what the app did: ovhai app logs {}", self.app))
        };
        let encoding = text(answer, &CONTENT_ENCODING).filter(|_| self.compressed);
        let mut decoder = Decoder::new(encoding.as_deref(), to);
        let undecodable = |error: std::io::Error, received: u64| match error.kind() {
            // An error of the decoder; others come from the output.
            std::io::ErrorKind::InvalidData
            | std::io::ErrorKind::InvalidInput
            | std::io::ErrorKind::UnexpectedEof
                if encoding.is_some() =>
            {
                Failure::new(format!("the response can't be decoded after {received} bytes"))
                    .because(error)
                    .hint("omit --compressed to see it undecoded")
            }
            _ => error.into(),
        };
        loop {
            match answer.chunk().await {
                Ok(Some(piece)) => {
                    transfer.size += piece.len() as u64;
                    let written = decoder.write(&piece).and_then(|()| decoder.flush());
                    written.map_err(|error| undecodable(error, transfer.size))?;
                    *ends_line = piece.last().is_none_or(|byte| *byte == b'\n');
                }
                Ok(None) => break,
                Err(ClientError::Broken(why)) => return Err(broken(transfer.size, &why)),
                Err(error) => return Err(error.into()),
            }
        }
        decoder.finish(transfer.size).map_err(|error| undecodable(error, transfer.size))
    }
}

/// Path and query of the argument, which may be an address of the app or of another of its ports;
/// that port comes first.
fn path(asked: &str, app: &str) -> Result<(Option<u16>, String)> {
    let foreign = || {
        Failure::usage(format!("{asked:?} is not a path of the app")).hint(
            "give path and query only, such as /predict?n=1; another port of the app: --port PORT",
        )
    };
    let (port, rest) = if asked.starts_with("http://") || asked.starts_with("https://") {
        let (address, rest) = split_address(asked);
        let (app, _) = split_address(app);
        let port = port_of(address, app);
        if port.is_none() && address != app {
            return Err(foreign());
        }
        (port, rest)
    } else {
        (None, asked)
    };
    let begins = rest.starts_with('/') || rest == "*";
    Ok((port, if begins { rest.to_owned() } else { format!("/{rest}") }))
}

/// Splits an address into scheme, host and port, and the remainder.
fn split_address(url: &str) -> (&str, &str) {
    let host = url.find("://").map_or(0, |at| at + 3);
    url.split_at(url[host..].find(['/', '?']).map_or(url.len(), |at| host + at))
}

fn text(answer: &AppResponse, name: &HeaderName) -> Option<String> {
    let value = answer.headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn head(answer: &AppResponse) -> String {
    let mut head = format!("{} {} {}\n", answer.version, answer.status, answer.reason);
    for (name, value) in &answer.headers {
        head += &format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()));
    }
    head + "\n"
}
