//! The price books, as `pricing` understands them.

use kernel::PlanCode;
use pricing::{Catalog, CatalogForm};

use super::reader::{Problem, Problems, place};
use super::{Settings, one_line};

const FILE: &str = "config/price-books.toml";
const BUILT_IN: &str = include_str!("../../../../config/price-books.toml");

impl Settings {
    /// Reads and checks the price books. Where the file of the default name is missing, those that came with this
    /// version are used.
    ///
    /// # Errors
    /// Everything that is wrong with the file, its books, or the active one.
    pub fn catalog(&self) -> Result<Catalog, Problems> {
        let file = self.pricing.file.display().to_string();
        let refuse = |right: String| {
            Problems(vec![Problem { key: "pricing.file".to_owned(), value: Some(file.clone()), right }])
        };
        let text = match std::fs::read_to_string(&self.pricing.file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && file == FILE => BUILT_IN.to_owned(),
            Err(error) => return Err(refuse(format!("the file can't be read: {error}"))),
        };
        let mut form: CatalogForm = toml::from_str(&text).map_err(|error| refuse(one_line(&error)))?;
        let active = &self.pricing.active_book;
        let known = [
            (PlanCode::Chat10, &self.payments.price_chat10),
            (PlanCode::Video15, &self.payments.price_video15),
            (PlanCode::Diagnostic, &self.payments.price_diagnostic),
        ];
        for (plan, id) in known {
            let Some(id) = id else { continue };
            if !form.put_stripe_price_id(active, plan, self.environment_name(), id.clone()) {
                let right =
                    format!("the active book {active} does not sell {plan}, which a Stripe price id is for");
                return Err(refuse(right));
            }
        }
        form.validate(active).map_err(|wrong| {
            let problem = |wrong: pricing::Problem| match wrong.key.as_str() {
                // The one thing that does not stand in the file.
                "active_book" => Problem {
                    key: self.named("pricing", "active_book"),
                    value: Some(active.clone()),
                    right: wrong.expected,
                },
                key => {
                    Problem { key: format!("{file}: {key}"), value: Some(wrong.value), right: wrong.expected }
                }
            };
            Problems(wrong.into_iter().map(problem).collect())
        })
    }

    /// A key with where it was set.
    fn named(&self, section: &str, key: &str) -> String {
        let entry = self.entries.iter().find(|entry| entry.section == section && entry.key == key);
        match entry.map(|entry| &entry.origin) {
            Some(origin) => format!("{section}.{key} ({})", place(origin)),
            None => format!("{section}.{key}"),
        }
    }

    /// The name of the environment, under which the books keep Stripe's price ids.
    pub const fn environment_name(&self) -> &'static str {
        self.server.environment.as_str()
    }
}
