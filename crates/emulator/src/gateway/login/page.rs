//! The pages of the login: HTML without scripts and without anything from another host.

use std::sync::OnceLock;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{Response, StatusCode};

const STYLE: &str = include_str!("style.css");
/// The part behind a `#` never comes to the server. The form's address keeps it, and the browser
/// takes it along to where the login leads (RFC 9110 section 10.2.2). Without scripts it is lost.
const SCRIPT: &str = "addEventListener(\"submit\",e=>{e.target.action=e.target.action.split(\"#\")[0]+location.hash})";
/// A cloud with a keyhole.
const MARK: &str = "<svg class=\"mark\" viewBox=\"0 0 24 24\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.8\" stroke-linecap=\"round\" stroke-linejoin=\"round\" aria-hidden=\"true\" focusable=\"false\"><path d=\"M7 19a4.5 4.5 0 0 1-.6-8.96 6 6 0 0 1 11.5 1.02A4 4 0 0 1 17.5 19Z\"/><circle cx=\"12\" cy=\"13\" r=\"1.3\"/><path d=\"M12 14.3v1.9\"/></svg>";

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
    /// The form's signature; see `csrf`.
    pub(super) form: &'a str,
}

impl LoginPage<'_> {
    pub(super) fn html(&self) -> String {
        let (form, to) = (escape(self.form), escape(self.to));
        let hidden = |with| {
            format!(
                "<input type=\"hidden\" name=\"form\" value=\"{form}\"><input type=\"hidden\" name=\"to\" value=\"{to}\"><input type=\"hidden\" name=\"with\" value=\"{with}\">"
            )
        };
        let lead = match self.known {
            Some(who) => format!("You are {who}. Log in as another user to open it."),
            None => "Log in to open this app.".to_owned(),
        };
        let note = self.note.map_or_else(String::new, |note| {
            format!("<p class=\"note\" role=\"status\">{}</p>", escape(note))
        });
        let problem = self.problem.as_ref();
        let alert = problem.map_or_else(String::new, |problem| {
            format!(
                "<p class=\"alert\" id=\"problem\" role=\"alert\">{}</p>",
                escape(&problem.text)
            )
        });
        let of = problem.and_then(|problem| problem.of);
        // The focus is on the field that it is about: a small screen shows that part of the page.
        let alert_of = |field| if of == field { alert.as_str() } else { "" };
        let marks = |field| {
            if of == Some(field) {
                " aria-invalid=\"true\" aria-describedby=\"problem\""
            } else {
                ""
            }
        };
        let focus = |here: bool| if here { " autofocus" } else { "" };
        let on_token = of == Some(Field::Token);
        let on_password = !on_token && !self.username.is_empty();
        let content = format!(
            "{}\
             {note}{}\
             <form method=\"post\" action=\"/.ovhai/login\" aria-labelledby=\"with-password\">\
             <h2 id=\"with-password\">Log in with a password</h2>{}{}\
             <label for=\"username\">User</label>\
             <input id=\"username\" name=\"username\" value=\"{}\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required{}{}>\
             <label for=\"password\">Password</label>\
             <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required{}{}>\
             <button>Log in</button></form>\
             <p class=\"or\">or</p>\
             <form method=\"post\" action=\"/.ovhai/login\" aria-labelledby=\"with-token\">\
             <h2 id=\"with-token\">Login with token</h2>{}{}\
             <label for=\"token\">Token</label>\
             <input id=\"token\" name=\"token\" type=\"password\" autocomplete=\"off\" spellcheck=\"false\" placeholder=\"eyJhbGciOi…\" required{}{}>\
             <button class=\"second\">Connect</button></form>\
             <footer><p>A new token: <code>ovhai token new NAME --role read</code></p><p>Programs send <code>Authorization: Bearer TOKEN</code></p></footer>",
            head(self.app, &lead),
            alert_of(None),
            alert_of(Some(Field::Password)),
            hidden("password"),
            escape(self.username),
            marks(Field::Password),
            focus(!on_token && !on_password),
            marks(Field::Password),
            focus(on_password),
            alert_of(Some(Field::Token)),
            hidden("token"),
            marks(Field::Token),
            focus(on_token),
        );
        document(&format!("Log in to {}", self.app), &content)
    }
}

/// The page of a caller that is logged in.
pub(super) struct AccountPage<'a> {
    pub(super) app: &'a str,
    pub(super) who: &'a str,
    /// When the login ends, for people.
    pub(super) until: &'a str,
    pub(super) form: &'a str,
}

impl AccountPage<'_> {
    pub(super) fn html(&self) -> String {
        let content = format!(
            "{}\
             <p class=\"note\">You are {}, until {}.</p>\
             <a class=\"button\" href=\"/\">Open the app</a>\
             <form method=\"post\" action=\"/.ovhai/logout\" class=\"gap\"><input type=\"hidden\" name=\"form\" value=\"{}\"><button class=\"second\">Log out</button></form>",
            head(self.app, "You are logged in to this app."),
            escape(self.who),
            escape(self.until),
            escape(self.form),
        );
        document(&format!("Logged in to {}", self.app), &content)
    }
}

/// A page with a single message.
pub(super) fn notice(app: &str, text: &str) -> String {
    let content = format!("{}<a class=\"button\" href=\"/\">Open the app</a>", head(app, text));
    document(app, &content)
}

fn head(app: &str, lead: &str) -> String {
    format!(
        "<header>{MARK}<div><h1>{}</h1><p class=\"lead\">{}</p></div></header>",
        escape(app),
        escape(lead)
    )
}

fn document(title: &str, content: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\"><title>{}</title><style>{STYLE}</style></head><body><main>{content}</main><script>{SCRIPT}</script></body></html>\n",
        escape(title)
    )
}

/// Escapes text for the space between tags and in quoted attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

fn policy() -> HeaderValue {
    static POLICY: OnceLock<HeaderValue> = OnceLock::new();
    let made = POLICY.get_or_init(|| {
        let hash = |text: &str| STANDARD.encode(digest(&SHA256, text.as_bytes()));
        let (style, script) = (hash(STYLE), hash(SCRIPT));
        // No `form-action`: browsers apply it to what an app redirects to after the login, and an
        // app may redirect anywhere.
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; frame-ancestors 'none'; base-uri 'none'"
        );
        // It is visible ASCII. Without the style, the page would be plain, and the policy as
        // strict.
        HeaderValue::try_from(policy)
            .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"))
    });
    made.clone()
}

/// A response that is not stored, not shown in a frame and not taken for another type.
pub(super) fn answer(status: StatusCode, html: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, policy());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Not `no-referrer`: browsers would send forms with `Origin: null`.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

#[cfg(test)]
mod tests {
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
        for html in [page.html(), account.html(), notice(evil, evil)] {
            let ours = format!("<script>{SCRIPT}</script>");
            let rest = html.replacen(&ours, "", 1);
            assert!(!rest.contains("<script") && !rest.contains("\"'>"), "{html}");
            assert!(html.contains("&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;"));
        }
    }

    #[test]
    fn the_policy_names_style_and_script_and_nothing_else() {
        let answer = answer(StatusCode::OK, notice("a", "b"));
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
