//! Containers: launches compared with `docker run` and `podman run`, requests compared with local
//! processes, and what many apps at rest cost. The engines are started for the benchmark, as for tests.

mod engine;
mod image;
mod launch;
mod loads;
mod rest;

use anyhow::{Result, bail};

use super::Bench;
use super::gateway::config::{self, block};
use super::noise::Tally;
use super::process::Scratch;
use super::report::Section;
use crate::engines::Engines;
use engine::{Engine, Kind};
use image::{Image, PORT};

pub(super) fn measure(bench: &Bench) -> Result<Section> {
    let scratch = Scratch::new()?;
    let images = [Image::httpd(&scratch)?, Image::nginx(&scratch)?];
    let engines = Engines::start_alone()?;
    if !engines.has_own_docker() {
        bail!("a Docker runs already; stop it, so that the benchmark can count its CPU time");
    }
    let mut tally = Tally::default();
    let [mut launches, mut requests, mut at_rest] = [const { Vec::new() }; 3];
    let (mut notes, mut load) = (Vec::new(), String::new());
    let start =
        "ovhai emulator start --state-dir $DIR --port $PORT --quota unlimited --engine $ENGINE";
    let mut how = vec![format!("`{start}`"), launch::how(bench)];
    for kind in [Kind::Docker, Kind::Podman] {
        let engine = Engine::set_up(&engines, kind, &images)?;
        notes.push(format!("{}: {}.", engine.name(), engine.versions()?));
        launches.extend(launch::measure(bench, &engine, &mut tally)?);
        let loads = loads::measure(bench, &engine, &mut tally)?;
        requests.extend(loads.figures);
        notes.push(loads.note);
        load = loads.how;
        at_rest.extend(rest::measure(bench, &engine, &mut tally)?);
        how.push(format!("`{}`", engine.run_text(image::HTTPD)));
    }
    how.extend(steps(load));
    launches.extend(requests);
    launches.extend(at_rest);
    Ok(Section {
        title: "Containers",
        intro: "Apps in containers, on Debian's Docker and Podman as root. A launch runs from the start of \
                `ovhai app run --wait` to the app's first response through the gateway, compared with \
                `docker run` and `podman run` of the same image to the container's first response at its \
                own address. Requests go through the gateway to nginx in a container, compared with the \
                same nginx as a local process."
            .into(),
        figures: launches,
        notes,
        how,
        tally,
    })
}

fn steps(load: String) -> [String; 5] {
    [
        format!(
            "The images are made from scratch and present: one has busybox, whose httpd serves a page of \
             {} bytes, the other nginx with its libraries. The container that is started by hand has \
             none of the limits of an app, a network that exists, and a given address, so that nothing \
             asks for it; a new connection is tried every 0.5 ms. The emulator and the engine take turns; \
             a round has {} pairs, and its figures are medians. Removals are not measured.",
            image::PAGE.len(),
            launch::LAUNCHES
        ),
        format!(
            "nginx, in the container at 0.0.0.0:{PORT}; the app has as many CPU units as the machine has \
             cores:\n{}",
            block("nginx", &config::upstream("127.0.0.1:$PORT"))
        ),
        load,
        "Each round loads process, container, container, process (or the reverse); its figures are the means."
            .into(),
        format!(
            "At rest: {} apps of busybox's httpd, one container each, which the emulator probes every 10 s. \
             Memory of the emulator and its children 5 s after the last app is RUNNING, minus that \
             after a first app that was deleted again, divided by {}; measured once. What the first app \
             costs once is the connection to the engine and the process that removes containers if the \
             emulator is killed. CPU time: `utime`, `stime`, `cutime` and \
             `cstime` of the emulator and its children, and of the engine's daemon, over {} s.",
            rest::APPS,
            rest::APPS,
            rest::WINDOW.as_secs()
        ),
    ]
}
