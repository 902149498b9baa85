//! What holds for any configuration file, however broken.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "not the library"
)]

use ha_core::{
    config::{
        DatacenterFile, GroupsConfig, Parsed, Problem, ResourcesConfig, RulesConfig, datacenter::DatacenterSetting,
    },
    id::ServiceTypes,
};
use proptest::prelude::*;

/// Lines as people and programs write them, well and badly.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![
        8 => Just(""),
        6 => prop::sample::select(vec![
            "vm: 100", "vm: 101", "ct:102", "VM: 100", "vm: 7", "xx: 100", "proc: web", "vm: 100 ", "vm: 1 2",
            "group: aa", "group: bb", "group: a", "node-affinity: r1", "resource-affinity: r1", "resource-affinity: r2",
        ]),
        12 => prop::sample::select(vec![
            "\tstate started", " state stopped", "\tstate foo", "\tstate enabled", "\tmax_restart 3", "\tmax_restart -1",
            "\tgroup aa", "\tgroup bb", "\tcomment  hello: world ", "\tcomment %C3%A4%20", "\tcomment %FF%zz",
            "\tfailback", "\tfailback no", "\tnodes node1:2,node2", "\tnodes ;;", "\tnodes node1:1 node1:2",
            "\trestricted 1", "\tnofailback off", "\tdisable", "\tdisable 0", "\tresources vm:100;ct:101 vm:100",
            "\tresources vm:1", "\tstrict 1", "\taffinity negative", "\taffinity both", "\tcolour blue", "\tcomment",
        ]),
        4 => prop::sample::select(vec!["# a comment", "\t# indented", " ", "\t\r", "garbage", "key value: x", "#"]),
    ];
    prop_oneof![
        20 => text.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ]
}

