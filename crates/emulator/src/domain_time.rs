//! The field that tells domain time in the emulator's own answers while it differs from real time. Apps'
//! answers pass unchanged.

use http::{HeaderName, HeaderValue};
use ovhai_api_types::DOMAIN_TIME;
use ovhai_core::ports::Clock;

/// The field's name.
pub(crate) const NAME: HeaderName = HeaderName::from_static(DOMAIN_TIME);

/// The field's value; none while domain time is real time.
pub(crate) fn value(clock: &dyn Clock) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("{:.3}", clock.moved()?)).ok()
}
