//! Reads plain Rust: enums, structs, functions, with their documentation, and the words of `text_enum!`.
//!
//! An item is found by its path, as Rust's own code would name it: re-exports are looked through, since within the module
//! that a path begins with there is one item of that name.

use std::{collections::BTreeMap, fs, path::Path};

use quote::ToTokens;
use syn::{
    Attribute, Ident, Item, LitStr, Token, Visibility,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

use crate::Failure;

/// The files of some crates.
pub(crate) struct Sources(BTreeMap<String, syn::File>);

/// An enum or a struct.
pub(crate) struct Type {
    pub(crate) name: String,
    pub(crate) doc: String,
    /// Of an enum.
    pub(crate) variants: Vec<Variant>,
    /// Of a struct.
    pub(crate) fields: Vec<Field>,
    /// Whether it knows its own words: `as_str`, `FromStr`.
    pub(crate) knows_its_words: bool,
}

pub(crate) struct Variant {
    pub(crate) name: String,
    /// What stands for it in files and JSON.
    pub(crate) word: String,
    pub(crate) doc: String,
    pub(crate) fields: Vec<Field>,
}

pub(crate) struct Field {
    pub(crate) name: String,
    /// Its type, without spaces.
    pub(crate) of: String,
    pub(crate) doc: String,
    /// Whether JSON may lack it, since it has a default.
    pub(crate) has_default: bool,
    /// Whether JSON lacks it where it has that default.
    pub(crate) may_be_missing: bool,
}

/// An exported function, or a callback.
pub(crate) struct Function {
    pub(crate) name: String,
    /// Names and types, without spaces.
    pub(crate) arguments: Vec<(String, String)>,
    pub(crate) returns: String,
}

/// The words of an enum: `Name: "what", Variant = "word" | "alias", …`.
struct Words {
    name: Ident,
    words: Vec<(Ident, LitStr)>,
}

impl Parse for Words {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![:]>()?;
        input.parse::<LitStr>()?;
        input.parse::<Token![,]>()?;
        let mut words = Vec::new();
        while !input.is_empty() {
            let variant = input.parse()?;
            input.parse::<Token![=]>()?;
            let spellings = Punctuated::<LitStr, Token![|]>::parse_separated_nonempty(input)?;
            words.extend(spellings.into_iter().next().map(|word| (variant, word)));
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(Self { name, words })
    }
}

impl Sources {
    /// Reads the crates of these folders in `root`.
    pub(crate) fn read(root: &Path, crates: &[&str]) -> Result<Self, Failure> {
        let mut sources = Self(BTreeMap::new());
        for name in crates {
            sources.read_folder(&root.join(name).join("src"), &name.replace('-', "_"))?;
        }
        Ok(sources)
    }

    /// Modules with their texts, for tests.
    #[cfg(test)]
    pub(crate) fn of(modules: &[(&str, &str)]) -> Self {
        let parse = |(name, text): &(&str, &str)| ((*name).to_owned(), syn::parse_file(text).expect("Rust"));
        Self(modules.iter().map(parse).collect())
    }

    /// Takes a module as it is now, instead of what was read.
    pub(crate) fn put(&mut self, module: &str, text: &str) -> Result<(), Failure> {
        self.0.insert(module.into(), syn::parse_file(text).map_err(|error| format!("{module}: {error}"))?);
        Ok(())
    }

    fn read_folder(&mut self, folder: &Path, module: &str) -> Result<(), Failure> {
        let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let inner =
                if matches!(stem.as_str(), "mod" | "lib") { module.into() } else { format!("{module}::{stem}") };
            if path.is_dir() {
                self.read_folder(&path, &inner)?;
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let file = syn::parse_file(&fs::read_to_string(&path)?);
                self.0.insert(inner, file.map_err(|error| format!("{}: {error}", path.display()))?);
            }
        }
        Ok(())
    }

    /// The enum or struct of a path such as `ha_core::status::NodeState`.
    pub(crate) fn type_of(&self, path: &str) -> Result<Type, Failure> {
        let (module, name) = path.rsplit_once("::").ok_or_else(|| format!("'{path}' is no path"))?;
        let below = format!("{module}::");
        let files = self.0.iter().filter(|(file, _)| *file == module || file.starts_with(&below));
        let items = files.flat_map(|(_, file)| file.items.iter().map(move |item| (file, item)));
        let named: Vec<_> = items.filter(|(_, item)| type_name(item).is_some_and(|(found, _)| found == name)).collect();
        let public = |item: &Item| type_name(item).is_some_and(|(_, is_public)| is_public);
        let found = if named.len() > 1 { named.into_iter().filter(|(_, item)| public(item)).collect() } else { named };
        match found.as_slice() {
            [(file, Item::Enum(item))] => of_enum(file, item),
            [(_, Item::Struct(item))] => Ok(of_struct(item)),
            [] => Err(format!("there is no type {path}").into()),
            _ => Err(format!("there are several types {path}: name the module that it is in").into()),
        }
    }

    /// What a macro of a module is called with.
    pub(crate) fn macro_call<T: Parse>(&self, module: &str, name: &str) -> Result<T, Failure> {
        let file = self.0.get(module).ok_or_else(|| format!("there is no module {module}"))?;
        let calls = file.items.iter().filter_map(|item| if let Item::Macro(item) = item { Some(item) } else { None });
        let call = calls.filter(|call| call.ident.is_none()).find(|call| call.mac.path.is_ident(name));
        let call = call.ok_or_else(|| format!("there is no {name}! in {module}"))?;
        call.mac.parse_body().map_err(|error| format!("{name}! in {module}: {error}").into())
    }

    /// All items of a crate.
    pub(crate) fn items(&self, name: &str) -> impl Iterator<Item = &Item> {
        let below = format!("{name}::");
        self.0
            .iter()
            .filter(move |(file, _)| *file == name || file.starts_with(&below))
            .flat_map(|(_, file)| &file.items)
    }
}

