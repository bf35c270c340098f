//! `ovhai app port-forward`: an app at a local port, with a token added to every request.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use hyper::header::HeaderValue;
use ovhai_api_types::App;
use ovhai_client::{AppClient, bearer};
use ovhai_emulator::state::StateDir;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::credential::{Credential, Lent};
use super::forward::{CredentialRefused, Forwarder, IsThere, Origin, Tells};
use super::ports::{address, own_port};
use super::{resolve, view};
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::server::target::{Server, Target};
use crate::settings::state_dir;
use crate::ui::endless::until_interrupted;

#[derive(Debug, Args)]
#[command(
    after_help = "Forwards requests to localhost, 127.0.0.1, [::1] or the address that it listens on. Rejects requests from pages of other origins, other ports of this machine included. Behind the local emulator the app sees the address that the browser uses. Ctrl-C stops it."
)]
pub(super) struct PortForward {
    /// Id, name, or beginning of an id
    app: String,
    /// LOCAL, LOCAL:REMOTE or :REMOTE; local port 0 or none is a free one; REMOTE is another port
    /// of the app [default: the app's own port if it is free, else a free one]
    #[arg(value_name = "LOCAL[:REMOTE]")]
    ports: Option<Ports>,
    // Help, not documentation: brackets would be a link.
    #[arg(long, help = "Local address to listen on; with 127.0.0.1 also [::1]", value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// Origin whose pages may send requests, such as http://localhost:PORT; repeat it for more
    #[arg(long, value_name = "URL")]
    allow_origin: Vec<Origin>,
    #[command(flatten)]
    credential: Credential,
}

/// `LOCAL`, `LOCAL:REMOTE` or `:REMOTE`, as in kubectl; but a single number is the local port,
/// because the app's own port is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ports {
    local: u16,
    remote: Option<u16>,
}

impl FromStr for Ports {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "use 9000, 9000:8081 or :8081, ports up to 65535";
        let (local, remote) = match text.split_once(':') {
            Some((local, remote)) => (local, Some(remote)),
            None => (text, None),
        };
        let local = match (local, remote) {
            ("", Some(_)) => 0,
            _ => local.parse().map_err(|_| FORM)?,
        };
        let remote: Option<u16> = remote.map(str::parse).transpose().map_err(|_| FORM)?;
        if remote == Some(0) {
            return Err("no app listens on port 0");
        }
        Ok(Self { local, remote })
    }
}

/// Checks whether the emulator still has its address; an endpoint is not checked.
fn is_there(context: &Context, server: &Server) -> Result<IsThere> {
    match server {
        Server::Local(running, _) if context.embedded.is_none() => {
            let (state, address) = (StateDir::new(state_dir(context)?), running.address);
            Ok(Box::new(move || state.running().is_some_and(|now| now.address == address)))
        }
        _ => Ok(Box::new(|| true)),
    }
}

impl PortForward {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find(context).await?;
        // As in app curl: a caller that may query an app may forward it.
        let app = resolve(&target.login, &self.app).await?;
        // Forwards every connection.
        target.announce_change_of(context, &app.status.url)?;
        let url = match self.ports.and_then(|ports| ports.remote) {
            Some(remote) => address(&app, remote)?,
            None => app.status.url.clone(),
        };
        let client = AppClient::new(&url, target.address)?;
        let lent = self.credential.lend(context, &app, &target).await?;
        let token = lent.bearer().map(bearer).transpose()?;
        let listener = self.listen(own_port(&app)).await?;
        let beside = self.listen_beside(context, &listener).await?;
        let mut local = listener.local_addr()?;
        if local.ip().is_unspecified() {
            local.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        let (refused, refusals) = mpsc::channel(1);
        let lends = token.is_some();
        let tells = match (&target.server, &token) {
            (Server::Local(..), Some(_)) => Tells::ByToken,
            (Server::Local(running, _), None)
                if app.spec.unsecure_http && !self.credential.is_off() =>
            {
                let mut owner = HeaderValue::try_from(running.administrator.as_str())
                    .map_err(|_| Failure::new("emulator.json is damaged: its administrator"))?;
                owner.set_sensitive(true);
                Tells::As(owner)
            }
            _ => Tells::Nothing,
        };
        let allowed = self.allow_origin.clone();
        let is_there = is_there(context, &target.server)?;
        let forwarder = Arc::new(Forwarder::new(client, token, refused, tells, allowed, is_there));
        // Before the first line is shown: its reader may interrupt right after.
        until_interrupted(async {
            context.line(format!("http://{local}"))?;
            context.out.flush()?;
            context.note(format!("Forwarding to {} ({url}); press Ctrl-C to stop.", view::name(&app)));
            if !self.address.is_loopback() && lends {
                context.note("warning: every program that can reach this address uses the app with your token");
            }
            let listeners = (&listener, beside.as_ref());
            self.serve(context, listeners, &forwarder, refusals, (&app, &target, lent)).await
        })
        .await
    }

