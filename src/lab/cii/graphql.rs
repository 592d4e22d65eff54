//! The GraphQL endpoint: queries are validated against the published schema and executed by a real engine, so a field that
//! the schema does not have fails here as it would there.
//!
//! Errors leave in the shape of AppSync (contracts/cii.md, section 3), which CII's scalars point to.
use super::queries::Root;
use crate::lab::faults::{FaultKind, Part};
use crate::lab::world::{Realm, World};
use apollo_compiler::executable::OperationType;
use apollo_compiler::resolvers::Execution;
use apollo_compiler::response::{GraphQLError, JsonMap};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

const SCHEMA: &str = include_str!("../cii.graphql");

/// The schema cannot be read: a mistake in the lab itself.
#[derive(Debug, thiserror::Error)]
#[error("the lab's GraphQL schema is not valid: {0}")]
pub struct EngineError(String);

/// The published schema, and the one it has drifted to.
#[derive(Debug)]
pub(crate) struct Engine {
    published: Valid<Schema>,
    drifted: Valid<Schema>,
}

impl Engine {
    pub(crate) fn new() -> Result<Self, EngineError> {
        let read = |text: &str| {
            Schema::parse_and_validate(text, "cii.graphql")
                .map_err(|invalid| EngineError(invalid.errors.to_string()))
        };
        Ok(Self { published: read(SCHEMA)?, drifted: read(&drift(SCHEMA))? })
    }

    fn schema(&self, drifted: bool) -> &Valid<Schema> {
        if drifted { &self.drifted } else { &self.published }
    }
}

/// What a later version may do: fields renamed and gone, one of another type, statuses that nobody has heard of.
fn drift(schema: &str) -> String {
    schema
        .replace("  workingLocationDetails: [LocationWithPrevalence!]\n", "")
        .replace("  linkedEndUserLogins: [String!]\n", "  linkedAccounts: [String!]\n")
        .replace("  employeeId: [String!]\n", "  employeeId: String\n")
        .replace("enum EndUserStatus { ", "enum EndUserStatus { PENDING_REVIEW ")
        .replace("enum LevelOfTrust { ", "enum LevelOfTrust { UNDER_WATCH ")
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    query: String,
    #[serde(default)]
    variables: Option<JsonMap>,
    #[serde(default)]
    operation_name: Option<String>,
}

/// `POST /cii/api`.
pub(super) async fn api(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response {
    if !authorized(&world, &headers) {
        let error =
            json!({"errors": [{"errorType": "UnauthorizedException", "message": "Token is not valid."}]});
        return (StatusCode::UNAUTHORIZED, Json(error)).into_response();
    }
    let Ok(request) = serde_json::from_slice::<Request>(&body) else {
        let error =
            json!({"errors": [{"errorType": "MalformedHttpRequestException", "message": "Invalid JSON."}]});
        return (StatusCode::BAD_REQUEST, Json(error)).into_response();
    };
    Json(execute(&world, &request)).into_response()
}

fn authorized(world: &World, headers: &HeaderMap) -> bool {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| value.strip_prefix("Bearer "));
    token.is_some_and(|token| world.tokens.check(token, Realm::Cii, world.clock.now()).is_some())
}

fn execute(world: &World, request: &Request) -> Value {
    let drifted = world.faults.active(FaultKind::SchemaDrift, Part::Cii);
    let form = ErrorForm::of(world);
    let schema = world.engine.schema(drifted);
    let document = match ExecutableDocument::parse_and_validate(schema, &request.query, "query.graphql") {
        Ok(document) => document,
        Err(invalid) => {
            let errors: Vec<Value> = invalid.errors.iter().map(|e| validation_error(&e.to_json())).collect();
            return reply(Value::Null, errors, form);
        }
    };
    match run(world, schema, &document, request, drifted) {
        Ok((data, errors)) => reply(data, errors, form),
        Err(message) => reply(Value::Null, vec![json!({"message": message})], form),
    }
}

