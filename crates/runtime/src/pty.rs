//! A pseudo-terminal, from the side of the one who types.

use std::io;
use std::os::fd::OwnedFd;

use ovhai_api_types::TerminalSize;
use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::net::unix::pipe;

/// See the module.
pub(crate) struct Pty {
    near: OwnedFd,
    /// What the program writes. An error once no process has the terminal open.
    screen: pipe::Receiver,
    /// What it reads.
    keys: pipe::Sender,
}

/// Its size.
pub(crate) struct Window(OwnedFd);

impl Pty {
    /// A terminal of this size, and the side of its program.
    pub(crate) fn open(size: TerminalSize) -> io::Result<(Self, OwnedFd)> {
        let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&near)?;
        unlockpt(&near)?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let far = rustix::fs::open(ptsname(&near, Vec::new())?, flags, Mode::empty())?;
        fcntl_setfl(&near, fcntl_getfl(&near)? | OFlags::NONBLOCK)?;
        resize(&near, size);
        // No pipes, but read and written like them.
        let screen = pipe::Receiver::from_owned_fd_unchecked(near.try_clone()?)?;
        let keys = pipe::Sender::from_owned_fd_unchecked(near.try_clone()?)?;
        Ok((Self { near, screen, keys }, far))
    }

    /// Its parts.
    pub(crate) fn split(self) -> (Window, pipe::Receiver, pipe::Sender) {
        (Window(self.near), self.screen, self.keys)
    }
}

impl Window {
    /// Gives the terminal another size, of which the kernel tells its program.
    pub(crate) fn resize(&self, size: TerminalSize) {
        resize(&self.0, size);
    }
}

fn resize(near: &OwnedFd, TerminalSize { width, height }: TerminalSize) {
    let size = Winsize { ws_row: height, ws_col: width, ws_xpixel: 0, ws_ypixel: 0 };
    // Nothing depends on it.
    let _ = tcsetwinsize(near, size);
}
