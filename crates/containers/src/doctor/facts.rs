//! What is known of an image without running it. The rules read nothing else.

use std::collections::BTreeSet;

use futures_util::future::{join_all, try_join_all};

use super::archive::{Archive, EXECUTE, Kind, READ, Stat, TREE, WRITE, join};
use super::config::{Asked, Config};
use super::program::{self, Program};

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Directories of every system: what is in them is not the app's.
const SYSTEM: [&str; 12] = [
    "/",
    "/bin",
    "/sbin",
    "/usr",
    "/usr/bin",
    "/usr/sbin",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/lib",
    "/usr/lib",
    "/etc",
];
/// Python packages that have needs of their own.
const PACKAGES: [&str; 18] = [
    "torch",
    "vllm",
    "triton",
    "outlines",
    "flashinfer",
    "matplotlib",
    "numba",
    "streamlit",
    "gradio",
    "bokeh",
    "jupyter_server",
    "notebook",
    "transformers",
    "huggingface_hub",
    "nltk",
    "spacy",
    "ultralytics",
    "uvicorn",
];

/// A directory that an app may need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// As it was named.
    pub(super) path: String,
    /// None: it does not exist.
    pub(super) stat: Option<Stat>,
}

impl Place {
    pub(super) fn is_directory(&self) -> bool {
        self.stat.as_ref().is_some_and(|stat| stat.kind == Kind::Directory)
    }

    pub(super) fn is_writable(&self) -> bool {
        self.is_directory() && self.stat.as_ref().is_some_and(|it| it.allows(WRITE | EXECUTE))
    }

    /// What it is, for people.
    pub(super) fn shown(&self) -> String {
        match &self.stat {
            None => format!("{} does not exist", self.path),
            Some(stat) if stat.kind != Kind::Directory => format!("{} is no directory", self.path),
            Some(stat) => format!("{}: {}", self.path, stat.shown()),
        }
    }
}

/// All facts.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) config: Config,
    pub(super) asked: Asked,
    /// What starts: the entrypoint and its arguments.
    pub(super) words: Vec<String>,
    pub(super) program: Option<Program>,
    /// The directory that `HOME` names.
    pub(super) home: Option<Place>,
    pub(super) workspace: Place,
    pub(super) working: Place,
    pub(super) tmp: Place,
    /// Whether the image's list of users has 42420; none: not asked.
    pub(super) has_user: Option<bool>,
    pub(super) packages: BTreeSet<&'static str>,
    /// Files of the app that 42420 can't read.
    pub(super) private: Vec<Stat>,
    /// Files of the app that often have secrets.
    pub(super) secret_files: Vec<String>,
}

impl Facts {
    /// Reads them.
    pub(super) async fn gather(
        archive: &impl Archive,
        config: Config,
        asked: Asked,
    ) -> Result<Self, String> {
        let rest = asked.command.clone().unwrap_or_else(|| config.command.clone());
        let words: Vec<String> = config.entrypoint.iter().cloned().chain(rest).collect();
        let working = config.working_directory.clone().unwrap_or_else(|| "/".into());
        let variable = |name: &str| asked.env.get(name).or_else(|| config.env.get(name)).cloned();
        let home = variable("HOME").filter(|home| !home.is_empty());
        let places = ["/workspace", &working, "/tmp", home.as_deref().unwrap_or("/")];
        let path = variable("PATH").unwrap_or_else(|| PATH.into());
        let libraries = variable("LD_LIBRARY_PATH").unwrap_or_default();
        let (places, found) = futures_util::join!(
            try_join_all(places.map(|path| place(archive, path))),
            program::find(archive, &words, &working, &path, &libraries)
        );
        let mut places = places?.into_iter();
        let mut next = || places.next().ok_or("a place is missing");
        let (workspace, working, tmp, home_place) = (next()?, next()?, next()?, next()?);
        let mut facts = Self {
            words,
            program: found?,
            home: home.map(|_| home_place),
            workspace,
            working,
            tmp,
            has_user: None,
            packages: BTreeSet::new(),
            private: Vec::new(),
            secret_files: Vec::new(),
            config,
            asked,
        };
        let (packages, app) =
            futures_util::join!(facts.packages(archive, &path), facts.app_files(archive));
        facts.packages = packages?;
        (facts.private, facts.secret_files) = app?;
        if ["torch", "vllm"].iter().any(|name| facts.packages.contains(name)) {
            facts.has_user = Some(has_user(archive).await?);
        }
        Ok(facts)
    }

    /// A variable of the app, or else of the image.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        let value = self.asked.env.get(name).or_else(|| self.config.env.get(name));
        value.map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether `HOME` is a directory that 42420 can write to.
    pub(super) fn has_usable_home(&self) -> bool {
        self.home.as_ref().is_some_and(Place::is_writable)
    }

