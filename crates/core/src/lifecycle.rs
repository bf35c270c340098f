//! The life cycle of an app as one table: state × event → state and info code.
//!
//! Everything that changes an app's state goes through [`next`]; a transition that is not in the table is not
//! possible. The states are the service's own.

use ovhai_api_types::{AppState, InfoCode};

/// What happens to an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// Its first replicas are being launched.
    Placed,
    /// The wanted replicas answer, and no other is left.
    Converged,
    /// The replicas differ from the desired state again.
    Diverged,
    /// A caller wants it stopped.
    StopAsked,
    /// A caller wants it to run.
    StartAsked,
    /// A caller wants it gone.
    DeleteAsked,
    /// No replica is left.
    Gone,
    /// It failed by the user's fault.
    Failed,
    /// It failed by the platform's fault.
    Broken,
    /// The emulator was restarted; no replica survived.
    Restarted,
    /// The platform replaces all replicas.
    Interrupted,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 11] = [
        Self::Placed,
        Self::Converged,
        Self::Diverged,
        Self::StopAsked,
        Self::StartAsked,
        Self::DeleteAsked,
        Self::Gone,
        Self::Failed,
        Self::Broken,
        Self::Restarted,
        Self::Interrupted,
    ];
}

/// The state that follows, or `None` if the event changes nothing in that state.
pub fn next(state: AppState, event: Event) -> Option<AppState> {
    use AppState as S;
    use Event as E;
    Some(match (state, event) {
        (S::Queued, E::Placed) => S::Initializing,
        (S::Initializing | S::Scaling, E::Converged) => S::Running,
        (S::Running, E::Diverged) => S::Scaling,
        (
            S::Queued | S::Initializing | S::Running | S::Scaling | S::Failed | S::Error,
            E::StopAsked,
        ) => S::Stopping,
        (S::Stopped | S::Failed | S::Error, E::StartAsked) => S::Queued,
        (S::Deleting | S::Deleted, E::DeleteAsked) => return None,
        (_, E::DeleteAsked) => S::Deleting,
        (S::Stopping, E::Gone) => S::Stopped,
        (S::Deleting, E::Gone) => S::Deleted,
        (S::Queued | S::Initializing | S::Running | S::Scaling, E::Failed) => S::Failed,
        (S::Queued | S::Initializing | S::Running | S::Scaling, E::Broken) => S::Error,
        (S::Running | S::Scaling, E::Restarted | E::Interrupted) => S::Initializing,
        _ => return None,
    })
}

/// The info code that goes with a state.
pub fn code(state: AppState) -> InfoCode {
    match state {
        AppState::Queued => InfoCode::AppQueued,
        AppState::Initializing => InfoCode::AppInitializing,
        AppState::Running => InfoCode::AppRunning,
        AppState::Scaling => InfoCode::AppScaling,
        // The service has no known code for deletion.
        AppState::Stopping | AppState::Deleting => InfoCode::AppStopping,
        AppState::Stopped | AppState::Deleted => InfoCode::AppStopped,
        AppState::Failed => InfoCode::AppFailed,
        AppState::Error => InfoCode::AppError,
    }
}

/// The default message of a state.
pub fn message(state: AppState) -> &'static str {
    match state {
        AppState::Queued => "Waiting to be scheduled",
        AppState::Initializing => "The app is starting",
        AppState::Running => "The app is running",
        AppState::Scaling => "The app's replicas are being changed",
        AppState::Stopping => "The app is stopping",
        AppState::Stopped => "The app is stopped",
        AppState::Failed => "The app failed",
        AppState::Error => "The platform failed to run the app",
        AppState::Deleting => "The app is being deleted",
        AppState::Deleted => "The app is deleted",
    }
}

/// Whether the app may have replicas that answer.
pub fn may_answer(state: AppState) -> bool {
    matches!(state, AppState::Initializing | AppState::Running | AppState::Scaling)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_of_the_guide() {
        let mut state = AppState::Queued;
        for (event, then) in [
            (Event::Placed, AppState::Initializing),
            (Event::Converged, AppState::Running),
            (Event::Diverged, AppState::Scaling),
            (Event::Converged, AppState::Running),
            (Event::StopAsked, AppState::Stopping),
            (Event::Gone, AppState::Stopped),
            (Event::StartAsked, AppState::Queued),
            (Event::Failed, AppState::Failed),
            (Event::StartAsked, AppState::Queued),
            (Event::DeleteAsked, AppState::Deleting),
            (Event::Gone, AppState::Deleted),
        ] {
            state = next(state, event).unwrap_or_else(|| panic!("{state} {event:?}"));
            assert_eq!(state, then);
        }
    }

    #[test]
    fn nothing_leaves_deleted_and_only_gone_leaves_deleting() {
        for event in Event::ALL {
            assert_eq!(next(AppState::Deleted, event), None, "{event:?}");
            let left = next(AppState::Deleting, event);
            assert_eq!(left.is_some(), event == Event::Gone, "{event:?}");
        }
    }

    #[test]
    fn every_state_but_deleted_can_be_deleted_and_no_event_repeats_a_state() {
        for state in AppState::ALL {
            let gone = matches!(state, AppState::Deleted | AppState::Deleting);
            assert_eq!(next(state, Event::DeleteAsked).is_none(), gone, "{state}");
            for event in Event::ALL {
                assert_ne!(next(state, event), Some(state), "{state} {event:?}");
            }
        }
    }
}
