//! `/admin/self-check`: what people rely on, and whether it works.

use askama::Template;

use crate::frame::Frame;

/// The page. What only a browser can see, the live channel, is looked at by script.
#[derive(Debug, Template)]
#[template(path = "self_check.html")]
pub struct SelfCheckPage {
    /// What surrounds the page; the viewer is an admin.
    pub frame: Frame,
    /// RFC 3339: when it was looked at.
    pub looked_at: String,
    /// What was looked at.
    pub rows: Vec<CheckRow>,
}

/// One look.
#[derive(Clone, Debug, Default)]
pub struct CheckRow {
    /// At what.
    pub name: &'static str,
    /// Whether all is well.
    pub ok: bool,
    /// What was seen.
    pub detail: String,
}

impl SelfCheckPage {
    /// How many looks found something wrong.
    pub(crate) fn wrong(&self) -> usize {
        self.rows.iter().filter(|row| !row.ok).count()
    }
}
