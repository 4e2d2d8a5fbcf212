//! The gateway's own folder: its credential, its number on this host, and its last desired state.

use std::{
    fs::OpenOptions,
    io,
    os::{fd::OwnedFd, unix::fs::OpenOptionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use warren_model::{Random, ambient::random_bytes};
use warren_runtime::{
    Secret,
    files::{FileError, ensure_private_dir, read_private, write_private},
};
use warren_tunnel::{SavedState, Whereabouts};

use crate::keeper::Instance;

/// Where a gateway keeps its things; mode 0700, its files 0600.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

/// Who this gateway is to its control plane.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub gateway: Uuid,
    pub name: String,
    pub secret: Secret<String>,
}

#[derive(Serialize, Deserialize)]
struct CredentialFile {
    gateway: Uuid,
    name: String,
    credential: String,
}

impl Folder {
    pub fn open(path: &Path) -> Result<Self, FileError> {
        ensure_private_dir(path)?;
        Ok(Self(path.to_owned()))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// None before the gateway was enrolled. A file that cannot be read as one counts as none.
    pub fn credential(&self) -> Result<Option<Credential>, FileError> {
        let Some(bytes) = read_private(&self.0.join("credential"))? else { return Ok(None) };
        let Ok(file) = serde_json::from_slice::<CredentialFile>(&bytes) else { return Ok(None) };
        let CredentialFile { gateway, name, credential } = file;
        Ok(Some(Credential { gateway, name, secret: Secret::new(credential) }))
    }

    pub fn keep_credential(&self, credential: &Credential) -> Result<(), FileError> {
        let file = CredentialFile {
            gateway: credential.gateway,
            name: credential.name.clone(),
            credential: credential.secret.expose().clone(),
        };
        write_private(&self.0.join("credential"), &serde_json::to_vec(&file).unwrap_or_default())
    }

    /// The file by whose lock a keeper waits for the one before it.
    pub fn keeper_lock(&self) -> io::Result<OwnedFd> {
        let path = self.0.join("keeper.lock");
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        Ok(file.into())
    }

    /// The same at each start, so that a start finds what the last one left.
    pub fn instance(&self, random: &dyn Random) -> Result<Instance, FileError> {
        let path = self.0.join("instance");
        let kept = read_private(&path)?.and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some(instance) = kept.and_then(|text| Instance::try_from(text.trim().to_owned()).ok()) {
            return Ok(instance);
        }
        let instance = Instance::new(random_bytes(random));
        write_private(&path, instance.to_string().as_bytes())?;
        Ok(instance)
    }

    /// What was wanted last; none at the first start. One that cannot be used is told and left aside, because the control
    /// plane sends everything again.
    pub fn state(&self) -> Result<Option<SavedState>, FileError> {
        let Some(bytes) = read_private(&self.0.join("state.json"))? else { return Ok(None) };
        match SavedState::decode(&bytes) {
            Ok(state) => Ok(Some(state)),
            Err(error) => {
                tracing::error!(%error, "the last desired state cannot be used; waiting for the control plane");
                Ok(None)
            }
        }
    }

    /// Blocks until it is on the disk.
    pub fn keep_state(&self, state: &SavedState) -> Result<(), FileError> {
        match state.encode() {
            Ok(bytes) => write_private(&self.0.join("state.json"), &bytes),
            Err(error) => {
                tracing::error!(%error, "the desired state has no written form");
                Ok(())
            }
        }
    }

    /// Where devices were last; of nobody when it was not kept.
    pub fn whereabouts(&self) -> Result<Whereabouts, FileError> {
        let bytes = read_private(&self.0.join("whereabouts.json"))?;
        Ok(bytes.map(|bytes| Whereabouts::decode(&bytes)).unwrap_or_default())
    }

    /// Blocks until it is on the disk.
    pub fn keep_whereabouts(&self, whereabouts: &Whereabouts) -> Result<(), FileError> {
        write_private(&self.0.join("whereabouts.json"), &whereabouts.encode())
    }
}
