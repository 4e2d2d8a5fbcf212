//! The scripts that Redis runs, and the reading of what they answer.

use redis::{Script, Value};

macro_rules! script {
    ($name:literal) => {
        Script::new(concat!(include_str!("scripts/begin.lua"), "\n", include_str!(concat!("scripts/", $name, ".lua"))))
    };
}

/// All of them.
#[derive(Debug)]
pub(super) struct Scripts {
    pub join: Script,
    pub sync: Script,
    pub publish: Script,
    pub ask: Script,
    pub fill: Script,
}

impl Scripts {
    pub fn new() -> Self {
        Self {
            join: script!("join"),
            sync: script!("sync"),
            publish: script!("publish"),
            ask: script!("ask"),
            fill: script!("fill"),
        }
    }
}

/// What a script answered: a word, and what belongs to it.
#[derive(Debug)]
pub(super) struct Answer {
    pub word: String,
    rest: std::vec::IntoIter<Value>,
}

/// An answer that no script of this version gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

impl Answer {
    pub fn of(values: Vec<Value>) -> Result<Self, Unreadable> {
        let mut rest = values.into_iter();
        let word = rest.next().and_then(text).ok_or(Unreadable)?;
        Ok(Self { word, rest })
    }
    pub fn number(&mut self) -> Result<u64, Unreadable> {
        self.rest.next().and_then(number).ok_or(Unreadable)
    }
    pub fn text(&mut self) -> Result<String, Unreadable> {
        self.rest.next().and_then(text).ok_or(Unreadable)
    }
    pub fn bytes(&mut self) -> Result<Vec<u8>, Unreadable> {
        match self.rest.next() {
            Some(Value::BulkString(bytes)) => Ok(bytes),
            _ => Err(Unreadable),
        }
    }
    /// Answers in this one.
    pub fn list(&mut self) -> Result<Vec<Self>, Unreadable> {
        let Some(Value::Array(values)) = self.rest.next() else { return Err(Unreadable) };
        let answers = values.into_iter().map(|value| match value {
            Value::Array(values) => Self::of(values),
            _ => Err(Unreadable),
        });
        answers.collect()
    }
    pub fn is_over(&self) -> bool {
        self.rest.len() == 0
    }
}

fn number(value: Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(number).ok(),
        _ => None,
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}
