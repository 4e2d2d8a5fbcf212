//! Puts the assets into the binary: style sheets joined, everything precompressed, and one version over all of it that stands in
//! their addresses, so that browsers may keep them for ever.

use std::{
    env, fmt, fs,
    io::Write,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

/// The style sheets of this folder become one, in the order of their names.
const STYLE_FOLDER: &str = "style";
/// Where that one stands.
const STYLE_SHEET: &str = "style/warren.css";

fn main() {
    for watched in ["assets", "locales", "templates", "build.rs"] {
        println!("cargo::rerun-if-changed={watched}");
    }
    let root =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the package's folder")).join("assets");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names the output folder"));
    let assets = assets(&root);
    let version = version(&assets);
    let mut table = format!(
        "/// Stands in the address of every asset and changes with any of them.\npub const VERSION: &str = \"{version}\";\n\n"
    );
    table.push_str("/// All assets, sorted by path.\npub static ASSETS: &[Asset] = &[\n");
    for (at, asset) in assets.iter().enumerate() {
        let files = [("plain", asset.bytes.clone()), ("gzip", gzip(&asset.bytes)), ("brotli", brotli(&asset.bytes))];
        let [plain, gzip, brotli] = files.map(|(coding, bytes)| {
            let path = out.join(format!("asset-{at}.{coding}"));
            fs::write(&path, bytes).expect("the output folder is writable");
            Included(path)
        });
        table.push_str(&format!(
            "    Asset {{ path: {:?}, media_type: {:?}, plain: {plain}, gzip: {gzip}, brotli: {brotli} }},\n",
            asset.path,
            media_type(&asset.path),
        ));
    }
    table.push_str("];\n");
    fs::write(out.join("assets.rs"), table).expect("the output folder is writable");
}

struct Asset {
    path: String,
    bytes: Vec<u8>,
}

struct Included(PathBuf);

impl fmt::Display for Included {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "include_bytes!({:?})", self.0)
    }
}

fn assets(root: &Path) -> Vec<Asset> {
    let mut assets = Vec::new();
    let mut style = Vec::new();
    for path in files(root) {
        let bytes = fs::read(&path).expect("assets are readable");
        let relative = path.strip_prefix(root).expect("found beneath it");
        if relative.starts_with(STYLE_FOLDER) {
            style.extend(bytes);
        } else {
            assets.push(Asset { path: relative.to_str().expect("assets have plain names").to_owned(), bytes });
        }
    }
    assets.push(Asset { path: STYLE_SHEET.to_owned(), bytes: style });
    assets.sort_by(|a, b| a.path.cmp(&b.path));
    assets
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is readable");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("the folder is readable").path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn version(assets: &[Asset]) -> String {
    let mut hasher = Sha256::new();
    for asset in assets {
        hasher.update((asset.path.len() as u64).to_le_bytes());
        hasher.update(&asset.path);
        hasher.update((asset.bytes.len() as u64).to_le_bytes());
        hasher.update(&asset.bytes);
    }
    hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams { quality: 11, ..Default::default() };
    brotli::BrotliCompress(&mut &bytes[..], &mut compressed, &parameters).expect("memory takes everything");
    compressed
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("txt") => "text/plain; charset=utf-8",
        _ => panic!("{path}: name the media type of this kind of file"),
    }
}
