//! The end of `ovhai app run`: the app in short, and the next command; `ovhai app get` shows all of
//! it.

use ovhai_api_types::{App, AppState};
use ovhai_client::AppFilter;

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

/// Where the system's library says how it resolves names.
const NAME_SERVICES: &str = "/etc/nsswitch.conf";
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
    say_if_unresolved(context, target, app, &name);
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
fn say_if_unresolved(context: &mut Context, target: &Target, app: &App, name: &str) {
    if !target.server.is_local() || context.embedded.is_some() {
        return;
    }
    let Ok(said) = state_dir(context).map(|directory| directory.join(SAID)) else { return };
    let is_below = is_below_localhost(&app.status.url);
    // If this fails, the warning is merely repeated.
    if is_below && !said.exists() && !resolves_localhost() {
        let _ = private_file::write(&said, &());
        context.note(format!(
            "hint: this machine does not resolve *.localhost; for programs other than ovhai: ovhai app port-forward {name}"
        ));
    }
}

/// Whether the host of an address is below localhost.
fn is_below_localhost(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', ':']).next().is_some_and(|host| host.ends_with(".localhost"))
}

/// Whether this machine resolves names below localhost, as far as its configuration tells: asking the
/// resolver would send the app's name to a server of the network.
fn resolves_localhost() -> bool {
    // Other systems have no such file, and resolve these names.
    std::fs::read_to_string(NAME_SERVICES)
        .map_or(cfg!(not(target_os = "linux")), |text| answers_before_dns(&text))
}

/// Whether a module that knows these names comes before the network's servers.
fn answers_before_dns(services: &str) -> bool {
    let hosts = services.lines().find_map(|line| line.trim().strip_prefix("hosts:"));
    let modules = hosts.unwrap_or_default().split_ascii_whitespace();
    modules.take_while(|name| *name != "dns").any(|name| matches!(name, "myhostname" | "resolve"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine_are_recognized() {
        for (services, expected) in [
            ("hosts: files mymachines resolve [!UNAVAIL=return] files myhostname dns", true),
            ("passwd: files\nhosts:\tfiles myhostname dns", true),
            ("hosts: files dns myhostname", false),
            ("hosts: files dns", false),
            ("", false),
        ] {
            assert_eq!(answers_before_dns(services), expected, "{services}");
        }
        assert!(is_below_localhost("http://x.app.gra.ai.localhost:4480"));
        for elsewhere in ["https://x.app.gra.ai.cloud.ovh.net", "http://localhost:1", "x", ""] {
            assert!(!is_below_localhost(elsewhere), "{elsewhere}");
        }
    }
}
