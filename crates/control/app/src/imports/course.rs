//! The course of an import, whatever its lines are: read some, resolve them, carry them out, write down what came of each.

use std::{
    io::Write,
    sync::atomic::{AtomicU64, Ordering},
};

use warren_storage::StorageError;

use super::{ERRORS_MAX, End, Import, Mode, Outcome, result::Results, result::Words};
use crate::{
    AppError, Inside,
    records::{
        LineError, Proceed, Progress,
        csv::{Column, Columns, FileProblem, Row, Rows, Table},
    },
};

/// Lines that are read and looked up at once, and carried out in one transaction where lines stand alone.
pub(super) const CHUNK_LINES: usize = 200;

/// What came of a line, or would: its two cells of the table of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Created([String; 2]),
    Renewed([String; 2]),
    There([String; 2]),
    Bad(LineError),
}

/// Why lines were not carried out; nothing of their transaction was done.
pub(super) enum Halt {
    /// A fault, or the caller's own refusal.
    Error(AppError),
    /// Lines turned out to be bad where it is all or nothing.
    Bad(Vec<LineError>),
    Stopped,
}

impl From<AppError> for Halt {
    fn from(error: AppError) -> Self {
        Self::Error(error)
    }
}

impl From<StorageError> for Halt {
    fn from(error: StorageError) -> Self {
        Self::Error(error.into())
    }
}

/// How lines are carried out.
#[derive(Clone, Copy)]
pub(super) enum Scope<'a> {
    /// A bad one leaves the others alone.
    EachAlone,
    /// A bad one undoes them all.
    Together(&'a Watch<'a>),
}

impl Scope<'_> {
    /// Says that `done` lines of the transaction are done.
    pub fn step(&self, done: usize) -> Result<(), Halt> {
        match self {
            Self::EachAlone => Ok(()),
            Self::Together(watch) => match watch.step(done as u64) {
                Proceed::Continue => Ok(()),
                Proceed::Stop => Err(Halt::Stopped),
            },
        }
    }
}

/// Progress that does not go back when a transaction is attempted again.
pub(super) struct Watch<'a> {
    progress: &'a dyn Progress,
    total: u64,
    most: AtomicU64,
}

impl Watch<'_> {
    fn step(&self, done: u64) -> Proceed {
        let most = self.most.fetch_max(done, Ordering::Relaxed).max(done);
        self.progress.step(most, self.total.max(most))
    }
}

