//! `ovhai completion SHELL`.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh};

use crate::context::Context;
use crate::error::Result;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bash        ovhai completion bash > ~/.local/share/bash-completion/completions/ovhai
  zsh         ovhai completion zsh > \"${fpath[1]}/_ovhai\"
  fish        ovhai completion fish > ~/.config/fish/completions/ovhai.fish
  powershell  ovhai completion powershell >> $PROFILE
  elvish      ovhai completion elvish >> ~/.config/elvish/rc.elv
Names of apps, tokens and regions come from the running emulator; completion does not start one.")]
pub(crate) struct Completion {
    /// The shell
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    #[value(alias = "pwsh")]
    Powershell,
    Elvish,
}

impl Completion {
    pub(crate) fn run(self, context: &mut Context) -> Result<()> {
        let shell: &dyn EnvCompleter = match self.shell {
            Shell::Bash => &Bash,
            Shell::Zsh => &Zsh,
            Shell::Fish => &Fish,
            Shell::Powershell => &Powershell,
            Shell::Elvish => &Elvish,
        };
        script(shell, &mut context.out)?;
        Ok(())
    }
}

/// The variable that requests completion.
pub(crate) const VARIABLE: &str = "COMPLETE";

/// Writes the script of a shell, which calls the `ovhai` on the PATH.
pub(crate) fn script(shell: &dyn EnvCompleter, to: &mut dyn Write) -> io::Result<()> {
    shell.write_registration(VARIABLE, "ovhai", "ovhai", "ovhai", to)
}
