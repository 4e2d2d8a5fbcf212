//! What `warren up` is going to do: its options, checked against each other.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use http::{Uri, uri::Scheme};
use ipnet::IpNet;
use warren_app::{NatsConfig, scaling::ScalingConfig};
use warren_courier::WebhookConfig;
use warren_gateway::BackendChoice;
use warren_model::gateway::EndpointHost;
use warren_runtime::telemetry;

use super::{Options, mail::MailOptions, options::LogFormat};
use crate::{Failure, database::DatabaseOptions, folder};

/// Options that go together.
#[derive(Debug, Clone)]
pub struct Plan {
    pub data: PathBuf,
    pub database: DatabaseOptions,
    pub database_wait: Duration,
    /// Over what the processes that work on jobs call each other.
    pub nats: Option<NatsConfig>,
    pub mail: MailOptions,
    pub listen: SocketAddr,
    /// Without a slash at the end. Empty until the port is known, where none was said.
    pub public_url: String,
    pub tls: Option<TlsFiles>,
    pub trusted_proxies: Vec<IpNet>,
    /// How places for jobs grow and shrink.
    pub scaling: ScalingConfig,
    /// Where webhooks may lead.
    pub webhooks: WebhookConfig,
    pub gateway: LocalGateway,
    pub log: String,
    pub log_format: telemetry::LogFormat,
}

/// Where the certificate stands.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    pub certificates: PathBuf,
    pub key: PathBuf,
}

/// Whether this machine carries traffic.
#[derive(Debug, Clone)]
pub enum LocalGateway {
    Unwanted,
    Wanted {
        /// None for the public URL's host.
        endpoint: Option<EndpointHost>,
        first_port: u16,
        backend: BackendChoice,
    },
}

impl LocalGateway {
    /// What carries its packets, should there be one.
    pub fn backend(&self) -> BackendChoice {
        match self {
            Self::Unwanted => BackendChoice::default(),
            Self::Wanted { backend, .. } => *backend,
        }
    }
}

impl Plan {
    /// The plan that `options` describe.
    ///
    /// # Errors
    /// [`Failure::Usage`] when they do not go together.
    pub fn of(options: Options) -> Result<Self, Failure> {
        let tls = options.tls_cert.zip(options.tls_key).map(|(certificates, key)| TlsFiles { certificates, key });
        if tls.is_none() && !options.listen.ip().is_loopback() && !options.allow_plain_http {
            return Err(Failure::Usage(format!(
                "without TLS, passwords would cross the network to {} readable; give a certificate with --tls-cert and \
                 --tls-key, or say --allow-plain-http when a proxy in front brings TLS",
                options.listen
            )));
        }
        let public_url = match options.public_url {
            Some(url) => origin(&url)?,
            None if options.listen.ip().is_unspecified() => {
                return Err(Failure::Usage(format!(
                    "{} is every address of this machine; say with --public-url which one people use, as \
                     https://vpn.example.org",
                    options.listen
                )));
            }
            None => String::new(),
        };
        let gateway = if options.no_gateway {
            LocalGateway::Unwanted
        } else {
            LocalGateway::Wanted {
                endpoint: options.gateway_endpoint,
                first_port: options.gateway_port,
                backend: options.backend,
            }
        };
        Ok(Self {
            data: options.data,
            database: options.database,
            database_wait: Duration::from_secs(options.database_wait),
            nats: options.nats.config()?,
            mail: options.mail,
            listen: options.listen,
            public_url,
            tls,
            trusted_proxies: options.trusted_proxy,
            webhooks: options.webhooks.config(),
            scaling: options.scaling.config()?,
            gateway,
            log: options.log,
            log_format: LogFormat::or_fitting(options.log_format),
        })
    }

