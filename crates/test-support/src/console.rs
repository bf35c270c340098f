//! A browser at the console, as a program: it is logged in, keeps its cookies and sends forms.

use ovhai_api_types::Token;

use crate::visitor::{Visitor, field};
use crate::{Answer, TestEmulator};

/// A browser with a session at the console.
#[derive(Debug, Clone)]
pub struct Console {
    /// The browser.
    pub visitor: Visitor,
    /// What addresses of the session begin with: `/c/<segment>/`.
    pub base: String,
    /// The signature of the session's forms.
    pub form: String,
}

impl Console {
    /// Logged in as the emulator's owner, by a link.
    pub async fn owner(e: &TestEmulator) -> Self {
        let link = e.call_local("POST", "/_emulator/console-links", None).await;
        assert_eq!(link.status, 200, "{}", link.text());
        let path = link.json()["path"].as_str().expect("a path").to_owned();
        let mut visitor = browser(e);
        let page = visitor.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let (code, to) = (field(&page, "code"), field(&page, "to"));
        let answer = visitor.post("/console/open", &[("code", &code), ("to", &to)], &[]).await;
        Self::begun(visitor, &answer).await
    }

    /// Logged in with a token's string.
    pub async fn token(e: &TestEmulator, token: &Token) -> Self {
        let value = token.status.value.clone().expect("a new token");
        Self::log_in(e, &[("token", &value)]).await
    }

    /// Logged in with a user's password.
    pub async fn user(e: &TestEmulator, name: &str, password: &str) -> Self {
        Self::log_in(e, &[("username", name), ("password", password)]).await
    }

    async fn log_in(e: &TestEmulator, credentials: &[(&str, &str)]) -> Self {
        let mut visitor = browser(e);
        let page = visitor.get("/").await;
        let (form, to) = (field(&page, "form"), field(&page, "to"));
        let mut fields = vec![("form", form.as_str()), ("to", to.as_str())];
        fields.extend_from_slice(credentials);
        let answer = visitor.post("/console/login", &fields, &[]).await;
        Self::begun(visitor, &answer).await
    }

    async fn begun(mut visitor: Visitor, answer: &Answer) -> Self {
        assert_eq!(answer.status, 303, "{}", answer.text());
        let to = answer.header("location").to_owned();
        let end = to.match_indices('/').nth(2).expect("a segment").0;
        let base = to[..=end].to_owned();
        // Pages that the caller has no access to have forms, too.
        let page = visitor.get(&to).await;
        Self { form: field(&page, "form"), visitor, base }
    }

    /// Opens a page, named below the session's address.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.visitor.get(&format!("{}{path}", self.base)).await
    }

    /// Asks for a part of a page, as its script does.
    pub async fn part(&mut self, path: &str) -> Answer {
        let path = format!("{}{path}", self.base);
        self.visitor.send("GET", &path, &[("hx-request", "true")], "").await
    }

    /// Sends a form of the session.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let form = self.form.clone();
        let mut all = vec![("form", form.as_str())];
        all.extend_from_slice(fields);
        self.visitor.post(&format!("{}{path}", self.base), &all, &[]).await
    }

    /// Sends a form that leads to another page, and opens that page.
    pub async fn change(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.post(path, fields).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let to = answer.header("location").to_owned();
        self.visitor.get(&to).await
    }
}

fn browser(e: &TestEmulator) -> Visitor {
    Visitor::at(e.address(), format!("localhost:{}", e.address().port()))
}