/// The name of an enum or struct, and whether all may use it.
fn type_name(item: &Item) -> Option<(&Ident, bool)> {
    let is_public = |visibility: &Visibility| matches!(visibility, Visibility::Public(_));
    match item {
        Item::Enum(item) => Some((&item.ident, is_public(&item.vis))),
        Item::Struct(item) => Some((&item.ident, is_public(&item.vis))),
        _ => None,
    }
}

fn of_enum(file: &syn::File, item: &syn::ItemEnum) -> Result<Type, Failure> {
    let words = words_of(file, &item.ident)?;
    let variants = item.variants.iter().map(|variant| {
        let known = words.iter().find(|(name, _)| *name == variant.ident);
        let word = known.map_or_else(|| snake(&variant.ident.to_string()), |(_, word)| word.value());
        let fields = variant.fields.iter().map(field).collect();
        Variant { name: variant.ident.to_string(), word, doc: doc(&variant.attrs), fields }
    });
    let (variants, knows_its_words) = (variants.collect(), !words.is_empty());
    Ok(Type { name: item.ident.to_string(), doc: doc(&item.attrs), variants, fields: Vec::new(), knows_its_words })
}

fn of_struct(item: &syn::ItemStruct) -> Type {
    let fields = item.fields.iter().map(field).collect();
    Type { name: item.ident.to_string(), doc: doc(&item.attrs), variants: Vec::new(), fields, knows_its_words: false }
}

fn words_of(file: &syn::File, name: &Ident) -> Result<Vec<(Ident, LitStr)>, Failure> {
    for item in &file.items {
        if let Item::Macro(item) = item
            && item.mac.path.is_ident("text_enum")
        {
            let words: Words = item.mac.parse_body().map_err(|error| format!("text_enum! of {name}: {error}"))?;
            if words.name == *name {
                return Ok(words.words);
            }
        }
    }
    Ok(Vec::new())
}

pub(crate) fn field(field: &syn::Field) -> Field {
    let attributes: String = field.attrs.iter().map(|attribute| attribute.to_token_stream().to_string()).collect();
    let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
    Field {
        name: name.trim_start_matches("r#").to_owned(),
        of: text_of(&field.ty),
        doc: doc(&field.attrs),
        has_default: attributes.contains("default"),
        may_be_missing: attributes.contains("skip_serializing_if"),
    }
}

/// The exported function that an item is.
pub(crate) fn exported(item: &Item) -> Option<Function> {
    let Item::Fn(function) = item else { return None };
    let abi = function.sig.abi.as_ref()?.name.as_ref()?;
    if abi.value() != "C" {
        return None;
    }
    let arguments = function.sig.inputs.iter().filter_map(|argument| match argument {
        syn::FnArg::Typed(argument) => Some((text_of(&argument.pat), text_of(&argument.ty))),
        syn::FnArg::Receiver(_) => None,
    });
    let returns =
        if let syn::ReturnType::Type(_, returns) = &function.sig.output { text_of(returns) } else { String::new() };
    Some(Function { name: function.sig.ident.to_string(), arguments: arguments.collect(), returns })
}

/// Rust as text, without spaces but after `mut` and `const`.
pub(crate) fn text_of(syntax: &impl ToTokens) -> String {
    let text = syntax.to_token_stream().to_string().replace("mut ", "mut~").replace("const ", "const~");
    text.replace(' ', "").replace('~', " ")
}

/// The documentation of an item, as it is written.
pub(crate) fn doc(attributes: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        if let syn::Meta::NameValue(meta) = &attribute.meta
            && let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(line), .. }) = &meta.value
        {
            let line = line.value();
            lines.push(line.strip_prefix(' ').unwrap_or(&line).to_owned());
        }
    }
    lines.join("\n").trim().to_owned()
}

/// Documentation with each link as its text, and what is code in it (linked or not) as `code` makes it.
pub(crate) fn without_links(doc: &str, code: impl Fn(&str) -> String) -> String {
    let mut plain = String::new();
    let mut rest = doc;
    while let Some(at) = rest.find(['[', '`']) {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        if let Some((text, after)) = inside(from, "[`", "`]").or_else(|| inside(from, "`", "`")) {
            plain.push_str(&code(text));
            rest = if from.starts_with('[') { without_target(after) } else { after };
        } else if let Some((text, after)) = inside(from, "[", "]")
            && without_target(after) != after
        {
            plain.push_str(text);
            rest = without_target(after);
        } else {
            let (mark, after) = from.split_at(1);
            plain.push_str(mark);
            rest = after;
        }
    }
    plain + rest
}

/// What is between marks at the beginning of a text, and what follows. Empty does not count.
fn inside<'a>(text: &'a str, begin: &str, end: &str) -> Option<(&'a str, &'a str)> {
    text.strip_prefix(begin)?.split_once(end).filter(|(inside, _)| !inside.is_empty())
}

fn without_target(text: &str) -> &str {
    inside(text, "(", ")").map_or(text, |(_, after)| after)
}

/// `NodeState` as `node_state`.
pub(crate) fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
