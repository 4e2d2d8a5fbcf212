//! The commands that exist: xtask's own as clap knows them, warren's as its sources declare them to clap.
//!
//! Warren's are read from the source, so that tidy need not build the binary: types that derive `Parser`, `Subcommand`
//! or `Args`, followed from the `Parser` downward.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use clap::CommandFactory;
use syn::{Attribute, Field, Fields, Item, Type, punctuated::Punctuated, token::Comma};

use crate::workspace::TextFile;

/// Where the binary declares its command line.
const WARREN_SOURCES: &str = "crates/warren/src/";
/// Deeper than any command line, shallower than a type that contains itself.
const DEPTH_MAX: usize = 8;

/// A command, its options and the commands below it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Commands {
    options: BTreeSet<String>,
    below: BTreeMap<String, Commands>,
}

impl Commands {
    /// Follows `words` downward.
    ///
    /// # Errors
    /// The first word that no command or option goes by.
    pub fn check(&self, words: &[&str]) -> Result<(), String> {
        let (mut here, mut options) = (self, self.options.clone());
        let mut after_option = false;
        for word in words {
            if let Some(option) = word.strip_prefix("--").filter(|option| !option.is_empty()) {
                let name = option.split('=').next().unwrap_or(option);
                if !options.contains(name) && !["help", "version"].contains(&name) {
                    return Err((*word).to_owned());
                }
                after_option = !option.contains('=');
            } else if let Some(below) = here.below.get(*word) {
                here = below;
                options.extend(below.options.iter().cloned());
                after_option = false;
            } else if is_placeholder(word) && !here.below.is_empty() {
                return Ok(());
            } else if !here.below.is_empty() && !std::mem::take(&mut after_option) {
                return Err((*word).to_owned());
            }
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.options.extend(other.options);
        for (name, commands) in other.below {
            self.below.entry(name).or_default().merge(commands);
        }
    }
}

fn is_placeholder(word: &str) -> bool {
    word.starts_with(['<', '[', '…', '-']) || word.chars().all(|c| c.is_ascii_uppercase())
}

/// The commands of this program.
pub fn xtask() -> Commands {
    from_clap(&crate::Cli::command())
}

fn from_clap(command: &clap::Command) -> Commands {
    Commands {
        options: command.get_arguments().filter_map(|argument| argument.get_long()).map(str::to_owned).collect(),
        below: command.get_subcommands().map(|below| (below.get_name().to_owned(), from_clap(below))).collect(),
    }
}

/// The commands of the `warren` binary, as the files under its folder declare them.
///
/// # Errors
/// When a file is not Rust.
pub fn warren(rust: &[TextFile]) -> anyhow::Result<Commands> {
    let mut declared = Declared::default();
    for file in rust.iter().filter(|file| file.path.starts_with(WARREN_SOURCES)) {
        let parsed = syn::parse_file(&file.text).with_context(|| format!("{} is not Rust", file.path))?;
        declared.read(&file.path, parsed.items);
    }
    let mut commands = Commands::default();
    for declaration in declared.types.iter().filter(|declaration| declaration.derives("Parser")) {
        commands.merge(declared.commands_of(declaration, 0));
    }
    Ok(commands)
}

/// Types that derive one of clap's traits.
#[derive(Default)]
struct Declared {
    types: Vec<Declaration>,
}

struct Declaration {
    file: String,
    item: Item,
}

impl Declaration {
    fn derives(&self, name: &str) -> bool {
        let attributes = match &self.item {
            Item::Struct(item) => &item.attrs,
            Item::Enum(item) => &item.attrs,
            _ => return false,
        };
        attributes.iter().filter(|attribute| attribute.path().is_ident("derive")).any(|attribute| {
            let derived = attribute.parse_args_with(Punctuated::<syn::Path, Comma>::parse_terminated);
            derived.is_ok_and(|paths| paths.iter().any(|p| p.segments.last().is_some_and(|s| s.ident == name)))
        })
    }

