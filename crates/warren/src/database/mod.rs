//! Where an installation's databases stand: SQLite files in the data folder, or databases of a server.

mod options;

pub use options::DatabaseOptions;
