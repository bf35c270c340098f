//! Query parameters, read one by one so that an error names the wrong one. Unknown ones are
//! ignored, as the service does.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use hyper::http::request::Parts;
use ovhai_api_types::{AppState, Links, Metadata, Order, Timestamp};
use ovhai_core::input;
use ovhai_core::platform::{AppQuery, AppSort};

use super::error::ApiError;

const DEFAULT_SIZE: u64 = 100;
const MAX_SIZE: u64 = 1000;

/// The query of a request: names and values, decoded.
pub(crate) struct Query {
    path: String,
    pairs: Vec<(String, String)>,
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self {
            path: parts.uri.path().to_owned(),
            pairs: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        })
    }
}

impl Query {
    /// The value of a parameter that may be given once; an empty one is none.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        let named = |(key, _): &&(String, String)| key == name;
        self.pairs.iter().rfind(named).map(|(_, value)| value.as_str()).filter(|v| !v.is_empty())
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn parse<T: FromStr>(
        &self,
        name: &str,
        allowed: &str,
    ) -> Result<Option<T>, ApiError> {
        self.one(name)
            .map(|value| {
                value.parse().map_err(|_| {
                    ApiError::invalid(name, format!("{value:?} is not allowed: use {allowed}"))
                })
            })
            .transpose()
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        Ok(self.parse(name, "true or false")?.unwrap_or(false))
    }

    /// The page that is asked for.
    pub(super) fn page(&self) -> Result<PageParams, ApiError> {
        let page = self.parse("page", "1 or more")?.unwrap_or(1);
        let size = self.parse("size", "1 to 1000")?.unwrap_or(DEFAULT_SIZE);
        if page == 0 {
            return Err(ApiError::invalid("page", "0 is not allowed: use 1 or more"));
        }
        if size == 0 || size > MAX_SIZE {
            return Err(ApiError::invalid(
                "size",
                format!("{size} is not allowed: use 1 to {MAX_SIZE}"),
            ));
        }
        Ok(PageParams { page, size })
    }

    /// Cuts a page out of `all`, with its position.
    pub(super) fn cut<T>(&self, mut all: Vec<T>, page: PageParams) -> (Vec<T>, Metadata) {
        let total = all.len() as u64;
        let page_count = total.div_ceil(page.size).max(1);
        let start = usize::try_from(page.size.saturating_mul(page.page - 1)).unwrap_or(usize::MAX);
        let size = usize::try_from(page.size).unwrap_or(usize::MAX);
        let items: Vec<T> =
            if start >= all.len() { Vec::new() } else { all.drain(start..).take(size).collect() };
        let next = (page.page < page_count).then(|| self.with_page(page.page + 1));
        (items, Metadata { current_page: page.page, links: Links { next }, page_count, total })
    }

