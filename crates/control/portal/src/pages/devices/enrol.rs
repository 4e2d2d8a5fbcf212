//! `/o/{organisation}/devices/new`: a new device, its key made here, on the server or elsewhere.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;
use warren_app::{
    AppError, Inside,
    devices::{self, Enrol, Enrolled},
    networks, people,
};
use warren_model::{
    AccountId, Invalid, NetworkId, Role, Timestamp, configuration::PRIVATE_KEY_PLACEHOLDER, page::PageRequest,
    person::MembershipStanding,
};
use warren_wire::rest::v1;

use super::{
    super::{
        form::{Refusal, Submitted, Values, both},
        markup::{self, Markup},
        page::Page,
        reader::Reader,
        shown, shown_as,
        views::{Choice, Network},
    },
    end_of_day,
};
use crate::{conversions::devices as convert, fields::Fields, path::Slug, problem::Rejection};

#[derive(Template)]
#[template(path = "devices/new.html")]
struct New {
    page: Page,
    refusal: Refusal,
    values: Values,
    networks: Vec<Choice>,
    people: Vec<Choice>,
    /// Whether the rarely needed part is open.
    unfolded: bool,
    /// The empty form of what enrolment in the browser fills in.
    made: Made,
    /// Not known before the device is enrolled.
    network: Option<Network>,
}

#[derive(Template)]
#[template(path = "devices/made.html")]
struct Shown {
    page: Page,
    made: Made,
    network: Option<Network>,
}

/// A device that was just enrolled.
#[derive(Default)]
struct Made {
    id: String,
    name: String,
    text: String,
    file_name: String,
    /// The address of the file itself (RFC 2397), so that saving it takes no second request.
    download: String,
    qr: Option<Markup>,
    /// Whether the private key is in it.
    complete: bool,
    placeholder: &'static str,
}

impl Made {
    fn in_browser() -> Self {
        Self { complete: true, ..Self::default() }
    }
    fn of(enrolled: Enrolled) -> Self {
        let (view, file) = (enrolled.view, enrolled.configuration);
        Self {
            id: view.device.id.to_string(),
            name: view.device.name.to_string(),
            download: format!("data:text/plain;base64,{}", STANDARD.encode(&file.text)),
            qr: if file.holds_private_key { markup::qr(&file.text) } else { None },
            complete: file.holds_private_key,
            file_name: file.file_name,
            text: file.text,
            placeholder: PRIVATE_KEY_PLACEHOLDER,
        }
    }
}

pub(super) async fn show(reader: Reader, Slug(slug): Slug) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let owner = reader.session.account.id.to_string();
    let values = Values::default().once(reader.app.random()).with("owner_id", owner);
    let form = form(&reader, &inside, values, Refusal::default()).await?;
    if form.networks.is_empty() {
        // There is nothing to enrol into; the list of devices says what to do first.
        return Ok(Redirect::to(&format!("/o/{slug}/devices")).into_response());
    }
    shown(&form)
}

pub(super) async fn submit(reader: Reader, Slug(slug): Slug, sent: Submitted) -> Result<Response, Rejection> {
    let cx = reader.creating(sent.idempotency);
    let inside = cx.enter(&slug).await?;
    let outcome = match read(&sent.values) {
        Ok(input) => devices::enrol(&inside, input).await,
        Err(error) => Err(error),
    };
    match outcome {
        // Shown at once: what is secret in it is kept nowhere to be shown later.
        Ok(enrolled) => {
            let network = Network::from(&networks::show(&inside, enrolled.view.device.network).await?);
            let page = reader.page(&inside, "devices").await?;
            shown(&Shown { page, made: Made::of(enrolled), network: Some(network) })
        }
        Err(error) => {
            let mut refusal = Refusal::of(error.into(), &reader.facts.locale)?;
            refusal.say("key", &reader.facts.locale.text("key-browser-script", &[]));
            let form = form(&reader, &inside, sent.values, refusal).await?;
            shown_as(form.refusal.status(), &form)
        }
    }
}

async fn form(reader: &Reader, inside: &Inside<'_>, values: Values, refusal: Refusal) -> Result<New, Rejection> {
    let networks = networks::page(inside, &PageRequest::first_of_most()).await?.items;
    let people = match inside.insider.role() {
        Role::Admin => people::page(inside, &PageRequest::first_of_most()).await?.items,
        Role::Member => Vec::new(),
    };
    let networks = networks.iter().map(|view| (view.network.id.to_string(), view.network.settings.name.to_string()));
    let joined = people.iter().filter(|person| person.standing == MembershipStanding::Joined);
    let people = joined.map(|person| (person.account.to_string(), person.name.to_string()));
    let own = reader.session.account.id.to_string();
    Ok(New {
        page: reader.page(inside, "devices").await?,
        networks: Choice::list(networks, values.get("network_id")),
        people: Choice::list(people, values.get("owner_id")),
        unfolded: refusal.is_some()
            && (!values.get("expires_at").is_empty()
                || !values.get("preshared_key").is_empty()
                || !["", own.as_str()].contains(&values.get("owner_id"))),
        refusal,
        values,
        made: Made::in_browser(),
        network: None,
    })
}

/// Reads the form through the same reading as the API, with everything that is wrong.
fn read(values: &Values) -> Result<Enrol, AppError> {
    let mut fields = Fields::default();
    let network = fields.read("network_id", values.get("network_id").parse::<NetworkId>());
    let owner = fields.read_optional("owner_id", values.present("owner_id").map(|id| id.parse::<AccountId>()));
    let expires_at = fields.read_optional("expires_at", values.present("expires_at").map(|text| read_day(&text)));
    let key = match values.get("key") {
        "server" => Ok(v1::DeviceKey::Server),
        "own" => Ok(v1::DeviceKey::Device { public_key: values.get("key.public_key").to_owned() }),
        // Keys of the browser's own making come by the API; a form that says so was sent without its script.
        _ => Err(Invalid::Unknown { known: "server, own" }),
    };
    let key = fields.read("key", key);
    let rest = v1::EnrolDevice {
        name: values.get("name").to_owned(),
        network_id: network.map_or(Uuid::nil(), NetworkId::uuid),
        owner_id: owner.flatten().map(AccountId::uuid),
        key: key.unwrap_or(v1::DeviceKey::Server),
        preshared_key: !values.get("preshared_key").is_empty(),
        expires_at: expires_at.flatten(),
    };
    let mine = if fields.errors().is_empty() { Ok(()) } else { Err(fields.refuse()) };
    both(mine, convert::read_enrol(rest)).map(|(_, input)| input)
}

fn read_day(text: &str) -> Result<Timestamp, Invalid> {
    end_of_day(text).ok_or(Invalid::Unknown { known: "2027-01-31" })
}

/// An expiry as the API's change of a device reads it.
pub(super) fn expiry_text(day: Option<&str>) -> String {
    let moment =
        day.map(|day| end_of_day(day).and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_else(|| day.to_owned()));
    moment.unwrap_or_else(|| "never".to_owned())
}
