//! `ovhai emulator user …`: who can log in.

use clap::{Args, Subcommand};
use ovhai_api_types::User;

use crate::cmd::secret_input::PasswordSource;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::server::target::owner;
use crate::term::describe::{Description, age};
use crate::ui::output::Show;
use crate::ui::prompt;

#[derive(Debug, Args)]
pub(super) struct UserCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Add a user
    Add(Add),
    /// List users
    #[command(visible_alias = "ls")]
    List,
    /// Remove a user, and end the user's sessions
    #[command(visible_alias = "rm")]
    Remove(Remove),
    /// Set a user's password, and end the user's sessions
    Passwd(Passwd),
}

#[derive(Debug, Args)]
struct Add {
    /// Name: letters, digits, dots, hyphens, underscores and @, at most 64
    name: String,
    #[command(flatten)]
    password: PasswordSource,
}

#[derive(Debug, Args)]
struct Remove {
    /// Name
    name: String,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

#[derive(Debug, Args)]
struct Passwd {
    /// Name
    name: String,
    #[command(flatten)]
    password: PasswordSource,
}

impl UserCommand {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        match self.verb {
            Verb::Add(Add { name, password }) => {
                let password =
                    password.require_new(context, "Password (8 characters or more)").await?;
                let added = owner(context).await?.add_user(&name, &password).await;
                added.map_err(|error| match error.status() {
                    Some(409) => Failure::from(error)
                        .hint(format!("to set a password: ovhai emulator user passwd {name}")),
                    _ => error.into(),
                })?;
                context
                    .note(format!("Added the user {name}. Log in: ovhai login --username {name}"));
            }
            Verb::List => {
                let users = owner(context).await?.users().await?;
                context.show_all(&users)?;
            }
            Verb::Remove(Remove { name, yes }) => {
                prompt::confirm(&format!("Remove the user {name}?"), yes).await?;
                owner(context).await?.remove_user(&name).await?;
                context.note(format!("Removed the user {name}."));
            }
            Verb::Passwd(Passwd { name, password }) => {
                let password = password.require_new(context, "New password").await?;
                owner(context).await?.set_password(&name, &password).await?;
                context.note(format!(
                    "Set the password of {name}; the sessions of this user have ended."
                ));
            }
        }
        Ok(())
    }
}

impl Show for User {
    const COLUMNS: &'static [&'static str] = &["NAME", "AGE", "PASSWORD-AGE"];

    fn row(&self, now: jiff::Timestamp) -> Vec<String> {
        vec![self.name.clone(), age(self.created_at, now), age(self.updated_at, now)]
    }

    fn describe(&self) -> Description {
        Description::new()
            .field("Name", &self.name)
            .date("Created At", self.created_at)
            .date("Password Set At", self.updated_at)
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}
