//! The REST API, `/api/v1`: one endpoint on one page, its documentation beside its handler.
//!
//! Handlers say who calls before anything else (`Caller` is the first argument), so that strangers learn nothing from the
//! rest of a request.

mod access;
mod activity;
mod analysis;
mod database;
mod dependencies;
mod devices;
mod exports;
mod files;
mod gateways;
pub(crate) mod health;
mod imports;
mod installation;
mod invitations;
mod jobs;
mod live;
mod mails;
mod networks;
mod organisations;
mod parameters;
mod people;
mod problems;
pub(crate) mod reference;
mod webhooks;

use axum::Router;
use utoipa::{
    OpenApi,
    openapi::{
        InfoBuilder, LicenseBuilder, OpenApiBuilder, SecurityRequirement, ServerBuilder,
        security::{ApiKey, ApiKeyValue, SecurityScheme},
        tag::TagBuilder,
    },
};
use utoipa_axum::router::OpenApiRouter;
use warren_wire::rest::v1;

use crate::{PortalState, session};

/// Where the API begins.
const ROOT: &str = "/api/v1";
/// The name of the session's security scheme in the document.
const SESSION: &str = "session";

/// Schemas that the operations' own descriptions do not reach.
#[derive(OpenApi)]
#[openapi(components(schemas(
    v1::Problem,
    v1::FieldProblem,
    v1::DeviceLive,
    v1::GatewayLive,
    v1::WebhookEvent,
    v1::ImportResult,
    v1::MadeFiles
)))]
struct Schemas;

/// The API's routes.
pub(crate) fn router() -> Router<PortalState> {
    described().split_for_parts().0
}

/// The API's document, OpenAPI 3.1.
pub fn openapi() -> utoipa::openapi::OpenApi {
    described().into_openapi()
}

/// The document as it is committed and served: indented JSON with a final line break.
pub fn openapi_json() -> String {
    let mut text = openapi().to_pretty_json().expect("the document is made of plain values");
    text.push('\n');
    text
}

fn described() -> OpenApiRouter<PortalState> {
    let operations = OpenApiRouter::new()
        .merge(access::router())
        .merge(invitations::router())
        .merge(organisations::router())
        .merge(people::router())
        .merge(networks::router())
        .merge(devices::router())
        .merge(live::router())
        .merge(files::router())
        .merge(imports::router())
        .merge(exports::router())
        .merge(activity::router())
        .merge(webhooks::router())
        .merge(gateways::router())
        .merge(installation::router())
        .merge(database::router())
        .merge(analysis::router())
        .merge(jobs::router())
        .merge(mails::router())
        .merge(dependencies::router());
    OpenApiRouter::with_openapi(frame()).nest(ROOT, operations)
}

fn frame() -> utoipa::openapi::OpenApi {
    let info = InfoBuilder::new()
        .title("Warren")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(include_str!("description.md")))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    let tags = [
        ("Access", "Setting up, signing in and out."),
        ("Invitations", "What the holder of an invitation link does."),
        ("Organisations", "Customers of the installation, each with a database of its own."),
        ("People", "Who belongs to an organisation."),
        ("Networks", "An organisation's private networks."),
        ("Devices", "What may join the networks."),
        ("Files", "Imports, exports and reports, and the files that they read and write."),
        ("Activity", "Who did what, when, from where."),
        ("Webhooks", "Where an organisation's events are sent."),
        ("Gateways", "What carries the traffic."),
        ("Jobs", "Work that is done outside of the request that asked for it."),
        ("Mail", "Letters that went out, or were kept to be looked at. Operators."),
        ("Installation", "The installation as a whole. Operators."),
    ];
    let session = ApiKeyValue::with_description(session::COOKIE, "The cookie that signing in sets.");
    let mut frame = OpenApiBuilder::new()
        .info(info)
        .servers(Some([ServerBuilder::new().url("/").build()]))
        .tags(Some(tags.map(|(name, description)| TagBuilder::new().name(name).description(Some(description)).build())))
        .security(Some([SecurityRequirement::new::<_, [&str; 0], &str>(SESSION, [])]))
        .components(Schemas::openapi().components)
        .build();
    let components = frame.components.get_or_insert_default();
    components.add_security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(session)));
    components.responses.extend(problems::components().map(|(name, response)| (name, response.into())));
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_described_in_full() {
        let document: serde_json::Value = serde_json::from_str(&openapi_json()).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
        let mut names = std::collections::HashSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let place = format!("{method} {path}");
                assert!(
                    names.insert(operation["operationId"].as_str().expect(&place).to_owned()),
                    "{place} repeats a name"
                );
                assert_eq!(operation["tags"].as_array().expect(&place).len(), 1, "{place}");
                assert!(operation["summary"].is_string(), "{place} has no summary");
                let answers = operation["responses"].as_object().unwrap();
                assert!(answers.keys().any(|status| status.starts_with('2')), "{place} never succeeds");
                assert!(answers.contains_key("500") && answers.contains_key("503"), "{place} never fails");
            }
        }
        assert!(names.len() > 35, "only {} operations", names.len());
    }
}
