//! The gateway beside nginx and HAProxy as allow-list proxies, with the same upstream processes
//! and the same tokens: small requests, refusals, streams, idle WebSockets, renewals.

pub(super) mod changes;
pub(super) mod config;
mod frames;
mod loads;
mod renewal;
pub(super) mod shapes;
mod single;
mod sockets;
mod stage;
mod stream;
pub(super) mod upstream;

use std::process::Command;

use anyhow::Result;
use serde_json::json;

use super::Bench;
use super::noise::Tally;
use super::process::shell;
use super::report::Section;
use super::wrk::Wrk;
use config::{BODY, OWN, Ports, block};
use loads::Load;
use stage::{App, Door, Stage, app_spec, token_spec};

/// Tokens that open the apps.
const TOKENS: usize = 1000;

pub(super) fn measure(bench: &Bench) -> Result<Section> {
    let stage = Stage::set_up(bench, TOKENS)?;
    let wrk = Wrk::new(stage.scratch())?;
    let mut tally = Tally::default();
    let loads = loads::measure(bench, &stage, &wrk, &mut tally)?;
    let singles = single::measure(bench, &stage, &mut tally)?;
    let streams = stream::measure(bench, &stage, &mut tally)?;
    let renewals = renewal::measure(bench, &stage, &mut tally)?;
    let how = how(bench, &stage, &wrk);
    let access_log = stage.access_log;
    stage.end()?;
    let sockets = sockets::measure(bench, &mut tally)?;

    let mut figures = loads.figures();
    figures.extend(singles.figures());
    figures.extend(streams.figures());
    figures.extend(sockets.figures());
    figures.extend(renewals.figures());
    let mut notes = vec![loads.note(), singles.note(), renewals.note()];
    notes.extend(NOTES.map(str::to_owned));
    notes.push(log_note(access_log).into());
    Ok(Section {
        title: "Gateway",
        intro: format!(
            "Requests through the gateway with one of 1,000 application tokens (role read, scope \
             `group=A`), compared with nginx with a `map $http_authorization` and HAProxy with a map \
             of the same 1,000 strings. All three forward to the same upstreams, which run as apps \
             (`--runtime process`): nginx, which answers `{BODY}`, and the benchmark's own server for \
             streams and WebSockets. The upstream alone is the ceiling."
        ),
        figures,
        notes,
        how,
        tally,
    })
}

const NOTES: [&str; 5] = [
    "wrk is a closed loop: each connection sends its next request when it has received the response. \
     p99 does not include any wait before the request was sent.",
    "nginx looks up a string and ignores its case, and HAProxy looks up a string. `ovhai` checks the \
     region, version and scope of a signed token, and the signature of each new string.",
    "1 GiB: one connection, a body of known length. nginx has `proxy_buffering off` and \
     `proxy_request_buffering off`, the usual settings for streams; with buffering it would write \
     the excess to a file.",
    "Growth of memory: `VmHWM` of the proxy's processes, which is reset before every body, minus \
     their `VmRSS` before the first body.",
    "The memory of a WebSocket is that of the proxy's processes, without the kernel's buffers of its two \
     connections. Proxies are restarted in every round.",
];

fn log_note(access_log: bool) -> &'static str {
    if access_log {
        "Every proxy writes an access log: nginx in pieces of 64 KiB or every second, HAProxy line by \
         line to its output, `ovhai` (by default) in pieces of 256 KiB or every second, in a thread \
         of its own."
    } else {
        "No proxy writes an access log."
    }
}

