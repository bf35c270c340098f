//! Tests with real engines: `cargo xtask test` starts them, and says where they are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod bench;
mod ends;
mod isolation;
mod left_behind;
mod outage;
mod registries;
mod replicas;
