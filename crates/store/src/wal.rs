//! Counts the frames of a write-ahead log of SQLite (format:
//! <https://www.sqlite.org/fileformat2.html#walformat>).
//!
//! SQLite takes the frames up to the last complete commit and does not report the rest. This counts
//! the rest, and writes nothing.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The magic number of a log whose checksums are big-endian; one less: little-endian.
const MAGIC_BIG: u32 = 0x377f_0683;
const MAGIC_LITTLE: u32 = 0x377f_0682;

/// Path of the log of a database.
pub(crate) fn path_of(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push("-wal");
    path.into()
}

/// What recovery takes of a log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Frames {
    /// Frames up to the last complete commit, which recovery takes.
    pub(crate) taken: u64,
    /// Frames of the same log after those, which it leaves.
    pub(crate) left: u64,
    /// Commits that end in one of the frames that are left.
    pub(crate) commits_left: u64,
}

/// Counts the frames of a log; none in a file of another format.
pub(crate) fn frames(log: &Path) -> io::Result<Frames> {
    count(&mut BufReader::with_capacity(256 * 1024, File::open(log)?))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_be_bytes(word)
}

/// Continues a checksum, 8 bytes at a time.
fn sum(mut sums: (u32, u32), bytes: &[u8], is_big: bool) -> (u32, u32) {
    for pair in bytes.chunks_exact(8) {
        let word = |at: usize| {
            let word = word(pair, at);
            if is_big { word } else { word.swap_bytes() }
        };
        sums.0 = sums.0.wrapping_add(word(0)).wrapping_add(sums.1);
        sums.1 = sums.1.wrapping_add(word(4)).wrapping_add(sums.0);
    }
    sums
}

fn count(log: &mut impl Read) -> io::Result<Frames> {
    let mut found = Frames::default();
    let mut header = [0; HEADER];
    if !fill(log, &mut header)? {
        return Ok(found);
    }
    let is_big = word(&header, 0) == MAGIC_BIG;
    let page = word(&header, 8) as usize;
    let is_log = is_big || word(&header, 0) == MAGIC_LITTLE;
    if !is_log || !page.is_power_of_two() || !(512..=65_536).contains(&page) {
        return Ok(found);
    }
    let mut sums = sum((0, 0), &header[..24], is_big);
    let mut is_whole = sums == (word(&header, 24), word(&header, 28));
    let mut frame = vec![0; FRAME_HEADER + page];
    let mut since_commit = 0;
    while fill(log, &mut frame)? {
        if frame[8..16] != header[16..24] {
            // A frame of an earlier log.
            break;
        }
        let ends_commit = word(&frame, 4) != 0;
        if is_whole {
            sums = sum(sums, &frame[..8], is_big);
            sums = sum(sums, &frame[FRAME_HEADER..], is_big);
            is_whole = sums == (word(&frame, 16), word(&frame, 20)) && word(&frame, 0) != 0;
        }
        since_commit += 1;
        if is_whole && ends_commit {
            found.taken += since_commit;
            since_commit = 0;
        } else if ends_commit {
            found.commits_left += 1;
        }
    }
    found.left = since_commit;
    Ok(found)
}

/// Fills the buffer; false at the end of the file.
fn fill(from: &mut impl Read, room: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(room) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log as SQLite writes it: three commits, of which the middle one may be damaged.
    fn log() -> Vec<u8> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        connection.execute_batch("CREATE TABLE t (x)").unwrap();
        for _ in 0..2 {
            connection.execute("INSERT INTO t VALUES (1)", []).unwrap();
        }
        std::fs::read(path_of(&path)).unwrap()
    }

    fn counted(log: &[u8]) -> (u64, u64, u64) {
        let Frames { taken, left, commits_left } = count(&mut &log[..]).unwrap();
        (taken, left, commits_left)
    }

    #[test]
    fn complete_frames_are_read_and_the_rest_counted() {
        let mut log = log();
        let frame = FRAME_HEADER + word(&log, 8) as usize;
        // The table takes two pages, a row one.
        assert_eq!((log.len() - HEADER) / frame, 4);
        assert_eq!(counted(&log), (4, 0, 0));
        assert_eq!(counted(&log[..HEADER + 3 * frame + 100]), (3, 0, 0), "a part of a frame");
        assert_eq!(counted(&log[..HEADER + frame]), (0, 1, 0), "a part of a commit");
        log[HEADER + 2 * frame + 500] ^= 1;
        assert_eq!(counted(&log), (2, 2, 2));
        log[20] ^= 1;
        assert_eq!(counted(&log), (0, 0, 0), "frames of another log");
        assert_eq!(counted(&log[..20]), (0, 0, 0));
        assert_eq!(counted(&vec![7; 5000]), (0, 0, 0));
    }
}
