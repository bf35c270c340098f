//! A password from the command line, the environment, standard input, or the user at the terminal.

use std::io::Read;

use clap::Args;

use crate::context::Context;
use crate::error::{Failure, Result};
use crate::secret::bare;
use crate::ui::prompt;

/// Maximum size of standard input, in bytes.
const LONGEST: u64 = 64 * 1024;

/// The source of a password; by default the user is asked at the terminal.
#[derive(Debug, Clone, Default, Args)]
#[group(multiple = false)]
pub(super) struct PasswordSource {
    /// Password; other users of this machine may see it in the process list
    #[arg(long, value_name = "PASSWORD")]
    password: Option<String>,
    /// Take the password from this environment variable
    #[arg(long, value_name = "VARIABLE")]
    password_from_env: Option<String>,
    /// Take the password from the first line of standard input
    #[arg(long)]
    password_from_stdin: bool,
}

impl PasswordSource {
    /// The password, if one was given or there is a terminal to ask on.
    pub(super) async fn read(
        &self,
        context: &mut Context,
        question: &str,
        is_new: bool,
    ) -> Result<Option<String>> {
        self.hide(context);
        if let Some(password) = &self.password {
            return Ok(Some(bare(password).to_owned()));
        }
        if let Some(name) = &self.password_from_env {
            let password = context.var(name).map(bare).filter(|password| !password.is_empty());
            return password.map(|password| Some(password.to_owned())).ok_or_else(|| {
                Failure::usage(format!("the variable {name} is not set, or empty"))
                    .hint("set and export it")
            });
        }
        if self.password_from_stdin {
            let mut text = String::new();
            std::io::stdin().take(LONGEST).read_to_string(&mut text)?;
            let password = bare(text.lines().next().unwrap_or_default()).to_owned();
            if password.is_empty() {
                return Err(Failure::usage("there is no password on standard input"));
            }
            return Ok(Some(password));
        }
        prompt::password(question, is_new, |_| None).await
    }

    /// Hides the password from an emulator that this command may start, and from its apps.
    pub(super) fn hide(&self, context: &mut Context) {
        context.secret_variables.extend(self.password_from_env.clone());
    }

    /// Whether a source was given.
    pub(super) fn is_given(&self) -> bool {
        self.password.is_some() || self.password_from_env.is_some() || self.password_from_stdin
    }

    /// The password; a usage error if there is none.
    pub(super) async fn require(&self, context: &mut Context, question: &str) -> Result<String> {
        self.read(context, question, false).await?.ok_or_else(none)
    }

    /// The new password of a user; a usage error if there is none.
    pub(super) async fn require_new(
        &self,
        context: &mut Context,
        question: &str,
    ) -> Result<String> {
        if self.is_given() {
            return self.require(context, question).await;
        }
        let answer = prompt::password(question, true, |password| {
            let allowed = 8..=256;
            (!allowed.contains(&password.len())).then_some("use 8 to 256 characters")
        });
        answer.await?.ok_or_else(none)
    }
}

fn none() -> Failure {
    Failure::usage("a password is required, and there is no terminal to ask on")
        .hint("give --password-from-env VARIABLE or --password-from-stdin")
}
