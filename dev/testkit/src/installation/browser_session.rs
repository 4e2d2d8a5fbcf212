//! What a browser says to the portal: requests with the session's cookie and the origin of its pages.

use std::{fs::File, path::PathBuf, sync::Mutex, thread, time::Duration};

use anyhow::Context;
use nix::sched::{CloneFlags, setns};
use reqwest::{
    Client, Method, RequestBuilder, StatusCode,
    header::{COOKIE, ETAG, HeaderMap, IF_MATCH, ORIGIN, SET_COOKIE},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::runtime::Runtime;

use super::Installation;

const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// One browser, signed in or not.
#[derive(Debug)]
pub struct Session {
    portal: String,
    /// The namespace that its sockets are opened in.
    namespace: Option<PathBuf>,
    client: Client,
    runtime: Runtime,
    cookie: Mutex<Option<String>>,
}

/// What the portal answered.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Reply {
    /// The body of a request that succeeded.
    ///
    /// # Errors
    /// When it did not, or its body is something else; the message holds it.
    pub fn read<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        let said = || format!("{}: {}", self.status, self.body);
        anyhow::ensure!(self.status.is_success(), said());
        serde_json::from_str(&self.body).with_context(said)
    }
    /// The entity tag; `*` when there is none.
    pub fn etag(&self) -> &str {
        self.headers.get(ETAG).and_then(|value| value.to_str().ok()).unwrap_or("*")
    }
}

impl Installation {
    /// A browser that is not signed in, on the host of the installation.
    ///
    /// # Errors
    /// When the test has no file descriptors or threads left.
    pub fn browse(&self) -> anyhow::Result<Session> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Session {
            portal: self.portal.clone(),
            namespace: self.namespace.as_ref().map(|namespace| namespace.path.clone()),
            client: Client::builder().timeout(ANSWER_WITHIN).no_proxy().build()?,
            runtime,
            cookie: Mutex::new(None),
        })
    }
}

impl Session {
    /// Reads.
    pub fn get(&self, path: &str) -> anyhow::Result<Reply> {
        self.send(self.request(Method::GET, path))
    }
    /// Creates.
    pub fn post(&self, path: &str, body: &impl Serialize) -> anyhow::Result<Reply> {
        self.send(self.request(Method::POST, path).json(body))
    }
    /// Changes what has this entity tag.
    pub fn patch(&self, path: &str, etag: &str, body: &impl Serialize) -> anyhow::Result<Reply> {
        self.send(self.request(Method::PATCH, path).header(IF_MATCH, etag).json(body))
    }
    /// Removes what has this entity tag.
    pub fn delete(&self, path: &str, etag: &str) -> anyhow::Result<Reply> {
        self.send(self.request(Method::DELETE, path).header(IF_MATCH, etag))
    }
    /// Does something without a body to what has this entity tag.
    pub fn act(&self, path: &str, etag: &str) -> anyhow::Result<Reply> {
        self.send(self.request(Method::POST, path).header(IF_MATCH, etag))
    }
    /// Moves to where the installation listens since its latest start; the cookie stays.
    pub fn follow(&mut self, installation: &Installation) {
        self.portal.clone_from(&installation.portal);
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.portal)).header(ORIGIN, &self.portal);
        match &*self.jar() {
            Some(cookie) => request.header(COOKIE, cookie),
            None => request,
        }
    }

    fn send(&self, request: RequestBuilder) -> anyhow::Result<Reply> {
        let exchange = async {
            let answer = request.send().await.context("the portal cannot be reached")?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            anyhow::Ok(Reply { status, headers, body: answer.text().await.context("the answer broke off")? })
        };
        let reply = match &self.namespace {
            None => self.runtime.block_on(exchange),
            // Sockets belong to the namespace of the thread that opens them.
            Some(path) => thread::scope(|scope| {
                let inside = scope.spawn(|| {
                    setns(File::open(path)?, CloneFlags::CLONE_NEWNET).context("cannot enter the namespace")?;
                    self.runtime.block_on(exchange)
                });
                inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            }),
        }?;
        for cookie in reply.headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let pair = cookie.split(';').next().unwrap_or_default();
            *self.jar() = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
        Ok(reply)
    }

    fn jar(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.cookie.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
