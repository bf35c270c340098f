//! Resolves a word to an object: a full id, a name, or the beginning of an id, in this order. So
//! scripts that use ids are never surprised by names, and names never by ids.

use std::fmt::Display;
use std::future::Future;
use std::str::FromStr;

use ovhai_api_types::{App, AppId, Token, TokenId};
use ovhai_client::{AppFilter, Client, Result as ClientResult};

use crate::context::Context;
use crate::error::{Failure, NOT_FOUND, Result, USAGE};

/// Minimum length of the beginning of an id.
const SHORTEST_PREFIX: usize = 4;
/// Maximum number of candidates to list.
const MOST_CANDIDATES: usize = 10;

/// An object with an id and a name.
pub(crate) trait Named: Sized {
    /// The id.
    type Id: FromStr + Display;
    /// The name.
    const KIND: &'static str;

    fn id(&self) -> Self::Id;
    fn name(&self) -> &str;
    fn get(client: &Client, id: Self::Id) -> impl Future<Output = ClientResult<Self>>;
    /// All objects; only the candidates if the server can filter.
    fn all(client: &Client, wanted: &str) -> impl Future<Output = ClientResult<Vec<Self>>>;
}

impl Named for App {
    type Id = AppId;
    const KIND: &'static str = "app";

    fn id(&self) -> AppId {
        self.id
    }

    fn name(&self) -> &str {
        self.spec.name.as_deref().unwrap_or_default()
    }

    async fn get(client: &Client, id: AppId) -> ClientResult<Self> {
        client.get_app(id).await
    }

    async fn all(client: &Client, wanted: &str) -> ClientResult<Vec<Self>> {
        let named = Some(wanted.to_owned());
        client.list_apps(&AppFilter { named, ..AppFilter::default() }).await
    }
}

impl Named for Token {
    type Id = TokenId;
    const KIND: &'static str = "token";

    fn id(&self) -> TokenId {
        self.id
    }

    fn name(&self) -> &str {
        &self.spec.name
    }

    async fn get(client: &Client, id: TokenId) -> ClientResult<Self> {
        client.get_token(id).await
    }

    async fn all(client: &Client, _wanted: &str) -> ClientResult<Vec<Self>> {
        client.list_tokens().await
    }
}

/// The object that a word names.
pub(crate) async fn resolve<T: Named>(client: &Client, wanted: &str) -> Result<T> {
    if let Ok(id) = wanted.parse::<T::Id>() {
        match T::get(client, id).await {
            // It may be a name that looks like an id.
            Err(error) if error.status() == Some(404) => {}
            got => return Ok(got?),
        }
    }
    pick(T::all(client, wanted).await?, wanted)
}

