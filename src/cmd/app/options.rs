//! Options of several commands: replicas and update strategy.

use clap::Args;
use ovhai_api_types::{
    AppDeploymentStrategy, AutomaticScalingStrategy, CustomMetricAggregationType,
    CustomMetricFormat, CustomMetrics, FixedScalingStrategy, ScalingResourceType, ScalingStrategy,
    SessionAffinity,
};

/// The number of replicas.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Replicas")]
pub(super) struct Scaling {
    /// Fixed number of replicas, 1 to 10 [default: 1]
    #[arg(long, value_name = "N", conflicts_with_all = ["auto_min_replicas", "auto_max_replicas"])]
    replicas: Option<u32>,
    /// Smallest number of replicas of automatic scaling, 0 to 10
    #[arg(long, alias = "min-replicas", value_name = "N", requires = "auto_max_replicas")]
    auto_min_replicas: Option<u32>,
    /// Largest number of replicas of automatic scaling, 1 to 10
    #[arg(long, alias = "max-replicas", value_name = "N", requires = "auto_min_replicas")]
    auto_max_replicas: Option<u32>,
    /// Resource that automatic scaling watches: CPU or RAM [default: CPU]
    #[arg(long, alias = "resource-type", value_name = "TYPE", requires = "auto_max_replicas")]
    auto_resource_type: Option<ScalingResourceType>,
    /// Target utilisation of automatic scaling in percent, 1 to 100 [default: 75]
    #[arg(
        long,
        alias = "resource-threshold",
        value_name = "PERCENT",
        requires = "auto_max_replicas"
    )]
    auto_resource_usage_threshold: Option<u32>,
    /// Seconds of high utilisation before replicas are added, 0 to 3600 [default: 0]
    #[arg(long, value_name = "SECONDS", requires = "auto_max_replicas")]
    auto_scale_up_stabilization_window_seconds: Option<u32>,
    /// Seconds of low utilisation before replicas are removed, 0 to 3600 [default: 300]
    #[arg(long, value_name = "SECONDS", requires = "auto_max_replicas")]
    auto_scale_down_stabilization_window_seconds: Option<u32>,
    /// Seconds without a request before the last replica is removed, 0 to 3600, after the window
    /// above; with --auto-min-replicas 0
    #[arg(long, value_name = "SECONDS", requires = "auto_max_replicas")]
    auto_cooldown_period_seconds: Option<u32>,
    // Help, not documentation: angle brackets would be HTML.
    #[arg(
        long,
        help = "Address of a metric to scale by, instead of CPU or RAM; <SELF> stands for the replica",
        value_name = "URL",
        requires_all = ["auto_max_replicas", "auto_custom_value_location", "auto_custom_target_value"]
    )]
    auto_custom_api_url: Option<String>,
    /// Format of the metric: JSON, XML, YAML or PROMETHEUS [default: JSON]
    #[arg(long, value_name = "FORMAT", requires = "auto_custom_api_url")]
    auto_custom_metric_format: Option<CustomMetricFormat>,
    /// Location of the value in the metric's response
    #[arg(long, value_name = "LOCATION", requires = "auto_custom_api_url")]
    auto_custom_value_location: Option<String>,
    /// Target value of the metric per replica, 1 or more
    #[arg(long, value_name = "N", requires = "auto_custom_api_url")]
    auto_custom_target_value: Option<u32>,
    /// How to aggregate the replicas' values: AVERAGE, MIN, MAX or SUM [default: AVERAGE]
    #[arg(long, value_name = "TYPE", requires = "auto_custom_api_url")]
    auto_custom_metric_aggregation_type: Option<CustomMetricAggregationType>,
}

impl Scaling {
    /// The requested values, if any were given.
    pub(super) fn strategy(&self) -> Option<ScalingStrategy> {
        if let Some(replicas) = self.replicas {
            let fixed = Some(FixedScalingStrategy { replicas: replicas.into() });
            return Some(ScalingStrategy { fixed, automatic: None });
        }
        // Each of the two requires the other.
        let (min, max) = (self.auto_min_replicas?, self.auto_max_replicas?);
        let seconds = |given: Option<u32>| given.map(i64::from);
        let automatic = AutomaticScalingStrategy {
            average_usage_target: self
                .auto_resource_usage_threshold
                .map_or(AutomaticScalingStrategy::USAGE_TARGET, Into::into),
            replicas_max: max.into(),
            replicas_min: min.into(),
            resource_type: self.auto_resource_type.unwrap_or_default(),
            scale_up_stabilization_window_seconds: seconds(
                self.auto_scale_up_stabilization_window_seconds,
            ),
            scale_down_stabilization_window_seconds: seconds(
                self.auto_scale_down_stabilization_window_seconds,
            ),
            cooldown_period_seconds: seconds(self.auto_cooldown_period_seconds),
            custom_metrics: self.custom(),
        };
        Some(ScalingStrategy { fixed: None, automatic: Some(automatic) })
    }

    fn custom(&self) -> Option<CustomMetrics> {
        Some(CustomMetrics {
            api_url: self.auto_custom_api_url.clone()?,
            format: self.auto_custom_metric_format.unwrap_or_default(),
            value_location: self.auto_custom_value_location.clone()?,
            target_value: self.auto_custom_target_value?.into(),
            aggregation_type: self.auto_custom_metric_aggregation_type.unwrap_or_default(),
        })
    }
}

/// The update strategy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Updates")]
pub(super) struct Deployment {
    /// Maximum replicas above the desired number during an update: 0 to 10, or a percentage
    /// [default: 25%]
    #[arg(long, value_name = "N|PERCENT%")]
    max_surge: Option<String>,
    /// Maximum replicas below the desired number during an update: 0 to 10, or a percentage
    /// [default: 25%]
    #[arg(long, value_name = "N|PERCENT%")]
    max_unavailable: Option<String>,
    /// Seconds within which a new replica must become ready, 1 to 86400 [default: 600]
    #[arg(long, value_name = "SECONDS")]
    progress_deadline_seconds: Option<u32>,
}

impl Deployment {
    /// The requested values, if any were given.
    pub(super) fn strategy(&self) -> Option<AppDeploymentStrategy> {
        (*self != Self::default()).then(|| AppDeploymentStrategy {
            max_surge: self.max_surge.clone(),
            max_unavailable: self.max_unavailable.clone(),
            progress_deadline_seconds: self.progress_deadline_seconds.map(Into::into),
        })
    }
}

/// Session affinity.
#[derive(Debug, Args)]
pub(super) struct Affinity {
    /// Emulator only: send a client's requests to the same replica, by a cookie or by the token
    /// (cookie, token, none) [default: unchanged, for a new app none; without a value: cookie]
    #[arg(
        long,
        value_name = "HOW",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "cookie"
    )]
    pub(super) session_affinity: Option<SessionAffinity>,
}
