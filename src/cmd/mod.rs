//! The commands: one module per noun, one file per verb.

mod access;
pub(crate) mod app;
pub(crate) mod bucket;
pub(crate) mod capabilities;
pub(crate) mod completion;
pub(crate) mod config;
mod data;
pub(crate) mod datastore;
mod debug;
mod demo;
pub(crate) mod emulator;
mod env_file;
mod environment;
mod feature;
mod help;
mod login;
mod me;
mod reference;
pub(crate) mod registry;
mod requests;
mod secret_input;
mod several;
pub(crate) mod token;

pub(crate) use completion::Completion;
pub(crate) use data::DataCommand;
pub(crate) use debug::Debug;
pub(crate) use demo::Demo;
pub(crate) use feature::FeatureCommand;
pub(crate) use help::Help;
pub(crate) use login::{Login, Logout};
pub(crate) use me::Me;
pub(crate) use reference::Reference;
