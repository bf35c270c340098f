//! HTTP/1 as bytes: heads of requests and responses, framing of bodies, moving them, tunnels.
//!
//! Clients are read strictly: bytes that another reader could take for something else are refused.
//! Apps are read as browsers read servers. What the receiver does not take is not read from the
//! sender.
//!
//! What must not be here: tokens, apps, access rules, workers, a server. The user of this crate says
//! which fields have a meaning of its own ([`fields::Reserved`]), and which fields of a response it
//! withholds.

pub mod ascii;
pub mod authority;
pub mod body;
pub mod buffer;
pub mod deadline;
mod expect;
pub mod fields;
pub mod framing;
pub mod prefixed;
pub mod pump;
pub mod request;
pub mod response;
pub mod scan;
pub mod stream;
pub mod tunnel;
pub mod websocket;
pub mod write;

pub use understand::{Understood, understand};

mod understand;
