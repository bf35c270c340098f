//! The end of `ovhai app run`: the app in short, and the next command; `ovhai app get` shows all of
//! it.

use std::net::IpAddr;
use std::time::Duration;

use ovhai_api_types::{App, AppState};
use ovhai_client::AppFilter;
use tokio::sync::oneshot;

use super::credential::selector_of;
use super::view;
use crate::context::Context;
use crate::error::Result;
use crate::private_file;
use crate::server::credentials::Credentials;
use crate::server::target::Target;
use crate::settings::state_dir;
use crate::term::describe::Description;
use crate::term::text::{cut, quoted};

/// Time-out for the resolver; a browser would not wait longer either.
const PATIENCE: Duration = Duration::from_millis(300);
/// File in the state directory that marks the warning about names below localhost as shown.
const SAID: &str = "localhost.said";

/// Shows the app in the requested format.
pub(super) async fn show(context: &mut Context, target: &Target, app: &App) -> Result<()> {
    if context.format().is_some() {
        return context.show(app);
    }
    let text = brief(app, context.columns).render(context.layout());
    context.line(text.trim_end())?;
    context.out.flush()?;
    if context.global.quiet {
        return Ok(());
    }
    let name = word(target, app).await;
    let next = next(context, target, app, &name)?;
    context.note(format!("hint: {next}; details: ovhai app get {name}"));
    say_if_unresolved(context, target, app, &name).await;
    Ok(())
}

fn brief(app: &App, columns: Option<usize>) -> Description {
    let status = &app.status;
    let mut view = Description::new()
        .field("ID", app.id)
        .field("Name", view::name(app))
        .field("State", status.state);
    if let Some(info) = status.info.as_ref().filter(|_| status.state != AppState::Running) {
        // Room for one line after the longest field name.
        let before = if status.grpc_address.is_some() { "gRPC Address: " } else { "State: " };
        let room = columns.map_or(usize::MAX, |columns| columns.saturating_sub(before.len()));
        view = view.field("Info", cut(&info.message, room.max(1)));
    }
    view = view.field("URL", &status.url);
    match &status.grpc_address {
        Some(address) => view.field("gRPC Address", address),
        None => view,
    }
}

/// The app in a command: its name if it is unique, else its id.
async fn word(target: &Target, app: &App) -> String {
    let name = view::name(app);
    let filter = AppFilter { named: Some(name.to_owned()), ..AppFilter::default() };
    let listed = target.client.list_apps(&filter).await.unwrap_or_default();
    let alike = listed.iter().filter(|other| view::name(other) == name).count();
    if alike == 1 && !name.starts_with('-') {
        quoted(name).into_owned()
    } else {
        app.id.to_string()
    }
}

fn next(context: &Context, target: &Target, app: &App, name: &str) -> Result<String> {
    let reach = if is_entered(context, target, app)? {
        format!("reach it: ovhai app curl {name}")
    } else {
        format!(
            "make a token that opens it: ovhai token new NAME --selector {} --role read --region {}",
            selector_of(app),
            target.region
        )
    };
    Ok(match app.status.state {
        AppState::Running => reach,
        AppState::Failed | AppState::Error => format!("read its output: ovhai app logs {name}"),
        _ => format!("wait for it: ovhai app wait {name} --for RUNNING"),
    })
}

/// Whether `app curl` has a credential for it.
fn is_entered(context: &Context, target: &Target, app: &App) -> Result<bool> {
    if app.spec.unsecure_http || context.token()?.is_some() {
        return Ok(true);
    }
    let credentials = Credentials::open(context)?;
    let nothing_stored = credentials.describe(&target.issuer).is_empty();
    Ok((target.server.is_local() && nothing_stored) || credentials.fits(app, &target.issuer)?)
}

/// Warns, once per state directory, if this machine does not resolve names below localhost, which
/// browsers and other programs need.
async fn say_if_unresolved(context: &mut Context, target: &Target, app: &App, name: &str) {
    if !target.server.is_local() || context.embedded.is_some() {
        return;
    }
    let Ok(said) = state_dir(context).map(|directory| directory.join(SAID)) else { return };
    let Some(host) = local_host(&app.status.url).filter(|_| !said.exists()) else { return };
    // If this fails, the warning is merely repeated.
    if !leads_here(look_up(host).await.as_deref()) {
        let _ = private_file::write(&said, &());
        context.note(format!(
            "hint: this machine does not resolve *.localhost; for programs other than ovhai: ovhai app port-forward {name}"
        ));
    }
}

/// The host of an address, if it is below localhost.
fn local_host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let host = rest.split(['/', ':']).next()?;
    host.ends_with(".localhost").then(|| host.to_owned())
}

/// The answer of the system's resolver; none without a timely answer.
async fn look_up(host: String) -> Option<Vec<IpAddr>> {
    let (told, answer) = oneshot::channel();
    // Not a thread of the runtime, which would keep the program until the resolver answers.
    let looking = std::thread::Builder::new().spawn(move || {
        use std::net::ToSocketAddrs;
        let found = (host.as_str(), 0).to_socket_addrs();
        // The receiver may have given up.
        let _ = told.send(found.ok().map(|all| all.map(|address| address.ip()).collect()));
    });
    looking.ok()?;
    tokio::time::timeout(PATIENCE, answer).await.ok()?.ok()?
}

/// Some resolvers answer every name with an address of their own.
fn leads_here(addresses: Option<&[IpAddr]>) -> bool {
    addresses.is_some_and(|all| all.iter().any(IpAddr::is_loopback))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine_are_recognized() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(leads_here(Some(&[ip("127.0.0.1")])) && leads_here(Some(&[ip("::1")])));
        assert!(!leads_here(None) && !leads_here(Some(&[])));
        assert!(!leads_here(Some(&[ip("203.0.113.9")])), "a resolver that knows every name");
        assert_eq!(
            local_host("http://x.app.gra.ai.localhost:4480").as_deref(),
            Some("x.app.gra.ai.localhost")
        );
        for elsewhere in ["https://x.app.gra.ai.cloud.ovh.net", "http://localhost:1", "x", ""] {
            assert_eq!(local_host(elsewhere), None, "{elsewhere}");
        }
    }
}
