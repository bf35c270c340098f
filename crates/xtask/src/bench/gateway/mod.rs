//! The gateway beside nginx and HAProxy as allow-list proxies, with the same upstream processes
//! and the same tokens: small requests, refusals, streams, idle WebSockets, renewals.

pub(super) mod changes;
mod config;
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
            "Requests through the gateway with application tokens of the role read and the scope \
             `group=A`, of which there are 1,000, beside nginx with a `map $http_authorization` \
             and HAProxy with a map of the same 1,000 strings; all pass on to the same processes, \
             which are the apps (`--runtime process`): nginx, which answers `{BODY}`, and for \
             streams and sockets an upstream of our own. The upstream alone is the ceiling."
        ),
        figures,
        notes,
        how,
        tally,
    })
}

const NOTES: [&str; 9] = [
    "wrk is a closed loop: each connection sends its next request when it has the answer; p99 has \
     no waiting before that in it.",
    "nginx looks up a string (and ignores its case), HAProxy a string; `ovhai` checks a signed \
     token's region, version and scope, and a new string's signature.",
    "1 GiB: one connection, a body of known length. nginx has `proxy_buffering off` and \
     `proxy_request_buffering off`, as people set it who stream; with buffering it would write \
     what it can't pass on to a file.",
    "Growth of memory: `VmHWM` of the proxy's processes, which is set back before every body, less \
     their `VmRSS` before the first of them.",
    "A WebSocket's memory is that of the proxy's processes; what the kernel keeps of its two \
     connections is not in it. Proxies are started anew in every round.",
    "What was tried, and what it brought (medians of earlier runs, relative to nginx): hyper's \
     server with the app's connection driven by the request's own task, 0.74 to 0.80 of the requests \
     at 1.35 to 1.40 of the CPU time; an HTTP/1.1 edge of our own on single-threaded runtimes, access \
     log included, 1.04 at 0.94; a buffer that grows for a sender that fills it, more than twice \
     the CPU time of a stream before it than after. Asking the kernel for listening sockets instead \
     of reading /proc: 16 ms of CPU a second for each app before, 2 at most after.",
    "Refusals, step by step, each beside the step before in turns of 2 s (requests/s, and CPU time \
     a request, relative to nginx): before, 0.93 at 1.09; fewer instructions a refusal (callgrind: \
     13,100 before all of this, 10,000 after it), 0.96 at 1.09; a full log put aside without taking an older one's place, which made \
     ext4 write all of it to the disk, 1.02 at 1.00; a worker with several clients that yields before it sleeps, \
     1.34 at 0.86 and a twentieth of the context switches. Of no use: a faster hash function, and \
     larger pieces of the log.",
    "Requests that pass, in turns of 3 s beside the step before (relative to nginx, 64 connections and \
     one): before, 1.10 and 1.01 of the requests at 0.92 and 0.96 of the CPU time; an access log whose \
     writer looks by itself while lines come, in pieces of 256 KiB (half as many wake-ups, then a \
     quarter of those), an answer's fields looked at once, no text made of a decision that lets in, \
     fewer looks at the clock: 1.09 and 1.11 at 0.91 and 0.88. Of no use: workers bound to cores. \
     Half of the time of a request on one connection is the kernel waking the next process up and \
     switching to it (perf).",
    "Until 24 November 2026 the bodies of 1 GiB were not sent by `sendfile`, as was said here, but \
     copied in pieces of 8 KiB (`io::copy` through `Take`): no proxy could be faster than about \
     1 GiB/s, and ratios of streams in earlier reports are too low for all that were.",
];

fn log_note(access_log: bool) -> &'static str {
    if access_log {
        "nginx and HAProxy write an access log, nginx in pieces of 64 KiB or every second, HAProxy \
         line by line to its output; `ovhai` writes one without being told, in pieces of 256 KiB or \
         every second, in a thread of its own."
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
            "The app of small answers: `POST /v1/app` `{}`, its command being {} with\n{}",
            spec("nginx", "$SMALL"),
            said(small),
            block("nginx", &config::upstream("$SMALL"))
        ),
        format!(
            "The app of streams and sockets: `{}`, its command being {}",
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
        "`report.lua` prints wrk's counts and p99 unrounded. It was checked first that each \
         door gives the right status and body; a load with any other answer than the expected \
         one, or with a broken connection, ends the run."
            .into(),
        "CPU time a request: `utime` and `stime` of `/proc/<pid>/stat` of the proxy's processes \
         (nginx: master and workers) before and after the load, divided by its requests; in the \
         same way for the upstreams' processes."
            .into(),
        format!(
            "1 GiB: `GET {OWN}bytes/{}`, or `POST {OWN}count` with as many bytes, sent in \
             pieces of {} KiB at the one end, read and dropped in pieces of {} KiB at the other; \
             the number of bytes that came is checked.",
            stream::SIZE,
            upstream::PIECE / 1024,
            upstream::BUFFER / 1024
        ),
        format!(
            "WebSockets: {} handshakes at `GET {OWN}socket` and a text each that has to come back; \
             a second later `Pss` of `/proc/<pid>/smaps_rollup` and `VmRSS` of \
             `/proc/<pid>/status` of the proxy's processes, less what they were before, divided by \
             {}; then every socket has to answer once more.",
            sockets::SOCKETS,
            sockets::SOCKETS
        ),
        format!(
            "Renewal: on a keep-alive connection that just got a 200, the old string again and \
             again as soon as `POST /v1/token/$ID/renew` was answered on another, until a 401 has \
             come; {} times a round.",
            renewal::TRIALS
        ),
    ]
}
