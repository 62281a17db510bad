//! What holds for every page, template and style sheet.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "pages/mails.rs"]
mod mails;
#[path = "../examples/gallery/samples.rs"]
mod samples;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("its entries too").path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|ending| ending == extension) {
            found.push((path.display().to_string(), fs::read_to_string(&path).expect("sources are text")));
        }
    }
    found
}

/// The text of each tag, without its brackets. Text between tags holds no `<`, because it is escaped.
fn tags(html: &str) -> impl Iterator<Item = &str> {
    html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default())
}

/// The attributes of a tag: names and values.
fn attributes(tag: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = tag.split_once([' ', '\n']).map_or("", |(_, rest)| rest);
    while let Some(name) = rest.split(|c: char| c.is_whitespace() || c == '=').find(|name| !name.is_empty()) {
        rest = rest.trim_start().strip_prefix(name).expect("the name stands first");
        let mut value = "";
        if let Some(after) = rest.strip_prefix("=\"") {
            (value, rest) = after.split_once('"').unwrap_or((after, ""));
        }
        found.push((name.to_owned(), value.to_owned()));
    }
    found
}

#[test]
fn no_page_holds_style_or_script_of_its_own() {
    for (name, html) in samples::pages().unwrap() {
        let mut in_script = false;
        for tag in tags(&html) {
            let element = tag.split_whitespace().next().unwrap_or_default();
            assert_ne!(element, "style", "{name}");
            let attributes = attributes(tag);
            if element == "script" {
                assert!(attributes.iter().any(|(name, _)| name == "src"), "{name}: <{tag}>");
                in_script = true;
            } else if element == "/script" {
                assert!(in_script);
                in_script = false;
            }
            for (attribute, value) in attributes {
                assert!(attribute != "style" && !attribute.starts_with("on"), "{name}: <{tag}>");
                assert!(!value.trim_start().starts_with("javascript:"), "{name}: <{tag}>");
            }
        }
        for between in html.split("<script").skip(1) {
            let body = between.split_once('>').unwrap().1.split("</script>").next().unwrap();
            assert_eq!(body.trim(), "", "{name}");
        }
    }
}

#[test]
fn every_form_that_a_script_sends_has_a_place_for_what_went_wrong() {
    let mut seen = 0;
    for (name, html) in files(&root().join("templates"), "html") {
        for rest in html.split("<api-form").skip(1) {
            let form = rest.split("</api-form>").next().unwrap_or_default();
            assert!(
                form.contains("class=\"error\" role=\"alert\" data-fault hidden"),
                "{name}: <api-form{form}"
            );
            seen += 1;
        }
    }
    assert!(seen >= 20, "found {seen}");
}

#[test]
fn text_of_people_never_becomes_markup() {
    let mut seen = 0;
    for (name, html) in samples::pages().unwrap() {
        assert!(!html.contains("<img src=x"), "{name}");
        seen += html.matches("onerror=alert").count();
    }
    assert!(seen >= 8, "the hostile text stands in many places, found {seen}");
}

#[test]
fn every_address_of_a_static_file_leads_somewhere() {
    for (name, html) in samples::pages().unwrap() {
        for reference in html.split("\"/static/").skip(1) {
            let reference = reference.split('"').next().unwrap();
            let (path, version) = reference.split_once("?v=").expect(reference);
            assert!(web::assets::asset(path).is_some(), "{name}: {path}");
            assert_eq!(version.split('#').next().unwrap(), web::assets::version(), "{name}");
        }
    }
}

#[test]
fn modules_import_only_what_exists() {
    let modules = files(&root().join("static/components"), "js");
    assert!(modules.len() > 10);
    for (name, source) in modules {
        for line in source.lines().filter(|line| line.starts_with("import ")) {
            let module = line.split("\"./").nth(1).and_then(|rest| rest.split('"').next()).expect(line);
            assert!(web::assets::asset(&format!("components/{module}")).is_some(), "{name}: {module}");
        }
    }
}

#[test]
fn every_icon_is_in_the_sprite() {
    let sprite = fs::read_to_string(root().join("static/img/icons.svg")).unwrap();
    for (name, html) in samples::pages().unwrap() {
        for icon in html.split("#i-").skip(1) {
            let icon = icon.split('"').next().unwrap();
            assert!(sprite.contains(&format!("id=\"i-{icon}\"")), "{name}: {icon}");
        }
    }
}

#[test]
fn every_page_has_what_readers_and_machines_look_for() {
    for (name, html) in samples::pages().unwrap() {
        for needed in [
            "<html lang=\"en\">",
            "name=\"viewport\"",
            "rel=\"icon\"",
            "class=\"skip\"",
            "<main id=\"main\"",
            "<h1",
        ] {
            assert!(html.contains(needed), "{name}: {needed}");
        }
        let title = html.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
        assert!(title.ends_with(" · Pitlane") && title.len() > " · Pitlane".len(), "{name}: {title}");
        let description = html.split("name=\"description\" content=\"").nth(1).unwrap();
        assert!(!description.starts_with('"'), "{name}");
        assert_eq!(html.matches("<main").count(), 1, "{name}");
        assert_eq!(html.matches("<h1").count(), 1, "{name}");
    }
}

