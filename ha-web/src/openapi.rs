//! The description of all calls in OpenAPI 3.1, made from their table.

use serde_json::{Map, Value, json};

use crate::{
    route::{Handler, Need, Route},
    table,
    wire::{Kind, Parameter, Part, insert},
};

/// The description.
#[must_use]
pub fn openapi() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in table::all() {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Value::Object(methods) = path {
            methods.insert(route.method.to_ascii_lowercase(), operation(route));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "High availability",
            "version": ha_host::VERSION,
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "PVEAPIToken=USER@REALM!ID=SECRET",
                },
                "bearer": {"type": "http", "scheme": "bearer", "description": "USER@REALM!ID=SECRET"},
                "ticket": {"type": "apiKey", "in": "cookie", "name": "PVEAuthCookie"},
            },
            "schemas": {"Fault": fault(), "Problem": problem()},
        },
    })
}

fn operation(route: &Route) -> Value {
    let in_query = matches!(route.method, "GET" | "DELETE");
    let variables = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = variables
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    let mut operation = json!({
        "summary": route.about,
        "operationId": id(route),
        "security": security(route.need),
        "responses": responses(route),
    });
    if in_query {
        parameters.extend(route.takes.iter().map(query_parameter));
    } else if !route.takes.is_empty() {
        let body = body_schema(route.takes);
        let body = json!({
            "required": route.takes.iter().any(|parameter| parameter.is_required),
            "content": {
                "application/x-www-form-urlencoded": {"schema": body.clone()},
                "application/json": {"schema": body},
            },
        });
        insert(&mut operation, "requestBody", body);
    }
    insert(&mut operation, "parameters", Value::Array(parameters));
    operation
}

/// A name that stays: the method, and the words of the path.
fn id(route: &Route) -> String {
    let words =
        route.path.split(['/', '-', '.']).map(|word| word.trim_matches(['{', '}'])).filter(|word| !word.is_empty());
    std::iter::once(route.method.to_ascii_lowercase()).chain(words.map(str::to_owned)).collect::<Vec<_>>().join("_")
}

fn security(need: Need) -> Value {
    match need {
        Need::Nothing => json!([]),
        Need::Somebody => json!([{"token": []}, {"bearer": []}, {"ticket": []}]),
        Need::Privilege(privilege) => {
            let privileges = [privilege.as_str()];
            json!([{"token": privileges}, {"bearer": privileges}, {"ticket": privileges}])
        }
    }
}

fn schema(kind: Kind) -> Value {
    match kind {
        Kind::Text | Kind::Sid | Kind::Node => json!({"type": "string"}),
        Kind::List => json!({"type": "string", "description": "separated by commas"}),
        Kind::Boolean => json!({"type": ["boolean", "integer", "string"]}),
        Kind::Number => json!({"type": "integer", "minimum": 0}),
        Kind::Word(words) => json!({"type": "string", "enum": words}),
    }
}

fn query_parameter(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "in": "query",
        "required": parameter.is_required,
        "description": parameter.about,
        "schema": schema(parameter.kind),
    })
}

fn body_schema(takes: &[Parameter]) -> Value {
    let property = |parameter: &Parameter| {
        let mut schema = schema(parameter.kind);
        insert(&mut schema, "description", json!(parameter.about));
        (parameter.name.to_owned(), schema)
    };
    let required: Vec<&str> =
        takes.iter().filter(|parameter| parameter.is_required).map(|parameter| parameter.name).collect();
    json!({
        "type": "object",
        "properties": takes.iter().map(property).collect::<Map<_, _>>(),
        "required": required,
        "additionalProperties": false,
    })
}

fn responses(route: &Route) -> Value {
    let good = match (route.handler, route.part()) {
        (Handler::Events, _) => json!({"text/event-stream": {"schema": {"type": "string"}}}),
        (Handler::Metrics | Handler::Alive, _) => json!({"text/plain": {"schema": {"type": "string"}}}),
        (
            Handler::Call(_) | Handler::Login | Handler::Logout | Handler::Session | Handler::Description,
            Part::Compatible,
        ) => {
            json!({"application/json": {"schema": {"type": "object", "properties": {"data": {}}, "required": ["data"]}}})
        }
        (Handler::Call(_) | Handler::Login | Handler::Logout | Handler::Session | Handler::Description, Part::Own) => {
            json!({"application/json": {"schema": {}}})
        }
    };
    let bad = match route.part() {
        Part::Compatible => json!({"application/json": {"schema": {"$ref": "#/components/schemas/Fault"}}}),
        Part::Own => json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}),
    };
    json!({
        "2XX": {"description": "It is so.", "content": good},
        "default": {"description": "It is not, and why.", "content": bad},
    })
}

fn fault() -> Value {
    json!({
        "type": "object",
        "properties": {
            "data": {"type": "null"},
            "message": {"type": "string"},
            "errors": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "required": ["data", "message"],
    })
}

fn problem() -> Value {
    let text = json!({"type": "string"});
    json!({
        "type": "object",
        "properties": {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "code": text,
            "detail": text,
            "faults": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"property": text, "code": text, "message": text},
                    "required": ["property", "code", "message"],
                },
            },
        },
        "required": ["type", "title", "status", "code", "detail", "faults"],
    })
}
