//! Files from and to apps.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use ovhai_test_support::processes::app_file;
use ovhai_test_support::{TestCli, eventually_now};

use crate::OVHAI;

/// A command line with the local process `p`, which runs in the directory `app`.
fn with_process() -> TestCli {
    let cli = TestCli::new(OVHAI);
    let directory = cli.home().join("app");
    fs::create_dir(&directory).unwrap();
    let server = app_file("server");
    let run = ["app", "run", "x", "--name", "p", "--runtime", "process", "--wait", "--"];
    let arguments = [&run[..], &["python3", &server]].concat();
    let mut command = cli.command(&arguments);
    assert!(command.current_dir(&directory).output().unwrap().status.success());
    cli
}

fn tree(root: &Path) {
    fs::create_dir_all(root.join("inner/empty")).unwrap();
    fs::write(root.join("inner/file"), vec![7; 3 * 1024 * 1024]).unwrap();
    fs::write(root.join("script"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(root.join("script"), fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink("inner/file", root.join("link")).unwrap();
}

fn is_tree(root: &Path) {
    assert!(root.join("inner/empty").is_dir(), "{}", root.display());
    assert_eq!(fs::read(root.join("inner/file")).unwrap(), vec![7; 3 * 1024 * 1024]);
    assert_eq!(fs::metadata(root.join("script")).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(fs::read_link(root.join("link")).unwrap(), Path::new("inner/file"));
}

#[test]
fn directories_there_and_back() {
    let cli = with_process();
    let (home, app) = (cli.home(), cli.home().join("app"));
    tree(&home.join("tree"));
    // Not there: the directory itself, under the new name.
    cli.ok(&["app", "cp", "tree", "p:new"]);
    is_tree(&app.join("new"));
    // There: into it.
    cli.ok(&["app", "cp", "tree/", "p:new"]);
    is_tree(&app.join("new/tree"));
    // What is in it.
    fs::create_dir(app.join("contents")).unwrap();
    cli.ok(&["app", "cp", "tree/.", "p:contents/", "--replica", "1"]);
    is_tree(&app.join("contents"));
    // And out, with absolute paths and relative ones.
    cli.ok(&["app", "cp", "p:contents", "out"]);
    is_tree(&home.join("out"));
    let absolute = format!("p:{}", app.join("contents").display());
    cli.ok(&["app", "cp", &absolute, "out"]);
    is_tree(&home.join("out/contents"));
    fs::create_dir(home.join("only")).unwrap();
    cli.ok(&["app", "cp", "p:contents/.", "only"]);
    is_tree(&home.join("only"));
}

#[test]
fn files_there_and_back() {
    let cli = with_process();
    let (home, app) = (cli.home(), cli.home().join("app"));
    fs::write(home.join("a"), "one").unwrap();
    let said = cli.command(&["app", "cp", "a", "p:"]).output().unwrap();
    let told = String::from_utf8(said.stderr).unwrap();
    assert_eq!(told, "Copied 1 file from a to p:..\n");
    assert_eq!(fs::read(app.join("a")).unwrap(), b"one");
    cli.ok(&["app", "cp", "a", "p:b"]);
    fs::write(home.join("a"), "longer").unwrap();
    cli.ok(&["app", "cp", "a", "p:b"]);
    assert_eq!(fs::read(app.join("b")).unwrap(), b"longer");
    cli.ok(&["app", "cp", "p:b", "c"]);
    cli.ok(&["app", "cp", "p:b", "."]);
    for name in ["b", "c"] {
        assert_eq!(fs::read(home.join(name)).unwrap(), b"longer");
    }
    // As a tar.
    let tar = cli.command(&["app", "cp", "p:b", "-"]).output().unwrap().stdout;
    fs::create_dir(app.join("d")).unwrap();
    let arguments = ["app", "cp", "-", "p:d"];
    let output = cli.command(&arguments).write_stdin(tar.clone()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read(app.join("d/b")).unwrap(), b"longer");
    // Half of one is no success.
    let output = cli.command(&arguments).write_stdin(&tar[..700]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

fn spawn(cli: &TestCli, arguments: &[&str]) -> Child {
    let mut command = Command::new(cli.executable());
    command.args(arguments).env_clear().envs(cli.environment()).current_dir(cli.home());
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    piped.spawn().unwrap()
}

#[test]
fn pipes_keep_nothing_back() {
    let cli = with_process();
    // The app's side refuses what is no tar, while more of it could follow.
    let mut child = spawn(&cli, &["app", "cp", "-", "p:"]);
    let mut open = child.stdin.take().unwrap();
    // It may end before all was written.
    let _ = open.write_all(&vec![0xff; 256 * 1024]);
    let ended = eventually_now("it ends before its input", || child.try_wait().unwrap());
    drop(open);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(ended.code() == Some(1) && said.contains("can't be copied"), "{ended}: {said}");

    // A reader of the tar that wants only its beginning.
    fs::write(cli.home().join("app/big"), vec![7; 8 * 1024 * 1024]).unwrap();
    let mut child = spawn(&cli, &["app", "cp", "p:big", "-"]);
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0]).unwrap();
    drop(out);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.as_str()), (Some(0), ""));
}

#[test]
fn what_can_not_be_copied_is_named() {
    let cli = with_process();
    let (home, app) = (cli.home(), cli.home().join("app"));
    fs::create_dir(home.join("directory")).unwrap();
    fs::write(home.join("file"), "x").unwrap();
    fs::write(app.join("file"), "x").unwrap();
    fs::create_dir(app.join("links")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", app.join("links/out")).unwrap();
    for (from, to, code, says) in [
        ("file", "other", 2, "neither path is in an app"),
        ("p:file", "p:other", 2, "both paths are in apps"),
        ("missing", "p:x", 3, "missing can't be copied"),
        ("p:missing", "x", 1, "No such file"),
        ("directory", "p:file", 1, "it is a file"),
        ("file", "p:nowhere/", 1, "there is no such directory"),
        ("file", "p:no/where", 1, "there is no directory no"),
        ("p:links", "file", 1, "is a file, and the source is a directory"),
        ("p:file", "no/where", 1, "there is no directory no"),
        ("p:file", "nowhere/", 1, "there is no directory nowhere/"),
        ("p:links", "out", 1, "leads out of its directory"),
        ("q:file", "x", 3, "q"),
    ] {
        let (got, said) = cli.fails(&["app", "cp", from, to]);
        assert_eq!(got, code, "{from} {to}: {said}");
        assert!(said.contains(says), "{from} {to}: {said}");
    }
    assert!(!home.join("x").exists());
}
