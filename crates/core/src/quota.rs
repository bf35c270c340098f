//! The quota of a region's apps. An app uses its replicas' units from its submission until it stops,
//! fails or is deleted; with automatic scaling, those of its maximum number of replicas.

use std::ops::{AddAssign, SubAssign};

use ovhai_api_types::AppState;

use crate::error::{Error, Result};
use crate::model::{AppRecord, Wanted};
use crate::spec::Spec;

/// Units in use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU units.
    pub cpu: u64,
    /// GPU units.
    pub gpu: u64,
}

impl Usage {
    /// The units that an app uses. One that is stopping and was started again counts.
    pub fn of(app: &AppRecord) -> Self {
        let gave_up = matches!(app.state, AppState::Failed | AppState::Error);
        if app.wanted == Wanted::Running && !gave_up {
            return Self::wanted(&app.spec);
        }
        Self::default()
    }

    /// The units that an app uses while it runs.
    pub fn wanted(spec: &Spec) -> Self {
        let replicas = u64::from(spec.scaling.most());
        let units = |units: Option<i64>| u64::try_from(units.unwrap_or(0)).unwrap_or(0) * replicas;
        match units(spec.resources.gpu) {
            0 => Self { cpu: units(spec.resources.cpu), gpu: 0 },
            gpu => Self { cpu: 0, gpu },
        }
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.cpu += other.cpu;
        self.gpu += other.gpu;
    }
}

impl SubAssign for Usage {
    fn sub_assign(&mut self, other: Self) {
        self.cpu = self.cpu.saturating_sub(other.cpu);
        self.gpu = self.gpu.saturating_sub(other.gpu);
    }
}

/// Maximum units that the apps of a region may use; none: unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// CPU units.
    pub cpu: Option<u32>,
    /// GPU units.
    pub gpu: Option<u32>,
}

impl Quotas {
    /// No limit.
    pub const UNLIMITED: Self = Self { cpu: None, gpu: None };

    /// Refuses `more` units if they exceed the quota with those in use.
    pub fn admit(self, used: Usage, more: Usage) -> Result<()> {
        for (kind, quota, used, more) in
            [("CPU", self.cpu, used.cpu, more.cpu), ("GPU", self.gpu, used.gpu, more.gpu)]
        {
            if let Some(quota) = quota
                && more > 0
                && used + more > u64::from(quota)
            {
                return Err(Error::OverQuota { kind, quota, used, more });
            }
        }
        Ok(())
    }
}

impl Default for Quotas {
    /// The quota of a project in the guides: 12 CPU, 4 GPU.
    fn default() -> Self {
        Self { cpu: Some(12), gpu: Some(4) }
    }
}