/// What lines can be.
pub(super) trait Imported {
    /// A line that is sound in itself.
    type Line;
    const COLUMNS: &'static [Column];
    /// The names of the two columns that results add.
    const MORE: [&'static str; 2];
    /// The most lines that are carried out together.
    const TOGETHER_MAX: u64;
    /// The words for what would come of lines, and for what came of them.
    const PLANNED: Words;
    const DONE: Words;

    /// Makes lines of rows, with a few look-ups for all of them.
    async fn resolve(
        &mut self,
        inside: &Inside<'_>,
        columns: &Columns,
        rows: &[Row],
    ) -> Result<Vec<Result<Self::Line, LineError>>, AppError>;

    /// What would come of lines.
    async fn look(
        &mut self,
        inside: &Inside<'_>,
        columns: &Columns,
        lines: &[(&Row, &Self::Line)],
    ) -> Result<Vec<Verdict>, AppError>;

    /// Carries lines out in one transaction and says what came of each.
    async fn carry_out(
        &self,
        inside: &Inside<'_>,
        columns: &Columns,
        lines: &[(&Row, &Self::Line)],
        scope: Scope<'_>,
    ) -> Result<Vec<Verdict>, Halt>;
}

/// A line, as far as it got.
enum Entry<L> {
    Sound(Row, L),
    Bad(Option<Row>, LineError),
}

/// Runs an import.
pub(super) async fn run<K: Imported>(
    mut kind: K,
    inside: &Inside<'_>,
    import: &Import,
    out: &mut (dyn Write + Send),
    progress: &dyn Progress,
) -> Result<Outcome, AppError> {
    let content = import.content.clone();
    let table = blocking(move || Table::open(&content, K::COLUMNS)).await?;
    let lines_at_most = table.lines.saturating_sub(1);
    if import.mode == Mode::AllOrNothing && lines_at_most > K::TOGETHER_MAX {
        return Err(FileProblem::TooManyAtOnce { lines: lines_at_most, max: K::TOGETHER_MAX }.into());
    }
    let names: Vec<&str> = K::COLUMNS.iter().map(|column| column.name).collect();
    let words = if import.mode == Mode::SkipBad { K::DONE } else { K::PLANNED };
    let results = Results::begin(out, &table.columns, (&names, K::MORE), import.language, words)?;
    let mut course = Course {
        outcome: Outcome {
            end: End::Done,
            encoding: table.encoding,
            separator: table.separator,
            ignored_columns: table.columns.ignored().to_vec(),
            lines: 0,
            created: 0,
            renewed: 0,
            there: 0,
            failed: 0,
            errors: Vec::new(),
        },
        results,
        columns: &table.columns,
        watch: Watch { progress, total: lines_at_most, most: AtomicU64::new(0) },
    };
    let rows = table.rows()?;
    match import.mode {
        Mode::DryRun => course.look(&mut kind, inside, rows).await?,
        Mode::SkipBad => course.each_alone(&mut kind, inside, rows).await?,
        Mode::AllOrNothing => course.together(&mut kind, inside, rows).await?,
    }
    course.results.flush()?;
    Ok(course.outcome)
}

/// An import under way.
struct Course<'a> {
    outcome: Outcome,
    results: Results<'a>,
    columns: &'a Columns,
    watch: Watch<'a>,
}