    async fn listen(&self, own: u16) -> Result<TcpListener> {
        let bind = |port| TcpListener::bind(SocketAddr::new(self.address, port));
        let wanted = match self.ports {
            Some(ports) => ports.local,
            // If it is taken, use a free one.
            None => match bind(own).await {
                Ok(listener) => return Ok(listener),
                Err(_) => 0,
            },
        };
        bind(wanted).await.map_err(|error| {
            let failure =
                Failure::new(format!("can't listen on {}:{wanted}", self.address)).because(&error);
            failure.hint(match error.kind() {
                io::ErrorKind::AddrInUse => "omit the port, or choose another one",
                io::ErrorKind::AddrNotAvailable => {
                    "choose an address of this machine: --address IP"
                }
                _ => "choose a port of 1024 or more",
            })
        })
    }

    /// Also listens on `[::1]`: for some programs localhost is only that address.
    async fn listen_beside(
        &self,
        context: &mut Context,
        first: &TcpListener,
    ) -> Result<Option<TcpListener>> {
        if self.address != Ipv4Addr::LOCALHOST {
            return Ok(None);
        }
        let beside = SocketAddr::from((Ipv6Addr::LOCALHOST, first.local_addr()?.port()));
        match TcpListener::bind(beside).await {
            Ok(listener) => Ok(Some(listener)),
            Err(error) => {
                if error.kind() == io::ErrorKind::AddrInUse {
                    context.note(format!("warning: another program listens on {beside}: open 127.0.0.1, not localhost"));
                }
                // Any other error: this machine has no IPv6.
                Ok(None)
            }
        }
    }

    async fn serve(
        &self,
        context: &mut Context,
        (listener, beside): (&TcpListener, Option<&TcpListener>),
        forwarder: &Arc<Forwarder>,
        mut refusals: mpsc::Receiver<CredentialRefused>,
        (app, target, mut lent): (&App, &Target, Lent),
    ) -> Result<()> {
        let mut connections = JoinSet::new();
        let mut told = false;
        loop {
            let accept_beside = async {
                match beside {
                    Some(listener) => listener.accept().await,
                    None => std::future::pending().await,
                }
            };
            let accept = async {
                tokio::select! {
                    accepted = listener.accept() => accepted,
                    accepted = accept_beside => accepted,
                }
            };
            tokio::select! {
                accepted = accept => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(Arc::clone(forwarder).serve(stream));
                    }
                    // The peer is gone, or there is no free file descriptor at the moment.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                },
                Some(refused) = refusals.recv() => {
                    let now = self.credential.choose(context, app, target).await.ok();
                    let token = now.as_ref().and_then(Lent::bearer).map(bearer).transpose()?;
                    if let (Some(now), Some(token)) = (now, token.filter(|token| *token != refused.token)) {
                        // A login is refreshed every hour, without a message.
                        if let Lent::Token(_) = now {
                            context.note("The token was refused. Using the string that is stored for it now.");
                        }
                        forwarder.use_token(token);
                        (lent, told) = (now, false);
                    } else if !std::mem::replace(&mut told, true) {
                        context.note(self.credential.hint_when_refused(context, &lent));
                    }
                    // The connection may be gone.
                    let _ = refused.looked.send(());
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }
}