    /// With the folder's own path, which stays the same wherever a later start is made from.
    ///
    /// # Errors
    /// [`Failure::Io`], or [`Failure::Usage`] when the path leaves no room for sockets.
    pub fn on_its_real_folder(mut self) -> Result<Self, Failure> {
        self.data = std::fs::canonicalize(&self.data).map_err(|source| Failure::Io {
            doing: "find",
            path: self.data.clone(),
            source,
        })?;
        folder::check_length(&self.data)?;
        Ok(self)
    }

    /// With the address that was really bound, which differs from the one said where that was port 0.
    pub fn reached_at(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        if self.public_url.is_empty() {
            let scheme = if self.tls.is_some() { "https" } else { "http" };
            self.public_url = format!("{scheme}://{address}");
        }
        self
    }

    /// How the portal is set.
    pub fn portal(&self) -> warren_portal::Config {
        warren_portal::Config { trusted_proxies: self.trusted_proxies.clone() }
    }

    /// The host that devices dial when nothing else was said.
    ///
    /// # Errors
    /// [`Failure::Usage`] when devices cannot dial the public URL's host.
    pub fn public_host(&self) -> Result<EndpointHost, Failure> {
        let uri: Option<Uri> = self.public_url.parse().ok();
        uri.as_ref().and_then(Uri::host).and_then(|host| host.parse().ok()).ok_or_else(|| {
            Failure::Usage(format!(
                "devices cannot dial the host of {}; say one with --gateway-endpoint",
                self.public_url
            ))
        })
    }

    /// Where the local gateway keeps what is its own.
    pub fn gateway_folder(&self) -> PathBuf {
        folder::gateway(&self.data)
    }
}

/// `scheme://host[:port]` of `url`, which may hold nothing else.
///
/// # Errors
/// [`Failure::Usage`]
pub fn origin(url: &str) -> Result<String, Failure> {
    let refused = || {
        Failure::Usage(format!("{url} is no address of a portal; write it as https://vpn.example.org, without a path"))
    };
    let uri: Uri = url.parse().map_err(|_| refused())?;
    let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else { return Err(refused()) };
    let is_web = *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS;
    let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none() && !authority.as_str().contains('@');
    if is_web && is_bare && !authority.host().is_empty() {
        Ok(format!("{scheme}://{}", authority.as_str().to_ascii_lowercase()))
    } else {
        Err(refused())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn plan(arguments: &[&str]) -> Result<Plan, Failure> {
        Plan::of(Line::parse_from(std::iter::once(&"up").chain(arguments)).options)
    }

    #[test]
    fn plain_http_stays_on_this_machine_unless_allowed() {
        let refused = plan(&["--listen", "192.0.2.1:80"]).unwrap_err().to_string();
        assert!(refused.contains("--tls-cert") && refused.contains("--allow-plain-http"), "{refused}");
        assert!(plan(&["--listen", "192.0.2.1:80", "--allow-plain-http"]).is_ok());
        assert!(plan(&["--listen", "[::1]:80"]).is_ok());
    }

    #[test]
    fn every_address_is_not_where_people_go() {
        let refused = plan(&["--listen", "0.0.0.0:80", "--allow-plain-http"]).unwrap_err().to_string();
        assert!(refused.contains("--public-url"), "{refused}");
    }

    #[test]
    fn the_public_url_is_an_origin() {
        let url = |url: &str| plan(&["--public-url", url]).map(|plan| plan.public_url);
        assert_eq!(url("https://VPN.example.org/").unwrap(), "https://vpn.example.org");
        assert_eq!(url("http://[::1]:8080").unwrap(), "http://[::1]:8080");
        for bad in ["vpn.example.org", "ftp://x", "https://x/warren", "https://a@x", "https://x?y", "https://"] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_url_follows_the_port_that_was_bound() {
        let plan = plan(&["--listen", "127.0.0.1:0"]).unwrap().reached_at("127.0.0.1:4711".parse().unwrap());
        assert_eq!(plan.public_url, "http://127.0.0.1:4711");
        assert_eq!(plan.public_host().unwrap().to_string(), "127.0.0.1");
    }
}
