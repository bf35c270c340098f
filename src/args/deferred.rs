//! Commands whose arguments are described to clap on demand. A run needs one command; describing
//! all of them would be a third of the instructions of a short run.

use clap::builder::Resettable;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches, Id};

/// A command with a deferred description.
///
/// Name, aliases and summary are at the variant and known immediately. None of the arguments may
/// have the id of a global one, because global arguments are propagated before.
#[derive(Debug)]
pub(crate) struct Deferred<T>(pub(crate) T);

impl<T: Args> Args for Deferred<T> {
    fn group_id() -> Option<Id> {
        T::group_id()
    }

    fn augment_args(command: Command) -> Command {
        command.defer(|command| described(command, T::augment_args))
    }

    fn augment_args_for_update(command: Command) -> Command {
        command.defer(|command| described(command, T::augment_args_for_update))
    }
}

fn described(command: Command, describe: fn(Command) -> Command) -> Command {
    // Flattened argument groups have comments of their own, which would replace the variant's.
    let (about, long) = (command.get_about().cloned(), command.get_long_about().cloned());
    let (about, long) = (Resettable::from(about), Resettable::from(long));
    let global: Vec<Id> = command.get_arguments().map(|global| global.get_id().clone()).collect();
    let mut command = describe(command).about(about).long_about(long);
    for id in global {
        // Moves global arguments to the end of the help.
        command = command.mut_arg(id, |argument| argument);
    }
    command
}

impl<T: FromArgMatches> FromArgMatches for Deferred<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches(matches).map(Self)
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches_mut(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }

    fn update_from_arg_matches_mut(&mut self, matches: &mut ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches_mut(matches)
    }
}
