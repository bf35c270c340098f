//! `ovhai registry …`.

use clap::{Args, Subcommand};
use ovhai_api_types::{PasswordState, Registry, RegistryUpdate, is_same_address};
use ovhai_client::{Client, Error};
use serde::Serialize;

use super::secret_input::PasswordSource;
use crate::args::global::Format;
use crate::cmd::several::Report;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::server::target::{Server, Target};
use crate::term::describe::{Description, age};
use crate::term::table::Fit;
use crate::ui::output::Show;
use crate::ui::prompt;

#[derive(Debug, Args)]
pub(crate) struct RegistryCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List registries; passwords are never shown
    #[command(visible_alias = "ls")]
    List(List),
    /// Show a registry, without its password
    Get(Get),
    /// Add a registry
    #[command(visible_alias = "create")]
    Add(Add),
    /// Change a registry
    Update(Update),
    /// Delete a registry
    #[command(visible_alias = "rm")]
    Delete(Delete),
}

#[derive(Debug, Args)]
#[command(
    after_help = "The SHARED registry is the project's own. An image that is on this machine under an address of it runs without a push."
)]
struct List {}

#[derive(Debug, Args)]
struct Get {
    /// Id, beginning of an id, or URL
    registry: String,
}

#[derive(Debug, Args)]
struct Add {
    /// Host and path, such as registry.example.com/team; port 443 only, except at localhost
    url: String,
    /// User name at the registry; prompted for if omitted
    #[arg(short, long, value_name = "USER")]
    username: Option<String>,
    #[command(flatten)]
    password: PasswordSource,
}

#[derive(Debug, Args)]
struct Update {
    /// Id, beginning of an id, or URL
    registry: String,
    /// New host and path; with another host the password is needed again
    #[arg(long)]
    url: Option<String>,
    /// New user name at the registry
    #[arg(short, long, value_name = "USER")]
    username: Option<String>,
    #[command(flatten)]
    password: PasswordSource,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Arguments that match no registry, or several, are reported with exit code 1; the others are deleted."
)]
struct Delete {
    /// Ids, beginnings of ids, or URLs
    #[arg(id = "registry", required = true, value_name = "REGISTRY")]
    registries: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

const SHARED: &str = "hint: an image that is on this machine under an address of the SHARED registry runs without a push";

impl RegistryCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self.verb {
            Verb::List(List {}) => {
                let target = Target::find(context).await?;
                let added = target.client.list_registries().await?;
                // `-o name` is for arguments of other commands, none of which accepts the shared
                // registry.
                let shared = match context.format() {
                    Some(Format::Name) => None,
                    _ => shared(&target.server),
                };
                let added = added.into_iter().map(|registry| Row { kind: "PRIVATE", registry });
                let has_hint = shared.is_some() && context.format().is_none();
                let rows: Vec<Row> = shared.into_iter().chain(added).collect();
                context.show_all(&rows)?;
                if has_hint {
                    context.note(SHARED);
                }
                Ok(())
            }
            Verb::Get(verb) => {
                let target = Target::find(context).await?;
                let registry = resolve(&target.client, &verb.registry).await?;
                context.show(&registry)
            }
            Verb::Add(verb) => verb.run(context).await,
            Verb::Update(verb) => verb.run(context).await,
            Verb::Delete(verb) => verb.run(context).await,
        }
    }
}

impl Add {
    async fn run(self, context: &mut Context) -> Result<()> {
        let username = match self.username {
            Some(username) => username,
            None => prompt::text("User", "").await?.ok_or_else(|| {
                Failure::usage("a user name is required, and there is no terminal to ask on")
                    .hint("give --username USER")
            })?,
        };
        let password = self.password.read(context, "Password", false).await?;
        let target = Target::find_to_change(context).await?;
        let registry = Registry {
            id: None,
            url: self.url,
            username,
            password,
            password_state: None,
            created_at: None,
            updated_at: None,
            user: None,
        };
        let added = target.client.add_registry(&registry).await;
        let added = added.map_err(|error| match error {
            Error::Api { status: 409, message } => {
                Failure::new(message).because("it has the same address and the same user").hint(
                    "change the existing one: ovhai registry update; see it: ovhai registry list",
                )
            }
            other => other.into(),
        })?;
        context.show(&added)?;
        say_if_missing(context, &added);
        Ok(())
    }
}

