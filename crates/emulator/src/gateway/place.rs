//! Where the sender of a request is, for the domain.

use hyper::http::Extensions;
use ovhai_core::auth::Place;
use ovhai_wire::stream::Peer;

/// The place of a client.
pub(crate) fn of(client: Peer) -> Place {
    if client.is_here() { Place::Here } else { Place::Elsewhere }
}

/// The place of the client whose request has these extensions; elsewhere if that is unknown.
pub(crate) fn of_call(extensions: &Extensions) -> Place {
    extensions.get::<Peer>().map_or(Place::Elsewhere, |client| of(*client))
}
