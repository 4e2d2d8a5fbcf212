//! Tables as people really bring them.

use proptest::prelude::*;

use super::*;
use crate::{
    AppError,
    records::{LineError, LineProblem},
};

const WANTED: &[Column] =
    &[Column::required("email", &["mail", "E-Mail-Adresse"]), Column::optional("name", &["Vor- und Nachname"])];

type Found = Vec<Result<(u64, String, String), LineError>>;

fn open(content: impl Into<Content>) -> Result<Table, FileProblem> {
    match Table::open(&content.into(), WANTED) {
        Ok(table) => Ok(table),
        Err(AppError::Unusable(problem)) => Err(problem),
        Err(other) => panic!("{other}"),
    }
}

fn found(content: impl Into<Content>) -> Found {
    let table = open(content).unwrap();
    let mut rows = table.rows().unwrap();
    let cell = |row: &Row, at| table.columns.cell(row, at).to_owned();
    std::iter::from_fn(|| rows.next().unwrap())
        .map(|row| row.map(|row| (row.line, cell(&row, 0), cell(&row, 1))))
        .collect()
}

fn good(line: u64, email: &str, name: &str) -> Result<(u64, String, String), LineError> {
    Ok((line, email.to_owned(), name.to_owned()))
}

#[test]
fn separators_header_names_and_order_are_found_out() {
    let expected = [good(2, "ben@example.org", "Ben, Jr.")];
    for text in [
        "email,name\nben@example.org,\"Ben, Jr.\"",
        "Vor- und Nachname;E-Mail-Adresse\r\nBen, Jr.;ben@example.org\r\n",
        "EMAIL\tteam\tName\n ben@example.org\tsales\tBen, Jr.\n",
        "\u{feff}E_Mail;Name;;\r\nben@example.org;Ben, Jr.;;\r\n;;;\r\n",
    ] {
        assert_eq!(found(text), expected, "{text}");
    }
    assert_eq!(open("email;team\nx;y").unwrap().columns.ignored(), ["team"]);
}

#[test]
fn a_line_that_announces_the_separator_is_understood() {
    for text in ["sep=;\nemail;name\na;b\n", "sep=\t\nemail\tname\na\tb\n", "sep=,\nemail,name\na,b\n"] {
        assert_eq!(found(text), [good(3, "a", "b")], "{text}");
    }
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    let text = "\n\nemail,name\r\n\r\na,\"x\ny\"\r\n\nb,\n,\nc,z";
    assert_eq!(found(text), [good(5, "a", "x\ny"), good(8, "b", ""), good(10, "c", "z")]);
    assert_eq!(found("email\ra\rb"), [good(2, "a", ""), good(3, "b", "")]);
}

