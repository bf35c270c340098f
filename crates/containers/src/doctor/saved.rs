//! An image in a file, as `docker save` writes it or in the layout of OCI. No engine is needed.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;
use tar::EntryType;

use super::archive::{Archive, Kind, Stat, Tree, join};
use super::config::Config;

/// Maximum size of a description in the file, in bytes.
const MAX_JSON: u64 = 16 * 1024 * 1024;
/// Maximum number of files: more is no image.
const MAX_FILES: usize = 4_000_000;
/// Maximum number of links that a path leads through, as in Linux.
const MAX_LINKS: u32 = 40;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A part of the file.
#[derive(Debug, Clone, Copy)]
struct Part {
    offset: u64,
    size: u64,
}

#[derive(Debug, Clone)]
struct Layer {
    part: Part,
    is_compressed: bool,
}

#[derive(Debug, Clone)]
struct Entry {
    kind: Kind,
    mode: u32,
    owner: (u64, u64),
    target: Option<String>,
    /// The layer that has its content, and where: the position in the layer, or how many entries are
    /// before it if the layer is compressed.
    layer: usize,
    at: u64,
    size: u64,
}

/// An image in a file.
#[derive(Debug)]
pub(super) struct SavedImage {
    file: PathBuf,
    layers: Vec<Layer>,
    files: BTreeMap<String, Entry>,
    pub(super) config: Config,
}

