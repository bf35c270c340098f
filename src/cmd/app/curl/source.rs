//! Files and standard input as request data.

use std::path::Path;

use ovhai_client::RequestBody;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use crate::error::{Failure, Result};

/// Stands for standard input.
const STDIN: &str = "the standard input";

fn unreadable(name: &str, error: &std::io::Error) -> Failure {
    Failure::new(format!("{name} can't be read"))
        .because(error)
        .hint("give a readable file, or - for standard input")
}

/// Reads a whole file, or standard input for `-`.
pub(super) async fn read(directory: &Path, name: &str) -> Result<Vec<u8>> {
    if name == "-" {
        let mut all = Vec::new();
        let outcome = tokio::io::stdin().read_to_end(&mut all).await;
        return outcome.map(|_| all).map_err(|error| unreadable(STDIN, &error));
    }
    tokio::fs::read(directory.join(name)).await.map_err(|error| unreadable(name, &error))
}

/// A body of this text, or of the file that `@` names.
pub(super) async fn text_or_file(directory: &Path, text: &str) -> Result<RequestBody> {
    match text.strip_prefix('@') {
        Some(name) => stream(RequestBody::default(), directory, name).await,
        None => Ok(RequestBody::default().then(text.as_bytes().to_vec())),
    }
}

/// Appends a file, or standard input for `-`, to a body.
pub(super) async fn stream(body: RequestBody, directory: &Path, name: &str) -> Result<RequestBody> {
    if name == "-" {
        return Ok(body.then_stream(STDIN, tokio::io::stdin(), None));
    }
    let opened = async {
        let file = File::open(directory.join(name)).await?;
        let kind = file.metadata().await?;
        if kind.is_dir() {
            return Err(std::io::ErrorKind::IsADirectory.into());
        }
        Ok((file, kind))
    };
    let (file, kind) = opened.await.map_err(|error| unreadable(name, &error))?;
    // Files of the system, such as those in /proc, claim to be empty.
    if kind.is_file() && kind.len() == 0 {
        return Ok(body.then(read(directory, name).await?));
    }
    Ok(body.then_stream(name, file, kind.is_file().then_some(kind.len())))
}
