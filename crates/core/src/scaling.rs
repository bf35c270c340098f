//! The wanted number of replicas of an app, checked once.
//!
//! Limits and defaults are those of the service's guides: 1 to 10 replicas, a use of 75 %, windows
//! of 0 to 3600 seconds, 0 up and 300 down.

use ovhai_api_types::{
    AutomaticScalingStrategy, CustomMetricAggregationType, CustomMetricFormat, CustomMetrics,
    FixedScalingStrategy, ScalingResourceType, ScalingStrategy,
};
use serde::{Deserialize, Serialize};

use crate::check::{text, within};
use crate::error::{Error, Result};

/// Maximum number of replicas of an app.
pub(crate) const MAX_REPLICAS: u32 = 10;
const MAX_WINDOW: u32 = 3600;
const MAX_TARGET: u32 = 1_000_000_000;
const MAX_ADDRESS: usize = 2048;
const MAX_LOCATION: usize = 1024;

/// The scaling strategy of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scaling {
    /// Always this number.
    Fixed(u32),
    /// By use. The emulator does not measure use: it keeps the minimum, at least one.
    Automatic {
        /// Target use, in per cent.
        target: u32,
        /// Minimum number of replicas.
        min: u32,
        /// Maximum number of replicas.
        max: u32,
        /// The resource that would be measured.
        resource: ScalingResourceType,
        /// Seconds of high use before replicas would be added.
        // Databases of older versions lack the following fields.
        #[serde(default)]
        up_window: u32,
        /// Seconds of low use before replicas would be removed.
        #[serde(default = "default_down_window")]
        down_window: u32,
        /// Seconds without a request before the last replica would go.
        #[serde(default)]
        cooldown: Option<u32>,
        /// The metric that would be measured instead.
        #[serde(default)]
        custom: Option<CustomMetric>,
    },
}

fn default_down_window() -> u32 {
    300
}

/// A metric of the app's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomMetric {
    /// Address of the metric; `<SELF>` stands for the replica.
    pub url: String,
    /// Format of the response.
    pub format: CustomMetricFormat,
    /// Location of the value in the response.
    pub location: String,
    /// Target value of a replica.
    pub target: u32,
    /// Aggregation of the replicas' values.
    pub aggregation: CustomMetricAggregationType,
}

impl Scaling {
    /// The number of replicas that the emulator keeps.
    pub fn replicas(&self) -> u32 {
        match self {
            Self::Fixed(replicas) => *replicas,
            Self::Automatic { min, .. } => (*min).max(1),
        }
    }

    /// Maximum number of replicas that it allows.
    pub fn most(&self) -> u32 {
        match self {
            Self::Fixed(replicas) => *replicas,
            Self::Automatic { max, .. } => *max,
        }
    }

    /// As clients see it.
    pub fn wire(&self) -> ScalingStrategy {
        match self {
            Self::Fixed(replicas) => ScalingStrategy {
                fixed: Some(FixedScalingStrategy { replicas: (*replicas).into() }),
                automatic: None,
            },
            Self::Automatic {
                target,
                min,
                max,
                resource,
                up_window,
                down_window,
                cooldown,
                custom,
            } => ScalingStrategy {
                fixed: None,
                automatic: Some(AutomaticScalingStrategy {
                    average_usage_target: (*target).into(),
                    replicas_max: (*max).into(),
                    replicas_min: (*min).into(),
                    resource_type: *resource,
                    scale_up_stabilization_window_seconds: Some((*up_window).into()),
                    scale_down_stabilization_window_seconds: Some((*down_window).into()),
                    cooldown_period_seconds: cooldown.map(Into::into),
                    custom_metrics: custom.as_ref().map(CustomMetric::wire),
                }),
            },
        }
    }
}

impl CustomMetric {
    fn check(field: &str, given: &CustomMetrics) -> Result<Self> {
        let at = format!("{field}.apiUrl");
        let url = text(&at, &given.api_url, MAX_ADDRESS)?;
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        if rest.is_none_or(str::is_empty) || url.contains(char::is_whitespace) {
            return Err(Error::invalid(
                at,
                format!("{url:?} is not an address such as http://<SELF>:8080/metrics"),
            ));
        }
        Ok(Self {
            format: given.format,
            location: text(&format!("{field}.valueLocation"), &given.value_location, MAX_LOCATION)?,
            target: within(&format!("{field}.targetValue"), given.target_value, 1, MAX_TARGET)?,
            aggregation: given.aggregation_type,
            url,
        })
    }

    fn wire(&self) -> CustomMetrics {
        CustomMetrics {
            api_url: self.url.clone(),
            format: self.format,
            value_location: self.location.clone(),
            target_value: self.target.into(),
            aggregation_type: self.aggregation,
        }
    }
}

/// Checks a scaling strategy: exactly one of fixed and automatic.
pub fn scaling(field: &str, given: &ScalingStrategy) -> Result<Scaling> {
    match (&given.fixed, &given.automatic) {
        (Some(_), Some(_)) => {
            Err(Error::invalid(field, "give either fixed or automatic, not both"))
        }
        (None, None) => Err(Error::invalid(field, "give fixed or automatic")),
        (Some(fixed), None) => Ok(Scaling::Fixed(within(
            &format!("{field}.fixed.replicas"),
            fixed.replicas,
            1,
            MAX_REPLICAS,
        )?)),
        (None, Some(given)) => automatic(&format!("{field}.automatic"), given),
    }
}