/// The objects that several words name, each once, and the failures of the other words. Any other
/// failure ends it.
pub(crate) async fn resolve_each<T: Named>(
    client: &Client,
    wanted: &[String],
) -> Result<(Vec<T>, Vec<(String, Failure)>)> {
    let (mut found, mut unclear): (Vec<T>, _) = (Vec::with_capacity(wanted.len()), Vec::new());
    for wanted in wanted {
        match resolve::<T>(client, wanted).await {
            Ok(thing) => {
                let id = thing.id().to_string();
                if found.iter().all(|known| known.id().to_string() != id) {
                    found.push(thing);
                }
            }
            Err(why) if matches!(why.code(), NOT_FOUND | USAGE) => {
                unclear.push((wanted.clone(), why));
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok((found, unclear))
}

/// Warns if other objects have the name of this one.
pub(crate) async fn namesakes<T: Named>(client: &Client, thing: &T) -> Result<usize> {
    let id = thing.id().to_string();
    let all = T::all(client, thing.name()).await?;
    let is_other = |t: &&T| t.name() == thing.name() && t.id().to_string() != id;
    Ok(all.iter().filter(is_other).count())
}

/// Warns that the name of a new object is not unique.
pub(crate) async fn say_if_named_alike<T: Named>(
    context: &mut Context,
    client: &Client,
    thing: &T,
) {
    // The operation itself is done; a failure here does not matter.
    let others = namesakes(client, thing).await.unwrap_or_default();
    let (kind, name) = (T::KIND, thing.name());
    let others = match others {
        0 => return,
        1 => format!("another {kind} is"),
        many => format!("{many} other {kind}s are"),
    };
    context.note(format!(
        "warning: {others} named {name}: commands need the id from now on, such as ovhai {kind} get {}",
        thing.id()
    ));
}

/// The object as it is now.
pub(crate) async fn again<T: Named>(client: &Client, known: &T) -> Result<T> {
    let kind = T::KIND;
    T::get(client, known.id()).await.map_err(|error| match error.status() {
        Some(404) => Failure::not_found(format!(
            "the {kind} {} ({}) does not exist",
            known.name(),
            known.id()
        ))
        .because("another command deleted it")
        .hint(format!("see all: ovhai {kind} list")),
        _ => error.into(),
    })
}

fn pick<T: Named>(all: Vec<T>, wanted: &str) -> Result<T> {
    let (mut found, others): (Vec<T>, Vec<T>) = all.into_iter().partition(|t| t.name() == wanted);
    if found.is_empty() && may_begin_an_id(wanted) {
        let prefix = wanted.to_ascii_lowercase();
        found = others.into_iter().filter(|t| t.id().to_string().starts_with(&prefix)).collect();
    }
    let kind = T::KIND;
    match found.len() {
        0 => Err(Failure::not_found(format!("there is no {kind} {wanted:?} in this region")).hint(
            format!(
                "see all: ovhai {kind} list; another region: --region REGION (ovhai emulator status shows them)"
            ),
        )),
        1 => Ok(found.remove(0)),
        many => {
            let listed = found.iter().take(MOST_CANDIDATES);
            let mut candidates: Vec<String> =
                listed.map(|t| format!("{} ({})", t.id(), t.name())).collect();
            if many > MOST_CANDIDATES {
                candidates.push(format!("and {} more", many - MOST_CANDIDATES));
            }
            let id = found[0].id();
            Err(Failure::usage(format!("{wanted:?} matches {many} {kind}s"))
                .because(candidates.join(", "))
                .hint(format!("use an id, such as ovhai {kind} get {id}")))
        }
    }
}

/// Whether a word can be the beginning of an id, and is long enough.
fn may_begin_an_id(text: &str) -> bool {
    text.len() >= SHORTEST_PREFIX
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            0..36 => byte.is_ascii_hexdigit(),
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Thing(&'static str, &'static str);

    impl Named for Thing {
        type Id = String;
        const KIND: &'static str = "thing";

        fn id(&self) -> String {
            self.0.into()
        }

        fn name(&self) -> &str {
            self.1
        }

        async fn get(_: &Client, id: String) -> ClientResult<Self> {
            Err(ovhai_client::Error::Api { status: 404, message: id })
        }

        async fn all(_: &Client, _: &str) -> ClientResult<Vec<Self>> {
            Ok(things())
        }
    }

    fn things() -> Vec<Thing> {
        vec![
            Thing("abcd0000-0000-4000-8000-000000000001", "one"),
            Thing("abcd0000-0000-4000-8000-000000000002", "two"),
            Thing("beef0000-0000-4000-8000-000000000003", "abcd"),
            Thing("cafe0000-0000-4000-8000-000000000004", "x"),
            Thing("dead0000-0000-4000-8000-000000000005", "twin"),
            Thing("dead1000-0000-4000-8000-000000000006", "twin"),
            Thing("feed1000-0000-4000-8000-000000000007", "6f7c2f0e-4d0c-4a57-9f0a-3c1b6a0d2f11"),
        ]
    }

    #[test]
    fn names_take_precedence_over_id_prefixes() {
        for (wanted, id) in [
            ("one", "abcd0000-0000-4000-8000-000000000001"),
            // A name takes precedence over the beginning of an id.
            ("abcd", "beef0000-0000-4000-8000-000000000003"),
            ("beef", "beef0000-0000-4000-8000-000000000003"),
            ("BEEF0000-0", "beef0000-0000-4000-8000-000000000003"),
            ("x", "cafe0000-0000-4000-8000-000000000004"),
            ("6f7c2f0e-4d0c-4a57-9f0a-3c1b6a0d2f11", "feed1000-0000-4000-8000-000000000007"),
        ] {
            let found =
                pick(things(), wanted).unwrap_or_else(|error| panic!("{wanted}: {error:?}"));
            assert_eq!(found.0, id, "{wanted}");
        }
    }

    #[test]
    fn unknown_and_ambiguous_names_are_refused() {
        for (wanted, code) in [
            ("", 3),
            ("bee", 3),
            ("be-f", 3),
            ("beef00000", 3),
            ("nobody", 3),
            ("abcd0", 2),
            ("twin", 2),
            ("dead", 2),
        ] {
            let failure = pick(things(), wanted).expect_err(wanted);
            assert_eq!(failure.code(), code, "{wanted}: {failure:?}");
        }
        let mut shown = Vec::new();
        pick(things(), "twin").expect_err("two of them").show(&mut shown, false);
        let shown = String::from_utf8(shown).expect("text");
        assert!(shown.contains("000000000005 (twin), dead1000"), "{shown}");
    }
}
