//! The OpenAPI document that is served.

use std::collections::BTreeSet;

use serde_json::Value;

fn document() -> Value {
    serde_json::from_str(&ovhai_emulator::api::openapi()).unwrap()
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
fn every_reference_leads_somewhere() {
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

/// The operations of the tags `app`, `token` and `me` that the official SDK 0.1a4 has.
#[test]
fn all_operations_of_the_sdk_are_there() {
    let document = document();
    let mut found = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            found.insert(format!("{id} {} {path}", method.to_uppercase()));
        }
    }
    let expected = [
        "app_cli_command POST /v1/app/command",
        "app_edit PUT /v1/app/{id}/scalingstrategy",
        "app_edit_label PUT /v1/app/{id}/label",
        "app_log GET /v1/app/{id}/log",
        "app_start PUT /v1/app/{id}/start",
        "app_stop PUT /v1/app/{id}/stop",
        "app_update PUT /v1/app/{id}",
        "app_update_image PUT /v1/app/{id}/image",
        "delete_v1_app_id DELETE /v1/app/{id}",
        "get_v1_app GET /v1/app",
        "get_v1_app_id GET /v1/app/{id}",
        "me GET /v1/me",
        "post_v1_app POST /v1/app",
        "post_v1_app_app_id_datasync POST /v1/app/{appId}/datasync",
        "token_delete DELETE /v1/token/{id}",
        "token_get GET /v1/token/{id}",
        "token_get_all GET /v1/token",
        "token_new POST /v1/token",
        "token_renew POST /v1/token/{id}/renew",
    ];
    assert_eq!(found, expected.map(str::to_owned).into());
}
