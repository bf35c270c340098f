//! Ids of apps and tokens (UUIDs, as the service's) and names of regions.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The string is not an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidId;

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an id (a UUID such as 6f7c2f0e-4d0c-4a57-9f0a-3c1b6a0d2f11)")
    }
}

impl std::error::Error for InvalidId {}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            /// Accepts the hyphenated form only, in any case, so that an app has one address.
            fn from_str(s: &str) -> Result<Self, InvalidId> {
                if s.len() != 36 {
                    return Err(InvalidId);
                }
                Uuid::try_parse(s).map(Self).map_err(|_| InvalidId)
            }
        }
    };
}

uuid_id! {
    /// The id of an app, also the first label of its host name.
    AppId
}
uuid_id! {
    /// The id of an application token; the version is not part of it.
    TokenId
}
uuid_id! {
    /// The id of a registry.
    RegistryId
}

/// The string can't name a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRegion(String);

impl fmt::Display for InvalidRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a region: use letters, digits and hyphens, at most 32, such as GRA or US-EAST-VA",
            self.0
        )
    }
}

impl std::error::Error for InvalidRegion {}

/// A region (cluster) such as `GRA`; always upper case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(value_type = String))]
pub struct Region(Box<str>);

impl Region {
    /// The name, upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in host names: lower case.
    pub fn host_label(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Whether `label` is this region's part of a host name, in any case; allocates nothing.
    pub fn is_host_label(&self, label: &str) -> bool {
        self.0.eq_ignore_ascii_case(label)
    }
}

impl FromStr for Region {
    type Err = InvalidRegion;

    fn from_str(s: &str) -> Result<Self, InvalidRegion> {
        let fits = !s.is_empty()
            && s.len() <= 32
            && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !s.starts_with('-')
            && !s.ends_with('-');
        if fits {
            Ok(Self(s.to_ascii_uppercase().into_boxed_str()))
        } else {
            Err(InvalidRegion(s.chars().take(64).collect()))
        }
    }
}

impl TryFrom<String> for Region {
    type Error = InvalidRegion;

    fn try_from(s: String) -> Result<Self, InvalidRegion> {
        s.parse()
    }
}

impl From<Region> for String {
    fn from(region: Region) -> Self {
        region.0.into()
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_app_has_one_spelling() {
        let id = "6f7c2f0e-4d0c-4a57-9f0a-3c1b6a0d2f11";
        assert_eq!(id.parse::<AppId>().map(|id| id.to_string()), Ok(id.into()));
        assert!(id.to_uppercase().parse::<AppId>().is_ok());
        assert_eq!(id.replace('-', "").parse::<AppId>(), Err(InvalidId));
        assert_eq!("{6f7c2f0e-4d0c-4a57-9f0a-3c1b6a0d2f1".parse::<AppId>(), Err(InvalidId));
        assert_eq!("hello".parse::<AppId>(), Err(InvalidId));
    }

    #[test]
    fn regions_fold_case() {
        let region: Region = "us-east-va".parse().expect("a region");
        assert_eq!(region.as_str(), "US-EAST-VA");
        assert!(region.is_host_label("us-East-va"));
        for bad in ["", "-", "a b", "gra.", "é"] {
            assert!(bad.parse::<Region>().is_err(), "{bad:?}");
        }
    }
}
