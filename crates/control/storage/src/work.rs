//! What storage works for: which request, and whose writes it has to see.

use uuid::Uuid;
use warren_model::RequestId;

/// The piece of work that a statement or transaction belongs to. It goes down explicitly; there are no task-locals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkContext {
    request: Option<RequestId>,
    author: Option<Uuid>,
}

impl WorkContext {
    /// Work of Warren's own, which no request asked for.
    pub const BACKGROUND: Self = Self { request: None, author: None };

    /// Work for a request. What `author` (a session or an account) wrote before is seen by all its reads, on replicas too.
    pub const fn of_request(request: RequestId, author: Option<Uuid>) -> Self {
        Self { request: Some(request), author }
    }

    /// The request, by which log lines find one another.
    pub const fn request(&self) -> Option<RequestId> {
        self.request
    }

    /// Whose earlier writes have to be seen.
    pub const fn author(&self) -> Option<Uuid> {
        self.author
    }
}
