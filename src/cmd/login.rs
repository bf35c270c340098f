//! `ovhai login`, `ovhai logout`.

use clap::Args;
use ovhai_client::Error as ClientError;

use super::secret_input::PasswordSource;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::server::session::{Session, Sessions};
use crate::server::target::Server;
use crate::ui::prompt;

#[derive(Debug, Args)]
#[command(
    after_help = "Without a login, commands act as the owner of the local emulator. With --token, they use that token from now on."
)]
pub(crate) struct Login {
    /// User name; prompted for if omitted
    #[arg(short, long, value_name = "USER")]
    username: Option<String>,
    #[command(flatten)]
    password: PasswordSource,
}

impl Login {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        // A token in the environment is the caller's, not one to log in with.
        let given = context.global.token.is_some();
        let token = context.token()?.map(str::to_owned).filter(|_| given);
        self.password.hide(context);
        let server = Server::find(context).await?;
        server.announce_change(context)?;
        let (session, who) = match token {
            Some(token) => {
                let client = server.client(Some(token.clone()), context)?;
                let me = client.me().await?;
                (Session::Token { token }, me.name)
            }
            None => self.with_password(&server, context).await?,
        };
        Sessions::open(context)?.set(&server.key(), Some(session))?;
        context.note(format!("Logged in as {who} at {}.", server.shown()));
        if context.var("OVHAI_TOKEN").is_some() {
            context.note("hint: OVHAI_TOKEN is set and overrides the login");
        }
        Ok(())
    }

    async fn with_password(
        &self,
        server: &Server,
        context: &mut Context,
    ) -> Result<(Session, String)> {
        let username = match &self.username {
            Some(username) => username.clone(),
            None => {
                let default = context.var("USER").unwrap_or_default().to_owned();
                prompt::text("User", &default).await?.ok_or_else(|| {
                    Failure::usage("a user name is required, and there is no terminal to ask on").hint(
                        "give --username USER and --password-from-env VARIABLE, or --token TOKEN",
                    )
                })?
            }
        };
        let password = self.password.require(context, "Password").await?;
        let client = server.client(None, context)?;
        let tokens = client.log_in(&username, &password).await.map_err(|error| match error {
            ClientError::Api { status: 404 | 405 | 501, .. } => Failure::new(format!(
                "{} does not support logging in with a password",
                server.shown()
            ))
            .because("there is no /oauth2/token at its address")
            .hint("log in with a token: ovhai login --token TOKEN"),
            other => other.into(),
        })?;
        Ok((Session::new(&username, tokens, (context.now)()), username))
    }
}

#[derive(Debug, Args)]
pub(crate) struct Logout {}

impl Logout {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        let sessions = Sessions::open(context)?;
        let server = match Server::find_running(context)? {
            Some(server) => server,
            // A session may outlive the emulator, which is needed to end it.
            None if sessions.any_local()? => Server::find(context).await?,
            None => {
                context.note("You were not logged in at a local emulator.");
                return Ok(());
            }
        };
        let key = server.key();
        let Some(session) = sessions.get(&key)? else {
            context.note(format!("You were not logged in at {}.", server.shown()));
            return Ok(());
        };
        server.announce_change(context)?;
        // Removed here whatever the server answers.
        sessions.set(&key, None)?;
        if let Session::User { access, refresh, .. } = session {
            let client = server.client(None, context)?;
            if let Err(error) = client.revoke(refresh.as_deref().unwrap_or(&access)).await {
                context.note(format!(
                    "warning: the server could not end the session; it stays valid there until it expires: {error}"
                ));
            }
        }
        context.note(format!("Logged out at {}.", server.shown()));
        Ok(())
    }
}
