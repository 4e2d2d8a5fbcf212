//! Figures as the page shows them.

use crate::figures::median;

/// The median, and in brackets the lowest and the highest, with so many digits behind the point.
pub fn ranged(figures: Vec<f64>, digits: usize) -> String {
    let (middle, lowest, highest) = median(figures);
    format!("**{middle:.digits$}** ({lowest:.digits$}–{highest:.digits$})")
}

/// Whether a goal is met, and by what.
pub fn verdict(is_met: bool, figure: &str) -> String {
    format!("{}: {figure}", if is_met { "it is met" } else { "it is missed" })
}
