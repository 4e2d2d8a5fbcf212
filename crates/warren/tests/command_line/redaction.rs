//! What differs from run to run, replaced by something of the same width.

/// `text` with identifiers, moments, keys, tokens and the portal's address made always the same; the port has five digits, as free ports do.
pub fn redacted(text: &str, portal: &str) -> String {
    let text = text.replace(portal, "http://127.0.0.1:48080");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn line(line: &str) -> String {
    let mut chars: Vec<char> = line.chars().collect();
    for start in 0..chars.len() {
        replace(&mut chars, start, "dddddddd-dddd-dddd-dddd-dddddddddddd", |shape, c| {
            shape == 'd' && c.is_ascii_hexdigit()
        });
        replace(&mut chars, start, "nnnn-nn-nn nn:nn UTC", |shape, c| shape == 'n' && c.is_ascii_digit());
    }
    let text: String = chars.into_iter().collect();
    let words = text.split_inclusive(' ').map(|word| {
        let bare = word.trim_end();
        let is_key = bare.len() == 44 && bare.ends_with('=');
        if is_key { word.replace(bare, &format!("{}=", "A".repeat(43))) } else { word.to_owned() }
    });
    let text: String = words.collect();
    match text.find("running for ") {
        Some(at) => format!("{}running for    0 s", &text[..at]),
        None => text,
    }
}

/// Where `shape` fits at `start`, its placeholders become zeros.
fn replace(chars: &mut [char], start: usize, shape: &str, is_placeholder: impl Fn(char, char) -> bool) {
    let Some(part) = chars.get_mut(start..start + shape.len()) else { return };
    let fits = part.iter().zip(shape.chars()).all(|(c, shape)| *c == shape || is_placeholder(shape, *c));
    if fits {
        for (c, shape) in part.iter_mut().zip(shape.chars()).filter(|(_, shape)| shape.is_ascii_lowercase()) {
            *c = if shape == 'd' || shape == 'n' { '0' } else { *c };
        }
    }
}
