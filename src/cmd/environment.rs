//! The environment of this command: what a local process inherits from it, and variables given
//! without a value.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use ovhai_api_types::{Env, Environment, InvalidEnvironment};

use super::env_file;
use crate::context::Context;
use crate::error::{Failure, Result};

/// Prefix of this program's own variables, which processes do not inherit.
const PRIVATE_PREFIX: &str = "OVHAI_";

/// The environment for a process of the local emulator: this command's, without the program's own
/// variables and this command's secrets. Variables that are not UTF-8 can't be sent; a warning
/// names them.
pub(super) fn of_caller(context: &mut Context) -> Result<Environment> {
    let is_passed_on = |name: &str| {
        !name.starts_with(PRIVATE_PREFIX)
            && !name.is_empty()
            && !name.contains('=')
            && context.secret_variables.iter().all(|secret| secret != name)
    };
    let variables = context.env.iter().filter(|(name, _)| is_passed_on(name));
    let variables: Environment =
        variables.map(|(name, value)| (name.clone(), value.clone())).collect();
    let left_out: Vec<_> =
        context.unreadable_variables.iter().filter(|name| is_passed_on(name)).cloned().collect();
    for name in left_out {
        context.note(format!(
            "warning: the variable {name} is not UTF-8, so it is not passed to the app"
        ));
    }
    match variables.check() {
        Ok(()) => Ok(variables),
        Err(why) => {
            let failure =
                Failure::new("the environment of this command can't be passed to a process")
                    .because(why.to_string());
            Err(match why {
                InvalidEnvironment::TooLarge { largest, .. } => {
                    failure.hint(format!("leave variables out: env -u {largest} ovhai …"))
                }
                _ => failure,
            })
        }
    }
}

/// `NAME=VALUE`, or `NAME` for the value that the variable has in this command's environment.
#[derive(Debug, Clone)]
pub(super) struct EnvOption {
    name: String,
    value: Option<String>,
}

/// Variables of files and of the command line.
#[derive(Debug, Default, Args)]
pub(super) struct Variables {
    /// Environment variable, may be repeated; NAME alone passes on the current value
    #[arg(short, long = "env", value_name = "NAME[=VALUE]", value_parser = variable)]
    envs: Vec<EnvOption>,
    /// File with environment variables, one NAME=VALUE a line, may be repeated; --env overrides it
    #[arg(long = "env-file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    env_files: Vec<PathBuf>,
}

impl Variables {
    /// All of them, those of the command line last. To be called once: a file may be a pipe.
    pub(super) fn read(&self, context: &Context) -> Result<Vec<EnvOption>> {
        let mut all = Vec::new();
        for file in &self.env_files {
            let shown = file.display().to_string();
            let variables = env_file::read(&context.directory.join(file), &shown)?;
            all.extend(variables.into_iter().map(|(name, value)| EnvOption { name, value }));
        }
        all.extend(self.envs.iter().cloned());
        Ok(all)
    }
}

/// The value of an option; a variable's value may be empty.
pub(super) fn variable(text: &str) -> Result<EnvOption, String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    if name.is_empty() {
        return Err("use NAME=VALUE, or NAME to pass on the current value".into());
    }
    Ok(EnvOption { name: name.to_owned(), value })
}

/// The variables with their values, without those that are given by name only and not set here, as
/// in docker.
pub(super) fn with_values(context: &Context, given: &[EnvOption]) -> Result<Vec<Env>> {
    let mut variables = Vec::with_capacity(given.len());
    for EnvOption { name, value } in given {
        if value.is_none() && context.unreadable_variables.contains(name) {
            return Err(Failure::usage(format!("the value of {name} is not UTF-8"))
                .hint(format!("give the value: --env {name}=VALUE")));
        }
        if let Some(value) = value.as_ref().or_else(|| context.env.get(name)) {
            variables.push(Env { name: name.clone(), value: value.clone() });
        }
    }
    Ok(variables)
}

/// Warns about variables that are left out.
pub(super) fn note_unset(context: &mut Context, given: &[EnvOption]) {
    for EnvOption { name, value } in given {
        if value.is_none() && !context.env.contains_key(name) {
            context
                .note(format!("warning: {name} is not set here, so it is not passed to the app"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Context {
        let mut context = Context::from_process(crate::line::cli::tree);
        context.env = [("SET", "here"), ("EMPTY", ""), ("OVHAI_TOKEN", "hush"), ("PW", "hush")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        context.secret_variables = vec!["PW".into()];
        context.unreadable_variables = vec!["RAW".into()];
        context.err = Box::new(std::io::sink());
        context
    }

    #[test]
    fn a_process_gets_all_but_our_own_variables() {
        let environment = of_caller(&mut context()).expect("an environment");
        let names: Vec<_> = environment.iter().collect();
        assert_eq!(names, [("EMPTY", ""), ("SET", "here")]);
    }

    #[test]
    fn an_environment_that_is_too_large_is_refused() {
        let mut context = context();
        context.env.insert("LARGE".into(), "hush".repeat(Environment::MAX_BYTES));
        let failure = format!("{:?}", of_caller(&mut context).expect_err("too large"));
        assert!(failure.contains("env -u LARGE") && !failure.contains("hush"), "{failure}");
    }

    #[test]
    fn a_name_alone_copies_the_current_value() {
        let context = context();
        let given = |words: &[&str]| -> Vec<EnvOption> {
            words.iter().map(|word| variable(word).expect("a variable")).collect()
        };
        let values = with_values(&context, &given(&["SET", "A=b=c", "EMPTY", "UNSET", "SET="]));
        let values = values.expect("values");
        let pairs: Vec<_> =
            values.iter().map(|env| (env.name.as_str(), env.value.as_str())).collect();
        assert_eq!(pairs, [("SET", "here"), ("A", "b=c"), ("EMPTY", ""), ("SET", "")]);
        assert!(with_values(&context, &given(&["RAW"])).is_err());
        assert!(with_values(&context, &given(&["RAW=x"])).is_ok());
        assert!(variable("=x").is_err() && variable("").is_err());
    }
}
