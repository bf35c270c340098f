//! `ovhai demo`: the tour of AI Deploy's guide about labels and tokens, run for real.
//!
//! Every command shown is parsed and run as if it had been typed, against an emulator inside this
//! process whose state is removed with it. An unexpected answer ends the demo with an error.

use std::ffi::OsString;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use ovhai_client::AppClient;
use ovhai_emulator::Emulator;
use tempfile::TempDir;

use crate::context::Context;
use crate::error::{Failure, INTERRUPTED, Result};
use crate::term::terminal::Colors;

#[derive(Debug, Args)]
pub(crate) struct Demo {}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn take(&self) -> String {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&std::mem::take(&mut *bytes)).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Demo {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        let scratch = tempfile::Builder::new().prefix("ovhai-demo-").tempdir()?;
        let emulator = Emulator::builder().state_dir(scratch.path().join("state")).start().await?;
        let outcome = Walk::new(context, &emulator, &scratch).guide().await;
        emulator.shutdown().await;
        drop(scratch);
        outcome
    }
}

struct Walk<'a> {
    screen: &'a mut Context,
    inner: Context,
    captured: Captured,
    address: SocketAddr,
}

/// The output of a command.
struct Said {
    code: u8,
    text: String,
}

impl<'a> Walk<'a> {
    fn new(screen: &'a mut Context, emulator: &Emulator, scratch: &TempDir) -> Self {
        let captured = Captured::default();
        let mut inner = Context::from_process(screen.tree);
        inner.out = Box::new(captured.clone());
        inner.err = Box::new(captured.clone());
        inner.env.retain(|name, _| !name.starts_with("OVHAI_"));
        // The demo leaves nothing behind, not even in the keyring.
        inner.env.insert("OVHAI_KEYRING".into(), "0".into());
        inner.env.insert(
            "OVHAI_STATE_DIR".into(),
            scratch.path().join("state").to_string_lossy().into_owned(),
        );
        inner.embedded = Some(emulator.running().clone());
        inner.terminal = true;
        inner.err_terminal = false;
        inner.columns = screen.columns;
        // Both streams go to the screen's standard output.
        inner.colors = Colors { err: screen.colors.out, ..screen.colors };
        Self { screen, inner, captured, address: emulator.address() }
    }

    async fn guide(mut self) -> Result<()> {
        self.title("An emulator of AI Deploy runs inside this process. Nothing is left behind.")?;

        self.title("1. Run an app with a label")?;
        self.command(
            "ovhai app run --label group=A infrastructureascode/hello-world --name hello --wait",
        )
        .await?
        .ok()?;
        let shown = self.command("ovhai app get hello").await?.ok()?;
        let id = field(&shown, "ID:")?;
        let url = field(&shown, "URL:")?;
        shown
            .contains("ovh/id:")
            .then_some(())
            .ok_or_else(|| unexpected("ovh/id among the labels", &shown))?;

        self.title("2. Without a token, access is denied")?;
        self.request("curl -i", &url, None, 401).await?;

        self.title("3. A read token for every app with group=A, in region GRA")?;
        let made = self
            .command("ovhai token new reader --selector group=A --role read --region GRA")
            .await?
            .ok()?;
        let reader = field(&made, "Token:")?;

        self.title("4. The token opens the app; the client finds the stored token by its scope")?;
        let answer = self.command("ovhai app curl hello").await?.ok()?;
        if answer.trim() != "Hello, World!" {
            return Err(unexpected("Hello, World!", &answer));
        }
        self.request("curl -H \"Authorization: Bearer $READER\"", &url, Some(&reader), 200).await?;

        self.title("5. A read token may query the app, and nothing else")?;
        self.secret("READER", &reader, "app stop hello --region GRA", 4).await?;

        self.title("6. A token for another group is refused")?;
        let made = self
            .command("ovhai token new other --selector group=B --role read --region GRA")
            .await?
            .ok()?;
        let other = field(&made, "Token:")?;
        self.request("curl -H \"Authorization: Bearer $OTHER\"", &url, Some(&other), 403).await?;

        self.title("7. An operator token for this one app may manage it")?;
        let made = self
            .command(&format!(
                "ovhai token new op --selector ovh/id={id} --role operator --region GRA"
            ))
            .await?
            .ok()?;
        let op = field(&made, "Token:")?;
        self.secret("OP", &op, "app stop hello --wait", 0).await?;
        self.request("curl -H \"Authorization: Bearer $READER\"", &url, Some(&reader), 503).await?;
        self.secret("OP", &op, "app start hello --wait", 0).await?;

        self.title("8. Regenerate the token: the old string is revoked, the new one works")?;
        self.command("ovhai token regenerate reader --yes").await?.ok()?;
        self.request("curl -H \"Authorization: Bearer $READER\"", &url, Some(&reader), 401).await?;
        self.command("ovhai app curl hello").await?.ok()?;

        self.title("9. The list of tokens never shows a string")?;
        self.command("ovhai token list").await?.ok()?;

        self.title("10. Delete")?;
        for name in ["reader", "other", "op"] {
            self.command(&format!("ovhai token delete {name} --yes")).await?.ok()?;
        }
        self.request("curl -H \"Authorization: Bearer $OP\"", &url, Some(&op), 401).await?;
        self.command("ovhai app delete hello --force").await?.ok()?;

        self.title("Done. Now try it yourself: ovhai app run --label group=A infrastructureascode/hello-world")
    }

