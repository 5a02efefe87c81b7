//! Estates for generated plans: the one of the example change, larger, smaller and less well.

use serde_json::{Value as Json, json};

/// What an estate is made of; small numbers are the plain case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EstateDraw {
    /// Exchange servers.
    pub(super) servers: usize,
    /// Storage groups of each server.
    pub(super) groups: Vec<u8>,
    /// Checks side by side.
    pub(super) slots: u8,
    /// Things that are not as they should be, or not known.
    pub(super) flaws: Vec<(u8, u8)>,
}

/// The fact document of an estate.
pub(super) fn document(template: &Json, draw: &EstateDraw) -> Json {
    let mut estate = template.clone();
    let one = |list: &str| template[list][0].clone();
    let mut fill = |list: &str, items: Vec<Json>| estate[list] = Json::Array(items);
    let servers: Vec<String> = (1..=draw.servers).map(|number| format!("EX0{number}")).collect();
    let groups: Vec<(String, u8)> = draw
        .groups
        .iter()
        .map(|number| (servers[usize::from(*number) % servers.len()].clone(), *number))
        .collect();
    let numbered = || {
        groups
            .iter()
            .enumerate()
            .map(|(at, (server, size))| (server, format!("SG{}", at + 1), *size))
    };
    fill("exchange_servers", servers.iter().map(|name| {
        with(one("exchange_servers"), &json!({ "name": name, "fqdn": format!("{}.contoso.com", name.to_lowercase()) }))
    }).collect());
    fill(
        "agents",
        servers.iter().map(|name| with(one("agents"), &json!({ "server": name }))).collect(),
    );
    fill(
        "vss_writers",
        servers.iter().map(|name| with(one("vss_writers"), &json!({ "server": name }))).collect(),
    );
    fill("storage_groups", numbered().map(|(server, name, _)| {
        let path = format!("L:\\{name}");
        with(one("storage_groups"), &json!({ "server": server, "name": name, "log_path": path, "system_path": path }))
    }).collect());
    fill("databases", numbered().map(|(server, name, size)| {
        let edb = format!("F:\\{name}\\DB1.edb");
        let bytes = (u64::from(size) + 1) * 7_000_000_000;
        with(one("databases"), &json!({ "server": server, "storage_group": name, "edb_path": edb, "size_bytes": bytes }))
    }).collect());
    fill("data_sources", numbered().map(|(server, name, size)| {
        let path = format!("L:\\{name}");
        let bytes = (u64::from(size) + 1) * 7_000_000_000;
        let mut source = with(one("data_sources"), &json!({
            "server": server, "name": name, "storage_group": name, "size_bytes": bytes,
            "known_files": [
                { "role": "edb", "database": "DB1", "path": format!("F:\\{name}\\DB1.edb") },
                { "role": "log", "path": path }, { "role": "system", "path": path },
            ],
        }));
        source["replica"]["last_consistency_check_seconds"] = json!(u64::from(size) * 700 + 300);
        source
    }).collect());
    let drives = template["volumes"].as_array().unwrap();
    fill(
        "volumes",
        servers
            .iter()
            .flat_map(|server| {
                let spare =
                    with(drives[0].clone(), &json!({ "mount": "N:\\", "protected_by_dpm": false }));
                drives
                    .iter()
                    .cloned()
                    .chain([spare])
                    .map(move |drive| with(drive, &json!({ "server": server })))
            })
            .collect(),
    );
    fill(
        "network_links",
        servers
            .iter()
            .flat_map(|server| {
                [(server.as_str(), "DPM01"), ("DPM01", server.as_str())].map(|(from, to)| {
                    with(one("network_links"), &json!({ "from": from, "to": to }))
                })
            })
            .collect(),
    );
    estate["events"] = json!([]);
    estate["dpm_servers"][0]["check_slots"] = json!(draw.slots);
    for (kind, which) in &draw.flaws {
        flaw(&mut estate, *kind, usize::from(*which));
    }
    estate
}

/// An object with some of its facts replaced.
fn with(mut object: Json, facts: &Json) -> Json {
    for (field, value) in facts.as_object().unwrap() {
        object[field] = value.clone();
    }
    object
}

/// How many kinds of flaw there are.
pub(super) const FLAWS: u8 = 19;

fn flaw(estate: &mut Json, kind: u8, which: usize) {
    let mut member = |list: &str, change: &dyn Fn(&mut Json)| {
        let items = estate[list].as_array_mut().unwrap();
        let count = items.len();
        if count > 0 {
            change(&mut items[which % count]);
        }
    };
    let drop =
        |field: &'static str| move |one: &mut Json| _ = one.as_object_mut().unwrap().remove(field);
    let set = |field: &'static str, to: Json| move |one: &mut Json| one[field] = to.clone();
    let state = |word: &'static str| move |one: &mut Json| one["replica"]["state"] = json!(word);
    match kind {
        0 => member("data_sources", &state("inconsistent")),
        1 => member("agents", &set("update_pending", json!(true))),
        2 => member("data_sources", &state("missing")),
        3 => member("dpm_servers", &|one| one["vss_ps"]["registered"] = json!(false)),
        4 => member("data_sources", &|one| {
            _ = one["replica"].as_object_mut().unwrap().remove("state");
        }),
        5 => member("agents", &drop("update_pending")),
        6 => member("data_sources", &drop("size_bytes")),
        7 => member("data_sources", &drop("known_files")),
        8 => member("volumes", &drop("protected_by_dpm")),
        9 => member("data_sources", &drop("newest_recovery_point")),
        10 => member("data_sources", &set("newest_recovery_point", Json::Null)),
        11 => member("databases", &set("mounted", json!(false))),
        12 => member("dpm_servers", &drop("check_slots")),
        13 => member("exchange_servers", &|one| one["os"]["version"] = json!("6.0.6002")),
        14 => member("agents", &set("enabled", json!(false))),
        15 => member("data_sources", &state("verifying")),
        16 => {
            member("protection_groups", &set("auto_consistency_check", json!(true)));
            member("dpm_servers", &set("version", json!("3.0.7696.0")));
        }
        17 => member("protection_groups", &|one| {
            one["daily_consistency_check"]["max_hours"] = json!(0.5);
            one["daily_consistency_check"]["start"] = json!("23:00");
        }),
        _ => _ = estate.as_object_mut().unwrap().remove("complete"),
    }
}
