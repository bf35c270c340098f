//! Watches whether a caller's access still holds while its request is under way.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ovhai_api_types::AppId;
use ovhai_core::platform::resource;
use ovhai_core::policy::{self, Action, Principal};

use super::Gateway;
use super::login::Login;
use crate::telemetry::Aborted;

/// Nearly all requests without a body are answered by then: their callers are not watched.
pub(crate) const MOMENT: Duration = Duration::from_millis(500);

/// An authorized caller.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    pub(crate) app: AppId,
    pub(crate) principal: Principal,
    /// The action that it is authorized for.
    pub(crate) action: Action,
    /// The login that it came with; none for a bearer.
    pub(crate) login: Option<Login>,
}

/// An authorized caller's access. It is watched from the first poll on.
pub(crate) struct CallerAccess {
    admission: Admission,
    denied: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl CallerAccess {
    pub(crate) fn new(admission: Admission) -> Self {
        Self { admission, denied: None }
    }

    /// Ready when the caller's access was revoked.
    pub(crate) fn poll_denied(&mut self, cx: &mut Context<'_>, gateway: &Gateway) -> Poll<()> {
        let Self { admission, denied } = self;
        let begin = || Box::pin(until_denied(gateway, admission.clone())) as Pin<Box<_>>;
        denied.get_or_insert_with(begin).as_mut().poll(cx)
    }

    /// Ready when a tunnel has to end: the caller's access was revoked, or everything stops.
    pub(crate) fn until_over(
        self,
        gateway: &Gateway,
    ) -> impl Future<Output = Option<Aborted>> + Send + use<> {
        let Self { admission, denied } = self;
        let denied = denied.unwrap_or_else(|| Box::pin(until_denied(gateway, admission)));
        let stopping = gateway.stopping.clone();
        async move {
            tokio::select! {
                () = denied => Some(Aborted::Access),
                () = stopping.cancelled() => None,
            }
        }
    }
}

/// Waits until the caller's access is revoked.
fn until_denied(
    gateway: &Gateway,
    admission: Admission,
) -> impl Future<Output = ()> + Send + use<> {
    let platform = Arc::clone(&gateway.platform);
    let Admission { app, principal, action, login } = admission;
    let mut access = platform.watch_access(&principal, app);
    let clock = Arc::clone(platform.clock());
    let logged_out = async move {
        match login {
            Some(login) => login.over(&*clock).await,
            None => std::future::pending().await,
        }
    };
    let denied = async move {
        loop {
            let allowed = platform.current(&principal).is_some_and(|caller| {
                platform.snapshot().app(app).is_some_and(|entry| {
                    policy::decide(&caller, action, &resource(&entry.record)).is_allowed()
                })
            });
            if !allowed {
                return;
            }
            access.changed().await;
        }
    };
    async move {
        tokio::select! {
            () = denied => {}
            () = logged_out => {}
        }
    }
}
