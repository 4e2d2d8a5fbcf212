//! Reads a QR code that a page draws as one square for each dark module.

use std::collections::HashSet;

use anyhow::Context;
use rqrr::{Grid, SimpleGrid};

/// The text of a code; `squares` is the path `M4 4h1v1h-1z…`, whose quiet zone is four modules wide.
pub fn read(squares: &str) -> anyhow::Result<String> {
    let mut dark = HashSet::new();
    for square in squares.split('M').skip(1) {
        let place = square.strip_suffix("h1v1h-1z").context("the path holds something else than squares")?;
        let (x, y) = place.split_once(' ').context("a square has two coordinates")?;
        dark.insert((x.parse::<usize>()?, y.parse::<usize>()?));
    }
    let (least, most) = (dark.iter().map(|(x, _)| *x).min(), dark.iter().map(|(x, _)| *x).max());
    let (least, most) = least.zip(most).context("the code is empty")?;
    anyhow::ensure!(least == 4, "the quiet zone is {least} modules wide, and readers need 4");
    let grid = SimpleGrid::from_func(most - least + 1, |x, y| dark.contains(&(x + least, y + least)));
    let (_, text) = Grid::new(grid).decode()?;
    Ok(text)
}