impl Update {
    async fn run(self, context: &mut Context) -> Result<()> {
        let password = if self.password.is_given() {
            self.password.read(context, "Password", true).await?
        } else {
            None
        };
        if self.url.is_none() && self.username.is_none() && password.is_none() {
            return Err(
                Failure::usage("nothing to change").hint("give --url, --username or a password")
            );
        }
        let target = Target::find_to_change(context).await?;
        let registry = resolve(&target.client, &self.registry).await?;
        let id = id(&registry)?;
        let update = RegistryUpdate { password, url: self.url, username: self.username };
        target.client.update_registry(id, &update).await?;
        let had_password = registry.password_state == Some(PasswordState::Stored);
        let registry = target.client.get_registry(id).await?;
        context.show(&registry)?;
        if had_password && registry.password_state == Some(PasswordState::Missing) {
            context.note("The stored password was for the old host, and was deleted.");
        }
        say_if_missing(context, &registry);
        Ok(())
    }
}

impl Delete {
    async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find_to_change(context).await?;
        let known = target.client.list_registries().await?;
        let (mut meant, mut unclear) = (Vec::<&Registry>::new(), Vec::new());
        for wanted in &self.registries {
            match pick(&known, wanted) {
                Ok(registry) if meant.iter().any(|other| other.id == registry.id) => {}
                Ok(registry) => meant.push(registry),
                Err(why) => unclear.push((wanted.clone(), why)),
            }
        }
        if !meant.is_empty() {
            prompt::confirm(&question(&meant), self.yes).await?;
        }
        let mut report = Report::new("registry", meant.len() + unclear.len(), unclear);
        for registry in &meant {
            match target.client.delete_registry(id(registry)?).await {
                Ok(()) => context.note(format!("Deleted the registry {}.", registry.url)),
                Err(error) => report.failed(registry.url.clone(), error.into())?,
            }
        }
        report.finish("deleted")
    }
}

/// Says how to make a registry usable that has no password. The real service does not tell whether it
/// has one.
fn say_if_missing(context: &mut Context, registry: &Registry) {
    let state = match registry.password_state {
        Some(PasswordState::Missing) => "No password is stored",
        Some(PasswordState::Unreadable) => "The stored password can't be decrypted",
        Some(PasswordState::Stored) | None => return,
    };
    context.note(format!(
        "{state}: no image is pulled with this login. Give the password: ovhai registry update {} --password-from-stdin",
        registry.name()
    ));
}

/// The registry that every project has. An image with its address that exists on this machine runs
/// without a push.
fn shared(server: &Server) -> Option<Row> {
    let Server::Local(running, region) = server else { return None };
    let region = region.as_str().to_ascii_lowercase();
    Some(Row {
        kind: "SHARED",
        registry: Registry {
            id: None,
            url: format!("registry.{region}.ai.localhost/{}", running.project),
            username: String::new(),
            password: None,
            password_state: None,
            created_at: None,
            updated_at: None,
            user: None,
        },
    })
}

fn question(registries: &[&Registry]) -> String {
    match registries {
        [one] => format!("Delete the registry {}?", one.url),
        many => {
            let urls: Vec<_> = many.iter().map(|one| one.url.as_str()).collect();
            format!("Delete {} registries, {}?", many.len(), urls.join(", "))
        }
    }
}

fn id(registry: &Registry) -> Result<ovhai_api_types::RegistryId> {
    registry.id.ok_or_else(|| Failure::new("the server did not send the registry's id"))
}

/// Resolves an id, its beginning, or an address to a registry.
async fn resolve(client: &Client, wanted: &str) -> Result<Registry> {
    let all = client.list_registries().await?;
    pick(&all, wanted).cloned()
}

