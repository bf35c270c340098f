//! Open files that a program has of the one that started it.

/// The first descriptor that is not a standard stream.
const FIRST: i32 = 3;

/// Marks all descriptors above 2 so that programs that this one starts do not get them. Those that
/// this program opens by itself are marked already; what it got of its starter (a lock of a script, a
/// pipe that a shell reads to its end) mostly is not.
pub fn keep_from_children() {
    close_fds::set_fds_cloexec_threadsafe(FIRST, &[]);
}
