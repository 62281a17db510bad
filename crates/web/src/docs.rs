//! `/api/docs`: the REST API, to be read.

use askama::Template;

use crate::frame::Frame;

/// The description of the API.
#[derive(Debug, Template)]
#[template(path = "docs.html")]
pub struct DocsPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Pitlane's version.
    pub version: String,
    /// What holds for every operation, a sentence each.
    pub rules: Vec<String>,
    /// The operations by their subject.
    pub groups: Vec<Group>,
    /// The shapes of bodies, in the order of their names.
    pub shapes: Vec<Shape>,
    /// Every code of an error.
    pub codes: Vec<Code>,
}

/// Operations of one subject.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// The end of its address on the page.
    pub anchor: String,
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub about: String,
    /// Its operations.
    pub operations: Vec<Operation>,
}

/// One method of one path.
#[derive(Clone, Debug, Default)]
pub struct Operation {
    /// The end of its address on the page.
    pub anchor: String,
    /// `GET` and so on.
    pub method: String,
    /// The path with its placeholders.
    pub path: String,
    /// What it does, in a few words.
    pub summary: String,
    /// The rest, and who may call it.
    pub about: String,
    /// Placeholders, the query and headers.
    pub parameters: Vec<Field>,
    /// What is sent.
    pub body: Option<Content>,
    /// What may come back.
    pub answers: Vec<Answer>,
}

/// A named value: a parameter, or a field of a shape.
#[derive(Clone, Debug, Default)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Where it stands, for a parameter.
    pub place: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it means, and its limits.
    pub about: String,
}

/// What a value is, in words.
#[derive(Clone, Debug, Default)]
pub struct Kind {
    /// Such as `list of Session`.
    pub text: String,
    /// The shape it is made of, to lead to.
    pub shape: Option<String>,
}

/// A body and an example of it.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// The media type.
    pub media: String,
    /// What it is.
    pub kind: Kind,
    /// An example as indented JSON; empty where there is none.
    pub example: String,
}

/// One status.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status code.
    pub status: String,
    /// What it means.
    pub about: String,
    /// The headers that come with it.
    pub headers: Vec<String>,
    /// What it carries.
    pub content: Option<Content>,
    /// The codes of a refusal.
    pub codes: Vec<String>,
}

/// The shape of a body.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// Its name, and the end of its address on the page.
    pub name: String,
    /// What it is about.
    pub about: String,
    /// What it is, when it is no object.
    pub kind: Kind,
    /// Its fields, when it is an object.
    pub fields: Vec<Field>,
    /// An example as indented JSON.
    pub example: String,
}

/// A code of an error.
#[derive(Clone, Debug, Default)]
pub struct Code {
    /// The code.
    pub code: String,
    /// The statuses it comes with.
    pub statuses: String,
    /// What it says.
    pub sentence: String,
}

impl Answer {
    /// Whether it is a success, or leads on.
    pub(crate) fn is_good(&self) -> bool {
        self.status.starts_with(['1', '2', '3'])
    }
}
