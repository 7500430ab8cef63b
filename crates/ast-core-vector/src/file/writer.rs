//! Writing an index to a file that is there whole or not at all.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use super::{
    Header, SaveOptions,
    format::{
        ALIGNMENT, Entry, Fields, Kind, Part, ROWS_ALIGNMENT, State, check_model, checksum, damaged, reserved,
    },
    reader::IndexFile,
};
use crate::{
    HnswConfig, Metric, Storage, VectorError,
    kernel::lines::{Plain, bytes},
    rows::Rows,
    step::reach,
};

/// A file that is being written.
///
/// It has another name in the folder of the one that it is to become, and takes that one's place when it is complete
/// and on the disk. Whoever has the old one open keeps it.
pub(crate) struct Writer<'a> {
    path: PathBuf,
    draft: Draft,
    offset: u64,
    table: Vec<Entry>,
    /// Of all blocks.
    checksums: Vec<u64>,
    /// The file that parts of the index are in, if it was opened from one.
    source: Option<&'a IndexFile>,
}

/// A section of blocks that is being written.
pub(crate) struct RowsSection {
    offset: u64,
    /// Which of all the checksums of blocks is that of its first.
    first: usize,
}

/// A file under another name, which goes if it does not take the place that it is meant for.
struct Draft {
    file: File,
    path: PathBuf,
    is_in_place: bool,
}

impl<'a> Writer<'a> {
    /// Begins a file that is to be at `path`.
    pub(crate) fn new(
        path: &Path,
        options: &SaveOptions<'_>,
        source: Option<&'a IndexFile>,
    ) -> Result<Self, VectorError> {
        check_model(options.model)?;
        if cfg!(target_endian = "big") {
            let kind = io::ErrorKind::Unsupported;
            return Err(io_error(path, "write", &io::Error::new(kind, "this machine is not little-endian")));
        }
        if let Some(source) = source {
            source.check()?;
        }
        let draft = Draft::new(path).map_err(|error| io_error(path, "write", &error))?;
        let offset = reserved(options.model);
        Ok(Self { path: path.to_owned(), draft, offset, table: Vec::new(), checksums: Vec::new(), source })
    }

    /// Writes a section that is read at once.
    pub(crate) fn list<T: Plain>(&mut self, part: Part, elements: &[T]) -> Result<(), VectorError> {
        let bytes = bytes(elements);
        let offset = self.begin(ALIGNMENT);
        self.write(bytes)?;
        let (length, checksum) = (bytes.len() as u64, checksum(bytes));
        self.table.push(Entry { part, shift: 0, offset, length, checksum, first: 0 });
        Ok(())
    }

    /// Writes a section that is read block by block, of about `most` bytes at most.
    pub(crate) fn rows<T: Plain>(
        &mut self,
        part: Part,
        rows: &Rows<T>,
        most: usize,
    ) -> Result<(), VectorError> {
        let fitting = (most / (rows.stride() * size_of::<T>())).max(Rows::<T>::GROUP).ilog2();
        let shift = rows.shift().min(fitting);
        let section = self.begin_rows();
        for piece in rows.pieces(shift) {
            let Some(piece) = piece else {
                let source = self.source.map_or(Ok(()), IndexFile::check);
                return source.and(Err(damaged(&self.path, part.name(), "all blocks", "damaged ones")));
            };
            self.block(piece)?;
        }
        self.end_rows(part, shift, section);
        Ok(())
    }

    /// Begins a section that is read block by block, and that is written so.
    pub(crate) fn begin_rows(&mut self) -> RowsSection {
        RowsSection { offset: self.begin(ROWS_ALIGNMENT), first: self.checksums.len() }
    }

    /// Writes the next block of the section that was begun: of as many rows as all others but the last.
    pub(crate) fn block<T: Plain>(&mut self, elements: &[T]) -> Result<(), VectorError> {
        let bytes = bytes(elements);
        self.write(bytes)?;
        self.checksums.push(checksum(bytes));
        Ok(())
    }

    /// Ends a section of blocks of `1 << shift` rows.
    pub(crate) fn end_rows(&mut self, part: Part, shift: u32, section: RowsSection) {
        let RowsSection { offset, first } = section;
        let checksum = checksum(bytes(&self.checksums[first..]));
        let length = self.offset - offset;
        self.table.push(Entry { part, shift, offset, length, checksum, first: first as u64 });
    }

