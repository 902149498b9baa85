//! Each output for a small core, whole: `golden/` keeps them. `BINDINGS_GOLDEN=write cargo test` renews them; look at the difference.

use std::{env, fs, path::Path};

use crate::{
    NOTE, c, perl,
    promises::{self, Promise},
    python, reference,
    source::{Sources, without_links},
    table::{Tables, Union, read_events, read_records, read_words},
};

const CORE: &str = r#"
    /// What is known of a node. See [`Event`](crate::event::Event).
    pub enum NodeState {
        /// It is here.
        Online,
        /// To be fenced, since [`NodeState::Online`] is over: `fence`.
        ToFence,
    }

    text_enum! {
        NodeState: "a state",
        Online = "online" | "on",
        ToFence = "fence",
    }

    /// How it goes.
    pub enum Outcome {
        /// It ends well.
        EndsWell,
    }
"#;

const EVENT: &str = r#"
    #[serde(tag = "event")]
    pub enum Event {
        /// A node changed its state.
        NodeChanged {
            /// The node.
            node: NodeName,
            /// What it was.
            from: NodeState,
            /// Why, in words.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            reason: Option<String>,
        },
        /// Nothing is left to do.
        Idle,
    }
"#;

const REST: &str = r#"
    /// A move and its cost.
    pub struct Move {
        /// What moves.
        pub sid: ServiceId,
        /// Its tries.
        #[serde(default)]
        pub tries: u32,
        /// Where it was | is.
        pub nodes: Vec<NodeName>,
    }

    /// What a guest may keep.
    pub const LEFTOVER_GUEST_LOCKS: [&str; 2] = ["backup", "clone"];
"#;

const TIMING: &str = r#"
    times! {
        times {
            /// How long it lasts.
            lifetime Lifetime "lifetime_s": 1_500, 3, 0 => 10 * DAY;
            /// How long it is known.
            memory Memory "memory_s": HOUR, 3, 0 => DAY;
        }
        numbers {
            /// How often.
            rounds: 1_000;
        }
    }
"#;

const FFI: &str = r#"
    /// A status.
    #[repr(i32)]
    pub enum ha_status { HA_OK = 1, HA_ERROR_NAME = -5 }
    #[repr(C)]
    pub struct ha_move { pub steps: u32, pub sid: ha_str, pub state: i32, pub cost: f64, pub last: i32 }
    #[repr(C)]
    pub struct ha_callbacks {
        pub size: usize,
        pub event: Option<unsafe extern "C" fn(context: *mut c_void, event: *const ha_event)>,
        pub stop: Option<unsafe extern "C" fn(context: *mut c_void, sid: *const c_char, sid_length: usize, timeout: i64, reply: *mut ha_reply) -> i32>,
        pub write: Option<unsafe extern "C" fn(context: *mut c_void, digest: *const c_char, status: *const ha_lrm_status, reply: *mut ha_reply) -> i32>,
    }
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn ha_plan_new(nodes: *const ha_str, node_count: usize, plan: *mut *mut ha_plan, error: *mut *mut ha_error) -> ha_status {}
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn ha_plan_get(plan: *const ha_plan, sid: *const c_char, sid_length: usize, found: *mut ha_move, error: *mut *mut ha_error) -> ha_status {}
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn ha_plan_words(plan: *const ha_plan, index: usize, text: *mut ha_text, lent: *mut ha_str, count: *mut usize, error: *mut *mut ha_error) -> ha_status {}
    #[unsafe(no_mangle)]
    pub extern "C" fn ha_plan_free(plan: *mut ha_plan) -> ha_status {}
    #[unsafe(no_mangle)]
    pub extern "C" fn ha_node_state_name(value: i32) -> *const c_char {}
"#;

const WORDS: &str = "
    python pyha.words
    word ha_core::status::NodeState
      c ha_node_state HA_NODE online=1 fence:DOOMED=4
    python pyha.sim.words
    word ha_core::status::Outcome as Ending
";

fn sources() -> Sources {
    Sources::of(&[
        ("ha_core::status", CORE),
        ("ha_core::event", EVENT),
        ("ha_core::rest", REST),
        ("ha_core::timing", TIMING),
        ("ha_ffi::plan", FFI),
    ])
}

fn tables() -> Tables {
    let (module, path, doc) = ("pyha.events".into(), "ha_core::event::Event".into(), "All that happens.".into());
    Tables {
        words: read_words(WORDS).expect("words"),
        events: read_events("node_changed=2\nidle=3").expect("events"),
        unions: vec![Union { module, path, doc }],
        records: read_records("record ha_core::rest::Move was Journey").expect("records").1,
        promises: Vec::new(),
        record_code: "class Figure:\n    pass\n\n# in Move:\n    def __str__(self) -> str:\n        return self.sid\n"
            .into(),
    }
}

