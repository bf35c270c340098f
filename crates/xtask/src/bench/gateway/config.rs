//! How the proxies and the upstream of small answers are set up.

use std::fmt::{Display, Write as _};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::super::process::output;

/// What the upstream of small answers says: 13 bytes.
pub(in crate::bench) const BODY: &str = "Hello, World!";
/// Requests to paths below it go to our own upstream.
pub(super) const OWN: &str = "/own/";
/// Connections that a proxy may have, on either side.
const MOST: u32 = 4096;

/// The options of `ovhai emulator start` for its access log, which it writes by default.
pub(super) fn ovhai_arguments(access_log: bool) -> &'static [&'static str] {
    if access_log { &[] } else { &["--access-log", "off"] }
}

/// Where a proxy listens and what it passes on to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports<P> {
    pub(super) own: P,
    /// The upstream of small answers.
    pub(super) small: P,
    /// The upstream of streams and sockets.
    pub(super) large: P,
}

/// nginx in the foreground, with everything it writes in a directory of its own.
pub(in crate::bench) fn nginx_command(
    program: &Path,
    directory: &Path,
    config: &str,
) -> Result<Command> {
    fs::create_dir(directory)?;
    let file = directory.join("nginx.conf");
    fs::write(&file, config)?;
    let mut command = Command::new(program);
    command.arg("-p").arg(directory).arg("-e").arg("stderr").arg("-c").arg(&file);
    let mut check = Command::new(program);
    check.args(command.get_args()).arg("-t");
    output(&mut check).context("nginx does not take its configuration")?;
    Ok(command)
}

/// What both nginx have.
fn nginx(workers: &str, access_log: bool, http: &str) -> String {
    let log = if access_log { "access.log combined buffer=64k flush=1s" } else { "off" };
    format!(
        "daemon off;
pid nginx.pid;
worker_processes {workers};
events {{ worker_connections {MOST}; }}
http {{
    access_log {log};
    keepalive_requests 1000000000;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
{http}}}
"
    )
}

/// The upstream of small answers, listening at an address with a port.
pub(in crate::bench) fn upstream(at: impl Display) -> String {
    nginx(
        "1",
        false,
        &format!(
            "    server {{
        listen {at};
        default_type text/plain;
        location / {{ return 200 \"{BODY}\"; }}
    }}
"
        ),
    )
}

/// nginx as an allow-list proxy. It buffers no streams, as people configure it for streaming.
pub(super) fn nginx_proxy<P: Display>(
    ports: Ports<P>,
    access_log: bool,
    tokens: &[String],
) -> String {
    let Ports { own, small, large } = ports;
    let mut map = String::new();
    for token in tokens {
        let _ = writeln!(map, "        \"Bearer {token}\" 1;");
    }
    nginx(
        "auto",
        access_log,
        &format!(
            "    map_hash_bucket_size 2048;
    map_hash_max_size 8192;
    map $http_authorization $allowed {{
        default 0;
{map}    }}
    map $http_upgrade $hop {{
        default upgrade;
        '' '';
    }}
    upstream app {{
        server 127.0.0.1:{small};
        keepalive 128;
        keepalive_requests 1000000000;
    }}
    upstream own {{
        server 127.0.0.1:{large};
        keepalive 128;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{own};
        client_max_body_size 0;
        location = /ready {{ return 200; }}
        location / {{
            if ($allowed = 0) {{ return 401; }}
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
        }}
        location {OWN} {{
            if ($allowed = 0) {{ return 401; }}
            proxy_pass http://own;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $hop;
            proxy_buffering off;
            proxy_request_buffering off;
            proxy_read_timeout 1h;
        }}
    }}
"
        ),
    )
}

/// The lines of HAProxy's map: a token and any value.
pub(super) fn haproxy_map(tokens: &[String]) -> String {
    tokens.iter().fold(String::new(), |map, token| map + token + " 1\n")
}

/// HAProxy in the foreground.
pub(super) fn haproxy_command(program: &Path, directory: &Path, config: &str) -> Result<Command> {
    let file = directory.join("haproxy.cfg");
    fs::write(&file, config)?;
    let mut command = Command::new(program);
    command.arg("-db").arg("-f").arg(&file);
    let mut check = Command::new(program);
    check.arg("-c").args(command.get_args());
    output(&mut check).context("HAProxy does not take its configuration")?;
    Ok(command)
}

/// HAProxy as an allow-list proxy, with as many threads as cores.
pub(super) fn haproxy_proxy<P: Display>(
    ports: Ports<P>,
    access_log: bool,
    map: impl Display,
) -> String {
    let Ports { own, small, large } = ports;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (target, log) = if access_log {
        ("    log stdout format raw local0 info\n", "    log global\n    option httplog\n")
    } else {
        ("", "")
    };
    format!(
        "global
    nbthread {threads}
    maxconn {MOST}
{target}defaults
    mode http
{log}    http-reuse aggressive
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    timeout tunnel 1h
frontend door
    bind 127.0.0.1:{own}
    http-request return status 200 if {{ path /ready }}
    http-request deny deny_status 401 unless {{ http_auth_bearer,map_str({map}) -m found }}
    use_backend own if {{ path_beg {OWN} }}
    default_backend app
backend app
    server app 127.0.0.1:{small}
backend own
    server own 127.0.0.1:{large}
"
    )
}

/// A configuration as part of a list in the report.
pub(in crate::bench) fn block(language: &str, config: &str) -> String {
    let mut text = format!("\n  ```{language}\n");
    for line in config.lines() {
        let _ = writeln!(text, "  {line}");
    }
    text.push_str("  ```");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_or_none_write_an_access_log() {
        let ports = Ports { own: 1, small: 2, large: 3 };
        for access_log in [false, true] {
            let nginx = nginx_proxy(ports, access_log, &["t".into()]);
            assert_eq!(nginx.contains("access_log off"), !access_log);
            let haproxy = haproxy_proxy(ports, access_log, "map");
            assert_eq!(haproxy.contains("option httplog"), access_log);
        }
        assert!(upstream("127.0.0.1:2").contains("access_log off"));
    }
}
