//! Where webhooks may lead, by the installation's settings; and the URLs that were found to agree with them.

use std::{fmt, net::IpAddr};

use ipnet::IpNet;
use url::{Host, Url};
use warren_model::Invalid;

use super::address::{is_public, meant};

/// The lowest port that is allowed besides the web's own: below are services of other kinds.
pub const PORT_FIRST: u16 = 1024;

/// Where webhooks may lead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhookRules {
    pub plain_http: PlainHttp,
    /// Prefixes that are allowed although they are not on the public internet: receivers of the installation's own.
    pub also_allowed: Vec<IpNet>,
}

/// Whether `http://` is allowed, which others can read and change on the way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PlainHttp {
    #[default]
    Refused,
    /// For development.
    Allowed,
}

/// A URL that agreed with the rules when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebhookUrl(Url);

impl WebhookUrl {
    /// The longest that is accepted, in characters.
    pub const CHARACTERS_MAX: usize = 500;

    /// The URL with its host in ASCII and lower case, and without a fragment.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
    /// The host, by which deliveries to one receiver can be kept apart from those to another.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
    /// The host with its port, where that is not the scheme's own: who answers there, whatever is asked for.
    pub fn receiver(&self) -> String {
        match self.0.port() {
            Some(port) => format!("{}:{port}", self.host()),
            None => self.host().to_owned(),
        }
    }
    pub(super) const fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl WebhookRules {
    /// Reads a URL that somebody entered. Its host is not looked up: what it leads to is checked at each delivery.
    ///
    /// # Errors
    /// [`Invalid`], whose sentence is in the portal's catalogues.
    pub fn check_url(&self, text: &str) -> Result<WebhookUrl, Invalid> {
        let text = text.trim();
        let (length, max) = (text.chars().count(), WebhookUrl::CHARACTERS_MAX);
        if length > max {
            return Err(Invalid::TooLong { length, max });
        }
        if text.is_empty() {
            return Err(Invalid::Empty);
        }
        // The parser would leave line breaks out without a word.
        if text.chars().any(char::is_control) {
            return Err(Invalid::ControlCharacter);
        }
        let mut url = Url::parse(text).map_err(|_| Invalid::Url)?;
        url.set_fragment(None);
        self.permit(&url)?;
        Ok(WebhookUrl(url))
    }

    /// Whether a URL agrees with these rules, as far as it tells by itself.
    pub(super) fn permit(&self, url: &Url) -> Result<(), Invalid> {
        match (url.scheme(), self.plain_http) {
            ("https", _) | ("http", PlainHttp::Allowed) => {}
            ("http", PlainHttp::Refused) => return Err(Invalid::NotHttps),
            _ => return Err(Invalid::Url),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Invalid::UserInUrl);
        }
        // The web's own port of the scheme is none to the parser.
        if let Some(port) = url.port().filter(|port| *port < PORT_FIRST && *port != 443) {
            return Err(Invalid::UrlPort { port, first: PORT_FIRST });
        }
        let private = |host: String| Err(Invalid::PrivateHost { host });
        match url.host() {
            None => Err(Invalid::Url),
            Some(Host::Ipv4(address)) if !self.permits(address.into()) => private(address.to_string()),
            Some(Host::Ipv6(address)) if !self.permits(address.into()) => private(address.to_string()),
            Some(Host::Domain(name)) if self.also_allowed.is_empty() && is_local_name(name) => private(name.to_owned()),
            Some(_) => Ok(()),
        }
    }

    /// Whether messages may go to this address.
    pub(super) fn permits(&self, address: IpAddr) -> bool {
        let inside = meant(address);
        self.also_allowed.iter().any(|prefix| prefix.contains(&inside)) || is_public(address)
    }
}