#[test]
fn ids_are_unique_and_references_to_them_hold() {
    for (name, html) in samples::pages().unwrap() {
        let mut ids = Vec::new();
        let mut references = Vec::new();
        // What stands in a template is not part of the page.
        let live: String = html
            .split("<template")
            .map(|part| part.split_once("</template>").map_or(part, |(_, rest)| rest))
            .collect();
        for tag in tags(&live) {
            for (attribute, value) in attributes(tag) {
                match attribute.as_str() {
                    "id" => ids.push(value),
                    "for" | "aria-labelledby" | "aria-describedby" | "list" => {
                        references.extend(value.split(' ').map(ToOwned::to_owned));
                    }
                    _ => {}
                }
            }
        }
        let mut unique = ids.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), ids.len(), "{name}: {ids:?}");
        for reference in references {
            assert!(ids.contains(&reference), "{name}: {reference}");
        }
    }
}

/// A raw colour: `#` and three, four, six or eight hexadecimal digits, or a colour function.
fn raw_colour(text: &str) -> Option<String> {
    for (index, _) in text.match_indices('#') {
        let digits: String =
            text[index + 1..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        if [3, 4, 6, 8].contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return Some(format!("#{digits}"));
        }
    }
    ["rgb(", "rgba(", "hsl(", "oklch("]
        .into_iter()
        .find(|function| text.contains(function))
        .map(ToOwned::to_owned)
}

#[test]
fn raw_colours_stand_in_the_tokens_alone() {
    assert_eq!(raw_colour("a { color: #fff }"), Some("#fff".to_owned()));
    assert_eq!(raw_colour("<a href=\"#main\">"), None);
    for (name, css) in files(&root().join("static/css"), "css") {
        if !name.ends_with("tokens.css") {
            assert_eq!(raw_colour(&css), None, "{name}");
        }
    }
    for (name, source) in files(&root().join("static"), "js") {
        // Private members of a class are written with a # as well, but never as a literal of their own.
        assert!(!source.contains("\"#") && !source.contains("rgb("), "{name}");
    }
    for (name, html) in files(&root().join("templates"), "html") {
        assert_eq!(raw_colour(&html), None, "{name}");
    }
}

#[test]
fn every_class_a_template_names_is_styled() {
    let css: String = files(&root().join("static/css"), "css").into_iter().map(|(_, css)| css).collect();
    let mut names: Vec<String> = Vec::new();
    for (_, html) in samples::pages().unwrap() {
        for tag in tags(&html) {
            for (attribute, value) in attributes(tag) {
                if attribute == "class" {
                    names.extend(value.split_whitespace().map(ToOwned::to_owned));
                }
            }
        }
    }
    names.sort();
    names.dedup();
    let unknown: Vec<_> = names
        .into_iter()
        .filter(|name| {
            !css.match_indices(&format!(".{name}")).any(|(index, found)| {
                !css[index + found.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-')
            })
        })
        .collect();
    assert_eq!(unknown, Vec::<String>::new());
}

#[test]
fn the_seeds_own_words_stand_on_the_pages() {
    let pages = samples::pages().unwrap();
    let page = |name: &str| &pages.iter().find(|(found, _)| found == name).unwrap().1;
    assert!(page("chat-waiting").contains(">Waiting for a mechanic to join</presence-chip>"));
    assert!(page("chat-assigned").contains(">Mechanic assigned — joining</presence-chip>"));
    assert!(page("chat").contains(">1 mechanic connected</presence-chip>"));
    assert!(page("mechanic-empty").contains("No requests yet"));
    assert!(page("mechanic-empty").contains("Stay on duty and we'll ring."));
    assert!(page("thank-you-accepted").contains(">Join session</a>"));
}

#[test]
fn mails_say_the_same_in_both_forms() {
    for (name, mail) in samples::mails().unwrap() {
        assert!(!mail.subject.is_empty() && !mail.subject.contains('\n'), "{name}");
        for word in mail.html.split("href=\"").skip(1) {
            let url = word.split('"').next().unwrap();
            assert!(mail.text.contains(url), "{name}: {url} is missing in the plain text");
        }
        assert!(mail.text.contains("http://localhost:8080/"), "{name}");
        assert!(!mail.html.contains("<img") && !mail.html.contains("<script"), "{name}");
        assert!(
            !mail.html.contains("background:;") && !mail.html.contains("color:;"),
            "{name}: an unknown token"
        );
        assert!(!mail.text.contains('<') && !mail.text.contains("\n\n\n"), "{name}: {}", mail.text);
    }
}
