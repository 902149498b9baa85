//! Puts what cbindgen gives in an order to read: groups with what belongs together, and a table of contents. For doxygen the groups
//! are modules.

use std::error::Error;

/// A group: its name for doxygen, its title, and how the names of what is in it begin. The longest beginning counts.
type Group = (&'static str, &'static str, &'static [&'static str]);

const GROUPS: [Group; 16] = [
    // The opaque types: C wants them before the functions that take them.
    ("handles", "Handles: what is behind each", &[]),
    (
        "basics",
        "Answers, errors, texts, the library",
        &[
            "HA_",
            "ha_status",
            "ha_error",
            "ha_str",
            "ha_text",
            "ha_version",
            "ha_abi",
            "ha_live",
            "ha_test",
            "ha_compare",
        ],
    ),
    (
        "words",
        "Words: states, modes and the like as numbers",
        &[
            "ha_node_state",
            "ha_service_state",
            "ha_lrm_state",
            "ha_lrm_mode",
            "ha_daemon_state",
            "ha_requested_state",
            "ha_motion",
            "ha_preference",
            "ha_decider",
            "ha_disarm_mode",
            "ha_severity",
            "ha_stop_request",
        ],
    ),
    (
        "configuration",
        "Configuration: files, edits, rules",
        &["ha_configuration", "ha_file", "ha_names", "ha_edit", "ha_rules"],
    ),
    (
        "records",
        "Status records and commands",
        &["ha_manager_status", "ha_service", "ha_lrm_status", "ha_result", "ha_command"],
    ),
    ("view", "What a person sees of them", &["ha_view"]),
    (
        "placement",
        "Placement: where services go, and why",
        &["ha_situation", "ha_explanation", "ha_node_explanation", "ha_fate", "ha_recover", "ha_usage"],
    ),
    ("timings", "Timings", &["ha_timing"]),
    ("events", "Events", &["ha_event"]),
    ("history", "History: what has happened, in figures", &["ha_history"]),
    (
        "host",
        "The host: its callbacks, and how they answer",
        &["ha_host", "ha_callbacks", "ha_answer", "ha_reply", "ha_fence_commands"],
    ),
    ("locks", "Locks that are kept as records", &["ha_lock", "ha_decide_lock", "ha_hand"]),
    ("daemons", "The daemons: CRM and LRM", &["ha_crm", "ha_lrm", "ha_wait"]),
    ("jobs", "Jobs: what an LRM has done", &["ha_job", "ha_exit_code"]),
    ("manager", "The manager on its own, a round at a time", &["ha_manager", "ha_round_input"]),
    ("simulation", "The virtual cluster", &["ha_simulation"]),
];

const HANDLES: usize = 0;

const BEGIN_OF_ITEMS: &str = "#define HA_MUST_USE\n#endif\n";
const BEGIN_OF_C: &str = "#ifdef __cplusplus\nextern \"C\" {\n#endif // __cplusplus\n";
const END_OF_C: &str = "#ifdef __cplusplus\n}  // extern \"C\"\n#endif  // __cplusplus\n";

pub(crate) fn arrange(header: &str) -> Result<String, Box<dyn Error>> {
    let (top, rest) = header.split_once(BEGIN_OF_ITEMS).ok_or("no HA_MUST_USE")?;
    let (items, end) = rest.split_once(END_OF_C).ok_or("no end of extern \"C\"")?;
    let mut groups: [Vec<String>; GROUPS.len()] = Default::default();
    for item in split(&items.replace(BEGIN_OF_C, "")) {
        let name = name_of(&item).ok_or_else(|| format!("what is this in the header?\n{item}"))?;
        let group = if is_opaque(&item) { Some(HANDLES) } else { group_of(name) };
        let group = group.ok_or_else(|| format!("ha-ffi/header/src/arrange.rs: which group is {name} in?"))?;
        groups[group].push(item);
    }
    let contents: Vec<String> = GROUPS.iter().map(|(name, title, _)| format!(" *   {name:<15} {title}")).collect();
    let mut made = top.replace(" * @CONTENTS@", &contents.join("\n"));
    made += BEGIN_OF_ITEMS;
    made += "\n";
    made += BEGIN_OF_C;
    for ((name, title, _), items) in GROUPS.iter().zip(&groups) {
        made += &format!("\n/** @defgroup {name} {title}\n * @{{ */\n\n{}\n/** @}} */\n", items.join("\n"));
    }
    Ok(made + "\n" + END_OF_C + end)
}