    /// Writes the rest and puts the file in its place.
    pub(crate) fn finish(
        mut self,
        options: &SaveOptions<'_>,
        index: (Kind, usize, Metric, Storage, usize),
        config: Option<&HnswConfig>,
        state: State,
    ) -> Result<(), VectorError> {
        let checksums = std::mem::take(&mut self.checksums);
        self.list(Part::Checksums, &checksums)?;
        let (kind, dimension, metric, storage, len) = index;
        let public = Header {
            version: super::format::VERSION,
            kind,
            dimension,
            metric,
            storage,
            len,
            generation: options.generation,
            model: options.model.to_owned(),
            config: config.cloned(),
        };
        let table = std::mem::take(&mut self.table);
        let header = Fields { public, state, file_length: self.offset, table }.encode();
        let Self { path, mut draft, offset, .. } = self;
        draft.complete(&header, offset, &path).map_err(|error| io_error(&path, "write", &error))
    }

    /// Moves on to where a section can begin.
    fn begin(&mut self, alignment: u64) -> u64 {
        self.offset = self.offset.next_multiple_of(alignment);
        self.offset
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), VectorError> {
        let file = &mut self.draft.file;
        let written = reach("file/write")
            .and_then(|()| file.seek(SeekFrom::Start(self.offset)))
            .and_then(|_| file.write_all(bytes));
        written.map_err(|error| io_error(&self.path, "write", &error))?;
        self.offset += bytes.len() as u64;
        Ok(())
    }
}

impl Draft {
    /// Creates a file beside `path`, and removes those that a process left which ended while it wrote.
    ///
    /// A draft is locked by its writer, so that one that nobody has locked was left behind.
    fn new(path: &Path) -> io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let invalid = || io::Error::new(io::ErrorKind::InvalidInput, "the path does not name a file");
        let name = path.file_name().ok_or_else(invalid)?;
        remove_left(path);
        loop {
            let mut draft = OsString::from(name);
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            draft.push(format!(".{}-{number}{DRAFT}", std::process::id()));
            let path = path.with_file_name(draft);
            let file = match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => file,
                // Of another process of the same number, in another container.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            };
            let mut draft = Self { file, path, is_in_place: false };
            match draft.file.try_lock() {
                // Where files cannot be locked, nothing that was left is removed either.
                Err(TryLockError::Error(_)) => return Ok(draft),
                Ok(()) if draft.path.exists() => return Ok(draft),
                // Another process took it, before it was locked, for one that was left.
                Ok(()) | Err(TryLockError::WouldBlock) => draft.is_in_place = true,
            }
        }
    }

    fn complete(&mut self, header: &[u8], length: u64, path: &Path) -> io::Result<()> {
        // Sections at the end can be empty.
        self.file.set_len(length)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(header)?;
        reach("file/complete")?;
        self.file.sync_all()?;
        reach("file/synced")?;
        fs::rename(&self.path, path)?;
        self.is_in_place = true;
        reach("file/renamed")?;
        sync_folder(path)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_in_place {
            // The error that brought us here tells more than one about this would.
            _ = fs::remove_file(&self.path);
        }
    }
}

/// The end of the name of a file that is being written.
const DRAFT: &str = ".draft";

/// Removes drafts of a file that nobody is writing.
fn remove_left(path: &Path) {
    let (Some(name), Some(folder)) = (path.file_name(), path.parent()) else { return };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let other = entry.file_name();
        // Files whose names are no text may leave drafts.
        let numbers = other
            .to_str()
            .zip(name.to_str())
            .and_then(|(other, name)| other.strip_prefix(name)?.strip_prefix('.')?.strip_suffix(DRAFT))
            .and_then(|numbers| numbers.split_once('-'));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if numbers.is_some_and(|(process, number)| is_number(process) && is_number(number))
            && let Ok(file) = OpenOptions::new().write(true).open(entry.path())
            && file.try_lock().is_ok()
        {
            _ = fs::remove_file(entry.path());
        }
    }
}

/// Makes sure that the new name of a file is on the disk.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Nothing: elsewhere folders cannot be opened, and their file systems keep a log of names.
#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// The error of an operation on a file.
pub(super) fn io_error(path: &Path, action: &'static str, error: &io::Error) -> VectorError {
    VectorError::Io { path: path.to_owned(), action, kind: error.kind(), message: error.to_string() }
}
