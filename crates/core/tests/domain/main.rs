//! The domain as its users see it, with time, runtime and store in the test's hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod accounts;
mod anonymous;
mod asleep;
mod clock;
mod crashes;
mod data_stores;
mod environment;
mod exec;
mod harness;
mod ledger;
mod life_cycle;
mod moves;
mod panics;
mod registries;
mod reload;
mod revocation;
mod sim_volumes;
mod tokens;
mod volumes;
