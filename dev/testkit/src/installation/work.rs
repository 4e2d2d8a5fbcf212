//! What people do first with an installation, in one call each.

use anyhow::Context;
use warren_wire::rest::v1::{
    CreateNetwork, CreateOrganisation, Device, DeviceKey, EnrolDevice, EnrolledDevice, Network, Organisation, Page,
    Session as SignedIn, SetUp, SignIn, Tunnel,
};

use super::{Installation, Session};

/// Every test person's password.
pub const PASSWORD: &str = "a long and quiet river";
const EMAIL: &str = "anna@example.org";

/// An installation after its first use.
#[derive(Debug)]
pub struct FirstUse {
    /// The operator's browser.
    pub operator: Session,
    pub signed_in: SignedIn,
    /// The first organisation's slug.
    pub organisation: String,
}

impl Installation {
    /// Follows the set-up link: Anna becomes the operator, and admin of the organisation `northwind`.
    ///
    /// # Errors
    /// When there is no link, or the set-up is refused.
    pub fn first_use(&self) -> anyhow::Result<FirstUse> {
        let link = self.set_up_link()?;
        let (_, token) = link.split_once("/set-up#").context("the set-up link holds no token")?;
        let operator = self.browse()?;
        let organisation = "northwind".to_owned();
        let signed_in = operator
            .post(
                "/api/v1/set-up",
                &SetUp {
                    token: token.to_owned(),
                    name: "Anna Berg".into(),
                    email: EMAIL.into(),
                    password: PASSWORD.into(),
                    organisation: CreateOrganisation { slug: organisation.clone(), name: "Northwind Ltd".into() },
                },
            )?
            .read()?;
        Ok(FirstUse { operator, signed_in, organisation })
    }
}

impl Session {
    /// Signs Anna in.
    ///
    /// # Errors
    /// When it is refused.
    pub fn sign_in(&self) -> anyhow::Result<SignedIn> {
        self.post("/api/v1/session", &SignIn { email: EMAIL.into(), password: PASSWORD.into() })?.read()
    }

    /// Creates an organisation with a database of its own.
    ///
    /// # Errors
    /// When it is refused.
    pub fn create_organisation(&self, slug: &str) -> anyhow::Result<Organisation> {
        let body = CreateOrganisation { slug: slug.into(), name: format!("The {slug} company") };
        self.post("/api/v1/organisations", &body)?.read()
    }

    /// Creates a network with an IPv4 prefix and these routes behind the gateway.
    ///
    /// # Errors
    /// When it is refused.
    pub fn create_network(
        &self,
        organisation: &str,
        name: &str,
        ipv4: &str,
        routes: &[&str],
    ) -> anyhow::Result<Network> {
        let body = CreateNetwork {
            name: name.into(),
            ipv4_prefix: Some(ipv4.into()),
            ipv6_prefix: None,
            dns_servers: Vec::new(),
            search_domains: Vec::new(),
            tunnel: Some(Tunnel::Split { routes: routes.iter().map(ToString::to_string).collect() }),
            device_traffic: None,
            mtu: None,
            keepalive_seconds: None,
            gateway_id: None,
        };
        self.post(&format!("/api/v1/organisations/{organisation}/networks"), &body)?.read()
    }

    /// Enrols a device of the caller whose key the server makes, so that its configuration is complete.
    ///
    /// # Errors
    /// When it is refused.
    pub fn enrol(&self, organisation: &str, network: &Network, name: &str) -> anyhow::Result<EnrolledDevice> {
        let body = EnrolDevice {
            name: name.into(),
            network_id: network.id,
            owner_id: None,
            key: DeviceKey::Server,
            preshared_key: true,
            expires_at: None,
        };
        self.post(&format!("/api/v1/organisations/{organisation}/devices"), &body)?.read()
    }

    /// A device as it is now.
    ///
    /// # Errors
    /// When there is none.
    pub fn device(&self, organisation: &str, device: &Device) -> anyhow::Result<Device> {
        self.get(&device_path(organisation, device))?.read()
    }

    /// Every device of an organisation, by pages.
    ///
    /// # Errors
    /// When the organisation is not the caller's.
    pub fn devices(&self, organisation: &str) -> anyhow::Result<Vec<Device>> {
        let (mut devices, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/organisations/{organisation}/devices?limit=200{cursor}");
            let page: Page<Device> = self.get(&path)?.read()?;
            devices.extend(page.items);
            match page.next_cursor {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(devices),
            }
        }
    }

    /// Revokes a device, whatever it is now.
    ///
    /// # Errors
    /// When it is refused.
    pub fn revoke(&self, organisation: &str, device: &Device) -> anyhow::Result<Device> {
        self.act(&format!("{}/revoke", device_path(organisation, device)), "*")?.read()
    }
}

/// Where a device stands in the API.
pub fn device_path(organisation: &str, device: &Device) -> String {
    format!("/api/v1/organisations/{organisation}/devices/{}", device.id)
}
