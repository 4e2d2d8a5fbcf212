//! The page that a benchmark leaves in the book, and what it says of the machine.

use std::{fs, path::Path};

use anyhow::Context;

/// Prints `page` and writes it to `output`.
///
/// # Errors
/// When the file cannot be written.
pub fn publish(page: &str, output: &Path) -> anyhow::Result<()> {
    print(page);
    if let Some(folder) = output.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(output, page).with_context(|| format!("write {}", output.display()))
}

/// Prints `page`, or a part of one.
#[expect(clippy::print_stdout, reason = "the table is what the program is run for")]
pub fn print(page: &str) {
    println!("{page}");
}

/// Tells who runs the benchmark how far it is.
#[expect(clippy::print_stderr, reason = "a benchmark tells its user how far it is")]
pub fn progress(what: &str) {
    eprintln!("{what}");
}

/// The sentences on the machine and on how to make the page again. Ask at the beginning: the load is that of others then.
///
/// # Errors
/// When the machine's description cannot be read.
pub fn made_on(subcommand: &str) -> anyhow::Result<String> {
    let processors = fs::read_to_string("/proc/cpuinfo")?;
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown processor");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let load = fs::read_to_string("/proc/loadavg")?;
    Ok(format!(
        "Machine: {} × {}, Linux {}; load average of its last minute before the run {}. Made by \
         `cargo build --release -p warren` and `cargo run --release -p warren-bench -- {subcommand}`.",
        std::thread::available_parallelism()?,
        model.trim_start_matches([' ', '\t', ':']),
        kernel.trim(),
        load.split(' ').next().unwrap_or("unknown")
    ))
}
