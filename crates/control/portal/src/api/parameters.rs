//! The parameters that operations share, as the API's document describes them. Handlers read them through extractors.
#![expect(dead_code, reason = "these types only describe; nothing makes one")]

use utoipa::IntoParams;
use uuid::Uuid;

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct InOrganisation {
    /// The organisation's slug.
    #[param(example = "northwind")]
    organisation: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageParameters {
    /// The most items on the page: 1 to 200, by default 50.
    #[param(minimum = 1, maximum = 200, example = 50)]
    limit: Option<u16>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// How much of each list is asked for: 0 to 100, by default 10.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DatabaseLimits {
    /// The most organisations: 0 to 100, by default 10.
    #[param(minimum = 0, maximum = 100, example = 10)]
    organisations: Option<u16>,
    /// The most statements of each kind of database: 0 to 100, by default 10.
    #[param(minimum = 0, maximum = 100, example = 10)]
    statements: Option<u16>,
    /// The most slow statements: 0 to 100, by default 10.
    #[param(minimum = 0, maximum = 100, example = 10)]
    slow_statements: Option<u16>,
    /// The most suspicions: 0 to 100, by default 10.
    #[param(minimum = 0, maximum = 100, example = 10)]
    suspicions: Option<u16>,
    /// The most connections in somebody's hands: 0 to 100, by default 10.
    #[param(minimum = 0, maximum = 100, example = 10)]
    leases: Option<u16>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(super) struct CreationHeaders {
    /// A name of the caller's own for this creation, 1 to 200 visible ASCII characters. Sent again with the same body within
    /// 24 hours, it gives the first result back instead of creating again.
    #[param(rename = "Idempotency-Key", example = "8e03978e-40d5-43dd-bc93-6894a57f9324")]
    idempotency_key: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(super) struct ChangeHeaders {
    /// The revision that the change is based on, as `ETag` gave it, or `*` for whatever there is.
    #[param(rename = "If-Match", example = "\"1\"")]
    if_match: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OnePerson {
    /// The account's identifier.
    person: Uuid,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OneNetwork {
    network: Uuid,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OneDevice {
    device: Uuid,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OneWebhook {
    webhook: Uuid,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OneDelivery {
    delivery: Uuid,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OneFile {
    file: Uuid,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OneGateway {
    gateway: Uuid,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OneJob {
    job: Uuid,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OneQueue {
    /// `mail`, `webhooks`, `records` or `reports`.
    #[param(example = "mail")]
    queue: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OneMail {
    mail: Uuid,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OneDependency {
    /// The dependency's name.
    #[param(example = "smtp")]
    dependency: String,
}