impl SavedImage {
    /// Reads the descriptions and the lists of files; the error says what is wrong with the file.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let said = |error: std::io::Error| error.to_string();
        let mut file = File::open(path).map_err(said)?;
        let mut magic = [0; 4];
        let length = file.read(&mut magic).map_err(said)?;
        if magic.starts_with(&GZIP) {
            return Err("it is compressed: gunzip it first".into());
        }
        if length < 4 {
            return Err("it is empty".into());
        }
        file.rewind().map_err(said)?;
        let parts = Parts::of(&file).map_err(|error| format!("it is no archive: {error}"))?;
        let (config, layers) = parts.image()?;
        let mut config_value = config;
        let mut image = Self {
            file: path.to_owned(),
            layers: Vec::new(),
            files: BTreeMap::new(),
            config: Config::default(),
        };
        let mut size = 0;
        for name in layers {
            let part = parts.find(&name).ok_or_else(|| format!("the layer {name} is missing"))?;
            size += image.add(&file, part).map_err(|error| format!("layer {name}: {error}"))?;
        }
        config_value["size"] = size.into();
        image.config = Config::parse(&config_value);
        Ok(image)
    }

    /// All files of a container in one archive, as an engine exports them.
    pub(super) fn exported(path: &Path, config: Config) -> Result<Self, String> {
        let said = |error: std::io::Error| error.to_string();
        let file = File::open(path).map_err(said)?;
        let size = file.metadata().map_err(said)?.len();
        let (file_path, layers, files) = (path.to_owned(), Vec::new(), BTreeMap::new());
        let mut image = Self { file: file_path, layers, files, config };
        image.add(&file, Part { offset: 0, size })?;
        Ok(image)
    }

    /// Adds a layer; returns the size of its files, in bytes.
    fn add(&mut self, file: &File, part: Part) -> Result<u64, String> {
        let said = |error: std::io::Error| error.to_string();
        let mut magic = [0; 4];
        let mut begin = open_part(file, part).map_err(said)?;
        let _ = begin.read(&mut magic).map_err(said)?;
        if magic == ZSTD {
            return Err("it is compressed with zstd, which is not supported".into());
        }
        let is_compressed = magic.starts_with(&GZIP);
        let layer = self.layers.len();
        self.layers.push(Layer { part, is_compressed });
        let reader = open_part(file, part).map_err(said)?;
        if is_compressed {
            let mut archive = tar::Archive::new(GzDecoder::new(BufReader::new(reader)));
            self.scan(archive.entries().map_err(said)?, layer, true)
        } else {
            let mut archive = tar::Archive::new(BufReader::new(reader));
            self.scan(archive.entries_with_seek().map_err(said)?, layer, false)
        }
    }

    fn scan<R: Read>(
        &mut self,
        entries: tar::Entries<'_, R>,
        layer: usize,
        by_number: bool,
    ) -> Result<u64, String> {
        let said = |error: std::io::Error| error.to_string();
        let mut size = 0;
        let mut own: Vec<(String, Entry)> = Vec::new();
        for (number, entry) in entries.enumerate() {
            let entry = entry.map_err(said)?;
            let path = join("/", &String::from_utf8_lossy(&entry.path_bytes()));
            let (directory, name) = path.rsplit_once('/').unwrap_or(("", &path));
            if name == ".wh..wh..opq" {
                self.remove_below(directory);
                continue;
            }
            if let Some(gone) = name.strip_prefix(".wh.") {
                let gone = format!("{directory}/{gone}");
                self.files.remove(&gone);
                self.remove_below(&gone);
                continue;
            }
            let header = entry.header();
            let owner = (header.uid().unwrap_or(0), header.gid().unwrap_or(0));
            let target =
                entry.link_name_bytes().map(|name| String::from_utf8_lossy(&name).into_owned());
            let kind = match header.entry_type() {
                EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => Kind::File,
                EntryType::Directory => Kind::Directory,
                EntryType::Symlink => Kind::Link,
                EntryType::Link => {
                    let of = join("/", target.as_deref().unwrap_or_default());
                    let known = own.iter().rev().find(|(path, _)| *path == of);
                    if let Some(same) = known.map(|(_, it)| it).or_else(|| self.files.get(&of)) {
                        own.push((path, same.clone()));
                    }
                    continue;
                }
                _ => Kind::Other,
            };
            size += entry.size();
            let at = if by_number { number as u64 } else { entry.raw_file_position() };
            let mode = header.mode().unwrap_or(0) & 0o7777;
            own.push((path, Entry { kind, mode, owner, target, layer, at, size: entry.size() }));
            if own.len() + self.files.len() > MAX_FILES {
                return Err("it has too many files".into());
            }
        }
        for (path, entry) in own {
            if path == "/" {
                continue;
            }
            if entry.kind != Kind::Directory {
                self.remove_below(&path);
            }
            self.files.insert(path, entry);
        }
        Ok(size)
    }

    fn remove_below(&mut self, directory: &str) {
        let start = format!("{}/", directory.trim_end_matches('/'));
        let below: Vec<String> = self.below(&start).map(|(path, _)| path.clone()).collect();
        for path in below {
            self.files.remove(&path);
        }
    }

    fn below<'a>(&'a self, start: &'a str) -> impl Iterator<Item = (&'a String, &'a Entry)> {
        let from = self.files.range(start.to_owned()..);
        from.take_while(move |(path, _)| path.starts_with(start))
    }

    fn stat_of(path: &str, entry: &Entry) -> Stat {
        let Entry { kind, mode, owner, .. } = entry;
        Stat { path: path.to_owned(), kind: *kind, mode: *mode, owner: Some(*owner) }
    }

    /// The file at a path, through links.
    fn find(&self, path: &str) -> Option<Stat> {
        let root =
            Stat { path: "/".into(), kind: Kind::Directory, mode: 0o755, owner: Some((0, 0)) };
        let mut rest: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut at = String::new();
        let mut found = root.clone();
        let mut links = 0;
        while let Some(part) = rest.pop() {
            if part.is_empty() || part == "." {
                continue;
            }
            let next = join(&at, &part);
            match self.files.get(&next) {
                _ if next == "/" => {
                    at.clear();
                    found = root.clone();
                }
                Some(Entry { kind: Kind::Link, target, .. }) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return None;
                    }
                    let target = target.as_deref().unwrap_or_default();
                    if target.starts_with('/') {
                        at.clear();
                    }
                    rest.extend(target.split('/').rev().map(str::to_owned));
                }
                Some(entry) => {
                    found = Self::stat_of(&next, entry);
                    at = next;
                }
                // Layers may leave parents out.
                None if self.below(&format!("{next}/")).next().is_some() => {
                    found = Stat { path: next.clone(), ..root.clone() };
                    at = next;
                }
                None => return None,
            }
        }
        Some(found)
    }

    fn content(&self, path: &str, limit: usize) -> std::io::Result<Vec<u8>> {
        let Some(entry) = self.files.get(path) else { return Ok(Vec::new()) };
        let Some(layer) = self.layers.get(entry.layer) else { return Ok(Vec::new()) };
        let file = File::open(&self.file)?;
        let mut bytes = Vec::new();
        if layer.is_compressed {
            let reader = GzDecoder::new(BufReader::new(open_part(&file, layer.part)?));
            let mut archive = tar::Archive::new(reader);
            let number = usize::try_from(entry.at).unwrap_or(usize::MAX);
            if let Some(found) = archive.entries()?.nth(number) {
                found?.take(limit as u64).read_to_end(&mut bytes)?;
            }
        } else {
            let mut reader = open_part(&file, layer.part)?;
            reader.seek(SeekFrom::Start(entry.at))?;
            reader.take(entry.size.min(limit as u64)).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    }
}

impl Archive for SavedImage {
    async fn stat(&self, path: &str) -> Result<Option<Stat>, String> {
        Ok(self.find(path))
    }

    async fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, String> {
        self.content(path, limit).map_err(|error| format!("{path} can't be read: {error}"))
    }

