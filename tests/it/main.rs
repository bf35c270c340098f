//! End-to-end tests: the product as its users use it. One binary, with one module per noun; helpers
//! are in `ovhai-test-support`.
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
mod check;
mod cli;
mod clock;
mod config;
mod console_apps;
mod console_browser;
mod console_project;
mod console_requests;
mod console_tokens;
mod cp;
mod crash;
mod crashes;
mod crowd;
mod curl;
mod data;
mod docs;
mod edge;
#[cfg(target_os = "linux")]
mod elsewhere;
mod emulator;
#[cfg(target_os = "linux")]
mod emulator_exec;
mod environment;
mod events;
mod exec;
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
mod readers;
mod registries;
mod releases;
mod reload;
mod replicas;
mod requests;
mod revoked;
mod rollout;
mod rubbish;
mod run;
mod sdk;
mod secrets;
mod seen;
mod session;
mod shell;
#[cfg(target_os = "linux")]
mod silent;
mod slow;
mod tls;
mod tokens;
mod totals;
mod variables;
mod verbs;
mod volumes;
mod websocket;
mod wheel;

/// The executable under test.
const OVHAI: &str = env!("CARGO_BIN_EXE_ovhai");