fn how(bench: &Bench, stage: &Stage, wrk: &Wrk) -> Vec<String> {
    let directory = stage.scratch().path().to_string_lossy().into_owned();
    let address = |door, app| format!("127.0.0.1:{}", stage.port(door, app));
    let addresses = Door::ALL.map(|door| address(door, App::Small));
    let [ovhai, nginx, haproxy, small] = &addresses;
    let large = stage.port(Door::Upstream, App::Large).to_string();
    let stand_ins = [
        (stage.token.as_str(), "$TOKEN"),
        (&stage.bad, "$FORGED"),
        (stage.host(App::Small), "$APP_HOST"),
        (ovhai, "127.0.0.1:$OVHAI"),
        (nginx, "127.0.0.1:$NGINX"),
        (haproxy, "127.0.0.1:$HAPROXY"),
        (small, "127.0.0.1:$SMALL"),
        (&large, "$LARGE"),
        (&directory, "$DIR"),
    ];
    let said = |command: &Command| format!("`{}`", shell(command, &stand_ins));
    let load = |load: Load, door| said(&loads::command(stage, wrk, load, door, bench.options.load));
    let [small, large, nginx, haproxy] = &stage.commands;
    let ports = |own| Ports { own, small: "$SMALL", large: "$LARGE" };
    let log = stage.access_log;
    let nginx_text = config::nginx_proxy(ports("$NGINX"), log, &["$TOKEN".into()]);
    let haproxy_text = config::haproxy_proxy(ports("$HAPROXY"), log, "$DIR/map");
    let arguments = config::ovhai_arguments(log).join(" ");
    let spec = |command, port| app_spec(&json!([command, "…"]), &json!(port));
    vec![
        format!(
            "`{}`",
            format!(
                "ovhai emulator start --state-dir $STATE --port $OVHAI --quota unlimited {arguments}"
            )
            .trim_end()
        ),
        format!("Tokens: {TOKENS} times `POST /v1/token` `{}`", token_spec("$N")),
        format!(
            "The app with small responses: `POST /v1/app` `{}`, with the command {} with\n{}",
            spec("nginx", "$SMALL"),
            said(small),
            block("nginx", &config::upstream("127.0.0.1:$SMALL"))
        ),
        format!(
            "The app with streams and WebSockets: `{}`, with the command {}",
            spec("xtask", "$LARGE"),
            said(large)
        ),
        format!(
            "nginx: {} with (one of {TOKENS} lines of the map shown)\n{}",
            said(nginx),
            block("nginx", &nginx_text)
        ),
        format!(
            "HAProxy: {} with (`map` has {TOKENS} lines `$TOKEN 1`)\n{}",
            said(haproxy),
            block("haproxy", &haproxy_text)
        ),
        format!("Load: {}", load(loads::ONE, Door::Ovhai)),
        format!("at nginx: {}", load(loads::ONE, Door::Nginx)),
        format!("at HAProxy: {}", load(loads::ONE, Door::Haproxy)),
        format!("at the upstream: {}", load(loads::ONE, Door::Upstream)),
        format!(
            "{TOKENS} tokens in turn: {}, whose script sends the next line of the file with every \
             request",
            load(loads::ALL, Door::Ovhai)
        ),
        format!("no token: {}", load(loads::ANONYMOUS, Door::Ovhai)),
        format!(
            "bad signature (one character of a token's last part changed): {}",
            load(loads::FORGED, Door::Ovhai)
        ),
        "`report.lua` prints wrk's counts and p99 unrounded. Before the run, every proxy's status and \
         body are checked; an unexpected response or a broken connection under load ends the run."
            .into(),
        "CPU time per request: `utime` and `stime` of `/proc/<pid>/stat` of the proxy's processes \
         (nginx: master and workers), the difference across the load divided by its requests; \
         likewise for the upstreams' processes."
            .into(),
        format!(
            "1 GiB: `GET {OWN}bytes/{}`, or `POST {OWN}count` with the same number of bytes. The sender \
             writes pieces of {} KiB, and the receiver reads and drops pieces of {} KiB; the number \
             of received bytes is checked.",
            stream::SIZE,
            upstream::PIECE / 1024,
            upstream::BUFFER / 1024
        ),
        format!(
            "WebSockets: {} handshakes at `GET {OWN}socket`, each with one message that is echoed. A second \
             later the growth of `Pss` (`/proc/<pid>/smaps_rollup`) and `VmRSS` (`/proc/<pid>/status`) \
             of the proxy's processes is divided by {}; then every WebSocket echoes one more message.",
            sockets::SOCKETS,
            sockets::SOCKETS
        ),
        format!(
            "Renewal: as soon as `POST /v1/token/$ID/renew` has been answered, another keep-alive \
             connection repeats requests with the old string until it receives a 401; {} times a \
             round.",
            renewal::TRIALS
        ),
    ]
}