    /// What starts, and the text of the script that it is.
    pub(super) fn command_text(&self) -> String {
        let script = self.program.as_ref().map(|it| it.script.as_str()).unwrap_or_default();
        format!("{}\n{script}", self.words.join(" "))
    }

    /// The directories of Python packages that there may be.
    async fn packages(
        &self,
        archive: &impl Archive,
        path: &str,
    ) -> Result<BTreeSet<&'static str>, String> {
        let text = self.command_text();
        let hints =
            ["python", "streamlit", "gradio", "uvicorn", "gunicorn", "jupyter", "vllm", "bokeh"];
        let is_python = ["PYTHON_VERSION", "VIRTUAL_ENV", "CONDA_DIR"]
            .iter()
            .any(|name| self.variable(name).is_some())
            || hints.iter().any(|hint| text.contains(hint));
        if !is_python {
            return Ok(BTreeSet::new());
        }
        let named = ["python3", "python"]
            .iter()
            .flat_map(|name| path.split(':').map(move |directory| join(directory, name)));
        let named: Vec<String> = named.collect();
        let found = join_all(named.iter().map(|path| archive.stat(path))).await;
        let pythons = named.iter().zip(found).filter_map(|(path, stat)| Some((path, stat.ok()??)));
        let mut roots = BTreeSet::new();
        for (given, stat) in pythons {
            let name = stat.path.rsplit('/').next().unwrap_or_default();
            let version = name.strip_prefix("python").filter(|version| version.contains('.'));
            let prefixes = [given, &stat.path];
            for prefix in prefixes.iter().filter_map(|it| it.rsplit_once("/bin/")).map(|it| it.0) {
                if let Some(version) = version {
                    roots.insert(format!("{prefix}/lib/python{version}/site-packages"));
                    roots.insert(format!("{prefix}/local/lib/python{version}/dist-packages"));
                }
            }
            roots.insert("/usr/lib/python3/dist-packages".into());
        }
        let exist = join_all(roots.iter().map(|root| archive.stat(root))).await;
        let roots: Vec<&String> = roots
            .iter()
            .zip(exist)
            .filter(|(_, stat)| matches!(stat, Ok(Some(_))))
            .map(|(root, _)| root)
            .collect();
        let all: Vec<(&'static str, String)> = roots
            .iter()
            .flat_map(|root| PACKAGES.iter().map(move |name| (*name, format!("{root}/{name}"))))
            .collect();
        let found = join_all(all.iter().map(|(_, path)| archive.stat(path))).await;
        let found = all.iter().zip(found).filter(|(_, stat)| matches!(stat, Ok(Some(_))));
        Ok(found.map(|((name, _), _)| *name).collect())
    }

    /// The files of the app that its user can't read, and those that often have secrets.
    async fn app_files(&self, archive: &impl Archive) -> Result<(Vec<Stat>, Vec<String>), String> {
        let is_app = self.working.is_directory() && !SYSTEM.contains(&self.working.path.as_str());
        let mut files = Vec::new();
        if let Some(stat) = self.working.stat.as_ref().filter(|_| is_app) {
            files = archive.tree(&stat.path, TREE).await?.files;
        } else {
            // Only what the command line names.
            let arguments =
                self.words.iter().skip(1).filter(|word| word.contains('.') || word.contains('/'));
            let paths = arguments.map(|word| join(&self.working.path, word));
            let found =
                try_join_all(paths.map(|path| async move { archive.may(&path, READ).await }));
            files.extend(found.await?.into_iter().flatten().filter(|it| it.kind == Kind::File));
        }
        let is_private = |stat: &&Stat| match stat.kind {
            Kind::File => !stat.allows(READ),
            Kind::Directory => !stat.allows(READ | EXECUTE),
            Kind::Link | Kind::Other => false,
        };
        let has_secrets = |stat: &&Stat| {
            let name = stat.path.rsplit('/').next().unwrap_or_default();
            [
                ".env",
                ".git",
                ".netrc",
                ".pypirc",
                ".npmrc",
                "id_rsa",
                "id_ed25519",
                ".git-credentials",
            ]
            .contains(&name)
        };
        let secret = files.iter().filter(has_secrets).map(|stat| stat.path.clone()).collect();
        Ok((files.iter().filter(is_private).cloned().collect(), secret))
    }
}

async fn place(archive: &impl Archive, path: &str) -> Result<Place, String> {
    Ok(Place { path: path.to_owned(), stat: archive.may(path, WRITE | EXECUTE).await? })
}

async fn has_user(archive: &impl Archive) -> Result<bool, String> {
    let Some(stat) = archive.stat("/etc/passwd").await? else { return Ok(false) };
    let text = archive.read(&stat.path, 1024 * 1024).await?;
    let uid = super::UID.to_string();
    let has = String::from_utf8_lossy(&text)
        .lines()
        .any(|line| line.split(':').nth(2) == Some(uid.as_str()));
    Ok(has)
}
