//! Questions to the person at the terminal, a line each.
//!
//! The terminal edits the line (erasing, several bytes a character); Ctrl-D on an empty one, or a
//! terminal that has gone, is the end of the input, and no answer. However a question ends, the
//! terminal is as it was.

use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};

use crate::context::{Prompter, interrupted};

const CTRL_C: u8 = 3;

/// The terminal of this process.
pub(crate) struct Terminal;

fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

impl Prompter for Terminal {
    fn confirm(&mut self, question: &str) -> io::Result<Option<bool>> {
        if !somebody_is_there() {
            return Ok(None);
        }
        loop {
            if let Some(answer) = yes_or_no(&ask(&format!("{question} [y/N] "), true)?) {
                return Ok(Some(answer));
            }
            say("Answer y or n.\n")?;
        }
    }

    fn line(&mut self, question: &str, default: &str) -> io::Result<Option<String>> {
        if !somebody_is_there() {
            return Ok(None);
        }
        let default = Some(default).filter(|default| !default.is_empty());
        let shown = default.map(|default| format!(" [{default}]")).unwrap_or_default();
        loop {
            let line = ask(&format!("{question}{shown}: "), true)?;
            match (line.trim(), default) {
                ("", None) => {}
                ("", Some(default)) => return Ok(Some(default.to_owned())),
                (line, _) => return Ok(Some(line.to_owned())),
            }
        }
    }

    fn password(&mut self, question: &str, is_new: bool) -> io::Result<Option<String>> {
        if !somebody_is_there() {
            return Ok(None);
        }
        loop {
            let password = secret(question)?;
            if !is_new || password == secret("Again")? {
                return Ok(Some(password));
            }
            say("The two are not the same.\n")?;
        }
    }
}

/// Something that is not shown, and not empty.
fn secret(question: &str) -> io::Result<String> {
    loop {
        let line = ask(&format!("{question}: "), false)?;
        if !line.is_empty() {
            return Ok(line);
        }
    }
}

fn yes_or_no(line: &str) -> Option<bool> {
    match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Some(true),
        "" | "n" | "no" | "q" => Some(false),
        _ => None,
    }
}

fn say(text: &str) -> io::Result<()> {
    io::stderr().write_all(text.as_bytes())
}

/// A line without its end. The end of the input is [`ErrorKind::UnexpectedEof`], Ctrl-C
/// [`ErrorKind::Interrupted`].
fn ask(question: &str, shown: bool) -> io::Result<String> {
    // Both first, for those who answer at once.
    let end = asked_to_end()?;
    let mode = Mode::set(shown)?;
    let line = say(question).and_then(|()| typed(&end));
    drop(mode);
    // Nothing has ended the line on the screen.
    if !shown || line.is_err() {
        say("\n")?;
    }
    line
}

/// Closed by the other side when the program is asked to end. The event loop, which would see to
/// that, does not run while this waits; another one does, in a thread that ends with the program.
fn asked_to_end() -> io::Result<UnixStream> {
    let (mut ours, mut theirs) = UnixStream::pair()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().spawn(move || {
        runtime.block_on(async {
            let asked = interrupted();
            if theirs.write_all(&[0]).is_ok() {
                asked.await;
            }
        });
    })?;
    // From here on nothing is missed.
    ours.read_exact(&mut [0])?;
    Ok(ours)
}

fn typed(end: &UnixStream) -> io::Result<String> {
    let input = io::stdin();
    let mut line = Vec::new();
    let mut piece = [0; 1024];
    loop {
        let mut all = [PollFd::new(&input, PollFlags::IN), PollFd::new(end, PollFlags::IN)];
        match poll(&mut all, None) {
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(_) if !all[1].revents().is_empty() => return Err(ErrorKind::Interrupted.into()),
            Ok(_) => {}
        }
        // Past the buffer of the standard input, which would read on.
        let length = rustix::io::read(&input, &mut piece)?;
        line.extend_from_slice(&piece[..length]);
        match piece[..length].last() {
            Some(b'\n') => break,
            Some(&CTRL_C) => return Err(ErrorKind::Interrupted.into()),
            // Ctrl-D after something hands that over, and the line goes on.
            Some(_) => {}
            None => return Err(ErrorKind::UnexpectedEof.into()),
        }
    }
    let text = String::from_utf8_lossy(&line);
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// How the terminal is while it is asked; as before when this is dropped.
struct Mode(Termios);

impl Mode {
    fn set(shown: bool) -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut mode = before.clone();
        mode.input_modes |= InputModes::ICRNL;
        mode.local_modes |= LocalModes::ICANON;
        mode.local_modes.set(LocalModes::ECHO, shown);
        // Ctrl-C ends the line instead: as a signal it would be for the event loop, which does not
        // run while this waits, and nobody would restore the terminal.
        mode.local_modes.remove(LocalModes::ISIG);
        mode.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
        // Now, and without throwing away what is typed or pasted already.
        tcsetattr(io::stdin(), OptionalActions::Now, &mode)?;
        Ok(Self(before))
    }
}

impl Drop for Mode {
    fn drop(&mut self) {
        // The terminal may have gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        let all = ["y", "Yes ", "YES", "", " n", "no", "q", "x", "yess", "\u{1b}"].map(yes_or_no);
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(all, [yes, yes, yes, no, no, no, no, None, None, None]);
    }
}