/// Compares with what is kept.
fn same(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(format!("{name}.txt"));
    if env::var_os("BINDINGS_GOLDEN").is_some_and(|wish| wish == "write") {
        fs::write(&path, made).expect("golden");
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), made, "{}", path.display());
}

#[test]
fn c_has_words_and_events_as_enums() {
    same("c_words", &c::words(&sources(), &tables()).expect("made"));
    same("c_events", &c::events(&sources(), &tables()).expect("made"));
}

#[test]
fn perl_has_signatures_layouts_callbacks_and_numbers() {
    same("perl_interface", &perl::interface(&sources()).expect("made"));
}

#[test]
fn python_has_classes_and_their_registration() {
    same("python_registration", &python::registration(&sources(), &tables()).expect("made"));
    for (name, made) in python::package(&sources(), &tables()).expect("made") {
        same(&name.replace("ha-py/python/pyha", "python").replace('/', "_"), &made);
    }
}

#[test]
fn the_reference_has_a_table_for_each_enum_of_words_and_for_events() {
    same("reference_words", &reference::words(&sources(), &tables()).expect("made"));
    same("reference_events", &reference::events(&sources(), &tables()).expect("made"));
}

#[test]
fn what_is_new_in_the_core_asks_for_a_number() {
    let mut tables = tables();
    tables.events.pop();
    let error = c::events(&sources(), &tables).expect_err("an event without a number");
    assert_eq!(error.to_string(), "tables/events: 'idle' has no number yet: give it the next one");
    tables.words = read_words("word ha_core::status::NodeState\nc ha_node_state HA_NODE online=1").expect("words");
    let error = c::words(&sources(), &tables).expect_err("a word without a number");
    assert_eq!(
        error.to_string(),
        "tables/words: 'fence' of ha_core::status::NodeState has no number in ha_node_state yet"
    );
}

#[test]
fn no_number_is_given_twice_and_no_row_stands_for_nothing() {
    let refused = |rows: &str| read_events(rows).err().map(|error| error.to_string());
    assert_eq!(refused("idle=2\nnode_changed=2").as_deref(), Some("the number 2 is given twice"));
    assert_eq!(refused("idle=1").as_deref(), Some("the number 1 is given twice"));
    let mut tables = tables();
    tables.events.push(("gone".into(), 4));
    let error = c::events(&sources(), &tables).expect_err("a row without an event");
    assert_eq!(error.to_string(), "tables/events: the core has no event 'gone'");
}

#[test]
fn links_become_their_text() {
    let marked = |doc: &str| without_links(doc, |code| format!("<{code}>"));
    assert_eq!(
        marked("[`a::B`](x::y) and [`C`], `d`; [a page](http://x), a [list] of `e"),
        "<a::B> and <C>, <d>; a page, a [list] of `e"
    );
}

#[test]
fn promises_stand_in_the_documentation_of_each_face_in_the_same_words() {
    let promises = promises::read("stop = halt: Nothing of it is left.\nread: -").expect("promises");
    let c = "struct ha_callbacks {\n    /// Stops it.\n    ///\n    /// Promise: Old.\n    pub stop: i32,\n    /// Reads.\n    pub read: i32,\n}\n";
    let python = "    def halt(self) -> None:\n        \"\"\"Stops it.\"\"\"\n\n    def read(self) -> None:\n        \"\"\"Reads.\"\"\"\n";
    let perl = format!("=for comment {NOTE}\n\n=for comment The end of what is made.\n\n=cut\n");
    for (name, renew, source) in [
        ("promises_c", promises::in_c as fn(&str, &[Promise]) -> _, c),
        ("promises_python", promises::in_python, python),
        ("promises_perl", promises::in_perl, &perl),
    ] {
        let made: String = renew(source, &promises).expect("made");
        same(name, &made);
        assert_eq!(renew(&made, &promises).expect("made"), made, "{name}: what is made stays as it is");
    }
}

#[test]
fn a_callback_without_a_promise_is_asked_for() {
    let tables = Tables { promises: promises::read("stop: -").expect("promises"), ..tables() };
    let error = tables.promises_of(&perl::callbacks(&sources()).expect("callbacks")).err().expect("some lack one");
    assert_eq!(error.to_string(), "tables/promises: what is counted on of 'event'? '-' for nothing");
}
