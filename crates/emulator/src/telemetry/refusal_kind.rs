//! The kinds of refusals, in one table: the status, the label in metrics and access log, and
//! whether the client's connection closes afterwards.

use http::StatusCode;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident: $status:ident, $label:literal, $after:ident;)*) => {
        /// Why the gateway answers by itself. Kinds with the same label stand beside each other.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum RefusalKind {
            $($(#[$doc])* $name,)*
        }

        impl RefusalKind {
            /// Every kind.
            pub(crate) const ALL: &[Self] = &[$(Self::$name),*];

            /// The status of the response.
            pub(crate) const fn status(self) -> StatusCode {
                match self {
                    $(Self::$name => StatusCode::$status,)*
                }
            }

            /// Its label in the metrics and the access log.
            pub(crate) const fn label(self) -> &'static str {
                match self {
                    $(Self::$name => $label,)*
                }
            }

            /// Whether the client's connection closes afterwards: a client that sends such a
            /// request may take what follows for something else, too.
            pub(crate) const fn closes(self) -> bool {
                match self {
                    $(Self::$name => kinds!(@$after),)*
                }
            }
        }
    };
    (@closes) => { true };
    (@stays) => { false };
}

kinds! {
    /// The bytes are not HTTP that can be trusted.
    Malformed: BAD_REQUEST, "malformed", closes;
    /// The version of HTTP is not spoken here.
    Version: HTTP_VERSION_NOT_SUPPORTED, "malformed", closes;
    /// The request line is too long.
    LineTooLong: URI_TOO_LONG, "too_large", closes;
    /// The header fields are too large, or too many.
    HeadersTooLarge: REQUEST_HEADER_FIELDS_TOO_LARGE, "too_large", closes;
    /// The body is too large.
    BodyTooLarge: PAYLOAD_TOO_LARGE, "too_large", closes;
    /// Head or body did not come in time.
    Slow: REQUEST_TIMEOUT, "slow", closes;
    /// The method is not passed on.
    Method: METHOD_NOT_ALLOWED, "method", closes;
    /// What the client expects is not done.
    Expectation: EXPECTATION_FAILED, "method", closes;
    /// The host is not served here.
    Misdirected: MISDIRECTED_REQUEST, "misdirected", closes;
    /// The app or region does not exist.
    NotFound: NOT_FOUND, "not_found", stays;
    /// There are no credentials.
    NoToken: UNAUTHORIZED, "no_token", stays;
    /// The credentials are not valid.
    BadToken: UNAUTHORIZED, "bad_token", stays;
    /// The caller is known, and has no access.
    Forbidden: FORBIDDEN, "forbidden", stays;
    /// The caller's access was revoked while the request was under way.
    AccessRevoked: FORBIDDEN, "forbidden", stays;
    /// A page of another origin called the API.
    ForeignPage: FORBIDDEN, "forbidden", stays;
    /// A client of another machine called what counts on this machine only.
    Elsewhere: FORBIDDEN, "forbidden", stays;
    /// The app has no replica that takes requests.
    NotReady: SERVICE_UNAVAILABLE, "not_ready", stays;
    /// Too many requests are under way at apps.
    Busy: SERVICE_UNAVAILABLE, "busy", stays;
    /// The connection has too many requests under way.
    TooManyStreams: TOO_MANY_REQUESTS, "busy", stays;
    /// The emulator can open no more connections.
    Exhausted: SERVICE_UNAVAILABLE, "exhausted", stays;
    /// The app refused the connection, broke it off, or sent no valid response.
    BadGateway: BAD_GATEWAY, "bad_gateway", stays;
    /// The app did not answer in time.
    GatewayTimeout: GATEWAY_TIMEOUT, "gateway_timeout", stays;
    /// Apps call each other in a loop.
    Loop: LOOP_DETECTED, "loop", stays;
    /// The app's protocol needs HTTP/2.
    UpgradeRequired: UPGRADE_REQUIRED, "other", stays;
    /// The emulator failed.
    Internal: INTERNAL_SERVER_ERROR, "other", stays;
}

impl RefusalKind {
    /// The kind of a malformed message, by the status that its parser chose.
    pub(crate) fn of_malformed(status: StatusCode) -> Self {
        let fits = |kind: &&Self| kind.closes() && kind.status() == status;
        Self::ALL.iter().find(fits).copied().unwrap_or(Self::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn equal_labels_stand_together() {
        let labels: Vec<_> = RefusalKind::ALL.iter().map(|kind| kind.label()).collect();
        let runs = labels.chunk_by(|one, other| one == other).count();
        assert_eq!(runs, labels.iter().collect::<BTreeSet<_>>().len());
    }

    #[test]
    fn malformed_messages() {
        for (status, kind) in [
            (400, RefusalKind::Malformed),
            (405, RefusalKind::Method),
            (414, RefusalKind::LineTooLong),
            (417, RefusalKind::Expectation),
            (431, RefusalKind::HeadersTooLarge),
            (505, RefusalKind::Version),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(RefusalKind::of_malformed(status), kind);
            assert_eq!(kind.status(), status);
        }
    }
}
