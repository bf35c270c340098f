//! What to do next for one app: a pure function of what is wanted and what is observed.

use crate::spec::{Amount, Deployment};

/// The phase of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Launched, does not answer yet.
    Starting,
    /// Answers.
    Ready,
    /// Was asked to stop.
    Stopping,
}

/// A replica as the plan sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObservedReplica {
    /// The number of its run.
    pub number: u64,
    /// Which replica it is.
    pub ordinal: u32,
    /// The revision of the spec that it runs.
    pub revision: u64,
    /// Its phase.
    pub phase: Phase,
}

/// The wanted replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Number of replicas; 0 to stop.
    pub replicas: u32,
    /// The wanted revision.
    pub revision: u64,
    /// Maximum number of additional replicas during an update.
    pub surge: u32,
    /// Maximum number of missing replicas during an update.
    pub unavailable: u32,
    /// Whether replicas that are stopping block new ones.
    pub exclusive: bool,
}

impl Target {
    /// The target for `replicas` under a deployment strategy. As in Kubernetes surge rounds up and
    /// unavailability down, and if both are 0, one may be missing.
    pub fn new(replicas: u32, revision: u64, deployment: &Deployment) -> Self {
        let surge = Amount::rounded_up(deployment.max_surge, replicas);
        let unavailable = deployment.max_unavailable.rounded_down(replicas).min(replicas);
        let unavailable = if surge == 0 && unavailable == 0 { 1 } else { unavailable };
        Self { replicas, revision, surge, unavailable, exclusive: false }
    }

    /// The same where a new replica can't begin before an old one is gone.
    pub fn one_at_a_time(self) -> Self {
        Self { surge: 0, unavailable: self.unavailable.max(1), exclusive: true, ..self }
    }
}

/// The next step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Launch the replicas with these ordinals, of the wanted revision.
    pub launch: Vec<u32>,
    /// Stop the replicas of these runs.
    pub stop: Vec<u64>,
}

impl Target {
    /// Whether a replica is wanted: ordinals begin at 1, so that scaling down removes the largest ones.
    fn wants(&self, replica: &ObservedReplica) -> bool {
        replica.revision == self.revision && (1..=self.replicas).contains(&replica.ordinal)
    }
}

/// Whether the wanted replicas are ready, and no other is left.
pub fn converged(target: &Target, observed: &[ObservedReplica]) -> bool {
    let ready = observed.iter().filter(|r| r.phase == Phase::Ready && target.wants(r)).count();
    ready == observed.len() && u32::try_from(ready) == Ok(target.replicas)
}