#[test]
fn each_bad_line_says_where_and_what_and_the_rest_is_read() {
    let (long_cell, long_line) = ("x".repeat(5000), "y".repeat(LINE_BYTES_MAX + 1));
    let many = ",".repeat(200);
    let text = format!("email,name\na,\"{long_cell}\"\n{long_line},b\nc,d,e\nf,g{many}h\n\u{fffd},i\nj,k\n");
    let found = found(text.as_str());
    let problems: Vec<_> = found[..5].iter().map(|row| row.as_ref().unwrap_err()).collect();
    assert_eq!(problems.iter().map(|error| error.line).collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
    assert_eq!(problems[0].problem, LineProblem::CellTooLong { max: CELL_BYTES_MAX });
    assert_eq!(problems[0].column.as_deref(), Some("name"));
    assert_eq!(problems[1].problem, LineProblem::LineTooLong { max: LINE_BYTES_MAX });
    assert_eq!(problems[2].problem, LineProblem::MoreCellsThanColumns { cells: 3, columns: 2 });
    assert!(matches!(problems[3].problem, LineProblem::MoreCellsThanColumns { .. }));
    assert_eq!((&problems[4].problem, problems[4].column.as_deref()), (&LineProblem::Unreadable, Some("email")));
    assert_eq!(found[5..], [good(7, "j", "k")]);
}

#[test]
fn a_quote_that_never_closes_is_named_by_its_line() {
    let text = format!("email,name\na,b\nc,\"d\n{}", "e,f\n".repeat(100_000));
    let found = found(text.as_str());
    assert_eq!(found[0], good(2, "a", "b"));
    assert_eq!(found.len(), 2);
    let error = found[1].as_ref().unwrap_err();
    assert_eq!((error.line, &error.problem), (3, &LineProblem::QuoteNotClosed));
    assert_eq!(self::found("email\n\"a\"")[0], good(2, "a", ""));
}

#[test]
fn a_header_that_cannot_be_understood_is_refused_with_what_to_write() {
    let refused = |text: &str| open(text).unwrap_err();
    assert_eq!(refused("ben@example.org,Ben\n"), FileProblem::NoHeader { wanted: "email, name".into() });
    assert_eq!(refused("name\nBen"), FileProblem::ColumnMissing { column: "email".into(), found: "name".into() });
    assert_eq!(refused("email,E-Mail\na,b"), FileProblem::ColumnTwice { column: "email".into() });
    assert_eq!(refused(&format!("email{}x\n", ",".repeat(64))), FileProblem::TooManyColumns { columns: 65 });
    assert_eq!(refused("\n \n"), FileProblem::Empty);
    assert!(found("email,name\n").is_empty());
}

#[test]
fn every_file_problem_has_a_sentence_in_every_language() {
    for language in crate::Language::ALL {
        let keys = crate::words::tests::keys(*language);
        for code in FileProblem::CODES {
            assert!(keys.contains(*code), "{code} in {language:?}");
        }
    }
}

#[test]
fn as_many_lines_as_are_allowed_are_read_in_little_memory() {
    // The file is written and read in pieces; that memory stays small is measured by hand with a million lines.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.csv");
    let mut out = CsvWriter::new(std::io::BufWriter::new(std::fs::File::create(&path).unwrap())).unwrap();
    out.line(["email", "name"]).unwrap();
    for number in 0..50_000 {
        out.line([format!("person-{number}@example.org"), format!("Person {number}")]).unwrap();
    }
    out.finish().unwrap();
    let table = open(Content::File(path)).unwrap();
    assert_eq!(table.lines, 50_001);
    let (mut rows, mut count) = (table.rows().unwrap(), 0);
    while let some = rows.some(200).unwrap()
        && !some.is_empty()
    {
        count += some.into_iter().filter(Result::is_ok).count();
    }
    assert_eq!(count, 50_000);
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(table in prop::collection::vec(("\\PC{1,20}[x\n\r,;\"'=+@\t-]{0,4}x", "[ x=+@;,\"'\n\t-]{0,8}x"), 1..20)) {
        prop_assume!(table.iter().all(|(email, _)| !email.contains(char::REPLACEMENT_CHARACTER)));
        let mut out = CsvWriter::new(Vec::new()).unwrap();
        out.line(["email", "name"]).unwrap();
        for (email, name) in &table {
            out.line([email, name]).unwrap();
        }
        let found = found(out.finish().unwrap());
        prop_assert_eq!(found.len(), table.len());
        for (row, (email, name)) in found.iter().zip(&table) {
            let (_, read_email, read_name) = row.as_ref().unwrap();
            prop_assert_eq!((read_email.as_str(), read_name.as_str()), (email.trim(), name.trim()));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..2000), header in prop::bool::ANY) {
        let mut content = if header { b"email,name\n".to_vec() } else { Vec::new() };
        content.extend(bytes);
        if let Ok(table) = Table::open(&content.into(), WANTED) {
            let mut rows = table.rows().unwrap();
            while let Some(row) = rows.next().unwrap() {
                let line = row.map_or_else(|error| error.line, |row| row.line);
                prop_assert!(line <= table.lines.max(2000));
            }
        }
    }
}
