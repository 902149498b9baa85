//! What Perl must know to call the library: how functions are called, how structs lie in memory, and numbers.

use std::collections::BTreeMap;

use syn::Item;

use crate::{
    Failure, NOTE,
    source::{self, Function, Sources, exported, field},
};

pub(crate) fn interface(sources: &Sources) -> Result<String, Failure> {
    let items: Vec<&Item> = sources.items("ha_ffi").collect();
    let structs = structs(&items)?;
    let mut made = format!("# {NOTE}\npackage HA::Interface;\n\nuse v5.26;\nuse warnings;\n");
    made += "\n# The arguments of the functions that give a status; HA::FFI says what the letters mean.\nour %SIGNATURES = (\n";
    let functions: BTreeMap<String, Function> =
        items.iter().filter_map(|item| exported(item)).map(|function| (short(&function.name), function)).collect();
    for (name, function) in functions.iter().filter(|(_, function)| function.returns == "ha_status") {
        made += &format!("    {name} => '{}',\n", signature(function, &structs)?);
    }
    made += ");\n\n# The callbacks of a host, in the order of struct ha_callbacks behind event, with the letters of their arguments between\n";
    made += "# context and reply; s a text, c one that ends with a NUL, m, r, j and f are lent: manager status, LRM status, job, fence commands.\n";
    made += "our @CALLBACKS = (\n";
    for (name, letters) in answering_callbacks(&items)? {
        made += &format!("    [{name} => '{letters}'],\n");
    }
    made += ");\n\n# Structs: their size, the template for pack, and their fields; S before a field is a text, N a number.\nour %STRUCTS = (\n";
    for (name, members) in &structs {
        let (size, template) = layout(name, members)?;
        let fields: Vec<String> = members.iter().map(|(name, of)| format!("{}{name}", kind(of))).collect();
        made += &format!("    {} => [{size}, '{template}', [qw({})]],\n", short(name), fields.join(" "));
    }
    made += ");\n\n# The enums whose numbers the library has words for.\nour @WORDS = qw(\n";
    let words = functions.keys().filter_map(|name| name.strip_suffix("_name"));
    let words: Vec<&str> =
        words.filter(|word| functions[&format!("{word}_name")].returns.ends_with("c_char")).collect();
    made += &format!("    {}\n);\n", words.join("\n    "));
    made +=
        "\n# The other enums, by what follows the beginning that all names of one have in common.\nour %NUMBERS = (\n";
    for (name, numbers) in numbers(&items)? {
        let name = short(&name);
        if !words.contains(&name.as_str()) && name != "event_kind" {
            let numbers: Vec<String> = numbers.iter().map(|(word, number)| format!("{word} => {number}")).collect();
            made += &format!("    {name} => {{ {} }},\n", numbers.join(", "));
        }
    }
    Ok(made + ");\n\n1;\n")
}

fn short(name: &str) -> String {
    name.strip_prefix("ha_").unwrap_or(name).to_owned()
}

type Members = Vec<(String, String)>;

/// The structs whose layout is a promise, except the table of callbacks and texts, which Perl makes by itself.
fn structs(items: &[&Item]) -> Result<BTreeMap<String, Members>, Failure> {
    let plain = items.iter().filter_map(|item| match item {
        Item::Struct(item) if item.attrs.iter().any(|attribute| attribute.path().is_ident("repr")) => Some(item),
        _ => None,
    });
    let named = plain.map(|item| {
        let members = item.fields.iter().map(field).map(|field| (field.name, field.of)).collect();
        (item.ident.to_string(), members)
    });
    Ok(named.filter(|(name, _)| !matches!(name.as_str(), "ha_callbacks" | "ha_str" | "ha_text")).collect())
}

fn kind(of: &str) -> char {
    if of == "ha_str" { 'S' } else { 'N' }
}

/// The size of a struct where pointers have 64 bits, and the template that packs it.
fn layout(name: &str, members: &Members) -> Result<(usize, String), Failure> {
    let (mut offset, mut largest, mut template) = (0_usize, 1, String::new());
    let pad = |offset: usize, alignment: usize| offset.next_multiple_of(alignment) - offset;
    for (member, of) in members {
        let (letters, size, alignment) = match of.as_str() {
            "ha_str" => ("QQ", 16, 8),
            "i32" => ("l", 4, 4),
            "u32" => ("L", 4, 4),
            "i64" => ("q", 8, 8),
            "u64" | "usize" => ("Q", 8, 8),
            "f64" => ("d", 8, 8),
            _ => return Err(format!("{name}.{member}: no way to pack a {of}").into()),
        };
        let padding = pad(offset, alignment);
        if padding > 0 {
            template += &format!("x{padding}");
        }
        template += letters;
        offset += padding + size;
        largest = largest.max(alignment);
    }
    let padding = pad(offset, largest);
    if padding > 0 {
        template += &format!("x{padding}");
    }
    Ok((offset + padding, template))
}

