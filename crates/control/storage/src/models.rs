//! The registry of models: each with a name and the tables behind it, looked for when a database is opened.

use std::sync::Arc;

use sea_orm::{DbBackend, Statement};

use crate::{
    Place, StorageError,
    engine::{Answer as _, Connection, Fault},
};

/// One model of a database, as [`crate::SystemModels`] or [`crate::TenantModels`] hands it out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Model {
    pub name: &'static str,
    /// Statements that read no row, and fail when a table or a column is missing.
    pub probes: fn(DbBackend) -> Vec<Statement>,
    /// The tables behind it, so that a move takes each of them along.
    pub tables: fn() -> Vec<crate::moving::Table>,
}

/// Makes sure that everything which `models` need is there.
///
/// # Errors
/// [`StorageError::ModelMissing`] with the model's name.
pub(crate) async fn check(connection: &mut Connection, models: &[Model], place: &Place) -> Result<(), StorageError> {
    let backend = connection.engine().backend();
    // All of them in one go; which one failed is found out only when one did.
    let all: Vec<String> = models.iter().flat_map(|model| (model.probes)(backend)).map(|s| s.to_string()).collect();
    if connection.run(&all.join("; ")).await.is_ok() {
        return Ok(());
    }
    for model in models {
        for probe in (model.probes)(backend) {
            match Vec::ask(connection, probe).await {
                Ok(_) => {}
                Err(error) => match Fault::of(&error) {
                    Fault::Missing(detail) => {
                        return Err(StorageError::ModelMissing { place: place.clone(), model: model.name, detail });
                    }
                    _ => return Err(StorageError::from_driver(&Arc::new(error), place)),
                },
            }
        }
    }
    Ok(())
}

/// The probe of one entity: all its columns, of no row.
pub(crate) fn probe<E: sea_orm::EntityTrait>(_: E, backend: DbBackend) -> Statement {
    use sea_orm::{
        QueryFilter, QueryTrait,
        sea_query::{Expr, ExprTrait},
    };
    E::find().filter(Expr::val(1).eq(0)).build(backend)
}

/// Declares the models of a database: for each the method that hands it out, over a reader and in a transaction, and an entry
/// of the registry.
macro_rules! models {
    ($models:ident, $transaction:ident, $($(#[$doc:meta])* $name:ident: $repository:ident [$($entity:path),+]),+ $(,)?) => {
        impl $models {
            /// Every model that is handed out.
            pub(crate) const REGISTRY: &'static [crate::models::Model] = &[
                $(crate::models::Model {
                    name: stringify!($name),
                    probes: |backend| vec![$(crate::models::probe($entity, backend)),+],
                    tables: || vec![$(crate::moving::Table::of($entity)),+],
                }),+
            ];
            $($(#[$doc])* pub const fn $name(&self) -> $repository<'_, crate::Reader> { $repository { on: &self.reader } })+
        }
        impl $transaction {
            $($(#[$doc])* pub const fn $name(&self) -> $repository<'_, crate::Writer> { $repository { on: &self.writer } })+
        }
    };
}
pub(crate) use models;
