//! Open files that a program inherits from the one that started it.

/// The first descriptor that is not a standard stream.
const FIRST: i32 = 3;

/// Marks all descriptors above 2 as close-on-exec, so that child processes do not inherit them. The
/// ones that this program opened are marked already; the ones that it inherited (a lock of a script, a
/// pipe that a shell reads to its end) mostly are not.
pub fn keep_from_children() {
    close_fds::set_fds_cloexec_threadsafe(FIRST, &[]);
}
