//! Refreshes a session whose bearer the server rejects early: the server's clock counts, not that
//! of a machine that was suspended.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Request, Response, StatusCode};

use crate::error::Error;
use crate::{Client, Result, bearer};

/// A refreshed bearer; none if there is no other.
pub type Renewed<'a> = Pin<Box<dyn Future<Output = Result<Option<String>>> + Send + 'a>>;

/// Refreshes the bearer of a session.
pub trait Renew: Send + Sync {
    /// The bearer to use in place of a rejected one; `anonymous` calls without a bearer.
    fn renew(&self, anonymous: Client, refused: String) -> Renewed<'_>;
}

/// The bearer of a client and of its clones.
#[derive(Clone, Default)]
pub(crate) struct Current(Arc<Mutex<Option<String>>>);

impl Current {
    pub(crate) fn new(bearer: Option<String>) -> Self {
        Self(Arc::new(Mutex::new(bearer)))
    }

    pub(crate) fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, bearer: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(bearer);
    }
}

impl Client {
    /// Refreshes a rejected bearer, once per call.
    #[must_use]
    pub fn renewed_by(mut self, renew: Arc<dyn Renew>) -> Self {
        self.renew = Some(renew);
        self
    }

    /// Sends a request, and once more with a refreshed bearer if the first one is rejected.
    pub(crate) async fn execute(&self, request: Request) -> Result<Response> {
        let again = self.renew.as_ref().and_then(|_| request.try_clone());
        let response = self.http.execute(request).await.map_err(Error::from_reqwest)?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let (Some(renew), Some(mut again)) = (&self.renew, again) else { return Ok(response) };
        let sent = again.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let Some(refused) = sent.and_then(|sent| {
            std::str::from_utf8(sent).ok()?.strip_prefix("Bearer ").map(str::to_owned)
        }) else {
            return Ok(response);
        };
        let mut anonymous = self.clone();
        (anonymous.bearer, anonymous.renew) = (Current::default(), None);
        let Some(renewed) = renew.renew(anonymous, refused).await? else { return Ok(response) };
        again.headers_mut().insert(AUTHORIZATION, bearer(&renewed)?);
        self.bearer.set(renewed);
        self.http.execute(again).await.map_err(Error::from_reqwest)
    }
}
