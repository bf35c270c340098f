//! The calls of one run: addresses, what waits, what was sent and answered, and whether the emulator
//! hangs.

pub(crate) mod address;
pub(crate) mod liveness;
pub(crate) mod trace;
pub(crate) mod waiting;
