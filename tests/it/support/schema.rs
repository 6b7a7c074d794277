//! As much of JSON Schema as `docs/result.schema.json` uses: type, enum, minimum, maximum, required, properties, items, `$ref`.

use serde_json::Value;

/// Every place where `value` breaks `schema`; `$ref`s point into `root`.
pub(crate) fn violations(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let target = root.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("{name} is not defined"));
        return violations(root, target, value, at);
    }
    let mut found = Vec::new();
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !types.is_empty() && !types.iter().any(|kind| is(kind, value)) {
        found.push(format!("{at}: {value} is no {types:?}"));
    }
    if schema["enum"].as_array().is_some_and(|all| !all.contains(value)) {
        found.push(format!("{at}: {value} is none of {}", schema["enum"]));
    }
    for (limit, sign) in [("minimum", 1.0), ("maximum", -1.0)] {
        if let (Some(limit), Some(number)) = (schema[limit].as_f64(), value.as_f64())
            && (number - limit) * sign < 0.0
        {
            found.push(format!("{at}: {number} is beyond {limit}"));
        }
    }
    for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.is_object() && value.get(key).is_none() {
            found.push(format!("{at}: {key} is missing"));
        }
    }
    for (key, inside) in value.as_object().into_iter().flatten() {
        let part =
            schema["properties"].get(key).or_else(|| schema.get("additionalProperties").filter(|one| one.is_object()));
        found.extend(part.map(|part| violations(root, part, inside, &format!("{at}/{key}"))).unwrap_or_default());
    }
    for (n, inside) in value.as_array().into_iter().flatten().enumerate() {
        found.extend(
            schema.get("items").map(|part| violations(root, part, inside, &format!("{at}/{n}"))).unwrap_or_default(),
        );
    }
    found
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the schema has a type `{other}` this reader does not know"),
    }
}

#[test]
fn a_missing_key_and_a_wrong_type_are_found_by_their_place() {
    let schema = serde_json::json!({
        "type": "object", "required": ["a", "b"],
        "properties": { "a": { "type": "integer", "minimum": 0 }, "list": { "items": { "$ref": "#/$defs/word" } } },
        "$defs": { "word": { "enum": ["x"] } },
    });
    let value = serde_json::json!({ "a": -1, "list": ["x", "y"] });
    let found = violations(&schema, &schema, &value, "");
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.iter().any(|one| one.starts_with("/list/1")), "{found:?}");
}
