//! The command that an app runs: its own command, or one that its image is mapped to.

use std::sync::Arc;

use ovhai_api_types::{Environment, Placement};

use crate::directory::Snapshot;
use crate::model::{AppRecord, EnvironmentOwner, MappingRecord};
use crate::spec::Spec;

/// The mapping that applies to an app.
pub(crate) fn mapping_for<'a>(
    snapshot: &'a Snapshot,
    spec: &Spec,
) -> Option<&'a Arc<MappingRecord>> {
    // An app that asks for a runtime gets that one.
    if spec.placement.is_some() { None } else { snapshot.mapping(&spec.image) }
}

/// The spec and the environment of an app's replicas: its own spec with the environment of the
/// command line that submitted it, or the command that its image is mapped to with the environment of
/// the mapping. A mapped command does not get variables from an untrusted caller, which could make it
/// run something else: the mapping may be younger than the app. Where every image runs as a process
/// it gets them, but then not the environment of its mapping, which they could reveal. `note` gets a
/// line about either.
pub(crate) fn resolved(
    default: Option<Placement>,
    snapshot: &Snapshot,
    app: &AppRecord,
    note: impl FnOnce(&'static str),
) -> (Spec, Option<Environment>) {
    let spec = &app.spec;
    let environment = |owner| snapshot.environment(&owner).map(|record| record.variables.clone());
    let Some(mapping) = mapping_for(snapshot, spec) else {
        return (spec.clone(), environment(EnvironmentOwner::App(app.id)));
    };
    let expected = default == Some(Placement::Process);
    let is_trusted = app.trusted_environment || spec.env.is_empty();
    let environment =
        environment(EnvironmentOwner::Image(mapping.image.clone())).filter(|_| is_trusted);
    let env = match (is_trusted, expected) {
        (true, _) => spec.env.clone(),
        (false, true) => {
            note(
                "[ovhai] the command runs without the environment of its mapping: the caller that set the app's variables is not the emulator's owner",
            );
            spec.env.clone()
        }
        (false, false) => {
            note(
                "[ovhai] the app's environment is left out: the image is mapped to a local command, and the caller that set the environment may not run local processes",
            );
            Vec::new()
        }
    };
    let spec = Spec {
        placement: Some(Placement::Process),
        command: Some(mapping.command.clone()),
        working_directory: Some(mapping.working_directory.clone()),
        env,
        ..spec.clone()
    };
    (spec, environment)
}
