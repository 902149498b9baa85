//! Edits of the configuration: what they do, and what they refuse.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "not the library"
)]

use ha_core::{
    config::{
        Changes, ConfigFiles, EditError, Editor, GroupsConfig, ResourcesConfig, RulesConfig, datacenter::DatacenterFile,
    },
    id::{NodeName, ServiceTypes},
};
use proptest::prelude::*;

const RESOURCES: &str = "vm: 100\n\tgroup first\n\nct: 200\n\tstate stopped\n\nvm: 300\n\n";
const GROUPS: &str = "group: first\n\tnodes node1\n\ngroup: spare\n\tnodes node2\n\ngroup: broken\n\trestricted 1\n\n";
const RULES: &str = "node-affinity: home\n\tnodes node1,node2\n\tresources ct:200\n\n\
    resource-affinity: apart\n\taffinity negative\n\tresources ct:200,vm:300\n\n\
    node-affinity: alone\n\tnodes node3\n\tresources vm:300\n\n";

fn config() -> ConfigFiles {
    let types = ServiceTypes::default();
    ConfigFiles {
        resources: ResourcesConfig::read(RESOURCES.as_bytes(), &types).config,
        groups: GroupsConfig::read(GROUPS.as_bytes()).config,
        rules: RulesConfig::read(RULES.as_bytes(), &types).config,
        ..ConfigFiles::default()
    }
}

fn nodes() -> Vec<NodeName> {
    ["node1", "node2", "node3"].map(|name| NodeName::new(name).unwrap()).into()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// The faults of a refused edit: `property: code`.
fn faults(result: Result<(), EditError>) -> Vec<String> {
    let error = result.unwrap_err();
    error.faults().iter().map(|fault| format!("{}: {}", fault.property, fault.kind.code())).collect()
}

const fn set<'a>(set: &'a [(&'a str, &'a str)]) -> Changes<'a> {
    Changes { set, unset: &[] }
}