fn run(
    world: &World,
    schema: &Valid<Schema>,
    document: &Valid<ExecutableDocument>,
    request: &Request,
    drifted: bool,
) -> Result<(Value, Vec<Value>), String> {
    let operation =
        document.operations.get(request.operation_name.as_deref()).map_err(|e| e.message().to_string())?;
    let root = match operation.operation_type {
        OperationType::Mutation => Root::mutation(world),
        _ => Root::query(world, drifted),
    };
    let variables = request.variables.clone().unwrap_or_default();
    let execution = Execution::new(schema, document).operation(operation).raw_variable_values(&variables);
    let response = execution.execute_sync(&root).map_err(|e| e.message().to_string())?;
    let data = serde_json::to_value(&response.data).map_err(|e| e.to_string())?;
    Ok((data, response.errors.iter().map(field_error).collect()))
}

/// What errors carry beside their message: nothing of it is documented well enough to rely on.
#[derive(Debug, Clone, Copy)]
enum ErrorForm {
    /// `errorInfo` is null.
    Usual,
    Bare,
    InfoObject,
    InfoList,
}

impl ErrorForm {
    fn of(world: &World) -> Self {
        let forms = [
            (FaultKind::BareErrors, ErrorForm::Bare),
            (FaultKind::ErrorInfo, ErrorForm::InfoObject),
            (FaultKind::ErrorInfoList, ErrorForm::InfoList),
        ];
        let strikes = |(kind, _): &(FaultKind, _)| world.faults.active(*kind, Part::Cii);
        forms.into_iter().find(strikes).map_or(ErrorForm::Usual, |(_, form)| form)
    }

    fn give(self, mut error: Value) -> Value {
        let info = || json!({"code": "lab-1", "retryable": false});
        match self {
            ErrorForm::Usual => {}
            ErrorForm::Bare => return json!({"message": error["message"]}),
            ErrorForm::InfoObject => error["errorInfo"] = info(),
            ErrorForm::InfoList => error["errorInfo"] = json!([info()]),
        }
        error
    }
}

fn reply(data: Value, errors: Vec<Value>, form: ErrorForm) -> Value {
    if errors.is_empty() {
        return json!({"data": data});
    }
    let errors: Vec<Value> = errors.into_iter().map(|error| form.give(error)).collect();
    json!({"data": data, "errors": errors})
}

fn validation_error(error: &GraphQLError) -> Value {
    json!({
        "path": null, "locations": locations(error), "errorType": "ValidationError",
        "message": format!("Validation error: {}", error.message),
    })
}

/// A resolver's message is its error type, a colon and the text.
fn field_error(error: &GraphQLError) -> Value {
    let message = error.message.strip_prefix("resolver error: ").unwrap_or(&error.message);
    let (error_type, message) = message.split_once(": ").unwrap_or(("InternalFailure", message));
    json!({
        "path": error.path, "data": null, "errorType": error_type, "errorInfo": null,
        "locations": locations(error), "message": message,
    })
}

fn locations(error: &GraphQLError) -> Vec<Value> {
    let one = |at: &apollo_compiler::parser::LineColumn| json!({"line": at.line, "column": at.column, "sourceName": null});
    error.locations.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The program's queries are held to the contract's copy; what they are answered with, to this one.
    #[test]
    fn the_schema_that_is_executed_is_the_one_of_the_contract() {
        assert_eq!(SCHEMA, include_str!("../../../tests/contracts/cii.graphql"));
    }

    #[test]
    fn both_schemas_are_valid_and_differ() {
        assert!(Engine::new().is_ok());
        assert_ne!(drift(SCHEMA), SCHEMA);
        for gone in ["workingLocationDetails", "linkedEndUserLogins", "employeeId: [String!]"] {
            assert!(SCHEMA.contains(gone) && !drift(SCHEMA).contains(gone), "{gone}");
        }
    }
}
