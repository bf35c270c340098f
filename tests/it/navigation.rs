//! The answer to a browser that opens a page after its login expired.

use ovhai_test_support::TestEmulator;
use ovhai_test_support::visitor::{Visitor, echo, is_page};

/// Marks a navigation; pages can't set it.
const NAVIGATES: (&str, &str) = ("sec-fetch-mode", "navigate");

/// A service worker that passes navigations on makes their destination empty; and a browser that
/// knows a login of the app's own sends it along.
#[tokio::test]
async fn a_navigation_after_the_login_expired_gets_the_login_page() {
    let e = TestEmulator::start().await;
    let app = echo(&e).await;
    let token = e.token("GRA", "read", Some("group=A")).await;
    let value = token.status.value.clone().unwrap();
    let mut ann = Visitor::new(&e, &app).logged_in(&value).await;
    let (worker, basic) = (("sec-fetch-dest", "empty"), ("authorization", "Basic x"));
    let same = ("sec-fetch-site", "same-origin");
    let answer = ann.send("GET", "/", &[NAVIGATES, worker, basic, same], "").await;
    assert_eq!(answer.status, 200, "as long as it lasts");
    let renew = format!("/v1/token/{}/renew", token.id);
    assert_eq!(e.admin("POST", &renew, None).await.status, 200);
    for path in ["/", "/a?b", "/.ovhai/"] {
        for headers in [&[NAVIGATES, worker, same][..], &[NAVIGATES, basic, same]] {
            let page = ann.clone().send("GET", path, headers, "").await;
            assert!(page.status == 401 && is_page(&page), "{path} {headers:?}: {}", page.text());
        }
    }
    // The message does not blame the app's own credentials.
    for headers in
        [&[same, ("sec-fetch-mode", "cors")][..], &[same, ("authorization", "Bearer own")]]
    {
        let answer = ann.send("POST", "/", headers, "").await;
        assert!(
            answer.status == 401 && answer.text().contains("the login has ended"),
            "{}",
            answer.text()
        );
    }
    // A token of the emulator's is what the user has to check.
    let ours = format!("Bearer {value}");
    let answer = ann.send("GET", "/", &[NAVIGATES, ("authorization", &ours)], "").await;
    assert_eq!(answer.json()["message"], "the token is not valid here");
}
