use ovhai_api_types::{AppSpec, Role, TokenSpec};
use ovhai_core::Error;
use ovhai_core::platform::AppQuery;
use ovhai_core::policy::{Effect, Principal};

use crate::harness::World;

fn spec(role: &str, selector: Option<&str>) -> TokenSpec {
    TokenSpec { name: "t".into(), role: role.into(), label_selector: selector.map(Into::into) }
}

async fn holder(w: &World, role: &str, selector: Option<&str>) -> Principal {
    let token = w.platform.create_token(&w.admin, &w.gra, &spec(role, selector)).await.unwrap();
    w.platform
        .authenticate(&w.platform.snapshot(), &token.value, ovhai_core::auth::Place::Here)
        .unwrap()
}

fn app(json: &str) -> AppSpec {
    serde_json::from_str(json).unwrap()
}

fn effect(error: Error) -> Effect {
    match error {
        Error::Denied(decision) => decision.effect,
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_newest_version_of_an_existing_token_authenticates() {
    let w = World::automatic().await;
    let known = |value: &str| {
        w.platform
            .authenticate(&w.platform.snapshot(), value, ovhai_core::auth::Place::Here)
            .is_some()
    };
    let first = w.platform.create_token(&w.admin, &w.gra, &spec("read", None)).await.unwrap();
    assert_eq!((first.record.version, first.record.role), (1, Role::Read));
    assert!(known(&first.value));
    let second = w.platform.renew_token(&w.admin, &w.gra, first.record.id).await.unwrap();
    assert_eq!((second.record.version, second.record.id), (2, first.record.id));
    assert!(known(&second.value) && !known(&first.value));
    let future = second.value.replace("|2|", "|3|");
    assert!(!known(&future));
    w.platform.delete_token(&w.admin, &w.gra, first.record.id).await.unwrap();
    assert!(!known(&second.value));
    assert!(known("admin") && !known("Admin") && !known(""));
}

/// Authenticated while the body was still coming, revoked before it was there.
#[tokio::test(start_paused = true)]
async fn a_token_that_was_revoked_meanwhile_changes_nothing() {
    let w = World::automatic().await;
    let token = w.platform.create_token(&w.admin, &w.gra, &spec("operator", None)).await.unwrap();
    let caller = w
        .platform
        .authenticate(&w.platform.snapshot(), &token.value, ovhai_core::auth::Place::Here)
        .unwrap();
    let id = w.submit(r#"{"image":"a"}"#).await;
    w.platform.renew_token(&w.admin, &w.gra, token.record.id).await.unwrap();
    let refused = [
        w.platform.create_token(&caller, &w.gra, &spec("read", None)).await.unwrap_err(),
        w.platform.renew_token(&caller, &w.gra, token.record.id).await.unwrap_err(),
        w.platform.delete_token(&caller, &w.gra, token.record.id).await.unwrap_err(),
        w.platform.create_app(&caller, &w.gra, &app(r#"{"image":"a"}"#)).await.unwrap_err(),
        w.platform.stop_app(&caller, &w.gra, id).await.unwrap_err(),
    ];
    for error in refused {
        assert_eq!(effect(error), Effect::Unauthenticated);
    }
    assert_eq!(w.platform.snapshot().app_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn refused_tokens_name_the_field() {
    let w = World::automatic().await;
    let long = "x".repeat(101);
    for (name, role, selector, field) in [
        ("", "read", None, "name"),
        (long.as_str(), "read", None, "name"),
        ("t", "administrator", None, "role"),
        ("t", "root", None, "role"),
        ("t", "read", Some("a b"), "labelSelector"),
    ] {
        let spec = TokenSpec { name: name.into(), ..spec(role, selector) };
        match w.platform.create_token(&w.admin, &w.gra, &spec).await {
            Err(Error::Invalid { field: at, .. }) => assert_eq!(at, field),
            other => panic!("{name:?} {role} {selector:?}: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn apps_of_an_operator_are_in_its_scope_or_refused() {
    let w = World::automatic().await;
    let operator = holder(&w, "operator", Some("group=A,team!=x")).await;
    let create = |json| {
        let (spec, operator) = (app(json), operator.clone());
        let w = &w;
        async move { w.platform.create_app(&operator, &w.gra, &spec).await }
    };
    let made = create(r#"{"image":"a","labels":{"other":"1"}}"#).await.unwrap();
    assert_eq!(made.record.labels.get("group").map(ovhai_api_types::LabelValue::as_str), Some("A"));
    let made = create(r#"{"image":"a","labels":{"group":"B"}}"#).await.unwrap();
    assert_eq!(
        made.record.labels.get("group").map(ovhai_api_types::LabelValue::as_str),
        Some("A"),
        "the scope's wins"
    );
    let refused = create(r#"{"image":"a","labels":{"team":"x"}}"#).await.unwrap_err();
    assert_eq!(effect(refused), Effect::Forbidden);
    let one = holder(&w, "operator", Some(&format!("ovh/id={}", made.record.id))).await;
    let refused = w.platform.create_app(&one, &w.gra, &app(r#"{"image":"a"}"#)).await.unwrap_err();
    assert_eq!(effect(refused), Effect::Forbidden, "a new app has another id");
}

#[tokio::test(start_paused = true)]
async fn platform_labels_can_not_be_set() {
    let w = World::automatic().await;
    let spec = r#"{"image":"a","labels":{"ovh/id":"mine","ovh/type":"job","ovh/x":"not a value!","group":null}}"#;
    let id = w.submit(spec).await;
    let snapshot = w.platform.snapshot();
    let labels: Vec<_> =
        snapshot.app(id).unwrap().record.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(labels, [format!("ovh/id={id}"), "ovh/type=app".into()]);
    let update = serde_json::from_str(r#"{"name":"ovh/id","value":"x"}"#).unwrap();
    assert!(
        w.platform.label_app(&w.admin, &w.gra, id, std::slice::from_ref(&update)).await.is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn scopes_limit_reads_and_changes() {
    let w = World::automatic().await;
    let mine = w.submit(r#"{"image":"a","labels":{"group":"A"}}"#).await;
    let other = w.submit(r#"{"image":"a","labels":{"group":"B"}}"#).await;
    let operator = holder(&w, "operator", Some("group=A")).await;
    let reader = holder(&w, "read", Some("group=A")).await;
    let list = |who: &Principal| w.platform.list_apps(who, &w.gra, &AppQuery::default());
    assert_eq!(list(&operator).unwrap().iter().map(|a| a.record.id).collect::<Vec<_>>(), [mine]);
    assert_eq!(effect(list(&reader).unwrap_err()), Effect::Forbidden);
    assert!(w.platform.stop_app(&operator, &w.gra, mine).await.is_ok());
    // Exactly as if it were not there.
    let hidden = w.platform.stop_app(&operator, &w.gra, other).await.unwrap_err().to_string();
    assert_eq!(hidden, format!("there is no app {other}"));
    let bhs = "BHS".parse().unwrap();
    assert_eq!(
        effect(w.platform.list_apps(&operator, &bhs, &AppQuery::default()).unwrap_err()),
        Effect::Unauthenticated
    );
    assert!(matches!(w.platform.get_app(&w.admin, &bhs, mine), Err(Error::NotFound { .. })));
    let process = app(r#"{"image":"a","runtime":"process","command":["true"]}"#);
    let refused = w.platform.create_app(&operator, &w.gra, &process).await.unwrap_err();
    assert_eq!(effect(refused), Effect::Forbidden);
    // Nor by the way of its environment.
    let mine = w
        .submit(r#"{"image":"a","labels":{"group":"A"},"runtime":"process","command":["true"]}"#)
        .await;
    let update =
        serde_json::from_str(r#"{"envVars":[{"name":"BASH_ENV","value":"$(id)"}]}"#).unwrap();
    let refused = w.platform.update_app(&operator, &w.gra, mine, &update).await.unwrap_err();
    assert_eq!(effect(refused), Effect::Forbidden);
    w.platform.update_app(&w.admin, &w.gra, mine, &update).await.unwrap();
    // Nobody moves an app out of their own scope.
    let label = serde_json::from_str(r#"{"name":"group","value":"B"}"#).unwrap();
    let refused = w
        .platform
        .label_app(&operator, &w.gra, mine, std::slice::from_ref(&label))
        .await
        .unwrap_err();
    assert_eq!(effect(refused), Effect::Forbidden);
    let unscoped = holder(&w, "operator", None).await;
    let refused = w.platform.create_app(&unscoped, &w.gra, &process).await.unwrap_err();
    assert_eq!(effect(refused), Effect::Forbidden);
    w.platform.create_app(&w.admin, &w.gra, &process).await.unwrap();
}