fn file() -> impl Strategy<Value = Vec<u8>> {
    let structured = prop::collection::vec((line(), prop_oneof![9 => Just("\n"), 1 => Just("\r\n")]), 0..30)
        .prop_map(|lines| lines.into_iter().flat_map(|(line, end)| [line, end.into()].concat()).collect());
    prop_oneof![9 => structured, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

fn types() -> ServiceTypes {
    let mut types = ServiceTypes::default();
    types.register("proc", |_| Ok(()));
    types
}

/// How often each problem that a rewrite keeps occurs. Those that it settles are left out: where a value that was
/// overridden has no effect any more (`disable 0` is not written), a second value of it becomes a comment.
fn lasting(problems: &[Problem]) -> Vec<(&'static str, Option<&str>, Option<&str>)> {
    let mut lasting: Vec<_> = problems
        .iter()
        .filter(|problem| !matches!(problem.kind.code(), "duplicate_property" | "mark_at_start"))
        .map(|problem| (problem.kind.code(), problem.section.as_deref(), problem.property.as_deref()))
        .collect();
    lasting.sort_unstable();
    lasting
}

/// Headers are compared in lower case, and a header's form may be tidied.
fn tidy(problems: &[Problem]) -> Vec<Problem> {
    let mut problems = problems.to_vec();
    for problem in &mut problems {
        problem.section = problem.section.as_ref().map(|section| section.to_lowercase());
    }
    problems
}

fn check_rewrite<T, M: PartialEq + std::fmt::Debug>(
    text: &[u8],
    read: impl Fn(&[u8]) -> Parsed<T>,
    write: impl Fn(&T) -> Vec<u8>,
    meaning: impl Fn(&T) -> M,
) -> Result<(), TestCaseError> {
    let first = read(text);
    let written = write(&first.config);
    let second = read(&written);
    prop_assert_eq!(meaning(&first.config), meaning(&second.config), "the same meaning");
    let (before, after) = (tidy(&first.problems), tidy(&second.problems));
    prop_assert_eq!(lasting(&before), lasting(&after), "the same problems");
    let again = write(&second.config);
    prop_assert_eq!(
        String::from_utf8_lossy(&again),
        String::from_utf8_lossy(&written),
        "the same bytes when written again"
    );
    // Nothing is lost: every word of the input that is not ours to rewrite is still there.
    for word in [&b"garbage"[..], b"# a comment", b"# indented", b"colour blue", b"xx: 100", b"state foo", b"vm: 7"] {
        let count = |text: &[u8]| text.windows(word.len()).filter(|window| *window == word).count();
        prop_assert!(count(text) <= count(&written), "{:?} is lost", String::from_utf8_lossy(word));
    }
    for pair in first.problems.windows(2) {
        prop_assert!(pair[0].line <= pair[1].line, "problems stand in the order of the lines");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_rewrite_of_resources_means_the_same(text in file()) {
        let types = types();
        check_rewrite(&text, |text| ResourcesConfig::read(text, &types), ResourcesConfig::write, |config| {
            config.resources.values().cloned().collect::<Vec<_>>()
        })?;
    }

    #[test]
    fn a_rewrite_of_groups_means_the_same(text in file()) {
        check_rewrite(&text, GroupsConfig::read, GroupsConfig::write, |config| {
            config.groups.values().cloned().collect::<Vec<_>>()
        })?;
    }

    #[test]
    fn a_rewrite_of_rules_means_the_same(text in file()) {
        let types = types();
        check_rewrite(&text, |text| RulesConfig::read(text, &types), RulesConfig::write, |config| {
            let mut rules: Vec<_> = config.rules.values().cloned().collect();
            // `disable 0` is not written: it is what holds anyway.
            rules.iter_mut().for_each(|rule| rule.disable = Some(rule.is_disabled()));
            rules
        })?;
    }

    #[test]
    fn a_change_of_a_setting_leaves_every_other_line(
        lines in prop::collection::vec(prop_oneof![
            5 => prop::sample::select(vec![
                "ha: shutdown_policy=freeze", "ha: x=1,shutdown_policy=migrate", "crs: static", "crs: ha=fast,ha=basic,y",
                "crs:", "max_workers: 3", "max_worker: 9", "max_workers: none", "fencing: both", "keyboard: de", "# c",
                " ha: x", "", "hardware",
            ]).prop_map(|line| line.as_bytes().to_vec()),
            1 => prop::collection::vec(any::<u8>().prop_filter("one line", |byte| *byte != b'\n'), 0..8),
        ], 0..8),
        end in prop::sample::select(vec!["", "\n", "\r\n"]),
        setting in prop::sample::select(DatacenterSetting::ALL),
    ) {
        let text = [lines.join(&b"\n"[..]), end.into()].concat();
        let value = match setting {
            DatacenterSetting::ShutdownPolicy => "failover",
            DatacenterSetting::SchedulerMode => "dynamic",
            DatacenterSetting::RebalanceOnStart | DatacenterSetting::AutoRebalance => "1",
            DatacenterSetting::Threshold | DatacenterSetting::Margin => "77",
            DatacenterSetting::Method => "topsis",
            DatacenterSetting::HoldDuration
            | DatacenterSetting::MaxWorkers
            | DatacenterSetting::MaxStarts
            | DatacenterSetting::MaxMoves
            | DatacenterSetting::FlappingHold => "7",
            DatacenterSetting::Fencing => "hardware",
            DatacenterSetting::MigrateGroups => "0",
        };
        let line_key = setting.as_str().split('.').next().unwrap_or_default();
        let ours = |line: &&[u8]| [line_key, "max_worker"].iter().any(|key| line.strip_prefix(b"# ").unwrap_or(line).starts_with(key.as_bytes()));
        let others = |text: &[u8]| -> Vec<Vec<u8>> {
            text.split(|byte| *byte == b'\n').filter(|line| !ours(line) && !line.is_empty()).map(<[u8]>::to_vec).collect()
        };

        let read = DatacenterFile::read(&text);
        // A mark in front of the text is not written again.
        prop_assume!(read.problems.iter().all(|problem| !problem.kind.is_remark()));
        let before = read.config;
        prop_assert_eq!(before.write(), text.clone());
        let mut file = before.clone();
        file.set(setting, value).unwrap();
        prop_assert_eq!(others(&file.write()), others(&text));
        let set_again = { let mut again = file.clone(); again.set(setting, value).unwrap(); again };
        prop_assert_eq!(file.write(), set_again.write(), "setting it again changes nothing");
        file.unset(setting);
        prop_assert_eq!(others(&file.write()), others(&text));
        // Unset, the setting has its default, and the others have what they had.
        let mut reset = before;
        reset.unset(setting);
        prop_assert_eq!(file.config(), reset.config());
    }

    #[test]
    fn a_file_that_breaks_off_anywhere_is_read(text in file(), end in any::<prop::sample::Index>()) {
        let text = &text[..end.index(text.len() + 1)];
        let _ = ResourcesConfig::read(text, &types());
        let _ = RulesConfig::read(text, &types());
        let _ = GroupsConfig::read(text);
    }
}