/// Plans the next step.
pub fn plan(target: &Target, observed: &[ObservedReplica]) -> Plan {
    let count = |fits: &dyn Fn(&ObservedReplica) -> bool| {
        u32::try_from(observed.iter().filter(|r| fits(r)).count()).unwrap_or(u32::MAX)
    };
    let alive = |r: &ObservedReplica| r.phase != Phase::Stopping;
    let wanted = count(&|r| target.wants(r) && alive(r));
    let leaving = count(&|r| !target.wants(r) && alive(r));
    let ready = count(&|r| r.phase == Phase::Ready);

    let mut plan = Plan::default();
    // Never more than wanted and surge together, without those that are stopping.
    let room = if leaving == 0 {
        target.replicas
    } else {
        (target.replicas + target.surge).saturating_sub(leaving)
    };
    let launch = target.replicas.min(room).saturating_sub(wanted) as usize;
    let is_there = |ordinal: &u32| {
        observed.iter().any(|r| r.ordinal == *ordinal && target.wants(r) && alive(r))
    };
    if !target.exclusive || observed.iter().all(alive) {
        let absent = (1..=target.replicas).filter(|ordinal| !is_there(ordinal));
        plan.launch = absent.take(launch).collect();
    }

    // Replicas of an older revision and surplus ones: those that do not answer stop at once, the
    // others as long as enough are left.
    let needed = target.replicas.saturating_sub(target.unavailable);
    let mut spare = ready.saturating_sub(needed);
    let mut leaving: Vec<&ObservedReplica> =
        observed.iter().filter(|r| !target.wants(r) && alive(r)).collect();
    leaving.sort_by_key(|r| r.number);
    for replica in leaving {
        if replica.phase == Phase::Starting {
            plan.stop.push(replica.number);
        } else if spare > 0 {
            spare -= 1;
            plan.stop.push(replica.number);
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn target(replicas: u32, revision: u64) -> Target {
        Target::new(replicas, revision, &Deployment::default())
    }

    fn replica(number: u64, ordinal: u32, revision: u64, phase: Phase) -> ObservedReplica {
        ObservedReplica { number, ordinal, revision, phase }
    }

    fn launch(ordinals: &[u32]) -> Plan {
        Plan { launch: ordinals.into(), stop: vec![] }
    }

    fn stop(numbers: &[u64]) -> Plan {
        Plan { launch: vec![], stop: numbers.into() }
    }

    #[test]
    fn first_start_and_stop() {
        assert_eq!(plan(&target(2, 1), &[]), launch(&[1, 2]));
        let ready = [replica(1, 1, 1, Phase::Ready), replica(2, 2, 1, Phase::Starting)];
        assert_eq!(plan(&target(2, 1), &ready), Plan::default());
        assert_eq!(plan(&target(0, 1), &ready), stop(&[1, 2]));
    }

    #[test]
    fn a_missing_ordinal_is_launched_again() {
        let left = [replica(2, 2, 1, Phase::Ready), replica(3, 3, 1, Phase::Ready)];
        assert_eq!(plan(&target(3, 1), &left), launch(&[1]));
        // One that stops does not keep its ordinal.
        let stopping = [replica(1, 1, 1, Phase::Ready), replica(2, 2, 1, Phase::Stopping)];
        assert_eq!(plan(&target(2, 1), &stopping), launch(&[2]));
    }

    #[test]
    fn scaling_down_stops_the_largest_ordinals_and_never_the_last_ready_replica() {
        let three = [1, 2, 3].map(|n| replica(n.into(), n, 1, Phase::Ready));
        assert_eq!(plan(&target(1, 1), &three), stop(&[2, 3]));
        // The first one crashed, and was started again as number 4.
        let restarted = [replica(2, 2, 1, Phase::Ready), replica(4, 1, 1, Phase::Starting)];
        assert_eq!(plan(&target(1, 1), &restarted), Plan::default());
        assert_eq!(plan(&target(1, 1), &restarted[..1]), launch(&[1]));
        let restarted = [replica(2, 2, 1, Phase::Ready), replica(4, 1, 1, Phase::Ready)];
        assert_eq!(plan(&target(1, 1), &restarted), stop(&[2]));
    }

    #[test]
    fn a_fixed_port_is_released_before_the_next_launch() {
        let target = target(1, 2).one_at_a_time();
        let steps = [
            (vec![replica(1, 1, 1, Phase::Ready)], stop(&[1])),
            (vec![replica(1, 1, 1, Phase::Stopping)], Plan::default()),
            (vec![], launch(&[1])),
        ];
        for (observed, expected) in steps {
            assert_eq!(plan(&target, &observed), expected, "{observed:?}");
        }
    }

    #[test]
    fn one_replica_is_replaced_without_a_gap() {
        let old = [replica(1, 1, 1, Phase::Ready)];
        assert_eq!(plan(&target(1, 2), &old), launch(&[1]));
        let both = [replica(1, 1, 1, Phase::Ready), replica(2, 1, 2, Phase::Starting)];
        assert_eq!(plan(&target(1, 2), &both), Plan::default());
        let both = [replica(1, 1, 1, Phase::Ready), replica(2, 1, 2, Phase::Ready)];
        assert_eq!(plan(&target(1, 2), &both), stop(&[1]));
    }

    proptest! {
        /// From any situation, repeated planning reaches the target, never goes over the surge
        /// and never takes more away than may be missing.
        #[test]
        fn updates_converge_within_bounds(
            replicas in 0u32..=10,
            surge in 0u32..=100,
            unavailable in 0u32..=100,
            start in prop::collection::vec((1u64..=2, prop::bool::ANY), 0..12),
        ) {
            let deployment = Deployment {
                max_surge: Amount::Percent(surge),
                max_unavailable: Amount::Percent(unavailable),
                ..Deployment::default()
            };
            let target = Target::new(replicas, 2, &deployment);
            let mut now: Vec<ObservedReplica> = (0u64..)
                .zip(1u32..)
                .zip(start)
                .map(|((n, ordinal), (revision, ready))| {
                    let phase = if ready { Phase::Ready } else { Phase::Starting };
                    replica(n, ordinal, revision, phase)
                })
                .collect();
            let mut next = 100;
            for _ in 0..64 {
                let step = plan(&target, &now);
                let ready = |now: &[ObservedReplica]| now.iter().filter(|r| r.phase == Phase::Ready).count();
                let before = ready(&now);
                now.retain(|r| !step.stop.contains(&r.number));
                let floor = (replicas - target.unavailable.min(replicas)) as usize;
                prop_assert!(ready(&now) >= before.min(floor), "too few left");
                let old = now.len();
                for ordinal in &step.launch {
                    now.push(replica(next, *ordinal, 2, Phase::Starting));
                    next += 1;
                }
                prop_assert!(
                    step.launch.is_empty() || now.len() <= old.max((replicas + target.surge) as usize),
                    "too many"
                );
                for r in &mut now {
                    r.phase = Phase::Ready;
                }
                if converged(&target, &now) {
                    return Ok(());
                }
            }
            prop_assert!(false, "did not converge: {:?}", now);
        }
    }
}