    fn title(&mut self, text: &str) -> Result<()> {
        self.screen.line(format!("\n# {text}"))?;
        self.screen.out.flush()?;
        Ok(())
    }

    /// Shows and runs a command.
    async fn command(&mut self, line: &str) -> Result<Said> {
        self.screen.line(format!("\n$ {line}"))?;
        self.run(line.split(' ').map(OsString::from).collect()).await
    }

    /// Runs a command with a token that is shown as a variable.
    async fn secret(&mut self, variable: &str, token: &str, rest: &str, code: u8) -> Result<()> {
        self.screen.line(format!("\n$ ovhai --token \"${variable}\" {rest}"))?;
        let mut words: Vec<OsString> = vec!["ovhai".into(), "--token".into(), token.into()];
        words.extend(rest.split(' ').map(OsString::from));
        let said = self.run(words).await?;
        if said.code == code {
            return Ok(());
        }
        Err(unexpected(&format!("exit code {code}"), &format!("{} with\n{}", said.code, said.text)))
    }

    async fn run(&mut self, words: Vec<OsString>) -> Result<Said> {
        let code = Box::pin(crate::run(words, &mut self.inner)).await;
        if code == INTERRUPTED {
            return Err(Failure::interrupted());
        }
        let text = self.captured.take();
        self.screen.out.write_all(text.as_bytes())?;
        if code != 0 {
            self.screen.line(format!("(exit code {code})"))?;
        }
        self.screen.out.flush()?;
        Ok(Said { code, text })
    }

    /// Sends a request as another program would.
    async fn request(
        &mut self,
        shown: &str,
        url: &str,
        token: Option<&str>,
        status: u16,
    ) -> Result<()> {
        self.screen.line(format!("\n$ {shown} {url}/"))?;
        let client = AppClient::new(url, Some(self.address))?;
        let mut answer = client.get("/", token).await?;
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await? {
            body.extend_from_slice(&piece);
        }
        let challenge = answer.headers.get("www-authenticate");
        self.screen.line(format!("{} {} {}", answer.version, answer.status, answer.reason))?;
        if let Some(value) = challenge {
            let value = String::from_utf8_lossy(value.as_bytes());
            self.screen.line(format!("www-authenticate: {value}"))?;
        }
        self.screen.line(String::from_utf8_lossy(&body))?;
        self.screen.out.flush()?;
        if answer.status == status {
            return Ok(());
        }
        Err(unexpected(&status.to_string(), &answer.status.to_string()))
    }
}

impl Said {
    fn ok(self) -> Result<String> {
        if self.code == 0 {
            return Ok(self.text);
        }
        Err(unexpected("success", &format!("exit code {} with\n{}", self.code, self.text)))
    }
}

fn unexpected(wanted: &str, got: &str) -> Failure {
    Failure::new("the demo did not go as expected")
        .because(format!("expected {wanted}, got {got}"))
        .hint("this is a defect of ovhai; please report it with the text above")
}

/// The value of a field in a detail view.
fn field(text: &str, name: &str) -> Result<String> {
    text.lines()
        .find_map(|line| line.trim().strip_prefix(name))
        .map(|value| value.trim().to_owned())
        .ok_or_else(|| unexpected(name, text))
}
