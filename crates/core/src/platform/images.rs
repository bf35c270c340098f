//! Images: those that are built in, and commands that the owner has run in place of others.

use std::sync::Arc;

use super::{Platform, check};
use crate::catalog::BuiltinImage;
use crate::directory::Snapshot;
use crate::error::{Error, Result};
use crate::model::{AppRecord, EnvironmentOwner, MappingRecord};
use crate::policy::{self, Action, Principal, Resource};
use crate::records::Change;
use crate::spec::{self, Spec};

use ovhai_api_types::{Environment, ImageName, Placement};

impl Platform {
    /// The images that come with the emulator.
    pub fn builtin_images(&self) -> &[BuiltinImage] {
        &self.settings.images
    }

    fn may_map_images(&self, caller: &Principal) -> Result<()> {
        let region = self.default_region().ok_or_else(|| Error::Internal("no region".into()))?;
        check(policy::decide(caller, Action::MapImages, &Resource::Region(region)))
    }

    /// Whether the caller may see how images are mapped.
    pub fn list_mappings(&self, caller: &Principal) -> Result<Vec<Arc<MappingRecord>>> {
        self.may_map_images(caller)?;
        Ok(self.snapshot().mappings().cloned().collect())
    }

    /// Has a command run in place of an image, for every app that says nothing else itself, from
    /// its next replica on. The command gets the environment of who maps it, if there is one.
    pub async fn map_image(
        &self,
        caller: &Principal,
        image: &str,
        command: Vec<String>,
        working_directory: String,
        environment: Option<Environment>,
    ) -> Result<Arc<MappingRecord>> {
        self.may_map_images(caller)?;
        if let Some(environment) = &environment {
            let region =
                self.default_region().ok_or_else(|| Error::Internal("no region".into()))?;
            self.may_pass_environment(caller, region)?;
            check_environment(environment)?;
        }
        let image = spec::image("image", image)?;
        if command.first().is_none_or(String::is_empty) {
            return Err(Error::invalid("command", "a command is needed"));
        }
        if command.iter().any(|word| word.contains('\0')) {
            return Err(Error::invalid("command", "a NUL is not allowed"));
        }
        if !working_directory.starts_with('/') || working_directory.contains('\0') {
            return Err(Error::invalid("workingDirectory", "not an absolute path"));
        }
        let created_at = self.clock.now();
        let record = Arc::new(MappingRecord { image, command, working_directory, created_at });
        self.ledger
            .transact(|tx| {
                // The same image may be mapped in another spelling.
                if let Some(old) = tx.state().mapping_of(&record.image)
                    && old.image != record.image
                {
                    let old = old.image.clone();
                    tx.apply(Change::RemoveMapping(old.clone()));
                    tx.set_environment(EnvironmentOwner::Image(old), None);
                }
                tx.apply(Change::PutMapping(Arc::clone(&record)));
                tx.set_environment(EnvironmentOwner::Image(record.image.clone()), environment);
                Ok(Arc::clone(&record))
            })
            .await
    }

    /// Takes that back; replicas that run go on.
    pub async fn unmap_image(&self, caller: &Principal, image: &str) -> Result<()> {
        self.may_map_images(caller)?;
        self.ledger
            .transact(|tx| {
                let mapped = tx.state().mapping_of(image).map(|mapping| mapping.image.clone());
                let mapped = mapped.ok_or_else(|| Error::NotFound {
                    kind: "mapping of the image",
                    id: image.to_owned(),
                })?;
                tx.apply(Change::RemoveMapping(mapped.clone()));
                tx.set_environment(EnvironmentOwner::Image(mapped), None);
                Ok(())
            })
            .await
    }

    /// Whether an app runs as a local process by its own word or the emulator's default, as long as
    /// its image is not mapped.
    pub(super) fn runs_as_process(&self, spec: &Spec) -> bool {
        let is_builtin = || {
            let image = ImageName::parse(&spec.image);
            let is_it = |name: &str| ImageName::parse(name).repository() == image.repository();
            self.settings.images.iter().any(|one| is_it(one.reference))
        };
        match spec.placement {
            Some(placement) => placement == Placement::Process,
            None => self.settings.placement == Some(Placement::Process) && !is_builtin(),
        }
    }

    /// Whether an app runs as a local process though the emulator was not started for that: by
    /// its own word, or by a mapping.
    pub(super) fn runs_as_unexpected_process(&self, snapshot: &Snapshot, spec: &Spec) -> bool {
        self.settings.placement != Some(Placement::Process)
            && (spec.placement == Some(Placement::Process) || mapping_for(snapshot, spec).is_some())
    }
}

pub(super) fn check_environment(environment: &Environment) -> Result<()> {
    environment.check().map_err(|why| Error::invalid("environment", why.to_string()))
}

fn mapping_for<'a>(snapshot: &'a Snapshot, spec: &Spec) -> Option<&'a Arc<MappingRecord>> {
    // An app that says how it is run is run so.
    if spec.placement.is_some() { None } else { snapshot.mapping(&spec.image) }
}

/// What is run for an app, and in which environment: its own spec in that of the command line that
/// asked for it, or the command that its image is mapped to in that of who mapped it. A mapped
/// command does not get variables of a spec that could make it run something else: the mapping may
/// be younger than the app. Where every image runs as a process it gets them, but then not the
/// environment of its mapping, which they could make it tell. `note` gets a line about either.
pub(crate) fn resolved(
    platform: &Platform,
    snapshot: &Snapshot,
    app: &AppRecord,
    note: impl FnOnce(&'static str),
) -> (Spec, Option<Environment>) {
    let spec = &app.spec;
    let environment = |owner| snapshot.environment(&owner).map(|record| record.variables.clone());
    let Some(mapping) = mapping_for(snapshot, spec) else {
        return (spec.clone(), environment(EnvironmentOwner::App(app.id)));
    };
    let expected = platform.settings.placement == Some(Placement::Process);
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
