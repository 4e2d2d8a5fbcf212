//! Problem details (RFC 9457).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request was refused, as `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A stable name for the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "urn:warren:problem:invalid")]
    pub kind: String,
    /// The kind in a few words, in the reader's language.
    #[schema(example = "Some values cannot be used")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 422)]
    pub status: u16,
    /// What was wrong this time and what to do about it.
    #[schema(example = "Check the fields that are named and send the request again.")]
    pub detail: String,
    /// Give this to the operator, who finds everything about the request by it.
    #[schema(example = "0192f3a4-7c1e-7b1a-9c7e-0d2f4a6b8c01")]
    pub request_id: String,
    /// The fields that were refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

/// One field that was refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldProblem {
    /// The field, with dots and indices for nested ones.
    #[schema(example = "ipv4_prefix")]
    pub field: String,
    /// A stable name for the rule that was broken.
    #[schema(example = "invalid-host-bits")]
    pub code: String,
    /// The rule in the reader's language.
    #[schema(example = "has bits set to the right of its length; did you mean 10.20.0.0/24?")]
    pub message: String,
}
