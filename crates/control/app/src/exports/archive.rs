//! The archive as it is written: a stream, with what each file held.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use warren_model::{Timestamp, page::PageRequest};
use zip::{
    CompressionMethod, DateTime, ZipWriter,
    write::{SimpleFileOptions, StreamWriter},
};

use super::{
    lines::{Form, show},
    pages::Pages,
};
use crate::{
    AppError, Language,
    records::{Interrupted, Progress},
};

/// The version of the archives' form. It grows when a reader of the form before would misread it.
const FORMAT_VERSION: u32 = 1;

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    pub made_at: Timestamp,
    pub files: Vec<FileInfo>,
    /// Organisations whose part is missing, by their slugs: they were suspended, or their database did not open.
    pub left_out: Vec<String>,
}

/// One file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileInfo {
    pub name: String,
    /// Lines of its table.
    pub lines: u64,
    pub bytes: u64,
    pub sha256: [u8; 32],
}

/// An archive under way.
pub(super) struct Archive<'p, W: Write> {
    /// None while it is being written to elsewhere, and for good once that failed.
    zip: Option<Zip<W>>,
    is_cut: Arc<AtomicBool>,
    progress: &'p dyn Progress,
    made_at: Timestamp,
    files: Vec<FileInfo>,
    left_out: Vec<String>,
    lines: u64,
}

/// A file under way.
struct Current {
    name: String,
    lines: u64,
    bytes: u64,
    hasher: Sha256,
}

impl<'p, W: Write + Send + 'static> Archive<'p, W> {
    pub fn begin(out: W, made_at: Timestamp, progress: &'p dyn Progress) -> Self {
        let is_cut = Arc::new(AtomicBool::new(false));
        let zip = ZipWriter::new_stream(Valve { out, is_cut: Arc::clone(&is_cut) }).set_auto_large_file();
        Self { zip: Some(zip), is_cut, progress, made_at, files: Vec::new(), left_out: Vec::new(), lines: 0 }
    }

    /// Notes that the part of an organisation is missing.
    pub fn leave_out(&mut self, slug: impl ToString) {
        self.left_out.push(slug.to_string());
    }

    /// Adds a table in both forms; its pages are asked for twice.
    pub async fn table(&mut self, name: &str, columns: &[&str], pages: Pages<'_>) -> Result<(), Interrupted> {
        for form in Form::ALL {
            let mut file = self.open(format!("{name}.{}", form.ending())).await?;
            self.write(&mut file, form.begin(columns)?).await?;
            let mut request = PageRequest::first_of_most();
            loop {
                let page = pages.page(&request).await?;
                let lines = form.lines(columns, &page.items, file.lines)?;
                self.write(&mut file, lines).await?;
                file.lines += page.items.len() as u64;
                self.lines += page.items.len() as u64;
                self.progress.say(self.lines, 0)?;
                let Some(cursor) = page.next_cursor else { break };
                request = next(&cursor)?;
            }
            self.write(&mut file, form.end()).await?;
            self.close(file);
        }
        Ok(())
    }

    /// Ends the archive: with a page for its reader, and the manifest. `about` says what it is of.
    pub async fn finish(mut self, about: Value, readme: &str, language: Language) -> Result<Manifest, Interrupted> {
        let mut arguments = vec![("at", show(self.made_at)), ("left_out", self.left_out.join(", "))];
        arguments.push(("missing", self.left_out.len().to_string()));
        let text = format!("{}\n", language.text(readme, &arguments)).replace('\n', "\r\n");
        self.text("README.txt", text.into_bytes()).await?;
        let manifest = Manifest { made_at: self.made_at, files: self.files.clone(), left_out: self.left_out.clone() };
        let listed = serde_json::to_vec_pretty(&written(&manifest, &about));
        self.text("manifest.json", listed.map_err(|error| AppError::Internal(Box::new(error)))?).await?;
        self.with_zip(|zip| Ok(zip.finish()?.flush().map(|()| None)?)).await?;
        Ok(manifest)
    }

    async fn text(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), AppError> {
        let mut file = self.open(name.to_owned()).await?;
        self.write(&mut file, bytes).await?;
        self.close(file);
        Ok(())
    }

    async fn open(&mut self, name: String) -> Result<Current, AppError> {
        let at = self.made_at;
        let (month, day, hour, minute, second) = (at.month().into(), at.day(), at.hour(), at.minute(), at.second());
        let at = DateTime::from_date_and_time(u16::try_from(at.year()).unwrap_or(0), month, day, hour, minute, second);
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(at.unwrap_or_default());
        let file = Current { name: name.clone(), lines: 0, bytes: 0, hasher: Sha256::new() };
        self.with_zip(move |mut zip| zip.start_file(name, options).map(|()| Some(zip))).await?;
        Ok(file)
    }

    async fn write(&mut self, file: &mut Current, bytes: Vec<u8>) -> Result<(), AppError> {
        file.bytes += bytes.len() as u64;
        file.hasher.update(&bytes);
        self.with_zip(move |mut zip| Ok(zip.write_all(&bytes).map(|()| Some(zip))?)).await
    }

    fn close(&mut self, file: Current) {
        let Current { name, lines, bytes, hasher } = file;
        self.files.push(FileInfo { name, lines, bytes, sha256: hasher.finalize().into() });
    }

    /// Compresses and writes where that holds nobody up.
    async fn with_zip(
        &mut self,
        work: impl FnOnce(Zip<W>) -> Result<Option<Zip<W>>, zip::result::ZipError> + Send + 'static,
    ) -> Result<(), AppError> {
        let gone = || AppError::Internal("the archive was ended by an earlier failure".into());
        let zip = self.zip.take().ok_or_else(gone)?;
        let done = tokio::task::spawn_blocking(move || work(zip)).await;
        let done = done.map_err(|error| AppError::Internal(Box::new(error)))?;
        self.zip = done.map_err(|error| AppError::Internal(Box::new(error)))?;
        Ok(())
    }
}

impl<W: Write> Drop for Archive<'_, W> {
    fn drop(&mut self) {
        self.is_cut.store(true, Ordering::Relaxed);
    }
}

type Zip<W> = ZipWriter<StreamWriter<Valve<W>>>;

/// Passes on what is written until the archive is given up: what is left in the middle would be completed when it is dropped, and
/// look like a whole one.
struct Valve<W> {
    out: W,
    is_cut: Arc<AtomicBool>,
}

impl<W: Write> Write for Valve<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_cut.load(Ordering::Relaxed) { Ok(bytes.len()) } else { self.out.write(bytes) }
    }
    fn flush(&mut self) -> io::Result<()> {
        if self.is_cut.load(Ordering::Relaxed) { Ok(()) } else { self.out.flush() }
    }
}

/// The request for the page at `cursor`.
pub(crate) fn next(cursor: &str) -> Result<PageRequest, AppError> {
    let limit = i64::from(PageRequest::LIMIT_MAX);
    PageRequest::new(Some(limit), Some(cursor)).map_err(|invalid| AppError::field("cursor", invalid))
}

fn written(manifest: &Manifest, about: &Value) -> Value {
    let file = |file: &FileInfo| {
        let sha256: String = file.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        json!({ "name": file.name, "lines": file.lines, "bytes": file.bytes, "sha256": sha256 })
    };
    json!({
        "format": "warren-export",
        "format_version": FORMAT_VERSION,
        "of": about,
        "made_at": show(manifest.made_at),
        "made_by": concat!("warren ", env!("CARGO_PKG_VERSION")),
        "left_out": manifest.left_out,
        "files": manifest.files.iter().map(file).collect::<Vec<_>>(),
    })
}