fn automatic(field: &str, given: &AutomaticScalingStrategy) -> Result<Scaling> {
    let checked = |name: &str, value: i64, min: u32, max: u32| {
        within(&format!("{field}.{name}"), value, min, max)
    };
    let window = |name: &str, value: Option<i64>| {
        value.map(|value| checked(name, value, 0, MAX_WINDOW)).transpose()
    };
    let max = checked("replicasMax", given.replicas_max, 1, MAX_REPLICAS)?;
    let up =
        window("scaleUpStabilizationWindowSeconds", given.scale_up_stabilization_window_seconds)?;
    let down = window(
        "scaleDownStabilizationWindowSeconds",
        given.scale_down_stabilization_window_seconds,
    )?;
    let custom = given
        .custom_metrics
        .as_ref()
        .map(|custom| CustomMetric::check(&format!("{field}.customMetrics"), custom))
        .transpose()?;
    Ok(Scaling::Automatic {
        target: checked("averageUsageTarget", given.average_usage_target, 1, 100)?,
        min: checked("replicasMin", given.replicas_min, 0, max)?,
        max,
        resource: given.resource_type,
        up_window: up.unwrap_or_default(),
        down_window: down.unwrap_or_else(default_down_window),
        cooldown: window("cooldownPeriodSeconds", given.cooldown_period_seconds)?,
        custom,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str) -> Result<Scaling> {
        let wire: ScalingStrategy = serde_json::from_str(json).expect("a strategy");
        scaling("s", &wire)
    }

    #[test]
    fn strategies_are_kept_unchanged() {
        let json = r#"{"automatic":{"averageUsageTarget":60,"replicasMax":4,"replicasMin":0,
            "resourceType":"RAM","scaleUpStabilizationWindowSeconds":1,
            "scaleDownStabilizationWindowSeconds":3600,"cooldownPeriodSeconds":5,
            "customMetrics":{"apiUrl":"http://<SELF>:1/m","format":"PROMETHEUS",
            "valueLocation":"a.b","targetValue":7,"aggregationType":"SUM"}}}"#;
        let given: serde_json::Value = serde_json::from_str(json).expect("JSON");
        let back = serde_json::to_value(check(json).expect("valid").wire()).expect("JSON");
        assert_eq!(back, given);
    }

    #[test]
    fn a_custom_metric_is_enough() {
        let scaling = check(
            r#"{"automatic":{"replicasMax":2,"replicasMin":1,
                "customMetrics":{"apiUrl":"https://a/b","valueLocation":"x","targetValue":1}}}"#,
        )
        .expect("valid");
        let Scaling::Automatic { target, up_window, down_window, custom: Some(custom), .. } =
            scaling
        else {
            panic!("{scaling:?}");
        };
        assert_eq!((target, up_window, down_window), (75, 0, 300));
        assert_eq!(custom.format, CustomMetricFormat::Json);
        assert_eq!(custom.aggregation, CustomMetricAggregationType::Average);
    }

    #[test]
    fn refusals_name_the_field() {
        let metric = |more: &str| {
            format!(
                r#""customMetrics":{{"apiUrl":"http://a","valueLocation":"x","targetValue":1{more}}}"#
            )
        };
        for (part, field) in [
            (
                r#""scaleUpStabilizationWindowSeconds":3601"#.to_owned(),
                "scaleUpStabilizationWindowSeconds",
            ),
            (
                r#""scaleDownStabilizationWindowSeconds":-1"#.into(),
                "scaleDownStabilizationWindowSeconds",
            ),
            (r#""cooldownPeriodSeconds":3601"#.into(), "cooldownPeriodSeconds"),
            (metric("").replace("http://a", "ftp://a"), "customMetrics.apiUrl"),
            (metric("").replace("http://a", "http://"), "customMetrics.apiUrl"),
            (metric("").replace(r#""x""#, r#""""#), "customMetrics.valueLocation"),
            (metric("").replace(":1", ":0"), "customMetrics.targetValue"),
        ] {
            let json = format!(r#"{{"automatic":{{"replicasMax":2,"replicasMin":1,{part}}}}}"#);
            match check(&json) {
                Err(Error::Invalid { field: at, .. }) => {
                    assert_eq!(at, format!("s.automatic.{field}"), "{json}");
                }
                other => panic!("{json}: {other:?}"),
            }
        }
    }

    /// As written by version 0.1.0 before it knew windows.
    #[test]
    fn old_databases_are_read() {
        let old = r#"{"automatic":{"target":75,"min":1,"max":3,"resource":"CPU"}}"#;
        let scaling: Scaling = serde_json::from_str(old).expect("readable");
        let Scaling::Automatic { down_window, cooldown, custom, .. } = scaling else {
            panic!("{scaling:?}");
        };
        assert_eq!((down_window, cooldown, custom), (300, None, None));
    }
}
