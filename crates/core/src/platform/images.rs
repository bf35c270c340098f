//! Images: the built-in ones, and the owner's mappings of images to local commands.

use std::sync::Arc;

use super::{Platform, check};
use crate::catalog::BuiltinImage;
use crate::directory::Snapshot;
use crate::error::{Error, Result};
use crate::model::{EnvironmentOwner, MappingRecord};
use crate::placement::mapping_for;
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

    /// Maps an image to a command, for every app that does not ask for a runtime, from its next replica
    /// on. The command gets `environment`, if there is one.
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

    /// Removes a mapping; running replicas go on.
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

    fn is_builtin(&self, image: &str) -> bool {
        let image = ImageName::parse(image);
        let is_it = |name: &str| ImageName::parse(name).repository() == image.repository();
        self.settings.images.iter().any(|one| is_it(one.reference))
    }

    /// Checks that a command would be run: built-in images run none, and would ignore it.
    pub(super) fn check_command(&self, snapshot: &Snapshot, spec: &Spec) -> Result<()> {
        let is_ignored = spec.command.is_some()
            && matches!(spec.placement, None | Some(Placement::Builtin))
            && self.is_builtin(&spec.image)
            && mapping_for(snapshot, spec).is_none();
        if !is_ignored {
            return Ok(());
        }
        let why = format!(
            "the built-in image {} runs no command: omit it, or run it as a local process (runtime: process)",
            spec.image
        );
        Err(Error::invalid("command", why))
    }

    /// Whether an app runs as a local process by its own spec or the emulator's default, unless its
    /// image is mapped.
    pub(super) fn runs_as_process(&self, spec: &Spec) -> bool {
        match spec.placement {
            Some(placement) => placement == Placement::Process,
            None => {
                self.settings.placement == Some(Placement::Process) && !self.is_builtin(&spec.image)
            }
        }
    }

    /// Whether an app runs as a local process though that is not the emulator's default: by its own
    /// spec, or by a mapping.
    pub(super) fn runs_as_unexpected_process(&self, snapshot: &Snapshot, spec: &Spec) -> bool {
        self.settings.placement != Some(Placement::Process)
            && (spec.placement == Some(Placement::Process) || mapping_for(snapshot, spec).is_some())
    }
}

pub(super) fn check_environment(environment: &Environment) -> Result<()> {
    environment.check().map_err(|why| Error::invalid("environment", why.to_string()))
}