    fn name(&self) -> String {
        match &self.item {
            Item::Struct(item) => item.ident.to_string(),
            Item::Enum(item) => item.ident.to_string(),
            _ => String::new(),
        }
    }
}

impl Declared {
    fn read(&mut self, file: &str, items: Vec<Item>) {
        for item in items {
            if let Item::Mod(module) = item {
                self.read(file, module.content.map(|(_, items)| items).unwrap_or_default());
                continue;
            }
            let declaration = Declaration { file: file.to_owned(), item };
            if ["Parser", "Subcommand", "Args"].iter().any(|name| declaration.derives(name)) {
                self.types.push(declaration);
            }
        }
    }

    fn commands_of(&self, declaration: &Declaration, depth: usize) -> Commands {
        let mut commands = Commands::default();
        match &declaration.item {
            Item::Struct(item) => self.add_fields(&mut commands, &item.fields, &declaration.file, depth),
            Item::Enum(item) => {
                for variant in &item.variants {
                    let mut below = Commands::default();
                    self.add_fields(&mut below, &variant.fields, &declaration.file, depth);
                    if settings(&variant.attrs).iter().any(|setting| setting == "flatten") {
                        commands.merge(below);
                        continue;
                    }
                    for name in names(&variant.attrs, &variant.ident.to_string()) {
                        commands.below.entry(name).or_default().merge(below.clone());
                    }
                }
            }
            _ => {}
        }
        commands
    }

    fn add_fields(&self, commands: &mut Commands, fields: &Fields, file: &str, depth: usize) {
        for field in fields {
            let settings = settings(&field.attrs);
            let holds_commands = field.ident.is_none() || settings.iter().any(|s| s == "subcommand" || s == "flatten");
            if holds_commands && depth < DEPTH_MAX {
                for declaration in self.find(&field.ty, file) {
                    commands.merge(self.commands_of(declaration, depth + 1));
                }
            } else if let Some(option) = option_name(field, &settings) {
                commands.options.insert(option);
            }
        }
    }

    /// The types that `ty` may mean: the last name decides, then the module before it, then the file it stands in.
    fn find(&self, ty: &Type, file: &str) -> Vec<&Declaration> {
        let Type::Path(path) = inside(ty) else { return Vec::new() };
        let segments: Vec<String> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let Some((name, modules)) = segments.split_last() else { return Vec::new() };
        let all: Vec<&Declaration> = self.types.iter().filter(|declaration| declaration.name() == *name).collect();
        let narrowed: Vec<&Declaration> =
            match modules.last().filter(|module| !["self", "super"].contains(&module.as_str())) {
                Some(module) => {
                    let (as_file, as_folder) = (format!("/{module}.rs"), format!("/{module}/"));
                    all.iter().copied().filter(|d| d.file.ends_with(&as_file) || d.file.contains(&as_folder)).collect()
                }
                None => all.iter().copied().filter(|d| d.file == file).collect(),
            };
        if narrowed.is_empty() { all } else { narrowed }
    }
}

/// `T` of `Option<T>` and `Box<T>`, or the type itself.
fn inside(ty: &Type) -> &Type {
    let Type::Path(path) = ty else { return ty };
    let Some(last) = path.path.segments.last().filter(|last| last.ident == "Option" || last.ident == "Box") else {
        return ty;
    };
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return ty };
    arguments
        .args
        .iter()
        .find_map(|a| if let syn::GenericArgument::Type(t) = a { Some(inside(t)) } else { None })
        .unwrap_or(ty)
}

