//! Many objects as one tar stream, so that a thousand small ones cost one call.

use std::cell::Cell;
use std::io::{self, Read, Write};

use ovhai_api_types::{ObjectName, ObjectsDone};
use tar::{Archive, Builder, EntryType, Header};

use super::bucket::{Bucket, size};
use super::write::Writer;
use super::{ObjectError, Result};

/// Bytes that are copied at once.
const CHUNK: usize = 256 * 1024;
/// Maximum bytes behind the end of an archive.
const PADDING: u64 = 1024 * 1024;
/// Maximum bytes between two objects: headers, long names, and what is no object.
const BETWEEN: u64 = 1024 * 1024;
/// Mode of objects in an archive.
const MODE: u32 = 0o644;

/// Writes the objects of a tar stream, each as soon as it is complete. `named` gives the name of one by
/// that in the archive; `passed` receives the number of bytes of each step.
pub fn unpack(
    bucket: &Bucket,
    from: impl Read,
    overwrite: bool,
    named: impl FnMut(ObjectName) -> Result<ObjectName>,
    passed: impl FnMut(u64),
) -> Result<ObjectsDone> {
    let mut done = ObjectsDone::default();
    let mut writer = Writer::new(bucket, overwrite);
    let outcome = unpack_each(&mut writer, from, &mut done, named, passed);
    // What was written stays, whatever came after.
    writer.end()?;
    match outcome {
        Ok(()) => Ok(done),
        Err(ObjectError::BrokenOff(why)) if done.objects > 0 => Err(ObjectError::BrokenOff(
            format!("{why}; the {} objects before were written", done.objects),
        )),
        Err(error) => Err(error),
    }
}

fn unpack_each(
    writer: &mut Writer<'_>,
    from: impl Read,
    done: &mut ObjectsDone,
    mut named: impl FnMut(ObjectName) -> Result<ObjectName>,
    mut passed: impl FnMut(u64),
) -> Result<()> {
    let limit = Cell::new(BETWEEN);
    let broken = |error: io::Error| {
        if limit.get() > 0 {
            return ObjectError::BrokenOff(error.to_string());
        }
        let why = "there is more than 1 MiB between two objects of the archive, such as a name or a directory with content";
        ObjectError::Invalid(why.into())
    };
    let mut from = io::BufReader::with_capacity(CHUNK, from);
    let mut buffer = vec![0; CHUNK];
    {
        // The archive reads names to their ends, however long they are.
        let mut archive = Archive::new(Limited { from: &mut from, left: &limit });
        let mut entries = archive.entries().map_err(broken)?;
        loop {
            limit.set(BETWEEN);
            let Some(entry) = entries.next() else { break };
            let mut entry = entry.map_err(broken)?;
            match entry.header().entry_type() {
                EntryType::Regular | EntryType::Continuous => {}
                EntryType::Directory | EntryType::XGlobalHeader => continue,
                _ => {
                    let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
                    let why = "only files can be objects, no links and no devices";
                    return Err(ObjectError::Invalid(format!("{name:?}: {why}")));
                }
            }
            let name = String::from_utf8(entry.path_bytes().into_owned())
                .map_err(|_| ObjectError::Invalid("an object's name is not UTF-8".into()))?;
            let name = ObjectName::try_from(name)
                .map_err(|error| ObjectError::Invalid(error.to_string()))?;
            let name = named(name)?;
            let Some(mut part) = writer.begin(&name)? else {
                done.skipped += 1;
                limit.set(u64::MAX);
                io::copy(&mut entry, &mut io::sink()).map_err(broken)?;
                continue;
            };
            limit.set(u64::MAX);
            let mut left = entry.size();
            while left > 0 {
                let most = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
                let count = entry.read(&mut buffer[..most]).map_err(broken)?;
                if count == 0 {
                    return Err(ObjectError::BrokenOff(format!("the archive ends within {name}")));
                }
                part.file.write_all(&buffer[..count])?;
                left -= count as u64;
                passed(count as u64);
            }
            let bytes = entry.size();
            if part.finish()? {
                done.objects += 1;
                done.bytes += bytes;
            } else {
                done.skipped += 1;
            }
        }
    }
    let rest = io::copy(&mut from.take(PADDING), &mut io::sink()).map_err(broken)?;
    if rest == PADDING {
        return Err(ObjectError::Invalid(
            "there are more bytes after the end of the archive".into(),
        ));
    }
    Ok(())
}

