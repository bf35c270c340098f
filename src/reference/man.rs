//! Man pages, one per command. They contain no date, so that they change only when the command
//! does.

use std::io::{self, Write};

use clap::Command;
use clap_mangen::Man;

use super::{environment, exit_codes};

/// The pages of a built command and its subcommands: file name and content.
pub fn pages(command: &Command) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut pages = Vec::new();
    add(command, command.get_name(), &mut pages)?;
    Ok(pages)
}

fn add(command: &Command, name: &str, pages: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    pages.push((format!("{name}.1"), page(command, name)?));
    for child in command.get_subcommands() {
        // The `help` subcommands of nouns would repeat these pages.
        if child.is_hide_set() || (child.get_name() == "help" && name.contains('-')) {
            continue;
        }
        add(child, &format!("{name}-{}", child.get_name()), pages)?;
    }
    Ok(())
}

fn page(command: &Command, name: &str) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone())
        .title(name.to_uppercase())
        .section("1")
        .date("")
        .source("ovhai")
        .manual("ovhai");
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if command.get_subcommands().any(|child| !child.is_hide_set()) {
        man.render_subcommands_section(&mut out)?;
    }
    if command.get_after_help().or(command.get_after_long_help()).is_some() {
        man.render_extra_section(&mut out)?;
    }
    out.write_all(exit_codes::page().roff("EXIT STATUS").as_bytes())?;
    if name.contains('-') {
        out.write_all(
            b".SH \"SEE ALSO\"\n\\fBovhai\\fR(1), which has the environment variables\n",
        )?;
    } else {
        out.write_all(environment::page().roff("ENVIRONMENT").as_bytes())?;
    }
    Ok(out)
}
