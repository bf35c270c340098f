//! How many replicas an app has: a fixed number, or by use.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A fixed number of replicas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FixedScalingStrategy {
    /// 1 to 10.
    #[serde(default)]
    pub replicas: i64,
}

/// An enum whose values have one spelling on the wire and are read in any case.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$variant_doc:meta])* $variant:ident = $text:tt),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name on the wire.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(s: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|v| v.as_str().eq_ignore_ascii_case(s)).ok_or_else(
                    || {
                        let all: Vec<_> = Self::ALL.iter().map(|v| v.as_str()).collect();
                        let given: String = s.chars().take(40).collect();
                        format!("{given:?} is not a {}: use {}", $what, all.join(", "))
                    },
                )
            }
        }
    };
}

names! {
    /// The resource that automatic scaling measures.
    ScalingResourceType, "resource of automatic scaling" {
        /// Use of CPU.
        #[default]
        Cpu = "CPU",
        /// Use of memory.
        Ram = "RAM",
    }
}

names! {
    /// The format of a metric's payload.
    CustomMetricFormat, "format of a metric" {
        /// JSON.
        #[default]
        Json = "JSON",
        /// XML.
        Xml = "XML",
        /// YAML.
        Yaml = "YAML",
        /// The text format of Prometheus.
        Prometheus = "PROMETHEUS",
    }
}

names! {
    /// How the values of several replicas become one.
    CustomMetricAggregationType, "aggregation" {
        /// Their mean.
        #[default]
        Average = "AVERAGE",
        /// The smallest.
        Min = "MIN",
        /// The largest.
        Max = "MAX",
        /// Their sum.
        Sum = "SUM",
    }
}

/// A metric of the app's own that scales it. The service has it since 2026, after the SDK 0.1a4;
/// the names of the fields are ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CustomMetrics {
    /// Address that answers with the metric; `<SELF>` stands for the replica.
    pub api_url: String,
    /// Format of the answer; `JSON` when absent.
    #[serde(default)]
    pub format: CustomMetricFormat,
    /// Where the value stands in the answer.
    pub value_location: String,
    /// The value to keep a replica at, 1 or more.
    pub target_value: i64,
    /// How the values of several replicas become one; `AVERAGE` when absent.
    #[serde(default)]
    pub aggregation_type: CustomMetricAggregationType,
}

/// Replicas by use. The fields below `resourceType` are younger than the SDK 0.1a4; their names
/// are ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AutomaticScalingStrategy {
    /// Per cent, 1 to 100; 75 when absent.
    #[serde(default = "default_usage_target")]
    pub average_usage_target: i64,
    /// At most 10.
    pub replicas_max: i64,
    /// 0 or more.
    pub replicas_min: i64,
    /// The resource that is measured; `CPU` when absent.
    #[serde(default)]
    pub resource_type: ScalingResourceType,
    /// Seconds that use must be high before replicas are added, 0 to 3600; 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_up_stabilization_window_seconds: Option<i64>,
    /// Seconds that use must be low before replicas are removed, 0 to 3600; 300 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_down_stabilization_window_seconds: Option<i64>,
    /// Seconds without a request before the last replica goes, 0 to 3600, added to the window
    /// above; only with a smallest number of 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown_period_seconds: Option<i64>,
    /// A metric of the app's own, instead of CPU or memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_metrics: Option<CustomMetrics>,
}

fn default_usage_target() -> i64 {
    AutomaticScalingStrategy::USAGE_TARGET
}

impl AutomaticScalingStrategy {
    /// The default target use, in per cent.
    pub const USAGE_TARGET: i64 = 75;
}

/// How many replicas: one of the two is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ScalingStrategy {
    /// By use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automatic: Option<AutomaticScalingStrategy>,
    /// A fixed number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<FixedScalingStrategy>,
}
