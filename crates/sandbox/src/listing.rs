//! Lists: filters and cursor pages (<https://docs.stripe.com/api/pagination>).

use serde_json::{Value, json};

use crate::document::{Document, Kind};
use crate::fault::{Fault, Reply, invalid};
use crate::form::Scope;
use crate::state::{Cursor, Search, Tx};

/// A parameter that narrows a list.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Filter {
    /// The field of the parameter's name has its value.
    Field(&'static str),
    /// The field has one of the parameter's values.
    AnyOf { param: &'static str, field: &'static str },
}

/// The page that the parameters ask for. `ignored` names parameters of Stripe's that change nothing here.
pub(crate) fn list(
    tx: &mut Tx<'_>,
    params: &Scope<'_>,
    kind: Kind,
    filters: &[Filter],
    ignored: &[&str],
) -> Result<Reply, Fault> {
    let mut allowed = vec!["limit", "starting_after", "ending_before", "created"];
    allowed.extend(ignored);
    let mut fields = Vec::new();
    for filter in filters {
        match *filter {
            Filter::Field(field) => {
                allowed.push(field);
                if let Some(value) = params.child(field).text()? {
                    fields.push((field, vec![value.to_owned()]));
                }
            }
            Filter::AnyOf { param, field } => {
                allowed.push(param);
                let values = params.child(param).texts()?;
                if values.len() > 20 {
                    return Err(invalid(format!("{param} takes at most 20 values.")).param(param).into());
                }
                if !values.is_empty() {
                    fields.push((field, values.into_iter().map(str::to_owned).collect()));
                }
            }
        }
    }
    params.only(&allowed)?;
    page(tx, params, kind, fields, kind.path())
}

/// A page of documents whose `fields` have these values, answered as a list at `url`.
pub(crate) fn page(
    tx: &mut Tx<'_>,
    params: &Scope<'_>,
    kind: Kind,
    fields: Vec<(&'static str, Vec<String>)>,
    url: &str,
) -> Result<Reply, Fault> {
    let limit = params.child("limit").integer()?.unwrap_or(10);
    if !(1..=100).contains(&limit) {
        return Err(invalid("This value must be greater than or equal to 1 and less than or equal to 100 (it currently is outside).")
            .code("parameter_invalid_integer")
            .param("limit")
            .into());
    }
    let (after, before) = (params.child("starting_after").text()?, params.child("ending_before").text()?);
    let cursor = match (after, before) {
        (None, None) => Cursor::Newest,
        (Some(id), None) => Cursor::After(id.to_owned()),
        (None, Some(id)) => Cursor::Before(id.to_owned()),
        (Some(_), Some(_)) => {
            return Err(invalid(
                "You may only specify one of these parameters: starting_after, ending_before.",
            )
            .into());
        }
    };
    let search = Search { kind, fields, created: created(&params.child("created"))?, cursor, limit };
    let (documents, more) = tx.search(&search)?;
    Ok(Reply::ok(whole(documents.into_iter().map(Document::into_json).collect(), more, url)))
}

/// A list object.
pub(crate) fn whole(data: Vec<Value>, more: bool, url: &str) -> Value {
    json!({"object": "list", "data": data, "has_more": more, "url": url})
}

fn created(scope: &Scope<'_>) -> Result<Vec<(&'static str, i64)>, Fault> {
    if !scope.given() {
        return Ok(Vec::new());
    }
    if let Ok(Some(at)) = scope.integer() {
        return Ok(vec![("=", at)]);
    }
    scope.only(&["gt", "gte", "lt", "lte"])?;
    let mut comparisons = Vec::new();
    for (name, operator) in [("gt", ">"), ("gte", ">="), ("lt", "<"), ("lte", "<=")] {
        if let Some(at) = scope.child(name).integer()? {
            comparisons.push((operator, at));
        }
    }
    Ok(comparisons)
}
