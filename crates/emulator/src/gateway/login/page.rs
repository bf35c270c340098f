//! The pages of the login: HTML without anything from another host. Their templates are in
//! `templates/login`.

use askama::Template;
use bytes::Bytes;
use http::{Response, StatusCode};

use crate::web::page::{Inline, respond};

const STYLE: &str = include_str!("../../../templates/login/style.css");
/// The part behind a `#` never comes to the server. The form's address keeps it, and the browser
/// takes it along to where the login leads (RFC 9110 section 10.2.2). Without scripts it is lost.
const SCRIPT: &str = include_str!("../../../templates/login/keep_fragment.js");
static INLINE: Inline = Inline::new(STYLE, SCRIPT);

/// Which field a problem is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Password,
    Token,
}

/// Why there is no access yet.
pub(super) struct Problem {
    pub(super) text: String,
    pub(super) of: Option<Field>,
}

impl Problem {
    pub(super) fn new(text: impl Into<String>, of: Option<Field>) -> Self {
        Self { text: text.into(), of }
    }
}

/// The contents of a login page.
#[derive(Template)]
#[template(path = "login/login.html")]
pub(super) struct LoginPage<'a> {
    /// The app's name.
    pub(super) app: &'a str,
    /// The caller, if it is known.
    pub(super) known: Option<&'a str>,
    pub(super) problem: Option<Problem>,
    /// A remark.
    pub(super) note: Option<&'a str>,
    /// The user's name, as it was entered before.
    pub(super) username: &'a str,
    /// The target after the login.
    pub(super) to: &'a str,
    /// The form's signature; see `web::csrf`.
    pub(super) form: &'a str,
}

impl LoginPage<'_> {
    fn is_about(&self, field: Option<Field>) -> bool {
        self.problem.as_ref().is_some_and(|problem| problem.of == field)
    }

    fn is_about_no_field(&self) -> bool {
        self.is_about(None)
    }

    fn is_about_password(&self) -> bool {
        self.is_about(Some(Field::Password))
    }

    fn is_about_token(&self) -> bool {
        self.is_about(Some(Field::Token))
    }

    /// Whether the password has the focus; the token has it if the problem is about the token.
    fn begins_at_password(&self) -> bool {
        !self.is_about_token() && !self.username.is_empty()
    }

    fn begins_at_user(&self) -> bool {
        !self.is_about_token() && self.username.is_empty()
    }
}

/// The page of a caller that is logged in.
#[derive(Template)]
#[template(path = "login/account.html")]
pub(super) struct AccountPage<'a> {
    pub(super) app: &'a str,
    pub(super) who: &'a str,
    /// When the login ends, for people.
    pub(super) until: &'a str,
    pub(super) form: &'a str,
}

/// A page with a single message.
#[derive(Template)]
#[template(path = "login/notice.html")]
pub(super) struct Notice<'a> {
    pub(super) app: &'a str,
    pub(super) text: &'a str,
}

/// A response with one of these pages.
pub(super) fn answer(status: StatusCode, page: &impl Template) -> Response<Bytes> {
    respond(status, page, INLINE.policy())
}

#[cfg(test)]
mod tests {
    use http::header::CONTENT_SECURITY_POLICY;

    use super::*;

    #[test]
    fn input_is_escaped_in_html() {
        let evil = "\"'><script>alert(1)</script>&amp;";
        let page = LoginPage {
            app: evil,
            known: Some(evil),
            problem: Some(Problem::new(evil, Some(Field::Token))),
            note: Some(evil),
            username: evil,
            to: evil,
            form: evil,
        };
        let account = AccountPage { app: evil, who: evil, until: evil, form: evil };
        let notice = Notice { app: evil, text: evil };
        for html in [page.render(), account.render(), notice.render()] {
            let html = html.expect("rendered");
            let ours = format!("<script>{SCRIPT}</script>");
            let rest = html.replacen(&ours, "", 1);
            assert!(!rest.contains("<script") && !rest.contains("\"'>"), "{html}");
            let escaped = "&#34;&#39;&#62;&#60;script&#62;alert(1)&#60;/script&#62;&#38;amp;";
            assert!(html.contains(escaped), "{html}");
        }
    }

    #[test]
    fn a_problem_is_shown_once_beside_its_field() {
        for of in [None, Some(Field::Password), Some(Field::Token)] {
            for username in ["", "ann"] {
                let problem = Some(Problem::new("wrong", of));
                let (app, known, note) = ("a", None, None);
                let page = LoginPage { app, known, problem, note, username, to: "/", form: "f" };
                let html = page.render().expect("rendered");
                assert_eq!(html.matches("role=\"alert\">wrong<").count(), 1, "{html}");
                assert_eq!(html.matches(" autofocus").count(), 1, "{html}");
                let fields = match of {
                    None => 0,
                    Some(Field::Password) => 2,
                    Some(Field::Token) => 1,
                };
                assert_eq!(html.matches("aria-describedby=\"problem\"").count(), fields, "{html}");
            }
        }
    }

    #[test]
    fn the_policy_names_style_and_script_and_nothing_else() {
        let answer = answer(StatusCode::OK, &Notice { app: "a", text: "b" });
        let policy = answer.headers()[CONTENT_SECURITY_POLICY].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.contains("; script-src 'sha256-"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        let html = String::from_utf8(answer.body().to_vec()).expect("text");
        assert!(html.contains(&format!("<style>{STYLE}</style>")));
        for external in ["http://", "https://", "url(", "@import", " style=", " src=", "<link"] {
            assert!(!html.contains(external), "{external}");
        }
    }
}
