//! Commands whose arguments are described to clap when they are asked for. One run needs one
//! command: describing all of them is a third of what a short run does.

use clap::builder::Resettable;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches, Id};

/// A command whose description waits.
///
/// What stands at the variant (its name, aliases and what it is about) is known at once. None of
/// its arguments may have the id of a global one, which is handed down before.
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
    // Groups of arguments have comments of their own, which would take the place of the variant's.
    let (about, long) = (command.get_about().cloned(), command.get_long_about().cloned());
    let (about, long) = (Resettable::from(about), Resettable::from(long));
    let global: Vec<Id> = command.get_arguments().map(|global| global.get_id().clone()).collect();
    let mut command = describe(command).about(about).long_about(long);
    for id in global {
        // The help shows them in this order: global ones come last.
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
