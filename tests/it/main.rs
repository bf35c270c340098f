//! The product through the doors of its users: one binary, a module a noun.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    missing_docs
)]

mod affinity;
mod answers;
mod api;
mod app;
mod apps;
mod background;
mod broken;
#[cfg(target_os = "linux")]
mod broken_disk;
mod browser;
mod cli;
mod config;
mod crash;
mod crashes;
mod crowd;
mod curl;
mod docs;
mod edge;
mod emulator;
mod environment;
mod events;
mod frames;
mod gateway;
mod grpc;
mod held;
mod hostile;
mod hostile_http2;
mod http2;
mod keyring;
mod layout;
mod limits;
mod links;
mod login;
mod login_page;
mod loopback;
mod memory;
mod navigation;
mod offers;
mod openapi;
mod owner;
mod planted;
mod port_forward;
mod process;
mod prompts;
mod pty;
mod readers;
mod replicas;
mod requests;
mod revoked;
mod rubbish;
mod run;
mod sdk;
mod secrets;
mod seen;
mod session;
mod shell;
mod slow;
mod tls;
mod tokens;
mod verbs;
mod websocket;
mod wire;

/// The executable under test.
const OVHAI: &str = env!("CARGO_BIN_EXE_ovhai");

/// A port in use.
fn taken_port() -> (std::net::TcpListener, u16) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// A free port.
fn free_port() -> u16 {
    let port = ovhai_runtime::sockets::free_port().unwrap();
    let number = port.number;
    // Reserved until the tests end.
    std::mem::forget(port);
    number
}