/// The items, each with the comment above it.
fn split(text: &str) -> Vec<String> {
    let (mut items, mut item) = (Vec::new(), String::new());
    let (mut braces, mut conditions) = (0_i32, 0_i32);
    for line in text.lines() {
        let is_comment = line.trim_start().starts_with("//");
        if !is_comment {
            braces += line.matches('{').count() as i32 - line.matches('}').count() as i32;
            conditions += i32::from(line.starts_with("#if")) - i32::from(line.starts_with("#endif"));
        }
        if !line.trim().is_empty() {
            item += &if is_comment { line.replacen("//", "///", 1) } else { line.to_owned() };
            item.push('\n');
        } else if braces == 0 && conditions == 0 && !item.is_empty() {
            items.push(std::mem::take(&mut item));
        } else if braces > 0 {
            item.push('\n');
        }
    }
    items.extend((!item.is_empty()).then_some(item));
    items
}

fn is_opaque(item: &str) -> bool {
    let code = first_of_code(item).unwrap_or_default();
    code.starts_with("typedef struct") && code.ends_with(';')
}

fn first_of_code(item: &str) -> Option<&str> {
    item.lines().find(|line| !line.starts_with("//") && *line != "HA_MUST_USE")
}

/// What an item is called: the first name of ours in its first line of code.
fn name_of(item: &str) -> Option<&str> {
    let code = first_of_code(item)?;
    let names = code.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    // A function's name is the one before its arguments, not the type that it returns.
    let before = code.split_once('(').map(|(before, _)| before.rsplit([' ', '*']).next().unwrap_or_default());
    before.or_else(|| names.into_iter().find(|name| name.starts_with("ha_") || name.starts_with("HA_")))
}

fn group_of(name: &str) -> Option<usize> {
    let beginnings =
        GROUPS.iter().enumerate().flat_map(|(group, (.., names))| names.iter().map(move |name| (group, *name)));
    let fitting = beginnings.filter(|(_, beginning)| name.starts_with(beginning));
    fitting.max_by_key(|(_, beginning)| beginning.len()).map(|(group, _)| group)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOP: &str = "/*\n * @CONTENTS@\n */\n#if defined(__GNUC__)\n#define HA_MUST_USE __attribute__((x))\n#else\n#define HA_MUST_USE\n#endif\n\n\n";
    const END: &str = "\n#ifdef __cplusplus\n}  // extern \"C\"\n#endif  // __cplusplus\n\n#endif  /* HA_H */\n";

    #[test]
    fn items_come_in_groups_with_their_comments() {
        let items = "// How it went.\nenum ha_status\n#if defined(__cplusplus)\n  : int32_t\n#endif\n {\n    // Done.\n    HA_OK = 1,\n};\n\
            #ifndef __cplusplus\ntypedef int32_t ha_status;\n#endif\n\n// A daemon.\ntypedef struct ha_crm ha_crm;\n\n\
            // A result.\n//\n// With more.\ntypedef struct ha_result {\n    // Its end.\n    int32_t end;\n\n    int32_t begin;\n} ha_result;\n\n\
            #ifdef __cplusplus\nextern \"C\" {\n#endif // __cplusplus\n\n// Begins.\nHA_MUST_USE\nha_status ha_crm_new(struct ha_crm **crm,\n   int32_t now);\n\n\
            // Its version.\nconst char *ha_version(void);\n";
        let made = arrange(&format!("{TOP}{items}{END}")).expect("arranged");
        let at = |text: &str| made.find(text).unwrap_or_else(|| panic!("no '{text}' in\n{made}"));
        let order = [
            " *   basics          Answers, errors, texts, the library\n",
            "extern \"C\" {",
            "/** @defgroup handles ",
            "/// A daemon.\ntypedef struct ha_crm ha_crm;\n",
            "/** @defgroup basics ",
            "/// How it went.\nenum ha_status\n",
            "    /// Done.\n    HA_OK = 1,\n};\n#ifndef __cplusplus\ntypedef int32_t ha_status;\n#endif\n",
            "/// Its version.\nconst char *ha_version(void);\n",
            "/** @defgroup records ",
            "/// A result.\n///\n/// With more.\ntypedef struct ha_result {\n    /// Its end.\n    int32_t end;\n\n    int32_t begin;\n} ha_result;\n",
            "/** @defgroup daemons ",
            "/// Begins.\nHA_MUST_USE\nha_status ha_crm_new(struct ha_crm **crm,\n   int32_t now);\n",
            "#endif  /* HA_H */",
        ];
        let places: Vec<usize> = order.iter().map(|text| at(text)).collect();
        assert!(places.is_sorted(), "{places:?} in\n{made}");
    }

    #[test]
    fn what_belongs_to_no_group_is_refused() {
        let error = arrange(&format!("{TOP}// Fast.\nint32_t ha_warp(void);\n{END}")).expect_err("no group");
        assert_eq!(error.to_string(), "ha-ffi/header/src/arrange.rs: which group is ha_warp in?");
    }
}
