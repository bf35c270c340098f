//! No Host header makes the parser panic, and only our own names have a door.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ovhai_emulator::host::{DOMAIN, Door, door};

fuzz_target!(|host: &str| {
    if let Ok(found) = door(host)
        && found != Door::Local
    {
        assert!(host.to_ascii_lowercase().contains(DOMAIN), "{host:?}");
    }
});
