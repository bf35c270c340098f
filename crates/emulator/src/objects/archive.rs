//! Many objects as one tar stream, so that a thousand small ones cost one call.

use std::io::{self, Read, Write};

use ovhai_api_types::{ObjectName, ObjectsDone};
use tar::{Archive, Builder, EntryType, Header};

use super::bucket::{Bucket, size};
use super::write::Writer;
use super::{ObjectError, Result};
use crate::pieces::PieceWriter;

/// Bytes that are copied at once.
const CHUNK: usize = 256 * 1024;
/// Maximum bytes behind the end of an archive.
const PADDING: u64 = 1024 * 1024;
/// Mode of objects in an archive.
const MODE: u32 = 0o644;

/// Writes the objects of a tar stream, each as soon as it is complete.
pub(crate) fn unpack(bucket: &Bucket, from: impl Read, overwrite: bool) -> Result<ObjectsDone> {
    let mut done = ObjectsDone::default();
    let mut writer = Writer::new(bucket, overwrite);
    let outcome = unpack_each(&mut writer, from, &mut done);
    // What was written stays, whatever came after.
    writer.end()?;
    match outcome {
        Ok(()) => Ok(done),
        Err(ObjectError::BrokenOff(why)) if done.objects > 0 => Err(ObjectError::BrokenOff(format!(
            "{why}; the {} objects before were written",
            done.objects
        ))),
        Err(error) => Err(error),
    }
}

fn unpack_each(writer: &mut Writer<'_>, from: impl Read, done: &mut ObjectsDone) -> Result<()> {
    let broken = |error: io::Error| ObjectError::BrokenOff(error.to_string());
    let mut from = io::BufReader::with_capacity(CHUNK, from);
    let mut buffer = vec![0; CHUNK];
    {
        let mut archive = Archive::new(&mut from);
        for entry in archive.entries().map_err(broken)? {
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
            let Some(mut part) = writer.begin(&name)? else {
                done.skipped += 1;
                continue;
            };
            let mut left = entry.size();
            while left > 0 {
                let most = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
                let count = entry.read(&mut buffer[..most]).map_err(broken)?;
                if count == 0 {
                    return Err(ObjectError::BrokenOff(format!("the archive ends within {name}")));
                }
                part.file.write_all(&buffer[..count])?;
                left -= count as u64;
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
        return Err(ObjectError::Invalid("there are more bytes after the end of the archive".into()));
    }
    Ok(())
}

/// Writes objects as a tar stream; those that do not exist are left out.
pub(crate) fn pack(bucket: &Bucket, names: &[ObjectName], to: PieceWriter) {
    let mut builder = Builder::new(to);
    let outcome = names.iter().try_for_each(|name| append(bucket, name, &mut builder));
    let outcome = outcome.and_then(|()| builder.finish());
    // Finishing again does nothing.
    if let Ok(to) = builder.into_inner() {
        to.end(outcome);
    }
}

fn append(
    bucket: &Bucket,
    name: &ObjectName,
    builder: &mut Builder<PieceWriter>,
) -> io::Result<()> {
    let (mut file, stat) = match bucket.open_object(name) {
        Ok(opened) => opened,
        Err(ObjectError::NotFound(_)) => return Ok(()),
        Err(ObjectError::System(error)) => return Err(error),
        Err(_) => return Err(io::Error::other(format!("{name} can't be read"))),
    };
    let length = size(&stat);
    let mut header = Header::new_gnu();
    header.set_size(length);
    header.set_mode(MODE);
    header.set_mtime(u64::try_from(stat.st_mtime).unwrap_or(0));
    let mut part = (&mut file).take(length);
    builder.append_data(&mut header, name.as_str(), &mut part)?;
    if part.limit() > 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("{name} became shorter")));
    }
    Ok(())
}