/// Names that never lead anywhere on the internet: RFC 6761 and RFC 6762, single words, and what is common inside of companies.
/// Only to tell people at once; what a name leads to is what counts.
fn is_local_name(name: &str) -> bool {
    const LOCAL: [&str; 7] = ["localhost", "local", "internal", "home.arpa", "lan", "intranet", "test"];
    let name = name.trim_end_matches('.');
    !name.contains('.') || LOCAL.iter().any(|local| name.strip_suffix(local).is_some_and(|rest| rest.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<String, Invalid> {
        WebhookRules::default().check_url(text).map(|url| url.as_str().to_owned())
    }

    #[test]
    fn a_web_address_of_the_internet_is_allowed() {
        for (given, kept) in [
            (" https://hooks.example.org/warren?x=1#y ", "https://hooks.example.org/warren?x=1"),
            ("https://Hooks.Example.org", "https://hooks.example.org/"),
            ("https://hooks.example.org:8443/", "https://hooks.example.org:8443/"),
            ("https://hooks.example.org:443/", "https://hooks.example.org/"),
            ("https://1.1.1.1/", "https://1.1.1.1/"),
            ("https://[2606:4700:4700::1111]/", "https://[2606:4700:4700::1111]/"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ] {
            assert_eq!(check(given).unwrap(), kept);
        }
    }

    #[test]
    fn every_way_to_write_a_private_address_is_refused() {
        for bad in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.0.0.1/",
            "https://0177.0.0.1/",
            "https://0/",
            "https://127.0.0.1./",
            "https://①②⑦.0.0.1/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[fd00:ec2::254]/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://a.localhost/",
            "https://printer.local/",
            "https://metadata.google.internal/",
            "https://intranet/",
        ] {
            assert!(matches!(check(bad), Err(Invalid::PrivateHost { .. })), "{bad}: {:?}", check(bad));
        }
    }

    #[test]
    fn what_is_no_address_for_a_webhook_is_refused_with_the_reason() {
        for (bad, reason) in [
            ("", Invalid::Empty),
            ("hooks.example.org", Invalid::Url),
            ("ftp://hooks.example.org/", Invalid::Url),
            ("file:///etc/passwd", Invalid::Url),
            ("gopher://hooks.example.org/", Invalid::Url),
            ("unix:/run/x", Invalid::Url),
            ("https://", Invalid::Url),
            ("https://hooks.example.org\r\n.evil/", Invalid::ControlCharacter),
            ("https://hooks.example.org/\tx", Invalid::ControlCharacter),
            ("https://hooks example.org/", Invalid::Url),
            ("http://hooks.example.org/", Invalid::NotHttps),
            ("https://user@hooks.example.org/", Invalid::UserInUrl),
            ("https://:password@hooks.example.org/", Invalid::UserInUrl),
            ("https://hooks.example.org@127.0.0.1/", Invalid::UserInUrl),
            ("https://hooks.example.org:22/", Invalid::UrlPort { port: 22, first: PORT_FIRST }),
            ("https://hooks.example.org:25/", Invalid::UrlPort { port: 25, first: PORT_FIRST }),
            ("https://hooks.example.org:0/", Invalid::UrlPort { port: 0, first: PORT_FIRST }),
        ] {
            assert_eq!(check(bad), Err(reason), "{bad}");
        }
        let long = format!("https://example.org/{}", "x".repeat(500));
        assert!(matches!(check(&long), Err(Invalid::TooLong { max: 500, .. })));
    }

    #[test]
    fn an_installation_may_allow_more() {
        let rules = WebhookRules { plain_http: PlainHttp::Allowed, also_allowed: vec!["10.1.0.0/16".parse().unwrap()] };
        for good in
            ["http://10.1.2.3:8080/", "https://[::ffff:10.1.2.3]/", "https://hooks/", "http://hooks.example.org/"]
        {
            rules.check_url(good).unwrap();
        }
        for bad in ["https://10.2.0.1/", "https://127.0.0.1/", "https://169.254.169.254/"] {
            rules.check_url(bad).unwrap_err();
        }
    }
}
