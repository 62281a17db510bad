//! Lists: `?limit=&cursor=` in, `{items, next_cursor}` out.

use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::problem::{ApiResult, FieldError, Problem};

/// How many items a list holds when nothing is asked for.
pub const LIMIT_DEFAULT: u32 = 50;
/// The most items of a list; more is clamped to it.
pub const LIMIT_MAX: u32 = 500;

/// A page of a list.
#[derive(Debug, Serialize)]
pub struct List<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next one begins; `null` on the last.
    pub next_cursor: Option<String>,
}

/// `?limit=&cursor=`, of a list that takes nothing else.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    #[serde(default, deserialize_with = "number")]
    limit: Option<u64>,
    cursor: Option<String>,
}

impl Paging {
    /// The number of items that is asked for, within the limits.
    pub fn limit(&self) -> u32 {
        limit(self.limit)
    }

    /// The id that the cursor stands for.
    ///
    /// # Errors
    /// 422 for what is no cursor of this list.
    pub fn cursor<I: FromStr>(&self) -> ApiResult<Option<I>> {
        cursor(self.cursor.as_deref())
    }
}

/// Reads a `limit`: one that is too large for a number is a large one.
///
/// # Errors
/// The deserializer's, for what is no whole number.
pub fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    match text.parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Some(u64::MAX)),
        Err(error) => Err(D::Error::custom(error)),
    }
}

/// The number of items that is asked for, within the limits.
pub fn limit(asked: Option<u64>) -> u32 {
    let asked = asked.map_or(LIMIT_DEFAULT, |asked| u32::try_from(asked).unwrap_or(LIMIT_MAX));
    asked.clamp(1, LIMIT_MAX)
}

/// The id that a cursor stands for; an empty one stands for the beginning.
///
/// # Errors
/// 422 for what is no cursor of this list.
pub fn cursor<I: FromStr>(asked: Option<&str>) -> ApiResult<Option<I>> {
    asked.filter(|text| !text.is_empty()).map(str::parse).transpose().map_err(|_| {
        let message = "This is not a cursor of this list.";
        Problem::invalid(vec![FieldError::new("cursor", "invalid", message)])
    })
}

/// Looks at a text that is compared with stored ones.
///
/// # Errors
/// 422 for one with a NUL character, which no stored text has and not every database compares.
pub fn text(field: &str, asked: Option<&str>) -> ApiResult<()> {
    if asked.is_some_and(|text| text.contains('\0')) {
        let message = "A text holds no NUL character.";
        return Err(Problem::invalid(vec![FieldError::new(field, "invalid_characters", message)]));
    }
    Ok(())
}

impl<T> List<T> {
    /// A page of a list that is read as a whole because it is short, newest first: what is older than `before`.
    pub fn newest<V, C: ToString + Ord>(
        all: Vec<V>,
        before: Option<C>,
        limit: u32,
        id: impl Fn(&V) -> C,
        show: impl FnMut(V) -> T,
    ) -> Self {
        let older = |one: &V| before.as_ref().is_none_or(|before| id(one) < *before);
        let some = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
        let read = all.into_iter().filter(older).take(some).collect();
        Self::of(read, limit, &id, show)
    }

    /// A page of a list that is read as a whole because it is short, in its own order: the cursor counts what came
    /// before.
    ///
    /// # Errors
    /// 422 for what is no cursor of this list.
    pub fn counted<V>(
        all: impl IntoIterator<Item = V>,
        paging: &Paging,
        show: impl FnMut(V) -> T,
    ) -> ApiResult<Self> {
        let (limit, offset) = (paging.limit(), paging.cursor::<u32>()?.unwrap_or(0));
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let read = all.into_iter().skip(count(offset)).take(count(limit).saturating_add(1)).collect();
        Ok(Self::of(read, limit, |_| offset.saturating_add(limit), show))
    }

    /// A page from what was read with one item more than `limit`: the surplus only tells that there is a next page.
    pub fn of<V, C: ToString>(
        mut read: Vec<V>,
        limit: u32,
        id: impl Fn(&V) -> C,
        show: impl FnMut(V) -> T,
    ) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = read.len() > limit;
        read.truncate(limit);
        let next_cursor = if more { read.last().map(|last| id(last).to_string()) } else { None };
        Self { items: read.into_iter().map(show).collect(), next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_clamped() {
        for (asked, given) in
            [(None, 50), (Some(0), 1), (Some(7), 7), (Some(501), 500), (Some(u64::MAX), 500)]
        {
            assert_eq!(limit(asked), given, "{asked:?}");
        }
    }

    #[test]
    fn a_limit_may_be_larger_than_any_number() {
        let read = |query: &str| actix_web::web::Query::<Paging>::from_query(query);
        for (query, given) in [
            ("", 50),
            ("limit=7", 7),
            ("limit=18446744073709551615", 500),
            ("limit=18446744073709551616", 500),
            ("limit=99999999999999999999999999", 500),
        ] {
            assert_eq!(read(query).expect(query).limit(), given, "{query}");
        }
        for query in ["limit=", "limit=x", "limit=-1", "limit=1.5", "limit=0x10"] {
            let problem = crate::http::extract::bad_query(&read(query).expect_err(query));
            assert!(problem.errors[0].message.contains("whole number"), "{query}: {problem:?}");
        }
    }

    #[test]
    fn only_a_page_with_more_behind_it_has_a_cursor() {
        for (read, items, next) in [(0..0, 0, None), (0..3, 3, None), (0..4, 3, Some("2"))] {
            let list = List::of(read.collect::<Vec<u8>>(), 3, |id| *id, |id| id);
            assert_eq!((list.items.len(), list.next_cursor.as_deref()), (items, next));
        }
    }

    #[test]
    fn a_short_list_is_paged_by_what_was_shown_last() {
        let page = |before| List::newest(vec![9, 7, 4, 2], before, 2, |id| *id, |id: u8| id);
        let first = page(None);
        assert_eq!((first.items, first.next_cursor.as_deref()), (vec![9, 7], Some("7")));
        let last = page(Some(7));
        assert_eq!((last.items, last.next_cursor), (vec![4, 2], None));
    }

    #[test]
    fn a_list_with_an_order_of_its_own_is_paged_by_counting() {
        let page = |cursor: Option<&str>| {
            let paging = Paging { limit: Some(2), cursor: cursor.map(str::to_owned) };
            List::counted(["b", "c", "a"], &paging, str::to_owned)
        };
        let first = page(None).unwrap();
        assert_eq!(
            (first.items, first.next_cursor.as_deref()),
            (vec!["b".to_owned(), "c".to_owned()], Some("2"))
        );
        let last = page(Some("2")).unwrap();
        assert_eq!((last.items, last.next_cursor), (vec!["a".to_owned()], None));
        let beyond = page(Some("4294967295")).unwrap();
        assert_eq!((beyond.items, beyond.next_cursor), (vec![], None));
        assert!(page(Some("-1")).is_err());
    }
}
