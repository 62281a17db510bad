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
    /// The field names this object, which must exist.
    Of(&'static str, Kind),
    /// The field of the parameter's name is true or false.
    Flag(&'static str),
    /// The field has one of the parameter's values.
    AnyOf { param: &'static str, field: &'static str },
    /// The part of a group has the value, such as `customer_details[email]`.
    Part { group: &'static str, part: &'static str, field: &'static str },
    /// A parameter that is true or false says whether an SQL condition holds.
    Condition { param: &'static str, holds: &'static str },
}

/// What the filters among the parameters ask for.
#[derive(Default)]
struct Wanted {
    allowed: Vec<&'static str>,
    fields: Vec<(&'static str, Vec<String>)>,
    conditions: Vec<String>,
}

impl Wanted {
    fn read(&mut self, tx: &mut Tx<'_>, params: &Scope<'_>, filter: Filter) -> Result<(), Fault> {
        match filter {
            Filter::Field(field) => {
                self.allowed.push(field);
                self.equal(field, params.child(field).text()?);
            }
            Filter::Of(field, kind) => {
                self.allowed.push(field);
                let id = params.child(field).text()?;
                if let Some(id) = id {
                    tx.require(kind, id, field)?;
                }
                self.equal(field, id);
            }
            Filter::Flag(field) => {
                self.allowed.push(field);
                if let Some(flag) = params.child(field).boolean()? {
                    self.conditions.push(format!("json_extract(json, '$.{field}') is {flag}"));
                }
            }
            Filter::AnyOf { param, field } => {
                self.allowed.push(param);
                let values = params.child(param).texts()?;
                if values.len() > 20 {
                    return Err(invalid(format!("{param} takes at most 20 values.")).param(param).into());
                }
                if !values.is_empty() {
                    self.fields.push((field, values.into_iter().map(str::to_owned).collect()));
                }
            }
            Filter::Part { group, part, field } => {
                self.allowed.push(group);
                params.child(group).only(&[part])?;
                self.equal(field, params.child(group).child(part).text()?);
            }
            Filter::Condition { param, holds } => {
                self.allowed.push(param);
                match params.child(param).boolean()? {
                    Some(true) => self.conditions.push(holds.to_owned()),
                    Some(false) => self.conditions.push(format!("not ({holds})")),
                    None => {}
                }
            }
        }
        Ok(())
    }

    fn equal(&mut self, field: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.fields.push((field, vec![value.to_owned()]));
        }
    }
}

/// The page that the parameters ask for. `ignored` names parameters of Stripe's that change nothing here.
pub(crate) fn list(
    tx: &mut Tx<'_>,
    params: &Scope<'_>,
    kind: Kind,
    filters: &[Filter],
    ignored: &[&str],
) -> Result<Reply, Fault> {
    let mut wanted = Wanted::default();
    for filter in filters {
        wanted.read(tx, params, *filter)?;
    }
    let mut allowed = vec!["limit", "starting_after", "ending_before", "created"];
    allowed.extend(&wanted.allowed);
    allowed.extend(ignored);
    params.only(&allowed)?;
    search(tx, params, kind, wanted, kind.path())
}

/// A page of documents whose `fields` have these values, answered as a list at `url`.
pub(crate) fn page(
    tx: &mut Tx<'_>,
    params: &Scope<'_>,
    kind: Kind,
    fields: Vec<(&'static str, Vec<String>)>,
    url: &str,
) -> Result<Reply, Fault> {
    search(tx, params, kind, Wanted { fields, ..Wanted::default() }, url)
}

fn search(
    tx: &mut Tx<'_>,
    params: &Scope<'_>,
    kind: Kind,
    wanted: Wanted,
    url: &str,
) -> Result<Reply, Fault> {
    let (limit, cursor) = (limit(params)?, cursor(params)?);
    let created = created(&params.child("created"))?;
    let Wanted { fields, conditions, .. } = wanted;
    let search = Search { kind, fields, conditions, created, cursor, limit };
    let (documents, more) = tx.search(&search)?;
    Ok(Reply::ok(whole(documents.into_iter().map(Document::into_json).collect(), more, url)))
}

fn limit(params: &Scope<'_>) -> Result<i64, Fault> {
    let limit = params.child("limit").integer()?.unwrap_or(10);
    let mistake = match limit {
        1..=100 => return Ok(limit),
        101.. => "This value must be less than or equal to 100.",
        _ => "This value must be greater than or equal to 1.",
    };
    Err(invalid(mistake).code("parameter_invalid_integer").param("limit").into())
}

fn cursor(params: &Scope<'_>) -> Result<Cursor, Fault> {
    match (params.child("starting_after").text()?, params.child("ending_before").text()?) {
        (None, None) => Ok(Cursor::Newest),
        (Some(id), None) => Ok(Cursor::After(id.to_owned())),
        (None, Some(id)) => Ok(Cursor::Before(id.to_owned())),
        (Some(_), Some(_)) => {
            Err(invalid("You may only specify one of these parameters: starting_after, ending_before.")
                .into())
        }
    }
}

/// A page of items that stand in one object, in their order there.
pub(crate) fn slice(params: &Scope<'_>, items: Vec<Value>, url: &str) -> Result<Reply, Fault> {
    params.only(&["limit", "starting_after", "ending_before"])?;
    let limit = usize::try_from(limit(params)?).unwrap_or(usize::MAX);
    let place = |id: &str, param: &str| {
        let found = items.iter().position(|item| item.get("id").and_then(Value::as_str) == Some(id));
        found.ok_or_else(|| {
            Fault::from(invalid(format!("No such item: '{id}'")).code("resource_missing").param(param))
        })
    };
    let (start, end, more) = match cursor(params)? {
        Cursor::Before(id) => {
            let end = place(&id, "ending_before")?;
            (end.saturating_sub(limit), end, end > limit)
        }
        cursor @ (Cursor::Newest | Cursor::After(_)) => {
            let start = match cursor {
                Cursor::After(id) => place(&id, "starting_after")? + 1,
                Cursor::Newest | Cursor::Before(_) => 0,
            };
            let end = start.saturating_add(limit).min(items.len());
            (start, end, end < items.len())
        }
    };
    let page = items.get(start..end).unwrap_or_default().to_vec();
    Ok(Reply::ok(whole(page, more, url)))
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
