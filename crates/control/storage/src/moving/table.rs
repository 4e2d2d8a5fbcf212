//! A table as its entity describes it, so that rows of any table are read and written alike on every engine.

use sea_orm::{
    ColumnTrait, ColumnType, DbErr, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn, QueryResult, Value,
};
use uuid::Uuid;

/// The name, the columns and the primary key of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub name: String,
    pub columns: Vec<Column>,
    /// Positions of the primary key's columns among all, in the key's own order.
    pub key: Vec<usize>,
}

/// A column, and what its values are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub name: String,
    pub shape: Shape,
}

/// What the values of a column are, on every engine. Each may be null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Uuid,
    Text,
    Bytes,
    /// 64 bits.
    Long,
    /// 32 bits.
    Int,
    /// 16 bits.
    Short,
    Flag,
}

/// The values of one row, in the order of the table's columns.
pub(super) type Row = Vec<Value>;

impl Table {
    /// The table behind an entity.
    ///
    /// # Panics
    /// When a column is of a type that [`Shape`] does not have: the tests look at every table of every registry.
    pub fn of<E: EntityTrait>(entity: E) -> Self {
        let columns: Vec<Column> = E::Column::iter()
            .map(|column| {
                let (name, kind) = (column.as_str().to_owned(), column.def().get_column_type().clone());
                let shape = Shape::of(&kind);
                Column { shape: shape.unwrap_or_else(|| panic!("give Shape what {name} is: {kind:?}")), name }
            })
            .collect();
        let key = E::PrimaryKey::iter()
            .filter_map(|key| columns.iter().position(|column| column.name == key.into_column().as_str()))
            .collect();
        Self { name: entity.table_name().to_owned(), columns, key }
    }

    /// The values of a row that was selected with all columns.
    pub fn read(&self, row: &QueryResult) -> Result<Row, DbErr> {
        self.columns.iter().enumerate().map(|(at, column)| column.shape.read(row, at)).collect()
    }

    /// The values of the primary key.
    pub fn key_of(&self, row: &Row) -> Row {
        self.key.iter().map(|at| row[*at].clone()).collect()
    }

    /// The primary key of `row` for people, as `id 0192…`.
    pub fn named(&self, row: &Row) -> String {
        let part = |at: &usize| match &row[*at] {
            Value::String(Some(text)) => format!("{} {text:?}", self.columns[*at].name),
            Value::Uuid(Some(id)) => format!("{} {id}", self.columns[*at].name),
            Value::Int(Some(number)) => format!("{} {number}", self.columns[*at].name),
            other => format!("{} {other:?}", self.columns[*at].name),
        };
        self.key.iter().map(part).collect::<Vec<_>>().join(", ")
    }
}

impl Shape {
    fn of(kind: &ColumnType) -> Option<Self> {
        Some(match kind {
            ColumnType::Uuid => Self::Uuid,
            ColumnType::String(_) | ColumnType::Text | ColumnType::Char(_) => Self::Text,
            ColumnType::Binary(_) | ColumnType::VarBinary(_) | ColumnType::Blob => Self::Bytes,
            ColumnType::BigInteger => Self::Long,
            ColumnType::Integer => Self::Int,
            ColumnType::SmallInteger => Self::Short,
            ColumnType::Boolean => Self::Flag,
            _ => return None,
        })
    }

    fn read(self, row: &QueryResult, at: usize) -> Result<Value, DbErr> {
        Ok(match self {
            Self::Uuid => row.try_get_by_index::<Option<Uuid>>(at)?.into(),
            Self::Text => row.try_get_by_index::<Option<String>>(at)?.into(),
            Self::Bytes => row.try_get_by_index::<Option<Vec<u8>>>(at)?.into(),
            Self::Long => row.try_get_by_index::<Option<i64>>(at)?.into(),
            Self::Int => row.try_get_by_index::<Option<i32>>(at)?.into(),
            Self::Short => row.try_get_by_index::<Option<i16>>(at)?.into(),
            Self::Flag => row.try_get_by_index::<Option<bool>>(at)?.into(),
        })
    }
}

/// About how many bytes the row takes on its way.
pub(super) fn size_bytes(row: &Row) -> usize {
    let of = |value: &Value| match value {
        Value::String(Some(text)) => text.len(),
        Value::Bytes(Some(bytes)) => bytes.len(),
        _ => 0,
    };
    row.iter().map(|value| 16 + of(value)).sum()
}
