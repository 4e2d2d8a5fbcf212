//! QR codes in the terminal: two modules a character, readable on light and dark grounds.

use fast_qr::{ECL, QRBuilder, QRCode};

/// The margin that ISO/IEC 18004 asks for, in modules.
const MARGIN: usize = 4;
/// Black on white, whatever the terminal's own colours are.
const COLOURS: (&str, &str) = ("\u{1b}[38;5;16;48;5;231m", "\u{1b}[0m");

/// How the ground behind the modules is made light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// By colours of its own.
    Coloured,
    /// By full blocks in the terminal's text colour; right on dark grounds, and inverted, as most scanners read too, on light ones.
    Plain,
}

/// The lines of a QR code of `text`; none when it is longer than a QR code can hold (2,331 bytes at this correction level).
pub fn draw(text: &str, ground: Ground) -> Option<String> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    let side = code.size + 2 * MARGIN;
    let mut lines = String::new();
    for row in (0..side).step_by(2) {
        let blocks: String = (0..side).map(|column| block(&code, row, column, ground)).collect();
        match ground {
            Ground::Coloured => lines.extend([COLOURS.0, &blocks, COLOURS.1, "\n"]),
            Ground::Plain => lines.extend([blocks.as_str(), "\n"]),
        }
    }
    Some(lines)
}

fn block(code: &QRCode, row: usize, column: usize, ground: Ground) -> char {
    let dark = |row: usize| {
        let inside = |at: usize| at.checked_sub(MARGIN).filter(|at| *at < code.size);
        inside(row).zip(inside(column)).is_some_and(|(row, column)| code[row][column].value())
    };
    let painted = |row: usize| dark(row) == (ground == Ground::Coloured);
    match (painted(row), painted(row + 1)) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the drawing back into modules, without its margin.
    fn modules(drawing: &str, size: usize) -> Vec<Vec<bool>> {
        let mut rows: Vec<Vec<bool>> = Vec::new();
        for line in drawing.lines() {
            let upper = line.chars().map(|c| !matches!(c, '█' | '▀')).collect();
            let lower = line.chars().map(|c| !matches!(c, '█' | '▄')).collect();
            rows.extend([upper, lower]);
        }
        rows[MARGIN..MARGIN + size].iter().map(|row: &Vec<bool>| row[MARGIN..MARGIN + size].to_vec()).collect()
    }

    #[test]
    fn every_module_stands_where_the_code_has_it() {
        let text = "[Interface]\nPrivateKey = …\n";
        let code = QRBuilder::new(text).ecl(ECL::M).build().unwrap();
        let drawn = modules(&draw(text, Ground::Plain).unwrap(), code.size);
        for (row, line) in drawn.iter().enumerate() {
            for (column, dark) in line.iter().enumerate() {
                assert_eq!(*dark, code[row][column].value(), "{row} {column}");
            }
        }
    }

    #[test]
    fn a_coloured_code_brings_its_own_ground() {
        let drawing = draw("x", Ground::Coloured).unwrap();
        assert!(drawing.lines().all(|line| line.starts_with(COLOURS.0) && line.ends_with(COLOURS.1)));
    }

    #[test]
    fn what_does_not_fit_is_not_drawn() {
        assert!(draw(&"x".repeat(3000), Ground::Plain).is_none());
    }
}