    fn with_page(&self, page: u64) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.pairs.iter().filter(|(name, _)| name != "page"));
        query.append_pair("page", &page.to_string());
        format!("{}?{}", self.path, query.finish())
    }

    /// How much of each app is asked for.
    pub(super) fn fields(&self) -> Result<Fields, ApiError> {
        match self.one("fields") {
            None => Ok(Fields::All),
            Some("row") => Ok(Fields::Row),
            Some(other) => {
                Err(ApiError::invalid("fields", format!("{other:?} is not allowed: use row")))
            }
        }
    }

    /// What apps are asked for.
    pub(super) fn apps(&self) -> Result<AppQuery, ApiError> {
        let sort = self
            .one("sort")
            .map(|field| match field {
                "createdAt" => Ok(AppSort::Created),
                "updatedAt" => Ok(AppSort::Updated),
                "name" | "spec.name" => Ok(AppSort::Name),
                "state" | "status.state" => Ok(AppSort::State),
                "id" => Ok(AppSort::Id),
                other => Err(ApiError::invalid(
                    "sort",
                    format!("{other:?} is not allowed: use createdAt, updatedAt, spec.name, status.state or id"),
                )),
            })
            .transpose()?;
        let order = self
            .one("order")
            .map(|order| match order {
                "asc" => Ok(Order::Asc),
                "desc" => Ok(Order::Desc),
                other => Err(ApiError::invalid(
                    "order",
                    format!("{other:?} is not allowed: use asc or desc"),
                )),
            })
            .transpose()?;
        // The newest first by default.
        let order = order.unwrap_or(if sort.is_some() { Order::Asc } else { Order::Desc });
        let selector = self
            .one("labelSelector")
            .map(|text| input::selector("labelSelector", text))
            .transpose()?
            .unwrap_or_default();
        let mut states: Vec<_> = self
            .all("statusState")
            .flat_map(|value| value.split(','))
            .filter(|state| !state.is_empty())
            .map(|state| {
                state.parse::<AppState>().map_err(|error| ApiError::invalid("statusState", error))
            })
            .collect::<Result<_, _>>()?;
        // Deduplicated, so that each app is compared with a few.
        states.sort_unstable();
        states.dedup();
        Ok(AppQuery {
            contains: None,
            selector,
            states,
            begins: self.one("begins").map(str::to_owned),
            named: self.one("named").map(str::to_owned),
            updated_after: self.moment("updatedAfter")?,
            updated_before: self.moment("updatedBefore")?,
            sort: sort.unwrap_or_default(),
            order,
        })
    }

    /// A Unix time in seconds; one that can only be in milliseconds is taken so.
    pub(crate) fn moment(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        const ALLOWED: &str = "a Unix time in seconds";
        let Some(number) = self.parse::<i64>(name, ALLOWED)? else { return Ok(None) };
        let moment = if number.unsigned_abs() >= 100_000_000_000 {
            Timestamp::from_millisecond(number)
        } else {
            Timestamp::from_second(number)
        };
        moment
            .map(Some)
            .map_err(|_| ApiError::invalid(name, format!("{number} is not allowed: use {ALLOWED}")))
    }
}

/// How much of an app is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fields {
    /// All of it.
    All,
    /// What a row of a table has.
    Row,
}

/// A page: number from 1, and size.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageParams {
    pub(super) page: u64,
    pub(super) size: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query {
            path: "/v1/app".into(),
            pairs: form_urlencoded::parse(text.as_bytes()).into_owned().collect(),
        }
    }

    #[test]
    fn pages() {
        let q = query("size=2&page=2&labelSelector=a%3Db");
        let page = q.page().expect("a page");
        let (items, meta) = q.cut(vec![1, 2, 3, 4, 5], page);
        assert_eq!((items, meta.total, meta.page_count, meta.current_page), (vec![3, 4], 5, 3, 2));
        assert_eq!(meta.links.next.as_deref(), Some("/v1/app?size=2&labelSelector=a%3Db&page=3"));
        let (items, meta) = q.cut(vec![1], PageParams { page: u64::MAX, size: 1000 });
        assert!(items.is_empty() && meta.links.next.is_none());
    }

    #[test]
    fn malformed_parameters_are_refused_by_name() {
        for (text, name) in [
            ("page=0", "page"),
            ("page=x", "page"),
            ("size=0", "size"),
            ("size=1001", "size"),
            ("size=-1", "size"),
        ] {
            let error = format!("{:?}", query(text).page().err());
            assert!(error.contains(&format!("{name}:")), "{text}: {error}");
        }
        for text in
            ["order=up", "sort=color", "statusState=GONE", "labelSelector=%2C", "updatedAfter=x"]
        {
            let name = text.split('=').next().unwrap_or_default();
            let error = format!("{:?}", query(text).apps().err());
            assert!(error.contains(&format!("{name}:")), "{text}: {error}");
        }
        let error = format!("{:?}", query("fields=rows").fields().err());
        assert!(error.contains("fields:"), "{error}");
        let fields = |text| query(text).fields().expect("good");
        assert_eq!([fields(""), fields("fields=")], [Fields::All; 2]);
        assert_eq!(fields("fields=row"), Fields::Row);
        let apps = query("statusState=RUNNING&statusState=stopped,FAILED&updatedAfter=1700000000")
            .apps()
            .expect("good");
        assert_eq!(apps.states, [AppState::Running, AppState::Stopped, AppState::Failed]);
        assert_eq!(apps.updated_after, Timestamp::from_second(1_700_000_000).ok());
        assert_eq!(apps.order, Order::Desc);
    }
}
