//! What went wrong with a submitted form, field by field.

/// The faults of one submitted form. Empty when there were none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errors {
    items: Vec<FieldError>,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The form's field name, for example `vin`; empty for the form as a whole.
    pub field: String,
    /// A whole sentence for the person who filled in the form.
    pub message: String,
}

impl Errors {
    /// Adds a fault of `field`; an empty `field` means the whole form.
    pub fn push(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.items.push(FieldError { field: field.into(), message: message.into() });
    }

    /// A form with one fault.
    #[must_use]
    pub fn one(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut errors = Self::default();
        errors.push(field, message);
        errors
    }

    /// The first fault of `field`.
    #[must_use]
    pub fn of(&self, field: &str) -> Option<&str> {
        self.items.iter().find(|item| item.field == field).map(|item| item.message.as_str())
    }

    /// The first fault of the form as a whole.
    #[must_use]
    pub fn whole(&self) -> Option<&str> {
        self.of("")
    }

    /// The faults of fields, in the order they were added.
    pub fn fields(&self) -> impl Iterator<Item = &FieldError> {
        self.items.iter().filter(|item| !item.field.is_empty())
    }

    /// How many fields are at fault.
    #[must_use]
    pub fn field_count(&self) -> usize {
        self.fields().count()
    }

    /// Whether the form was fine.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}
