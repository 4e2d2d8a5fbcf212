//! Permissions, and the proof that one was held.
//!
//! A function that changes or reveals something asks for an [`Authorized<P>`]; only [`Subject`]'s checks make one. The proof
//! also carries who acted and in which organisation, which is what the audit trail needs.

use warren_model::{AccountId, OrganisationId, Role, audit::Actor};

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A signed-in person.
    Account { id: AccountId, name: String, reach: Reach },
    /// Somebody with a shell on the server's own host, through the admin socket.
    LocalOperator { user: String },
    /// Somebody without an account yet, holding a one-time link.
    LinkHolder,
    /// Warren's own work.
    System,
}

/// How far a signed-in person reaches beyond their own organisations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Only where they are a member or an admin.
    OwnOrganisations,
    /// An operator: the installation and every organisation in it.
    Installation,
}

/// A subject inside one organisation, with the role held there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insider {
    subject: Subject,
    organisation: OrganisationId,
    role: Role,
}

/// Why a check failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The thing must look as if it did not exist.
    #[error("there is no such organisation")]
    Invisible,
    /// The subject sees the thing but may not do this.
    #[error("this takes a right that you do not hold")]
    Forbidden,
}

/// Something that can be allowed inside an organisation.
pub trait Permission {
    /// Whether `insider` holds it.
    fn held_by(&self, insider: &Insider) -> bool;
}

/// To see the organisation, its networks and oneself. Everybody inside.
#[derive(Debug, Clone, Copy)]
pub struct Enter;
/// To see all people, devices and the audit trail. Admins.
#[derive(Debug, Clone, Copy)]
pub struct Oversee;
/// To invite, change and remove people. Admins.
#[derive(Debug, Clone, Copy)]
pub struct ManagePeople;
/// To create, change and remove networks, and to rename the organisation. Admins.
#[derive(Debug, Clone, Copy)]
pub struct ManageNetworks;
/// To create, change and remove webhooks, and to see what was sent to them. Admins.
#[derive(Debug, Clone, Copy)]
pub struct ManageWebhooks;
/// To see, enrol, change and revoke devices of `owner`. Admins, and the owner.
#[derive(Debug, Clone, Copy)]
pub struct ManageDevicesOf {
    pub owner: AccountId,
}
/// To create organisations, and manage gateways and the installation. Operators; not bound to an organisation.
#[derive(Debug, Clone, Copy)]
pub struct Operate;

impl Permission for Enter {
    fn held_by(&self, _: &Insider) -> bool {
        true
    }
}
impl Permission for Oversee {
    fn held_by(&self, insider: &Insider) -> bool {
        insider.role == Role::Admin
    }
}
impl Permission for ManagePeople {
    fn held_by(&self, insider: &Insider) -> bool {
        insider.role == Role::Admin
    }
}
impl Permission for ManageNetworks {
    fn held_by(&self, insider: &Insider) -> bool {
        insider.role == Role::Admin
    }
}
impl Permission for ManageWebhooks {
    fn held_by(&self, insider: &Insider) -> bool {
        insider.role == Role::Admin
    }
}
impl Permission for ManageDevicesOf {
    fn held_by(&self, insider: &Insider) -> bool {
        insider.role == Role::Admin || insider.account() == Some(self.owner)
    }
}

/// The proof that `P` was held. There is no other way to one than a check in this module.
#[derive(Debug, Clone)]
pub struct Authorized<P> {
    actor: Actor,
    organisation: Option<OrganisationId>,
    permission: P,
}

impl<P> Authorized<P> {
    /// Who was allowed.
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }
    /// Where; none for the installation as a whole.
    pub const fn organisation(&self) -> Option<OrganisationId> {
        self.organisation
    }
    /// What was allowed.
    pub const fn permission(&self) -> &P {
        &self.permission
    }
}

impl<P: Permission> Authorized<P> {
    /// For Warren's own work inside an organisation, such as carrying out what was decided before.
    pub const fn for_system(organisation: OrganisationId, permission: P) -> Self {
        Self { actor: Actor::System, organisation: Some(organisation), permission }
    }
}

impl Authorized<Operate> {
    /// For Warren's own work on the installation.
    pub const fn for_installation() -> Self {
        Self { actor: Actor::System, organisation: None, permission: Operate }
    }
}

