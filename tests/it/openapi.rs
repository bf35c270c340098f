//! The OpenAPI document that is served, and the routes, held against what the official SDK 0.1a4
//! speaks. `tests/api/v1.json` has its operations and schemas, `later.json` those that are not
//! emulated yet.

use std::collections::BTreeSet;

use ovhai_test_support::TestEmulator;
use serde_json::Value;

fn document() -> Value {
    serde_json::from_str(&ovhai_emulator::api::openapi()).unwrap()
}

fn facts(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn strings(value: &Value) -> BTreeSet<&str> {
    value.as_array().into_iter().flatten().map(|one| one.as_str().unwrap()).collect()
}

fn walk(value: &Value, visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                visit(name, value);
                walk(value, visit);
            }
        }
        Value::Array(all) => all.iter().for_each(|value| walk(value, visit)),
        _ => {}
    }
}

#[test]
fn every_reference_has_a_target() {
    let document = document();
    let mut seen = 0;
    walk(&document, &mut |name, value| {
        if name == "$ref" {
            let at = value.as_str().unwrap().strip_prefix('#').unwrap();
            assert!(document.pointer(at).is_some(), "{at}");
            seen += 1;
        }
    });
    assert!(seen > 20);
}

/// The operation at a method and path of our document.
fn operation<'a>(document: &'a Value, method: &str, path: &str) -> Option<&'a Value> {
    document["paths"].get(path)?.get(method.to_lowercase())
}

#[test]
fn every_operation_has_its_parameters_bodies_and_statuses() {
    let (document, facts) = (document(), facts("v1.json"));
    let mut checked = 0;
    for wanted in facts["operations"].as_array().unwrap() {
        let (id, method) = (wanted["id"].as_str().unwrap(), wanted["method"].as_str().unwrap());
        let path = wanted["path"].as_str().unwrap();
        let ours = operation(&document, method, path).unwrap_or_else(|| panic!("{method} {path}"));
        assert_eq!(ours["operationId"], id);
        let parameters: BTreeSet<&str> = ours["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|one| one["in"] == "query")
            .map(|one| one["name"].as_str().unwrap())
            .collect();
        assert!(parameters.is_superset(&strings(&wanted["query"])), "{id}: {parameters:?}");
        let statuses: BTreeSet<&str> =
            ours["responses"].as_object().unwrap().keys().map(String::as_str).collect();
        assert!(statuses.is_superset(&strings(&wanted["statuses"])), "{id}: {statuses:?}");
        let name = |schema: &Value| -> Option<String> {
            let of = |one: &Value| {
                let reference = one["$ref"].as_str().and_then(|at| at.rsplit('/').next());
                reference.or(one["type"].as_str()).map(str::to_owned)
            };
            if schema["items"].is_object() {
                of(&schema["items"]).map(|name| format!("[{name}]"))
            } else {
                of(schema)
            }
        };
        let fact = |value: &Value| match value {
            Value::Array(one) => one[0].as_str().map(|name| format!("[{name}]")),
            other => other.as_str().map(str::to_owned),
        };
        let body = &ours["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(name(body), fact(&wanted["body"]), "{id}");
        let content = ours["responses"]["200"]["content"].as_object();
        let answer = content.and_then(|content| content.values().next());
        let answer = answer.and_then(|media| name(&media["schema"]));
        let expected = match id {
            // The SDK itself reads a list.
            "get_v1_capabilities_quota" => Some("[ProjectQuotas]".to_owned()),
            _ => fact(&wanted["answer"]),
        };
        assert_eq!(answer, expected, "{id}");
        checked += 1;
    }
    assert_eq!(checked, 35);
}

#[test]
fn every_schema_has_its_fields() {
    // Jobs' own parts are not emulated; the maps are written in place.
    let absent = ["AppSpecLabelsType0", "InfoArguments", "ProjectQuotasResources"];
    let missing: BTreeSet<_> = [
        "DataSyncProgress.appVolume",
        "DataSyncProgress.eta",
        "DataSyncProgress.jobVolume",
        "DataSyncProgress.notebookVolume",
        "DataSyncProgress.reason",
        "DataSyncProgress.shutdown",
        "DataSyncSpec.jobId",
        "DataSyncStatus.info",
        "VolumeStatus.userVolumeId",
    ]
    .into();
    let (document, facts) = (document(), facts("v1.json"));
    let ours = &document["components"]["schemas"];
    let mut found_missing = BTreeSet::new();
    let mut checked = 0;
    for (name, wanted) in facts["schemas"].as_object().unwrap() {
        if absent.contains(&name.as_str()) {
            assert!(ours.get(name).is_none(), "{name} is there: check it");
            continue;
        }
        let schema = ours.get(name).unwrap_or_else(|| panic!("{name} is not there"));
        for property in strings(&wanted["properties"]) {
            if schema["properties"].get(property).is_none() {
                found_missing.insert(format!("{name}.{property}"));
            }
        }
        for value in strings(&wanted["enum"]) {
            assert!(strings(&schema["enum"]).contains(value), "{name}: {value}");
        }
        checked += 1;
    }
    let found_missing: BTreeSet<&str> = found_missing.iter().map(String::as_str).collect();
    assert_eq!(found_missing, missing);
    assert!(checked > 40, "{checked}");
}

/// An id in the place of every placeholder.
fn filled(path: &str) -> String {
    path.split('/')
        .map(
            |part| {
                if part.starts_with('{') { "6f7c2f0e-4d0c-4a57-9f0a-3c1b6a0d2f11" } else { part }
            },
        )
        .collect::<Vec<_>>()
        .join("/")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_is_routed_or_answers_501_with_its_name() {
    let e = TestEmulator::start().await;
    for wanted in facts("v1.json")["operations"].as_array().unwrap() {
        let (method, path) = (wanted["method"].as_str().unwrap(), wanted["path"].as_str().unwrap());
        let answer = e.admin(method, &filled(path), None).await;
        let message = answer.text();
        let routed = !message.contains("there is nothing at") && answer.status != 405;
        assert!(routed, "{method} {path}: {} {message}", answer.status);
        assert_ne!(answer.status, 501, "{method} {path}: {message}");
    }
    let later = facts("later.json");
    for wanted in later["operations"].as_array().unwrap() {
        let (method, path) = (wanted["method"].as_str().unwrap(), wanted["path"].as_str().unwrap());
        let answer = e.admin(method, &filled(path), None).await;
        assert_eq!(answer.status, 501, "{method} {path}: {}", answer.text());
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        let id = wanted["id"].as_str().unwrap();
        assert!(message.split_whitespace().next() == Some(id), "{id}: {message}");
    }
    assert_eq!(later["operations"].as_array().map(Vec::len), Some(50));
}
