//! What is published, and what CI systems read: the wheel, workflows, actions, and the files of this kind
//! that the documents show.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::run::{cargo, root};
use crate::test::install_into;

/// What the wheel is packed with.
const PACKERS: [&str; 2] = ["hatchling==1.33.0", "pyelftools==0.33"];
/// Ships the published schemas of CI systems and of Compose.
const SCHEMAS: &str = "check-jsonschema==0.39.0";

/// `cargo xtask wheel [EXECUTABLE]`: packs the executable and the Python package into `target/wheels`.
/// Without an executable the `dist` profile is built.
pub(crate) fn wheel(arguments: &[String]) -> Result<()> {
    let executable = match arguments {
        [] => {
            crate::run::run(cargo().args(["build", "--locked", "--profile", "dist"]))?;
            root().join("target/dist/ovhai")
        }
        [path] => std::path::absolute(path)?,
        other => bail!("unknown arguments {other:?}; name one executable, or none"),
    };
    let python = install_into("pack-venv", &PACKERS.map(str::to_owned), &[])?;
    let wheels = root().join("target/wheels");
    crate::run::run(
        Command::new(python)
            .args(["-B", "-m", "hatchling", "build", "-t", "wheel", "-d"])
            .arg(wheels)
            .current_dir(root().join("crates/wheel"))
            .env("OVHAI_BINARY", executable),
    )
}

/// `cargo xtask workflow`: checks workflows, actions and what the documents show of them against the
/// schemas that a pinned package ships.
pub(crate) fn workflow() -> Result<()> {
    let tools = install_into("tools-venv", &[SCHEMAS.to_owned()], &[])?;
    let check = |schema: &str, files: &[PathBuf]| {
        crate::run::run(
            Command::new(tools.with_file_name("check-jsonschema"))
                .args(["--builtin-schema", schema])
                .args(files),
        )
    };
    let workflows = std::fs::read_dir(root().join(".github/workflows"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<PathBuf>>>()?;
    check("vendor.github-workflows", &workflows)?;
    check("vendor.github-actions", &[root().join(".github/actions/setup/action.yml")])?;
    let shown = shown_files()?;
    let scratch = root().join("target/test-env/shown");
    std::fs::create_dir_all(&scratch)?;
    for (number, (name, text)) in shown.iter().enumerate() {
        let schema = match name.as_str() {
            ".gitlab-ci.yml" => "vendor.gitlab-ci",
            "compose.yaml" => "vendor.compose-spec",
            name if name.starts_with(".github/workflows/") => "vendor.github-workflows",
            other => bail!("docs/how-to.md shows {other}, for which no schema is known"),
        };
        let file = scratch.join(format!("{number}.yml"));
        std::fs::write(&file, text)?;
        println!("{name} of docs/how-to.md");
        check(schema, &[file])?;
    }
    Ok(())
}

/// The files that the how-to shows: blocks of YAML, whose first line is a comment with the file's name.
fn shown_files() -> Result<Vec<(String, String)>> {
    let text = std::fs::read_to_string(root().join("docs/how-to.md"))?;
    let blocks = text.split("\n```yaml\n").skip(1);
    let named = blocks.filter_map(|rest| {
        let (block, _) = rest.split_once("\n```")?;
        let (first, _) = block.split_once('\n')?;
        Some((first.strip_prefix("# ")?.to_owned(), format!("{block}\n")))
    });
    let shown: Vec<_> = named.collect();
    if shown.is_empty() {
        bail!("docs/how-to.md shows no files of CI systems");
    }
    Ok(shown)
}
