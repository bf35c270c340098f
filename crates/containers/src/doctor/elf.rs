//! What a program says about itself: its machine, its loader and the libraries that it needs.

use object::elf::{self, FileHeader32, FileHeader64};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::{Endianness, FileKind};

/// A program in the format of Linux.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Elf {
    /// Its machine, as images name it.
    pub(super) machine: String,
    /// The loader that the kernel starts.
    pub(super) interpreter: Option<String>,
    /// Names of the libraries that it needs.
    pub(super) needed: Vec<String>,
    /// Directories in which it looks for them first.
    pub(super) search: Vec<String>,
    /// How much of the file all this takes, in bytes: the rest was not read if it is more.
    pub(super) extent: u64,
}

/// Reads the beginning of a file; none: it is no such program.
pub(super) fn read(file: &[u8]) -> Option<Elf> {
    // The parser wants aligned bytes; a vector's are.
    match FileKind::parse(file).ok()? {
        FileKind::Elf32 => header::<FileHeader32<Endianness>>(file),
        FileKind::Elf64 => header::<FileHeader64<Endianness>>(file),
        _ => None,
    }
}

fn machine(of: elf::Machine) -> String {
    match of {
        elf::EM_X86_64 => "amd64".into(),
        elf::EM_386 => "386".into(),
        elf::EM_AARCH64 => "arm64".into(),
        elf::EM_ARM => "arm".into(),
        elf::EM_PPC64 => "ppc64le".into(),
        elf::EM_S390 => "s390x".into(),
        elf::EM_RISCV => "riscv64".into(),
        other => format!("machine {}", other.0),
    }
}

fn header<H: FileHeader<Endian = Endianness>>(file: &[u8]) -> Option<Elf> {
    let header = H::parse(file).ok()?;
    let endian = header.endian().ok()?;
    let mut found = Elf { machine: machine(header.e_machine(endian)), ..Elf::default() };
    let Ok(segments) = header.program_headers(endian, file) else { return Some(found) };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for segment in segments {
        let kind = segment.p_type(endian);
        if kind == elf::PT_INTERP || kind == elf::PT_DYNAMIC {
            let (offset, size) = segment.file_range(endian);
            found.extent = found.extent.max(offset.saturating_add(size));
        }
        if let Ok(Some(interpreter)) = segment.interpreter(endian, file) {
            found.interpreter = Some(text(interpreter));
        }
    }
    let dynamic = segments.iter().find_map(|segment| segment.dynamic(endian, file).ok().flatten());
    let Some(dynamic) = dynamic else { return Some(found) };
    let value = |tag| dynamic.iter().find(|one| one.tag(endian) == tag).map(|one| one.val(endian));
    let strings = value(elf::DT_STRTAB).zip(value(elf::DT_STRSZ)).and_then(|(at, size)| {
        segments.iter().filter(|segment| segment.p_type(endian) == elf::PT_LOAD).find_map(
            |segment| {
                // Not the segment's whole content, of which only a part was read.
                let start: u64 = segment.p_vaddr(endian).into();
                let length: u64 = segment.p_filesz(endian).into();
                let inside = at.checked_sub(start).filter(|inside| *inside < length)?;
                let offset: u64 = segment.p_offset(endian).into();
                let from = usize::try_from(offset.checked_add(inside)?).ok()?;
                file.get(from..from.checked_add(usize::try_from(size).ok()?)?)
            },
        )
    });
    let strings = strings.unwrap_or_default();
    let string = |at: u64| {
        let rest = strings.get(usize::try_from(at).ok()?..)?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        Some(text(&rest[..end]))
    };
    for one in dynamic {
        let tag = one.tag(endian);
        let Some(name) = string(one.val(endian)) else { continue };
        if tag == elf::DT_NEEDED {
            found.needed.push(name);
        } else if tag == elf::DT_RUNPATH || tag == elf::DT_RPATH {
            found.search.extend(name.split(':').map(str::to_owned));
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program() {
        let own = std::fs::read(std::env::current_exe().expect("a path")).expect("read");
        let found = read(&own).expect("a program");
        assert_eq!(found.machine == "amd64", cfg!(target_arch = "x86_64"));
        assert!(found.interpreter.is_some_and(|it| it.starts_with('/')));
        assert!(found.needed.iter().any(|name| name.starts_with("libc.so")), "{:?}", found.needed);
        let enough = usize::try_from(found.extent).expect("a size");
        let begun = read(&own[..enough]).expect("a program");
        assert_eq!(begun.needed, found.needed, "the beginning is enough");
        assert!(read(&own[..64]).is_some_and(|it| it.needed.is_empty()));
        assert_eq!(read(b"#!/bin/sh\n"), None);
    }
}