    async fn tree(&self, path: &str, limit: usize) -> Result<Tree, String> {
        let start = format!("{}/", path.trim_end_matches('/'));
        let own = self.find(path).into_iter();
        let files = own.chain(self.below(&start).map(|(path, entry)| Self::stat_of(path, entry)));
        // As much as an archive with a kibibyte a file would have.
        Ok(Tree { files: files.take(limit / 1024).collect() })
    }
}

/// A part of the file as a file of its own.
fn open_part(file: &File, part: Part) -> std::io::Result<Section> {
    let mut file = file.try_clone()?;
    file.seek(SeekFrom::Start(part.offset))?;
    Ok(Section { file, part, at: 0 })
}

#[derive(Debug)]
struct Section {
    file: File,
    part: Part,
    at: u64,
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = usize::try_from(self.part.size.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = left.min(buffer.len());
        // Descriptors of one file share their position.
        let count = std::os::unix::fs::FileExt::read_at(
            &self.file,
            &mut buffer[..wanted],
            self.part.offset + self.at,
        )?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Section {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.part.size.checked_add_signed(by),
        };
        self.at = at.ok_or(std::io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// What the file has.
struct Parts<'a> {
    file: &'a File,
    parts: HashMap<String, Part>,
    links: HashMap<String, String>,
}

impl<'a> Parts<'a> {
    fn of(file: &'a File) -> std::io::Result<Self> {
        let (mut parts, mut links) = (HashMap::new(), HashMap::new());
        let mut archive = tar::Archive::new(file);
        for entry in archive.entries_with_seek()? {
            let entry = entry?;
            let path = join("/", &String::from_utf8_lossy(&entry.path_bytes()));
            let part = Part { offset: entry.raw_file_position(), size: entry.size() };
            if let (EntryType::Symlink, Some(target)) =
                (entry.header().entry_type(), entry.link_name_bytes())
            {
                // Older versions of docker save write a layer that two images share once.
                let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
                let target = join(directory, &String::from_utf8_lossy(&target));
                links.insert(path, target);
            } else {
                parts.insert(path, part);
            }
        }
        Ok(Self { file, parts, links })
    }

    fn find(&self, name: &str) -> Option<Part> {
        let path = join("/", name);
        let target = self.links.get(&path).unwrap_or(&path);
        self.parts.get(target).copied()
    }

    fn json(&self, name: &str) -> Result<Option<Value>, String> {
        let Some(part) = self.find(name) else { return Ok(None) };
        let wrong = |why: String| format!("{name} in it can't be read: {why}");
        let mut text = Vec::new();
        let section = open_part(self.file, part).map_err(|error| wrong(error.to_string()))?;
        let mut section = section.take(MAX_JSON);
        section.read_to_end(&mut text).map_err(|error| wrong(error.to_string()))?;
        serde_json::from_slice(&text).map(Some).map_err(|error| wrong(error.to_string()))
    }

    fn blob(&self, descriptor: &Value) -> Result<(String, Value), String> {
        let name = blob_name(descriptor).ok_or("a description in it has no digest")?;
        let json = self.json(&name)?.ok_or_else(|| format!("{name} is missing in it"))?;
        Ok((name, json))
    }

    /// The configuration of the image, and the names of its layers.
    fn image(&self) -> Result<(Value, Vec<String>), String> {
        if let Some(manifest) = self.json("manifest.json")? {
            let first = &manifest[0];
            let config = first["Config"].as_str().ok_or("its manifest.json names no image")?;
            let layers = first["Layers"].as_array().into_iter().flatten();
            let layers = layers.filter_map(Value::as_str).map(str::to_owned).collect();
            let config = self.json(config)?.ok_or_else(|| format!("{config} is missing in it"))?;
            return Ok((config, layers));
        }
        let Some(mut index) = self.json("index.json")? else {
            return Err("it has neither a manifest.json nor an index.json: make it with docker save IMAGE -o FILE".into());
        };
        // An index may name another one.
        for _ in 0..4 {
            let all = index["manifests"].as_array().cloned().unwrap_or_default();
            let is_ours = |one: &&Value| {
                one["platform"]["architecture"] == "amd64" && one["platform"]["os"] == "linux"
            };
            let chosen = all.iter().find(is_ours).or_else(|| all.first());
            let (_, json) = self.blob(chosen.ok_or("its index.json names no image")?)?;
            if json["layers"].is_array() {
                let (_, config) = self.blob(&json["config"])?;
                let layers = json["layers"].as_array().into_iter().flatten();
                return Ok((config, layers.filter_map(blob_name).collect()));
            }
            index = json;
        }
        Err("its index.json names no image".into())
    }
}

fn blob_name(descriptor: &Value) -> Option<String> {
    let (kind, hash) = descriptor["digest"].as_str()?.split_once(':')?;
    Some(format!("blobs/{kind}/{hash}"))
}
