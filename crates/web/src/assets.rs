//! Static files, embedded in the binary and served under `/static/`.
//!
//! One version, the hash of all files together, stands in every address: `/static/css/tokens.css?v=…`. Imports
//! between modules and addresses inside style sheets are rewritten to carry it too, so that a module is never
//! loaded twice under two addresses and a deploy never mixes old and new files. With the current version in the
//! query a response may be cached for a year; without it, ask again with the `ETag`.

use std::collections::HashMap;
use std::io::Write;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// One static file.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// The bytes to send.
    pub bytes: &'static [u8],
    /// The same for who takes `gzip`; `None` where that would not be shorter.
    pub gzip: Option<&'static [u8]>,
    /// For the `Content-Type` header.
    pub content_type: &'static str,
    /// For the `ETag` header, quotes included.
    pub etag: &'static str,
}

/// The file at `path`, relative to `static/`, for example `css/tokens.css`. `None` if there is none: the path is
/// only ever looked up, never joined to a folder.
#[must_use]
pub fn asset(path: &str) -> Option<Asset> {
    TABLE.files.get(path).copied()
}

/// The version that stands in every address this crate writes.
#[must_use]
pub fn version() -> &'static str {
    &TABLE.version
}

/// The address of the file at `path`, with the version.
#[must_use]
pub fn url(path: &str) -> String {
    format!("/static/{path}?v={}", version())
}

/// Every path, in alphabetical order.
pub fn paths() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(path, _)| *path)
}

struct Table {
    version: String,
    files: HashMap<&'static str, Asset>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for (path, bytes) in FILES {
        hash.update(path.as_bytes());
        hash.update(bytes);
    }
    let version: String = hex::encode(hash.finalize()).chars().take(12).collect();
    let files = FILES.iter().map(|(path, bytes)| (*path, build(path, bytes, &version))).collect();
    Table { version, files }
});

/// Lives as long as the process, so leaking the rewritten text costs nothing that would be freed.
fn build(path: &str, bytes: &'static [u8], version: &str) -> Asset {
    let bytes: &'static [u8] = match (path.rsplit('.').next(), std::str::from_utf8(bytes)) {
        (Some("js"), Ok(text)) => String::leak(versioned(text, ".js\"", version)).as_bytes(),
        (Some("css"), Ok(text)) => String::leak(versioned(text, ".woff2\"", version)).as_bytes(),
        _ => bytes,
    };
    let digest: String = hex::encode(Sha256::digest(bytes)).chars().take(32).collect();
    let packed: &'static [u8] = Vec::leak(gzip(bytes));
    Asset {
        bytes,
        gzip: (packed.len() < bytes.len()).then_some(packed),
        content_type: content_type(path),
        etag: String::leak(format!("\"{digest}\"")),
    }
}

/// The bytes as `Content-Encoding: gzip` has them, as short as that can be. A megabyte takes some 50 ms.
#[must_use]
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Nothing fails that writes into memory.
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}

/// Appends the version to relative addresses that end in `suffix` (a closing quote included).
fn versioned(text: &str, suffix: &str, version: &str) -> String {
    let mut out = String::with_capacity(text.len() + 256);
    for line in text.split_inclusive('\n') {
        let relative = line.contains("\"./") || line.contains("\"../");
        if relative && (line.contains("import") || line.contains(" from ") || line.contains("url(")) {
            let (stem, quote) = suffix.split_at(suffix.len() - 1);
            out.push_str(&line.replace(suffix, &format!("{stem}?v={version}{quote}")));
        } else {
            out.push_str(line);
        }
    }
    out
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

macro_rules! files {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_bytes!(concat!("../static/", $path)))),+]
    };
}

/// All of `static/`; a test compares it with the folder.
static FILES: &[(&str, &[u8])] = files![
    "components/api-form.js",
    "components/api.js",
    "components/attachments.js",
    "components/car-picker.js",
    "components/chat-log.js",
    "components/chat-room.js",
    "components/checkout-watch.js",
    "components/composer.js",
    "components/connection-quality.js",
    "components/copy-button.js",
    "components/count-down.js",
    "components/device-check.js",
    "components/duty-switch.js",
    "components/field-faults.js",
    "components/file-picker.js",
    "components/live-section.js",
    "components/local-time.js",
    "components/money.js",
    "components/offline-notice.js",
    "components/outbox.js",
    "components/page.js",
    "components/personal-notices.js",
    "components/presence-chip.js",
    "components/print-button.js",
    "components/progress-tracker.js",
    "components/request-queue.js",
    "components/room-files.js",
    "components/session-extension.js",
    "components/session-launcher.js",
    "components/session-refund.js",
    "components/session-upgrade.js",
    "components/socket-check.js",
    "components/socket.js",
    "components/status-badge.js",
    "components/summary-draft.js",
    "components/theme-switch.js",
    "components/time-left.js",
    "components/video-call.js",
    "components/video-controls.js",
    "components/video-devices.js",
    "components/video-report.js",
    "components/video-room.js",
    "components/video-still.js",
    "components/zone-field.js",
    "css/chat.css",
    "css/components.css",
    "css/pages.css",
    "css/tokens.css",
    "css/video.css",
    "fonts/OFL.txt",
    "fonts/inter-latin.woff2",
    "img/LICENSE-lucide.txt",
    "img/cluster.svg",
    "img/engine-bay.svg",
    "img/favicon.svg",
    "img/icons.svg",
    "theme.js",
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{FILES, asset, paths, url, version, versioned};

    fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                walk(&entry.path(), &format!("{name}/"), found);
            } else {
                found.push(name);
            }
        }
    }

    #[test]
    fn every_file_of_the_folder_is_embedded() {
        let mut found = Vec::new();
        walk(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/static")), "", &mut found);
        found.sort();
        let listed: Vec<_> = paths().map(ToOwned::to_owned).collect();
        assert_eq!(listed, found);
    }

    #[test]
    fn every_file_has_a_type_and_a_tag_of_its_own() {
        let mut tags: Vec<_> = FILES.iter().map(|(path, _)| asset(path).unwrap().etag).collect();
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len(), FILES.len());
        for path in paths() {
            assert_ne!(asset(path).unwrap().content_type, "application/octet-stream", "{path}");
        }
    }

    #[test]
    fn paths_outside_the_folder_are_unknown() {
        for path in ["", "/", "../Cargo.toml", "css", "css/../css/tokens.css", "css/tokens.css?v=1"] {
            assert!(asset(path).is_none(), "{path}");
        }
    }

    #[test]
    fn imports_carry_the_version_and_other_text_does_not_change() {
        let text = "import { a } from \"./a.js\";\nconst b = \"b.js\";\nexport { c } from \"../c.js\";\n";
        let out = versioned(text, ".js\"", "v1");
        assert_eq!(
            out,
            "import { a } from \"./a.js?v=v1\";\nconst b = \"b.js\";\nexport { c } from \"../c.js?v=v1\";\n"
        );
        assert!(url("css/tokens.css").ends_with(version()));
    }
}
