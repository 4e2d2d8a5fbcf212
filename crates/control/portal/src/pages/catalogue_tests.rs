//! The catalogues against each other, against the code, and against the templates.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use warren_app::{AppError, Contradiction, Thing};
use warren_model::{JobPriority, Queue, audit::Action};

use super::{form::label_key, job};
use crate::{locale::Locale, problem};

type Catalogue = BTreeMap<String, BTreeSet<String>>;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|extension| extension == ending) {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

/// Each key with the arguments that its text speaks of. A key that stands twice in one language fails.
fn catalogue(locale: Locale) -> Catalogue {
    let mut keys = Catalogue::new();
    for (path, text) in files(&root().join("locales").join(locale.tag()), "ftl") {
        let mut current = String::new();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            let is_continued = line.starts_with([' ', '}']);
            if !is_continued {
                let (key, _) =
                    line.split_once(" = ").unwrap_or_else(|| panic!("{}: {line:?} is no message", path.display()));
                current = key.to_owned();
                assert!(
                    keys.insert(current.clone(), BTreeSet::new()).is_none(),
                    "{key} stands twice in {}",
                    locale.tag()
                );
            }
            let arguments = line.split('$').skip(1).map(|rest| {
                rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').next().unwrap().to_owned()
            });
            keys.get_mut(&current).expect("a message comes first").extend(arguments);
        }
    }
    keys
}

/// The keys that are named in full: in templates and in the portal's own code, tests left out.
fn named_keys() -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    let mut texts = files(&root().join("templates"), "html");
    texts.extend(files(&root().join("src"), "rs"));
    for (_, text) in texts.iter().filter(|(path, _)| !path.ends_with("catalogue_tests.rs")) {
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        // Every literal that could be a key; which of them are keys the catalogue decides below.
        let literals = code.split('"');
        named.extend(literals.filter(|literal| is_key(literal)).map(str::to_owned));
    }
    named
}

/// The keys that a template or the code asks for in so many words; these must exist.
fn asked_keys() -> Vec<(String, PathBuf)> {
    let mut asked = Vec::new();
    let mut texts = files(&root().join("templates"), "html");
    texts.extend(files(&root().join("src"), "rs"));
    for (path, text) in texts.into_iter().filter(|(path, _)| !path.ends_with("catalogue_tests.rs")) {
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for opening in [".text(\"", ".text_with(\"", ".count(\""] {
            asked.extend(
                code.split(opening).skip(1).map(|rest| (rest.split('"').next().unwrap().to_owned(), path.clone())),
            );
        }
        // The macros of forms take a label and a hint.
        for opening in ["form::text(", "form::lines(", "form::password("] {
            for rest in code.split(opening).skip(1) {
                let arguments: Vec<&str> = rest.split('"').skip(1).step_by(2).take(3).collect();
                asked.extend(
                    arguments[1..].iter().filter(|key| !key.is_empty()).map(|key| ((*key).to_owned(), path.clone())),
                );
            }
        }
    }
    asked
}

fn is_key(literal: &str) -> bool {
    !literal.is_empty() && literal.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// The keys that are put together while running.
fn families() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let mut family =
        |family: &str, members: &[&str]| keys.extend(members.iter().map(|member| format!("{family}-{member}")));
    family("state", &["active", "disabled", "expired", "revoked"]);
    family("organisation-state", &["active", "suspended"]);
    family("gateway-state", &["online", "offline", "pending", "faulty"]);
    for trouble in ["trouble", "trouble-means", "trouble-do"] {
        family(trouble, &["offline", "pending", "faulty"]);
    }
    family("role", &["member", "admin"]);
    family("standing", &["invited", "joined"]);
    family("backend", &["userspace", "kernel"]);
    family("tunnel", &["split", "full"]);
    family("webhook-standing", &["enabled", "disabled", "given-up"]);
    family("delivery-state", &["pending", "delivered", "failed"]);
    family("database-state", &["fine", "waiting", "running-out"]);
    family("database-sign", &["line", "long-waits", "refusals"]);
    family("database-kind", &["system", "tenant"]);
    family("database-work", &["system", "tenant"]);
    family("database-role", &["write", "read", "both"]);
    family("database-suspicion", &["statement", "idle-in-hand", "transaction"]);
    family("database-end", &["committed", "failed", "timed-out", "dropped", "given-up", "unknown"]);
    family("database-retry", &["deadlock", "serialisation", "busy", "disconnected"]);
    family("database-engine", &["sqlite", "mariadb", "postgresql"]);
    family("records-files", &["upload", "outcome", "export", "report"]);
    family("records-job", &["import", "other"]);
    family("import-end", &["planned", "done", "nothing-done", "stopped", "unusable"]);
    family("import-end-means", &["planned", "done", "nothing-done", "stopped", "unusable"]);
    family("queue", &Queue::ALL.iter().map(|queue| queue.as_str()).collect::<Vec<_>>());
    family("job-state", &job::STATES.map(|(state, _)| state));
    family("job-priority", &JobPriority::ALL.iter().map(|priority| priority.as_str()).collect::<Vec<_>>());
    family("mail-state", &["sent", "refused", "kept"]);
    family("breaker", &["closed", "open", "half-open", "forced-open", "forced-closed"]);
    family("calls", &["left-alone", "called", "released"]);
    family("task-state", &["running", "waiting"]);
    for force in ["force-open", "force-closed", "force-release"] {
        family(force, &["question", "consequence"]);
    }
    family("device-traffic", &["allowed", "blocked"]);
    let codes = AppError::CODES.iter().chain(problem::CODES);
    keys.extend(codes.clone().map(|code| format!("{code}-title")));
    // The detail of a conflict is the sentence of its contradiction.
    keys.extend(codes.filter(|code| **code != "problem-conflict").map(|code| format!("{code}-detail")));
    keys.extend(Contradiction::CODES.iter().chain(problem::FIELD_CODES).map(|code| (*code).to_owned()));
    keys.extend(Thing::ALL.iter().map(|thing| thing.code().to_owned()));
    keys.extend(invalid_codes());
    for action in Action::ALL {
        let word = action.as_str().replace('.', "-");
        keys.extend([format!("action-{word}"), format!("kind-{word}")]);
    }
    keys.extend(field_names().iter().map(|name| label_key(name)));
    keys
}