const fn unset<'a>(unset: &'a [&'a str]) -> Changes<'a> {
    Changes { set: &[], unset }
}

#[test]
fn a_resource_is_added_changed_and_removed() {
    let (types, nodes, mut config) = (ServiceTypes::default(), nodes(), config());
    let editor = Editor::new(&types, &nodes);
    let sid = editor.add_resource(&mut config, "vm:400", &[("state", "enabled"), ("failback", "no")]).unwrap();
    assert_eq!(sid, "vm:400");
    let changes = Changes { set: &[("max_restart", "5")], unset: &["failback", "comment"] };
    editor.set_resource(&mut config, "vm:400", changes).unwrap();
    let written = text(config.resources.write());
    assert_eq!(written, format!("{RESOURCES}vm: 400\n\tmax_restart 5\n\tstate started\n\n"));
    editor.remove_resource(&mut config, "vm:400", true).unwrap();
    assert_eq!(text(config.resources.write()), RESOURCES);
}

#[test]
fn a_name_that_is_too_long_is_refused_and_one_that_is_there_can_be_edited_and_removed() {
    let mut types = ServiceTypes::default();
    types.register("proc", |_| Ok(()));
    let (nodes, mut config) = (nodes(), config());
    let editor = Editor::new(&types, &nodes);
    let (longest, too_long) = (format!("proc:{}", "x".repeat(123)), format!("proc:{}", "x".repeat(124)));
    let before = config.clone();
    let refused = |result: Result<(), EditError>| assert!(result.unwrap_err().to_string().contains("128"));
    refused(editor.add_resource(&mut config, &too_long, &[]).map(drop));
    refused(editor.add_group(&mut config, &"g".repeat(129), &[("nodes", "node1")]));
    let rule = [("nodes", "node1"), ("resources", "ct:200")];
    refused(editor.add_rule(&mut config, "node-affinity", &"r".repeat(129), &rule));
    let rule = [("nodes", "node1"), ("resources", too_long.as_str())];
    refused(editor.add_rule(&mut config, "node-affinity", "long", &rule));
    assert_eq!(config, before);
    editor.add_resource(&mut config, &longest, &[]).unwrap();

    config.resources = ResourcesConfig::read(format!("proc: {}\n\n", "x".repeat(124)).as_bytes(), &types).config;
    editor.set_resource(&mut config, &too_long, set(&[("state", "stopped")])).unwrap();
    editor.remove_resource(&mut config, &too_long, true).unwrap();
    assert!(config.resources.resources.is_empty());
}

#[test]
fn comments_between_sections_stay_where_they_are_when_a_section_goes() {
    let (types, nodes) = (ServiceTypes::default(), nodes());
    let editor = Editor::new(&types, &nodes);
    let file = |parts: &[&str]| parts.concat();
    let (first, second, third) = ("vm: 100\n\n", "vm: 101\n\n", "vm: 102\n\n");
    let (above, between, below) = ("# one\n\n", "# two\n\n", "# three\n\n");
    let all = file(&[first, above, second, between, third, below]);
    for (gone, left) in [
        ("vm:100", file(&[above, second, between, third, below])),
        ("vm:101", file(&[first, above, between, third, below])),
        ("vm:102", file(&[first, above, second, between, below])),
    ] {
        let resources = ResourcesConfig::read(all.as_bytes(), &types).config;
        let mut config = ConfigFiles { resources, ..config() };
        editor.remove_resource(&mut config, gone, true).unwrap();
        assert_eq!(text(config.resources.write()), left, "without {gone}");
    }
}

#[test]
fn a_list_names_each_service_once_whatever_its_order() {
    for listed in ["vm:100,vm:100,vm:300", "vm:300,vm:100,vm:300"] {
        let file = format!("resource-affinity: pair\n\taffinity positive\n\tresources {listed}\n\n");
        let rules = RulesConfig::read(file.as_bytes(), &ServiceTypes::default()).config.rules;
        let resources: Vec<&str> = rules.values().flat_map(|rule| &rule.resources).map(|sid| sid.as_str()).collect();
        assert_eq!(resources, ["vm:100", "vm:300"], "{listed}");
    }
}

#[test]
fn a_bare_guest_number_is_taken_where_the_host_knows_the_guest() {
    let (types, nodes, mut config) = (ServiceTypes::default(), nodes(), config());
    let guest_types = |number: &str| if number == "500" { Some("ct".to_owned()) } else { None };
    let editor = Editor::new(&types, &nodes).guest_types(&guest_types);
    assert_eq!(editor.add_resource(&mut config, "500", &[]).unwrap(), "ct:500");
    assert_eq!(editor.add_resource(&mut config, "501", &[]).unwrap_err().code(), "bad_id");
    let rule = [("affinity", "positive"), ("resources", "500 vm:100")];
    editor.add_rule(&mut config, "resource-affinity", "pair", &rule).unwrap();
    assert!(text(config.rules.write()).ends_with("\tresources ct:500,vm:100\n\n"));
}

#[test]
fn every_refusal_has_its_code() {
    let (types, nodes, mut config) = (ServiceTypes::default(), nodes(), config());
    let editor = Editor::new(&types, &nodes);
    let stale = editor.seen(Some(ha_core::config::Digest::of(b"something else")));
    let config = &mut config;
    for (code, result) in [
        ("digest_mismatch", stale.add_resource(config, "vm:400", &[]).map(drop)),
        ("digest_mismatch", stale.remove_group(config, "spare")),
        ("digest_mismatch", stale.set_rule(config, "home", unset(&["strict"]))),
        ("bad_id", editor.add_resource(config, "vm:4", &[]).map(drop)),
        ("bad_id", editor.add_resource(config, "xx:400", &[]).map(drop)),
        ("bad_id", editor.add_group(config, "1st", &[("nodes", "node1")])),
        ("bad_id", editor.remove_rule(config, "a b")),
        ("bad_rule_type", editor.add_rule(config, "affinity", "new", &[])),
        ("already_exists", editor.add_resource(config, "vm:100", &[]).map(drop)),
        ("already_exists", editor.add_group(config, "first", &[("nodes", "node1")])),
        ("already_exists", editor.add_group(config, "broken", &[("nodes", "node1")])),
        ("already_exists", editor.add_rule(config, "node-affinity", "apart", &[])),
        ("not_found", editor.set_resource(config, "vm:400", unset(&[]))),
        ("not_found", editor.remove_resource(config, "vm:400", false)),
        ("not_found", editor.set_group(config, "broken", unset(&[]))),
        ("not_found", editor.remove_group(config, "none")),
        ("not_found", editor.set_rule(config, "none", unset(&[]))),
        ("not_found", editor.remove_rule(config, "none")),
        ("group_in_use", editor.remove_group(config, "first")),
        ("bad_properties", editor.set_resource(config, "vm:100", set(&[("state", "on")]))),
    ] {
        assert_eq!(result.unwrap_err().code(), code);
    }
}

#[test]
fn every_property_at_fault_is_named() {
    let (types, nodes, mut config) = (ServiceTypes::default(), nodes(), config());
    let editor = Editor::new(&types, &nodes);
    let config = &mut config;
    let changes = Changes {
        set: &[("state", "on"), ("max_restart", "-1"), ("colour", "blue"), ("group", "none"), ("failback", "1")],
        unset: &["failback"],
    };
    assert_eq!(
        faults(editor.set_resource(config, "vm:100", changes)),
        [
            "state: bad_value",
            "max_restart: bad_value",
            "colour: unknown_property",
            "failback: given_twice",
            "group: no_such_group"
        ]
    );
    assert_eq!(faults(editor.set_group(config, "first", unset(&["nodes"]))), ["nodes: missing"]);
    assert_eq!(
        faults(editor.add_rule(config, "node-affinity", "new", &[("restricted", "1"), ("nodes", "-")])),
        ["restricted: unknown_property", "nodes: bad_value", "resources: missing"]
    );
    assert_eq!(faults(editor.set_resource(config, "vm:100", set(&[("comment", "a\nb")]))), ["comment: bad_value"]);
}

#[test]
fn a_service_in_error_can_only_be_disabled() {
    let (types, nodes, mut config) = (ServiceTypes::default(), nodes(), config());
    let in_error = |sid: &ha_core::id::ServiceId| *sid == "ct:200";
    let editor = Editor::new(&types, &nodes).services_in_error(&in_error);
    for changes in [set(&[("state", "started")]), set(&[("state", "ignored")]), unset(&["state"])] {
        assert_eq!(faults(editor.set_resource(&mut config, "ct:200", changes)), ["state: service_in_error"]);
    }
    editor.set_resource(&mut config, "ct:200", set(&[("state", "stopped"), ("comment", "x")])).unwrap();
    editor.set_resource(&mut config, "vm:100", set(&[("state", "stopped")])).unwrap();
    editor.set_resource(&mut config, "ct:200", set(&[("state", "disabled")])).unwrap();
}

#[test]
fn a_purge_takes_the_resource_out_of_every_rule() {
    let (types, nodes) = (ServiceTypes::default(), nodes());
    let editor = Editor::new(&types, &nodes);
    let mut purged = config();
    editor.remove_resource(&mut purged, "vm:300", true).unwrap();
    let rules: Vec<_> = purged.rules.rules.keys().map(|id| id.as_str()).collect();
    assert_eq!(rules, ["home", "apart"], "'alone' has no resource left");
    assert_eq!(purged.rules.rules["apart"].resources, ["ct:200"]);
    let mut kept = config();
    editor.remove_resource(&mut kept, "vm:300", false).unwrap();
    assert_eq!(text(kept.rules.write()), RULES);
}

#[test]
fn what_can_not_be_read_stays_behind_its_rule_when_a_purge_takes_out_two() {
    let (types, nodes) = (ServiceTypes::default(), nodes());
    let editor = Editor::new(&types, &nodes);
    let section = |id: &str, sid: &str| format!("node-affinity: {id}\n\tresources {sid}\n\tnodes node1\n");
    let junk = |number: u32| format!("junk {number}\n");
    let rows = [("one", "vm:300"), ("two", "vm:100"), ("three", "vm:300"), ("four", "vm:100")];
    let written: Vec<String> = rows.iter().map(|(id, sid)| section(id, sid)).collect();
    let [one, two, three, four] = written.as_slice() else { panic!("four") };
    let mut purged = config();
    let before = [one, "\n", &junk(1), "\n", two, "\n", &junk(2), "\n", three, "\n", &junk(3), "\n", four].concat();
    purged.rules = RulesConfig::read(before.as_bytes(), &types).config;
    editor.remove_resource(&mut purged, "vm:300", true).unwrap();
    let after = text(purged.rules.write());
    let order: Vec<&str> = after.lines().filter(|line| line.starts_with("junk") || line.contains(": ")).collect();
    assert_eq!(order, ["junk 1", "node-affinity: two", "junk 2", "junk 3", "node-affinity: four"], "{after}");
}

#[test]
fn a_rule_that_cannot_hold_is_refused_and_says_why() {
    let (types, nodes, mut config) = (ServiceTypes::default(), nodes(), config());
    let editor = Editor::new(&types, &nodes);
    let config = &mut config;
    let second_home = [("nodes", "node3"), ("resources", "ct:200")];
    let error = editor.add_rule(config, "node-affinity", "second", &second_home).unwrap_err();
    assert_eq!(error.faults().len(), 1);
    assert!(error.to_string().contains("'resources'") && error.to_string().contains("'home'"), "{error}");

    // The group of vm:100 stands for a rule too.
    let of_grouped = [("nodes", "node3"), ("resources", "vm:100")];
    assert_eq!(faults(editor.add_rule(config, "node-affinity", "second", &of_grouped)), ["resources: infeasible"]);
    assert_eq!(
        faults(editor.set_rule(config, "apart", set(&[("affinity", "positive"), ("resources", "ct:200")]))),
        ["resources: infeasible"]
    );
    assert_eq!(faults(editor.set_rule(config, "home", set(&[("nodes", "node1:2,node2")]))), ["nodes: infeasible"]);
    // A rule that takes no part always holds, and others' faults are not this rule's.
    editor.add_rule(config, "node-affinity", "second", &[second_home[0], second_home[1], ("disable", "1")]).unwrap();
    let free = [("affinity", "positive"), ("resources", "vm:100,vm:900")];
    editor.add_rule(config, "resource-affinity", "free", &free).unwrap();
}

#[test]
fn comments_are_typed_as_they_are_read_back() {
    let (types, nodes, mut config) = (ServiceTypes::default(), nodes(), config());
    let editor = Editor::new(&types, &nodes);
    editor.set_rule(&mut config, "home", set(&[("comment", "50%25 – a: b\nc")])).unwrap();
    let written = text(config.rules.write());
    assert!(written.contains("\tcomment 50%2525 %E2%80%93 a%3A b%0Ac\n"), "{written}");
    let read = RulesConfig::read(written.as_bytes(), &types).config;
    assert_eq!(read.rules["home"].comment.as_deref(), Some("50%25 – a: b\nc"));
}

#[test]
fn an_edit_says_what_a_property_is_and_leaves_the_rest() {
    let types = ServiceTypes::default();
    let before = "# the web\nvm: 100\n\t# why stopped\n\tstate stopped\n\tstate started\n\tmax_restart x\n\tcolour blue\n\n\
        vm: 100\n\tstate ignored\n\nxx: 1\n\n";
    let mut config =
        ConfigFiles { resources: ResourcesConfig::read(before.as_bytes(), &types).config, ..ConfigFiles::default() };
    let editor = Editor::new(&types, &[]);
    editor.set_resource(&mut config, "vm:100", unset(&["state"])).unwrap();
    assert_eq!(
        text(config.resources.write()),
        "# the web\nvm: 100\n\t# why stopped\n\tmax_restart x\n\tcolour blue\n\nvm: 100\n\tstate ignored\n\nxx: 1\n\n",
        "the second value of 'state' does not come to life"
    );
    editor.remove_resource(&mut config, "vm:100", true).unwrap();
    assert_eq!(text(config.resources.write()), "# the web\nxx: 1\n\n", "nor does the second section");
}

#[test]
fn without_an_edit_nothing_overridden_comes_to_life_either() {
    let types = ServiceTypes::default();
    let text_before = "vm: 100\n\tgroup aa\n\tgroup bb\n\nvm: 100\n\tstate ignored\n\n";
    let mut config = ResourcesConfig::read(text_before.as_bytes(), &types).config;
    config.resources[0].group = None;
    assert_eq!(text(config.write()), "vm: 100\n# \tgroup bb\n\nvm: 100\n\tstate ignored\n\n");
    config.resources.clear();
    let written = text(config.write());
    assert!(ResourcesConfig::read(written.as_bytes(), &types).config.resources.is_empty(), "{written}");
}

#[test]
fn settings_of_the_cluster_are_changed_together_or_not_at_all() {
    let types = ServiceTypes::default();
    let editor = Editor::new(&types, &[]);
    let mut file = DatacenterFile::read(b"ha: shutdown_policy=freeze\n").config;
    let before = file.clone();
    let refused = Changes { set: &[("max_workers", "8"), ("crs.ha", "fast"), ("crs.x", "1")], unset: &["max_workers"] };
    assert_eq!(
        faults(editor.set_datacenter(&mut file, refused)),
        ["crs.ha: bad_value", "crs.x: unknown_property", "max_workers: given_twice"]
    );
    assert_eq!(file, before);
    let good = Changes { set: &[("max_workers", "8"), ("crs.ha", "static")], unset: &["ha.shutdown_policy"] };
    editor.set_datacenter(&mut file, good).unwrap();
    assert_eq!(text(file.write()), "max_workers: 8\ncrs: ha=static\n");
}

/// One edit of any kind, made of words that make sense here and there.
fn apply(
    editor: &Editor<'_>,
    config: &mut ConfigFiles,
    kind: u8,
    id: &str,
    key: &str,
    value: &str,
) -> Result<(), EditError> {
    let pair = [(key, value)];
    match kind {
        0 => editor.add_resource(config, id, &pair).map(drop),
        1 => editor.set_resource(config, id, set(&pair)),
        2 => editor.set_resource(config, id, unset(&[key])),
        3 => editor.remove_resource(config, id, true),
        4 => editor.add_group(config, id, &[("nodes", "node1"), (key, value)]),
        5 => editor.set_group(config, id, set(&pair)),
        6 => editor.remove_group(config, id),
        7 => editor.add_rule(config, "resource-affinity", id, &[("affinity", "negative"), (key, value)]),
        8 => editor.set_rule(config, id, set(&pair)),
        9 => editor.set_rule(config, id, unset(&[key])),
        _ => editor.remove_rule(config, id),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn an_edit_is_whole_or_not_at_all(edits in prop::collection::vec((
        0_u8..11,
        prop::sample::select(vec!["vm:100", "ct:200", "vm:300", "vm:400", "first", "spare", "home", "apart", "alone", "new1", "7"]),
        prop::sample::select(vec!["state", "group", "comment", "max_restart", "nodes", "resources", "disable", "strict", "x"]),
        prop::sample::select(vec!["started", "first", "spare", "3", "1", "node1:2,node2", "vm:100,vm:300", "", "é: %\n"]),
    ), 1..12)) {
        let (types, nodes, mut config) = (ServiceTypes::default(), nodes(), config());
        let editor = Editor::new(&types, &nodes);
        for (kind, id, key, value) in edits {
            let before = config.clone();
            if apply(&editor, &mut config, kind, id, key, value).is_err() {
                prop_assert_eq!(&config, &before, "a refused edit changes nothing");
            }
        }
        // What edits make can be written and is read back as it is, with no more problems than there were.
        let resources = ResourcesConfig::read(&config.resources.write(), &types);
        prop_assert_eq!(resources.problems.len(), 0);
        prop_assert_eq!(&resources.config.resources, &config.resources.resources);
        let groups = GroupsConfig::read(&config.groups.write());
        prop_assert!(groups.problems.len() <= 1, "'broken' lacks its nodes");
        prop_assert_eq!(&groups.config.groups, &config.groups.groups);
        let rules = RulesConfig::read(&config.rules.write(), &types);
        prop_assert_eq!(rules.problems.len(), 0);
        prop_assert_eq!(&rules.config.rules, &config.rules.rules);
    }
}