fn pick<'a>(all: &'a [Registry], wanted: &str) -> Result<&'a Registry> {
    let begins = |one: &&Registry| {
        wanted.len() >= 4
            && one.id.is_some_and(|id| id.to_string().starts_with(&wanted.to_lowercase()))
    };
    let of = |is_meant: &dyn Fn(&&Registry) -> bool| all.iter().filter(is_meant).collect();
    let mut found: Vec<&'a Registry> = of(&|one| one.url == wanted);
    if found.is_empty() {
        found = of(&|one| is_same_address(&one.url, wanted));
    }
    if found.is_empty() {
        found = of(&begins);
    }
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(Failure::not_found(format!("there is no registry {wanted:?}"))
            .hint("see all: ovhai registry list")),
        many => {
            let candidates: Vec<_> =
                many.iter().map(|one| format!("{} ({})", one.name(), one.url)).collect();
            Err(Failure::usage(format!("{wanted:?} matches {} registries", many.len()))
                .because(candidates.join(", "))
                .hint("use the id"))
        }
    }
}

/// A registry in a list. Scripts read the last column of the first row, the URL.
#[derive(Debug, Serialize)]
struct Row {
    /// `SHARED` or `PRIVATE`.
    kind: &'static str,
    #[serde(flatten)]
    registry: Registry,
}

impl Show for Row {
    const COLUMNS: &'static [&'static str] = &["ID", "KIND", "USERNAME", "PASSWORD", "AGE", "URL"];

    // At 80 columns the URL of the shared registry has room beside an id and a short user name.
    const FIT: &'static [Fit] =
        &[Fit::Id, Fit::Drop, Fit::Shrink(6), Fit::Rare, Fit::Drop, Fit::Fixed];

    fn row(&self, now: jiff::Timestamp) -> Vec<String> {
        let Registry { id, username, password_state, created_at, url, .. } = &self.registry;
        let missing = || "~".to_owned();
        vec![
            id.map_or_else(missing, |id| id.to_string()),
            self.kind.to_owned(),
            if username.is_empty() { missing() } else { username.clone() },
            password_state.map_or_else(missing, |state| state.to_string()),
            created_at.map_or_else(missing, |at| age(at, now)),
            url.clone(),
        ]
    }

    fn describe(&self) -> Description {
        self.registry.describe().field("Kind", self.kind)
    }

    fn name(&self) -> String {
        self.registry.name()
    }
}

impl Show for Registry {
    const COLUMNS: &'static [&'static str] = &["ID", "USERNAME", "PASSWORD", "AGE", "URL"];

    fn row(&self, now: jiff::Timestamp) -> Vec<String> {
        vec![
            self.name(),
            self.username.clone(),
            self.password_state.map_or_else(|| "~".into(), |state| state.to_string()),
            self.created_at.map_or_else(|| "~".into(), |at| age(at, now)),
            self.url.clone(),
        ]
    }

    fn describe(&self) -> Description {
        Description::new()
            .field("ID", self.name())
            .field("URL", &self.url)
            .field("Username", &self.username)
            .maybe("Password", self.password_state.as_ref())
            .maybe("User", self.user.as_ref())
            .date("Created At", self.created_at)
            .date("Updated At", self.updated_at)
    }

    fn name(&self) -> String {
        self.id.map(|id| id.to_string()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::table::{Head, table};
    use crate::term::terminal::Layout;

    #[test]
    fn a_list_shows_the_url_at_80_columns() {
        let project = "8b765154-51ba-4651-a1ed-55a34d9c7f47";
        let url = format!("registry.gra.ai.localhost/{project}");
        let row = |id: &str, user: &str, url: &str| {
            [id, "PRIVATE", user, "stored", "5d", url].map(str::to_owned).to_vec()
        };
        let rows =
            [row("~", "~", &url), row(project, "a-robot-account", "registry.example.com/team")];
        let layout = Layout { columns: Some(80), ..Layout::PLAIN };
        let text = table(&Head::each(Row::COLUMNS, Row::FIT), &rows, layout);
        assert!(
            text.contains(&url) && text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
    }
}
