//! `--data` and its variants, in the order of the command line, with curl's meaning.

use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use ovhai_client::RequestBody;

use super::source;
use crate::error::Result;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Text, or `@FILE` without its line breaks.
    Data,
    /// Text, taken literally.
    Raw,
    /// Text, or `@FILE` as it is.
    Binary,
    /// Text or a file, percent-encoded.
    Encoded,
}

const KINDS: [(&str, Kind, &str, &str); 4] = [
    (
        "data",
        Kind::Data,
        "DATA|@FILE",
        "Body; @FILE or @- (standard input) without line breaks; repeated values are joined with &",
    ),
    ("data-raw", Kind::Raw, "DATA", "Body, taken literally: @ has no special meaning"),
    ("data-binary", Kind::Binary, "DATA|@FILE", "Body; @FILE or @- (standard input) byte for byte"),
    (
        "data-urlencode",
        Kind::Encoded,
        "[NAME]=DATA|[NAME]@FILE",
        "Body, percent-encoded except for the name",
    ),
];

/// See the module.
#[derive(Debug, Clone, Default)]
pub(super) struct Data(Vec<(Kind, String)>);

impl Args for Data {
    fn augment_args(command: Command) -> Command {
        KINDS.iter().fold(command, |command, (name, kind, value, help)| {
            let mut argument = Arg::new(*name)
                .long(*name)
                .value_name(*value)
                .help(*help)
                .allow_hyphen_values(true)
                .action(ArgAction::Append);
            if *kind == Kind::Data {
                argument = argument.short('d').visible_alias("data-ascii");
            }
            command.arg(argument)
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Data {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut all: Vec<(usize, Kind, String)> = Vec::new();
        for (name, kind, ..) in KINDS {
            let values = matches.get_many::<String>(name).into_iter().flatten();
            let places = matches.indices_of(name).into_iter().flatten();
            all.extend(places.zip(values).map(|(at, value)| (at, kind, value.clone())));
        }
        all.sort_by_key(|(at, ..)| *at);
        Ok(Self(all.into_iter().map(|(_, kind, value)| (kind, value)).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Data {
    pub(super) fn is_given(&self) -> bool {
        !self.0.is_empty()
    }

    /// The request's body; a single file is streamed.
    pub(super) async fn body(&self, directory: &Path) -> Result<RequestBody> {
        if let [(Kind::Binary, value)] = self.0.as_slice()
            && let Some(file) = value.strip_prefix('@')
        {
            return source::stream(RequestBody::default(), directory, file).await;
        }
        Ok(self.bytes(directory).await?.into())
    }

    /// The joined values.
    pub(super) async fn bytes(&self, directory: &Path) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        for (index, (kind, value)) in self.0.iter().enumerate() {
            if index > 0 {
                all.push(b'&');
            }
            match (kind, value.strip_prefix('@')) {
                (Kind::Data, Some(file)) => {
                    let mut bytes = source::read(directory, file).await?;
                    bytes.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
                    all.extend(bytes);
                }
                (Kind::Binary, Some(file)) => all.extend(source::read(directory, file).await?),
                (Kind::Encoded, _) => all.extend(encoded(directory, value).await?),
                _ => all.extend(value.as_bytes()),
            }
        }
        Ok(all)
    }
}

async fn encoded(directory: &Path, value: &str) -> Result<Vec<u8>> {
    let (name, content) = if let Some((name, content)) = value.split_once('=') {
        (name, content.as_bytes().to_vec())
    } else if let Some((name, file)) = value.split_once('@') {
        (name, source::read(directory, file).await?)
    } else {
        ("", value.as_bytes().to_vec())
    };
    let mut text = String::from(name);
    if !name.is_empty() {
        text.push('=');
    }
    text += &percent(&content);
    Ok(text.into_bytes())
}

/// Percent-encodes all but RFC 3986's unreserved characters.
pub(super) fn percent(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            text += &format!("%{byte:02X}");
        }
    }
    text
}
