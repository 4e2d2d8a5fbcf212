//! `warren devices enrol`: a new device, its key pair, and its configuration as text, file or QR code.

use std::{
    fs::{File, OpenOptions},
    io::{IsTerminal, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

use clap::Args;
use warren_model::PrivateKey;
use warren_runtime::{SystemClock, SystemRandom};
use warren_wire::rest::v1::{DeviceKey, EnrolDevice, EnrolledDevice, Network, Person};

use super::key::KeyPair;
use crate::{
    Failure,
    manage::{
        console::{Console, Output, print},
        lookup,
        moment::Moment,
        qr,
    },
};

/// A new device.
#[derive(Debug, Args)]
pub struct Enrol {
    /// What to call it.
    name: String,
    /// The network to join: a name or an identifier; needed only where there are several.
    #[arg(long)]
    network: Option<String>,
    /// Whose it is: a name, an e-mail address or an identifier; needed only where there are several people.
    #[arg(long)]
    owner: Option<String>,
    /// The device's own public key; its private key stays there.
    #[arg(long, value_name = "KEY", conflicts_with = "server_key")]
    public_key: Option<String>,
    /// Let the server make the key pair, show it once and forget it.
    #[arg(long)]
    server_key: bool,
    /// Mix in a pre-shared key as well.
    #[arg(long)]
    preshared_key: bool,
    /// When it expires: `never`, a date as 2027-01-31, or a span as 12h or 30d.
    #[arg(long, value_name = "WHEN", default_value = "never")]
    expires: Moment,
    /// Write the configuration to this new file, readable by its owner only.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Draw the configuration as a QR code for the phone.
    #[arg(long, conflicts_with_all = ["public_key", "json"])]
    qr: bool,
}

impl Enrol {
    /// Enrols it and hands its configuration over.
    pub async fn run(self, console: &Console, organisation: &str) -> Result<(), Failure> {
        let here = self.key_pair();
        if here.is_some() && console.output() == Output::Json && self.output.is_none() {
            return Err(Failure::Usage(
                "--json prints the API's answer, which does not hold the private key that is made here; add --output \
                 FILE, --server-key or --public-key KEY"
                    .into(),
            ));
        }
        let body = self.body(console, organisation, here.as_ref()).await?;
        // Before the device exists, so that a file that cannot be written costs nothing.
        let file = self.output.map(PrivateFile::create).transpose()?;
        let answer = match console.client.post(&format!("{organisation}/devices"), &body).await {
            Ok(answer) => answer,
            Err(failure) => {
                file.into_iter().for_each(PrivateFile::discard);
                return Err(failure);
            }
        };
        let enrolled: EnrolledDevice = answer.read()?;
        let text = complete(&enrolled, here.as_ref().map(|pair| &pair.private));
        let drawing = self.qr.then(|| qr::draw(&text, ground())).flatten();
        if let (true, None) = (self.qr, &drawing) {
            console.done("The configuration is too long for a QR code; here it is as text:")?;
        }
        let to_file = file.is_some();
        if let Some(file) = file {
            file.write(&text)?;
        }
        match (console.output(), drawing) {
            (Output::Json, _) => console.show(&answer, |_: EnrolledDevice| ""),
            (Output::Human, Some(drawing)) => print(drawing),
            (Output::Human, None) if to_file => {
                print(format_args!("Enrolled {}; import the file in its WireGuard app.", enrolled.device.name))
            }
            (Output::Human, None) => print(text),
        }
    }

    fn key_pair(&self) -> Option<KeyPair> {
        (self.public_key.is_none() && !self.server_key).then(|| KeyPair::generate(&SystemRandom))
    }

    async fn body(
        &self,
        console: &Console,
        organisation: &str,
        here: Option<&KeyPair>,
    ) -> Result<EnrolDevice, Failure> {
        let (networks, people) = (format!("{organisation}/networks"), format!("{organisation}/people"));
        let network_id = match &self.network {
            Some(given) => lookup::find::<Network>(console, &networks, &[], given).await?,
            None => lookup::only::<Network>(console, &networks, "--network").await?,
        };
        let owner_id = match &self.owner {
            Some(given) => lookup::find::<Person>(console, &people, &[], given).await?,
            None => lookup::only::<Person>(console, &people, "--owner").await?,
        };
        let key = match (here, &self.public_key) {
            (Some(pair), _) => DeviceKey::Device { public_key: pair.public.clone() },
            (None, Some(key)) => DeviceKey::Device { public_key: key.clone() },
            (None, None) => DeviceKey::Server,
        };
        Ok(EnrolDevice {
            name: self.name.clone(),
            network_id,
            owner_id: Some(owner_id),
            key,
            preshared_key: self.preshared_key,
            expires_at: self.expires.resolve(&SystemClock),
        })
    }
}

/// The configuration with the private key in its place, where that is known here.
fn complete(enrolled: &EnrolledDevice, private: Option<&PrivateKey>) -> String {
    let configuration = &enrolled.configuration;
    match (private, &configuration.private_key_placeholder) {
        (Some(key), Some(placeholder)) => configuration.text.replacen(placeholder, &key.expose_base64(), 1),
        _ => configuration.text.clone(),
    }
}

fn ground() -> qr::Ground {
    if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) {
        qr::Ground::Coloured
    } else {
        qr::Ground::Plain
    }
}

/// A file for a secret, made before the secret is: never over another file, readable by its owner only.
#[derive(Debug)]
pub struct PrivateFile {
    path: PathBuf,
    file: File,
}

impl PrivateFile {
    /// Makes the file.
    pub fn create(path: PathBuf) -> Result<Self, Failure> {
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(source) => Err(Failure::Io { doing: "create", path, source }),
        }
    }
    /// Fills it. When that fails, the secret goes to standard output: it exists nowhere else.
    pub fn write(mut self, text: &str) -> Result<(), Failure> {
        match self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_all()) {
            Ok(()) => Ok(()),
            Err(source) => {
                print(text)?;
                Err(Failure::Io {
                    doing: "write the configuration, which is printed instead, to",
                    path: self.path,
                    source,
                })
            }
        }
    }
    /// Removes it, unused.
    fn discard(self) {
        // An empty file that stays behind does no harm.
        let _ = std::fs::remove_file(&self.path);
    }
}
