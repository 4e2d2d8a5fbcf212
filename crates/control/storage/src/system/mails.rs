//! Letters that were sent, refused, or kept to be looked at because there is no mail server.

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use warren_model::{
    MailId, OrganisationId, Timestamp,
    page::{Page, PageRequest},
};
use warren_schema::system::mail as table;

use crate::{
    Source, StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::{Undecodable, micros, moment},
};

/// The record of mail.
#[derive(Debug)]
pub struct Mails<'a, C> {
    pub(crate) on: &'a C,
}

/// One letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailRecord {
    pub id: MailId,
    pub at: Timestamp,
    pub recipient: String,
    pub subject: String,
    /// Which sort of letter.
    pub letter: String,
    pub state: MailState,
    pub error: Option<String>,
    /// HTML and plain text, only of a letter that was kept.
    pub content: Option<(String, String)>,
    pub organisation: Option<OrganisationId>,
}

/// What became of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailState {
    /// The mail server took it.
    Sent,
    /// The mail server will never take it.
    Refused,
    /// There is no mail server; it can be looked at.
    Kept,
}

impl MailState {
    const ALL: [Self; 3] = [Self::Sent, Self::Refused, Self::Kept];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Refused => "refused",
            Self::Kept => "kept",
        }
    }
}

impl<C: Source> Mails<'_, C> {
    /// A page of letters, the newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn page(&self, request: &PageRequest) -> Result<Page<MailRecord>, StorageError> {
        let mut query = table::Entity::find().order_by_desc(table::Column::Id).limit(u64::from(request.limit()) + 1);
        if let Some(after) = request.after() {
            query = query.filter(table::Column::Id.lt(after));
        }
        let rows = query.all(self.on.connection()).await.at(self.on)?;
        let mails = rows.into_iter().map(decode).collect::<Result<Vec<_>, Undecodable>>().at(self.on)?;
        Ok(Page::from_rows(request, mails, |mail| mail.id.uuid()))
    }

    /// The letter.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn by_id(&self, id: MailId) -> Result<Option<MailRecord>, StorageError> {
        let row = table::Entity::find_by_id(id.uuid()).one(self.on.connection()).await.at(self.on)?;
        row.map(decode).transpose().at(self.on)
    }
}

impl Mails<'_, Writer> {
    /// Adds a letter. Adding it again changes nothing.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn append(&self, mail: &MailRecord) -> Result<(), StorageError> {
        let (html, plain) = mail.content.clone().unzip();
        let row = table::Model {
            id: mail.id.uuid(),
            at: micros(mail.at),
            recipient: mail.recipient.chars().take(254).collect(),
            subject: mail.subject.chars().take(255).collect(),
            letter: mail.letter.clone(),
            state: mail.state.as_str().to_owned(),
            error: mail.error.clone(),
            html,
            plain,
            organisation_id: mail.organisation.map(OrganisationId::uuid),
        };
        table::Entity::insert(row.into_active_model())
            .on_conflict_do_nothing_on([table::Column::Id])
            .exec_without_returning(self.on.connection())
            .await
            .at(self.on)?;
        Ok(())
    }

    /// Forgets letters from before `moment`, and returns how many.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn forget_before(&self, moment: Timestamp) -> Result<u64, StorageError> {
        let old = table::Entity::delete_many().filter(table::Column::At.lt(micros(moment)));
        Ok(old.exec(self.on.connection()).await.at(self.on)?.rows_affected)
    }
}

fn decode(row: table::Model) -> Result<MailRecord, Undecodable> {
    let state = MailState::ALL.into_iter().find(|state| state.as_str() == row.state);
    Ok(MailRecord {
        id: MailId::from_uuid(row.id),
        at: moment(row.at, "at")?,
        recipient: row.recipient,
        subject: row.subject,
        letter: row.letter,
        state: state.ok_or(Undecodable { column: "state" })?,
        error: row.error,
        content: row.html.zip(row.plain),
        organisation: row.organisation_id.map(OrganisationId::from_uuid),
    })
}