/// What stands in `#[command(…)]`, `#[arg(…)]` and `#[clap(…)]`, each as `name` or `name=value`.
fn settings(attributes: &[Attribute]) -> Vec<String> {
    let mut settings = Vec::new();
    for attribute in attributes {
        if !["command", "arg", "clap"].iter().any(|name| attribute.path().is_ident(name)) {
            continue;
        }
        let Ok(expressions) = attribute.parse_args_with(Punctuated::<syn::Expr, Comma>::parse_terminated) else {
            continue;
        };
        for expression in expressions {
            match expression {
                syn::Expr::Path(path) => settings.extend(path.path.get_ident().map(ToString::to_string)),
                syn::Expr::Assign(assign) => {
                    if let (syn::Expr::Path(name), syn::Expr::Lit(value)) = (*assign.left, *assign.right)
                        && let (Some(name), syn::Lit::Str(value)) = (name.path.get_ident(), value.lit)
                    {
                        settings.push(format!("{name}={}", value.value()));
                    }
                }
                _ => {}
            }
        }
    }
    settings
}

fn names(attributes: &[Attribute], variant: &str) -> Vec<String> {
    let settings = settings(attributes);
    let given =
        |key: &'static str| settings.iter().filter_map(move |setting| setting.strip_prefix(key)).map(str::to_owned);
    let mut names: Vec<String> = given("alias=").chain(given("visible_alias=")).collect();
    names.push(given("name=").next().unwrap_or_else(|| kebab(variant)));
    names
}

fn option_name(field: &Field, settings: &[String]) -> Option<String> {
    let name = kebab(&field.ident.as_ref()?.to_string());
    settings.iter().find_map(|setting| match setting.as_str() {
        "long" => Some(name.clone()),
        other => other.strip_prefix("long=").map(str::to_owned),
    })
}

fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for c in name.trim_start_matches("r#").chars() {
        if c.is_ascii_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(if c == '_' { '-' } else { c.to_ascii_lowercase() });
    }
    kebab
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read() -> Commands {
        let file =
            |path: &str, text: &str| TextFile { path: format!("crates/warren/src/{path}"), text: text.to_owned() };
        warren(&[
            file(
                "main.rs",
                "#[derive(Parser)] struct Cli { #[arg(long, global = true)] json: bool, #[command(subcommand)] c: Command }
                 #[derive(Debug, Subcommand)] enum Command { Up(up::Options), #[command(flatten)] Manage(manage::Manage),
                   #[command(name = \"completions\")] Shell { shell: String } }",
            ),
            file("up.rs", "#[derive(clap::Args)] pub struct Options { #[arg(long = \"public-url\")] url: String, #[arg(long)] allow_http: bool }"),
            file("manage/mod.rs", "#[derive(Subcommand)] pub enum Manage { #[command(subcommand)] Devices(Box<devices::Command>) }"),
            file("manage/devices.rs", "#[derive(Subcommand)] pub enum Command { Enrol { #[arg(long)] key: String, name: String }, List }"),
            file("networks.rs", "#[derive(Subcommand)] pub enum Command { Remove }"),
        ])
        .unwrap()
    }

    #[test]
    fn declared_commands_and_options_are_known() {
        let commands = read();
        for good in [
            "",
            "up",
            "up --public-url https://vpn.example.org --allow-http",
            "--json devices list",
            "devices enrol --key=abc laptop",
            "devices <verb>",
            "completions bash",
            "devices --help",
        ] {
            assert_eq!(commands.check(&good.split_whitespace().collect::<Vec<_>>()), Ok(()), "{good}");
        }
    }

    #[test]
    fn other_commands_and_options_are_not() {
        let commands = read();
        for (bad, word) in [
            ("down", "down"),
            ("shell bash", "shell"),
            ("up --fast", "--fast"),
            ("devices remove", "remove"),
            ("devices list --key x", "--key"),
            ("devices enrol laptop --speed 9", "--speed"),
        ] {
            assert_eq!(commands.check(&bad.split_whitespace().collect::<Vec<_>>()), Err(word.to_owned()), "{bad}");
        }
    }

    #[test]
    fn this_programs_own_commands_are_known() {
        assert_eq!(xtask().check(&["generate", "--check"]), Ok(()));
        assert_eq!(xtask().check(&["deploy"]), Err("deploy".to_owned()));
    }
}
