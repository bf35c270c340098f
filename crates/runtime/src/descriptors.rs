//! Open files that a program inherits from the one that started it, or gets over a socket.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// The first descriptor that is not a standard stream.
const FIRST: i32 = 3;

/// Marks all descriptors above 2 as close-on-exec, so that child processes do not inherit them. The
/// ones that this program opened are marked already; the ones that it inherited (a lock of a script, a
/// pipe that a shell reads to its end) mostly are not.
pub fn keep_from_children() {
    close_fds::set_fds_cloexec_threadsafe(FIRST, &[]);
}

/// Sends bytes, of which there must be some, and a file with the first of them.
pub(crate) fn send(socket: &UnixStream, bytes: &[u8], file: Option<&OwnedFd>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut more = SendAncillaryBuffer::new(&mut space);
    let files = file.map(|file| [file.as_fd()]);
    if let Some(files) = &files {
        more.push(SendAncillaryMessage::ScmRights(files));
    }
    sendmsg(socket, &[IoSlice::new(bytes)], &mut more, SendFlags::empty())?;
    Ok(())
}

/// Receives as many bytes as there is room for, at least one, and the file that came with them.
pub(crate) fn receive(socket: &UnixStream, room: &mut [u8]) -> io::Result<Option<OwnedFd>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut more = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC;
    let received = loop {
        match recvmsg(socket, &mut [IoSliceMut::new(room)], &mut more, flags) {
            Err(rustix::io::Errno::INTR) => {}
            received => break received?,
        }
    };
    if received.bytes == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut files = more.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(files) => Some(files),
        _ => None,
    });
    Ok(files.next().and_then(|mut files| files.next()))
}
