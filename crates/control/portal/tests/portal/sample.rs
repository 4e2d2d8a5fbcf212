//! Bodies made from the examples in the API's document, which are thereby shown to be accepted.

use serde_json::{Map, Value, json};

/// A body for `operation`, or none when it takes none. Identifiers come from `identifier` by their field's name.
pub fn body_of(document: &Value, operation: &Value, identifier: &dyn Fn(&str) -> Option<Value>) -> Option<Value> {
    let content = &operation["requestBody"]["content"]["application/json"];
    content.is_object().then(|| sample(document, &content["schema"], "", identifier))
}

fn sample(document: &Value, schema: &Value, field: &str, identifier: &dyn Fn(&str) -> Option<Value>) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#')).expect(reference);
        return sample(document, target, field, identifier);
    }
    if let Some(value) = identifier(field) {
        return value;
    }
    if let Some(example) = schema.get("example") {
        return example.clone();
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    for several in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[several].as_array() {
            let choice = choices.iter().find(|choice| choice["type"] != "null").expect("something can be chosen");
            return sample(document, choice, field, identifier);
        }
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let parts = parts.iter().map(|part| sample(document, part, field, identifier));
        return parts.fold(json!({}), |mut whole, part| {
            whole.as_object_mut().unwrap().extend(part.as_object().cloned().unwrap_or_default());
            whole
        });
    }
    let is = |kind: &str| {
        schema["type"] == kind || schema["type"].as_array().is_some_and(|kinds| kinds.contains(&json!(kind)))
    };
    if is("object") {
        let properties = schema["properties"].as_object().cloned().unwrap_or_default();
        let sampled =
            properties.iter().map(|(name, schema)| (name.clone(), sample(document, schema, name, identifier)));
        return Value::Object(sampled.collect::<Map<_, _>>());
    }
    if is("boolean") {
        return json!(false);
    }
    if is("array") {
        return json!([]);
    }
    if is("string") && schema["format"] == "date-time" {
        return json!("2030-01-31T00:00:00Z");
    }
    panic!("the document gives no example for {field}: {schema}");
}