impl Subject {
    /// The signed-in account, if this is one.
    pub const fn account(&self) -> Option<AccountId> {
        match self {
            Self::Account { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// How the audit trail names this subject.
    pub fn actor(&self) -> Actor {
        match self {
            Self::Account { id, name, .. } => Actor::Account { id: *id, name: name.clone() },
            Self::LocalOperator { user } => Actor::LocalOperator { user: user.clone() },
            Self::LinkHolder => Actor::LinkHolder,
            Self::System => Actor::System,
        }
    }

    /// Whether the subject operates the installation.
    pub const fn is_operator(&self) -> bool {
        matches!(self, Self::Account { reach: Reach::Installation, .. } | Self::LocalOperator { .. } | Self::System)
    }

    /// Steps into `organisation`, in which the subject's account holds `membership`. Operators count as admins everywhere.
    ///
    /// # Errors
    /// [`Refused::Invisible`] for everybody who does not belong there.
    pub fn enter(&self, organisation: OrganisationId, membership: Option<Role>) -> Result<Insider, Refused> {
        let role = if self.is_operator() { Some(Role::Admin) } else { membership };
        let role = role.ok_or(Refused::Invisible)?;
        Ok(Insider { subject: self.clone(), organisation, role })
    }

    /// The proof that the subject operates the installation.
    ///
    /// # Errors
    /// [`Refused::Forbidden`]
    pub fn operate(&self) -> Result<Authorized<Operate>, Refused> {
        if !self.is_operator() {
            return Err(Refused::Forbidden);
        }
        Ok(Authorized { actor: self.actor(), organisation: None, permission: Operate })
    }
}

impl Insider {
    /// The organisation that was entered.
    pub const fn organisation(&self) -> OrganisationId {
        self.organisation
    }
    /// The role held there.
    pub const fn role(&self) -> Role {
        self.role
    }
    /// The signed-in account, if there is one.
    pub const fn account(&self) -> Option<AccountId> {
        self.subject.account()
    }
    /// The proof that `permission` is held.
    ///
    /// # Errors
    /// [`Refused::Forbidden`]
    pub fn authorise<P: Permission>(&self, permission: P) -> Result<Authorized<P>, Refused> {
        if !permission.held_by(self) {
            return Err(Refused::Forbidden);
        }
        Ok(Authorized { actor: self.subject.actor(), organisation: Some(self.organisation), permission })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const HERE: OrganisationId = OrganisationId::from_uuid(Uuid::from_u128(1));
    const ANNA: AccountId = AccountId::from_uuid(Uuid::from_u128(10));
    const BEN: AccountId = AccountId::from_uuid(Uuid::from_u128(11));

    fn account(id: AccountId, reach: Reach) -> Subject {
        Subject::Account { id, name: "Someone".into(), reach }
    }

    #[test]
    fn a_stranger_does_not_see_the_organisation() {
        let stranger = account(ANNA, Reach::OwnOrganisations);
        assert_eq!(stranger.enter(HERE, None), Err(Refused::Invisible));
        assert_eq!(Subject::LinkHolder.enter(HERE, None), Err(Refused::Invisible));
    }

    #[test]
    fn a_member_manages_only_devices_of_their_own() {
        let member = account(ANNA, Reach::OwnOrganisations).enter(HERE, Some(Role::Member)).unwrap();
        assert!(member.authorise(ManageDevicesOf { owner: ANNA }).is_ok());
        assert_eq!(member.authorise(ManageDevicesOf { owner: BEN }).unwrap_err(), Refused::Forbidden);
        assert_eq!(member.authorise(ManageNetworks).unwrap_err(), Refused::Forbidden);
        assert_eq!(member.authorise(Oversee).unwrap_err(), Refused::Forbidden);
    }

    #[test]
    fn an_admin_does_not_operate_the_installation() {
        let admin = account(ANNA, Reach::OwnOrganisations);
        assert!(admin.enter(HERE, Some(Role::Admin)).unwrap().authorise(ManagePeople).is_ok());
        assert_eq!(admin.operate().unwrap_err(), Refused::Forbidden);
    }

    #[test]
    fn an_operator_counts_as_admin_everywhere() {
        for operator in [account(ANNA, Reach::Installation), Subject::LocalOperator { user: "root".into() }] {
            let proof = operator.enter(HERE, None).unwrap().authorise(ManageDevicesOf { owner: BEN }).unwrap();
            assert_eq!(proof.organisation(), Some(HERE));
            assert!(operator.operate().is_ok());
        }
    }
}
