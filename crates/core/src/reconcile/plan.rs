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

    /// Kubernetes' rounding, as measured and documented for it.
    #[test]
    fn the_bounds_of_an_update() {
        let (count, percent) = (Amount::Count, Amount::Percent);
        for (replicas, max_surge, max_unavailable, most, least) in [
            (1, percent(25), percent(25), 2, 1),
            (2, percent(25), percent(25), 3, 2),
            (3, percent(25), percent(25), 4, 3),
            (4, percent(25), percent(25), 5, 3),
            (5, percent(25), percent(25), 7, 4),
            (6, percent(25), percent(25), 8, 5),
            (7, percent(25), percent(25), 9, 6),
            (8, percent(25), percent(25), 10, 6),
            (9, percent(25), percent(25), 12, 7),
            (10, percent(25), percent(25), 13, 8),
            // Both 0: one may be missing.
            (1, count(0), percent(0), 1, 0),
            (3, percent(0), percent(10), 3, 2),
            (5, percent(20), percent(20), 6, 4),
            (7, percent(30), percent(30), 10, 5),
            (10, percent(100), count(0), 20, 10),
        ] {
            let strategy = Deployment { max_surge, max_unavailable, ..Deployment::default() };
            let target = Target::new(replicas, 2, &strategy);
            let bounds = (replicas + target.surge, replicas - target.unavailable);
            assert_eq!(bounds, (most, least), "{replicas}: {max_surge:?}, {max_unavailable:?}");
        }
    }

    /// What is stopped is gone at once, and new replicas become ready one by one.
    #[test]
    fn four_replicas_are_replaced_within_the_bounds() {
        let target = target(4, 2);
        let mut now: Vec<_> = (1..=4).map(|n| replica(n.into(), n, 1, Phase::Ready)).collect();
        let mut next = 5;
        let mut steps = Vec::new();
        loop {
            // Planned until nothing is left to do, as the actor does.
            loop {
                let step = plan(&target, &now);
                if step == Plan::default() {
                    break;
                }
                now.retain(|r| !step.stop.contains(&r.number));
                for ordinal in step.launch {
                    now.push(replica(next, ordinal, 2, Phase::Starting));
                    next += 1;
                }
                let count = |revision, phase| {
                    now.iter().filter(|r| (r.revision, r.phase) == (revision, phase)).count()
                };
                steps.push((
                    count(1, Phase::Ready),
                    count(2, Phase::Starting),
                    count(2, Phase::Ready),
                ));
            }
            match now.iter_mut().find(|r| r.phase == Phase::Starting) {
                Some(starting) => starting.phase = Phase::Ready,
                None => break,
            }
        }
        assert_eq!(
            steps,
            [(3, 1, 0), (3, 2, 0), (2, 1, 1), (2, 2, 1), (1, 1, 2), (1, 2, 2), (0, 1, 3)]
        );
        assert!(converged(&target, &now), "{now:?}");
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