impl Course<'_> {
    async fn look<K: Imported>(&mut self, kind: &mut K, inside: &Inside<'_>, rows: Rows) -> Result<(), AppError> {
        self.outcome.end = End::Planned;
        let mut rows = Some(rows);
        while let Some(entries) = self.some(kind, inside, &mut rows).await? {
            let verdicts = kind.look(inside, self.columns, &sound(&entries)).await?;
            self.note(&entries, verdicts)?;
            if self.watch.step(self.outcome.lines) == Proceed::Stop {
                self.outcome.end = End::Stopped;
                break;
            }
        }
        Ok(())
    }

    async fn each_alone<K: Imported>(&mut self, kind: &mut K, inside: &Inside<'_>, rows: Rows) -> Result<(), AppError> {
        let mut rows = Some(rows);
        while let Some(entries) = self.some(kind, inside, &mut rows).await? {
            let verdicts = match kind.carry_out(inside, self.columns, &sound(&entries), Scope::EachAlone).await {
                Ok(verdicts) => verdicts,
                Err(Halt::Error(error)) => return Err(error),
                Err(Halt::Bad(_) | Halt::Stopped) => unreachable!("lines that stand alone halt at faults only"),
            };
            self.note(&entries, verdicts)?;
            self.results.flush()?;
            if self.watch.step(self.outcome.lines) == Proceed::Stop {
                self.outcome.end = End::Stopped;
                break;
            }
        }
        Ok(())
    }

    /// Looks at everything first: one bad line, and all bad ones are told.
    async fn together<K: Imported>(&mut self, kind: &mut K, inside: &Inside<'_>, rows: Rows) -> Result<(), AppError> {
        let mut rows = Some(rows);
        let mut all = Vec::new();
        let mut planned = Vec::new();
        while let Some(entries) = self.some(kind, inside, &mut rows).await? {
            planned.extend(kind.look(inside, self.columns, &sound(&entries)).await?);
            all.extend(entries);
            if self.watch.step(0) == Proceed::Stop {
                self.outcome.end = End::Stopped;
                return Ok(());
            }
        }
        let is_bad = |verdict: &Verdict| matches!(verdict, Verdict::Bad(_));
        if all.iter().any(|entry| matches!(entry, Entry::Bad(..))) || planned.iter().any(is_bad) {
            self.outcome.end = End::NothingDone;
            return self.note(&all, planned);
        }
        match kind.carry_out(inside, self.columns, &sound(&all), Scope::Together(&self.watch)).await {
            Ok(verdicts) => {
                self.results.says(K::DONE);
                self.note(&all, verdicts)?;
                let _ = self.watch.step(self.outcome.lines);
                Ok(())
            }
            Err(Halt::Error(error)) => Err(error),
            Err(Halt::Stopped) => {
                self.outcome.end = End::Stopped;
                Ok(())
            }
            // They became bad after the look, by what somebody else did.
            Err(Halt::Bad(errors)) => {
                self.outcome.end = End::NothingDone;
                let verdict = |((row, _), planned): (&(&Row, &K::Line), Verdict)| {
                    let became = errors.iter().find(|error| error.line == row.line);
                    became.map_or(planned, |error| Verdict::Bad(error.clone()))
                };
                let verdicts = sound(&all).iter().zip(planned).map(verdict).collect();
                self.note(&all, verdicts)
            }
        }
    }

    /// Some lines more, resolved; none after the last.
    async fn some<K: Imported>(
        &mut self,
        kind: &mut K,
        inside: &Inside<'_>,
        rows: &mut Option<Rows>,
    ) -> Result<Option<Vec<Entry<K::Line>>>, AppError> {
        let Some(mut reading) = rows.take() else { return Ok(None) };
        let (read, reading) = blocking(move || Ok((reading.some(CHUNK_LINES)?, reading))).await?;
        if read.is_empty() {
            return Ok(None);
        }
        *rows = Some(reading);
        let good: Vec<Row> = read.iter().filter_map(|row| row.as_ref().ok().cloned()).collect();
        let mut resolved = kind.resolve(inside, self.columns, &good).await?.into_iter();
        let entry = |row: Result<Row, LineError>| match row {
            Err(error) => Entry::Bad(None, error),
            Ok(row) => match resolved.next().expect("each row is resolved") {
                Ok(line) => Entry::Sound(row, line),
                Err(error) => Entry::Bad(Some(row), error),
            },
        };
        Ok(Some(read.into_iter().map(entry).collect()))
    }

    /// Counts and writes down what came of each line, or would; `verdicts` are those of the sound ones.
    fn note<L>(&mut self, entries: &[Entry<L>], verdicts: Vec<Verdict>) -> Result<(), AppError> {
        let mut verdicts = verdicts.into_iter();
        for entry in entries {
            let (row, verdict) = match entry {
                Entry::Sound(row, _) => (Some(row), verdicts.next().expect("each sound line has one")),
                Entry::Bad(row, error) => (row.as_ref(), Verdict::Bad(error.clone())),
            };
            let outcome = &mut self.outcome;
            outcome.lines += 1;
            let line = match &verdict {
                Verdict::Bad(error) => error.line,
                _ => row.map_or(0, |row| row.line),
            };
            self.results.line(line, row, &verdict)?;
            match verdict {
                Verdict::Created(_) => outcome.created += 1,
                Verdict::Renewed(_) => outcome.renewed += 1,
                Verdict::There(_) => outcome.there += 1,
                Verdict::Bad(error) => {
                    outcome.failed += 1;
                    if outcome.errors.len() < ERRORS_MAX {
                        outcome.errors.push(error);
                    }
                }
            }
        }
        Ok(())
    }
}

fn sound<L>(entries: &[Entry<L>]) -> Vec<(&Row, &L)> {
    let sound = entries.iter().filter_map(|entry| match entry {
        Entry::Sound(row, line) => Some((row, line)),
        Entry::Bad(..) => None,
    });
    sound.collect()
}

/// Runs what reads files where it holds nobody up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AppError> + Send + 'static,
) -> Result<T, AppError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| AppError::Internal(Box::new(error)))?
}
