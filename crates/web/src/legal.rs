//! `/terms` and `/privacy`: texts that the operator writes as Markdown.

use std::sync::Arc;

use askama::Template;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};

use crate::frame::Frame;

/// A text that was read from Markdown. Its HTML has no markup but what Markdown stands for: HTML in the source shows as
/// the text it is, pictures are left out, and links lead to `https`, `http`, `mailto` or a path of this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegalText {
    title: String,
    version: String,
    html: String,
}

impl LegalText {
    /// Reads a text: a heading line `# …`, then `Version: ` and the day it is in force from, `2026-11-26`, then the
    /// text.
    ///
    /// # Errors
    /// What would be right.
    pub fn parse(markdown: &str) -> Result<Self, &'static str> {
        let markdown = markdown.replace("\r\n", "\n");
        let (heading, rest) = markdown.trim_start().split_once('\n').unwrap_or_default();
        let title = heading.strip_prefix("# ").map(str::trim).unwrap_or_default();
        if title.is_empty() {
            return Err("begin with a heading: `# ` and its title");
        }
        let (line, body) = rest.trim_start().split_once('\n').unwrap_or_default();
        let version = line.strip_prefix("Version: ").map(str::trim).unwrap_or_default();
        if version.parse::<jiff::civil::Date>().is_err() {
            return Err("write `Version: ` and a day such as 2026-11-26 below the heading");
        }
        if body.trim().is_empty() {
            return Err("write the text below the version");
        }
        Ok(Self { title: title.to_owned(), version: version.to_owned(), html: render(body) })
    }

    /// Its heading.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The day from which it is in force, as `2026-11-26`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The same day in words.
    pub(crate) fn since(&self) -> String {
        crate::clock::long_date(&format!("{}T00:00:00Z", self.version), "UTC")
    }
}

fn render(markdown: &str) -> String {
    // A picture's description stands where the picture would.
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES).filter_map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = if is_harmless(&dest_url) { dest_url } else { "#".into() };
            Some(Event::Start(Tag::Link { link_type, dest_url, title, id }))
        }
        other @ (Event::Start(_)
        | Event::End(_)
        | Event::Text(_)
        | Event::Code(_)
        | Event::InlineMath(_)
        | Event::DisplayMath(_)
        | Event::FootnoteReference(_)
        | Event::SoftBreak
        | Event::HardBreak
        | Event::Rule
        | Event::TaskListMarker(_)) => Some(other),
    });
    let mut out = String::new();
    html::push_html(&mut out, events);
    out
}

fn is_harmless(address: &str) -> bool {
    let known = ["https://", "http://", "mailto:", "#"].iter().any(|scheme| address.starts_with(scheme));
    known || (address.starts_with('/') && !address.starts_with("//"))
}

/// Both texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegalTexts {
    /// The terms.
    pub terms: LegalText,
    /// What is kept about people.
    pub privacy: LegalText,
}

/// `/terms` or `/privacy`.
#[derive(Debug, Template)]
#[template(path = "legal.html")]
pub struct LegalPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// What one needs to know before reading, in a sentence.
    pub description: String,
    /// Both texts.
    pub texts: Arc<LegalTexts>,
    /// Whether the privacy text is shown; else it is the terms.
    pub is_privacy: bool,
}

impl LegalPage {
    pub(crate) fn text(&self) -> &LegalText {
        if self.is_privacy { &self.texts.privacy } else { &self.texts.terms }
    }
}

#[cfg(test)]
mod tests {
    use super::LegalText;

    fn html(body: &str) -> String {
        LegalText::parse(&format!("# Terms\n\nVersion: 2026-11-26\n\n{body}")).expect("a text").html
    }

    #[test]
    fn markdown_becomes_html_and_html_stays_text() {
        assert_eq!(
            html("## Two\n\n- **One**\n"),
            "<h2>Two</h2>\n<ul>\n<li><strong>One</strong></li>\n</ul>\n"
        );
        let hostile =
            html("<script>alert(1)</script>\n\nHe <b onclick=\"x()\">said</b> ![a cat](https://x/y.png)");
        assert!(
            !hostile.contains("<script") && !hostile.contains("<b") && !hostile.contains("<img"),
            "{hostile}"
        );
        assert!(hostile.contains("&lt;script&gt;") && hostile.contains("a cat"), "{hostile}");
        for address in ["javascript:alert(1)", "//evil.example", "data:text/html,x"] {
            let link = html(&format!("[here]({address})"));
            assert!(link.contains("href=\"#\""), "{link}");
        }
        assert!(html("[here](/privacy)").contains("href=\"/privacy\""));
    }

    #[test]
    fn a_text_has_a_heading_a_day_and_something_to_read() {
        let read = |text: &str| LegalText::parse(text);
        let good = read("# Terms\r\n\r\nVersion: 2026-11-26\r\n\r\nHello.\r\n").expect("a text");
        assert_eq!(
            (good.title(), good.version(), good.since().as_str()),
            ("Terms", "2026-11-26", "26 November 2026")
        );
        for bad in [
            "",
            "Terms\n\nVersion: 2026-11-26\n\nx",
            "# T\n\nx",
            "# T\n\nVersion: 2026-13-26\n\nx",
            "# T\n\nVersion: 2026-11-26\n\n ",
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
