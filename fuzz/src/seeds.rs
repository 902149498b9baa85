//! What fuzzing begins with: the inputs of `tests/vectors`, the scenarios of `tests/scenarios`, and a few of its own.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// The inputs that a target begins with.
///
/// # Errors
///
/// If the repository's tests can't be read.
pub fn seeds(target: &str) -> io::Result<Vec<Vec<u8>>> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    let mut seeds: Vec<Vec<u8>> = own(target).iter().map(|text| text.as_bytes().to_vec()).collect();
    match target {
        "resources" | "groups" | "rules" | "nodes" | "datacenter" | "edit" => {
            texts(&tests.join("vectors/config"), &mut seeds)?
        }
        "fence" => texts(&tests.join("vectors/fence"), &mut seeds)?,
        "manager_status" | "lrm_status" | "command" => texts(&tests.join("vectors/status"), &mut seeds)?,
        "scenario" => {
            for folder in folder(&tests.join("scenarios"))? {
                seeds.push(fs::read(folder.join("scenario"))?);
            }
        }
        "requests" => seeds.extend(every_call()),
        "c_interface" => {
            let mut plain = Vec::new();
            texts(&tests.join("vectors"), &mut plain)?;
            // The first byte says which file it is.
            seeds.extend(plain.into_iter().enumerate().map(|(index, text)| {
                let file = u8::try_from(index % 5).unwrap_or(0);
                [vec![file], text].concat()
            }));
        }
        _ => {}
    }
    Ok(seeds)
}

fn own(target: &str) -> &'static [&'static str] {
    match target {
        "edit" => &[
            "add vm:100 state=started group=pair max_restart=3\nset vm:100 comment=x -group\nremove vm:100\n\ngroup: pair\n\tnodes node1:2\n",
            "nodeaffinity rule resources=vm:1,ct:2 nodes=node1:1,node2 strict=1\nruleset rule disable=1\nruleremove rule\n\nvm: 1\n\nct: 2\n",
            "resourceaffinity rule resources=vm:1,ct:2 affinity=negative\ngroupadd pair nodes=node1\ngroupset pair restricted=1\npurge vm:1\n\nvm: 1\n\nct: 2\n",
        ],
        "timings" => &[
            "{}",
            r#"{"watchdog_timeout_s": 3, "lock_lifetime_s": 6.6, "round_time_s": 0.5, "clock_drift_ppm": 100000}"#,
            r#"{"multiplexer_interval_s": 0, "device_granularity_s": 60, "lock_retry_window_s": 3600}"#,
        ],
        "recording" => &[
            "{\"recording\":1}\n{\"call\":\"start_crm\",\"node\":\"node1\",\"timings\":{}}\n\
             {\"event\":\"daemon_state\",\"from\":\"startup\",\"to\":\"wait_for_quorum\"}\n{\"returned\":null}\n\
             {\"call\":\"tick\",\"now\":{\"instant\":{\"secs\":1,\"nanos\":0},\"wall\":1}}\n{\"ask\":\"refresh\"}\n{\"ok\":null}\n\
             {\"ask\":\"is_quorate\"}\n{\"ok\":true}\n{\"ask\":\"manager_status\"}\n{\"ok\":null}\n{\"ask\":\"configuration\"}\n\
             {\"ok\":{\"types\":[\"vm\"],\"resources\":{\"digest\":\"0000000000000000000000000000000000000000\",\"text\":\"vm: 100\\n\"}}}\n",
            "{\"recording\":1}\n{\"call\":\"start_lrm\",\"node\":\"node1\",\"timings\":{}}\n\
             {\"event\":\"daemon_state\",\"from\":\"startup\",\"to\":\"wait_for_agent_lock\"}\n{\"returned\":null}\n\
             {\"call\":\"tick\",\"now\":{\"instant\":{\"secs\":1,\"nanos\":0},\"wall\":1}}\n{\"ask\":\"refresh\"}\n{\"ok\":null}\n\
             {\"ask\":\"is_quorate\"}\n{\"ok\":true}\n",
        ],
        "manager_status" => &[
            r#"{"master_node":"n1","timestamp":1,"node_status":{"n1":"online"},"service_status":{"vm:100":{"state":"started","node":"n1","uid":"a","running":1}}}"#,
        ],
        "requests" => &[
            "POST /api2/json/cluster/ha/resources\ncontent-type: application/json\n\n{\"sid\":\"vm:100\",\"max_restart\":3,\"comment\":\"a b\"}",
            "PUT /api2/json/cluster/ha/resources/vm%3A100\ncontent-type: application/x-www-form-urlencoded\n\nstate=stopped&delete=comment",
            "POST /api2/json/cluster/ha/rules\n\nrule=pair&type=resource-affinity&resources=vm:100,ct:101&affinity=negative",
            "POST /api2/json/cluster/ha/groups\n\ngroup=both&nodes=node1:2,node2&restricted=1",
            "POST /api2/json/access/ticket\n\nusername=a@pam&password=b",
            "GET /api2/json/version\nauthorization: PVEAPIToken=a@pam!b=c",
            "GET /api2/json/version\ncookie: PVEAuthCookie=PVE%3Aa%40pam%3A66000000%3A%3Aab",
            "POST /api/v1/what-if\ncontent-type: application/json\n\n{\"fail\":[\"node1\"],\"maintenance\":[\"node2\"]}",
            "PATCH /api/v1/services/vm:100?dry_run=1\nif-match: \"0\"\n\nstate=started",
            "POST /api/v1/services/vm:100/migrate\nidempotency-key: one\n\nnode=node2",
        ],
        _ => &[],
    }
}

/// Each call that there is, with a value for each parameter.
fn every_call() -> impl Iterator<Item = Vec<u8>> {
    ha_web::table::all().map(|route| {
        let path = route.path.replace("{sid}", "vm:100").replace("{node}", "node1").replace(['{', '}'], "");
        let sent: Vec<String> = route.takes.iter().map(|parameter| format!("{}=1", parameter.name)).collect();
        let sent = sent.join("&");
        let is_in_query = matches!(route.method, "GET" | "DELETE");
        let (query, body) = if is_in_query { (sent, String::new()) } else { (String::new(), sent) };
        format!("{} {path}?{query}\n\n{body}", route.method).into_bytes()
    })
}

/// Every text in the JSON files of a folder, and every object as JSON.
fn texts(path: &Path, into: &mut Vec<Vec<u8>>) -> io::Result<()> {
    if path.is_dir() {
        for entry in folder(path)? {
            texts(&entry, into)?;
        }
    } else if path.extension().is_some_and(|extension| extension == "json") {
        collect(&serde_json::from_slice(&fs::read(path)?)?, into);
    }
    Ok(())
}

fn collect(value: &Value, into: &mut Vec<Vec<u8>>) {
    match value {
        Value::String(text) => into.push(text.clone().into_bytes()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        Value::Object(fields) => {
            into.push(value.to_string().into_bytes());
            fields.values().for_each(|field| collect(field, into));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn folder(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries: Vec<PathBuf> = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    entries.sort();
    Ok(entries)
}