/// The codes that the model's own source names: an enum whose variants carry values has no list of them.
fn invalid_codes() -> Vec<String> {
    let source = fs::read_to_string(root().join("../../core/model/src/invalid.rs")).unwrap();
    let codes: Vec<String> =
        source.split('"').filter(|part| part.starts_with("invalid-") && is_key(part)).map(str::to_owned).collect();
    assert!(codes.len() >= 25, "the model's codes were not found");
    codes
}

/// The fields that forms send and that audit entries name.
fn field_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, text) in files(&root().join("../app/src"), "rs") {
        for rest in [".compare(", ".first("].iter().flat_map(|opening| text.split(opening).skip(1)) {
            names
                .extend(rest.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()).map(str::to_owned));
        }
    }
    assert!(names.contains("prefixes"), "the use cases' fields were not found");
    for (_, text) in files(&root().join("src"), "rs") {
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned();
        for opening in
            ["fields.read(\"", "fields.read_optional(\"", "fields.read_list(\"", "AppError::field(\"", ".number(\""]
        {
            names.extend(code.split(opening).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()));
        }
    }
    names.extend(["organisation.slug".to_owned(), "organisation.name".to_owned()]);
    names
}

#[test]
fn both_languages_say_the_same_things() {
    let (english, german) = (catalogue(Locale::English), catalogue(Locale::German));
    let keys = |catalogue: &Catalogue| catalogue.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(&english).symmetric_difference(&keys(&german)).collect::<Vec<_>>(), Vec::<&String>::new());
    for (key, arguments) in &english {
        assert_eq!(arguments, &german[key], "{key} speaks of other values in German");
    }
}

#[test]
fn every_text_that_is_asked_for_exists() {
    let catalogue = catalogue(Locale::English);
    let missing: Vec<_> = asked_keys().into_iter().filter(|(key, _)| !catalogue.contains_key(key)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    let missing: Vec<_> = families().into_iter().filter(|key| !catalogue.contains_key(key)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_text_is_used() {
    let (named, families) = (named_keys(), families());
    let unused: Vec<_> =
        catalogue(Locale::English).into_keys().filter(|key| !named.contains(key) && !families.contains(key)).collect();
    assert!(unused.is_empty(), "{unused:#?}");
}

#[test]
fn every_text_can_be_formatted_in_every_language() {
    for locale in Locale::ALL {
        for (key, arguments) in catalogue(*locale) {
            for value in ["1", "2", "text"] {
                let arguments: Vec<(&str, String)> =
                    arguments.iter().map(|name| (name.as_str(), value.to_owned())).collect();
                let text = locale.text(&key, &arguments);
                assert!(text != key || key == "text", "{key} has no text in {}", locale.tag());
                assert!(!text.contains("{$") && !text.contains("{ $"), "{key}: {text}");
            }
        }
    }
}

#[test]
fn templates_hold_no_words_of_their_own() {
    let mut words = Vec::new();
    for (path, text) in files(&root().join("templates"), "html") {
        // A piece of a tag, which the tags that call it stand around.
        let text = without(&text, "{% macro described", "{% endmacro %}");
        let text = without(&without(&without(&text, "{#", "#}"), "{{", "}}"), "{%", "%}");
        for attribute in ["aria-label", "placeholder", "title", "alt"] {
            for rest in text.split(&format!(" {attribute}=\"")).skip(1) {
                words.push((path.clone(), rest.split('"').next().unwrap().to_owned()));
            }
        }
        let outside = without(&text, "<", ">");
        words.extend(outside.split_whitespace().map(|word| (path.clone(), word.to_owned())));
    }
    words.retain(|(_, word)| word.chars().any(char::is_alphabetic));
    assert!(words.is_empty(), "{words:#?}");
}

#[test]
fn templates_hold_nothing_that_the_content_security_policy_forbids() {
    for (path, text) in files(&root().join("templates"), "html") {
        for forbidden in
            [" style=", "<style", " onclick=", " onload=", " onsubmit=", "javascript:", "http://", "https://"]
        {
            assert!(!text.contains(forbidden), "{}: {forbidden}", path.display());
        }
        for script in text.split("<script").skip(1) {
            assert!(script.split('>').next().unwrap().contains("src="), "{}: an inline script", path.display());
        }
    }
}

/// `text` without what stands between `opening` and `closing`. Expressions may hold both in quotes; none of ours does.
fn without(text: &str, opening: &str, closing: &str) -> String {
    let mut left = String::new();
    let mut rest = text;
    while let Some((before, inner)) = rest.split_once(opening) {
        left.push_str(before);
        rest = inner.split_once(closing).map_or("", |(_, after)| after);
    }
    left.push_str(rest);
    left
}
