//! Calls for capabilities and registries.

use ovhai_api_types::{
    AppImage, AppSpec, CliCommand, Flavor, Preset, ProjectQuotas, Registry, RegistryId,
    RegistryUpdate,
};
use reqwest::Method;
use serde::Deserialize;

use crate::{Client, Result};

/// Descriptions of the API have one, the official SDK reads a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Quotas {
    Many(Vec<ProjectQuotas>),
    One(ProjectQuotas),
}

impl Client {
    /// The flavors.
    pub async fn flavors(&self) -> Result<Vec<Flavor>> {
        self.get("/v1/capabilities/flavor").await
    }

    /// The images for apps.
    pub async fn app_images(&self) -> Result<Vec<AppImage>> {
        self.get("/v1/capabilities/app/image").await
    }

    /// The presets.
    pub async fn presets(&self) -> Result<Vec<Preset>> {
        self.get("/v1/capabilities/preset").await
    }

    /// The project's quotas.
    pub async fn quotas(&self) -> Result<ProjectQuotas> {
        let quotas: Quotas = self.get("/v1/capabilities/quota").await?;
        Ok(match quotas {
            Quotas::One(one) => one,
            Quotas::Many(many) => many.into_iter().next().unwrap_or_default(),
        })
    }

    /// The command line that creates an app.
    pub async fn app_command(&self, spec: &AppSpec) -> Result<CliCommand> {
        // A POST that changes nothing.
        self.json(self.request(Method::POST, "/v1/app/command").json(spec)).await
    }

    /// All registries, from all pages; without their passwords.
    pub async fn list_registries(&self) -> Result<Vec<Registry>> {
        self.all_pages("/v1/registry", Vec::new()).await
    }

    /// One registry.
    pub async fn get_registry(&self, id: RegistryId) -> Result<Registry> {
        self.get(&format!("/v1/registry/{id}")).await
    }

    /// Adds a registry.
    pub async fn add_registry(&self, registry: &Registry) -> Result<Registry> {
        self.json(self.request(Method::POST, "/v1/registry").json(registry)).await
    }

    /// Changes a registry.
    pub async fn update_registry(&self, id: RegistryId, update: &RegistryUpdate) -> Result<()> {
        self.put(&format!("/v1/registry/{id}"), Some(update)).await.map(drop)
    }

    /// Deletes a registry.
    pub async fn delete_registry(&self, id: RegistryId) -> Result<()> {
        self.send(self.request(Method::DELETE, &format!("/v1/registry/{id}"))).await.map(drop)
    }
}
