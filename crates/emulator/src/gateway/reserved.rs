//! Header fields of requests that the gateway reserves for itself.

use ovhai_wire::fields::Reserved;
use ovhai_wire::framing::AtMostOne;
use ovhai_wire::request::RequestHead;
/// Carries a token apart from `Authorization`, which is the app's then.
pub const GATEWAY_TOKEN: &str = "x-ovhai-token";

/// Tells the gateway the host that a browser uses. Only an authenticated caller is believed, and
/// only a name of this machine.
pub const FORWARDED_HOST: &str = "x-ovhai-forwarded-host";

/// Both of them.
pub(crate) static RESERVED: Reserved = Reserved([GATEWAY_TOKEN, FORWARDED_HOST]);

/// The value of [`GATEWAY_TOKEN`].
pub(crate) fn gateway_token<'b>(head: &RequestHead<'b>) -> AtMostOne<'b> {
    head.reserved[0]
}

/// The value of [`FORWARDED_HOST`].
pub(crate) fn forwarded_host<'b>(head: &RequestHead<'b>) -> AtMostOne<'b> {
    head.reserved[1]
}