/// A reader that ends with an error when it has read as much as is left.
struct Limited<'l, R> {
    from: R,
    left: &'l Cell<u64>,
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left.get()).unwrap_or(usize::MAX).min(to.len());
        if most == 0 && !to.is_empty() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let count = self.from.read(&mut to[..most])?;
        self.left.set(self.left.get() - count as u64);
        Ok(count)
    }
}

/// Writes objects as a tar stream; those that do not exist are left out.
pub fn pack(bucket: &Bucket, names: &[ObjectName], to: impl Write) -> io::Result<()> {
    let mut builder = Builder::new(to);
    names.iter().try_for_each(|name| append(bucket, name, &mut builder))?;
    builder.finish()
}

fn append(bucket: &Bucket, name: &ObjectName, builder: &mut Builder<impl Write>) -> io::Result<()> {
    let (mut file, stat) = match bucket.open_object(name) {
        Ok(opened) => opened,
        Err(ObjectError::NotFound(_)) => return Ok(()),
        Err(ObjectError::System(error)) => return Err(error),
        Err(_) => return Err(io::Error::other(format!("{name} can't be read"))),
    };
    append_file(builder, name, &mut file, size(&stat), |_| ())
}

/// Appends a file to an archive; `passed` receives the number of bytes of each step.
pub fn append_file(
    builder: &mut Builder<impl Write>,
    name: &ObjectName,
    file: &mut impl Read,
    length: u64,
    passed: impl FnMut(u64),
) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_size(length);
    header.set_mode(MODE);
    let mut part = Counted { from: file.take(length), passed };
    builder.append_data(&mut header, name.as_str(), &mut part)?;
    if part.from.limit() > 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("{name} became shorter")));
    }
    Ok(())
}

/// A reader that reports how much it reads.
struct Counted<R, F> {
    from: R,
    passed: F,
}

impl<R: Read, F: FnMut(u64)> Read for Counted<R, F> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(to)?;
        (self.passed)(count as u64);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, Mode, OFlags, openat};

    use super::*;

    fn bucket(path: &std::path::Path) -> Bucket {
        Bucket::of_directory(openat(CWD, path, OFlags::DIRECTORY, Mode::empty()).unwrap())
    }

    fn object(name: &str, content: &[u8]) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        let name = ObjectName::try_from(name.to_owned()).unwrap();
        append_file(&mut builder, &name, &mut &*content, content.len() as u64, |_| ()).unwrap();
        let mut all = builder.into_inner().unwrap();
        all.truncate(all.len() - 1024);
        all
    }

    fn header(kind: EntryType, size: u64) -> Vec<u8> {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_path("x").unwrap();
        header.set_size(size);
        header.set_cksum();
        header.as_bytes().to_vec()
    }

    #[test]
    fn what_is_no_object_takes_no_memory() {
        let all = tempfile::tempdir().unwrap();
        let bucket = bucket(all.path());
        let kinds = [
            EntryType::GNULongName,
            EntryType::GNULongLink,
            EntryType::XHeader,
            EntryType::XGlobalHeader,
            EntryType::Directory,
        ];
        for kind in kinds {
            let mut read = 0;
            let begin = [object("a", b"x"), header(kind, 64 << 30)].concat();
            // Much less than it says, so that the test fails and not the machine.
            let all = begin.chain(io::repeat(b'n').take(32 << 20));
            let counted = Counted { from: all, passed: |count| read += count };
            let outcome = unpack(&bucket, counted, true, Ok, |_| ());
            assert!(matches!(outcome, Err(ObjectError::Invalid(_))), "{kind:?}: {outcome:?}");
            assert!(read < 2 << 20, "{kind:?}: {read} bytes were read");
        }
    }

    #[test]
    fn objects_of_any_size_are_unpacked_and_skipped() {
        let all = tempfile::tempdir().unwrap();
        let bucket = bucket(all.path());
        let big = vec![7; 3 << 20];
        let long = format!("{}/b", "d/".repeat(200).trim_end_matches('/'));
        let archive = [object("a", &big), object(&long, &big), object("c", b"c")].concat();
        for (overwrite, objects) in [(false, 3), (false, 0), (true, 3)] {
            let done = unpack(&bucket, &*archive, overwrite, Ok, |_| ()).unwrap();
            assert_eq!((done.objects, done.skipped), (objects, 3 - objects));
        }
        assert_eq!(std::fs::read(all.path().join(long)).unwrap(), big);
    }
}