/// One letter for each argument, as HA::FFI takes them: what goes in, and after a `|` what comes out.
fn signature(function: &Function, structs: &BTreeMap<String, Members>) -> Result<String, Failure> {
    let (mut signature, mut has_out, mut arguments) = (String::new(), false, function.arguments.iter().peekable());
    while let Some((name, of)) = arguments.next() {
        if name == "error" && of == "*mut *mut ha_error" {
            return Ok(signature);
        }
        let counted = arguments.peek().is_some_and(|(_, next)| next == "usize");
        let pointee = of.strip_prefix("*const ").or_else(|| of.strip_prefix("*mut "));
        let letter = match (of.as_str(), pointee) {
            ("*const c_char", _) | ("*const ha_str", _) if counted && !signature.ends_with('p') => {
                arguments.next();
                if of == "*const c_char" { 's' } else { 'l' }
            }
            ("i32", _) => 'i',
            ("u32", _) => 'u',
            ("i64", _) => 'q',
            ("u64", _) => 'Q',
            ("usize", _) => 'z',
            ("f64", _) => 'd',
            (_, Some("i32")) => 'I',
            (_, Some("i64")) => 'L',
            (_, Some("u64")) => 'U',
            (_, Some("usize")) => 'Z',
            (_, Some("f64")) => 'D',
            ("*mut ha_text", _) if function.name != "ha_text_free" => 'T',
            ("*mut ha_str", _) => 'S',
            (_, Some(pointee)) if pointee.starts_with("*mut ") => 'H',
            (_, Some(pointee)) if structs.contains_key(pointee) || pointee == "c_char" => 'p',
            (_, Some("ha_str" | "ha_text" | "ha_callbacks")) => 'p',
            (_, Some(_)) => 'h',
            _ => return Err(format!("{}: no letter for '{name}: {of}'", function.name).into()),
        };
        if letter.is_uppercase() && letter != 'Q' && !has_out {
            has_out = true;
            signature.push('|');
        }
        signature.push(letter);
    }
    Ok(signature + "-")
}

fn table_of_callbacks<'a>(items: &[&'a Item]) -> Result<&'a syn::ItemStruct, Failure> {
    let mut structs = items.iter().filter_map(|item| if let Item::Struct(item) = item { Some(item) } else { None });
    Ok(structs.find(|item| item.ident == "ha_callbacks").ok_or("there is no ha_callbacks")?)
}

/// The callbacks that a host is called by, in their order: all that are functions, except destroy().
pub(crate) fn callbacks(sources: &Sources) -> Result<Vec<String>, Failure> {
    let items: Vec<&Item> = sources.items("ha_ffi").collect();
    let functions = table_of_callbacks(&items)?.fields.iter().filter(|field| function_in(&field.ty).is_some());
    let names = functions.filter_map(|field| field.ident.as_ref().map(ToString::to_string));
    Ok(names.filter(|name| name != "destroy").collect())
}

/// The callbacks that answer, in their order, with letters for their arguments.
fn answering_callbacks(items: &[&Item]) -> Result<Vec<(String, String)>, Failure> {
    let table = table_of_callbacks(items)?;
    let functions = table.fields.iter().filter_map(|field| Some((field.ident.as_ref()?, function_in(&field.ty)?)));
    let answering = functions.filter(|(_, function)| matches!(function.output, syn::ReturnType::Type(..)));
    let letters = |function: &syn::TypeBareFn| {
        let mut letters = String::new();
        let between = function.inputs.iter().skip(1).take(function.inputs.len().saturating_sub(2));
        let types: Vec<String> = between.map(|argument| source::text_of(&argument.ty)).collect();
        let mut types = types.iter().peekable();
        while let Some(of) = types.next() {
            letters.push(match of.as_str() {
                "*const c_char" => {
                    if types.next_if(|next| *next == "usize").is_some() {
                        's'
                    } else {
                        'c'
                    }
                }
                "*const ha_manager_status" => 'm',
                "*const ha_lrm_status" => 'r',
                "*const ha_job" => 'j',
                "*const ha_fence_commands" => 'f',
                "u64" => 'Q',
                "i64" => 'q',
                "u32" => 'u',
                "i32" => 'i',
                _ => return Err(format!("ha_callbacks: no letter for a {of}")),
            });
        }
        Ok(letters)
    };
    answering.map(|(name, function)| Ok((name.to_string(), letters(function)?))).collect()
}

/// The function inside of an `Option` of a function.
fn function_in(of: &syn::Type) -> Option<&syn::TypeBareFn> {
    let syn::Type::Path(path) = of else { return None };
    let syn::PathArguments::AngleBracketed(inner) = &path.path.segments.last()?.arguments else { return None };
    match inner.args.first()? {
        syn::GenericArgument::Type(syn::Type::BareFn(function)) => Some(function),
        _ => None,
    }
}

/// Enums with numbers: names without what they have in common, in small letters.
fn numbers(items: &[&Item]) -> Result<BTreeMap<String, Vec<(String, i64)>>, Failure> {
    let mut all = BTreeMap::new();
    for item in items {
        let Item::Enum(item) = item else { continue };
        if !item.ident.to_string().starts_with("ha_") {
            continue;
        }
        let names: Vec<String> = item.variants.iter().map(|variant| variant.ident.to_string()).collect();
        let common = common_beginning(&names);
        let mut numbers = Vec::new();
        for (name, variant) in names.iter().zip(&item.variants) {
            let number =
                variant.discriminant.as_ref().map(|(_, number)| quote::ToTokens::to_token_stream(number).to_string());
            let number = number.ok_or_else(|| format!("{name} has no number"))?.replace(' ', "").parse()?;
            numbers.push((name[common..].to_lowercase(), number));
        }
        all.insert(item.ident.to_string(), numbers);
    }
    Ok(all)
}

/// How long the beginning of all names is, up to its last `_`.
fn common_beginning(names: &[String]) -> usize {
    let Some(first) = names.first() else { return 0 };
    let ends = first.match_indices('_').map(|(at, _)| at + 1).rev();
    ends.into_iter().find(|end| names.iter().all(|name| name.starts_with(&first[..*end]))).unwrap_or(0)
}
